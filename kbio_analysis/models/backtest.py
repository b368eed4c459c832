"""Rolling-origin backtest: what each model would have said, from every past origin, beside the naive ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import scores
from kbio_analysis.models.checks import CheckedSeries, check_count, check_names, check_series
from kbio_analysis.models.forecast import Forecast, forecast
from kbio_analysis.vocabulary import INTERVAL_LEVELS, MIN_TREND_POINTS, MODELS

NAIVE = {"annual": ("random_walk",), "monthly": ("random_walk", "seasonal_naive")}
"""Always in a backtest, whatever else is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Scores of one series' past forecasts.

    ``scores`` rows (model, horizon): n, mae (data's unit), mase, relative_mae (over the random walk's), crps and, for
    each level L, coverage_L (fraction), interval_score_L (data's unit). ``summary`` the same by model over all
    horizons, with coverage_low_L and coverage_high_L (Clopper-Pearson 95 % on the number of origins). ``forecasts``
    the long contract with actuals. ``origins`` the cutoffs. Errors of one series from overlapping origins are not
    independent: a description, not a test.
    """

    scores: pd.DataFrame
    summary: pd.DataFrame
    forecasts: pd.DataFrame
    origins: pd.PeriodIndex
    notes: tuple[str, ...]


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
    check_count(horizon, "horizon", most=400)
    check_count(step, "step", most=400)
    least = MIN_TREND_POINTS[series.frequency]
    min_train = check_count(least if min_train is None else min_train, "min_train", least=least, most=400)
    names = _with_naive(models, series.frequency, has_reference=reference is not None)
    ends = range(len(series.values) - 1, min_train - 1, -step)
    if not ends:
        raise ModelInputError(
            f"{series.name}: {len(series.values)} points leave no origin with {min_train} before it; "
            f"a backtest needs at least {min_train + 1} {series.frequency} points"
        )
    rounds = []
    for end in sorted(ends):
        cutoff = series.index[end - 1]
        past = None if reference is None else reference[reference.index <= cutoff]
        made = forecast(
            y.iloc[:end],
            min(horizon, len(y) - end),
            models=names,
            levels=levels,
            reference=past,
            n_paths=n_paths,
            seed=seed,
        )
        rounds.append(_scored(made, series, end, levels))
    forecasts = pd.concat(rounds, ignore_index=True)
    metrics = [column for column in forecasts if column.startswith(_METRICS)]
    return Backtest(
        scores=_averages(forecasts, ["model", "horizon"], metrics),
        summary=_with_ranges(_averages(forecasts, ["model"], metrics), levels, n_origins=len(rounds)),
        forecasts=forecasts.drop(columns=metrics),
        origins=pd.PeriodIndex(forecasts["cutoff"].unique(), name="cutoff"),
        notes=(f"{len(rounds)} origins of one series: their errors overlap and are not independent.",),
    )


_METRICS = ("mae", "mase", "crps", "coverage_", "interval_score_")


def _with_naive(models: Iterable[str] | None, frequency: str, *, has_reference: bool) -> list[str]:
    """The models asked for, the naive ones first; by default all that need no panel, and that one if it is given."""
    suited = [m for m in MODELS if m != "reference_class" or has_reference]
    suited = [m for m in suited if m != "seasonal_naive" or frequency == "monthly"]
    asked = check_names(suited if models is None else models, MODELS)
    return list(dict.fromkeys([*NAIVE[frequency], *asked]))


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


def _averages(forecasts: pd.DataFrame, by: list[str], metrics: list[str]) -> pd.DataFrame:
    groups = forecasts.groupby(by, sort=False)
    table = groups[metrics].mean()
    table.insert(0, "n", groups.size())
    naive = table.loc["random_walk", "mae"]
    divisor = table.index.get_level_values("horizon").map(naive) if "horizon" in by else naive
    table.insert(3, "relative_mae", table["mae"] / np.asarray(divisor, dtype=float))
    return table


def _with_ranges(table: pd.DataFrame, levels: Sequence[float], *, n_origins: int) -> pd.DataFrame:
    """Clopper-Pearson ranges with the number of origins, not of forecasts, as the count."""
    for level in levels:
        ranges = [scores.clopper_pearson(share * n_origins, n_origins) for share in table[f"coverage_{level:g}"]]
        table[f"coverage_low_{level:g}"] = [low for low, _ in ranges]
        table[f"coverage_high_{level:g}"] = [high for _, high in ranges]
    return table
