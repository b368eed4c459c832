"""Seasons: a published rank test, known seasons recovered, noise left alone, and a slow twin."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.season import decompose, rank_test, strengths

EXACT = 1e-9  # arithmetic on a handful of floats

ROUNDING_FIRST_BASE = """5.40 5.50 5.55 5.85 5.70 5.75 5.20 5.60 5.50 5.55 5.50 5.40 5.90 5.85 5.70 5.45 5.55 5.60
5.40 5.40 5.35 5.45 5.50 5.35 5.25 5.15 5.00 5.85 5.80 5.70 5.25 5.20 5.10 5.65 5.55 5.45 5.60 5.35 5.45 5.05 5.00 4.95
5.50 5.50 5.40 5.45 5.55 5.50 5.55 5.55 5.35 5.45 5.50 5.55 5.50 5.45 5.25 5.65 5.60 5.40 5.70 5.65 5.55
6.30 6.30 6.25"""
"""Hollander & Wolfe (1973, p. 140): 22 runners, three ways of rounding first base, seconds."""


def months(values: np.ndarray, start: str = "2018-01") -> pd.Series:
    return pd.Series(values, index=pd.period_range(start, periods=len(values), freq="M"), name="simulated")


def test_friedman_of_the_base_runners_is_the_published_one() -> None:
    test = rank_test(months(np.array(ROUNDING_FIRST_BASE.split(), dtype=float)), 3)
    assert test.n_blocks == 22
    assert test.p_value == pytest.approx(0.003805, abs=5e-7)  # of the published statistic, 11.143


def test_rank_test_agrees_with_ranks_counted_one_by_one() -> None:
    y = months(np.random.default_rng(2).lognormal(size=40), start="2020-03")  # starts inside a quarter and a year
    ranks = np.zeros(12)
    for block in y["2021-01":"2022-12"].to_numpy().reshape(2, 12):
        ranks += [sum(other < v for other in block) + 1 for v in block]
    slow = 12 / (2 * 12 * 13) * (ranks**2).sum() - 3 * 2 * 13
    test = rank_test(y, 12)
    assert (test.n_blocks, test.p_value) == (2, pytest.approx(stats.chi2.sf(slow, 11), rel=EXACT))
    assert rank_test(y["2020-03":"2021-12"], 12) is None


def test_a_pure_season_has_strength_one_and_its_own_pattern() -> None:
    pattern = 0.2 * np.sin(np.arange(72) * 2 * np.pi / 12)
    found = decompose(months(np.exp(6 + pattern)), smoother=13, n_shuffles=99, seed=1)
    assert found.strength == pytest.approx(1.0, abs=1e-3)
    assert found.p_value == pytest.approx(1 / 100)
    assert found.effect_pct.to_numpy() == pytest.approx(100 * np.expm1(pattern[:12]), abs=0.5)
    assert found.by_month.p_value < 0.001
    parts = found.parts
    assert parts.fitted.to_numpy() == pytest.approx(parts.trend * np.exp(parts.seasonal_log), rel=EXACT)
    assert (parts.trend * (1 + parts.from_trend_pct / 100)).to_numpy() == pytest.approx(parts.observed, rel=EXACT)


def test_a_quarter_end_effect_is_recovered_under_noise_and_trend() -> None:
    rng, t = np.random.default_rng(6), np.arange(72)
    logs = 6 + 0.01 * t + 0.12 * (t % 3 == 2) + rng.normal(0, 0.05, 72)
    test = rank_test(months(np.exp(logs)), 3)
    assert int(test.effect_pct.idxmax()) == 3
    gap = np.log1p(test.effect_pct[3] / 100) - np.log1p(test.effect_pct[1] / 100)
    assert gap == pytest.approx(0.12 + 0.02, abs=0.03)
    assert test.p_value < 0.001


def test_noise_is_called_a_season_no_more_often_than_the_level() -> None:
    rng = np.random.default_rng(12)
    small = [
        decompose(months(np.exp(rng.normal(0, 0.1, 60))), smoother=13, n_shuffles=99, seed=i).p_value <= 0.1
        for i in range(60)
    ]
    assert sum(small) <= 12  # 60 tries at 0.1: more than twelve has a chance of 1%


def test_the_same_seed_gives_the_same_p_the_series_is_left_alone_and_bad_input_refused() -> None:
    y = months(np.exp(np.random.default_rng(3).normal(6, 0.2, 40)))
    before = y.copy()
    first, again = (decompose(y, smoother=7, n_shuffles=99, seed=5) for _ in range(2))
    assert first.p_value == again.p_value
    pd.testing.assert_series_equal(y, before)
    assert strengths(y, (7, 13)).loc[7, "ordinary"] == pytest.approx(first.strength, rel=EXACT)
    assert decompose(y.iloc[:23], smoother=7, n_shuffles=99, seed=5) is None
    with pytest.raises(ModelInputError, match="odd number"):
        decompose(y, smoother=8, n_shuffles=99, seed=5)
    with pytest.raises(ModelInputError, match="gap"):
        decompose(y.drop(y.index[10]), smoother=7, n_shuffles=99, seed=5)
    with pytest.raises(ModelInputError, match="positive"):
        decompose(y - y.max(), smoother=7, n_shuffles=99, seed=5)
