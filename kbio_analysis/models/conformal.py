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
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, checked_level, regular_panel

PointForecasts = Callable[[Sequence[np.ndarray], int], Sequence[tuple[Mapping[str, np.ndarray], float]]]
"""From histories and a horizon to, for each, forecasts (horizon,) by model name and the history's mean step q."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Standardised errors of the reference series.

    ``errors`` rows (model, series), columns horizon 1..h, in units of q; ``logs`` whether they are log errors;
    ``dropped`` reference series that could not be used -> reason.
    """

    errors: pd.DataFrame
    logs: bool
    dropped: dict[str, str]

    def of(self, model: str) -> np.ndarray:
        """Errors of one model (m, horizon)."""
        return self.errors.loc[model].to_numpy()

    @property
    def n_series(self) -> int:
        return self.errors.index.get_level_values("series").nunique()


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
    origins_before_end: int | None = None,
) -> Calibration:
    """Standardised forecast errors of every series of a wide panel (periods x series), one origin each.

    The origin is ``origins_before_end`` periods (default: the horizon) before each series' last observation; the
    method sees at most the last ``history`` points before it, so that q is as uncertain as in the target series.
    Only the last unbroken run of a series counts. Raises :class:`ModelInputError` if no series is long enough.
    """
    reference = regular_panel(reference)
    check_count(horizon, "horizon", most=400)
    back = horizon if origins_before_end is None else origins_before_end
    pasts: dict[str, np.ndarray] = {}
    futures: dict[str, np.ndarray] = {}
    dropped: dict[str, str] = {}
    for name in reference.columns:
        run = last_run(reference[name].to_numpy())
        past, future = run[: max(len(run) - back, 0)], run[max(len(run) - back, 0) :][:horizon]
        past = past[-history:] if history else past
        reason = _unusable(past, future, horizon=horizon, min_history=min_history, logs=logs)
        if reason:
            dropped[str(name)] = reason
        else:
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
    return Calibration(errors=errors.sort_index(), logs=logs, dropped=dropped)


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


def leave_one_out_coverage(errors: np.ndarray, levels: Sequence[float] = (80, 95)) -> pd.DataFrame:
    """Coverage of each series' error by the interval from all the others; ``errors`` (m, horizon) in units of q.

    One row a level and horizon, and ``horizon`` 0 for all of them: covered, n, share, and the Clopper-Pearson 95 %
    range of the share (for horizon 0 with m as the count, because horizons of one series are not independent).
    """
    m, horizon = errors.shape
    if m < 3:
        raise ModelInputError(f"{m} reference series: leaving one out needs at least 3")
    ranked = np.sort(errors, axis=0)
    place = np.array([np.searchsorted(ranked[:, k], errors[:, k]) for k in range(horizon)]).T
    rows = []
    for level in levels:
        low_rank, high_rank, _ = order_statistics(m - 1, level)
        # Without the series itself, rank r among the others is r if r lies below its place, else r + 1.
        low = np.take_along_axis(ranked, low_rank - 1 + (place <= low_rank - 1), axis=0)
        high = np.take_along_axis(ranked, high_rank - 1 + (place <= high_rank - 1), axis=0)
        inside = (errors >= low) & (errors <= high)
        rows.append(_coverage_row(level, 0, inside.mean(axis=1).sum(), m))
        rows.extend(_coverage_row(level, k + 1, inside[:, k].sum(), m) for k in range(horizon))
    return pd.DataFrame(rows)


def clopper_pearson(successes: float, n: int, level: float = 95) -> tuple[float, float]:
    """Exact binomial range of a share (Clopper & Pearson 1934), as fractions; ``successes`` may be fractional."""
    alpha = 1 - checked_level(level) / 100
    low = 0.0 if successes <= 0 else float(stats.beta.ppf(alpha / 2, successes, n - successes + 1))
    high = 1.0 if successes >= n else float(stats.beta.ppf(1 - alpha / 2, successes + 1, n - successes))
    return low, high


def last_run(values: np.ndarray) -> np.ndarray:
    """The last unbroken run of finite values."""
    finite = np.isfinite(values)
    if not finite.any():
        return values[:0]
    end = int(np.flatnonzero(finite)[-1]) + 1
    breaks = np.flatnonzero(~finite[:end])
    return values[int(breaks[-1]) + 1 if len(breaks) else 0 : end]


def _unusable(past: np.ndarray, future: np.ndarray, *, horizon: int, min_history: int, logs: bool) -> str | None:
    if len(past) < min_history or len(future) < horizon:
        return f"fewer than {min_history} points before an origin {horizon} periods from the end"
    if logs and not ((past > 0).all() and (future > 0).all()):
        return "zero or negative values, and the target is forecast in logs"
    if np.ptp(past) == 0:
        return "constant: no step to scale errors by"
    return None


def _coverage_row(level: float, horizon: int, covered: float, n: int) -> dict[str, float]:
    low, high = clopper_pearson(float(covered), n)
    return {
        "level": level,
        "horizon": horizon,
        "covered": float(covered),
        "n": n,
        "share": float(covered) / n,
        "share_low": low,
        "share_high": high,
    }
