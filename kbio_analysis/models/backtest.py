"""Rolling-origin backtest: what each model would have said, from every past origin, beside the naive ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import scores
from kbio_analysis.models.checks import CheckedSeries, check_count, check_names, check_series
from kbio_analysis.models.forecast import Forecast, forecast
from kbio_analysis.models.point_models import covid_mask, fit_models
from kbio_analysis.vocabulary import INTERVAL_LEVELS, MIN_TREND_POINTS, MODELS

NAIVE = {"annual": ("random_walk",), "monthly": ("random_walk", "seasonal_naive")}
"""Always in a backtest, whatever else is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Scores of one series' past forecasts.

    ``scores`` rows (model, horizon): n, mae (data's unit), mase, relative_mae (over the random walk's), crps and, for
    each level L, coverage_L (fraction), interval_score_L (data's unit). ``forecasts`` the long contract with actuals.
    Errors of one series from overlapping origins are not independent: a description, not a test.
    """

    scores: pd.DataFrame
    forecasts: pd.DataFrame


def rolling_origin(
    y: pd.Series,
    horizon: int,
    *,
    models: Iterable[str] | None = None,
    min_train: int | None = None,
    step: int = 1,
    levels: Sequence[float] = INTERVAL_LEVELS,
    reference: pd.DataFrame | None = None,
    n_paths: int = 500,
    seed: int = 0,
) -> Backtest:
    """Forecast ``y`` from every origin that has ``min_train`` points before it and at least one after it.

    ``min_train`` defaults to the fewest points that carry a trend; every ``step``-th origin is used, the last one
    always. Models see nothing after the origin; ``reference`` is cut there too. Later origins have fewer horizons.
    Raises :class:`ModelInputError` as :func:`~.forecast.forecast` does, and if no origin is left.
    """
    series = check_series(y)
    ends = _ends(series, horizon, min_train, step)
    names = _with_naive(models, series, has_reference=reference is not None)
    options = {"models": names, "levels": levels, "n_paths": n_paths, "seed": seed}
    rounds = []
    for end in ends:
        past = None if reference is None else reference[reference.index <= series.index[end - 1]]
        ahead = min(horizon, len(y) - end)
        rounds.append(_scored(forecast(y.iloc[:end], ahead, reference=past, **options), series, end, levels))
    forecasts = pd.concat(rounds, ignore_index=True)
    metrics = [c for c in forecasts if c.startswith(("mae", "mase", "crps", "coverage_", "interval_score_"))]
    table = forecasts.groupby(["model", "horizon"], sort=False)[metrics].mean()
    table.insert(0, "n", forecasts.groupby(["model", "horizon"], sort=False).size())
    naive = table.index.get_level_values("horizon").map(table.loc["random_walk", "mae"])
    table.insert(3, "relative_mae", table["mae"] / np.asarray(naive, dtype=float))
    return Backtest(scores=table, forecasts=forecasts.drop(columns=metrics))


def point_errors(y: pd.Series, horizon: int, *, min_train: int | None = None, step: int = 1) -> pd.Series:
    """MASE of every model's point forecasts from the origins of :func:`rolling_origin`, by (model, horizon).

    No distribution is drawn, which makes it many times faster.
    """
    series = check_series(y)
    ends = _ends(series, horizon, min_train, step)
    names, period = _with_naive(None, series, has_reference=False), series.season_length
    years, errors = series.index.year.to_numpy(), []
    for end in ends:
        past, actual = series.values[:end], series.values[end : end + horizon]
        set_apart = covid_mask(years[:end], MIN_TREND_POINTS[series.frequency])
        fits = fit_models(past, len(actual), names, period=period, set_apart=set_apart).models
        rows = {n: scores.mase(actual, fits[n].forecast, training=past, period=period) for n in names}
        errors.append(pd.DataFrame(rows, index=pd.RangeIndex(1, len(actual) + 1, name="horizon")))
    mean = pd.concat(errors).groupby(level="horizon").mean()
    return mean.T.stack().rename_axis(["model", "horizon"]).rename("mase")


def _ends(series: CheckedSeries, horizon: int, min_train: int | None, step: int) -> list[int]:
    """How many points each origin has before it, in order."""
    check_count(horizon, "horizon", most=400)
    check_count(step, "step", most=400)
    least = MIN_TREND_POINTS[series.frequency]
    min_train = check_count(least if min_train is None else min_train, "min_train", least=least, most=400)
    ends = range(len(series.values) - 1, min_train - 1, -step)
    if not ends:
        raise ModelInputError(
            f"{series.name}: {len(series.values)} points leave no origin with {min_train} before it; "
            f"a backtest needs at least {min_train + 1} {series.frequency} points"
        )
    return sorted(ends)


def _with_naive(models: Iterable[str] | None, series: CheckedSeries, *, has_reference: bool) -> list[str]:
    """The models asked for, the naive ones first; by default all that need no panel, and that one if it is given."""
    suited = [m for m in MODELS if m != "reference_class" or has_reference]
    suited = [m for m in suited if m != "seasonal_naive" or series.frequency == "monthly"]
    asked = check_names(suited if models is None else models, MODELS)
    return list(dict.fromkeys([*NAIVE[series.frequency], *asked]))


def _scored(made: Forecast, series: CheckedSeries, end: int, levels: Sequence[float]) -> pd.DataFrame:
    """One origin's forecasts in the long contract, with the outcome and every score beside them."""
    table = made.table.copy()
    outcomes = series.values[end : end + int(table["horizon"].max())]
    table["actual"] = outcomes[table["horizon"] - 1]
    actual, point = table["actual"].to_numpy(), table["forecast"].to_numpy()
    table["mae"] = scores.absolute_error(actual, point)
    table["mase"] = scores.mase(actual, point, training=series.values[:end], period=series.season_length)
    table["crps"] = np.concatenate([scores.crps(outcomes, made.draws[name].T) for name in made.models])
    for level in levels:
        interval = table[[f"lo_{level:g}", f"hi_{level:g}"]].to_numpy()
        table[f"coverage_{level:g}"] = scores.covered(actual, interval)
        table[f"interval_score_{level:g}"] = scores.interval_score(actual, interval, level=level)
    return table
