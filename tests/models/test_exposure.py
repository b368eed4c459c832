"""What is made up elsewhere: a known share comes back, common shocks are not taken for it, a slow twin agrees."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.exposure import MIN_YEARS, episodes, reallocation

ASKED = {"fall_pct": 10.0, "min_share_pct": 4.0}
DRAWS = {"n_draws": 500, "level": 90, "seed": 1}


def world(made_up: float, *, years: int = 30, markets: int = 12, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Demand moves markets, all together in part; every third year one loses 30% by itself and others take a share."""
    rng = np.random.default_rng(seed)
    names, index = [f"M{i:02d}" for i in range(markets)], range(1990, 1990 + years)
    step = np.exp(rng.normal(0.03, 0.08, (years, 1)) + rng.normal(0, 0.03, (years, markets)))
    demand = pd.DataFrame(1000 * np.cumprod(step, axis=0), index=index, columns=names)
    exports = demand * 0 + 0.0
    exports.iloc[0] = 100.0
    for t in range(1, years):
        now = exports.iloc[t - 1] * demand.iloc[t] / demand.iloc[t - 1]
        if t % 3 == 0:
            hit = names[t % markets]
            before = exports.iloc[t - 1][hit]
            now[hit] = 0.7 * before
            others = [n for n in names if n != hit]
            now[others] += made_up * 0.3 * before / len(others)
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


def test_small_destinations_and_years_without_demand_give_no_episode_and_a_broken_record_is_left_out() -> None:
    exports, demand = world(0.0)
    assert episodes(exports, demand, fall_pct=10, min_share_pct=60).empty
    assert episodes(exports, demand.loc[:2000], **ASKED).year.max() <= 2000
    broken = demand.copy()
    broken.loc[2000:, "M05"] *= 1000
    found = reallocation(episodes(exports, broken, fall_pct=29, min_share_pct=4), **DRAWS)
    assert found.made_up == pytest.approx(0, abs=0.05)


def test_too_few_years_are_said_so_and_not_estimated() -> None:
    exports, demand = world(0.5, years=10)
    found = reallocation(episodes(exports, demand, fall_pct=29, min_share_pct=4), **DRAWS)
    assert found.n_years < MIN_YEARS
    assert found.made_up is None


def test_draws_are_repeatable_a_higher_level_is_wider_and_levels_are_per_cents() -> None:
    exports, demand = world(0.5)
    found = episodes(exports, demand, **ASKED)
    first, again, wide = (reallocation(found, n_draws=2000, level=v, seed=1) for v in (90, 90, 99))
    assert first.equals(again)
    assert wide.low <= first.low <= first.high <= wide.high
    with pytest.raises(ModelInputError, match="did you mean 90"):
        reallocation(found, n_draws=10, level=0.9, seed=1)
    with pytest.raises(ModelInputError, match="above 0 and at most 100"):
        episodes(exports, demand, fall_pct=0, min_share_pct=4)
