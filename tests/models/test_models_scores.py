"""Every vectorised score against a slow loop written from its formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import scores

LOOP = 1e-10  # the same sums in another order


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(2, 12))
def test_crps_equals_the_double_sum(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    actual, draws = rng.normal(0, 10, n), rng.normal(0, 10, (n, m))
    slow = [
        sum(abs(xi - y) for xi in x) / m - sum(abs(a - b) for a in x for b in x) / (2 * m * (m - 1))
        for y, x in zip(actual, draws, strict=True)
    ]
    np.testing.assert_allclose(scores.crps(actual, draws), slow, rtol=LOOP, atol=LOOP)


@pytest.mark.parametrize("level", [50, 80, 95])
def test_interval_score_equals_the_loop(level: int) -> None:
    rng = np.random.default_rng(3)
    actual, ends = rng.normal(0, 2, 50), np.sort(rng.normal(0, 1, (50, 2)), axis=1)
    miss = 2 / (1 - level / 100)
    slow = [
        high - low + miss * (low - y if y < low else y - high if y > high else 0)
        for y, (low, high) in zip(actual, ends, strict=True)
    ]
    np.testing.assert_allclose(scores.interval_score(actual, ends, level=level), slow, rtol=LOOP)
    within = (ends[:, 0] <= actual) & (actual <= ends[:, 1])
    np.testing.assert_array_equal(scores.covered(actual, ends), within)


def test_mase_equals_the_loop_and_is_one_for_the_naive_error() -> None:
    training = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 8.0])
    scale = sum(abs(training[i] - training[i - 2]) for i in range(2, 6)) / 4
    score = scores.mase(np.array([9.0, 1.0]), np.array([8.0, 4.0]), training=training, period=2)
    np.testing.assert_allclose(score, [1 / scale, 3 / scale], rtol=LOOP)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: scores.mase(np.ones(2), np.ones(2), training=np.ones(5)), "do not move"),
        (lambda: scores.crps(np.ones(2), np.ones((2, 1))), r"give \(n, 2 or more\)"),
        (lambda: scores.covered(np.ones(2), np.ones((2, 3))), r"give \(n, 2\)"),
        (lambda: scores.absolute_error(np.ones(2), np.ones(3)), r"give \(n,\)"),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
