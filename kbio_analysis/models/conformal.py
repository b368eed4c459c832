"""Panel-conformal intervals: widths taken from how wrong the same method was on other series.

For each reference series i, one origin o: z_ik = (y_{i,o+k} - f_{i,o+k|o})/q_io with q the mean absolute step up to
o. If the series to be forecast is exchangeable with the m reference series, the order statistics at
floor((m+1) alpha/2) and ceil((m+1)(1-alpha/2)) of z cover with probability at least 1 - alpha (Vovk, Gammerman &
Shafer 2005). Errors and q are in logs when all data are positive. Many origins of one series are not many
observations, so each series gives one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, checked_level, regular_panel

PointForecasts = Callable[[Sequence[np.ndarray], int], Sequence[tuple[Mapping[str, np.ndarray], float]]]
"""From histories and a horizon to, for each, forecasts (horizon,) by model name and the history's mean step q."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Standardised errors of the reference series.

    ``errors`` rows (model, series), columns horizon 1..h, in units of q; ``logs`` whether they are log errors.
    """

    errors: pd.DataFrame
    logs: bool

    def of(self, model: str) -> np.ndarray:
        """Errors of one model (m, horizon)."""
        return self.errors.loc[model].to_numpy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """``low`` and ``high`` (horizon,) in the data's unit; ``attainable`` False if m is too small for the level, in
    which case they are the extremes, which cover ``coverage_pct`` only."""

    low: np.ndarray
    high: np.ndarray
    attainable: bool
    coverage_pct: float


def calibrate(
    reference: pd.DataFrame,
    horizon: int,
    point_forecasts: PointForecasts,
    *,
    logs: bool,
    history: int | None = None,
    min_history: int = 8,
) -> Calibration:
    """Standardised forecast errors of every series of a wide panel (periods x series), one origin each.

    The origin is ``horizon`` periods before each series' last observation; the
    method sees at most the last ``history`` points before it, so that q is as uncertain as in the target series.
    Only the last unbroken run of a series counts; series that are too short, do not move, or have no logarithm where
    ``logs`` are asked are left out. Raises :class:`ModelInputError` if no series is long enough.
    """
    reference = regular_panel(reference)
    check_count(horizon, "horizon", most=400)
    pasts: dict[str, np.ndarray] = {}
    futures: dict[str, np.ndarray] = {}
    for name in reference.columns:
        run = last_run(reference[name].to_numpy())
        past, future = run[: max(len(run) - horizon, 0)], run[max(len(run) - horizon, 0) :]
        past = past[-history:] if history else past
        positive = bool((past > 0).all() and (future > 0).all())
        if len(past) >= min_history and len(future) == horizon and (positive or not logs) and np.ptp(past) > 0:
            pasts[str(name)], futures[str(name)] = past, future
    rows: dict[tuple[str, str], np.ndarray] = {}
    for name, (forecasts, q) in zip(pasts, point_forecasts(list(pasts.values()), horizon), strict=True):
        for model, f in forecasts.items():
            rows[model, name] = (np.log(futures[name] / f) if logs else futures[name] - f) / q
    if not rows:
        raise ModelInputError(
            f"reference panel: none of {reference.shape[1]} series has {min_history + horizon} usable points "
            f"for horizon {horizon}; shorten the horizon or give longer series"
        )
    index = pd.MultiIndex.from_tuples(rows, names=["model", "series"])
    errors = pd.DataFrame(
        np.array(list(rows.values())), index=index, columns=pd.RangeIndex(1, horizon + 1, name="horizon")
    )
    return Calibration(errors=errors.sort_index(), logs=logs)


def order_statistics(m: int, level: float) -> tuple[int, int, bool]:
    """Ranks (1-based) of the lower and upper limit for ``m`` errors, and whether ``level`` is attainable at all."""
    alpha = 1 - checked_level(level) / 100
    # The small shift keeps (m+1) alpha/2 = 1 from falling to 0 by rounding, as at m = 39 and 95 %.
    low = int(np.floor((m + 1) * alpha / 2 + 1e-9))
    high = int(np.ceil((m + 1) * (1 - alpha / 2) - 1e-9))
    return max(low, 1), min(high, m), low >= 1


def band(center: np.ndarray, q: float, errors: np.ndarray, level: float, *, logs: bool) -> Band:
    """Interval round ``center`` (horizon,) from ``errors`` (m, horizon), q the target's own mean step."""
    low_rank, high_rank, attainable = order_statistics(len(errors), level)
    ranked = np.sort(errors, axis=0)
    return Band(
        low=apply_errors(center, q, ranked[low_rank - 1], logs=logs),
        high=apply_errors(center, q, ranked[high_rank - 1], logs=logs),
        attainable=attainable,
        coverage_pct=100 * (high_rank - low_rank) / (len(errors) + 1),
    )


def apply_errors(center: np.ndarray, q: float, errors: np.ndarray, *, logs: bool) -> np.ndarray:
    """Standardised errors (..., horizon) put round a forecast (horizon,): one path for each reference series."""
    return center * np.exp(q * errors) if logs else center + q * errors


def inside(sample: np.ndarray, value: float, level: float) -> bool:
    """Whether ``value`` lies in the interval of ``sample`` (m,); in its whole range where m is too small for it."""
    low_rank, high_rank, _ = order_statistics(len(sample), level)
    ordered = np.sort(sample)
    return bool(ordered[low_rank - 1] <= value <= ordered[high_rank - 1])


def clopper_pearson(successes: float, n: int, level: float = 95) -> tuple[float, float]:
    """Exact binomial range of a share (Clopper & Pearson 1934), as fractions; ``successes`` may be fractional."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - checked_level(level) / 100, method="beta")
    return float(low), float(high)


def last_run(values: np.ndarray) -> np.ndarray:
    """The last unbroken run of finite values."""
    finite = np.isfinite(values)
    if not finite.any():
        return values[:0]
    end = int(np.flatnonzero(finite)[-1]) + 1
    breaks = np.flatnonzero(~finite[:end])
    return values[int(breaks[-1]) + 1 if len(breaks) else 0 : end]
