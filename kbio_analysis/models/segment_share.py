"""Two growth rates, one market: what a segment's share becomes, and what that leaves for the rest."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed
from kbio_analysis.models.growth import path, required_growth_pct


@typed
def segment_share(
    market: float, segment: float, *, base_year: int, target_year: int, market_pct: float, segment_pct: float
) -> pd.DataFrame:
    """A segment in its market when both grow at constant rates, by year: market, segment (one unit) and share_pct.

    ``attrs``: rest_growth_pct, growth of the rest of the market, per cent a year, None once the segment is larger than
    the market; whole_year, the moment at which the segment passes the whole market, None if it never does.
    Raises :class:`ModelInputError` unless 0 < segment < market and the target year is after the base.
    """
    if not 0 < segment < market:
        raise ModelInputError(f"segment {segment}, market {market}: a segment must be smaller than its market")
    years = target_year - base_year
    if years < 1:
        raise ModelInputError(f"target year {target_year} is not after {base_year}; give a later one")
    paths = pd.DataFrame({"market": path(market, market_pct, years), "segment": path(segment, segment_pct, years)})
    paths = paths.set_axis(pd.RangeIndex(base_year, target_year + 1, name="year"), axis=0)
    paths["share_pct"] = 100 * paths.segment / paths.market
    rest = float(paths.market.iloc[-1] - paths.segment.iloc[-1])
    drift = np.log1p(segment_pct / 100) - np.log1p(market_pct / 100)
    paths.attrs = {
        "rest_growth_pct": required_growth_pct(market - segment, rest, years) if rest > 0 else None,
        "whole_year": base_year + float(np.log(market / segment) / drift) if drift > 0 else None,
    }
    return paths


def implied_beside(found: pd.DataFrame, published: Mapping[tuple[str, int], float]) -> pd.DataFrame:
    """Published shares, (label, year) -> per cent, beside those of the path: columns label, year, published_pct,
    implied_pct, gap_points. A year that the path does not reach is left out."""
    rows = [(label, year, share) for (label, year), share in published.items() if year in found.index]
    frame = pd.DataFrame(rows, columns=["label", "year", "published_pct"])
    frame["implied_pct"] = [float(found.share_pct[year]) for year in frame.year]
    return frame.assign(gap_points=frame.implied_pct - frame.published_pct)
