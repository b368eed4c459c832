"""Rank moves: the chain against every path, known laws recovered, and the hub race read from rows."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.trial_hub import LOWEST_RANK, gap_chance, hub_race, move_weights, rank_chance, yearly_moves

EXACT = 1e-10  # sums of products of probabilities


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


def test_scopes_are_read_apart_and_the_third_is_found() -> None:
    race = hub_race(rows(), **GOAL)
    assert race.scopes.moves.fillna(0).to_dict() == {"all_trials": 8, "report_of_2013": 0, "single_country": 5}
    assert (race.main.latest_rank, race.main.last_year, race.main.bridged) == (6, 2024, 2)
    assert len(race.ranks) == 8 + 6 + 1 + len(race.fan)
    assert race.shares.rival.to_dict() == pytest.approx({2023: 4.09, 2024: 4.24})
    assert race.held == 0
    assert race.growth_needed_pct == pytest.approx(100 * ((4.24 / 3.46) ** (1 / 6) - 1), rel=EXACT)


def test_only_rivals_far_ahead_are_out_of_reach_and_rows_that_cannot_tell_are_refused() -> None:
    assert hub_race(rows(), **GOAL | {"target_year": 2024}).growth_needed_pct is None
    for best, trials in {3: rows(), 2: rows(CHN=5.0), 1: rows(CHN=5.0, USA=6.0)}.items():
        same = rank_chance(HUB, best_rank=best, target_rank=3, target_year=2030, seed=1)[0]
        assert hub_race(trials, **GOAL).main.chance == same.chance
    bare = rows()
    with pytest.raises(ModelInputError, match="later as_of"):
        hub_race(bare[bare.scope != "all_trials"], **GOAL)
