"""Exponential smoothing for short series: least squares over a grid, with the starting state solved exactly.

Given the smoothing parameters, the one-step errors are linear in the starting level and slope. So each grid point
needs one pass over the data and a 2 x 2 solve instead of a numerical search, which on 10 to 40 points is both faster
and steadier than a general optimiser: the grid is then narrowed round its best point. Tests hold the fits against
statsmodels' ETS, whose maximum-likelihood criterion is the same sum of squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PARAMETER_BOUNDS = (1e-4, 0.9999)
"""Smoothing parameters stay inside, as in the usual ETS software."""

PHI_BOUNDS = (0.8, 0.98)
"""Damping: below .8 the trend is gone in three steps, above .98 it cannot be told from an undamped one."""

_REFINEMENTS = 3
_BATCH = 32  # series fitted together: enough to hide numpy's call overhead, few enough to stay in cache
_RIDGE = 1e-10  # on data scaled to mean one: keeps the 2 x 2 solve defined when the start no longer matters


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothingFit:
    """A fitted smoothing model: parameters, final state, and one-step forecasts of the sample.

    ``level`` and ``slope`` are the state after the last observation and ``fitted`` (n,) the one-step forecasts, in
    the data's unit; ``alpha`` weighs the newest error in the level, ``beta`` in the slope (alpha x beta*).
    """

    alpha: float
    beta: float
    phi: float
    level: float
    slope: float
    fitted: np.ndarray


def fit_ses(y: np.ndarray) -> SmoothingFit:
    """Simple exponential smoothing by least squares over alpha and the starting level. ``y`` (n,), n >= 3."""
    return _fit_ses_batch(y[None, :])[0]


def fit_both(series: Sequence[np.ndarray]) -> list[tuple[SmoothingFit, SmoothingFit]]:
    """Simple smoothing and damped trend of every series; those of one length are fitted together, for speed.

    Damped additive trend (Gardner & McKenzie 1985) by least squares, n >= 4:
    l_t = a y_t + (1-a)(l_{t-1} + phi b_{t-1}); b_t = beta* (l_t - l_{t-1}) + (1-beta*) phi b_{t-1}, phi in [.8, .98].
    """
    fits: list[tuple[SmoothingFit, SmoothingFit] | None] = [None] * len(series)
    by_length: dict[int, list[int]] = {}
    for i, y in enumerate(series):
        by_length.setdefault(len(y), []).append(i)
    for same in by_length.values():
        for first in range(0, len(same), _BATCH):
            chunk = same[first : first + _BATCH]
            together = np.array([series[i] for i in chunk])
            pairs = zip(_fit_ses_batch(together), _fit_damped_batch(together), strict=True)
            for i, pair in zip(chunk, pairs, strict=True):
                fits[i] = pair
    return fits


def _fit_ses_batch(y: np.ndarray) -> list[SmoothingFit]:
    """One fit for each row of ``y`` (S, n)."""
    scale, rows = _scale_of(y), np.arange(len(y))
    low, high = PARAMETER_BOUNDS
    alpha = np.tile(np.linspace(low, high, 101), (len(y), 1))
    for _ in range(_REFINEMENTS):
        sse, start = _ses_errors(y / scale[:, None], alpha)
        best = sse.argmin(axis=1)
        step = alpha[:, 1] - alpha[:, 0]
        winner, start_level = alpha[rows, best], start[rows, best] * scale
        alpha = np.linspace(np.maximum(low, winner - step), np.minimum(high, winner + step), 41, axis=1)
    return [_ses_filter(*row) for row in zip(y, winner, start_level, strict=True)]


def _fit_damped_batch(y: np.ndarray) -> list[SmoothingFit]:
    """One fit for each row of ``y`` (S, n)."""
    scale, rows = _scale_of(y), np.arange(len(y))
    lower = np.array([PARAMETER_BOUNDS[0], PARAMETER_BOUNDS[0], PHI_BOUNDS[0]])
    upper = np.array([PARAMETER_BOUNDS[1], PARAMETER_BOUNDS[1], PHI_BOUNDS[1]])
    low, high, sizes = np.tile(lower, (len(y), 1)), np.tile(upper, (len(y), 1)), (9, 9, 5)
    for _ in range(_REFINEMENTS + 1):
        unit = np.meshgrid(*[np.linspace(0, 1, size) for size in sizes], indexing="ij")
        grid = low[:, None, :] + (high - low)[:, None, :] * np.stack([u.ravel() for u in unit], axis=-1)
        a, b_star, phi = np.moveaxis(grid, -1, 0)
        sse, level, slope = _damped_errors(y / scale[:, None], a, a * b_star, phi)
        best = sse.argmin(axis=1)
        point = grid[rows, best]
        width = (high - low) / (np.array(sizes) - 1)
        low, high, sizes = np.maximum(lower, point - width), np.minimum(upper, point + width), (5, 5, 5)
    starts = zip(level[rows, best] * scale, slope[rows, best] * scale, strict=True)
    return [_damped_filter(*row) for row in zip(y, point, starts, strict=True)]


def _scale_of(y: np.ndarray) -> np.ndarray:
    mean = np.abs(y).mean(axis=1)
    return np.where(mean > 0, mean, 1.0)


def _ses_errors(y: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least sum of squared one-step errors and the starting level that gives it: ``y`` (S, n), ``alpha`` (S, G)."""
    level, carried = np.zeros_like(alpha), np.ones_like(alpha)  # level = (part from data) + start * carried
    see, sec, scc = np.zeros_like(alpha), np.zeros_like(alpha), np.zeros_like(alpha)
    for value in y.T:
        e = value[:, None] - level
        see += e * e
        sec += e * carried
        scc += carried * carried
        level = level + alpha * e
        carried = carried * (1 - alpha)
    start = sec / scc
    return see - start * sec, start


def _damped_errors(
    y: np.ndarray, a: np.ndarray, ab: np.ndarray, phi: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least sum of squares and the best starting level and slope: ``y`` (S, n), parameters (S, G)."""
    # Row 0 runs the filter on the data from a zero start; rows 1 and 2 on no data from a unit level and a unit slope.
    level, slope = np.zeros((3, *a.shape)), np.zeros((3, *a.shape))
    level[1], slope[2] = 1, 1
    errors = np.empty((y.shape[1], 3, *a.shape))
    for t, value in enumerate(y.T):
        damped = phi * slope
        predicted = level + damped
        e = -predicted
        e[0] += value[:, None]
        level, slope, errors[t] = predicted + a * e, damped + ab * e, e
    e0, x1, x2 = errors[:, 0], -errors[:, 1], -errors[:, 2]
    s11, s22, s12 = (x1 * x1).sum(0) + _RIDGE, (x2 * x2).sum(0) + _RIDGE, (x1 * x2).sum(0)
    s01, s02 = (e0 * x1).sum(0), (e0 * x2).sum(0)
    determinant = s11 * s22 - s12 * s12
    start_level = (s22 * s01 - s12 * s02) / determinant
    start_slope = (s11 * s02 - s12 * s01) / determinant
    remaining = e0 - start_level * x1 - start_slope * x2
    return (remaining * remaining).sum(0), start_level, start_slope


def _ses_filter(y: np.ndarray, alpha: float, level: float) -> SmoothingFit:
    alpha, level = float(alpha), float(level)
    fitted = np.empty(len(y))
    for t, value in enumerate(y):
        fitted[t] = level
        level += alpha * (float(value) - level)
    return SmoothingFit(alpha=alpha, beta=0.0, phi=1.0, level=level, slope=0.0, fitted=fitted)


def _damped_filter(y: np.ndarray, point: np.ndarray, start: tuple[float, float]) -> SmoothingFit:
    """Run the recursion at (a, beta*, phi) from a starting level and slope."""
    a, b_star, phi = (float(value) for value in point)
    level, slope = (float(value) for value in start)
    fitted = np.empty(len(y))
    for t, value in enumerate(y):
        fitted[t] = level + phi * slope
        e = float(value) - fitted[t]
        level, slope = fitted[t] + a * e, phi * slope + a * b_star * e
    return SmoothingFit(alpha=a, beta=a * b_star, phi=phi, level=level, slope=slope, fitted=fitted)
