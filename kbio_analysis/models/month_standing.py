"""Where one month stands among the months on record: the ratio of two regions, its rank, and how often one led."""

from dataclasses import dataclass

import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.conformal import clopper_pearson


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthStanding:
    """``ratio`` of the first region's exports to the second's in ``month``; ``rank`` of that ratio among ``n`` months
    (1 = highest); ``n_above`` months in which the first took more, ``low`` and ``high`` the exact 95% range of that
    share if months were independent draws, which they are not; ``ratios`` by month."""

    month: str
    ratio: float
    rank: int
    n: int
    n_above: int
    low: float
    high: float
    ratios: pd.Series


def standing(months: pd.DataFrame, month: str, first: str, second: str) -> MonthStanding:
    """Place ``month`` (YYYY-MM) among the rows of ``months`` (PeriodIndex M x regions, US$ million, above zero).

    Raises :class:`ModelInputError` for a month or region that is not there.
    """
    if not {first, second} <= set(months.columns) or month not in months.index:
        raise ModelInputError(f"months: no {month} of {first} and {second}; check the table of regions")
    ratios = months[first] / months[second]
    ratio = float(ratios[month])
    above = int((ratios > 1).sum())
    low, high = clopper_pearson(above, len(ratios))
    rank = 1 + int((ratios > ratio).sum())
    return MonthStanding(
        month=month, ratio=ratio, rank=rank, n=len(ratios), n_above=above, low=low, high=high, ratios=ratios
    )
