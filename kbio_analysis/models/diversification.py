"""Where exports go: how concentrated they are, what made them grow, what past falls were made up, and where room is.

The Herfindahl-Hirschman index H = sum of squared shares (Hirschman 1945; Herfindahl 1950) and its reciprocal, the
number of equal partners that would give the same index (Adelman 1969); the classical shift-share identity (Dunn 1960):
what a destination added to growth = what it had added at the average pace + what it gained on it.

An episode is a year in which exports to a large destination fell. What was made up is what the other markets took
beyond their own demand: x_jt - x_j,t-1 M_jt/M_j,t-1 summed over j, with M a market's imports from everybody (constant
market shares: Tyszynski 1951; Leamer & Stern 1970). Episodes of one year share the same year, so the bootstrap draws
whole years (Efron 1979; Cameron, Gelbach & Miller 2008).

Exports to market j in year t are exp(a_t + b log GDP_jt + d log distance_j), fitted by PPML (Santos Silva & Tenreyro
2006). The first-order condition for a_t makes fitted and actual exports equal in every year, which is how the year
effects are recovered. A market's residual holds everything else, so it is not what could be sold.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, checked_frame, checked_level, typed, whole_years
from kbio_analysis.models.gravity import GravityFit, ppml

SUM_TOLERANCE = 1e-6
"""Shares may miss one by rounding only."""

MIN_YEARS = 5
"""Fewest different years with a fall from which a share is estimated."""

MAX_STEP = 3.0
"""A market whose recorded imports move by more than this factor in a year has a broken record, and is left out."""

COLUMNS = ("iso3", "year", "exports_usd_m", "gdp_usd_m", "distance_km")
MIN_MARKETS = 20
"""Fewer markets than this leave nothing to compare a residual with."""


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


def episodes(exports: pd.DataFrame, demand: pd.DataFrame, *, fall_pct: float, min_share_pct: float) -> pd.DataFrame:
    """Falls of at least ``fall_pct`` in destinations that took at least ``min_share_pct`` the year before.

    ``exports`` and ``demand`` (a market's imports from everybody) are years x ISO3 in US$ million; years without
    demand give no episode. Columns: iso3, year, loss_usd_m (positive), elsewhere_usd_m (change of exports to all
    others), gained_usd_m (what others took beyond their demand).
    """
    if not (0 < fall_pct <= 100 and 0 < min_share_pct <= 100):
        raise ModelInputError("episodes: the fall and the share are per cents above 0 and at most 100")
    x, demand = (whole_years(checked_frame(frame, [], "episodes"), "episodes") for frame in (exports, demand))
    x = x.astype(float).fillna(0.0)
    before = x.shift()
    step = (demand / demand.shift()).reindex(index=x.index, columns=x.columns)
    step = step.where((step < MAX_STEP) & (step > 1 / MAX_STEP))
    gained = (x - before * step).where(step.notna())
    fell = (before.div(before.sum(axis=1), axis=0) >= min_share_pct / 100) & (x <= before * (1 - fall_pct / 100))
    change, rows = x - before, []
    for year, partner in fell.stack()[lambda f: f].index:
        if step.loc[year].notna().any():
            loss = -change.at[year, partner]
            elsewhere = change.loc[year].sum() + loss
            rows.append((partner, year, loss, elsewhere, gained.loc[year].drop(partner).sum()))
    return pd.DataFrame(rows, columns=["iso3", "year", "loss_usd_m", "elsewhere_usd_m", "gained_usd_m"])


@typed
def reallocation(found: pd.DataFrame, *, n_draws: int, level: float, seed: int) -> pd.Series:
    """The share of past falls (``found``: :func:`episodes`) that was made up elsewhere in the same year.

    Named n_years (with a fall), made_up (sum of gains over sum of losses), low and high (its bootstrap percentile
    interval of ``level`` per cent from ``n_draws`` draws of years); the last three None below MIN_YEARS years.
    Raises ModelInputError for a level or a number of draws that is none.
    """
    level, n_draws = checked_level(level), check_count(n_draws, "n_draws")
    by_year = found.groupby("year")[["gained_usd_m", "loss_usd_m"]].sum().to_numpy()
    found = pd.Series({"n_years": len(by_year), "made_up": None, "low": None, "high": None}, dtype=object)
    if len(by_year) < MIN_YEARS:
        return found
    drawn = np.random.default_rng(seed).integers(0, len(by_year), (n_draws, len(by_year)))
    gained, lost = by_year[drawn].sum(axis=1).T
    found["low"], found["high"] = np.quantile(gained / lost, [(1 - level / 100) / 2, (1 + level / 100) / 2])
    found["made_up"] = by_year[:, 0].sum() / by_year[:, 1].sum()
    return found


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
    found = frame.groupby("iso3")[["actual_usd_m", "expected_usd_m"]].mean()
    gap_usd_m, ratio = found["expected_usd_m"] - found["actual_usd_m"], found["actual_usd_m"] / found["expected_usd_m"]
    return fit, found.assign(gap_usd_m=gap_usd_m, ratio=ratio)


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
