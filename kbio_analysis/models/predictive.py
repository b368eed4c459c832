"""The predictive distributions behind a forecast: simulated draws, and the errors of the same models elsewhere.

Draws carry two sources of error: the shocks still to come, and the doubt about the step estimated from n of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import CheckedSeries, check_count, regular_panel
from kbio_analysis.models.conformal import Band, Calibration, apply_errors, band, calibrate, last_run
from kbio_analysis.models.point_models import ModelFit, SeriesFits, fit_many
from kbio_analysis.models.smoothing import fit_ses
from kbio_analysis.vocabulary import MIN_TREND_POINTS

MIN_RESIDUALS = 5
"""Fewest one-step errors worth resampling."""

SLOW = ("local_trend",)
"""Models not refitted on every reference series; the combination's errors stand in for theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictive:
    """Everything random about one forecast.

    ``draws`` model -> (n, horizon) in the series' unit; ``structural`` (n, horizon) draws of growth with parameter
    uncertainty; ``calibration`` and ``multiples`` (m, horizon) from the reference panel, None without one;
    ``future`` the forecast periods; ``main`` the model to quote.
    """

    series: CheckedSeries
    fits: SeriesFits
    future: pd.PeriodIndex
    main: str
    draws: Mapping[str, np.ndarray]
    structural: np.ndarray
    calibration: Calibration | None
    multiples: np.ndarray | None

    def center(self, name: str) -> np.ndarray:
        """Point forecast (horizon,) of a model; for the reference class the median growth from the last value."""
        if name == "reference_class":
            return np.median(self.draws[name], axis=0)
        return self.fits.models[name].forecast

    def bands(self, name: str, level: float) -> dict[str, Band]:
        """The parts of a model's interval at ``level`` per cent, by method."""
        if name == "reference_class":
            growth = np.log(self.multiples)
            base = np.full(growth.shape[1], self.series.values[-1])
            return {"reference_class": band(base, 1.0, growth, level, logs=True)}
        tails = np.quantile(self.draws[name], [0.5 - level / 200, 0.5 + level / 200], axis=0)
        own = Band(low=tails[0], high=tails[1], attainable=True, coverage_pct=float(level))
        parts = {"bootstrap" if self.series.trend_allowed else "structural": own}
        errors = self.conformal_errors(name)
        if errors is not None:
            logs, q = self.calibration.logs, self.fits.step_scale
            parts["conformal"] = band(self.center(name), q, errors, level, logs=logs)
        return parts

    def conformal_errors(self, name: str) -> np.ndarray | None:
        """Standardised errors (m, horizon) of the model, or of its stand-in, on the reference series."""
        if self.calibration is None:
            return None
        return self.calibration.of("combination" if name in SLOW else name)

    def paths(self) -> pd.DataFrame:
        """Draws of the main model's future by every method; rows (method, draw), columns periods."""
        methods: dict[str, np.ndarray] = {}
        errors = self.conformal_errors(self.main) if self.main in self.fits.models else None
        if errors is not None:
            methods["conformal"] = apply_errors(
                self.center(self.main), self.fits.step_scale, errors, logs=self.calibration.logs
            )
        if self.series.trend_allowed and self.main in self.fits.models:
            methods["bootstrap"] = self.draws[self.main]
        methods["structural"] = self.structural
        if self.multiples is not None:
            methods["reference_class"] = self.series.values[-1] * self.multiples
        frames = {name: pd.DataFrame(draws, columns=self.future) for name, draws in methods.items()}
        return pd.concat(frames, names=["method", "draw"])


def predict(
    series: CheckedSeries,
    names: Sequence[str],
    fits: SeriesFits,
    horizon: int,
    *,
    reference: pd.DataFrame | None,
    n_paths: int,
    seed: int,
) -> Predictive:
    """Draw the predictive distributions of the fitted models, and calibrate them on a reference panel if one is given.

    Raises :class:`ModelInputError` if no series of the panel is long enough.
    """
    calibration, multiples = None, None
    # The mean step of a handful of points is too uncertain to scale other series' errors by.
    if reference is not None and series.trend_allowed:
        calibration = _calibration(series, fits, horizon, reference)
    if reference is not None and series.positive:
        multiples = growth_multiples(reference, horizon).to_numpy()
    structural = _structural(series, fits, horizon, n_paths, _generator(seed, "structural"))
    draws: dict[str, np.ndarray] = {}
    for name in names:
        if name == "reference_class":
            draws[name] = series.values[-1] * multiples
        elif series.trend_allowed:
            draws[name] = bootstrap_draws(fits.models[name], series.values, n_paths, _generator(seed, name))
        else:
            draws[name] = structural
    return Predictive(
        series=series,
        fits=fits,
        future=pd.period_range(series.index[-1] + 1, periods=horizon, freq=series.index.freq, name="period"),
        main="combination" if "combination" in draws else next(iter(draws)),
        draws=MappingProxyType(draws),
        structural=structural,
        calibration=calibration,
        multiples=multiples,
    )


def _calibration(series: CheckedSeries, fits: SeriesFits, horizon: int, reference: pd.DataFrame) -> Calibration:
    names = [n for n in fits.models if n not in SLOW]
    if len(names) < len(fits.models) and "combination" not in names:
        names.append("combination")

    def point_forecasts(pasts: Sequence[np.ndarray], steps: int) -> list[tuple[dict[str, np.ndarray], float]]:
        fitted = fit_many(pasts, steps, names, period=series.season_length)
        return [({n: m.forecast for n, m in f.models.items()}, f.step_scale) for f in fitted]

    return calibrate(
        reference,
        horizon,
        point_forecasts,
        logs=series.positive,
        history=len(series.values),
        min_history=MIN_TREND_POINTS[series.frequency],
    )


def _structural(
    series: CheckedSeries, fits: SeriesFits, horizon: int, n_paths: int, rng: np.random.Generator
) -> np.ndarray:
    if not series.trend_allowed:
        return structural_draws(series.values, horizon, n_paths, rng, growing=False)
    adjusted, period = fits.season.adjusted, series.season_length
    level = fit_ses(adjusted).level if period > 1 else None
    draws = structural_draws(adjusted, horizon, n_paths, rng, period=period, level=level)
    return fits.season.restore(draws)


def _generator(seed: int, name: str) -> np.random.Generator:
    """A stream of its own for each model, so that leaving one out does not move the others."""
    return np.random.default_rng([seed, *name.encode()])


def bootstrap_draws(fit: ModelFit, y: np.ndarray, n_paths: int, rng: np.random.Generator) -> np.ndarray:
    """Paths (n_paths, horizon) of ``fit``, a model of ``y`` (n,), by moving-block bootstrap of its one-step errors.

    Error at horizon k: sum_j impulse_j e_{k-j} + slope_response_k d, with e drawn in blocks of n^(1/3) (Kunsch 1989)
    from the model's centred errors, scaled by sqrt(n/(n-p)), and d normal with the standard error of a mean step.
    Errors are in logs when ``y`` is positive, so no path is negative; otherwise in the data's unit.
    """
    logs = bool((y > 0).all())
    errors = _one_step_errors(fit, y)
    horizon, n = len(fit.forecast), len(errors)
    shocks = _blocks(errors, n_paths, horizon, rng)
    # lag[k, i] is the response at horizon k+1 to the shock of step i+1.
    lag = np.arange(horizon)[:, None] - np.arange(horizon)[None, :]
    response = np.where(lag >= 0, fit.impulse[np.clip(lag, 0, None)], 0.0)
    step_error = errors.std() * min(1.0, float(fit.impulse[-1])) / np.sqrt(n)
    doubt = rng.standard_normal((n_paths, 1)) * step_error * fit.slope_response
    total = shocks @ response.T + doubt
    return fit.forecast * np.exp(total) if logs else fit.forecast + total


def _one_step_errors(fit: ModelFit, y: np.ndarray) -> np.ndarray:
    """Centred one-step errors of the sample, scaled up for the parameters they were fitted with; log if ``y`` > 0.

    Raises :class:`ModelInputError` if fewer than five errors exist.
    """
    errors = np.log(y) - np.log(fit.fitted) if (y > 0).all() else y - fit.fitted
    errors = errors[np.isfinite(errors)]
    n = len(errors)
    if n < MIN_RESIDUALS:
        raise ModelInputError(
            f"{n} one-step errors are too few to resample, {MIN_RESIDUALS} are needed; use a longer series"
        )
    return (errors - errors.mean()) * np.sqrt(n / max(n - fit.n_parameters, 1))


def structural_draws(
    y: np.ndarray,
    horizon: int,
    n_paths: int,
    rng: np.random.Generator,
    *,
    growing: bool = True,
    period: int = 1,
    level: float | None = None,
) -> np.ndarray:
    """Paths (n_paths, horizon) of ``y`` (n,) with t-distributed steps and parameter uncertainty.

    Steps are log growth when ``y`` is positive, differences otherwise.

    The predictive variance of h steps is h s^2 + h^2 s^2/n (n steps observed): s^2 is drawn from its
    scaled inverse chi-square, the mean from N(gbar, s^2/n), both once a path. ``growing`` False fixes the mean at
    zero (too few points for a trend: a random walk). For ``period`` > 1, s^2 is the long-run variance (Bartlett
    window one season long), because month-to-month noise cancels; the noise itself is added back at each horizon
    and the path starts at ``level`` instead of the last, noisy, value.
    """
    logs = bool((y > 0).all())
    values = np.log(y) if logs else y
    steps = np.diff(values)
    mean = float(steps.mean()) if growing else 0.0
    variance, freedom, noise = _growth_variance(steps - mean, period, used=int(growing))
    s = np.sqrt(variance * freedom / rng.chisquare(freedom, size=(n_paths, 1)))
    drift = mean + (rng.standard_normal((n_paths, 1)) * s / np.sqrt(len(steps)) if growing else 0.0)
    total = np.cumsum(drift + s * rng.standard_normal((n_paths, horizon)), axis=1)
    total = total + noise * rng.standard_normal((n_paths, horizon))
    if level is not None:
        return level * np.exp(total) if logs else level + total
    return y[-1] * np.exp(total) if logs else y[-1] + total


def _growth_variance(deviations: np.ndarray, period: int, *, used: int) -> tuple[float, float, float]:
    """Variance a step, its degrees of freedom, and the standard deviation of noise round the level."""
    n = len(deviations)
    ordinary = float(deviations @ deviations) / (n - used)
    if period == 1:
        return ordinary, float(n - used), 0.0
    bandwidth = min(period, n - 1)
    weights = 1 - np.arange(1, bandwidth) / bandwidth
    autocovariances = [float(deviations[lag:] @ deviations[:-lag]) / n for lag in range(1, bandwidth)]
    long_run = ordinary + 2 * float(weights @ autocovariances)
    # A random walk seen through noise: var(step) = long-run variance + 2 var(noise). Bartlett's long-run estimate at
    # frequency zero has 1.5 n / bandwidth degrees of freedom (Priestley 1981, table 6.1, halved at the origin).
    long_run = min(max(long_run, ordinary / bandwidth), ordinary)
    return long_run, max(1.5 * n / bandwidth, 2.0), float(np.sqrt((ordinary - long_run) / 2))


def _blocks(errors: np.ndarray, n_paths: int, horizon: int, rng: np.random.Generator) -> np.ndarray:
    """Moving-block resamples (n_paths, horizon) of ``errors`` (n,), whole resamples of n one after another."""
    n = len(errors)
    block, per_path = int(np.ceil(n ** (1 / 3))), -(-horizon // n)
    starts = rng.integers(n - block + 1, size=(n_paths * per_path, -(-n // block)))
    rows = errors[(starts[:, :, None] + np.arange(block)).reshape(len(starts), -1)[:, :n]]
    return rows.reshape(n_paths, per_path * n)[:, :horizon]


def growth_multiples(panel: pd.DataFrame, horizon: int, *, min_value: float = 0.0) -> pd.DataFrame:
    """Value over the value at the origin, 1..``horizon`` steps on: rows series, columns horizon.

    One origin a series, ``horizon`` steps before its last observation. Only the last unbroken run of a series counts;
    series whose origin value is not above ``min_value`` (unit of the panel) or with values that are not positive are
    left out. Raises :class:`ModelInputError` if none remains.
    """
    panel = regular_panel(panel)
    check_count(horizon, "horizon", most=400)
    paths = {}
    for name in panel.columns:
        run = last_run(panel[name].to_numpy())[-(horizon + 1) :]
        if len(run) == horizon + 1 and run[0] > min_value and (run > 0).all():
            paths[str(name)] = run[1:] / run[0]
    if not paths:
        raise ModelInputError(
            f"reference panel: no series has {horizon + 1} positive values in a row; shorten the horizon"
        )
    columns = pd.RangeIndex(1, horizon + 1, name="horizon")
    return pd.DataFrame.from_dict(paths, orient="index", columns=columns).rename_axis("series")
