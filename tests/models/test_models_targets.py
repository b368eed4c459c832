"""Probabilities of a target by counting, on paths whose truth is known."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import targets
from kbio_analysis.models.forecast import forecast


def paths(draws: dict[str, list[list[float]]], first: int = 2026) -> pd.DataFrame:
    frames = {
        method: pd.DataFrame(rows, columns=pd.period_range(str(first), periods=len(rows[0]), freq="Y"))
        for method, rows in draws.items()
    }
    return pd.concat(frames, names=["method", "draw"])


KNOWN = paths(
    {
        "conformal": [[1, 2, 3], [1, 1, 1], [4, 4, 4]],
        "structural": [[1, 5, 1], [1, 1, 3], [1, 1, 1], [1, 1, 1], [3, 3, 3], [1, 1, 2], [2, 2, 2]],
    }
)


def test_probability_counts_with_one_added() -> None:
    found = targets.probability(KNOWN, 3, 2028)
    assert found.by_method["probability"].tolist() == [(1 + 2) / (3 + 1), (1 + 2) / (7 + 1)]
    assert found.value == pytest.approx((3 / 4 + 3 / 8) / 2)
    assert (found.low, found.high) == (3 / 8, 3 / 4)
    errors = [math.sqrt(0.75 * 0.25 / 3), math.sqrt(0.375 * 0.625 / 7)]
    assert found.by_method["simulation_error"].tolist() == pytest.approx(errors)
    assert found.simulation_error == pytest.approx(math.hypot(*errors) / 2)


def test_no_finite_set_of_draws_gives_zero() -> None:
    assert targets.probability(KNOWN, 1e9, 2028).low == 1 / 8


def test_crossing_year_weighs_methods_equally() -> None:
    found = targets.crossing_year(KNOWN, 3)
    # conformal first crosses in 2028, never, 2026; structural in 2027, 2028, never, never, 2026, never, never.
    assert found.shares.tolist() == pytest.approx([(1 / 3 + 1 / 7) / 2, (1 / 3 + 2 / 7) / 2, (2 / 3 + 3 / 7) / 2])
    assert found.share_not_reached == pytest.approx((1 / 3 + 4 / 7) / 2)
    assert found.median == 2028
    assert found.quantiles[0.25] == 2027
    assert math.isinf(found.quantiles[0.75])
    assert found.by_method["share_not_reached"].tolist() == pytest.approx([1 / 3, 4 / 7])


def test_median_is_none_when_most_paths_never_cross() -> None:
    assert targets.crossing_year(KNOWN, 4.5).median is None


def test_growth_probability_is_the_probability_of_the_level_it_implies() -> None:
    as_growth = targets.growth_probability(KNOWN, 100, base=0.375, base_year=2025, year=2028)
    assert as_growth.level == pytest.approx(3)
    assert as_growth.value == targets.probability(KNOWN, 3, 2028).value


def test_simulated_odds_agree_with_the_closed_form() -> None:
    mu, sigma, h, m = math.log(1.119), 0.15, 6, 40_000
    rng = np.random.default_rng(0)
    draws = 5800 * np.exp(np.cumsum(rng.normal(mu, sigma, (m, h)), axis=1))
    found = targets.probability(paths({"structural": draws.tolist()}, first=2025), 11600, 2030)
    exact = targets.closed_form_probability(mu, sigma, h)
    assert found.value == pytest.approx(exact, abs=4 * found.simulation_error)  # four standard errors


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.2, 0.3])
def test_even_with_11_9_pct_exactly_right_the_odds_are_below_one_half(sigma: float) -> None:
    exact = targets.closed_form_probability(math.log(1.119), sigma, 6)
    assert 0.43 < exact < 0.5
    assert exact == pytest.approx(stats.norm.cdf((6 * math.log(1.119) - math.log(2)) / (sigma * math.sqrt(6))))
    assert targets.closed_form_probability(math.log(1.119), sigma, 6, arithmetic=True) < exact


def test_monthly_forecasts_are_summed_to_years(series, walk_values) -> None:
    y = series(walk_values(0, 55, growth=0.004, sd=0.05), "M", "2022-01")
    made = forecast(y, 53, n_paths=300)
    found = targets.probability(made, 1.0, 2030)
    assert found.value == 1  # every positive year is above one
    middle = made.paths.loc["structural"].iloc[:, -12:].sum(axis=1).median()
    assert targets.probability(made, middle, 2030).by_method.loc["structural", "probability"] == pytest.approx(
        0.5, abs=0.01
    )
    assert targets.crossing_year(made, 1.0).median == 2026


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: targets.probability(KNOWN, 3, 2031), "no paths for 2031, they run from 2026 to 2028"),
        (lambda: targets.probability(KNOWN, -1, 2028), "level = -1"),
        (lambda: targets.probability(KNOWN.reset_index(), 3, 2028), r"rows \(method, draw\)"),
        (
            lambda: targets.probability(
                KNOWN.set_axis(pd.period_range("2026-01", periods=3, freq="M"), axis=1), 3, 2026
            ),
            "annual_totals",
        ),
        (lambda: targets.growth_probability(KNOWN, 5, base=1, base_year=2028, year=2028), "not after base year"),
        (lambda: targets.closed_form_probability(0.1, 0, 6), "must be above zero"),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
