"""Every vectorised score against a slow loop written from its formula, and on cases known by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import scores

LOOP = 1e-10  # the same sums in another order
EXAMPLES = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def ensembles(draw) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n, m = draw(st.integers(1, 5)), draw(st.integers(2, 12))
    return rng.normal(0, 10, n), rng.normal(0, 10, (n, m))


@EXAMPLES
@given(ensembles())
def test_crps_equals_the_double_sum(case: tuple[np.ndarray, np.ndarray]) -> None:
    actual, draws = case
    slow = []
    for y, x in zip(actual, draws, strict=True):
        m = len(x)
        first = sum(abs(xi - y) for xi in x) / m
        slow.append(first - sum(abs(a - b) for a in x for b in x) / (2 * m * (m - 1)))
    np.testing.assert_allclose(scores.crps(actual, draws), slow, rtol=LOOP, atol=LOOP)


@EXAMPLES
@given(ensembles(), st.floats(-50, 50), st.floats(0.1, 50))
def test_crps_moves_with_the_scale_and_not_with_a_shift(case, shift: float, factor: float) -> None:
    actual, draws = case
    moved = scores.crps(factor * actual + shift, factor * draws + shift)
    np.testing.assert_allclose(moved, factor * scores.crps(actual, draws), rtol=1e-7, atol=1e-7)  # cancellation


@EXAMPLES
@given(ensembles())
def test_pit_equals_the_count(case: tuple[np.ndarray, np.ndarray]) -> None:
    actual, draws = case
    slow = [
        (1 + sum(x < y for x in row) + sum(x == y for x in row) / 2) / (len(row) + 2)
        for y, row in zip(*case, strict=True)
    ]
    np.testing.assert_allclose(scores.pit(actual, draws), slow, rtol=LOOP)


@pytest.mark.parametrize("level", [50, 80, 95])
def test_interval_score_equals_the_loop(level: int) -> None:
    rng = np.random.default_rng(3)
    actual, ends = rng.normal(0, 2, 50), np.sort(rng.normal(0, 1, (50, 2)), axis=1)
    alpha, slow = 1 - level / 100, []
    for y, (low, high) in zip(actual, ends, strict=True):
        score = high - low
        if y < low:
            score += 2 / alpha * (low - y)
        if y > high:
            score += 2 / alpha * (y - high)
        slow.append(score)
    np.testing.assert_allclose(scores.interval_score(actual, ends, level=level), slow, rtol=LOOP)


def test_wis_equals_the_sum_and_tends_to_the_crps() -> None:
    """With many levels the weighted interval score tends to the CRPS (Bracher et al. 2021)."""
    levels = np.linspace(1.5, 99.5, 99)
    tails = np.array([[0.5 - level / 200, 0.5 + level / 200] for level in levels]).ravel()
    quantiles = stats.norm.ppf(np.concatenate([[0.5], tails]))[None, :]
    actual = np.array([0.7])
    slow = abs(0.7 - quantiles[0, 0]) / 2
    for k, level in enumerate(levels):
        ends = quantiles[:, 1 + 2 * k : 3 + 2 * k]
        slow += (1 - level / 100) / 2 * scores.interval_score(actual, ends, level=level)[0]
    assert scores.wis(actual, quantiles, levels=levels)[0] == pytest.approx(slow / 99.5, rel=LOOP)
    exact = scores.crps_normal(actual, np.array([[0.0, 1.0]]))[0]
    assert scores.wis(actual, quantiles, levels=levels)[0] == pytest.approx(exact, rel=0.02)  # 99 levels


def test_mase_equals_the_loop_and_is_one_for_the_naive_error() -> None:
    training = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 8.0])
    scale = sum(abs(training[i] - training[i - 2]) for i in range(2, 6)) / 4
    score = scores.mase(np.array([9.0, 1.0]), np.array([8.0, 4.0]), training=training, period=2)
    np.testing.assert_allclose(score, [1 / scale, 3 / scale], rtol=LOOP)


def test_coverage_counts_ends_and_gives_the_exact_binomial_range() -> None:
    actual, ends = np.array([0.0, 1.0, 2.0, 9.0]), np.tile([0.0, 2.0], (4, 1))
    found = scores.coverage(actual, ends)
    assert found.share == 0.75
    # Each end of a Clopper-Pearson range leaves 2.5 % in the binomial tail beyond the count.
    assert stats.binom.sf(2, 4, found.low) == pytest.approx(0.025, rel=1e-9)
    assert stats.binom.cdf(3, 4, found.high) == pytest.approx(0.025, rel=1e-9)


def test_event_scores_by_hand() -> None:
    np.testing.assert_allclose(scores.brier(np.array([1, 0]), np.array([0.8, 0.3])), [0.04, 0.09], rtol=LOOP)
    logs = scores.log_score(np.array([1, 0, 1]), np.array([0.8, 0.3, 0.0]))
    np.testing.assert_allclose(logs, [-math.log(0.8), -math.log(0.7), math.inf], rtol=LOOP)


def test_diebold_mariano_equals_the_loop_and_its_sign_names_the_better() -> None:
    rng = np.random.default_rng(5)
    a, b, h = rng.gamma(2, 1, 40), rng.gamma(2, 1.5, 40), 3
    d, n = a - b, 40
    bar = sum(d) / n
    long_run = sum((x - bar) ** 2 for x in d) / n
    for lag in range(1, h):
        long_run += 2 * sum((d[t] - bar) * (d[t - lag] - bar) for t in range(lag, n)) / n
    statistic = bar / math.sqrt(long_run / n) * math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    found = scores.diebold_mariano(a, b, horizon=h)
    assert found.statistic == pytest.approx(statistic, rel=LOOP)
    assert found.statistic < 0
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(statistic), 39), rel=LOOP)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: scores.mase(np.ones(2), np.ones(2), training=np.ones(5)), "do not move"),
        (lambda: scores.crps(np.ones(2), np.ones((2, 1))), r"give \(n, 2 or more\)"),
        (lambda: scores.covered(np.ones(2), np.ones((2, 3))), r"give \(n, 2\)"),
        (lambda: scores.absolute_error(np.ones(2), np.ones(3)), r"give \(n,\)"),
        (lambda: scores.brier(np.array([1.0]), np.array([1.2])), "probabilities from 0 to 1"),
        (lambda: scores.diebold_mariano(np.ones(3), np.zeros(3), horizon=2), "too few for horizon 2"),
        (lambda: scores.diebold_mariano(np.ones(9), np.ones(9)), "no positive long-run variance"),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
