"""The Poisson-binomial law against the binomial, against counting every outcome, and against simulated draws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.poisson_binomial import at_least, attempts_needed, distribution, share_needed

EXACT = 1e-12  # sums of at most a few hundred products of probabilities
SIMULATED = 0.006  # four standard errors of a share of 0.5 in 100,000 draws


def by_counting(chances: list[float]) -> np.ndarray:
    """Every outcome of every attempt, one after the other."""
    law = np.zeros(len(chances) + 1)
    for outcome in product((0, 1), repeat=len(chances)):
        law[sum(outcome)] += np.prod([p if hit else 1 - p for p, hit in zip(chances, outcome, strict=True)])
    return law


def test_one_group_is_the_binomial() -> None:
    assert distribution([(54, 0.06)]) == pytest.approx(stats.binom.pmf(np.arange(55), 54, 0.06), abs=EXACT)


def test_one_attempt_a_group_and_groups_say_the_same() -> None:
    grouped = distribution([(3, 0.2), (2, 0.7)])
    assert distribution([(1, 0.2)] * 3 + [(1, 0.7)] * 2) == pytest.approx(grouped, abs=EXACT)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_agrees_with_counting_every_outcome(chances: list[float]) -> None:
    law = distribution([(1, p) for p in chances])
    assert law == pytest.approx(by_counting(chances), abs=EXACT)
    assert law.sum() == pytest.approx(1, abs=EXACT)
    assert law @ np.arange(len(law)) == pytest.approx(sum(chances), abs=1e-9)


def test_recovers_the_share_of_simulated_pipelines() -> None:
    rng = np.random.default_rng(3)
    groups = [(209, 0.008), (54, 0.06), (12, 0.11)]
    hits = sum(rng.binomial(n, p, 100_000) for n, p in groups)
    assert at_least(3, groups) == pytest.approx((hits >= 3).mean(), abs=SIMULATED)


def test_hodges_and_le_cam_bound_on_the_poisson_limit() -> None:
    """Le Cam (1960): the total variation distance to Poisson(sum p) is at most sum p^2."""
    groups = [(200, 0.01), (50, 0.03)]
    law = distribution(groups)
    poisson = stats.poisson.pmf(np.arange(len(law)), sum(n * p for n, p in groups))
    distance = 0.5 * (np.abs(law - poisson).sum() + 1 - poisson.sum())
    assert 0 < distance <= sum(n * p**2 for n, p in groups)


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("p", [0.0017, 0.06, 0.36, 1.0])
def test_the_number_needed_is_the_first_that_suffices(p: float, chance: float) -> None:
    n = attempts_needed(3, p, chance)
    assert at_least(3, [(n, p)]) >= chance
    assert n == 3 or at_least(3, [(n - 1, p)]) < chance
    slow = next(m for m in range(3, 5000) if stats.binom.sf(2, m, p) >= chance)
    assert n == slow


def test_no_number_suffices_for_an_impossible_attempt() -> None:
    assert attempts_needed(3, 0.0, 0.1) is None


def test_the_share_needed_gives_back_its_chance() -> None:
    groups = [(54, 0.5), (12, 0.9)]
    share = share_needed(3, groups, 0.5)
    assert at_least(3, [(n, p * share) for n, p in groups]) == pytest.approx(0.5, abs=1e-7)
    assert share_needed(3, [(2, 1.0)], 0.5) is None


def test_refusals_say_what_to_give() -> None:
    for groups in ([(-1, 0.5)], [(2, 1.5)], [(2.5, 0.1)]):
        with pytest.raises(ModelInputError, match="whole count and a chance"):
            distribution(groups)
    with pytest.raises(ModelInputError, match="group fewer"):
        distribution([(2_000_000, 0.1)])
    with pytest.raises(ModelInputError, match="k of 1 or more"):
        attempts_needed(0, 0.5, 0.5)
    with pytest.raises(ModelInputError, match="between 0 and 1"):
        share_needed(3, [(5, 0.5)], 1.0)
