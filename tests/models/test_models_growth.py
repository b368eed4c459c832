"""Growth arithmetic against hand-worked numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import growth

PRINTED = 5e-3  # numbers quoted to two or three decimals
EXAMPLES = settings(max_examples=25, deadline=None, derandomize=True)
positive = st.floats(0.01, 1e6)
rates = st.floats(-60, 200)


def test_growth_of_a_segment() -> None:
    """1.119 squared is 1.252161; times 1.119 is 1.401168159; squared is 1.963272 (long multiplication)."""
    assert growth.value_at(1, 11.9, 6) == pytest.approx(1.963272, abs=5e-7)  # the last printed digit


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


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: growth.required_growth_pct(0, 1, 6), "base = 0: give a number above zero"),
        (lambda: growth.required_growth_pct(1, 2, 0), "years = 0"),
        (lambda: growth.path(1, -100, 3), "above -100"),
        (lambda: growth.path(1, 5, 2.5), "whole number of years"),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
