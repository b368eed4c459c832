"""Conformal order statistics against a slow count, exact coverage on exchangeable series, and what is refused."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbio_analysis.models import conformal
from kbio_analysis.models.point_models import fit_many

EXAMPLES = settings(max_examples=30, deadline=None, derandomize=True)


def last_value(pasts, horizon: int) -> list[tuple[dict[str, np.ndarray], float]]:
    return [({"last": np.full(horizon, p[-1])}, float(np.abs(np.diff(np.log(p))).mean())) for p in pasts]


def combined(pasts, horizon: int) -> list[tuple[dict[str, np.ndarray], float]]:
    fits = fit_many(pasts, horizon, ["combination"])
    return [({"combination": f.models["combination"].forecast}, f.step_scale) for f in fits]


@EXAMPLES
@given(m=st.integers(1, 200), level=st.sampled_from([50, 80, 90, 95]))
def test_ranks_are_the_papers_and_cover_at_least_the_level(m: int, level: int) -> None:
    low, high, attainable = conformal.order_statistics(m, level)
    # In whole numbers, so that no rounding enters: alpha/2 = (100 - level)/200.
    assert attainable == ((m + 1) * (100 - level) >= 200)
    assert 1 <= low <= high <= m
    if attainable:
        assert low == (m + 1) * (100 - level) // 200
        assert high == -(-(m + 1) * (100 + level) // 200)
        assert (high - low) / (m + 1) >= level / 100 - 1e-12


@pytest.mark.parametrize("logs", [True, False])
def test_band_equals_sorting_by_hand(logs: bool) -> None:
    rng = np.random.default_rng(0)
    errors, center, q = rng.normal(0, 1, (59, 3)), np.array([10.0, 11, 12]), 0.2
    band = conformal.band(center, q, errors, 90, logs=logs)
    for k in range(3):
        ranked = sorted(errors[:, k])
        low, high = ranked[3 - 1], ranked[57 - 1]  # (59 + 1) x .05 = 3 and (59 + 1) x .95 = 57
        expected = (center[k] * math.exp(q * low), center[k] * math.exp(q * high))
        if not logs:
            expected = (center[k] + q * low, center[k] + q * high)
        assert (band.low[k], band.high[k]) == pytest.approx(expected, rel=1e-12)
    assert band.coverage_pct == pytest.approx(90)


def test_too_few_series_give_their_extremes_and_say_so() -> None:
    errors = np.arange(16.0)[:, None]
    band = conformal.band(np.array([100.0]), 1.0, errors, 95, logs=False)
    assert (band.low[0], band.high[0], band.attainable) == (100, 115, False)
    assert band.coverage_pct == pytest.approx(100 * 15 / 17)


def test_calibration_equals_the_definition(walks) -> None:
    panel = walks(3, 20, 6)
    found = conformal.calibrate(panel, 4, last_value, logs=True, history=10)
    for name in panel:
        past, future = panel[name].to_numpy()[6:16], panel[name].to_numpy()[16:]
        q = sum(abs(math.log(b / a)) for a, b in itertools.pairwise(past)) / 9
        slow = [math.log(value / past[-1]) / q for value in future]
        np.testing.assert_allclose(found.errors.loc[("last", name)], slow, rtol=1e-10)


def test_only_the_last_unbroken_run_of_a_series_counts(walks) -> None:
    panel = walks(4, 24, 4)
    panel.iloc[5, 0] = np.nan
    panel.iloc[15, 1] = np.nan
    panel.iloc[20, 2] = -1.0
    panel.iloc[:18, 3] = 7.0
    found = conformal.calibrate(panel, 6, last_value, logs=True)
    assert list(found.errors.loc["last"].index) == ["S000"]


def test_intervals_cover_series_that_were_left_out(walks) -> None:
    """Truth: exchangeable walks, so coverage of the rest by any half is nominal up to binomial error."""
    horizon, m, fresh = 5, 199, 400
    panel = walks(8, 20, m + fresh)
    calibration = conformal.calibrate(panel.iloc[:, :m], horizon, combined, logs=True)
    target = panel.iloc[:, m:]
    pasts = [target[name].to_numpy()[:-horizon] for name in target]
    for level in (80, 95):
        inside = []
        for (forecasts, q), name in zip(combined(pasts, horizon), target, strict=True):
            band = conformal.band(forecasts["combination"], q, calibration.of("combination"), level, logs=True)
            future = target[name].to_numpy()[-horizon:]
            inside.append((band.low <= future) & (future <= band.high))
        # Four standard errors: 400 new series and a band estimated from 199.
        error = 4 * math.sqrt(level / 100 * (1 - level / 100) * (1 / fresh + 1 / m))
        assert np.mean(inside, axis=0) == pytest.approx(level / 100, abs=error)


def test_inside_is_inside_the_band() -> None:
    errors = np.random.default_rng(1).standard_t(3, 45)
    for level in (80, 95):
        for i, error in enumerate(errors):
            others = np.delete(errors, i)
            band = conformal.band(np.zeros(1), 1.0, others[:, None], level, logs=False)
            assert conformal.inside(others, error, level) == (band.low[0] <= error <= band.high[0])


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10)])
def test_clopper_pearson_inverts_the_binomial(successes: int, n: int) -> None:
    low, high = conformal.clopper_pearson(successes, n)
    upper_tail = sum(math.comb(n, i) * low**i * (1 - low) ** (n - i) for i in range(successes, n + 1))
    lower_tail = sum(math.comb(n, i) * high**i * (1 - high) ** (n - i) for i in range(successes + 1))
    assert low == 0 if successes == 0 else upper_tail == pytest.approx(0.025, rel=1e-8)
    assert high == 1 if successes == n else lower_tail == pytest.approx(0.025, rel=1e-8)
