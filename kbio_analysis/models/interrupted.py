"""Interrupted time series: one series, a trend, and a break at a known date. The weakest of the designs.

log y_t = a + b t + g D_t + d (t - T*) D_t + season + c'z_t + u_t, by ordinary least squares with Newey & West (1987)
errors, lag floor(4 (T/100)^(2/9)), and a twin by generalised least squares with AR(1) errors. Nothing else in the
series may have changed at T*, which no series can show of itself: placebo dates say how often such a break appears
where nothing happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import moment, years_index

MIN_SIDE = 4
"""Fewest observations on either side of the break."""

EXTRAPOLATED = 24
"""Periods for which the line without the break is worth a look."""

SPARE = 4
"""Fewest observations beyond the number of coefficients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedFit:
    """Break of a logged series, in log points.

    ``level_shift`` at the break and ``trend_change`` a period after it; ``se_level`` and ``se_trend`` Newey-West with
    ``lags``; ``p_level`` two-sided from t with ``df`` degrees; ``level_shift_ar1``, ``p_level_ar1`` and
    ``autocorrelation`` of the AR(1) twin; ``fitted`` and ``without`` (the fit with both break terms off) by period.
    """

    start: pd.Period
    n_obs: int
    df: int
    lags: int
    level_shift: float
    se_level: float
    p_level: float
    trend_change: float
    se_trend: float
    p_trend: float
    level_shift_ar1: float
    p_level_ar1: float
    autocorrelation: float
    fitted: pd.Series
    without: pd.Series

    def levels(self, y: pd.Series) -> pd.DataFrame:
        """By period the ``record`` ``y``, the ``fitted`` value and that ``without`` the break, all in levels; ``near``
        is the latter for EXTRAPOLATED periods from the start on, beyond which a continued trend means nothing."""
        frame = pd.DataFrame({"record": y, "fitted": np.exp(self.fitted), "without": np.exp(self.without)})
        near = (frame.index >= self.start) & (frame.index < self.start + EXTRAPOLATED)
        return frame.assign(near=frame.without.where(near))


def its(
    y: pd.Series,
    start: str | int | pd.Period,
    *,
    controls: pd.DataFrame | None = None,
    lags: int | None = None,
    trend_change: bool = True,
) -> InterruptedFit:
    """Fit the break of ``y`` (logs, PeriodIndex, yearly or monthly; months get their own intercepts) at ``start``.

    Missing periods are left out but keep their place in time. ``controls`` share the index. Raises ModelInputError
    if either side has fewer than MIN_SIDE observations or the coefficients leave fewer than SPARE to spare.
    """
    from scipy import stats

    y = years_index(y, str(getattr(y, "name", None) or "y"))
    y = y[np.isfinite(y.to_numpy(dtype=float))]
    first = moment(y.index, start)
    design = _design(y.index, first, controls, trend_change)
    before, after = int((y.index < first).sum()), int((y.index >= first).sum())
    spare = len(y) - design.shape[1]
    if min(before, after) < MIN_SIDE or spare < SPARE:
        raise ModelInputError(
            f"{y.name}: {before} observations before {first}, {after} after, {design.shape[1]} coefficients; give at "
            f"least {MIN_SIDE} on either side and {SPARE} to spare"
        )
    x, values = design.to_numpy(), y.to_numpy(dtype=float)
    lags = int(np.floor(4 * (len(y) / 100) ** (2 / 9))) if lags is None else lags
    beta, residuals = _ols(x, values)
    spread = np.sqrt(np.diag(newey_west(x, residuals, lags)))
    rho, beta_ar1, spread_ar1 = _ar1(x, values, residuals)
    at = {name: k for k, name in enumerate(design.columns)}
    k, m = at["level"], at.get("slope")
    off = [j for j in (k, m) if j is not None]
    fitted = pd.Series(x @ beta, index=y.index, name="fitted")
    return InterruptedFit(
        start=first,
        n_obs=len(y),
        df=spare,
        lags=lags,
        level_shift=float(beta[k]),
        se_level=float(spread[k]),
        p_level=float(2 * stats.t.sf(abs(beta[k] / spread[k]), spare)),
        trend_change=float(beta[m]) if m is not None else 0.0,
        se_trend=float(spread[m]) if m is not None else float("nan"),
        p_trend=float(2 * stats.t.sf(abs(beta[m] / spread[m]), spare)) if m is not None else float("nan"),
        level_shift_ar1=float(beta_ar1[k]),
        p_level_ar1=float(2 * stats.t.sf(abs(beta_ar1[k] / spread_ar1[k]), spare)),
        autocorrelation=rho,
        fitted=fitted,
        without=(fitted - x[:, off] @ beta[off]).rename("without"),
    )


def attempt(y: pd.Series, start: str | int | pd.Period, **options: Any) -> InterruptedFit | None:
    """:func:`its`, or None where it refuses."""
    try:
        return its(y, start, **options)
    except ModelInputError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboDates:
    """``table`` start -> level_shift, t; ``p_value`` (1 + dates with |t| at least the true one's)/(1 + dates)."""

    table: pd.DataFrame
    p_value: float
    p_floor: float


def placebo_dates(
    y: pd.Series,
    result: InterruptedFit,
    *,
    controls: pd.DataFrame | None = None,
    away: int = 12,
    trend_change: bool = True,
) -> PlaceboDates:
    """The break fitted at every date at least ``away`` periods from the true one and MIN_SIDE from the ends."""
    y = years_index(y, str(getattr(y, "name", None) or "y"))
    y = y[np.isfinite(y.to_numpy(dtype=float))]
    dates = [p for p in y.index[MIN_SIDE : len(y) - MIN_SIDE + 1] if abs((p - result.start).n) >= away]
    rows = {}
    for date in dates:
        x = _design(y.index, date, controls, trend_change)
        beta, residuals = _ols(x.to_numpy(), y.to_numpy(dtype=float))
        k = x.columns.get_loc("level")
        rows[date] = (beta[k], beta[k] / np.sqrt(newey_west(x.to_numpy(), residuals, result.lags)[k, k]))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["level_shift", "t"]).rename_axis("start")
    extreme = int((table.t.abs() >= abs(result.level_shift / result.se_level)).sum())
    return PlaceboDates(table=table, p_value=(1 + extreme) / (1 + len(table)), p_floor=1 / (1 + len(table)))


def newey_west(x: np.ndarray, residuals: np.ndarray, lags: int) -> np.ndarray:
    """Covariance of least squares coefficients with Bartlett weights; the small-sample factor n/(n - k) is applied."""
    n, k = x.shape
    scores = x * residuals[:, None]
    meat = scores.T @ scores
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    bread = np.linalg.pinv(x.T @ x)
    return n / (n - k) * bread @ meat @ bread


def valley(index: pd.PeriodIndex, first: str, trough: str, last: str) -> pd.Series:
    """A fall from 0 before ``first`` to 1 at ``trough`` and back to 0 at ``last``, straight lines between."""
    points = [pd.Period(p, freq=index.freq).ordinal for p in (first, trough, last)]
    if not points[0] < points[1] < points[2]:
        raise ModelInputError(f"a valley from {first} by {trough} to {last}: give three rising dates")
    return pd.Series(np.interp(index.asi8, points, [0.0, 1.0, 0.0]), index=index, name="valley")


def _design(index: pd.PeriodIndex, start: pd.Period, controls: pd.DataFrame | None, trend_change: bool) -> pd.DataFrame:
    time = index.asi8 - start.ordinal
    columns: dict[str, Sequence[float]] = {"constant": np.ones(len(index)), "trend": time.astype(float)}
    columns["level"] = (time >= 0).astype(float)
    if trend_change:
        columns["slope"] = np.maximum(time, 0).astype(float)
    if index.freqstr == "M":
        columns |= {f"month_{m}": (index.month == m).astype(float) for m in range(2, 13)}
    design = pd.DataFrame(columns, index=index)
    return design if controls is None else design.join(years_index(controls, "controls").reindex(index))


def _ols(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    return beta, y - x @ beta


def _ar1(x: np.ndarray, y: np.ndarray, residuals: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Prais-Winsten: autocorrelation of the residuals iterated to rest, coefficients and their errors."""
    rho = 0.0
    for _ in range(50):
        new = float(residuals[1:] @ residuals[:-1] / (residuals[:-1] @ residuals[:-1]))
        new = float(np.clip(new, -0.98, 0.98))
        settled, rho = abs(new - rho) < 1e-10, new
        first = np.sqrt(1 - rho**2)
        xs = np.vstack([first * x[:1], x[1:] - rho * x[:-1]])
        ys = np.append(first * y[0], y[1:] - rho * y[:-1])
        beta, inner = _ols(xs, ys)
        residuals = y - x @ beta
        if settled:
            break
    variance = inner @ inner / (len(y) - x.shape[1])
    return rho, beta, np.sqrt(np.diag(variance * np.linalg.pinv(xs.T @ xs)))
