"""Will exports reach a target? The odds read from what comparable exporters did from where Korea stands.

The series behind a headline can be too short to estimate a trend from. What it can give is a position: how far
exports have come since the base year. What may follow is read from reference classes, wide panels of yearly
exports, each under its own definition: every member contributes the growth path of its latest window of the
needed length (one origin a member, because many origins of one series are not many observations).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.conformal import clopper_pearson, order_statistics
from kbio_analysis.models.growth import combine_growth_prior, reference_growth_source, required_growth_pct
from kbio_analysis.models.growth_reference import growth_multiples

MIN_CASES = 8
"""Fewest members a reference class needs to speak for a horizon."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOdds:
    """The odds of a target, by reference class and pooled with equal weights.

    ``by_class``: one row a class that could speak, columns n_cases, median_growth_pct (a year),
    p_target, low, high (Clopper-Pearson 95%), p_doubling, p_segment. ``silent``: class -> why it could not speak.
    ``paths``: MultiIndex (class, member) x calendar year, US$ million. ``bands``: year x (median, lo_L, hi_L),
    quantiles of the equal-weight pool. ``doubling_years``: MultiIndex as ``paths``; inf where never.
    """

    position: Position
    target_usd_m: float
    target_year: int
    required_growth_pct: float | None
    by_class: pd.DataFrame
    silent: Mapping[str, str]
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
    """Move the base value by the growth of ``y`` (indexed by yearly Period, US$ million) since the base year.

    Only consecutive years from the base year on and not after ``until`` count. A series without the base year
    leaves the position at the base.
    """
    by_year = pd.Series(y.to_numpy(dtype=float), index=[p.year for p in y.index])
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

    ``classes`` maps a name to a panel (yearly PeriodIndex x members, US$ million, positive or missing).

    Raises ModelInputError if the target year is not after the base year, or if no class has MIN_CASES members
    observed over the years still to run.
    """
    if target_year <= start.base_year:
        raise ModelInputError(f"target year {target_year}: give a year after the base year {start.base_year}")
    years_left = target_year - start.latest_year
    target = target_multiple * start.base_usd_m
    segment = start.base_usd_m * (1 + segment_growth_pct / 100) ** (target_year - start.base_year)
    spoken, silent = {}, {}
    for name, panel in classes.items():
        growth = _latest_windows(panel, years_left)
        if len(growth) >= MIN_CASES:
            spoken[name] = start.latest_usd_m * growth
        else:
            silent[name] = f"{len(growth)} of {MIN_CASES} members observed over {years_left} years"
    if not spoken:
        raise ModelInputError(
            f"no reference class has {MIN_CASES} members observed over {years_left} years; choose an earlier target "
            "year or a later as_of"
        )
    paths = pd.concat(spoken, names=["class", "member"])
    paths.columns = pd.RangeIndex(start.latest_year + 1, target_year + 1, name="year")
    final = paths[target_year] if years_left else pd.Series(start.latest_usd_m, index=paths.index)
    by_class = _by_class(final, start, years_left, target, segment)
    return ExportOdds(
        position=start,
        target_usd_m=target,
        target_year=target_year,
        required_growth_pct=required_growth_pct(start.latest_usd_m, target, years_left) if years_left else None,
        by_class=by_class,
        silent=silent,
        paths=paths,
        bands=_bands(paths, levels),
        p_target=float(by_class.p_target.mean()),
        p_doubling=float(by_class.p_doubling.mean()),
        p_segment=float(by_class.p_segment.mean()),
        doubling_years=_doubling_years(paths, start),
    )


def drivers(
    start: Position, classes: Mapping[str, pd.DataFrame], goal: Mapping[str, object], nearest_usd_m: float
) -> pd.DataFrame:
    """What the three results hang on: each assumption changed alone, everything else as in :func:`odds`.

    ``goal`` holds the keyword arguments of :func:`odds`; ``nearest_usd_m`` is the published figure nearest to the
    base. One row an assumption, columns p_target, p_segment and doubling_year, each with the suffix _low or _high:
    the least and the greatest over the alternatives (the chosen case among them). An alternative that cannot be
    computed (no class can speak) is left out.
    """
    target_year, multiple = int(goal["target_year"]), float(goal["target_multiple"])
    at_base = Position(
        base_year=start.base_year,
        base_usd_m=start.base_usd_m,
        latest_year=start.base_year,
        latest_usd_m=start.base_usd_m,
        history=start.history.iloc[:1],
        growth_since_base_pct=None,
    )
    scale = nearest_usd_m / start.base_usd_m
    lower = replace(
        start, base_usd_m=nearest_usd_m, latest_usd_m=start.latest_usd_m * scale, history=start.history * scale
    )
    same = (start, classes, goal)
    alternatives = {
        "Reference class": [(start, {name: panel}, goal) for name, panel in classes.items()],
        "Years since the base": [same, (at_base, classes, goal)],
        "Base: nearest published figure, same target": [
            same,
            (lower, classes, {**goal, "target_multiple": multiple / scale}),
        ],
        "Target year, one earlier or later": [
            (start, classes, {**goal, "target_year": year}) for year in (target_year - 1, target_year, target_year + 1)
        ],
        "Windows of each exporter, latest or three years before": [
            same,
            (start, {name: panel.iloc[:-3] for name, panel in classes.items()}, goal),
        ],
    }
    rows = {name: _spread(cases) for name, cases in alternatives.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("assumption")


def _spread(cases: Sequence[tuple[Position, Mapping[str, pd.DataFrame], Mapping[str, object]]]) -> dict[str, float]:
    results = []
    for start, classes, goal in cases:
        try:
            found = odds(start, classes, **goal)
        except ModelInputError:
            continue
        results.append((found.p_target, found.p_segment, found.median_doubling_year))
    low, high = np.min(results, axis=0), np.max(results, axis=0)
    names = ("p_target", "p_segment", "doubling_year")
    return {
        f"{n}_{side}": float(v)
        for n, lo, hi in zip(names, low, high, strict=True)
        for side, v in (("low", lo), ("high", hi))
    }


def prior_odds(
    start: Position,
    panel: pd.DataFrame,
    *,
    growth_pct: float,
    errors_points: Sequence[float],
    target_usd_m: float,
    target_year: int,
) -> pd.DataFrame:
    """Chance of the target when an outside growth rate is weighed against a reference class, by the rate's error.

    The class gives a mean log growth with its spread over members (DerSimonian & Laird 1986); the outside rate enters
    with a standard error of ``errors_points`` percentage points; the two are weighed by precision. The level after h
    years is log-normal with mean h g and variance h s^2 + h^2 v: s the members' median yearly volatility, v the
    variance of the weighed growth. One row an error: weight_rate, growth_pct (a year), sd_points, probability; no row
    if no year is left.

    Raises ModelInputError if fewer than MIN_CASES members have eight yearly steps.
    """
    years_left = target_year - start.latest_year
    if years_left < 1:
        return pd.DataFrame(columns=["weight_rate", "growth_pct", "sd_points", "probability"], dtype=float)
    steps = np.log(panel.where(panel > 0)).diff()
    steps = steps.loc[:, steps.notna().sum() >= MIN_CASES]
    if steps.shape[1] < MIN_CASES:
        raise ModelInputError(
            f"{steps.shape[1]} members with {MIN_CASES} yearly steps; at least {MIN_CASES} are needed"
        )
    source = reference_growth_source(steps.mean().to_numpy(), (steps.var(ddof=1) / steps.notna().sum()).to_numpy())
    volatility = float(steps.std(ddof=1).median())
    per_point = 1 / (100 + growth_pct)
    combined = combine_growth_prior(source, growth_pct, [e * per_point for e in errors_points]).table
    needed = np.log(target_usd_m / start.latest_usd_m)
    sd = np.sqrt(years_left * volatility**2 + (years_left * combined.sd_log) ** 2)
    return pd.DataFrame(
        {
            "weight_rate": combined.weight_external.to_numpy(),
            "growth_pct": combined.growth_pct.to_numpy(),
            "sd_points": (combined.sd_log * (100 + combined.growth_pct)).to_numpy(),
            "probability": stats.norm.sf((needed - years_left * combined.mean_log) / sd),
        },
        index=pd.Index(errors_points, name="error_points"),
    )


def hindcast(
    classes: Mapping[str, pd.DataFrame], *, years: int, multiple: float, levels: Sequence[float]
) -> pd.DataFrame:
    """The rule of :func:`odds` run ``years`` earlier: what it would have said, and what then happened.

    For each member the class's windows that had ended by its origin, its own left out, give the chance of
    ``multiple`` and the intervals. One row a class: n, predicted (mean chance), observed (share that reached it),
    brier (mean squared error of the chance), and covered_L (cases inside the L per cent interval of order
    statistics). Classes with fewer than MIN_CASES members at either date are left out.
    """
    rows = {}
    for name, panel in classes.items():
        after = _latest_windows(panel, years)
        before = _latest_windows(panel.iloc[:-years], years) if years else after
        if years == 0 or min(len(after), len(before)) < MIN_CASES:
            continue
        last, past = after[years], before[years]
        others = [past.drop(member, errors="ignore").to_numpy() for member in last.index]
        chance = np.array([(1 + (o >= multiple).sum()) / (len(o) + 1) for o in others])
        hit = (last >= multiple).to_numpy(dtype=float)
        row = {"n": len(last), "predicted": chance.mean(), "observed": hit.mean()}
        row["brier"] = float(((chance - hit) ** 2).mean())
        for level in levels:
            inside = [_inside(o, value, level) for o, value in zip(others, last, strict=True)]
            row[f"covered_{level:g}"] = int(sum(inside))
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def _inside(sample: np.ndarray, value: float, level: float) -> bool:
    """Whether ``value`` lies in the conformal interval of ``sample``; the whole range where m is too small for it."""
    low, high, _ = order_statistics(len(sample), level)
    ordered = np.sort(sample)
    return bool(ordered[low - 1] <= value <= ordered[high - 1])


def weighted_quantile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    """The smallest value at which the weighted share of values at or below it reaches ``level``."""
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(shares, level - 1e-12)])


def _latest_windows(panel: pd.DataFrame, years: int) -> pd.DataFrame:
    """Growth multiples of each member's latest window; with no year left every member stands where it is."""
    if years == 0:
        return pd.DataFrame(index=panel.columns)
    try:
        return growth_multiples(panel, years, min_value=MIN_ORIGIN_USD_M).paths
    except ModelInputError:
        return pd.DataFrame(columns=range(1, years + 1), dtype=float)


def _weights(cases: pd.Series | pd.DataFrame) -> np.ndarray:
    """Weights that give every class the same total."""
    sizes = cases.groupby(level="class").transform("size") if isinstance(cases, pd.Series) else None
    if sizes is None:
        sizes = cases.iloc[:, 0].groupby(level="class").transform("size")
    return 1.0 / sizes.to_numpy(dtype=float)


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
