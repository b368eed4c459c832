"""One treated unit against a weighted average of untreated ones, and the checks without which it is not shown.

Methods are those of :mod:`.synthetic_weights`. Every check returns one :class:`CheckResult`. A permutation p counts
the treated unit itself, so it is never zero, and the smallest value it can take is stated beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_names
from kbio_analysis.models.synthetic_weights import METHODS, Fits, fit_targets

MIN_PRE = 4
"""Fewest periods before treatment."""

MIN_DONORS = 5
"""Fewest donors: with fewer the smallest attainable p exceeds one sixth."""

POOR_FIT_MULTIPLE = 5.0
"""Placebos whose pre-period error exceeds the treated unit's by this factor are dropped (Abadie et al. 2010)."""

EXACT_FIT = 1e-9
"""A pre-period error at or below this is a perfect match, by more donors than periods: its size means nothing."""

METHOD_NAMES = {
    "simplex": "simplex synthetic control",
    "demeaned": "demeaned synthetic control",
    "ridge": "ridge-augmented synthetic control",
    "sdid": "synthetic difference in differences",
    "did": "plain difference in differences",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticControlFit:
    """A fit; values in the unit of ``outcomes`` (log points for log outcomes).

    ``outcomes`` period x unit, treated column and donors only; ``start`` first treated period; ``weights`` by donor
    (ridge weights may be negative); ``counterfactual`` and ``gap`` (observed less counterfactual) by period;
    ``effect`` mean gap from ``start`` on; ``pre_rmspe`` and ``post_rmspe`` root mean square gaps before and after;
    ``penalty`` of the ridge, else None.
    """

    outcomes: pd.DataFrame
    treated: str
    start: pd.Period
    method: str
    weights: pd.Series
    counterfactual: pd.Series
    gap: pd.Series
    effect: float
    pre_rmspe: float
    post_rmspe: float
    penalty: float | None

    @property
    def donors(self) -> tuple[str, ...]:
        return tuple(self.weights.index)

    @property
    def n_pre(self) -> int:
        return int((self.outcomes.index < self.start).sum())

    @property
    def ratio(self) -> float:
        """Post- over pre-period root mean square gap; infinite when the pre-period is matched exactly."""
        return _ratio(self.pre_rmspe, self.post_rmspe)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check of a fit.

    ``table`` one row a case; ``statistic`` what the check compares (see the function); ``low`` and ``high`` a range
    of effects where the check gives one; ``p_value`` and the smallest value ``p_floor`` it could have taken, both
    None where the check is no test; ``dropped`` cases left out -> why; ``paths`` gaps by period of each case, for
    the placebos in space alone.
    """

    check: str
    table: pd.DataFrame
    statistic: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_floor: float | None = None
    dropped: dict[str, str]
    paths: pd.DataFrame | None = None


def fit(
    outcomes: pd.DataFrame,
    treated: str,
    start: str | int | pd.Period,
    *,
    donors: Iterable[str] | None = None,
    method: str = "demeaned",
) -> SyntheticControlFit:
    """Fit ``treated`` from ``start`` on with ``donors`` (default: every other column), periods in rows.

    Raises ModelInputError for an unknown method or unit, missing values, fewer than MIN_PRE periods before or one
    after ``start``, or fewer than MIN_DONORS donors.
    """
    (method,) = check_names(method, {m: METHOD_NAMES[m] for m in METHODS})
    panel = _panel(outcomes, treated, donors)
    first = pd.Period(str(start), freq=panel.index.freq)
    n_pre = int((panel.index < first).sum())
    if n_pre < MIN_PRE or n_pre == len(panel):
        raise ModelInputError(
            f"{treated}: periods before {first}: {n_pre} (at least {MIN_PRE} needed), from it on: {len(panel) - n_pre} "
            "(at least 1); choose a longer window or another start"
        )
    return _result(panel, first, method, fit_targets(panel.to_numpy(), np.array([0]), n_pre, method), 0)


def placebo_in_space(result: SyntheticControlFit) -> CheckResult:
    """Give every donor the treatment and rank the treated unit's post/pre ratio: p = (1 + #{r_j >= r_1})/(J + 1).

    The treated unit joins the others' donors, as in Abadie, Diamond & Hainmueller (2010), so all are fitted alike.
    ``table``: one row a unit with effect, pre_rmspe, ratio; ``statistic`` the treated unit's ratio; ``dropped`` units
    whose pre-period error exceeds POOR_FIT_MULTIPLE times the treated unit's.
    """
    panel, n_pre = result.outcomes, result.n_pre
    y = panel.to_numpy()
    fits = fit_targets(y, np.arange(1, y.shape[1]), n_pre, result.method)
    gaps = y[:, 1:] - fits.counterfactual
    table = pd.DataFrame(
        {"effect": gaps[n_pre:].mean(axis=0), "pre_rmspe": _rms(gaps[:n_pre]), "post_rmspe": _rms(gaps[n_pre:])},
        index=pd.Index(panel.columns[1:], name="unit"),
    )
    table["ratio"] = [_ratio(a, b) for a, b in zip(table.pre_rmspe, table.post_rmspe, strict=True)]
    poor = table.pre_rmspe > POOR_FIT_MULTIPLE * result.pre_rmspe if result.pre_rmspe > EXACT_FIT else table.ratio < 0
    why = f"pre-period error above {POOR_FIT_MULTIPLE:g} times the treated unit's"
    kept = table[~poor]
    return CheckResult(
        check="placebo in space",
        table=kept,
        statistic=result.ratio,
        p_value=(1 + int((kept.ratio >= result.ratio).sum())) / (len(kept) + 1),
        p_floor=1 / (len(kept) + 1),
        dropped={str(unit): why for unit in poor[poor].index},
        paths=pd.DataFrame(gaps, index=panel.index, columns=table.index)[kept.index],
    )


def placebo_in_time(result: SyntheticControlFit, starts: Sequence[str | int | pd.Period]) -> CheckResult:
    """Pretend the treatment came earlier, with the true post-period cut off: there should be nothing to see.

    ``table``: one row a start with effect, pre_rmspe and the in-space p at that date; ``statistic`` the largest
    absolute effect; starts with too few periods before them are ``dropped``.
    """
    rows, dropped = {}, {}
    before = result.outcomes[result.outcomes.index < result.start]
    for start in starts:
        try:
            fake = fit(before, result.treated, start, method=result.method)
        except ModelInputError as refusal:
            dropped[str(start)] = str(refusal)
            continue
        rows[str(start)] = (fake.effect, fake.pre_rmspe, placebo_in_space(fake).p_value)
    columns = ["effect", "pre_rmspe", "p_value"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("start")
    largest = float(table.effect.abs().max()) if rows else float("nan")
    return CheckResult(check="placebo in time", table=table, statistic=largest, dropped=dropped)


def leave_one_out(result: SyntheticControlFit) -> CheckResult:
    """Drop every donor in turn: ``table`` donor -> weight and effect without it; ``low`` to ``high`` their range."""
    y, n = result.outcomes.to_numpy(), result.outcomes.shape[1]
    effects = {}
    for j in range(1, n if n - 2 >= MIN_DONORS else 1):
        fits = fit_targets(y, np.array([0]), result.n_pre, result.method, pool=np.delete(np.arange(n), j))
        effects[result.outcomes.columns[j]] = float((y[:, 0] - fits.counterfactual[:, 0])[result.n_pre :].mean())
    table = pd.DataFrame({"weight": result.weights, "effect": pd.Series(effects, dtype=float)}).dropna()
    if table.empty:
        return CheckResult(check="leave one donor out", table=table, statistic=float("nan"), dropped={})
    low, high = float(table.effect.min()), float(table.effect.max())
    return CheckResult(check="leave one donor out", table=table, statistic=high - low, low=low, high=high, dropped={})


def conformal(result: SyntheticControlFit, alpha: float = 0.1, *, reach: float = 3.0, n_grid: int = 121) -> CheckResult:
    """Sharp null of a constant effect tau0 (Chernozhukov, Wuthrich & Zhu 2021, eq. 3 with q = 1, cyclic shifts).

    tau0 is taken off the treated periods, the weights are refitted on all periods, and p is the share of cyclic
    shifts of the residuals whose post-period block is at least as large (floor 1/T). ``p_value`` is for tau0 = 0;
    ``low`` to ``high`` spans the tau0 with p > alpha on a grid of ``n_grid`` points within ``reach`` of the effect,
    both None if the span meets the grid's edge or is empty; ``n_grid`` 0 asks for the p alone. ``table``: tau0,
    p_value.
    """
    panel, n_pre = result.outcomes, result.n_pre
    y, total = panel.to_numpy(), len(panel)
    grid = np.unique(np.append(np.linspace(result.effect - reach, result.effect + reach, n_grid), 0.0))
    p_values = []
    for tau in grid:
        null = y.copy()
        null[n_pre:, 0] -= tau
        fits = fit_targets(null, np.array([0]), total, result.method, n_post=total - n_pre)
        size = np.abs(null[:, 0] - fits.counterfactual[:, 0])
        blocks = np.array([np.roll(size, shift)[n_pre:].sum() for shift in range(total)])
        p_values.append((blocks >= blocks[0] * (1 - 1e-12)).mean())
    table = pd.DataFrame({"tau0": grid, "p_value": p_values})
    accepted = table[table.p_value > alpha].tau0
    inside = n_grid > 0 and not accepted.empty and accepted.min() > grid[0] and accepted.max() < grid[-1]
    return CheckResult(
        check="conformal",
        table=table,
        statistic=result.effect,
        low=float(accepted.min()) if inside else None,
        high=float(accepted.max()) if inside else None,
        p_value=float(table.set_index("tau0").p_value[0.0]),
        p_floor=1 / total,
        dropped={},
    )


def _panel(outcomes: pd.DataFrame, treated: str, donors: Iterable[str] | None) -> pd.DataFrame:
    """Treated column first, then the donors; complete, on periods."""
    if not isinstance(outcomes.index, pd.PeriodIndex):
        raise ModelInputError(f"outcomes: the index is {type(outcomes.index).__name__}; use a PeriodIndex")
    chosen = [c for c in outcomes.columns if c != treated] if donors is None else list(dict.fromkeys(donors))
    unknown = [u for u in [treated, *chosen] if u not in outcomes.columns]
    if unknown or treated in chosen:
        raise ModelInputError(f"units not in the panel, or treated and donor at once: {', '.join(unknown) or treated}")
    if len(chosen) < MIN_DONORS:
        raise ModelInputError(
            f"{treated}: {len(chosen)} donors, at least {MIN_DONORS} are needed; widen the donor rule"
        )
    panel = outcomes[[treated, *chosen]].astype(float).sort_index()
    holes = panel.columns[~np.isfinite(panel.to_numpy()).all(axis=0)]
    if len(holes):
        raise ModelInputError(f"missing or infinite outcomes for {', '.join(map(str, holes[:5]))}; drop them first")
    return panel


def _result(panel: pd.DataFrame, start: pd.Period, method: str, fits: Fits, k: int) -> SyntheticControlFit:
    counterfactual = pd.Series(fits.counterfactual[:, k], index=panel.index, name="counterfactual")
    gap = (panel.iloc[:, k] - counterfactual).rename("gap")
    after = panel.index >= start
    return SyntheticControlFit(
        outcomes=panel,
        treated=str(panel.columns[k]),
        start=start,
        method=method,
        weights=pd.Series(fits.weights[1:, k], index=panel.columns[1:], name="weight"),
        counterfactual=counterfactual,
        gap=gap,
        effect=float(gap[after].mean()),
        pre_rmspe=float(_rms(gap[~after].to_numpy())),
        post_rmspe=float(_rms(gap[after].to_numpy())),
        penalty=None if fits.penalties is None else float(fits.penalties[k]),
    )


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt((values**2).mean(axis=0))


def _ratio(pre: float, post: float) -> float:
    return post / pre if pre > EXACT_FIT else float("inf")
