"""One treated unit against a weighted average of untreated ones, and the checks without which it is not shown.

* simplex: min ||y1 - Y0 w||^2 over the simplex (Abadie, Diamond & Hainmueller 2010, outcomes only);
* demeaned: the same after unit pre-means are removed (Doudchenko & Imbens 2016; Ferman & Pinto 2021);
* ridge: simplex weights augmented by a ridge regression (Ben-Michael, Feller & Rothstein 2021, eq. 8 and 9);
* sdid: ridge-penalised unit weights and time weights, both with intercept (Arkhangelsky et al. 2021, algorithm 1);
* did: equal weights and an intercept, the plain difference in differences.

Every check returns one :class:`CheckResult`. A permutation p counts the treated unit itself, so it is never zero, and
the smallest value it can take is stated beside it.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_names, moment, typed, whole, years_index

MIN_PRE = 4
"""Fewest periods before treatment."""

MIN_DONORS = 5
"""Fewest donors: with fewer the smallest attainable p exceeds one sixth."""

POOR_FIT_MULTIPLE = 5.0
"""Placebos whose pre-period error exceeds the treated unit's by this factor are dropped (Abadie et al. 2010)."""

EXACT_FIT = 1e-9
"""A pre-period error at or below this is a perfect match."""

ALIKE = 1e-6
"""Donors that differ from each other by less than this part of their distance to the treated unit are all alike."""

METHODS = {
    "simplex": "Synthetic control, simplex",
    "demeaned": "Synthetic control, demeaned",
    "ridge": "Synthetic control, ridge-augmented",
    "sdid": "Synthetic difference in differences",
    "did": "Plain difference in differences",
}
"""Estimators by name, with how readers see them."""

PENALTY_GRID = 1e-8 ** (np.arange(21) / 20)
"""Ridge penalties tried, as multiples of the largest squared singular value of the donors' pre-period outcomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticControlFit:
    """A fit; values in the unit of ``outcomes`` (log points for log outcomes).

    ``outcomes`` period x unit, the treated one first, then its donors; ``start`` first treated period; ``weights`` by
    donor (ridge weights may be negative); ``counterfactual`` and ``gap`` (observed less counterfactual) by period.
    """

    outcomes: pd.DataFrame
    start: object
    method: str
    weights: pd.Series
    counterfactual: pd.Series
    gap: pd.Series

    @property
    def n_pre(self) -> int:
        return int((self.outcomes.index < self.start).sum())

    @property
    def after(self) -> pd.Series:
        """The gap from ``start`` on."""
        return self.gap[self.gap.index >= self.start]

    @property
    def effect(self) -> float:
        """Mean gap from ``start`` on."""
        return float(self.after.mean())

    @property
    def pre_rmspe(self) -> float:
        """Root mean square gap before ``start``."""
        return float(_rms(self.gap.to_numpy()[: self.n_pre]))

    @property
    def exact(self) -> bool:
        """Whether the pre-period is matched exactly, as more donors than periods can do by chance: it says nothing."""
        return self.pre_rmspe <= EXACT_FIT

    @property
    def ratio(self) -> float:
        """Post- over pre-period root mean square gap; infinite when the pre-period is matched exactly."""
        return float(_ratios(self.pre_rmspe, _rms(self.after.to_numpy())))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check of a fit.

    ``table`` one row a case; ``statistic`` what the check compares, ``low`` and ``high`` a range of effects, where it
    has them (see the function); ``p_value`` and the smallest value ``p_floor`` it could have taken, both None where the
    check is no test; ``extreme`` placebos that show at least as much as the treated unit; ``dropped`` what was left
    out -> why; ``paths`` gaps by period of each case, for the placebos in space alone.
    """

    table: pd.DataFrame
    statistic: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_floor: float | None = None
    extreme: int | None = None
    dropped: dict[str, str] = field(default_factory=dict)
    paths: pd.DataFrame | None = None


def fit(outcomes: pd.DataFrame, treated: Hashable, start: object, *, method: str = "demeaned") -> SyntheticControlFit:
    """Fit ``treated`` from ``start`` on; every other column is a donor.

    Rows are years, periods or dates. Raises ModelInputError for an unknown method or unit, missing values, fewer than
    MIN_PRE periods before or one after ``start``, or fewer than MIN_DONORS donors.
    """
    check_names(method, METHODS)
    panel = _panel(outcomes, treated)
    first = moment(panel.index, start)
    n_pre = int((panel.index < first).sum())
    if n_pre < MIN_PRE or n_pre == len(panel):
        raise ModelInputError(
            f"{treated}: {n_pre} periods before {first} (at least {MIN_PRE} needed), {len(panel) - n_pre} from it on "
            "(at least 1); choose a longer window or another start"
        )
    weights, paths = fit_targets(panel.to_numpy(), [0], n_pre, method)
    counterfactual = pd.Series(paths[:, 0], index=panel.index, name="counterfactual")
    return SyntheticControlFit(
        outcomes=panel,
        start=first,
        method=method,
        weights=pd.Series(weights[1:, 0], index=panel.columns[1:], name="weight"),
        counterfactual=counterfactual,
        gap=(panel.iloc[:, 0] - counterfactual).rename("gap"),
    )


@typed
def placebo_in_space(result: SyntheticControlFit) -> CheckResult:
    """Give every donor the treatment and rank the treated unit's post/pre ratio: p = (1 + #{r_j >= r_1})/(J + 1).

    The treated unit joins the others' donors, as in Abadie, Diamond & Hainmueller (2010), so all are fitted alike.
    ``table``: one row a unit with effect, pre_rmspe, ratio; ``dropped`` units whose pre-period error exceeds
    POOR_FIT_MULTIPLE times the treated unit's.
    """
    panel, n_pre = result.outcomes, result.n_pre
    y = panel.to_numpy()
    gaps = y[:, 1:] - fit_targets(y, range(1, y.shape[1]), n_pre, result.method)[1]
    pre, post = _rms(gaps[:n_pre]), _rms(gaps[n_pre:])
    table = pd.DataFrame(
        {"effect": gaps[n_pre:].mean(axis=0), "pre_rmspe": pre, "ratio": _ratios(pre, post)},
        index=pd.Index(panel.columns[1:], name="unit"),
    )
    poor = pre > POOR_FIT_MULTIPLE * result.pre_rmspe if result.pre_rmspe > EXACT_FIT else pre < 0
    why = f"pre-period error above {POOR_FIT_MULTIPLE:g} times the treated unit's"
    kept = table[~poor]
    return CheckResult(
        table=kept,
        p_value=(1 + int((kept.ratio >= result.ratio).sum())) / (len(kept) + 1),
        p_floor=1 / (len(kept) + 1),
        dropped={str(unit): why for unit in table.index[poor]},
        paths=pd.DataFrame(gaps[:, ~poor], index=panel.index, columns=kept.index),
    )


@typed
def placebo_in_time(result: SyntheticControlFit, starts: Sequence[object]) -> CheckResult:
    """Pretend the treatment came earlier, with the true post-period cut off: there should be nothing to see.

    ``table``: one row a start with effect and pre_rmspe; ``statistic`` the largest absolute effect; starts with too
    few periods before them are ``dropped``.
    """
    rows, dropped = {}, {}
    before = result.outcomes[result.outcomes.index < result.start]
    for start in starts:
        try:
            fake = fit(before, before.columns[0], start, method=result.method)
            rows[start] = (fake.effect, fake.pre_rmspe)
        except ModelInputError as refusal:
            dropped[str(start)] = str(refusal)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["effect", "pre_rmspe"]).rename_axis("start")
    sizes = table.effect.abs()
    extreme = int((sizes >= abs(result.effect)).sum())
    return CheckResult(table=table, statistic=float(sizes.max()), extreme=extreme, dropped=dropped)


@typed
def leave_one_out(result: SyntheticControlFit) -> CheckResult:
    """Drop every donor in turn: ``table`` donor -> weight and effect without it; ``low`` to ``high`` their range."""
    y, n_pre, effects = result.outcomes.to_numpy(), result.n_pre, {}
    for at, donor in enumerate(result.weights.index if len(result.weights) > MIN_DONORS else (), start=1):
        path = fit_targets(np.delete(y, at, axis=1), [0], n_pre, result.method)[1][:, 0]
        effects[donor] = (y[:, 0] - path)[n_pre:].mean()
    table = pd.DataFrame({"weight": result.weights, "effect": pd.Series(effects, dtype=float)}).dropna()
    ends = {"low": float(table.effect.min()), "high": float(table.effect.max())} if len(table) else {}
    return CheckResult(table=table, **ends)


@typed
def conformal(result: SyntheticControlFit) -> CheckResult:
    """Sharp null of no effect in any period (Chernozhukov, Wuthrich & Zhu 2021, eq. 3 with q = 1, cyclic shifts).

    The weights are refitted on all periods, and p is the share of cyclic shifts of the residuals whose post-period
    block is at least as large (floor 1/T). ``table``: the block's size by shift, the true one first.
    """
    y, n_pre, total = result.outcomes.to_numpy(), result.n_pre, len(result.outcomes)
    paths = fit_targets(y, [0], total, result.method, n_post=total - n_pre)[1]
    shifts = (np.arange(n_pre, total) - np.arange(total)[:, None]) % total
    blocks = np.abs(y[:, 0] - paths[:, 0])[shifts].sum(axis=1)
    extreme = int((blocks >= blocks[0] * (1 - 1e-12)).sum())
    table = pd.DataFrame({"size": blocks}).rename_axis("shift")
    return CheckResult(table=table, p_value=extreme / total, p_floor=1 / total)


def relative_magnitudes(result: SyntheticControlFit, multiples: Sequence[float] = (0.5, 1.0, 2.0)) -> CheckResult:
    """Bounds on the average effect if the gap drifts after the start (relative magnitudes, Rambachan & Roth 2023).

    From one period to the next the bias may move by at most Mbar times the largest such move D before treatment (drift
    and noise together): on average over H treated periods by Mbar D (H + 1)/2. ``table``: Mbar -> low, high;
    ``statistic`` the Mbar at which they first hold zero (infinite if nothing moved).
    """
    move = float(np.abs(np.diff(result.gap[: result.n_pre].to_numpy())).max())
    bias = move * (len(result.after) + 1) / 2
    rows = {m: (result.effect - m * bias, result.effect + m * bias) for m in multiples}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"]).rename_axis("mbar")
    breakdown = abs(result.effect) / bias if bias > 0 else float("inf")
    return CheckResult(table=table, statistic=breakdown)


def fit_targets(
    y: np.ndarray, targets: Sequence[int], n_pre: int, method: str, *, n_post: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit every target column of ``y`` (T, N) against all other units on the first ``n_pre`` periods.

    Returns weights (N, K), zero for the target itself, and counterfactuals (T, K). ``n_post`` (default: the periods
    after ``n_pre``) only scales sdid's penalty; with ``n_pre`` equal to T there are no periods to weigh and sdid's time
    weights are equal.
    """
    n_post = len(y) - n_pre if n_post is None else n_post
    others = np.array([np.delete(np.arange(y.shape[1]), target) for target in targets])
    own, donors = y.T[list(targets)], y.T[others].mT  # (K, T) and (K, T, J)
    w = _unit_weights(own[:, :n_pre], donors[:, :n_pre], n_post, method)
    paths = (donors @ w[..., None])[..., 0]
    missed = (own - paths)[:, :n_pre]
    if method == "sdid":
        paths += (_time_weights(donors, n_pre) * missed).sum(axis=1, keepdims=True)
    elif method in ("demeaned", "did"):
        paths += missed.mean(axis=1, keepdims=True)
    weights = np.zeros((len(own), y.shape[1]))
    np.put_along_axis(weights, others, w, axis=1)
    return weights.T, paths.T


def simplex_weights(
    own: np.ndarray, donors: np.ndarray, *, penalty: float | np.ndarray = 0.0, intercept: bool = False
) -> np.ndarray:
    """argmin ||own - donors w||^2 + penalty ||w||^2 over w >= 0, sum w = 1; exact, (..., J). With ``intercept`` means
    over n are removed first. ``own`` (..., n), ``donors`` (..., n, J), ``penalty`` (...): any number of cases at once.

    The residual is A w with A = donors - own, homogeneous in w, so that non-negative least squares on
    (A w, c (1'w - 1)) ends on the same ray, whatever c > 0 is.
    """
    gaps, (*cases, _, n) = donors - own[..., None], donors.shape
    if intercept:
        gaps = gaps - gaps.mean(axis=-2, keepdims=True)
    if np.any(penalty > 0):
        roots = np.sqrt(penalty)[..., None, None] * np.eye(n)
        gaps = np.concatenate([gaps, np.broadcast_to(roots, (*cases, n, n))], axis=-2)
    scale = np.sqrt((gaps**2).sum(axis=(-2, -1), keepdims=True) / n)
    systems = np.concatenate([gaps / np.where(scale > 0, scale, 1.0), np.ones((*cases, 1, n))], axis=-2)
    wanted = np.append(np.zeros(systems.shape[-2] - 1), 1.0)
    found = [nnls(system, wanted, maxiter=100 * n)[0] for system in systems.reshape(-1, *systems.shape[-2:])]
    w = np.reshape(found, (*cases, n))
    return w / w.sum(axis=-1, keepdims=True)


def _unit_weights(own: np.ndarray, donors: np.ndarray, n_post: int, method: str) -> np.ndarray:
    if method == "did":
        return np.full(donors[:, 0].shape, 1.0 / donors.shape[2])
    if method == "ridge":
        return _ridge_weights(own, donors)
    penalty = 0.0
    if method == "sdid":
        zeta = n_post**0.25 * np.diff(donors, axis=1).std(axis=(1, 2), ddof=1)
        penalty = zeta**2 * own.shape[1]
    return simplex_weights(own, donors, penalty=penalty, intercept=method != "simplex")


def _time_weights(donors: np.ndarray, n_pre: int) -> np.ndarray:
    """Pre-periods weighted so that they predict the donors' post-period mean, with an intercept, (K, n_pre)."""
    if n_pre == donors.shape[1]:
        return np.full((len(donors), n_pre), 1.0 / n_pre)
    pre, post = donors[:, :n_pre].mT, donors[:, n_pre:].mean(axis=1)
    noise = np.diff(donors[:, :n_pre], axis=1).std(axis=(1, 2), ddof=1)
    # The authors' tiny penalty: it only makes the optimum unique.
    return simplex_weights(post, pre, penalty=(1e-6 * noise) ** 2 * post.shape[1], intercept=True)


def _ridge_weights(own: np.ndarray, donors: np.ndarray) -> np.ndarray:
    """Simplex weights w plus Xc' B (x1 - X w), B = (Xc Xc' + lambda I)^-1, Xc (n, J) the donors centred by period; the
    largest lambda whose leave-one-period-out error is within one standard error of the smallest. No correction where
    the donors are alike.

    The error of period s is (B r)_s / B_ss, with r the residuals of the simplex weights found without it: B for the
    other periods follows from the whole one by the inverse of a matrix in blocks.
    """
    base, n = simplex_weights(own, donors), own.shape[1]
    centred = donors - donors.mean(axis=2, keepdims=True)
    squares, vectors = np.linalg.eigh(centred @ centred.mT)
    alike = squares[:, -1] <= ALIKE**2 * ((donors - own[..., None]) ** 2).sum(axis=(1, 2))
    squares, grid = np.maximum(squares, 0.0), PENALTY_GRID * np.where(alike, 1.0, squares[:, -1])[:, None]
    kept = np.array([np.delete(np.arange(n), s) for s in range(n)])
    without = np.array([simplex_weights(x[kept], others[kept]) for x, others in zip(own, donors, strict=True)])
    turned = (own[:, None] - without @ donors.mT) @ vectors  # (K, s, n): r of every period s, in B's axes
    inverse = 1 / (squares[..., None] + grid[:, None])
    errors = ((turned * vectors) @ inverse / (vectors**2 @ inverse)) ** 2
    mean = errors.mean(axis=1)
    best = mean.argmin(axis=1)[:, None]
    noise = np.take_along_axis(errors, best[..., None], axis=2).std(axis=1, ddof=1) / np.sqrt(n)
    penalty = np.where(mean <= np.take_along_axis(mean, best, axis=1) + noise, grid, 0.0).max(axis=1)
    rest = vectors.mT @ (own[..., None] - donors @ base[..., None])
    moved = centred.mT @ (vectors @ (rest / (squares + penalty[:, None])[..., None]))
    return np.where(alike[:, None], base, base + moved[..., 0])


def _panel(outcomes: pd.DataFrame, treated: Hashable) -> pd.DataFrame:
    """Treated column first, then the donors; complete, in order of time."""
    if not isinstance(outcomes, pd.DataFrame):
        raise ModelInputError(f"outcomes: {type(outcomes).__name__} was given; pass a frame, periods x units")
    if not whole(outcomes.index):
        timed = years_index(outcomes, "outcomes")
        outcomes = outcomes if isinstance(outcomes.index, pd.DatetimeIndex) else timed
    if outcomes.index.has_duplicates or outcomes.columns.has_duplicates:
        raise ModelInputError("outcomes: a period or a unit occurs twice; keep one of each")
    if treated not in outcomes.columns:
        raise ModelInputError(f"{treated} is not in the panel; its columns are the units")
    at = outcomes.columns.get_loc(treated)
    panel = outcomes.iloc[:, [at, *np.delete(np.arange(outcomes.shape[1]), at)]].astype(float).sort_index()
    if panel.shape[1] <= MIN_DONORS:
        raise ModelInputError(
            f"{treated}: {panel.shape[1] - 1} donors, at least {MIN_DONORS} are needed; widen the donor rule"
        )
    holes = panel.columns[~np.isfinite(panel.to_numpy()).all(axis=0)]
    if len(holes):
        raise ModelInputError(f"missing or infinite outcomes for {', '.join(map(str, holes[:5]))}; drop them first")
    return panel


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt((values**2).mean(axis=0))


def _ratios(pre: np.ndarray | float, post: np.ndarray | float) -> np.ndarray:
    pre = np.asarray(pre, dtype=float)
    return np.divide(post, pre, out=np.full(pre.shape, np.inf), where=pre > EXACT_FIT)
