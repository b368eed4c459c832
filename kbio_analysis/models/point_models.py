"""The point forecasters, each one function of an array, and what an error today does to their later forecasts.

Every one returns a :class:`ModelFit`; :mod:`.predictive` turns any of them into predictive draws the same way.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kbio_analysis.models.checks import typed
from kbio_analysis.models.season import Seasonality, deseasonalise
from kbio_analysis.models.smoothing import SmoothingFit, fit_both

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.structural import UnobservedComponents, UnobservedComponentsResults

COMBINED = ("drift", "theta", "damped", "ses")
"""Models in the combination; :func:`_combined` fits them together."""

START_WINDOWS = (1.0, 0.75, 0.5)
"""Shares of the sample, counted from its end, over which the combination is averaged (Pesaran & Timmermann 2007)."""

MIN_WINDOW = 8
"""No window is shorter than this, or than the whole sample if that is shorter."""

LOG_MODELS = ("local_trend", "log_drift")
"""Models that need positive data."""

COVID_YEARS = (2020, 2021, 2022)
"""Years the local trend sets apart as a break of known date."""

MIN_AFTER_COVID = 2
"""Observations needed after the break: with fewer, what follows it cannot be told from the break itself."""

FLOOR_SHARE = 0.1
"""A straight line may run below zero: forecasts of positive data stop at this share of the smallest value seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFit:
    """One model fitted to one series.

    ``forecast`` (horizon,) and ``fitted`` (n,), one-step forecasts of the sample (NaN where there is none), in the
    data's unit; ``impulse`` (horizon,) how much of an error j steps ago is still in the forecast path (first entry 1,
    the error of the period itself); ``slope_response`` (horizon,) change of the path per unit error of the estimated
    step; ``n_parameters`` estimated parameters (an average for the combination).
    """

    forecast: np.ndarray
    fitted: np.ndarray
    impulse: np.ndarray
    slope_response: np.ndarray
    n_parameters: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFits:
    """All models fitted to one series: ``models`` by name, and ``step_scale``, the mean absolute step.

    ``step_scale`` is what conformal errors are counted in: log points when the data are positive, otherwise their unit,
    measured without the season. ``season`` what was taken out (``season.adjusted`` (n,) is the rest).
    """

    models: dict[str, ModelFit]
    step_scale: float
    season: Seasonality


def covid_mask(years: np.ndarray, minimum: int) -> np.ndarray:
    """Which observations (by calendar ``years``, (n,)) to set apart; none if too few would remain, or follow."""
    inside = np.isin(years, COVID_YEARS)
    enough = (~inside).sum() >= minimum and (years > COVID_YEARS[-1]).sum() >= MIN_AFTER_COVID
    return inside if enough else np.zeros(len(years), dtype=bool)


@typed
def fit_models(
    y: np.ndarray, horizon: int, names: Sequence[str], *, period: int = 1, set_apart: np.ndarray | None = None
) -> SeriesFits:
    """Fit the named models to ``y`` (n,), season of length ``period`` removed first and put back on the forecasts.

    ``set_apart`` (n,) marks the periods that ``local_trend`` steps over.
    """
    return fit_many([y], horizon, names, period=period, set_apart=set_apart)[0]


def fit_many(
    series: Sequence[np.ndarray],
    horizon: int,
    names: Sequence[str],
    *,
    period: int = 1,
    set_apart: np.ndarray | None = None,
) -> list[SeriesFits]:
    """:func:`fit_models` for many series at once, several times faster than one by one."""
    seasons = [deseasonalise(y, horizon, period) for y in series]
    wanted = set(names) & {*COMBINED, "combination"}
    lengths = [window_lengths(len(y))[: None if "combination" in wanted else 1] if wanted else [] for y in series]
    windows = [s.adjusted[-n:] for s, ns in zip(seasons, lengths, strict=True) for n in ns]
    fits = zip(windows, fit_both(windows), strict=True)
    results = []
    for y, season, ns in zip(series, seasons, lengths, strict=True):
        combined = [_combined(*next(fits), horizon) for _ in ns]
        fitted = _fit_adjusted(season.adjusted, horizon, names, combined, set_apart)
        if (y > 0).all():
            floor = FLOOR_SHARE * float(season.adjusted.min())
            fitted = {name: _floored(fit, floor) for name, fit in fitted.items()}
        fitted = {name: _with_season(fit, season, y) for name, fit in fitted.items()}
        fitted |= {n: _carry_forward(y, horizon, lag) for n, lag in (("random_walk", 1), ("seasonal_naive", period))}
        fitted = {name: fitted[name] for name in names}
        results.append(SeriesFits(models=fitted, step_scale=mean_step(season.adjusted), season=season))
    return results


def mean_step(y: np.ndarray) -> float:
    """Mean absolute step of ``y`` (n,), in log points if all values are positive, otherwise in the data's unit."""
    return float(np.abs(np.diff(np.log(y) if (y > 0).all() else y)).mean())


def drift(y: np.ndarray, horizon: int) -> ModelFit:
    """Linear drift f_k = y_T + k (y_T - y_1)/(T-1)."""
    k = np.arange(1, horizon + 1)
    slope = (y[-1] - y[0]) / (len(y) - 1)
    return ModelFit(
        forecast=y[-1] + k * slope,
        fitted=np.concatenate([[np.nan], y[:-1] + slope]),
        impulse=np.ones(horizon),
        slope_response=k.astype(float),
        n_parameters=1,
    )


def ses(fit: SmoothingFit, horizon: int) -> ModelFit:
    """Simple exponential smoothing: the last level carried forward. ``fit`` from :func:`~.smoothing.fit_ses`."""
    impulse = np.full(horizon, fit.alpha)
    impulse[0] = 1
    return ModelFit(
        forecast=np.full(horizon, fit.level),
        fitted=fit.fitted,
        impulse=impulse,
        slope_response=np.zeros(horizon),
        n_parameters=2,
    )


def theta(y: np.ndarray, fit: SmoothingFit, horizon: int) -> ModelFit:
    """Theta method (Assimakopoulos & Nikolopoulos 2000) in the form of Hyndman & Billah (2003).

    f_k = l + (b/2)(k - 1 + 1/a - (1-a)^T/a): smoothing level l with parameter a (``fit``), plus half the slope b of
    a least-squares line through the T observations.
    """
    k, a, t = np.arange(1, horizon + 1), fit.alpha, np.arange(len(y))
    slope = _ols_slope(y)
    return ModelFit(
        forecast=fit.level + slope / 2 * (k - 1 + (1 - (1 - a) ** len(y)) / a),
        fitted=fit.fitted + slope / 2 * (1 - (1 - a) ** t) / a,
        impulse=ses(fit, horizon).impulse,
        slope_response=k / 2,
        n_parameters=3,
    )


def damped(fit: SmoothingFit, horizon: int) -> ModelFit:
    """Damped trend: f_k = l_T + (phi + ... + phi^k) b_T. ``fit`` from :func:`~.smoothing.fit_damped`."""
    sums = np.cumsum(fit.phi ** np.arange(1, horizon + 1))
    return ModelFit(
        forecast=fit.level + sums * fit.slope,
        fitted=fit.fitted,
        impulse=np.concatenate([[1.0], fit.alpha + fit.beta * sums[:-1]]),
        slope_response=sums,
        n_parameters=5,
    )


def log_drift(y: np.ndarray, horizon: int) -> ModelFit:
    """Past growth compounded, f_k = y_T (y_T/y_1)^(k/(T-1)): a what-if, the worst forecaster on annual data."""
    fit = drift(np.log(y), horizon)
    return replace(fit, forecast=np.exp(fit.forecast), fitted=np.exp(fit.fitted))


def _combined(y: np.ndarray, smooth: tuple[SmoothingFit, SmoothingFit], horizon: int) -> dict[str, ModelFit]:
    """The four models of the combination on all of ``y`` (n,), ``smooth`` its simple and damped smoothing."""
    simple, trended = smooth
    return {
        "drift": drift(y, horizon),
        "theta": theta(y, simple, horizon),
        "damped": damped(trended, horizon),
        "ses": ses(simple, horizon),
    }


def combination(windows: Sequence[Mapping[str, ModelFit]]) -> ModelFit:
    """Median of drift, Theta, damped trend and smoothing, averaged over the last 100, 75 and 50 % of the sample.

    Equal weights, none estimated (Claeskens et al. 2016). ``windows`` hold the four for each window, the whole sample
    first; fitted values and responses are medians over that one.
    """
    whole = list(windows[0].values())
    medians = [np.median([fit.forecast for fit in window.values()], axis=0) for window in windows]
    return ModelFit(
        forecast=np.mean(medians, axis=0),
        fitted=np.median([fit.fitted for fit in whole], axis=0),
        impulse=np.median([fit.impulse for fit in whole], axis=0),
        slope_response=np.median([fit.slope_response for fit in whole], axis=0),
        n_parameters=float(np.mean([fit.n_parameters for fit in whole])),
    )


def window_lengths(n: int) -> list[int]:
    """Lengths of the combination's windows for ``n`` observations, longest first, without repeats."""
    least = min(MIN_WINDOW, n)
    return sorted({max(least, round(n * share)) for share in START_WINDOWS}, reverse=True)


def _carry_forward(y: np.ndarray, horizon: int, period: int) -> ModelFit:
    """Random walk (``period`` 1) or seasonal naive: the value of the same place in the last season."""
    steps = np.arange(horizon)
    return ModelFit(
        forecast=y[-period:][steps % period].copy(),
        fitted=np.concatenate([np.full(period, np.nan), y[:-period]]),
        impulse=(steps % period == 0).astype(float),
        slope_response=np.zeros(horizon),
        n_parameters=0,
    )


def local_trend(y: np.ndarray, horizon: int, set_apart: np.ndarray | None = None) -> ModelFit:
    """Local linear trend in logs (Harvey 1989; Durbin & Koopman 2012, ch. 3) of positive ``y`` (n,).

    log y_t = m_t + e_t, m_t = m_{t-1} + b_{t-1} + u_t, b_t = b_{t-1} + v_t, by maximum likelihood. ``set_apart`` (n,)
    marks periods that the Kalman filter steps over, which is the same as a pulse dummy for each of them.
    """
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    values = np.log(y)
    if set_apart is not None:
        values = np.where(set_apart, np.nan, values)
    best = fit_structural(UnobservedComponents(values, level="local linear trend", use_exact_diffuse=True))
    level_gain, slope_gain = np.asarray(best.filter_results.kalman_gain)[:, 0, -1]
    log_fitted = np.asarray(best.filter_results.forecasts)[0].copy()
    log_fitted[np.isnan(values)] = np.nan
    # The diffuse level and slope are both known after the second observation that is present.
    log_fitted[: int(np.flatnonzero(~np.isnan(values))[1]) + 1] = np.nan
    steps = np.arange(horizon)
    impulse = float(level_gain) + float(slope_gain) * (steps - 1)
    impulse[0] = 1
    return ModelFit(
        forecast=np.exp(np.asarray(best.forecast(horizon), dtype=float)),
        fitted=np.exp(log_fitted),
        impulse=impulse,
        slope_response=steps + 1.0,
        n_parameters=3,
    )


def fit_structural(model: "UnobservedComponents") -> "UnobservedComponentsResults":
    """The most likely of three fits of a statsmodels structural model.

    Its default optimiser stops early on such likelihoods, so Nelder-Mead runs from the default start and from where
    the first stopped.
    """
    search = {"method": "nm", "maxiter": 400, "xtol": 1e-6, "ftol": 1e-8, "disp": 0}
    with warnings.catch_warnings():
        # Optimiser chatter: convergence is judged by comparing the three fits, not by its message.
        warnings.simplefilter("ignore")
        first = model.fit(disp=0)
        tries = [first, model.fit(**search), model.fit(start_params=first.params, **search)]
    return max(tries, key=lambda fit: fit.llf)


def _fit_adjusted(
    y: np.ndarray,
    horizon: int,
    names: Sequence[str],
    windows: Sequence[Mapping[str, ModelFit]],
    set_apart: np.ndarray | None,
) -> dict[str, ModelFit]:
    """Models of a series without season, ``windows`` as for :func:`combination`."""
    fits = dict(windows[0]) if windows else {}
    if "combination" in names:
        fits["combination"] = combination(windows)
    if "log_drift" in names:
        fits["log_drift"] = log_drift(y, horizon)
    if "local_trend" in names:
        fits["local_trend"] = local_trend(y, horizon, set_apart)
    return fits


def _with_season(fit: ModelFit, season: Seasonality, y: np.ndarray) -> ModelFit:
    fitted = fit.fitted * y / season.adjusted if season.multiplicative else fit.fitted + y - season.adjusted
    return replace(fit, forecast=season.restore(fit.forecast), fitted=fitted)


def _floored(fit: ModelFit, floor: float) -> ModelFit:
    return replace(fit, forecast=np.maximum(fit.forecast, floor), fitted=np.maximum(fit.fitted, floor))


def _ols_slope(y: np.ndarray) -> float:
    t = np.arange(len(y)) - (len(y) - 1) / 2
    return float(t @ y / (t @ t))
