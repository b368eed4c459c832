"""How much Korea sells a market beside what its size and distance would lead one to expect.

Exports to market j in year t are exp(a_t + b log GDP_jt + d log distance_j), fitted by PPML (Santos Silva & Tenreyro
2006). The first-order condition for a_t makes fitted and actual exports equal in every year, which is how the year
effects are recovered. A market's residual holds everything else, so it is not what could be sold.
"""

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame, typed
from kbio_analysis.models.gravity import GravityFit, ppml

COLUMNS = ("iso3", "year", "exports_usd_m", "gdp_usd_m", "distance_km")
MIN_MARKETS = 20
"""Fewer markets than this leave nothing to compare a residual with."""


def market_gaps(panel: pd.DataFrame) -> tuple[GravityFit, pd.DataFrame]:
    """Fit ``panel`` (columns COLUMNS, one row a market and year) and hold every market against its expectation.

    The fit has the elasticities of exports to log_gdp and log_distance; the markets, by ISO3, yearly means over the
    panel's years: actual_usd_m, expected_usd_m, gap_usd_m (expected less actual) and ratio (actual over expected).
    Raises :class:`ModelInputError` for missing columns, values that are not above zero (exports may be zero) or fewer
    than MIN_MARKETS markets.
    """
    panel = checked_frame(panel, COLUMNS, "market gaps")
    if panel["iso3"].nunique() < MIN_MARKETS:
        raise ModelInputError(f"market gaps: {panel['iso3'].nunique()} markets, at least {MIN_MARKETS} are needed")
    if not (panel[["gdp_usd_m", "distance_km"]] > 0).all(axis=None):
        raise ModelInputError("market gaps: GDP and distance must be above zero and known; leave those rows out")
    frame = panel.assign(log_gdp=np.log(panel["gdp_usd_m"]), log_distance=np.log(panel["distance_km"]))
    fit = ppml(frame, "exports_usd_m", ["log_gdp", "log_distance"], ["year"], "iso3")
    part = np.exp(frame[list(fit.coefficients.index)] @ fit.coefficients)
    actual, fitted = (v.groupby(frame["year"]).transform("sum") for v in (frame["exports_usd_m"], part))
    frame = frame.assign(actual_usd_m=frame["exports_usd_m"], expected_usd_m=part * actual / fitted)
    return fit, _against(frame.groupby("iso3")[["actual_usd_m", "expected_usd_m"]].mean())


def by_group(markets: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """The columns of :func:`market_gaps` added up by group (``groups``: ISO3 -> name), widest gap first."""
    summed = markets.groupby(groups.reindex(markets.index))[["actual_usd_m", "expected_usd_m"]].sum()
    return _against(summed).sort_values("gap_usd_m", ascending=False)


@typed
def track_record(early: pd.Series, growth: pd.Series) -> pd.Series:
    """Did markets below expectation (``early`` ratio under 1) later grow faster? Both indexed by ISO3.

    Named correlation (Spearman, of early ratio with growth), p_value and n (markets), n_below (of them under 1) and
    faster_share, the part of the latter that grew faster than the median market.
    Raises :class:`ModelInputError` with fewer than MIN_MARKETS markets in both, or none below expectation.
    """
    both = pd.DataFrame({"early": early, "growth": growth}).replace([np.inf, -np.inf], np.nan).dropna()
    below = both[both.early < 1]
    if len(both) < MIN_MARKETS or below.empty:
        raise ModelInputError(f"track record: {len(both)} markets with both dates, at least {MIN_MARKETS} are needed")
    found, faster = stats.spearmanr(both.early, both.growth), (below.growth > both.growth.median()).mean()
    scores = {"correlation": found.statistic, "p_value": found.pvalue, "faster_share": faster}
    return pd.Series(scores | {"n": len(both), "n_below": len(below)}, dtype=object)


def _against(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        gap_usd_m=frame["expected_usd_m"] - frame["actual_usd_m"], ratio=frame["actual_usd_m"] / frame["expected_usd_m"]
    )
