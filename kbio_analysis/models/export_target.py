"""Will exports reach a target? The odds read from what comparable exporters did from where Korea stands.

The series behind a headline can be too short to estimate a trend from. What it can give is a position: how far
exports have come since the base year. What may follow is read from reference classes, wide panels of yearly
exports, each under its own definition: every member contributes the growth path of its latest window of the
needed length (one origin a member, because many origins of one series are not many observations).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_levels, typed, whole_years, years_index
from kbio_analysis.models.conformal import clopper_pearson
from kbio_analysis.models.growth import required_growth_pct
from kbio_analysis.models.growth_reference import growth_multiples

MIN_CASES = 8
"""Fewest members a reference class needs for a horizon."""

MIN_ORIGIN_USD_M = 50.0
"""A member's window must start at or above this level: tiny flows multiply by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where exports stand against the base. Values in US$ million on the base's scale, growth in per cent.

    ``history`` is indexed by year from the base year to ``latest_year``: the base value moved by the series'
    growth since the base year. ``growth_since_base_pct`` is None when the series holds no later year.
    """

    base_year: int
    base_usd_m: float
    latest_year: int
    latest_usd_m: float
    history: pd.Series
    growth_since_base_pct: float | None

    @property
    def pace_pct(self) -> float | None:
        """Growth a year from the base year to ``latest_year``; None when the series holds no later year."""
        years = self.latest_year - self.base_year
        return required_growth_pct(self.base_usd_m, self.latest_usd_m, years) if years else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOdds:
    """The odds of a target, by reference class and pooled with equal weights.

    ``by_class``: one row a class with enough cases, columns n_cases, median_growth_pct (a year),
    p_target, low, high (Clopper-Pearson 95%), p_doubling, p_segment. ``left_out``: class -> its cases where
    they are fewer than MIN_CASES.
    ``paths``: MultiIndex (class, member) x calendar year, US$ million. ``bands``: year x (median, lo_L, hi_L),
    quantiles of the equal-weight pool. ``doubling_years``: MultiIndex as ``paths``; inf where never.
    """

    position: Position
    target_usd_m: float
    target_year: int
    required_growth_pct: float | None
    by_class: pd.DataFrame
    left_out: Mapping[str, int]
    paths: pd.DataFrame
    bands: pd.DataFrame
    p_target: float
    p_doubling: float
    p_segment: float
    doubling_years: pd.Series

    @property
    def median_doubling_year(self) -> float:
        """Median year of doubling in the equal-weight pool; inf when most members never double."""
        return weighted_quantile(self.doubling_years.to_numpy(), _weights(self.doubling_years), 0.5)


def position(y: pd.Series, *, base_year: int, base_usd_m: float, until: int) -> Position:
    """Move the base value by the growth of ``y`` (indexed by year, US$ million) since the base year.

    Only consecutive years from the base year on and not after ``until`` count. A series without the base year
    leaves the position at the base.
    """
    by_year = whole_years(y, "y").astype(float)
    years = [base_year]
    if base_year in by_year.index:
        while years[-1] + 1 in by_year.index and years[-1] < until:
            years.append(years[-1] + 1)
    scale = [base_usd_m * by_year[t] / by_year[base_year] for t in years[1:]]
    history = pd.Series([base_usd_m, *scale], index=pd.Index(years, name="year"), name="exports_usd_m")
    growth = None if len(years) == 1 else 100 * (history.iloc[-1] / base_usd_m - 1)
    return Position(
        base_year=base_year,
        base_usd_m=base_usd_m,
        latest_year=years[-1],
        latest_usd_m=float(history.iloc[-1]),
        history=history,
        growth_since_base_pct=growth,
    )


@typed
def odds(
    start: Position,
    classes: Mapping[str, pd.DataFrame],
    *,
    target_multiple: float,
    target_year: int,
    segment_growth_pct: float,
    levels: Sequence[int],
) -> ExportOdds:
    """Odds that exports reach ``target_multiple`` times the base by ``target_year``.

    ``classes`` maps a name to a panel (years x members, US$ million, positive or missing).

    Raises ModelInputError if the target year is not after the base year, or if no class has MIN_CASES members
    observed over the years still to run.
    """
    levels = check_levels(levels)
    if target_year <= start.base_year:
        raise ModelInputError(f"target year {target_year}: give a year after the base year {start.base_year}")
    years_left = target_year - start.latest_year
    target = target_multiple * start.base_usd_m
    segment = start.base_usd_m * (1 + segment_growth_pct / 100) ** (target_year - start.base_year)
    enough, left_out = {}, {}
    for name, panel in classes.items():
        growth = latest_windows(panel, years_left)
        if len(growth) >= MIN_CASES:
            enough[name] = start.latest_usd_m * growth
        else:
            left_out[name] = len(growth)
    if not enough:
        raise ModelInputError(
            f"no reference class has {MIN_CASES} members observed over {years_left} years; choose an earlier target "
            "year or a later as_of"
        )
    paths = pd.concat(enough, names=["class", "member"])
    paths.columns = pd.RangeIndex(start.latest_year + 1, target_year + 1, name="year")
    final = paths[target_year] if years_left else pd.Series(start.latest_usd_m, index=paths.index)
    by_class = _by_class(final, start, years_left, target, segment)
    return ExportOdds(
        position=start,
        target_usd_m=target,
        target_year=target_year,
        required_growth_pct=required_growth_pct(start.latest_usd_m, target, years_left) if years_left else None,
        by_class=by_class,
        left_out=left_out,
        paths=paths,
        bands=_bands(paths, levels),
        p_target=float(by_class.p_target.mean()),
        p_doubling=float(by_class.p_doubling.mean()),
        p_segment=float(by_class.p_segment.mean()),
        doubling_years=_doubling_years(paths, start),
    )


def weighted_quantile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    """The smallest value at which the weighted share of values at or below it reaches ``level``."""
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(shares, level - 1e-12)])


def latest_windows(panel: pd.DataFrame, years: int) -> pd.DataFrame:
    """Growth multiples of each member's latest window; with no year left every member stands where it is."""
    panel = years_index(panel, "reference class")
    if years == 0:
        return pd.DataFrame(index=panel.columns)
    try:
        return growth_multiples(panel, years, min_value=MIN_ORIGIN_USD_M)
    except ModelInputError:
        return pd.DataFrame(columns=range(1, years + 1), dtype=float)


def _weights(cases: pd.Series | pd.DataFrame) -> np.ndarray:
    """Weights that give every class the same total."""
    names = cases.index.get_level_values("class")
    return 1.0 / names.map(names.value_counts()).to_numpy(dtype=float)


def _by_class(final: pd.Series, start: Position, years_left: int, target: float, segment: float) -> pd.DataFrame:
    """One row a class: cases, typical growth, and the share of cases at or above each level.

    A share is counted as (1 + hits) / (m + 1), the conformal rule, so that few cases never give certainty; with no
    year left the outcome is known and the share is 0 or 1.
    """
    rows = {}
    for name, values in final.groupby(level="class", sort=False):
        hits, m = int((values >= target).sum()), len(values)
        low, high = clopper_pearson(hits, m) if years_left else (float(hits > 0),) * 2
        median = float(values.median()) / start.latest_usd_m
        rows[name] = {
            "n_cases": m,
            "median_growth_pct": 100 * (median ** (1 / years_left) - 1) if years_left else 0.0,
            "p_target": _share(values, target, years_left),
            "low": low,
            "high": high,
            "p_doubling": _share(values, 2 * start.base_usd_m, years_left),
            "p_segment": _share(values, segment, years_left),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def _share(values: pd.Series, level: float, years_left: int) -> float:
    hits = float((values >= level).sum())
    return (1 + hits) / (len(values) + 1) if years_left else float(hits > 0)


def _bands(paths: pd.DataFrame, levels: Sequence[int]) -> pd.DataFrame:
    """Median and interval bounds of the equal-weight pool for every year ahead."""
    weights = _weights(paths) if paths.shape[1] else np.empty(0)
    rows = {}
    for year, values in paths.items():
        row = {"median": weighted_quantile(values.to_numpy(), weights, 0.5)}
        for level in sorted(levels):
            tail = (1 - level / 100) / 2
            row[f"lo_{level}"] = weighted_quantile(values.to_numpy(), weights, tail)
            row[f"hi_{level}"] = weighted_quantile(values.to_numpy(), weights, 1 - tail)
        rows[year] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")


def _doubling_years(paths: pd.DataFrame, start: Position) -> pd.Series:
    """The (fractional) year in which each path first doubles the base.

    Within the paths' years by log-linear interpolation; beyond them each path's own average growth is continued,
    and a path that has not grown never doubles.
    """
    goal = np.log(2 * start.base_usd_m)
    known = np.log(start.history.to_numpy())
    ahead = np.log(paths.to_numpy(dtype=float))
    years = np.arange(start.base_year, start.latest_year + paths.shape[1] + 1)
    logs = np.hstack([np.tile(known, (len(paths), 1)), ahead])
    return pd.Series([_first_crossing(row, years, goal) for row in logs], index=paths.index, name="doubling_year")


def _first_crossing(logs: np.ndarray, years: np.ndarray, goal: float) -> float:
    above = np.flatnonzero(logs >= goal)
    if above.size and above[0] > 0:
        i = above[0]
        return float(years[i] - (logs[i] - goal) / (logs[i] - logs[i - 1]))
    pace = (logs[-1] - logs[0]) / (years[-1] - years[0]) if len(years) > 1 else 0.0
    return float(years[-1] + (goal - logs[-1]) / pace) if pace > 0 else float("inf")
