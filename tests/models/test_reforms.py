"""Pipelines, reforms and ranks: published totals and curves met, simulators recovered, slow sums, paths counted."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.growth import segment_share
from kbio_analysis.models.pipeline import (
    PHASES,
    at_least,
    attempts_needed,
    chance_over_share,
    chance_to_grow,
    prospects,
    share_needed,
    updated_share,
)
from kbio_analysis.models.reform_clock import DAYS, Step, Track, all_products, bases, curve_value, simulate, tornado
from kbio_analysis.models.trial_hub import LOWEST_RANK, gap_chance, hub_race, move_weights, rank_chance, yearly_moves

EXACT = 1e-9  # arithmetic on a handful of floats
ROUNDED = 0.0008  # transition rates are published in whole per cent, totals to a tenth
SIMULATED = 0.01  # four standard errors of a share in 40,000 pipelines
MOMENTS = 0.02  # relative, four standard errors of means over 40,000 log-normal draws
DAILY = 2e-3  # a sum over days stands beside an integral
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


def test_dates_by_hand_and_rates_or_times_out_of_range() -> None:
    table = found()
    assert table.approval_short.tolist() == [2033, 2031, 2028, 2026]  # 2026.5 + half a phase and the phases after it
    assert table.mark_short.tolist() == [2035, 2033, 2030, 2028]
    assert (table.approval_long >= table.approval_short).all()
    assert found(phase_done=1.0).approval_short["filed"] == 2026
    assert found(total_years_long=1.0).approval_long.equals(found().approval_short.rename("approval_long"))
    with pytest.raises(ModelInputError, match="from 0 to 1"):
        found(figures(success=1.2))
    with pytest.raises(ModelInputError, match="above zero"):
        found(figures(years=0.0))


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


def test_a_segment_in_its_market_has_a_closed_form_and_leaves_a_rest() -> None:
    rates = {"base_year": 2023, "target_year": 2030, "market_pct": 4.7, "segment_pct": 11.9}
    own = segment_share(1748.7, 564.9, **rates)
    assert own.share_pct[2030] == pytest.approx(100 * 564.9 / 1748.7 * (1.119 / 1.047) ** 7, rel=EXACT)
    slow, year = 564.9 / 1748.7, 2023
    while slow < 1:
        slow, year = slow * 1.119 / 1.047, year + 1
    assert year - 1 < own.attrs["whole_year"] <= year
    same = segment_share(100.0, 30.0, **rates | {"segment_pct": 4.7})
    assert same.share_pct.to_numpy() == pytest.approx(30.0)
    assert (same.attrs["rest_growth_pct"], same.attrs["whole_year"]) == (pytest.approx(4.7), None)
    assert segment_share(100.0, 60.0, **rates | {"segment_pct": 40.0}).attrs["rest_growth_pct"] is None


UPTAKE = (0.11, 0.31, 0.58, 0.76, 0.89, 1.0)
FIXED = dict.fromkeys(("delivered_pct", "clock_share_pct"), (100, 100, 100))
FIXED |= dict.fromkeys(("launch_lag_days", "price_fall_pct", "discount_pct"), (0, 0, 0))
FIXED |= {"peak_usd_m": (500, 500, 500), "years_to_peak": (6, 6, 6)}


WIDE = FIXED | {"delivered_pct": (25, 75, 100), "peak_usd_m": (353, 510, 816), "discount_pct": (9, 10.5, 11)}


def track(assumptions=FIXED, *, spread=(0.01, 0.01, 0.01)) -> Track:
    step = Step(before_days=330, after_days=150, spread=spread)
    return Track(name="New drug", steps=(step,), assumptions=assumptions, uptake=UPTAKE)


def test_the_published_launch_curve_is_met_year_by_year() -> None:
    """Nature Reviews Drug Discovery 2017: sales of year k are 11, 31, 58, 76, 89, 100% of the peak."""
    zero, peak = np.zeros(1), np.array([6.0])
    to = [float(curve_value(zero, np.array([float(t)]), peak, UPTAKE, zero)[0]) for t in range(9)]
    assert np.diff(to) == pytest.approx([*UPTAKE, 1.0, 1.0], abs=EXACT)


def test_discounted_value_agrees_with_a_sum_over_days() -> None:
    launch, end, peak, rate = 0.8, 11.3, 4.5, 0.17
    fast = curve_value(np.array([launch]), np.array([end]), np.array([peak]), UPTAKE, np.array([rate]))[0]
    slow = 0.0
    for day in range(int(launch * 3650), int(end * 3650)):
        age = day / 3650 - launch
        part = min(int(age / peak * 6), 5)
        slow += UPTAKE[part] * np.exp(-rate * day / 3650) / 3650
    assert fast == pytest.approx(slow, rel=DAILY)


def test_a_day_gained_is_a_day_of_peak_sales_in_the_long_run_and_the_clock_share_scales_it() -> None:
    """Undiscounted and past the peak, the gain is peak times the time gained: the curve shifts, its end stays."""
    found = simulate(track(), years_to_target=4.5, n=10, seed=1).likely
    assert found.npv_usd_m == pytest.approx(500 * found.months_gained / 12, rel=EXACT)
    assert found.months_gained == pytest.approx(12 * (330 - 150) / DAYS, rel=EXACT)
    one = Step(before_days=406, after_days=295, spread=(0.01,) * 3)
    both = simulate(replace(track(), steps=(one, *track().steps)), years_to_target=4.5, n=10, seed=1)
    assert both.likely.months_gained == pytest.approx(12 * (111 + 180) / DAYS, rel=EXACT)
    assert both.likely.months_gained == pytest.approx(both.track.announced_months, rel=EXACT)
    part = simulate(track(FIXED | {"clock_share_pct": (1.4,) * 3}), years_to_target=4.5, n=10, seed=1).likely
    assert part.npv_usd_m == pytest.approx(0.014 * found.npv_usd_m, rel=EXACT)
    assert part.all_npv_usd_m == pytest.approx(found.npv_usd_m, rel=EXACT)


def test_recovers_the_mean_and_spread_it_was_given() -> None:
    """The gain is cut times case length: log-normal with the step's coefficient of variation."""
    draws = simulate(track(spread=(0.7, 0.7, 0.7)), years_to_target=4.5, n=40_000, seed=5).draws
    days = draws.months_gained / 12 * DAYS
    assert days.mean() == pytest.approx(180, rel=MOMENTS)
    assert days.std() / days.mean() == pytest.approx(0.7, rel=3 * MOMENTS)
    assert days.median() == pytest.approx(180 * np.exp(-np.log1p(0.49) / 2), rel=MOMENTS)


def test_all_products_together_are_the_sum_over_the_years_they_start() -> None:
    """What every year's products gain in the target year, added up one starting year after the other."""
    base, left = track(WIDE, spread=(0.4, 0.7, 1.2)), 4.5
    slow, start = 0.0, 0
    while left - start > 0:
        to, before = (simulate(base, years_to_target=left - start - k, n=300, seed=9).draws for k in (0, 1))
        slow += 3 * (to.extra_usd_m - before.extra_usd_m).mean()
        start += 1
    found = all_products({"New drug": simulate(base, years_to_target=left, n=300, seed=9)}, {"New drug": 3})
    assert found.mean_usd_m["New drug"] == pytest.approx(slow, rel=1e-6)
    assert found.loc["together"].equals(found.loc["New drug"].rename("together"))
    assert found.all_usd_m.iloc[0] >= found.mean_usd_m.iloc[0]


@pytest.mark.parametrize(
    ("known", "basis"),
    [
        (None, "our assumption"),
        ((2, 2), "one published figure"),
        ((4, 4), "away from the published"),
        ((1.02, 5), "published range"),
        ((2, 5), "reaches beyond"),
    ],
)
def test_what_an_assumed_range_rests_on(known: tuple | None, basis: str) -> None:
    key = ("both", "discount_pct")
    assert bases({key: (1, 2, 3)}, {key: known} if known else {}).basis.item() == basis


def test_nothing_delivered_gains_nothing_and_a_late_start_brings_no_revenue_in_time() -> None:
    none = simulate(track(FIXED | {"delivered_pct": (0, 0, 0)}), years_to_target=4.5, n=50, seed=1).draws
    assert (none[["months_gained", "extra_usd_m", "npv_usd_m"]].abs() < EXACT).all().all()
    late = simulate(track(), years_to_target=-1.0, n=50, seed=1).draws
    assert (late.extra_usd_m == 0).all()
    assert (late.npv_usd_m > 0).all()


def test_the_tornado_is_what_replacing_one_assumption_gives() -> None:
    base = track(WIDE, spread=(0.4, 0.7, 1.2))
    both = tornado([base, replace(base, name="Biosimilar")], years_to_target=4.5)
    found = both[both.track == base.name].set_index("assumption")
    assert set(found.index) == {"delivered_pct", "peak_usd_m", "discount_pct", "case_length"}
    for name in ("delivered_pct", "peak_usd_m", "discount_pct"):
        for end, column in ((0, "value_low"), (2, "value_high")):
            alone = replace(base, assumptions={**WIDE, name: (WIDE[name][end],) * 3})
            slow = simulate(alone, years_to_target=4.5, n=5, seed=1).likely.npv_usd_m
            assert found.loc[name, column] == pytest.approx(slow, rel=EXACT)
    assert (found.value_high - found.value_low).abs().is_monotonic_decreasing
    assert len(both) == 2 * len(found)
    assert both.label[both.assumption == "peak_usd_m"].unique().tolist() == ["peak sales a year"]


HUB = pd.Series({2016: 8, 2017: 6, 2019: 8, 2020: 6, 2021: 6, 2022: 5, 2023: 4, 2024: 6})


def test_moves_bridge_missing_years_and_one_more_of_the_same_mean_size_joins_them() -> None:
    moves, bridged = yearly_moves(HUB)
    assert moves.tolist() == [-2, 1, 1, -2, 0, -1, -1, 2]
    assert bridged == 2
    weights = move_weights(np.array([-2, 0, 2, 0]))
    assert weights.sum() == pytest.approx(5, abs=EXACT)
    spread = weights - pd.Series({-2: 1, 0: 2, 2: 1}).reindex(weights.index, fill_value=0)
    assert (spread > 0).all()
    assert float((spread * np.abs(spread.index)).sum()) == pytest.approx(1.0, abs=1e-3)  # truncated at WIDEST_MOVE


@pytest.mark.parametrize("best", [1, 3])
def test_the_chain_agrees_with_enumerating_every_path(best: int) -> None:
    past = pd.Series({2021: 5, 2022: 4, 2023: 5, 2024: 4})
    found = rank_chance(past, target_rank=3, target_year=2026, best_rank=best, n=50)[0]
    weights = move_weights(yearly_moves(past)[0])
    p = weights / weights.sum()
    slow = 0.0
    for path in product(p.index, repeat=2):
        rank = 4
        for move in path:
            rank = min(max(rank + move, best), LOWEST_RANK)
        slow += (rank <= 3) * np.prod([p[m] for m in path])
    assert found.chance == pytest.approx(slow, abs=EXACT)


def test_recovers_the_chance_of_a_walk_it_was_fed_with() -> None:
    rng = np.random.default_rng(4)
    steps = rng.choice([-1, 0, 1], size=400, p=[0.3, 0.5, 0.2])
    ranks = 15 + np.cumsum(steps)
    ranks = pd.Series({1600 + i: int(np.clip(r, 2, 28)) for i, r in enumerate(ranks)})
    found = rank_chance(ranks, target_rank=int(ranks.iloc[-1]), target_year=2002, n=400, seed=1)[0]
    seen = np.diff(ranks.to_numpy())
    law = {m: (seen == m).mean() for m in (-1, 0, 1)}
    truth = sum(np.prod([law[m] for m in path]) for path in product(law, repeat=3) if sum(path) <= 0)
    assert found.chance == pytest.approx(truth, abs=0.02)  # one further move in 400, and three steps
    assert found.low < truth < found.high
    assert found.high - found.low < 0.15


def test_few_moves_leave_a_wide_error_and_never_certainty_and_an_observed_year_is_known() -> None:
    few = rank_chance(pd.Series({2021: 10, 2022: 11, 2023: 10, 2024: 11}), target_rank=3, target_year=2030, n=400)[0]
    assert 0 < few.chance < 0.05
    still = rank_chance(pd.Series(3, range(2019, 2025)), target_rank=3, target_year=2030, n=400)[0]
    assert 0.5 < still.chance < 1
    assert still.low < still.chance
    assert [rank_chance(HUB, target_rank=rank, target_year=2024)[0].chance for rank in (3, 6)] == [0, 1]


def test_gap_chance_by_hand() -> None:
    ratio = pd.Series({2017: 0.7, 2023: 0.98, 2024: 0.82})
    logs = np.log(ratio.to_numpy())
    sd = np.sqrt(((logs[1] - logs[0]) ** 2 / 6 + (logs[2] - logs[1]) ** 2) / 2)
    found = gap_chance(ratio, target_year=2030)
    assert found == (pytest.approx(stats.t.sf(-logs[2] / (sd * 6**0.5), 2), rel=EXACT), 2)
    assert gap_chance(ratio.iloc[:1], target_year=2030) is None
    assert gap_chance(ratio, target_year=2024) is None
    assert gap_chance(pd.Series({2023: 0.9, 2024: 0.9}), target_year=2030) is None


def rows(**changes: float) -> pd.DataFrame:
    found = [("all_trials", "rank", "KOR", y, r) for y, r in HUB.items()]
    found += [("single_country", "rank", "KOR", y, 3) for y in range(2019, 2025)]
    found += [("report_of_2013", "rank", "KOR", 2013, 10)]
    shares = {"USA": 21.15, "CHN": 14.59, "AUS": 4.24, "ESP": 3.81, "KOR": 3.46} | changes
    found += [("all_trials", "share_pct", g, 2024, v) for g, v in shares.items()]
    found += [("all_trials", "share_pct", "KOR", 2023, 4.04), ("all_trials", "gap_to_third_points", "KOR", 2023, 0.05)]
    return pd.DataFrame(found, columns=["scope", "measure", "geo", "year", "value"])


GOAL = {"home": "KOR", "target_rank": 3, "target_year": 2030, "rival_growth_pct": 0.0, "seed": 1}


def test_only_rivals_far_ahead_are_out_of_reach_and_rows_that_cannot_tell_are_refused() -> None:
    assert hub_race(rows(), **GOAL | {"target_year": 2024}).growth_needed_pct is None
    for best, trials in {3: rows(), 2: rows(CHN=5.0), 1: rows(CHN=5.0, USA=6.0)}.items():
        same = rank_chance(HUB, best_rank=best, target_rank=3, target_year=2030, seed=1)[0]
        assert hub_race(trials, **GOAL).main.chance == same.chance
    bare = rows()
    with pytest.raises(ModelInputError, match="later as_of"):
        hub_race(bare[bare.scope != "all_trials"], **GOAL)
