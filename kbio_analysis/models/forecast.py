"""Forecast a short annual or monthly series: several models, none selected, with widths that were measured.

Point forecasts come from :mod:`.point_models`. An interval is the envelope of up to two: panel-conformal from a
reference panel (:mod:`.conformal`) and a simulation from the series itself (:mod:`.predictive`); the wider limit is
used on each side. With too few points for a trend only the last value is carried forward, beside the growth that the
reference series showed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import (
    CheckedSeries,
    check_count,
    check_levels,
    check_names,
    check_series,
    frequency_of,
    regular_panel,
    require_positive,
)
from kbio_analysis.models.point_models import LOG_MODELS, covid_mask, fit_models
from kbio_analysis.models.predictive import Predictive, predict
from kbio_analysis.vocabulary import INTERVAL_LEVELS, MIN_TREND_POINTS, MODELS

TRENDLESS = ("random_walk", "reference_class")
"""What may be said about a series too short for a trend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Forecasts of one series by several models, in the unit of the input.

    ``table``: the long contract, one row a model and period: series, period, cutoff, horizon, model, actual (NaN),
    forecast, then lo_L and hi_L for each level L. ``intervals``: the parts of each interval, one row a model, horizon,
    level and method (conformal, bootstrap, structural, reference_class): lo, hi, attainable, coverage_pct.
    ``paths``: draws of the main model, rows (method, draw), columns future periods; methods conformal and
    reference_class have one draw for each reference series. ``draws``: model -> (n, horizon) predictive draws.
    ``models`` in order; ``main`` the one to quote. ``observed`` the input series.
    """

    series: str
    table: pd.DataFrame
    intervals: pd.DataFrame
    paths: pd.DataFrame
    draws: Mapping[str, np.ndarray]
    models: tuple[str, ...]
    main: str
    observed: pd.Series


def forecast(
    y: pd.Series,
    horizon: int,
    *,
    models: Iterable[str] | None = None,
    levels: Sequence[float] = INTERVAL_LEVELS,
    reference: pd.DataFrame | None = None,
    n_paths: int = 2000,
    seed: int = 0,
) -> Forecast:
    """Forecast ``y`` (3 to 400 periods, annual or monthly) ``horizon`` periods ahead.

    ``models`` from ``vocabulary.MODELS`` (default: all that suit the series); ``reference`` a wide panel (periods x
    series) of the same frequency for conformal widths and reference-class growth; ``levels`` per cent. The same
    arguments give the same numbers. Raises :class:`ModelInputError` for input that must be refused.
    """
    series = check_series(y)
    horizon = check_count(horizon, "horizon", most=400)
    n_paths = check_count(n_paths, "n_paths", least=100)
    seed = check_count(seed, "seed", least=0, most=2**32 - 1)
    levels = check_levels(levels)
    if reference is not None:
        reference = regular_panel(reference)
        if frequency_of(reference.index, "reference panel") != series.frequency:
            raise ModelInputError(f"reference panel is not {series.frequency} as {series.name} is; give one that is")
    names = _choose_models(series, models, reference is not None)
    set_apart = covid_mask(series.index.year.to_numpy(), MIN_TREND_POINTS[series.frequency])
    fits = fit_models(
        series.values,
        horizon,
        [n for n in names if n != "reference_class"],
        period=series.season_length if series.trend_allowed else 1,
        set_apart=set_apart,
    )
    basis = predict(series, names, fits, horizon, reference=reference, n_paths=n_paths, seed=seed)
    names = list(basis.draws)
    intervals = _intervals(basis, names, levels)
    return Forecast(
        series=series.name,
        table=_table(basis, names, intervals, levels),
        intervals=intervals,
        paths=basis.paths(),
        draws=basis.draws,
        models=tuple(names),
        main=basis.main,
        observed=pd.Series(series.values, index=series.index, name=series.name),
    )


def annual_totals(y: pd.Series, paths: pd.DataFrame) -> pd.DataFrame:
    """Calendar-year sums of monthly ``paths``, months already observed in ``y`` included.

    Rows as ``paths``; columns annual periods, only years that are complete and hold at least one simulated month.
    """
    if frequency_of(paths.columns, "paths") != "monthly" or frequency_of(y.index, "observed series") != "monthly":
        raise ModelInputError(
            "annual totals are taken of monthly paths and a monthly series; annual ones are totals already"
        )
    simulated = paths.T.groupby(paths.columns.year).sum().T
    months_ahead = pd.Series(1, index=paths.columns).groupby(paths.columns.year).sum()
    observed = y.groupby(y.index.year).agg(["sum", "count"]).reindex(months_ahead.index, fill_value=0)
    totals = simulated.add(observed["sum"], axis=1)
    complete = months_ahead.index[(months_ahead + observed["count"]) == 12]
    totals = totals[complete]
    totals.columns = pd.PeriodIndex([str(year) for year in complete], freq="Y", name="period")
    return totals


def _choose_models(series: CheckedSeries, models: Iterable[str] | None, has_reference: bool) -> list[str]:
    """Models that suit the series: below MIN_TREND_POINTS only TRENDLESS. Refuses an explicit choice that does not."""
    asked, explicit = check_names(MODELS if models is None else models, MODELS), models is not None
    if explicit and "seasonal_naive" in asked and series.frequency == "annual":
        raise ModelInputError("seasonal_naive needs a monthly series; use random_walk for an annual one")
    if explicit and "reference_class" in asked and not has_reference:
        raise ModelInputError("reference_class needs a panel of other series; pass `reference`")
    for name in (*LOG_MODELS, "reference_class") if explicit else ():
        if name in asked:
            require_positive(series.values, series.name, name)
    unsuitable = {
        *(() if series.frequency == "monthly" else ("seasonal_naive",)),
        *(() if has_reference and series.positive else ("reference_class",)),
        *(() if series.positive else LOG_MODELS),
    }
    names = [n for n in asked if n not in unsuitable and (series.trend_allowed or n in TRENDLESS)]
    if not names:
        raise ModelInputError(
            f"{series.name}: {len(series.values)} {series.frequency} points, {MIN_TREND_POINTS[series.frequency]} are "
            f"needed for {', '.join(asked)}; use random_walk, or reference_class with `reference`"
        )
    return names


def _intervals(basis: Predictive, names: Sequence[str], levels: Sequence[float]) -> pd.DataFrame:
    """Every part of every interval, long."""
    rows = []
    for name in names:
        for level in levels:
            for method, band in basis.bands(name, level).items():
                limits = zip(band.low, band.high, strict=True)
                rows.extend(
                    (name, k, level, method, low, high, band.attainable, band.coverage_pct)
                    for k, (low, high) in enumerate(limits, start=1)
                )
    columns = ["model", "horizon", "level", "method", "lo", "hi", "attainable", "coverage_pct"]
    return pd.DataFrame(rows, columns=columns)


def _table(basis: Predictive, names: Sequence[str], intervals: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """The long contract; a level's limits are the wider of its methods', and never inside a lower level's."""
    frames = []
    wider = intervals.groupby(["model", "level", "horizon"], sort=False).agg(lo=("lo", "min"), hi=("hi", "max"))
    for name in names:
        frame = pd.DataFrame({"series": basis.series.name, "period": basis.future, "cutoff": basis.series.index[-1]})
        frame["horizon"] = np.arange(1, len(frame) + 1)
        frame["model"] = name
        frame["actual"] = np.nan
        frame["forecast"] = basis.center(name)
        low, high = np.full(len(frame), np.inf), np.full(len(frame), -np.inf)
        for level in levels:
            low = np.minimum(low, wider.loc[(name, level), "lo"].to_numpy())
            high = np.maximum(high, wider.loc[(name, level), "hi"].to_numpy())
            frame[f"lo_{level:g}"], frame[f"hi_{level:g}"] = low, high
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
