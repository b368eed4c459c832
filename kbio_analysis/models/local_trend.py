"""Local linear trend in logs (Harvey 1989; Durbin & Koopman 2012, ch. 3), the COVID years set apart.

log y_t = m_t + w'D_t + e_t, m_t = m_{t-1} + b_{t-1} + u_t, b_t = b_{t-1} + v_t, with one pulse dummy in D for each
period of 2020-22. A pulse dummy with a free coefficient is the same as treating the period as missing, which is how
it is done here: no coefficient is spent and the Kalman filter steps over the gap.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.structural import UnobservedComponents, UnobservedComponentsResults

COVID_YEARS = (2020, 2021, 2022)
"""Years set apart as a break of known date."""

MIN_AFTER_COVID = 2
"""Observations needed after the break: with fewer, what follows it cannot be told from the break itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTrendFit:
    """``forecast`` (horizon,) in the data's unit; ``log_fitted`` (n,) one-step forecasts in logs, NaN where set apart

    or not yet defined; ``level_gain`` and ``slope_gain`` the response of next period's state to one error;
    ``variances`` (irregular, level, slope) in squared log points; ``log_likelihood`` of the fit.
    """

    forecast: np.ndarray
    log_fitted: np.ndarray
    level_gain: float
    slope_gain: float
    variances: np.ndarray
    log_likelihood: float


def covid_mask(years: np.ndarray, minimum: int) -> np.ndarray:
    """Which observations (by calendar ``years``, (n,)) to set apart; none if too few would remain, or follow."""
    inside = np.isin(years, COVID_YEARS)
    enough = (~inside).sum() >= minimum and (years > COVID_YEARS[-1]).sum() >= MIN_AFTER_COVID
    return inside if enough else np.zeros(len(years), dtype=bool)


def fit_local_trend(y: np.ndarray, horizon: int, set_apart: np.ndarray | None = None) -> LocalTrendFit:
    """Maximum-likelihood fit to positive ``y`` (n,); ``set_apart`` (n,) bool marks periods to step over."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    values = np.log(y)
    if set_apart is not None:
        values = np.where(set_apart, np.nan, values)
    best = fit_structural(UnobservedComponents(values, level="local linear trend", use_exact_diffuse=True))
    gain = np.asarray(best.filter_results.kalman_gain)[:, 0, -1]
    log_fitted = np.asarray(best.filter_results.forecasts)[0].copy()
    log_fitted[np.isnan(values)] = np.nan
    log_fitted[: _burn_in(values)] = np.nan
    return LocalTrendFit(
        forecast=np.exp(np.asarray(best.forecast(horizon), dtype=float)),
        log_fitted=log_fitted,
        level_gain=float(gain[0]),
        slope_gain=float(gain[1]),
        variances=np.asarray(best.params, dtype=float),
        log_likelihood=float(best.llf),
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


def _burn_in(values: np.ndarray) -> int:
    """Observations until the diffuse level and slope are both known: the second that is present, plus one."""
    present = np.flatnonzero(~np.isnan(values))
    return int(present[1]) + 1
