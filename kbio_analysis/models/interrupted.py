"""Interrupted time series: one series, a trend, and a break at a known date. The weakest of the designs.

log y_t = a + b t + g D_t + d (t - T*) D_t + season + c'z_t + u_t, by ordinary least squares with Newey & West (1987)
errors, lag floor(4 (T/100)^(2/9)). Nothing else in the series may have changed at T*, which no series can show of
itself: placebo dates say how often such a break appears where nothing happened.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import moment, years_index
from kbio_analysis.models.synthetic_control import CheckResult

MIN_SIDE = 4
"""Fewest observations on either side of the break."""

EXTRAPOLATED = 24
"""Periods for which the line without the break is worth a look."""

SPARE = 4
"""Fewest observations beyond the number of coefficients."""

LEVEL, SLOPE = 2, 3
"""Columns of the design that hold the break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedFit:
    """Break of a logged series, in log points: ``level_shift`` beside a change of trend, ``se_level`` Newey-West with
    ``lags``, ``p_level`` two-sided from t. ``levels`` by period, no longer in logs: record, fitted, without both break
    terms, and near, which is the latter for EXTRAPOLATED periods from the start on."""

    start: pd.Period
    lags: int
    level_shift: float
    se_level: float
    p_level: float
    levels: pd.DataFrame


def its(y: pd.Series, start: object, *, controls: pd.DataFrame | None = None) -> InterruptedFit:
    """Fit the break of ``y`` (logs, yearly or monthly; months get their own intercepts) at ``start``.

    Missing periods are left out but keep their place in time. ``controls`` share the index. Raises ModelInputError
    if either side has fewer than MIN_SIDE observations or the coefficients leave fewer than SPARE to spare.
    """
    y, controls = _complete(y, controls)
    first = moment(y.index, start)
    x, values = _design(y.index, first, controls), y.to_numpy(dtype=float)
    before, after = int((y.index < first).sum()), int((y.index >= first).sum())
    spare = len(y) - x.shape[1]
    if min(before, after) < MIN_SIDE or spare < SPARE:
        raise ModelInputError(
            f"{y.name}: {before} observations before {first}, {after} after, {x.shape[1]} coefficients; give at "
            f"least {MIN_SIDE} on either side and {SPARE} to spare"
        )
    lags = int(np.floor(4 * (len(y) / 100) ** (2 / 9)))
    found = _ols(x, values, lags)
    without = found.fittedvalues - x[:, [LEVEL, SLOPE]] @ found.params[[LEVEL, SLOPE]]
    levels = np.exp(pd.DataFrame({"record": values, "fitted": found.fittedvalues, "without": without}, y.index))
    near = (y.index >= first) & (y.index < first + EXTRAPOLATED)
    return InterruptedFit(
        start=first,
        lags=lags,
        level_shift=float(found.params[LEVEL]),
        se_level=float(found.bse[LEVEL]),
        p_level=float(found.pvalues[LEVEL]),
        levels=levels.assign(near=levels.without.where(near)),
    )


def attempt(y: pd.Series, start: object, **options: Any) -> InterruptedFit | None:
    """:func:`its`, or None where it refuses."""
    with suppress(ModelInputError):
        return its(y, start, **options)
    return None


def beside_valley(
    y: pd.Series, start: object, first: str, trough: str, last: str
) -> tuple[InterruptedFit | None, InterruptedFit | None, CheckResult | None]:
    """The break with a :func:`valley` taken out, the break without, and the placebo dates of the former."""
    controls = valley(y.index, first, trough, last).to_frame()
    held = attempt(y, start, controls=controls)
    return held, attempt(y, start), placebo_dates(y, held, controls=controls) if held else None


def placebo_dates(
    y: pd.Series, result: InterruptedFit, *, controls: pd.DataFrame | None = None, away: int = 12
) -> CheckResult:
    """The break fitted at every date at least ``away`` periods from the true one and MIN_SIDE from the ends.

    ``table`` start -> level_shift, t; ``p_value`` (1 + dates with |t| at least the true one's)/(1 + dates).
    """
    y, controls = _complete(y, controls)
    values = y.to_numpy(dtype=float)
    rows = {}
    for date in y.index[MIN_SIDE : len(y) - MIN_SIDE + 1]:
        if abs((date - result.start).n) >= away:
            found = _ols(_design(y.index, date, controls), values, result.lags)
            rows[date] = (found.params[LEVEL], found.tvalues[LEVEL])
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["level_shift", "t"]).rename_axis("start")
    true = abs(result.level_shift / result.se_level)
    n = 1 + len(table)
    return CheckResult(table=table, p_value=(1 + int((table.t.abs() >= true).sum())) / n, p_floor=1 / n)


def valley(index: pd.PeriodIndex, first: str, trough: str, last: str) -> pd.Series:
    """A fall from 0 before ``first`` to 1 at ``trough`` and back to 0 at ``last``, straight lines between."""
    points = [pd.Period(p, freq=index.freq).ordinal for p in (first, trough, last)]
    if not points[0] < points[1] < points[2]:
        raise ModelInputError(f"a valley from {first} by {trough} to {last}: give three rising dates")
    return pd.Series(np.interp(index.asi8, points, [0.0, 1.0, 0.0]), index=index, name="valley")


def _complete(y: pd.Series, controls: pd.DataFrame | None) -> tuple[pd.Series, np.ndarray]:
    """The known values on periods, and the controls of the same periods (n, k)."""
    y = years_index(y, str(getattr(y, "name", None) or "y"))
    y = y[np.isfinite(y.to_numpy(dtype=float))]
    if controls is None:
        return y, np.empty((len(y), 0))
    return y, years_index(controls, "controls").reindex(y.index).to_numpy(dtype=float)


def _design(index: pd.PeriodIndex, start: pd.Period, controls: np.ndarray) -> np.ndarray:
    time = (index.asi8 - start.ordinal).astype(float)
    month = index.month.to_numpy()
    seasons = [month == later for later in range(2, 13)] if index.freqstr == "M" else []
    columns = [np.ones(len(index)), time, time >= 0, np.maximum(time, 0), *seasons, *controls.T]
    return np.array(columns, dtype=float).T


def _ols(x: np.ndarray, y: np.ndarray, lags: int) -> Any:
    """Least squares with Newey-West errors, their small-sample factor applied, and p-values from t."""
    return OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)
