"""Taking one multiplicative (or additive) seasonal pattern out of a monthly series before a model sees it."""

from dataclasses import dataclass

import numpy as np

SEASONALITY_Z = 1.645
"""One-sided 5 % point: the season is taken out only if the yearly autocorrelation of the steps exceeds its error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seasonality:
    """``adjusted`` (n,) the series without its season; ``ahead`` (horizon,) what to put back on forecasts.

    With ``multiplicative`` the season is a factor, otherwise an amount. ``found`` False means no season was removed.
    """

    adjusted: np.ndarray
    ahead: np.ndarray
    multiplicative: bool
    found: bool

    def restore(self, forecast: np.ndarray) -> np.ndarray:
        """Put the season back on values whose last axis is the horizon."""
        return forecast * self.ahead if self.multiplicative else forecast + self.ahead


def deseasonalise(y: np.ndarray, horizon: int, period: int) -> Seasonality:
    """Classical decomposition of ``y`` (n,), in logs when all values are positive, for season length ``period``.

    Centred moving average over one season, mean deviation by place in the season, normalised to sum to zero
    (Makridakis, Wheelwright & Hyndman 1998, ch. 3). Nothing is removed for ``period`` 1, for fewer than two seasons,
    or where the steps show no yearly autocorrelation.
    """
    logs = bool((y > 0).all())
    neutral = np.ones(horizon) if logs else np.zeros(horizon)
    values = np.log(y) if logs else y
    if period == 1 or len(y) < 2 * period or not has_season(values, period):
        return Seasonality(adjusted=y.copy(), ahead=neutral, multiplicative=logs, found=False)
    pattern = _pattern(values, period)
    inside = pattern[np.arange(len(y)) % period]
    ahead = pattern[np.arange(len(y), len(y) + horizon) % period]
    if logs:
        return Seasonality(adjusted=y / np.exp(inside), ahead=np.exp(ahead), multiplicative=True, found=True)
    return Seasonality(adjusted=y - inside, ahead=ahead, multiplicative=False, found=True)


def has_season(values: np.ndarray, period: int) -> bool:
    """Whether the steps' autocorrelation at one season exceeds its Bartlett error (Theta's own test, on steps)."""
    steps = np.diff(values)
    steps = steps - steps.mean()
    total = float(steps @ steps)
    if total <= 0 or len(steps) <= period:
        return False
    r = np.array([steps[lag:] @ steps[:-lag] / total for lag in range(1, period + 1)])
    error = np.sqrt((1 + 2 * (r[:-1] ** 2).sum()) / len(steps))
    return bool(r[-1] > SEASONALITY_Z * error)


def _pattern(values: np.ndarray, period: int) -> np.ndarray:
    """Seasonal deviations (period,), first entry for the first observation's place in the season."""
    weights = np.ones(period + 1 if period % 2 == 0 else period)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    half = len(weights) // 2
    trend = np.convolve(values, weights / weights.sum(), mode="valid")
    deviation = values[half : half + len(trend)] - trend
    place = np.arange(half, half + len(trend)) % period
    means = np.array([deviation[place == p].mean() for p in range(period)])
    return means - means.mean()
