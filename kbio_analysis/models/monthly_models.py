"""A monthly series beside an export target: forecast by its own models, and asked for the same multiple.

The series is longer than the definition behind the target but counts other goods: it says how likely its own yearly
total is to grow by the target's multiple over the same years.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from kbio_analysis.models.backtest import point_errors
from kbio_analysis.models.checks import check_levels, years_index
from kbio_analysis.models.forecast import annual_totals, forecast
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
    """What a monthly series says of a multiple of its own base year. Values in US$ million.

    ``base_total`` the base year's sum (None if a month is missing) and ``level`` the multiple of it. ``by_month``:
    period (text), actual; with a forecast also forecast, lo_L and hi_L of the main model. ``by_year``: year x
    published (whole years); with a forecast also median, lo_L and hi_L of the simulated sums, methods weighted alike.
    ``by_model`` each model's point forecast of the target year and ``chance`` that of reaching ``level``; both are
    None without a forecast.
    """

    base_total: float | None
    level: float | None
    by_month: pd.DataFrame
    by_year: pd.DataFrame
    by_model: pd.Series | None = None
    chance: TargetProbability | None = None


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
    y, levels = years_index(y, "y"), check_levels(levels)
    base = y[y.index.year == base_year]
    months_ahead = (pd.Period(f"{target_year}-12", "M") - y.index[-1]).n
    base_total = float(base.sum()) if len(base) == 12 else None
    by_month = pd.DataFrame({"period": y.index.astype(str), "actual": y.to_numpy()})
    by_year = y.groupby(y.index.year.rename("year")).agg(["sum", "count"])
    by_year = by_year["sum"][by_year["count"] == 12].to_frame("published")
    if base_total is None or len(y) < MIN_TREND_POINTS["monthly"] or months_ahead < 1:
        level = None if base_total is None else target_multiple * base_total
        return MonthlyOutlook(base_total=base_total, level=level, by_month=by_month, by_year=by_year)
    ahead = forecast(y, months_ahead, levels=levels, n_paths=n_paths, seed=seed)
    rows, totals = ahead.table, annual_totals(y, ahead.paths)
    ends = [f"{side}_{level:g}" for level in sorted(levels) for side in ("lo", "hi")]
    main = rows[rows["model"] == ahead.main].sort_values("horizon")[["period", "forecast", *ends]]
    points = rows.pivot(index="model", columns="period", values="forecast").reindex(list(ahead.models))
    level = target_multiple * base_total
    return MonthlyOutlook(
        base_total=base_total,
        level=level,
        by_month=pd.concat([by_month, main.astype({"period": str})], ignore_index=True),
        by_year=pd.concat([by_year, _bands(totals, levels)], axis=1).rename_axis("year"),
        by_model=annual_totals(y, points)[pd.Period(target_year, "Y")],
        chance=probability(totals, level, target_year),
    )


def _bands(totals: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Quantiles of the simulated yearly sums, every method with the same number of draws."""
    tails = {"median": 0.5}
    for level in sorted(levels):
        tails |= {f"lo_{level:g}": 0.5 - level / 200, f"hi_{level:g}": 0.5 + level / 200}
    frame = totals.quantile(list(tails.values())).T.set_axis(list(tails), axis=1)
    return frame.set_axis(totals.columns.year, axis=0)


def accuracy(y: pd.Series, *, step: int = 2) -> pd.DataFrame:
    """Out-of-sample error of each model on ``y``: model, mase (averaged over horizons of 1 to 12 months), naive.

    Rolling origins ``step`` months apart, the first after FIRST_ORIGIN months; no row if that leaves fewer than
    FEWEST_ORIGINS.
    """
    y = years_index(y, "y")
    if len(y) - TEST_HORIZON - FIRST_ORIGIN < step * (FEWEST_ORIGINS - 1):
        return pd.DataFrame(columns=["model", "mase", "naive"]).astype({"mase": float, "naive": bool})
    tested = point_errors(y, TEST_HORIZON, min_train=FIRST_ORIGIN, step=step)
    errors = tested.groupby(level="model", sort=False).mean().reset_index()
    return errors.assign(naive=errors["model"].isin(NAIVE))
