"""What stands beside the odds of an export target: what they hang on, an outside growth rate, and their own record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_levels
from kbio_analysis.models.conformal import clopper_pearson, inside
from kbio_analysis.models.export_target import MIN_CASES, Position, latest_windows, odds
from kbio_analysis.models.growth import combine_growth_prior, reference_growth_source


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
    at_base = replace(
        start,
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
    combined = combine_growth_prior(source, growth_pct, [e * per_point for e in errors_points])
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
    ``multiple`` and the intervals. One row a class: n, predicted (mean chance), observed (share that reached it), and
    covered_L (cases inside the L per cent interval of order
    statistics). Classes with fewer than MIN_CASES members at either date are left out.
    """
    levels, rows = check_levels(levels), {}
    for name, panel in classes.items():
        after = latest_windows(panel, years)
        before = latest_windows(panel.iloc[:-years], years) if years else after
        if years == 0 or min(len(after), len(before)) < MIN_CASES:
            continue
        last, past = after[years], before[years]
        others = [past.drop(member, errors="ignore").to_numpy() for member in last.index]
        chance = np.array([(1 + (o >= multiple).sum()) / (len(o) + 1) for o in others])
        hit = (last >= multiple).to_numpy(dtype=float)
        row = {"n": len(last), "predicted": chance.mean(), "observed": hit.mean()}
        for level in levels:
            hits = [inside(o, value, level) for o, value in zip(others, last, strict=True)]
            row[f"covered_{level:g}"] = sum(hits)
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def coverage(past: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """All classes of :func:`hindcast` together: by level the cases covered, n, and the exact 95% range of the share.

    ``too_few``: the range lies below the level; ``too_many``: above it.
    """
    n, rows = int(past["n"].sum()), {}
    for level in sorted(levels):
        covered = int(past[f"covered_{level:g}"].sum())
        low, high = clopper_pearson(covered, n)
        verdict = {"too_few": high < level / 100, "too_many": low > level / 100}
        rows[level] = {"covered": covered, "n": n, "low": low, "high": high} | verdict
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")
