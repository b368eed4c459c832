"""Growth arithmetic against hand-worked numbers, and the prior against slow updating."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import growth

EXACT = 1e-12  # closed forms: rounding only
PRINTED = 5e-3  # numbers quoted to two or three decimals
EXAMPLES = settings(max_examples=25, deadline=None, derandomize=True)
positive = st.floats(0.01, 1e6)
rates = st.floats(-60, 200)
SURE = growth.GrowthSource(mean_log=0.0, sd_log=1.0)


def test_doubling_5800_in_six_years_takes_12_246_pct_and_the_segment_falls_short() -> None:
    assert growth.required_growth_pct(5800, 11600, 6) == pytest.approx(12.246, abs=PRINTED / 10)
    path = growth.path(5800, 11.9, 6, base_year=2024)
    assert path.iloc[-1] == pytest.approx(11386.98, abs=PRINTED)
    assert list(path.index) == list(range(2024, 2031))


@EXAMPLES
@given(base=positive, pct=rates, years=st.integers(0, 30))
def test_path_is_repeated_multiplication(base: float, pct: float, years: int) -> None:
    slow = [base]
    for _ in range(years):
        slow.append(slow[-1] * (1 + pct / 100))
    np.testing.assert_allclose(growth.path(base, pct, years), slow, rtol=1e-10)  # powers against products


def test_doubling_year_is_fractional_and_infinite_without_growth() -> None:
    assert growth.doubling_year(2024, 100) == pytest.approx(2025, rel=EXACT)
    assert growth.doubling_year(2024, 12.246204830937) == pytest.approx(2030, abs=1e-6)  # rate given to 12 decimals
    assert math.isinf(growth.doubling_year(2024, 0))


def test_reference_spread_recovers_the_truth_of_a_simulation() -> None:
    rng = np.random.default_rng(7)
    tau, k = 0.05, 4000
    variances = rng.uniform(0.01, 0.03, k) ** 2
    means = 0.06 + rng.normal(0, tau, k) + rng.normal(0, np.sqrt(variances))
    source = growth.reference_growth_source(means, variances)
    assert source.mean_log == pytest.approx(0.06, abs=4 * 0.055 / k**0.5)  # four standard errors
    assert source.sd_log == pytest.approx(tau, rel=0.06)  # four standard errors of a spread from 4,000


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: growth.required_growth_pct(0, 1, 6), "base = 0: give a number above zero"),
        (lambda: growth.required_growth_pct(1, 2, 0), "years = 0"),
        (lambda: growth.path(1, -100, 3), "above -100"),
        (lambda: growth.path(1, 5, 2.5), "whole number of years"),
        (lambda: growth.doubling_year(2024, 5, multiple=1), "above 1"),
        (lambda: growth.reference_growth_source([0.1, 0.2], [1, 1]), "at least three members"),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
