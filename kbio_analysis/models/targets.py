"""From simulated paths to the odds of a target: a range over methods, each with its own simulation error.

Every function takes a :class:`~.forecast.Forecast` (monthly ones are summed to calendar years) or a frame of paths
with rows (method, draw) and annual period columns. Methods count equally, however many draws each has.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import frequency_of
from kbio_analysis.models.forecast import Forecast, annual_totals


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
