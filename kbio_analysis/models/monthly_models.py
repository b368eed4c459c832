"""A monthly series beside an export target: forecast by its own models, and asked for the same multiple.

The series is longer than the definition behind the target but counts other goods: it says how likely its own yearly
total is to grow by the target's multiple over the same years.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from kbio_analysis.models.backtest import rolling_origin
from kbio_analysis.models.forecast import Forecast, annual_totals, forecast
from kbio_analysis.models.targets import TargetProbability, probability
from kbio_analysis.vocabulary import MIN_TREND_POINTS

NAIVE = ("random_walk", "seasonal_naive")
"""The forecasts every other one is held against."""

TEST_HORIZON = 12
"""Months ahead over which the models are compared."""

FIRST_ORIGIN = 30
"""Months a model sees before its first test: half a year more than a trend needs."""

FEWEST_ORIGINS = 6
"""Fewest origins a comparison rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyOutlook:
    """What a monthly series says of a multiple of its own base year.

    ``ahead`` its forecast to December of the target year, ``base_total`` and ``level`` in US$ million a year;
    ``by_model`` each model's point forecast of the target year; ``totals`` simulated calendar-year sums; ``chance``
    of reaching ``level``; ``bands`` year x (median, lo_L, hi_L) of ``totals``, methods weighted alike; ``complete``
    the observed calendar-year sums. The five of the forecast are None when there is none.
    """

    observed: pd.Series
    base_year: int
    target_year: int
    base_total: float | None
    level: float | None
    ahead: Forecast | None
    by_model: pd.Series | None
    totals: pd.DataFrame | None
    bands: pd.DataFrame | None
    complete: pd.Series
    chance: TargetProbability | None


def outlook(
    y: pd.Series,
    *,
    base_year: int,
    target_year: int,
    target_multiple: float,
    levels: Sequence[float],
    n_paths: int,
    seed: int,
) -> MonthlyOutlook:
    """Forecast monthly ``y`` to the end of the target year and ask for ``target_multiple`` times its base year.

    There is no forecast of a series that lacks a whole base year, is too short for a trend, or covers the target year.
    """
    base = y[y.index.year == base_year]
    months_ahead = (pd.Period(f"{target_year}-12", "M") - y.index[-1]).n
    base_total = float(base.sum()) if len(base) == 12 else None
    level = None if base_total is None else target_multiple * base_total
    can_be_forecast = base_total is not None and len(y) >= MIN_TREND_POINTS["monthly"] and months_ahead > 0
    ahead = by_model = totals = bands = chance = None
    if can_be_forecast:
        ahead = forecast(y, months_ahead, levels=levels, n_paths=n_paths, seed=seed)
        by_model = annual_totals(y, _point_paths(ahead))[pd.Period(target_year, "Y")]
        totals = annual_totals(y, ahead.paths)
        bands = _bands(totals, levels)
        chance = probability(totals, level, target_year)
    by_year = y.groupby(y.index.year).agg(["sum", "count"])
    return MonthlyOutlook(
        observed=y,
        base_year=base_year,
        target_year=target_year,
        base_total=base_total,
        level=level,
        ahead=ahead,
        by_model=by_model,
        totals=totals,
        bands=bands,
        complete=by_year["sum"][by_year["count"] == 12].rename_axis("year"),
        chance=chance,
    )


def _bands(totals: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Quantiles of the simulated yearly sums, every method with the same number of draws."""
    tails = {"median": 0.5}
    for level in sorted(levels):
        tails |= {f"lo_{level}": 0.5 - level / 200, f"hi_{level}": 0.5 + level / 200}
    frame = totals.quantile(list(tails.values())).T.set_axis(list(tails), axis=1)
    return frame.set_axis(totals.columns.year, axis=0).rename_axis("year")


def _point_paths(ahead: Forecast) -> pd.DataFrame:
    """Point forecasts as one path a model: models x months."""
    return ahead.table.pivot(index="model", columns="period", values="forecast").reindex(list(ahead.models))


def accuracy(y: pd.Series, *, step: int = 2) -> pd.Series | None:
    """Out-of-sample error of each model on ``y``: MASE averaged over horizons of 1 to 12 months, by model.

    Rolling origins ``step`` months apart, the first after FIRST_ORIGIN months; None if that leaves fewer than
    FEWEST_ORIGINS.
    """
    first = FIRST_ORIGIN
    if len(y) - TEST_HORIZON - first < step * (FEWEST_ORIGINS - 1):
        return None
    tested = rolling_origin(y, TEST_HORIZON, min_train=first, step=step)
    return tested.scores["mase"].groupby(level="model", sort=False).mean()
