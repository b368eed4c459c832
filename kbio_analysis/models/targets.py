"""From simulated paths to the odds of a target: a range over methods, each with its own simulation error.

Every function takes a :class:`~.forecast.Forecast` (monthly ones are summed to calendar years) or a frame of paths
with rows (method, draw) and annual period columns. Methods count equally, however many draws each has.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import frequency_of
from kbio_analysis.models.forecast import Forecast, annual_totals
from kbio_analysis.models.growth import value_at


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProbability:
    """Probability that the calendar year ``year`` is at or above ``level`` (unit of the paths).

    ``value`` the mean over methods with equal weights (a linear opinion pool), ``low`` and ``high`` the least and
    the greatest of them; ``simulation_error`` the standard error of ``value`` from the finite number of draws;
    ``by_method`` rows methods, columns probability, n_draws, simulation_error.
    """

    value: float
    simulation_error: float
    by_method: pd.DataFrame
    low: float
    high: float
    level: float
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingYear:
    """When the paths first reach ``level``. Years are calendar years.

    ``median`` None if more than half of the pool has not reached it by ``horizon_year``; ``quantiles`` indexed by
    probability (inf where not reached); ``shares`` by year, the share that has reached it by then; and
    ``share_not_reached``. ``by_method`` rows methods: median (inf if not reached), share_not_reached, n_draws.
    """

    median: float | None
    quantiles: pd.Series
    shares: pd.Series
    share_not_reached: float
    by_method: pd.DataFrame
    level: float
    horizon_year: int


def probability(forecast_or_paths: Forecast | pd.DataFrame, level: float, year: int | pd.Period) -> TargetProbability:
    """P(value in ``year`` >= ``level``), by method and pooled.

    Each method counts (1 + draws at or above) / (1 + draws), so that no finite set of draws gives exactly zero
    (for conformal paths this is the conformal p-value). Raises :class:`ModelInputError` for a year without paths.
    """
    paths = _annual_paths(forecast_or_paths)
    if not (math.isfinite(level) and level > 0):
        raise ModelInputError(f"level = {level}: give a value above zero, in the unit of the paths")
    year = int(year.year if isinstance(year, pd.Period) else year)
    values = paths[_column(paths, year)]
    by_method = values.groupby(level="method", sort=False).agg(
        probability=lambda v: (1 + (v >= level).sum()) / (1 + len(v)), n_draws="size"
    )
    p, n = by_method["probability"], by_method["n_draws"]
    by_method["simulation_error"] = np.sqrt(p * (1 - p) / n)
    pooled_error = float(np.sqrt((by_method["simulation_error"] ** 2).sum()) / len(by_method))
    return TargetProbability(
        value=float(p.mean()),
        simulation_error=pooled_error,
        by_method=by_method,
        low=float(p.min()),
        high=float(p.max()),
        level=float(level),
        year=year,
    )


def growth_probability(
    forecast_or_paths: Forecast | pd.DataFrame, growth_pct: float, *, base: float, base_year: int, year: int
) -> TargetProbability:
    """P(growth from ``base`` in ``base_year`` to ``year`` is at least ``growth_pct`` a year)."""
    if year <= base_year:
        raise ModelInputError(f"year {year} is not after base year {base_year}; give a later year")
    return probability(forecast_or_paths, value_at(base, growth_pct, year - base_year), year)


def crossing_year(
    forecast_or_paths: Forecast | pd.DataFrame,
    level: float,
    *,
    probabilities: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9),
) -> CrossingYear:
    """Distribution of the first calendar year at or above ``level`` (twice the base for doubling)."""
    paths = _annual_paths(forecast_or_paths)
    years = paths.columns.year.to_numpy()
    reached = paths.to_numpy() >= level
    first = pd.Series(np.where(reached.any(axis=1), years[reached.argmax(axis=1)], np.inf), index=paths.index)
    groups = first.groupby(level="method", sort=False)
    weight = 1 / (groups.transform("size") * groups.ngroups)
    shares = pd.Series({int(t): float(weight[first <= t].sum()) for t in years}, name="share_reached")
    quantiles = pd.Series({q: _weighted_quantile(shares, q) for q in probabilities}, name="year")
    median = _weighted_quantile(shares, 0.5)
    by_method = groups.agg(
        median=lambda v: float(np.quantile(v, 0.5, method="inverted_cdf")),
        share_not_reached=lambda v: float(np.isinf(v).mean()),
        n_draws="size",
    )
    return CrossingYear(
        median=median if math.isfinite(median) else None,
        quantiles=quantiles,
        shares=shares,
        share_not_reached=float(1 - shares.iloc[-1]),
        by_method=by_method,
        level=float(level),
        horizon_year=int(years[-1]),
    )


def closed_form_probability(
    mean_log: float, sd_log: float, years: float, *, multiple: float = 2.0, arithmetic: bool = False
) -> float:
    """Phi((h mu - log multiple)/(sigma sqrt h)): growth iid normal in logs, mu and sigma known. For orientation only.

    ``mean_log`` and ``sd_log`` in log points a year; with ``arithmetic`` the mean is log of one plus an arithmetic
    mean growth, and sigma^2/2 is taken off.
    """
    if not (sd_log > 0 and years > 0 and multiple > 0):
        raise ModelInputError("sd_log, years and multiple must be above zero")
    mu = mean_log - sd_log**2 / 2 if arithmetic else mean_log
    return float(stats.norm.cdf((years * mu - math.log(multiple)) / (sd_log * math.sqrt(years))))


def _annual_paths(given: Forecast | pd.DataFrame) -> pd.DataFrame:
    if isinstance(given, Forecast):
        if frequency_of(given.paths.columns, given.series) == "annual":
            return given.paths
        return annual_totals(given.observed, given.paths)
    if not isinstance(given, pd.DataFrame) or list(given.index.names) != ["method", "draw"]:
        raise ModelInputError("give a Forecast, or paths with rows (method, draw) and period columns")
    if frequency_of(given.columns, "paths") != "annual":
        raise ModelInputError("monthly paths have no calendar-year value; sum them with forecast.annual_totals first")
    return given


def _column(paths: pd.DataFrame, year: int) -> pd.Period:
    for period in paths.columns:
        if period.year == year:
            return period
    first, last = (paths.columns[0].year, paths.columns[-1].year) if len(paths.columns) else ("none", "none")
    raise ModelInputError(f"no paths for {year}, they run from {first} to {last}; change the year or the horizon")


def _weighted_quantile(shares: pd.Series, q: float) -> float:
    """First year by which at least ``q`` of the pool has crossed; inf if none."""
    # The shift forgives rounding in sums of weights that should be exactly q.
    crossed = shares.index[shares >= q - 1e-12]
    return float(crossed[0]) if len(crossed) else math.inf
