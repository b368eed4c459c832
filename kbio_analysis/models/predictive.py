"""The predictive distributions behind a forecast: simulated draws and conformal errors, model by model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import CheckedSeries
from kbio_analysis.models.conformal import Band, Calibration, apply_errors, band, calibrate
from kbio_analysis.models.growth_reference import GrowthMultiples, growth_multiples
from kbio_analysis.models.members import SeriesFits, fit_many
from kbio_analysis.models.simulation import bootstrap_draws, structural_draws
from kbio_analysis.models.smoothing import fit_ses
from kbio_analysis.vocabulary import MIN_TREND_POINTS, MODELS

Result = TypeVar("Result")

SLOW = ("local_trend",)
"""Members not refitted on every reference series; the combination's errors stand in for theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictive:
    """Everything random about one forecast.

    ``draws`` model -> (n, horizon) in the series' unit; ``structural`` (n, horizon) draws of growth with parameter
    uncertainty; ``calibration`` and ``multiples`` from the reference panel, None without one; ``future`` the
    forecast periods; ``main`` the model to quote; ``notes`` what went missing on the way.
    """

    series: CheckedSeries
    fits: SeriesFits
    future: pd.PeriodIndex
    main: str
    draws: Mapping[str, np.ndarray]
    structural: np.ndarray
    calibration: Calibration | None
    multiples: GrowthMultiples | None
    notes: tuple[str, ...]

    def center(self, name: str) -> np.ndarray:
        """Point forecast (horizon,) of a model; for the reference class the median growth from the last value."""
        if name == "reference_class":
            return np.median(self.draws[name], axis=0)
        return self.fits.members[name].forecast

    def bands(self, name: str, level: float) -> dict[str, Band]:
        """The parts of a model's interval at ``level`` per cent, by method."""
        if name == "reference_class":
            growth = np.log(self.multiples.paths.to_numpy())
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
        errors = self.conformal_errors(self.main) if self.main in self.fits.members else None
        if errors is not None:
            methods["conformal"] = apply_errors(
                self.center(self.main), self.fits.step_scale, errors, logs=self.calibration.logs
            )
        if self.series.trend_allowed and self.main in self.fits.members:
            methods["bootstrap"] = self.draws[self.main]
        methods["structural"] = self.structural
        if self.multiples is not None:
            methods["reference_class"] = self.series.values[-1] * self.multiples.paths.to_numpy()
        frames = {name: pd.DataFrame(draws, columns=self.future) for name, draws in methods.items()}
        return pd.concat(frames, names=["method", "draw"])

    def describe(self, name: str) -> str:
        """How a model's forecast and width were made, in one sentence."""
        what = MODELS[name]
        if name == "reference_class":
            return f"{what}; {len(self.multiples.paths)} reference series, one origin each"
        own = "block bootstrap of its own errors" if self.series.trend_allowed else "Student t walk of its own steps"
        season = "; season taken out first" if self.fits.season.found and name not in _RAW else ""
        if self.calibration is None:
            return f"{what}{season}; width from a {own}"
        stand_in = " of the combination" if name in SLOW else ""
        others = f"errors{stand_in} on {self.calibration.n_series} reference series"
        return f"{what}{season}; width the wider of {others} and a {own}"


_RAW = ("random_walk", "seasonal_naive")


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
    """Draw the predictive distributions of the fitted models.

    A reference panel too short to use becomes a note, and ``reference_class`` then has no draws. Raises
    :class:`ModelInputError` if that leaves no model.
    """
    notes: list[str] = []
    calibration, multiples = None, None
    if reference is not None:
        # The mean step of a handful of points is too uncertain to scale other series' errors by.
        if series.trend_allowed:
            calibration = _noted(notes, _calibration, series, fits, horizon, reference)
        multiples = _noted(notes, growth_multiples, reference, horizon) if series.positive else None
    structural = _structural(series, fits, horizon, n_paths, _generator(seed, "structural"))
    draws: dict[str, np.ndarray] = {}
    for name in names:
        if name == "reference_class":
            if multiples is not None:
                draws[name] = series.values[-1] * multiples.paths.to_numpy()
        elif series.trend_allowed:
            draws[name] = bootstrap_draws(fits.members[name], series.values, n_paths, _generator(seed, name))
        else:
            draws[name] = structural
    if not draws:
        raise ModelInputError(f"{series.name}: {', '.join(names)} cannot be made; {' '.join(notes)}")
    return Predictive(
        series=series,
        fits=fits,
        future=pd.period_range(series.index[-1] + 1, periods=horizon, freq=series.index.freq, name="period"),
        main="combination" if "combination" in draws else next(iter(draws)),
        draws=MappingProxyType(draws),
        structural=structural,
        calibration=calibration,
        multiples=multiples,
        notes=tuple(notes),
    )


def _noted(notes: list[str], function: Callable[..., Result], *arguments: object) -> Result | None:
    """The result, or None with the refusal kept as a note for the reader."""
    try:
        return function(*arguments)
    except ModelInputError as refusal:
        notes.append(str(refusal))
        return None


def _calibration(series: CheckedSeries, fits: SeriesFits, horizon: int, reference: pd.DataFrame) -> Calibration:
    names = [n for n in fits.members if n not in SLOW]
    if len(names) < len(fits.members) and "combination" not in names:
        names.append("combination")

    def point_forecasts(pasts: Sequence[np.ndarray], steps: int) -> list[tuple[dict[str, np.ndarray], float]]:
        fitted = fit_many(pasts, steps, names, period=series.season_length)
        return [({n: m.forecast for n, m in f.members.items()}, f.step_scale) for f in fitted]

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
