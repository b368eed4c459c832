"""Weights that make untreated units resemble a treated one, for many "treated" units of one panel at once.

Arrays only: ``y`` is (T, N), periods by units; the first ``n_pre`` periods are before treatment. For every unit in
``targets`` all other units are its donors, so that a placebo is fitted exactly as the treated unit is.

* simplex: min ||y1 - Y0 w||^2 over the simplex (Abadie, Diamond & Hainmueller 2010, outcomes only);
* demeaned: the same after unit pre-means are removed (Doudchenko & Imbens 2016; Ferman & Pinto 2021);
* ridge: simplex weights augmented by a ridge regression (Ben-Michael, Feller & Rothstein 2021, eq. 8 and 9);
* sdid: ridge-penalised unit weights and time weights, both with intercept (Arkhangelsky et al. 2021, algorithm 1);
* did: equal weights and an intercept, the plain difference in differences.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

METHODS = ("simplex", "demeaned", "ridge", "sdid", "did")

PENALTY_GRID = 1e-8 ** (np.arange(21) / 20)
"""Ridge penalties tried, as multiples of the largest squared singular value of the donors' pre-period outcomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """``weights`` (N, K): column k for target k, zero for itself; ``counterfactual`` (T, K) in the unit of ``y``;
    ``time_weights`` (n_pre, K) for sdid, else None; ``penalties`` (K,) for ridge, else None."""

    weights: np.ndarray
    counterfactual: np.ndarray
    time_weights: np.ndarray | None = None
    penalties: np.ndarray | None = None


def fit_targets(
    y: np.ndarray,
    targets: np.ndarray,
    n_pre: int,
    method: str,
    *,
    pool: np.ndarray | None = None,
    n_post: int | None = None,
) -> Fits:
    """Fit every target against the other units of ``pool`` (default: all units) on the first ``n_pre`` periods.

    ``n_post`` (default: the periods after ``n_pre``) only scales sdid's penalty; with ``n_pre`` equal to T there are
    no periods to weigh and sdid's time weights are equal.
    """
    pool = np.arange(y.shape[1]) if pool is None else pool
    n_post = len(y) - n_pre if n_post is None else n_post
    weights = np.zeros((y.shape[1], len(targets)))
    counterfactual = np.empty((y.shape[0], len(targets)))
    times = np.zeros((n_pre, len(targets))) if method == "sdid" else None
    penalties = np.zeros(len(targets)) if method == "ridge" else None
    for k, target in enumerate(targets):
        others = pool[pool != target]
        own, donors = y[:, target], y[:, others]
        if method == "ridge":
            w, penalties[k] = _ridge_weights(own[:n_pre], donors[:n_pre])
        else:
            w = _unit_weights(own[:n_pre], donors[:n_pre], n_post, method)
        weights[others, k] = w
        path = donors @ w
        if method == "sdid":
            times[:, k] = _time_weights(donors, n_pre)
            path = path + times[:, k] @ (own[:n_pre] - path[:n_pre])
        elif method in ("demeaned", "did"):
            path = path + (own[:n_pre] - path[:n_pre]).mean()
        counterfactual[:, k] = path
    return Fits(weights=weights, counterfactual=counterfactual, time_weights=times, penalties=penalties)


def simplex_weights(own: np.ndarray, donors: np.ndarray, *, penalty: float = 0.0) -> np.ndarray:
    """argmin ||own - donors w||^2 + penalty ||w||^2 over w >= 0, sum w = 1; exact, (J,).

    Because the weights sum to one, the residual is A w with A = donors - own, and the objective is homogeneous in w.
    Non-negative least squares on (A w, c (1'w - 1)) therefore ends on the same ray, whatever c > 0 is.
    """
    gaps = donors - own[:, None]
    if penalty > 0:
        gaps = np.vstack([gaps, np.sqrt(penalty) * np.eye(donors.shape[1])])
    scale = np.sqrt((gaps**2).sum(axis=0).mean()) or 1.0
    system = np.vstack([gaps / scale, np.ones(donors.shape[1])])
    w, _ = nnls(system, np.append(np.zeros(len(gaps)), 1.0), maxiter=100 * donors.shape[1])
    return w / w.sum()


def _unit_weights(own: np.ndarray, donors: np.ndarray, n_post: int, method: str) -> np.ndarray:
    if method == "did":
        return np.full(donors.shape[1], 1.0 / donors.shape[1])
    if method == "simplex":
        return simplex_weights(own, donors)
    penalty = 0.0
    if method == "sdid":
        zeta = n_post**0.25 * np.diff(donors, axis=0).std(ddof=1)
        penalty = zeta**2 * len(own)
    return simplex_weights(own - own.mean(), donors - donors.mean(axis=0), penalty=penalty)


def _time_weights(donors: np.ndarray, n_pre: int) -> np.ndarray:
    """Pre-periods weighted so that they predict the donors' post-period mean, with an intercept."""
    if n_pre == len(donors):
        return np.full(n_pre, 1.0 / n_pre)
    pre, post = donors[:n_pre].T, donors[n_pre:].mean(axis=0)
    noise = np.diff(donors[:n_pre], axis=0).std(ddof=1)
    # The authors' tiny penalty: it only makes the optimum unique.
    return simplex_weights(post - post.mean(), pre - pre.mean(axis=0), penalty=(1e-6 * noise) ** 2 * len(post))


def _ridge_weights(own: np.ndarray, donors: np.ndarray) -> tuple[np.ndarray, float]:
    """Simplex weights plus the ridge correction; the penalty is the largest whose leave-one-period-out error is
    within one standard error of the smallest. Returns weights (J,) and the penalty."""
    base = simplex_weights(own, donors)
    grid = PENALTY_GRID * _top_square(donors)
    errors = np.array([_left_out_errors(own, donors, s, grid) for s in range(len(own))]) ** 2
    mean = errors.mean(axis=0)
    best = int(mean.argmin())
    allowed = mean <= mean[best] + errors[:, best].std(ddof=1) / np.sqrt(len(own))
    penalty = float(grid[allowed].max())
    return base + _correction(own, donors, base, np.array([penalty]), np.eye(len(base)))[:, 0], penalty


def _left_out_errors(own: np.ndarray, donors: np.ndarray, period: int, grid: np.ndarray) -> np.ndarray:
    """Error at one held-out period for every penalty of the grid."""
    kept = np.arange(len(own)) != period
    base = simplex_weights(own[kept], donors[kept])
    correction = _correction(own[kept], donors[kept], base, grid, donors[[period]])[0]
    return own[period] - donors[period] @ base - correction


def _correction(
    own: np.ndarray, donors: np.ndarray, base: np.ndarray, grid: np.ndarray, lead: np.ndarray
) -> np.ndarray:
    """lead Xc (Xc'Xc + lambda I)^-1 (x1 - Xc'w) for every lambda: (rows of lead, len(grid)).

    Xc (J, n_pre) is centred by period; ``lead`` (m, J) says which combinations of the weights are wanted.
    """
    middle = donors.mean(axis=1)
    centred = donors - middle[:, None]
    squares, vectors = np.linalg.eigh(centred @ centred.T)
    rest = vectors.T @ (own - middle - centred @ base)
    return (lead @ centred.T @ vectors) @ (rest[:, None] / (np.maximum(squares, 0.0)[:, None] + grid))


def _top_square(donors: np.ndarray) -> float:
    centred = donors - donors.mean(axis=1)[:, None]
    return float(np.linalg.norm(centred, 2) ** 2) or 1.0
