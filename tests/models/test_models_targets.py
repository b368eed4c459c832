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
    # No finite set of draws gives zero.
    assert targets.probability(KNOWN, 1e9, 2028).low == 1 / 8


def test_simulated_odds_agree_with_the_closed_form() -> None:
    """Even with 11.9 % exactly right the odds of doubling in six years are below one half."""
    mu, sigma, h, m = math.log(1.119), 0.15, 6, 40_000
    rng = np.random.default_rng(0)
    draws = 5800 * np.exp(np.cumsum(rng.normal(mu, sigma, (m, h)), axis=1))
    found = targets.probability(paths({"structural": draws.tolist()}, first=2025), 11600, 2030)
    exact = stats.norm.cdf((h * mu - math.log(2)) / (sigma * math.sqrt(h)))
    assert 0.43 < exact < 0.5
    assert found.value == pytest.approx(exact, abs=4 * found.simulation_error)  # four standard errors


def test_monthly_forecasts_are_summed_to_years(series, walk_values) -> None:
    y = series(walk_values(0, 55, growth=0.004, sd=0.05), "M", "2022-01")
    made = forecast(y, 53, n_paths=300)
    found = targets.probability(made, 1.0, 2030)
    assert found.value == 1  # every positive year is above one
    middle = made.paths.loc["structural"].iloc[:, -12:].sum(axis=1).median()
    assert targets.probability(made, middle, 2030).by_method.loc["structural", "probability"] == pytest.approx(
        0.5, abs=0.01
    )


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
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
