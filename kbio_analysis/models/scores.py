"""Forecast scores of one signature: ``score(actual, predicted, ...)`` -> one value for each observation, (n,).

``actual`` (n,); ``predicted`` (n,) points, (n, m) ensembles, (n, 2) intervals, (n, 1 + 2K) quantiles or (n,)
probabilities. Lower is better, except where said. Averages are the caller's business.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_level
from kbio_analysis.models.conformal import clopper_pearson


def absolute_error(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """|y - f|, in the data's unit."""
    actual, predicted = _pair(actual, predicted, columns=None)
    return np.abs(actual - predicted)


def mase(actual: np.ndarray, predicted: np.ndarray, *, training: np.ndarray, period: int = 1) -> np.ndarray:
    """|y - f| over the mean absolute (seasonal) step of the training data; the mean over horizons is the MASE.

    Hyndman & Koehler (2006), eq. 4. Raises :class:`ModelInputError` if the training data never move.
    """
    scale = float(np.abs(training[period:] - training[:-period]).mean())
    if not scale > 0:
        raise ModelInputError("MASE: the training data do not move, there is no naive error to scale by")
    return absolute_error(actual, predicted) / scale


def crps(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of an ensemble (n, m), m >= 2, in the data's unit; fair form.

    (1/m) sum |x_i - y| - 1/(2 m (m-1)) sum_ij |x_i - x_j| (Gneiting & Raftery 2007; Ferro 2014). The double sum is
    taken over the sorted ensemble: sum_ij |x_i - x_j| = 2 sum_i (2i - m - 1) x_(i).
    """
    actual, predicted = _pair(actual, predicted, columns=2, at_least=True)
    m = predicted.shape[1]
    ranked = np.sort(predicted, axis=1)
    spread = 2 * ranked @ (2 * np.arange(1, m + 1) - m - 1)
    return np.abs(predicted - actual[:, None]).mean(axis=1) - spread / (2 * m * (m - 1))


def crps_normal(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """CRPS of normal forecasts, ``predicted`` (n, 2) mean and standard deviation (Gneiting & Raftery 2007, eq. 5)."""
    actual, predicted = _pair(actual, predicted, columns=2)
    mean, sd = predicted.T
    z = (actual - mean) / sd
    return sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))


def interval_score(actual: np.ndarray, predicted: np.ndarray, *, level: float) -> np.ndarray:
    """Width plus 2/alpha times the miss, central intervals (n, 2) at ``level`` per cent (Gneiting & Raftery 2007)."""
    actual, predicted = _pair(actual, predicted, columns=2)
    low, high = predicted.T
    alpha = 1 - checked_level(level) / 100
    return (high - low) + 2 / alpha * (np.maximum(low - actual, 0) + np.maximum(actual - high, 0))


def wis(actual: np.ndarray, predicted: np.ndarray, *, levels: Sequence[float]) -> np.ndarray:
    """Weighted interval score (Bracher et al. 2021, eq. 1): (|y - median|/2 + sum_k alpha_k/2 IS_k) / (K + 1/2).

    ``predicted`` (n, 1 + 2K): the median, then low and high for each of the K ``levels`` in per cent.
    """
    actual, predicted = _pair(actual, predicted, columns=1 + 2 * len(levels))
    levels, total = [checked_level(level) for level in levels], np.abs(actual - predicted[:, 0]) / 2
    for k, level in enumerate(levels):
        interval = predicted[:, 1 + 2 * k : 3 + 2 * k]
        total = total + (1 - level / 100) / 2 * interval_score(actual, interval, level=level)
    return total / (len(levels) + 0.5)


def covered(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """1 where the interval (n, 2) holds the outcome, ends included, else 0. Not a loss: compare with its level."""
    actual, predicted = _pair(actual, predicted, columns=2)
    return ((actual >= predicted[:, 0]) & (actual <= predicted[:, 1])).astype(float)


def pit(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Place of the outcome in the ensemble (n, m), (1 + #below + #equal/2) / (m + 2): uniform if calibrated."""
    actual, predicted = _pair(actual, predicted, columns=1, at_least=True)
    below = (predicted < actual[:, None]).sum(axis=1)
    equal = (predicted == actual[:, None]).sum(axis=1)
    return (1 + below + equal / 2) / (predicted.shape[1] + 2)


def brier(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(p - y)^2 for events ``actual`` 0 or 1 and probabilities ``predicted`` (n,)."""
    actual, predicted = _events(actual, predicted)
    return (predicted - actual) ** 2


def log_score(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """-log of the probability given to what happened, in nats; infinite for an event called impossible."""
    actual, predicted = _events(actual, predicted)
    with np.errstate(divide="ignore"):
        return -np.log(np.where(actual == 1, predicted, 1 - predicted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """``share`` of ``n`` intervals that held the outcome, with its Clopper-Pearson 95 % range (fractions)."""

    share: float
    low: float
    high: float
    n: int


def coverage(actual: np.ndarray, predicted: np.ndarray) -> Coverage:
    """Share of intervals (n, 2) that hold the outcome. The range takes the n as independent."""
    inside = covered(actual, predicted)
    low, high = clopper_pearson(float(inside.sum()), len(inside))
    return Coverage(share=float(inside.mean()), low=low, high=high, n=len(inside))


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualAccuracy:
    """Diebold-Mariano ``statistic`` (negative: the first loses less) with the Harvey-Leybourne-Newbold correction,

    two-sided ``p_value`` on t with n - 1 degrees of freedom. A description of one sample, not a choice of method.
    """

    statistic: float
    p_value: float
    n: int


def diebold_mariano(first_loss: np.ndarray, second_loss: np.ndarray, *, horizon: int = 1) -> EqualAccuracy:
    """Test of equal mean loss at one horizon (Diebold & Mariano 1995; Harvey, Leybourne & Newbold 1997, eq. 9).

    Raises :class:`ModelInputError` for fewer than horizon + 2 losses, or when their long-run variance is not positive.
    """
    first_loss, second_loss = _pair(first_loss, second_loss, columns=None)
    d, n = first_loss - second_loss, len(first_loss)
    if n < horizon + 2:
        raise ModelInputError(f"{n} losses are too few for horizon {horizon}; at least {horizon + 2} are needed")
    centred = d - d.mean()
    variance = sum((1 if lag == 0 else 2) * float(centred[lag:] @ centred[: n - lag]) / n for lag in range(horizon))
    if not variance > 0:
        raise ModelInputError("the loss differences have no positive long-run variance; compare the means instead")
    correction = math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    statistic = correction * float(d.mean()) / math.sqrt(variance / n)
    return EqualAccuracy(statistic=statistic, p_value=float(2 * stats.t.sf(abs(statistic), n - 1)), n=n)


def _pair(
    actual: np.ndarray, predicted: np.ndarray, *, columns: int | None, at_least: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Both as floats of matching length; ``columns`` None for points, else the width that ``predicted`` must have."""
    actual, predicted = np.asarray(actual, dtype=float), np.asarray(predicted, dtype=float)
    shape_ok = predicted.ndim == (1 if columns is None else 2) and len(actual) == len(predicted)
    if shape_ok and columns is not None:
        shape_ok = predicted.shape[1] >= columns if at_least else predicted.shape[1] == columns
    if actual.ndim != 1 or not shape_ok:
        wanted = "(n,)" if columns is None else f"(n, {columns}{' or more' if at_least else ''})"
        raise ModelInputError(f"predictions of shape {predicted.shape} for {actual.shape} outcomes: give {wanted}")
    return actual, predicted


def _events(actual: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    actual, predicted = _pair(actual, predicted, columns=None)
    if not np.isin(actual, (0, 1)).all() or (predicted < 0).any() or (predicted > 1).any():
        raise ModelInputError("events must be 0 or 1 and probabilities from 0 to 1")
    return actual, predicted
