"""Pipelines: published totals met, a simulated pipeline recovered, dates by hand; and the share of two growth rates."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.pipeline import (
    PHASES,
    at_least,
    attempts_needed,
    chance_over_share,
    chance_to_grow,
    outlook,
    prospects,
    share_needed,
    updated_share,
)
from kbio_analysis.models.segment_share import implied_beside, segment_share

EXACT = 1e-9  # products of a few floats
ROUNDED = 0.0008  # transition rates are published in whole per cent, totals to a tenth
SIMULATED = 0.01  # four standard errors of a share in 40,000 pipelines
LAW = updated_share(0.118, 20, passed=0, approved=36)


def figures(
    success=(0.47, 0.28, 0.55, 0.92), candidates=(209, 158, 54, 12), years=(1.5, 2.5, 2.5, 0.9)
) -> pd.DataFrame:
    frame = {"candidates": candidates, "success": success, "years": years}
    return pd.DataFrame(frame, index=pd.Index(list(PHASES), name="phase"))


def found(frame: pd.DataFrame | None = None, **changes: float):
    terms = {"counted": "2026-07-02", "total_years_long": 10.5, "phase_done": 0.5, "years_to_mark": 3}
    return prospects(figures() if frame is None else frame, **terms | changes)


@pytest.mark.parametrize(
    ("success", "published"), [((0.63, 0.31, 0.58, 0.85), 0.096), ((0.47, 0.28, 0.55, 0.92), 0.067)]
)
def test_rates_multiply_to_the_published_likelihood_of_approval(success: tuple, published: float) -> None:
    """BIO, Clinical development success rates 2006-2015; Citeline, 2014-2023."""
    assert found(figures(success)).approval["phase1"] == pytest.approx(published, abs=ROUNDED)


def test_dates_by_hand() -> None:
    table = found()
    assert table.approval_short.tolist() == [2033, 2031, 2028, 2026]  # 2026.5 + half a phase and the phases after it
    assert table.mark_short.tolist() == [2035, 2033, 2030, 2028]
    assert (table.approval_long >= table.approval_short).all()
    assert found(phase_done=1.0).approval_short["filed"] == 2026
    assert found(total_years_long=1.0).approval_long.equals(found().approval_short.rename("approval_long"))


def test_recovers_a_simulated_pipeline() -> None:
    """The share is drawn from its LAW, then every candidate runs through the phases; one drug sells already."""
    rng = np.random.default_rng(8)
    rates, shares = (0.47, 0.28, 0.55, 0.92), LAW.rvs(40_000, random_state=1)
    hits = rng.binomial(1, 0.7, 40_000)
    for i, n in enumerate((209, 158, 54, 12)):
        alive = np.full(40_000, n)
        for rate in rates[i:]:
            alive = rng.binomial(alive, rate)
        hits = hits + rng.binomial(alive, shares)
    ours = chance_over_share(3, found(), LAW, by=None, selling=[0.7])
    assert ours == pytest.approx((hits >= 3).mean(), abs=SIMULATED)


def test_an_unknown_share_of_sure_approvals_is_beta_binomial() -> None:
    """With every candidate approved the number that pass is beta-binomial (Gelman et al. 2013, section 3.5)."""
    sure = found(figures((1.0, 1.0, 1.0, 1.0), candidates=(10, 0, 5, 5)))
    assert LAW.mean() == pytest.approx(2.36 / 56, rel=1e-6)
    alone = updated_share(0.4, 1e-6, passed=2, approved=10)  # the own record
    assert alone.mean() == pytest.approx(0.2, rel=1e-3)
    truth = stats.betabinom.sf(2, 20, 2.36, 53.64)
    assert chance_over_share(3, sure, LAW, by=None) == pytest.approx(truth, rel=0.01)
    assert chance_over_share(3, sure, 0.2, by=None) == pytest.approx(stats.binom.sf(2, 20, 0.2), abs=1e-12)


def test_a_deadline_never_helps_and_the_mean_of_the_times_lies_between() -> None:
    table = found()
    none = chance_over_share(3, table, LAW, by=None)
    for by in (2026, 2029, 2030, 2031, 2040):
        short, between, long = (chance_over_share(3, table, LAW, by=by, timing=t) for t in ("short", "between", "long"))
        assert long <= between <= short <= none
    assert chance_over_share(3, table, LAW, by=2026) == 0
    assert chance_over_share(1, table, LAW, by=2026, selling=[0.3]) == pytest.approx(0.3, rel=EXACT)


def test_the_outlook_is_the_updated_share_read_at_each_end() -> None:
    table = found()
    seen, by_share = outlook(
        3, table, {"low": 0.026, "likely": 0.118, "high": 0.39}, worth=20, approved=36, by=2030, selling=[0.7]
    )
    assert seen.in_time == pytest.approx(chance_over_share(3, table, LAW, by=2030, selling=[0.7]), rel=EXACT)
    assert seen.share == pytest.approx(LAW.mean(), rel=EXACT)
    assert seen.in_time_long <= seen.in_time <= seen.in_time_short <= seen.some_day
    assert by_share.loc["likely", "Worth 20 approvals"] == seen.in_time
    assert (by_share.diff(axis=1).iloc[:, 1:] >= 0).all().all()  # the more it is worth, the less is learnt


def test_a_drug_already_selling_passes_if_its_growth_is_enough() -> None:
    needed = 100 * ((1.422 / 0.6303) ** (1 / 5) - 1)
    draws = np.random.default_rng(1).triangular(5, 20, 40, 200_000)
    assert chance_to_grow(0.6303, 1.422, 5, (5, 20, 40)) == pytest.approx((draws >= needed).mean(), abs=0.005)
    known = {(2.0, 1.0, 0): 1, (0.5, 1.0, 0): 0, (0.5, 1.0, 1): 0, (0.5, 0.6, 1): 1}
    assert {case: chance_to_grow(*case, (20, 20, 20)) for case in known} == known


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 9))
def test_at_least_agrees_with_counting_every_outcome(chances: list[float], k: int) -> None:
    slow = 0.0
    for outcome in product((0, 1), repeat=len(chances)):
        if sum(outcome) >= k:
            slow += np.prod([p if hit else 1 - p for p, hit in zip(chances, outcome, strict=True)])
    assert at_least(k, [1] * len(chances), chances) == pytest.approx(slow, abs=1e-12)


@pytest.mark.parametrize("p", [0.0017, 0.36, 1.0])
def test_the_number_and_the_share_needed_are_the_first_that_suffice(p: float) -> None:
    for chance in (0.1, 0.9):
        slow = next(m for m in range(3, 5000) if stats.binom.sf(2, m, p) >= chance)
        assert attempts_needed(3, p, chance) == slow
    n, chances = np.array([54, 12]), np.array([0.5, 0.9])
    assert at_least(3, n, chances * share_needed(3, n, chances, 0.5)) == pytest.approx(0.5, abs=1e-7)
    assert attempts_needed(3, 0.0, 0.5) is share_needed(3, [2], [1.0], 0.5) is None


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"frame": figures((1.2, 0.3, 0.5, 0.9))}, "from 0 to 1"),
        ({"frame": figures(years=(0.0, 1.0, 1.0, 1.0))}, "above zero"),
        ({"years_to_mark": 0.5}, "one year or more"),
    ],
)
def test_refuses_rates_and_times_out_of_range(terms: dict, said: str) -> None:
    with pytest.raises(ModelInputError, match=said):
        found(**terms)


def test_a_segment_in_its_market_has_a_closed_form_and_leaves_a_rest() -> None:
    rates = {"base_year": 2023, "target_year": 2030, "market_pct": 4.7, "segment_pct": 11.9}
    own = segment_share(1748.7, 564.9, **rates)
    assert own.share_pct[2030] == pytest.approx(100 * 564.9 / 1748.7 * (1.119 / 1.047) ** 7, rel=EXACT)
    rest = (1748.7 * 1.047**7 - 564.9 * 1.119**7) / (1748.7 - 564.9)
    assert own.attrs["rest_growth_pct"] == pytest.approx(100 * (rest ** (1 / 7) - 1), rel=1e-6)
    slow, year = 564.9 / 1748.7, 2023
    while slow < 1:
        slow, year = slow * 1.119 / 1.047, year + 1
    assert year - 1 < own.attrs["whole_year"] <= year
    beside = implied_beside(own, {("x", 2027): 35.0, ("y", 2031): 30.0})
    assert beside.label.tolist() == ["x"]
    assert beside.gap_points.item() == pytest.approx(own.share_pct[2027] - 35.0, rel=EXACT)
    same = segment_share(100.0, 30.0, **rates | {"segment_pct": 4.7})
    assert same.share_pct.to_numpy() == pytest.approx(30.0)
    assert (same.attrs["rest_growth_pct"], same.attrs["whole_year"]) == (pytest.approx(4.7), None)
    assert segment_share(100.0, 60.0, **rates | {"segment_pct": 40.0}).attrs["rest_growth_pct"] is None
