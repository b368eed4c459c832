"""The clock: closed forms of gain and value, a slow sum over days, and a simulator whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from kbio_analysis.models.reform_clock import DAYS, Step, Track, all_products, bases, curve_value, simulate, tornado

EXACT = 1e-9  # closed forms on a handful of floats
DAILY = 2e-3  # a sum over days stands beside an integral
SIMULATED = 0.02  # relative, four standard errors of means over 40,000 log-normal draws

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
    assert days.mean() == pytest.approx(180, rel=SIMULATED)
    assert days.std() / days.mean() == pytest.approx(0.7, rel=3 * SIMULATED)
    assert days.median() == pytest.approx(180 * np.exp(-np.log1p(0.49) / 2), rel=SIMULATED)


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


def test_the_end_of_sales_plays_no_part_once_both_launches_have_peaked() -> None:
    late, soon, one = np.array([1.2]), np.array([0.7]), np.ones(1)
    gains = []
    for end in (7.2, 10.0, 40.0):
        first, second = (curve_value(launch, end * one, 6 * one, UPTAKE, 0.1 * one) for launch in (soon, late))
        gains.append(first - second)
    assert np.ptp(gains) < EXACT


@pytest.mark.parametrize(
    ("known", "basis"),
    [
        (None, "our assumption"),
        ((2, 2), "one published figure"),
        ((4, 4), "away from the published"),
        ((1.02, 5), "published range"),
        ((2, 5), "reaches beyond"),
        ((4, 5), "away from the published"),
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
