"""Two growth rates, one market: what a segment's share becomes, and what that leaves for the rest."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.growth import path, required_growth_pct


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentShare:
    """A segment in its market when both grow at constant rates.

    ``share_pct`` by year, per cent; ``rest_growth_pct`` growth of the rest of the market, per cent a year, None once
    the segment is larger than the market; ``whole_year`` first year in which the segment passes the whole market,
    None if it never does.
    """

    share_pct: pd.Series
    market: pd.Series
    segment: pd.Series
    rest_growth_pct: float | None
    whole_year: float | None


def segment_share(
    market: float, segment: float, *, base_year: int, target_year: int, market_pct: float, segment_pct: float
) -> SegmentShare:
    """Share(t) = segment (1 + g_s)^t / (market (1 + g_m)^t) from the base to the target year; one unit for both.

    Raises :class:`ModelInputError` unless 0 < segment < market and the target year is after the base.
    """
    if not 0 < segment < market:
        raise ModelInputError(f"segment {segment}, market {market}: a segment must be smaller than its market")
    years = target_year - base_year
    if years < 1:
        raise ModelInputError(f"target year {target_year} is not after {base_year}; give a later one")
    whole = path(market, market_pct, years, base_year=base_year)
    part = path(segment, segment_pct, years, base_year=base_year)
    rest_end = float(whole.iloc[-1] - part.iloc[-1])
    rest = required_growth_pct(market - segment, rest_end, years) if rest_end > 0 else None
    drift = np.log1p(segment_pct / 100) - np.log1p(market_pct / 100)
    crossing = base_year + float(np.log(market / segment) / drift) if drift > 0 else None
    share = (100 * part / whole).set_axis(part.index.year).rename("share_pct")
    return SegmentShare(
        share_pct=share,
        market=whole.set_axis(share.index),
        segment=part.set_axis(share.index),
        rest_growth_pct=rest,
        whole_year=crossing,
    )
