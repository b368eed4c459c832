"""The rolling origin against a slow loop, and that no origin sees its future."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import scores
from kbio_analysis.models.backtest import point_errors, rolling_origin
from kbio_analysis.models.forecast import forecast


def test_scores_equal_a_loop_over_origins(series, walk_values) -> None:
    y, models = series(walk_values(1, 13)), ["random_walk", "drift", "combination"]
    found = rolling_origin(y, 3, models=models, min_train=9, n_paths=100)
    assert [str(p) for p in found.forecasts["cutoff"].unique()] == ["2008", "2009", "2010", "2011"]
    for model in models:
        for k in (1, 2, 3):
            errors, scaled, crps, inside = [], [], [], []
            for end in range(9, 13):
                if end + k > 13:
                    continue
                made = forecast(y.iloc[:end], min(3, 13 - end), models=models, n_paths=100)
                row = made.table.query("model == @model and horizon == @k").iloc[0]
                actual = y.iloc[end + k - 1]
                errors.append(abs(actual - row["forecast"]))
                scaled.append(errors[-1] / np.abs(np.diff(y.iloc[:end])).mean())
                crps.append(scores.crps(np.array([actual]), made.draws[model][:, [k - 1]].T)[0])
                inside.append(row["lo_80"] <= actual <= row["hi_80"])
            row = found.scores.loc[(model, k)]
            assert row["n"] == len(errors)
            expected = [np.mean(errors), np.mean(scaled), np.mean(crps), np.mean(inside)]
            assert row[["mae", "mase", "crps", "coverage_80"]].tolist() == pytest.approx(expected, rel=1e-9)
    assert (found.scores.loc["random_walk", "relative_mae"] == 1).all()


def test_no_origin_sees_its_future(series, walk_values, walks) -> None:
    y, reference = series(walk_values(3, 15)), walks(3, 30, 6)
    first = rolling_origin(y, 2, models=["combination"], reference=reference, n_paths=100).forecasts
    changed, later = y.copy(), reference.copy()
    changed.iloc[10:] *= 5
    later.loc["2010":] *= 7
    again = rolling_origin(changed, 2, models=["combination"], reference=later, n_paths=100).forecasts
    columns = ["model", "horizon", "forecast", "lo_95", "hi_95"]
    pd.testing.assert_frame_equal(*(f[f["cutoff"] <= pd.Period("2009", "Y")][columns] for f in (first, again)))
    assert not first["forecast"].equals(again["forecast"])


@pytest.mark.parametrize(("n", "freq", "step"), [(14, "Y", 1), (30, "M", 2)])
def test_errors_of_points_alone_are_the_same_without_a_distribution(series, walk_values, n, freq, step) -> None:
    y = series(walk_values(4, n, sd=0.05), freq)
    full = rolling_origin(y, 3, step=step, n_paths=100).scores["mase"]
    quick = point_errors(y, 3, step=step)
    assert list(quick.index.unique("model"))[:1] == ["random_walk"]
    pd.testing.assert_series_equal(quick.sort_index(), full.sort_index(), check_index_type=False)


@pytest.mark.parametrize(
    ("n", "arguments", "says"),
    [
        (8, {}, "8 points leave no origin with 8 before it.*at least 9 annual points"),
        (12, {"min_train": 4}, "min_train = 4: give a whole number from 8"),
        (12, {"step": 0}, "step = 0"),
        (12, {"models": ["reference_class"]}, "pass `reference`"),
    ],
)
def test_refusals(series, walk_values, n: int, arguments: dict, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        rolling_origin(series(walk_values(6, n)), 2, **arguments)
