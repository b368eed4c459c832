"""How concentrated exports are over destinations, and which destinations made them grow.

The Herfindahl-Hirschman index H = sum of squared shares (Hirschman 1945; Herfindahl 1950) and its reciprocal, the
number of equal partners that would give the same index (Adelman 1969), and the classical shift-share identity
(Dunn 1960): what a destination added to growth = what it had added at the average pace + what it gained on it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame, typed

SUM_TOLERANCE = 1e-6
"""Shares may miss one by rounding only."""


@typed
def shares(values: pd.Series) -> pd.Series:
    """Each value over their sum; missing values count as nothing. Raises ModelInputError for negatives or no trade."""
    filled = values.astype(float).fillna(0.0)
    total = filled.sum()
    if not np.isfinite(total) or (filled < 0).any() or total <= 0:
        raise ModelInputError("shares: the values must be zero or more and not all zero; leave other rows out")
    return filled / total


@typed
def hhi(shares: pd.Series) -> float:
    """Sum of squared shares, 1/n to 1. Raises :class:`ModelInputError` unless they are 0 to 1 and add up to 1."""
    s = shares.to_numpy(dtype=float)
    if s.size == 0 or not np.isfinite(s).all() or (s < 0).any() or abs(s.sum() - 1) > SUM_TOLERANCE:
        raise ModelInputError("concentration: shares must be zero or more and add up to 1; divide by their sum first")
    return float(s @ s)


def over_time(exports: pd.DataFrame) -> pd.DataFrame:
    """``hhi`` and ``effective_partners`` (1/H) for every row (year) of a panel years x partners."""
    found = pd.DataFrame({"hhi": checked_frame(exports, [], "exports").apply(lambda row: hhi(shares(row)), axis=1)})
    return found.assign(effective_partners=1 / found.hhi)


def group_shares(exports: pd.DataFrame, codes: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Per cent of each year's exports (years x partners) that goes to each named set of partners: years x names."""
    total = checked_frame(exports, [], "group_shares").sum(axis=1)
    return pd.DataFrame({name: 100 * exports.reindex(columns=list(c)).sum(axis=1) / total for name, c in codes.items()})


@typed
def shift_share(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """Take the growth from ``before`` to ``after`` (same index, same unit, zero or more) apart by destination.

    Indexed like the inputs, in percentage points of the growth of the total: ``contribution`` (sums to that growth) and
    ``shift``, its part beyond the average pace (sums to zero). Raises :class:`ModelInputError` for different
    destinations, negative or missing values, or nothing to start from.
    """
    x0, x1 = before.astype(float), after.astype(float)
    if not x0.index.equals(x1.index) or x0.index.has_duplicates:
        raise ModelInputError("shift-share: both dates need the same destinations, each once")
    if not (np.isfinite(x0).all() and np.isfinite(x1).all()) or (x0 < 0).any() or (x1 < 0).any() or x0.sum() <= 0:
        raise ModelInputError("shift-share: values must be zero or more, none missing, and not all zero at the start")
    contribution = (x1 - x0) / x0.sum()
    pace = x0 / x0.sum() * float(x1.sum() / x0.sum() - 1)
    return 100 * pd.DataFrame({"contribution": contribution, "shift": contribution - pace})
