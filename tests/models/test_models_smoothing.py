"""Smoothing, Theta, season and local trend against slow recursions, statsmodels, and simulators with a known truth."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.seasonal import seasonal_decompose
from statsmodels.tsa.statespace.structural import UnobservedComponents

from kbio_analysis.models import point_models, season, smoothing
from kbio_analysis.models.point_models import covid_mask, fit_structural, local_trend

LOOP = 1e-9  # the same recursion written differently
GRID = 1e-3  # a refined grid stops this close (relative) to the least sum of squares
EXAMPLES = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)


def noisy_trend(seed: int, n: int = 25) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100 + np.cumsum(rng.normal(2, 4, n)) + rng.normal(0, 3, n)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("damped", [False, True])
def test_least_squares_are_at_least_as_small_as_statsmodels(seed: int, damped: bool) -> None:
    """ETS with additive errors maximises a likelihood that falls with the same sum of squares."""
    y = noisy_trend(seed)
    bounds = {"bounds": {"damping_trend": smoothing.PHI_BOUNDS}} if damped else {}
    model = ETSModel(pd.Series(y), error="add", trend="add" if damped else None, damped_trend=damped, **bounds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = model.fit(disp=False).sse
    fit = smoothing.fit_both([y])[0][1] if damped else smoothing.fit_ses(y)
    assert ((y - fit.fitted) ** 2).sum() <= theirs * (1 + GRID)


@EXAMPLES
@given(seeds)
def test_ses_is_the_best_of_a_slow_search(seed: int) -> None:
    y = noisy_trend(seed, n=12)

    def squares(alpha: float, level: float) -> float:
        total = 0.0
        for value in y:
            total += (value - level) ** 2
            level = alpha * value + (1 - alpha) * level
        return total

    fit = smoothing.fit_ses(y)
    ours = ((y - fit.fitted) ** 2).sum()
    assert ours == pytest.approx(squares(fit.alpha, fit.fitted[0]), rel=LOOP)
    searched = min(squares(a, l0) for a in np.linspace(0.01, 0.99, 25) for l0 in np.linspace(y.min(), y.max(), 25))
    assert ours <= searched * (1 + GRID)


def test_damped_recursion_is_gardner_and_mckenzies() -> None:
    y = noisy_trend(3)
    fit = smoothing.fit_both([noisy_trend(1), y, noisy_trend(2, 10)])[1][1]
    assert (fit.level, fit.slope) == (smoothing.fit_both([y])[0][1].level, smoothing.fit_both([y])[0][1].slope)
    beta_star = fit.beta / fit.alpha
    # Start from the first two one-step forecasts: level and slope follow from them and the first observation.
    first = fit.fitted[0]
    l1 = first + fit.alpha * (y[0] - first)
    b1 = (fit.fitted[1] - l1) / fit.phi
    level, slope = l1, b1
    for t in range(1, len(y)):
        assert fit.fitted[t] == pytest.approx(level + fit.phi * slope, rel=LOOP)
        previous = level
        level = fit.alpha * y[t] + (1 - fit.alpha) * (previous + fit.phi * slope)
        slope = beta_star * (level - previous) + (1 - beta_star) * fit.phi * slope
    assert (fit.level, fit.slope) == pytest.approx((level, slope), rel=LOOP)


def test_theta_is_the_mean_of_a_line_and_a_smoothed_doubled_series() -> None:
    """Theta lines 0 and 2 averaged, as first published, equal smoothing plus half the slope (Hyndman & Billah 2003)."""
    y, t, h = noisy_trend(2), np.arange(25), 4
    slope, intercept = np.polyfit(t, y, 1)
    line = intercept + slope * t
    fit = smoothing.fit_ses(y)
    doubled, level = 2 * y - line, 2 * fit.fitted[0] - intercept
    for value in doubled:
        level = fit.alpha * value + (1 - fit.alpha) * level
    slow = [(intercept + slope * (24 + k) + level) / 2 for k in range(1, h + 1)]
    np.testing.assert_allclose(point_models.theta(y, fit, h).forecast, slow, rtol=1e-6)


def test_combination_is_the_median_averaged_over_windows() -> None:
    y = noisy_trend(9, n=24)
    slow = []
    for length in (24, 18, 12):
        four = point_models.fit_models(y[-length:], 6, point_models.COMBINED).models
        slow.append(np.sort([four[name].forecast for name in point_models.COMBINED], axis=0)[1:3].mean(axis=0))
    ours = point_models.fit_models(y, 6, ["combination"]).models["combination"].forecast
    np.testing.assert_allclose(ours, np.mean(slow, axis=0), rtol=LOOP)


def test_positive_data_are_never_forecast_below_zero() -> None:
    falling = np.linspace(100, 5, 12)
    for name, fit in point_models.fit_models(falling, 12, (*point_models.COMBINED, "combination")).models.items():
        assert (fit.forecast > 0).all(), name


def monthly(seed: int, n: int = 55, size: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """A random walk in logs with a known yearly pattern (12,), and that pattern."""
    rng = np.random.default_rng(seed)
    pattern = size * np.sin(2 * np.pi * np.arange(12) / 12)
    return np.exp(7 + np.cumsum(rng.normal(0.003, 0.02, n)) + pattern[np.arange(n) % 12]), pattern


def test_season_equals_statsmodels_and_recovers_the_pattern() -> None:
    y, pattern = monthly(1)
    taken = season.deseasonalise(y, 14, 12)
    theirs = seasonal_decompose(np.log(y), period=12).seasonal
    np.testing.assert_allclose(np.log(y / taken.adjusted), theirs, atol=LOOP)
    ahead = pattern[np.arange(55, 69) % 12]
    np.testing.assert_allclose(np.log(taken.ahead), ahead, atol=0.05)  # the walk leaks about two steps of .02


def test_no_season_is_invented_in_noise_or_from_under_two_years() -> None:
    rng = np.random.default_rng(2)
    found = [season.deseasonalise(np.exp(np.cumsum(rng.normal(0, 0.1, 60))), 12, 12).found for _ in range(100)]
    assert np.mean(found) < 0.15  # a 5 % test, and its binomial error on 100 walks
    assert not season.deseasonalise(monthly(1)[0][:23], 12, 12).found


def test_seasonal_forecasts_repeat_the_pattern() -> None:
    y, pattern = monthly(3)
    fits = point_models.fit_models(y, 24, ["combination", "seasonal_naive"], period=12).models
    swing = np.log(fits["combination"].forecast)
    assert np.corrcoef(swing, pattern[np.arange(55, 79) % 12])[0, 1] > 0.95
    np.testing.assert_array_equal(fits["seasonal_naive"].forecast, np.tile(y[-12:], 2))


def test_local_trend_recovers_its_variances() -> None:
    rng = np.random.default_rng(11)
    n, sd = 400, (0.05, 0.03, 0.01)  # irregular, level, slope, in log points
    slope = np.cumsum(rng.normal(0, sd[2], n))
    level = np.cumsum(slope + rng.normal(0, sd[1], n))
    model = UnobservedComponents(level + rng.normal(0, sd[0], n), level="local linear trend", use_exact_diffuse=True)
    np.testing.assert_allclose(
        np.sqrt(fit_structural(model).params), sd, rtol=0.5
    )  # a single series of 400: wide sampling error


def test_covid_years_leave_no_mark_on_the_local_trend() -> None:
    years = np.arange(2005, 2025)
    y = 100 * 1.05 ** np.arange(20.0) * np.exp(np.random.default_rng(0).normal(0, 0.01, 20))
    shocked = np.where((years >= 2020) & (years <= 2022), 3 * y, y)
    mask = covid_mask(years, 8)
    np.testing.assert_allclose(local_trend(shocked, 5, mask).forecast, local_trend(y, 5, mask).forecast, rtol=LOOP)


@pytest.mark.parametrize(
    ("years", "expected"),
    [((2010, 2024), 3), ((2016, 2024), 0), ((2010, 2022), 0), ((2010, 2023), 0), ((1990, 2019), 0)],
)
def test_covid_years_are_set_apart_only_with_enough_left(years: tuple[int, int], expected: int) -> None:
    assert covid_mask(np.arange(years[0], years[1] + 1), 8).sum() == expected
