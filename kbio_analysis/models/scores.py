"""Forecast scores of one signature: ``score(actual, predicted, ...)`` -> one value for each observation, (n,).

``actual`` (n,); ``predicted`` (n,) points, (n, m) ensembles or (n, 2) intervals.
Lower is better, except where said. Averages are the caller's business.
"""

import numpy as np

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_level, typed


@typed
def absolute_error(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """|y - f|, in the data's unit."""
    actual, predicted = _pair(actual, predicted, columns=None)
    return np.abs(actual - predicted)


@typed
def mase(actual: np.ndarray, predicted: np.ndarray, *, training: np.ndarray, period: int = 1) -> np.ndarray:
    """|y - f| over the mean absolute (seasonal) step of the training data; the mean over horizons is the MASE.

    Hyndman & Koehler (2006), eq. 4. Raises :class:`ModelInputError` if the training data never move.
    """
    scale = float(np.abs(training[period:] - training[:-period]).mean())
    if not scale > 0:
        raise ModelInputError("MASE: the training data do not move, there is no naive error to scale by")
    return absolute_error(actual, predicted) / scale


@typed
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


@typed
def interval_score(actual: np.ndarray, predicted: np.ndarray, *, level: float) -> np.ndarray:
    """Width plus 2/alpha times the miss, central intervals (n, 2) at ``level`` per cent (Gneiting & Raftery 2007)."""
    actual, predicted = _pair(actual, predicted, columns=2)
    low, high = predicted.T
    alpha = 1 - checked_level(level) / 100
    return (high - low) + 2 / alpha * (np.maximum(low - actual, 0) + np.maximum(actual - high, 0))


@typed
def covered(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """1 where the interval (n, 2) holds the outcome, ends included, else 0. Not a loss: compare with its level."""
    actual, predicted = _pair(actual, predicted, columns=2)
    return ((actual >= predicted[:, 0]) & (actual <= predicted[:, 1])).astype(float)


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
