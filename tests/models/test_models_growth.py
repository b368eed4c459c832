"""Growth arithmetic against hand-worked numbers, and the prior against slow updating."""

import math

import numpy as np
import pandas as pd
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


def test_doubling_5800_in_six_years_takes_12_246_pct() -> None:
    assert growth.required_growth_pct(5800, 11600, 6) == pytest.approx(12.246, abs=PRINTED / 10)


def test_segment_growth_leaves_213_short() -> None:
    assert growth.path(5800, 11.9, 6).iloc[-1] == pytest.approx(11386.98, abs=PRINTED)
    assert growth.shortfall(5800, 11.9, 6, 11600) == pytest.approx(213.02, abs=PRINTED)


@EXAMPLES
@given(base=positive, multiple=st.floats(0.1, 100), years=st.integers(1, 40))
def test_required_growth_leads_to_the_target(base: float, multiple: float, years: int) -> None:
    target = base * multiple
    pct = growth.required_growth_pct(base, target, years)
    assert growth.path(base, pct, years).iloc[-1] == pytest.approx(target, rel=1e-9)  # up to 40 multiplications


@EXAMPLES
@given(base=positive, pct=rates, years=st.integers(0, 30))
def test_path_is_repeated_multiplication(base: float, pct: float, years: int) -> None:
    slow = [base]
    for _ in range(years):
        slow.append(slow[-1] * (1 + pct / 100))
    np.testing.assert_allclose(growth.path(base, pct, years), slow, rtol=1e-10)  # powers against products


def test_path_is_dated_when_a_base_year_is_given() -> None:
    path = growth.path(5800, 11.9, 6, base_year=2024)
    assert path.index.freqstr == "Y-DEC"
    assert list(path.index.year) == list(range(2024, 2031))


def test_implied_growth_of_months_is_annual() -> None:
    y = pd.Series([100.0, *[105.0] * 23, 121.0], index=pd.period_range("2022-01", periods=25, freq="M"))
    assert growth.implied_growth_pct(y) == pytest.approx(10, rel=EXACT)


def test_doubling_year_is_fractional_and_infinite_without_growth() -> None:
    assert growth.doubling_year(2024, 100) == pytest.approx(2025, rel=EXACT)
    assert growth.doubling_year(2024, 12.246204830937) == pytest.approx(2030, abs=1e-6)  # rate given to 12 decimals
    assert math.isinf(growth.doubling_year(2024, 0))


def test_share_falls_when_the_segment_grows_faster() -> None:
    share = growth.share_index(4.7, 11.9, 6)
    slow = [100 * (1.047**t) / (1.119**t) for t in range(7)]
    np.testing.assert_allclose(share, slow, rtol=EXACT)
    assert share.is_monotonic_decreasing


def test_prior_equals_the_formula_with_two_sources() -> None:
    values = 100 * np.exp(np.cumsum([0, 0.1, 0.3, -0.05, 0.2]))
    own = growth.own_growth_source(values)
    steps = np.diff(np.log(values))
    n, s2 = len(steps), steps.var(ddof=1)
    for tau, row in growth.combine_growth_prior(own, 11.9, (0.01, 0.05, 0.2)).table.iterrows():
        w = (n / s2) / (n / s2 + 1 / tau**2)
        assert row["weight_own"] == pytest.approx(w, rel=EXACT)
        assert row["mean_log"] == pytest.approx(w * steps.mean() + (1 - w) * math.log(1.119), rel=EXACT)
        assert row["sd_log"] == pytest.approx((n / s2 + 1 / tau**2) ** -0.5, rel=EXACT)


def test_three_sources_equal_updating_one_after_the_other() -> None:
    own = growth.GrowthSource(name="own", mean_log=0.2, sd_log=0.08)
    reference = growth.GrowthSource(name="reference", mean_log=0.05, sd_log=0.06)
    row = growth.combine_growth_prior(own, 11.9, (0.04,), reference=reference).table.iloc[0]
    mean, precision = 0.0, 0.0
    for m, sd in ((0.2, 0.08), (math.log(1.119), 0.04), (0.05, 0.06)):
        mean, precision = (mean * precision + m / sd**2) / (precision + sd**-2), precision + sd**-2
    assert row["mean_log"] == pytest.approx(mean, rel=EXACT)
    assert row[["weight_own", "weight_external", "weight_reference"]].sum() == pytest.approx(1, rel=EXACT)


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
        (lambda: growth.own_growth_source([1.0, 2.0]), "at least three positive values"),
        (lambda: growth.implied_growth_pct(pd.Series([1.0, 2.0])), "index it by year"),
        (lambda: growth.reference_growth_source([0.1, 0.2], [1, 1]), "at least three members"),
        (
            lambda: growth.combine_growth_prior(growth.own_growth_source([1, 2, 3]), 11.9, (0.0,)),
            "external growth: standard error 0.0 must be above zero",
        ),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
