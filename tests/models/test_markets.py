"""Markets: concentration against a printed example and a slow twin; what is made up elsewhere comes back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbio_analysis.models import diversification
from kbio_analysis.models.diversification import MIN_YEARS, episodes, reallocation

EXACT = 1e-12  # sums of a few hundred floats
ASKED = {"fall_pct": 10.0, "min_share_pct": 4.0}
DRAWS = {"n_draws": 500, "level": 90, "seed": 1}


def test_the_example_the_justice_department_gives() -> None:
    """Four firms of 30, 30, 20 and 20 per cent give 2,600 points (US Department of Justice, page on the index)."""
    assert 10_000 * diversification.hhi(pd.Series([0.3, 0.3, 0.2, 0.2])) == pytest.approx(2600, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60))
def test_the_index_equals_a_slow_loop_and_stays_within_its_bounds(values: list[float]) -> None:
    found = diversification.hhi(diversification.shares(pd.Series(values)))
    assert found == pytest.approx(sum((value / sum(values)) ** 2 for value in values), rel=1e-9)
    assert 1 / len(values) - EXACT <= found <= 1 + EXACT


def test_indices_and_shares_of_every_year_count_absent_partners_as_nothing() -> None:
    panel = pd.DataFrame({"A": [1.0, 3.0], "B": [3.0, 3.0]}, index=[2000, 2001])
    table = diversification.over_time(panel)
    assert table.hhi.to_list() == pytest.approx([0.625, 0.5])
    assert table.effective_partners.to_list() == pytest.approx([1.6, 2.0])
    table = diversification.group_shares(panel, {"first": ["A", "Z"], "all": ["A", "B"]})
    assert table.loc[2000].to_dict() == {"first": 25.0, "all": 100.0}


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 1e5), st.floats(0, 1e5)), min_size=2, max_size=30))
def test_shift_share_adds_up(pairs: list[tuple[float, float]]) -> None:
    before, after = (pd.Series(side) for side in zip(*pairs, strict=True))
    found = diversification.shift_share(before, after)
    growth_pct = 100 * (after.sum() / before.sum() - 1)
    scale = 1 + abs(growth_pct)
    assert found.contribution.sum() == pytest.approx(growth_pct, abs=1e-6 * scale)
    assert found["shift"].sum() == pytest.approx(0, abs=1e-6 * scale)
    for i, (x0, x1) in enumerate(pairs):  # s0 (g_i - G), by hand
        g = 100 * (x1 / x0 - 1)
        slow = x0 / before.sum() * (g - growth_pct)
        assert found["shift"][i] == pytest.approx(slow, abs=1e-6 * (scale + abs(g)))


def world(made_up: float, *, years: int = 30, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Demand moves markets, all together in part; every third year one loses 30% by itself and others take a share."""
    rng = np.random.default_rng(seed)
    names, index = [f"M{i:02d}" for i in range(12)], range(1990, 1990 + years)
    step = np.exp(rng.normal(0.03, 0.08, (years, 1)) + rng.normal(0, 0.03, (years, 12)))
    demand = pd.DataFrame(1000 * np.cumprod(step, axis=0), index=index, columns=names)
    exports = 0 * demand + 100.0
    for t in range(1, years):
        before = exports.iloc[t - 1]
        now = before * demand.iloc[t] / demand.iloc[t - 1]
        if t % 3 == 0:
            hit = names[t % 12]
            now += made_up * 0.3 * before[hit] / 11
            now[hit] = 0.7 * before[hit]
        exports.iloc[t] = now
    return exports, demand


@pytest.mark.parametrize("truth", [0.0, 0.4, 1.0])
def test_the_share_made_up_comes_back_although_demand_moves_together(truth: float) -> None:
    exports, demand = world(truth)
    found = reallocation(episodes(exports, demand, fall_pct=29.0, min_share_pct=4.0), **DRAWS)
    assert found.n_years >= MIN_YEARS
    assert found.made_up == pytest.approx(truth, abs=0.02)
    assert found.low - 0.02 <= truth <= found.high + 0.02


def test_episodes_equal_a_slow_loop() -> None:
    exports, demand = world(0.5, seed=8)
    fast = episodes(exports, demand, **ASKED).set_index(["iso3", "year"]).sort_index()
    slow = {}
    for year in exports.index[1:]:
        for name in exports.columns:
            before, now = exports.at[year - 1, name], exports.at[year, name]
            if before / exports.loc[year - 1].sum() < 0.04 or now > 0.9 * before:
                continue
            gained = sum(
                exports.at[year, j] - exports.at[year - 1, j] * demand.at[year, j] / demand.at[year - 1, j]
                for j in exports.columns
                if j != name
            )
            slow[name, year] = (before - now, gained)
    assert set(slow) == set(fast.index)
    for key, (loss, gained) in slow.items():
        assert fast.loc[key, "loss_usd_m"] == pytest.approx(loss)
        assert fast.loc[key, "gained_usd_m"] == pytest.approx(gained, abs=1e-9 * loss + 1e-9)


def test_small_destinations_or_years_without_demand_give_no_episode_and_a_broken_record_is_left_out() -> None:
    exports, demand = world(0.0)
    assert episodes(exports, demand, fall_pct=10, min_share_pct=60).empty
    assert episodes(exports, demand.loc[:2000], **ASKED).year.max() <= 2000
    broken = demand.copy()
    broken.loc[2000:, "M05"] *= 1000
    found = reallocation(episodes(exports, broken, fall_pct=29, min_share_pct=4), **DRAWS)
    assert found.made_up == pytest.approx(0, abs=0.05)
    short = reallocation(episodes(*world(0.5, years=10), fall_pct=29, min_share_pct=4), **DRAWS)
    assert (short.n_years < MIN_YEARS, short.made_up) == (True, None)
