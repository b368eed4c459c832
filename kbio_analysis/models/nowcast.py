"""A nowcast of the year under way: what the months known so far say of the whole year's growth, and how wrongly.

Every monthly series gives the growth of its months so far over the same months a year before. Three errors stand
between that and the annual figure, each measured on the past, as variances of log growth:

- the rest of the year, s2 (1/n - 1/12) after n months: what the mean of n of twelve months misses of all twelve when
  months scatter independently around the year, s2 being fitted to every series and year held;
- the gap between the series' growth and the annual definition's, where both are known; a series with few such years
  borrows from all;
- the revision of first counts.

Series are weighed by the inverse of the sum. Their errors are taken to move together, so that adding a series never
narrows the range below the best one's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import whole_years
from kbio_analysis.models.growth_predictive import Predictive

BORROWED_YEARS = 2
"""Years of all series' gaps that are added to a series' own gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowcast:
    """The year under way.

    ``year``; ``start`` the last annual value; ``ahead`` the law of log growth over it. ``by_series``, a row a series:
    n_months, through (last month), growth_pct so far, usd_m it gives by itself, sd_rest, sd_gap, sd_revision and sd
    (log points), gaps (the annual growth of past years less its own, log points), n_gaps, weight.
    """

    year: int
    start: float
    ahead: Predictive
    by_series: pd.DataFrame

    @property
    def value(self) -> float:
        """The median, in the annual definition's unit."""
        return self.start * float(np.exp(self.ahead.centre))

    @property
    def growth_pct(self) -> float:
        return 100 * float(np.expm1(self.ahead.centre))

    def interval(self, level: float) -> tuple[float, float]:
        """The central interval of ``level`` per cent, in the annual definition's unit."""
        low, high = self.ahead.interval(level)
        return self.start * float(np.exp(low)), self.start * float(np.exp(high))


def nowcast(
    monthly: Mapping[str, pd.Series],
    annual: pd.Series,
    *,
    year: int | None = None,
    start: float | None = None,
    months: int = 12,
    revision_sd: Mapping[str, float] | None = None,
) -> Nowcast | None:
    """The year after the last one of ``annual``, from monthly series (PeriodIndex M, gaps allowed).

    ``annual``: yearly values of one definition. ``revision_sd``: log points by which a series' counts are revised, zero
    where it is not named. A past ``year`` is nowcast from its first ``months`` months as if it were not known: nothing
    of it enters the errors that are measured. ``start`` stands for the year before where that is not known or on
    another scale.

    None if no month of the year is known, if no series holds two whole years from which the error of its months could
    be measured, or if no such year is known by the annual definition too. Raises ModelInputError if the year before is
    not known and no ``start`` given.
    """
    values = whole_years(annual, "annual").astype(float).dropna()
    year = year if year is not None else int(values.index.max()) + 1 if len(values) else 0
    if start is None and year - 1 not in values.index:
        raise ModelInputError(f"the annual definition has no value for {year - 1}, from which {year} could be counted")
    start, values = float(values[year - 1]) if start is None else start, values.drop(year, errors="ignore")
    grids = {name: _grid(series) for name, series in monthly.items()}
    grown = {name: found for name, grid in grids.items() if (found := _so_far(grid, year, months))}
    full = {name: [y for y in g if np.isfinite(g[y]).all() and y != year] for name, g in grids.items()}
    whole = {(n, y): _so_far(grids[n], y, 12)[1] for n, years in full.items() for y in sorted(years) if y - 1 in years}
    gaps = {name: [] for name in grids}
    for name, y in whole:
        if {y - 1, y} <= {*values.index}:
            gaps[name].append(float(np.log(values[y] / values[y - 1])) - whole[name, y])
    every = [gap for found in gaps.values() for gap in found]
    if not grown or not every:
        return None
    missed = [(n, growth - _so_far(grids[name], y, n)[1]) for n in range(1, 12) for (name, y), growth in whole.items()]
    s2_month, pooled = np.mean([e**2 / (1 / n - 1 / 12) for n, e in missed]), float(np.mean(np.square(every)))
    rows = {}
    for name, (n, growth) in grown.items():
        # A series without a year of its own borrows; one with years of its own is pulled towards all of them.
        s2_gap = (sum(g**2 for g in gaps[name]) + BORROWED_YEARS * pooled) / (len(gaps[name]) + BORROWED_YEARS)
        parts = {"sd_rest": np.sqrt(s2_month * (1 / n - 1 / 12)), "sd_gap": np.sqrt(s2_gap)}
        parts["sd_revision"] = (revision_sd or {}).get(name, 0.0)
        rows[name] = {"n_months": n, "through": f"{year}-{n:02d}", "growth_pct": 100 * float(np.expm1(growth)), **parts}
        rows[name] |= {"sd": float(np.sqrt(sum(v**2 for v in parts.values()))), "gaps": gaps[name]}
    table = pd.DataFrame.from_dict(rows, orient="index")
    weight = table["sd"] ** -2 / (table["sd"] ** -2).sum()
    centre = float((weight * np.log1p(table["growth_pct"] / 100)).sum())
    ahead = Predictive(centre=centre, sd=float((weight * table["sd"]).sum()))
    table = table.assign(usd_m=start * (1 + table["growth_pct"] / 100), n_gaps=table["gaps"].map(len), weight=weight)
    return Nowcast(year=year, start=start, ahead=ahead, by_series=table)


def hindcast(monthly: Mapping[str, pd.Series], annual: pd.Series, *, months: int) -> pd.DataFrame:
    """Every past year nowcast with ``months`` months known, itself left out of the errors that are measured.

    A row a year: year, nowcast, actual, error (log points), in_80, in_95. Years without the months are left out.
    """
    values, rows = whole_years(annual, "annual").astype(float).dropna(), []
    for year in values.index[values.index.isin(values.index + 1)]:
        found = nowcast(monthly, values, year=year, months=months)
        if found is not None:
            within = {f"in_{k}": found.interval(k)[0] <= values[year] <= found.interval(k)[1] for k in (80, 95)}
            error = float(np.log(values[year] / found.value))
            rows.append({"year": year, "nowcast": found.value, "actual": values[year], "error": error} | within)
    return pd.DataFrame(rows)


def _grid(series: pd.Series) -> dict[int, np.ndarray]:
    """Year -> its twelve months, NaN where nothing positive is known."""
    grid: dict[int, np.ndarray] = {}
    for period, value in series.dropna().items():
        if value > 0:
            grid.setdefault(period.year, np.full(12, np.nan))[period.month - 1] = value
    return grid


def _so_far(grid: Mapping[int, np.ndarray], year: int, months: int) -> tuple[int, float] | None:
    """How many months from January on are known in this year and the one before, and their log growth."""
    if year not in grid or year - 1 not in grid:
        return None
    both = np.isfinite(grid[year]) & np.isfinite(grid[year - 1])
    n = min(months, 12 if both.all() else int(both.argmin()))
    return (n, float(np.log(grid[year][:n].sum() / grid[year - 1][:n].sum()))) if n else None
