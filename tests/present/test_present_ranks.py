"""Sentences about places stay true at both ends of every number they hold."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.models import rank_history, ranks
from kbio_analysis.models.rank_climb import growth_needed
from kbio_analysis.models.rank_growth import Race
from kbio_analysis.present import figures
from kbio_analysis.present import ranks as said
from kbio_analysis.present.figures import canvas
from kbio_analysis.present.ranks import checks, race, standing, words
from kbio_analysis.present.text import chance

AS_OF = date(2026, 8, 31)
HS, WTO = "HS92-3002", "SITC54"
YEARS = [2020, 2021, 2022, 2023, 2024]
PUBLISHED = pd.DataFrame(
    {
        "definition": ["kita_biopharma", "gov_biopharma_headline", "gov_biopharma_headline"],
        "label": ["KITA", "government", "government"],
        "year": [2020, 2024, 2030],
        "rank": [7, 10, 5],
        "status": ["reported", "approximate", "target"],
    }
)


def panel(korea: list[float]) -> pd.DataFrame:
    others = {"USA": 100.0, "BEL": 80.0, "CHE": 60.0, "ITA": 40.0, "NLD": 20.0}
    frame = {iso: [level * 1000 * 1.05**t for t in range(5)] for iso, level in others.items()}
    index = pd.PeriodIndex([str(y) for y in YEARS], freq="Y-DEC")
    return pd.DataFrame(frame | {"KOR": [1000 * v for v in korea]}, index=index)


LAST, FIRST = [1.0, 1.1, 1.2, 1.3, 1.4], [500.0] * 5
"""Korea's exports, US$ billion, far below and far above everyone else's."""


def rungs(korea: list[float], place: int = 3) -> pd.DataFrame:
    return rank_history.ladder(panel(korea), "KOR", place)


def run(korea: list[float], place: int = 3, *, rho: float = 0.2, volatility: float = 0.15) -> ranks.RankOdds:
    levels = panel(korea).iloc[-1].sort_values(ascending=False)
    flat = pd.Series(0.0, index=levels.index)
    start = Race(
        origin_year=2024,
        levels=levels,
        drift=flat,
        drift_sd=flat,
        volatility=flat + volatility,
        freedom=flat + np.inf,
        observed_correlation=0.1,
    )
    terms = {"home": "KOR", "place": place, "target_year": 2030, "correlation": rho, "n_paths": 400, "seed": 1}
    return ranks.simulate(start, **terms)


def spread(low: float, high: float) -> pd.DataFrame:
    return pd.DataFrame({0.0: [high, low], 0.5: [high, low]}, index=["own", "equal"])


def test_words() -> None:
    assert [words.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th",
    ]  # fmt: skip
    assert words.reaching(1) == "is the largest exporter"
    assert words.been(5) == "was among the five largest exporters"
    assert words.exporters(["USA", "BEL"]) == "the United States and Belgium"
    assert (words.rate(-0.04), words.rate(-3.0), words.rate(12.2462)) == ("0.0%", "−3.0%", "12.2%")
    assert (words.money(11600.0), words.money(950.0)) == ("US$11.6bn", "US$950m")
    assert (words.places(6, 13), words.places(2, 2)) == ("6th to 13th", "2nd")


@pytest.mark.parametrize(
    ("korea", "word", "rank"), [(LAST, "very unlikely", "6th of 6"), (FIRST, "very likely", "1st")]
)
def test_the_answer_follows_the_odds(korea: list[float], word: str, rank: str) -> None:
    text = said.answer_sentence(run(korea), rungs(korea), spread(0.01, 0.99), classification=HS, as_of=AS_OF)
    assert f"it is {word} that Korea is among the three largest exporters of HS 3002 in 2030" in text
    assert f"from {rank}" in text
    assert "best case" in text
    assert "from 1% to 99% over" in text


def test_the_answer_is_no_best_case_where_every_exporter_reports() -> None:
    text = said.answer_sentence(run(LAST), rungs(LAST), spread(0.2, 0.2), classification=WTO, as_of=AS_OF)
    assert "best case" not in text
    assert "the same at every assumption" in text


def test_the_conflict_is_stated_with_and_without_published_ranks() -> None:
    ladders = {HS: rungs(LAST), WTO: rungs(FIRST)}
    text = said.conflict_sentence(PUBLISHED, ladders, as_of=AS_OF)
    assert "in 4 ways" in text
    assert "KITA: 7th in 2020; government: about 10th in 2024" in text
    assert "2030" not in text
    assert "not a move" in text
    none = said.conflict_sentence(PUBLISHED.iloc[:0], ladders, as_of=AS_OF)
    assert "in 2 ways" in none
    assert "No publisher had stated a rank" in none


def test_published_ranks_stand_beside_the_same_year_only() -> None:
    text = said.same_year_sentence(PUBLISHED, {HS: rungs(LAST)})
    assert text.startswith("In 2020 7th (KITA) stands beside 6th in HS 3002; in 2024 about 10th")
    early = PUBLISHED.assign(year=[2010, 2011, 2030])
    assert "No published rank" in said.same_year_sentence(early, {HS: rungs(LAST)})
    assert list(standing.rank_table(PUBLISHED, {HS: rungs(LAST)}).Year) == ["2024", "2023", "2022", "2021", "2020"]


@pytest.mark.parametrize(
    ("korea", "words_"),
    [
        (LAST, "narrowed in both"),
        ([2.0, 1.9, 1.8, 1.7, 1.6], "widened in both"),
        ([v * 1.05**t for t, v in enumerate([2.0] * 5)], "stayed the same in both"),
        (FIRST, "Korea was ahead of it"),
    ],
)
def test_the_gap_narrows_widens_or_is_none(korea: list[float], words_: str) -> None:
    assert words_ in said.gap_sentence(rungs(korea), classification=HS, place=3)


def test_the_aims_agree_differ_or_split() -> None:
    def aims(*values: float) -> dict:
        return {f"aim {v:g}": rank_history.placement(panel(LAST), "KOR", v, 3) for v in values}

    kw = {"place": 3, "classification": HS}
    assert "The two aims agree" in said.aims_sentence(aims(200_000, 90_000), **kw)
    low = said.aims_sentence(aims(2_000, 62_000), **kw)
    assert "The two aims do not agree" in low
    assert "(never enough since 2020)" in low
    assert "(last enough in 2020)" in low
    assert "depends on which" in said.aims_sentence(aims(2_000, 90_000), **kw)
    assert "not set among all" in said.aims_sentence(aims(2_000), place=3, classification=WTO)


def test_growth_needed_against_the_other_aim() -> None:
    kw = {"place": 3, "target_year": 2030}
    hard = growth_needed(1000.0, 70_000.0, 6, {"standing still": 0.0, "own forecast": 5.0})
    text = said.growth_sentence(hard, rungs(LAST), **kw, multiple=2.0)
    assert "12.2% a year: too little for the place in every case" in text
    assert "does not reach back far enough" in text
    easy = growth_needed(60_000.0, 50_000.0, 6, {"standing still": 0.0, "own past growth": 2.0})
    text = said.growth_sentence(easy, rungs(LAST), **kw, multiple=2.0)
    assert "a growth of −3.0% a year if it stands still" in text
    assert "enough for the place in every case" in text
    assert "too short for a forecast" in text
    mixed = growth_needed(1000.0, 1500.0, 6, {"standing still": 0.0, "own past growth": 20.0})
    assert "enough in some of these cases" in said.growth_sentence(mixed, rungs(LAST), **kw, multiple=2.0)


def test_climbs_from_below_from_above_and_from_nowhere() -> None:
    frame = pd.DataFrame(
        {
            "label": ["a", "b"],
            "year": [2020, 2024],
            "rank": [7, 3],
            "multiple": [2.5, 0.9],
            "standing still": [9.4, -1.0],
        }
    )
    text = said.climb_sentence(frame, place=5, target_year=2030)
    assert "from 7th in 2020 (a) to fifth place was 2.5 times the value, 9.4% a year" in text
    assert "3rd in 2024 already was fifth place or better" in text
    assert "No published rank" in said.climb_sentence(frame.iloc[:0], place=5, target_year=2030)
    assert said.show_climbs(frame.iloc[:0], source="s") is None


def test_the_field_names_the_exposed_and_those_ahead_of_korea() -> None:
    text = said.field_sentence(run(LAST))
    assert "Switzerland is the most exposed" in text
    assert "have a better chance to be there than Korea" in text or "has a better chance to be there" in text
    alone = said.field_sentence(run(FIRST, place=1))
    assert alone.startswith("The largest exporter now is Korea itself. No exporter from further down")
    first = said.field_sentence(run(LAST, place=1))
    assert "The only rival now there, the United States, is the largest exporter in 2030 in" in first


def test_korea_is_always_in_the_table_of_the_field() -> None:
    for korea in (LAST, FIRST):
        assert "Korea" in list(race.field_table(run(korea)).Exporter)


def test_the_aim_is_enough_for_a_low_place_and_not_for_a_high_one() -> None:
    odds = run(LAST)
    assert race.enough(odds, 1.0, 4.7) < 0.01
    assert race.enough(odds, 1e7, 4.7) > 0.99
    assert race.enough(odds, 80_000.0, 0.0) > race.enough(odds, 80_000.0, 12.0)
    assert "enough in under 1% of paths" in said.enough_sentence(odds, 1.0, {"with the market": 4.7})
    assert "enough in over 99% of paths" in said.enough_sentence(odds, 1e7, {"with the market": -20.0})


def test_assumptions_move_the_chance_or_do_not() -> None:
    assert "moves the chance away from under 1%" in said.spread_sentence(spread(0.001, 0.002), run(LAST))
    text = said.spread_sentence(spread(0.02, 0.6), run(LAST))
    assert "from 2% to 60%: very unlikely to more likely than not" in text
    assert "lasting growth" in text
    assert "shocks go together" in said.spread_sentence(spread(0.02, 0.6).T.set_axis(["own", "equal"]), run(LAST))


def test_simulation_error_and_correlation_are_stated() -> None:
    odds = run(LAST)
    start = Race(
        origin_year=2024,
        levels=panel(LAST).iloc[-1],
        drift=pd.Series(dtype=float),
        drift_sd=pd.Series(dtype=float),
        volatility=pd.Series(dtype=float),
        freedom=pd.Series(dtype=float),
        observed_correlation=-0.2,
    )
    text = said.simulation_sentence(odds, start, correlation=0.2, n_paths=400)
    assert f"simulation error {100 * odds.simulation_error:.2f} points" in text
    assert "−0.20 on average" in text
    fields = {name: getattr(start, name) for name in start.__slots__} | {"observed_correlation": None}
    assert "the record shows none" in said.simulation_sentence(odds, Race(**fields), correlation=0.2, n_paths=400)


def test_an_unseen_exporter_costs_a_place() -> None:
    text = said.unseen_sentence(run([30.0] * 5, place=4, volatility=0.3), HS)
    low, high = (int(p) for p in re.search(r"chance of (\d+)% falls to (\d+)%", text).groups())
    assert low > high
    assert "no place left" in said.unseen_sentence(run(LAST, place=1), HS)
    assert "no place is hidden" in said.unseen_sentence(run(LAST), WTO)


def test_entries_read_none_some_and_no_band() -> None:
    rising = panel([1.0, 2.0, 90.0, 200.0, 300.0])
    some = rank_history.entries(rising, ranks=(5, 6), place=3, within_years=2)
    text = said.entries_sentence({HS: some})
    assert "An exporter ranked 5th to 6th was among the three largest exporters within 2 years" in text
    assert f"{some.entered} of {some.n} starts, by Korea" in text
    none = rank_history.entries(panel(LAST), ranks=(5, 6), place=3, within_years=2)
    assert "0 of 6 starts (" in said.entries_sentence({HS: none})
    short = rank_history.entries(panel(LAST), ranks=(5, 6), place=3, within_years=9)
    assert "no case" in said.entries_sentence({HS: short})
    empty = rank_history.entries(panel(LAST), ranks=(2, 3), place=3, within_years=2)
    assert "No rank of the band" in said.entries_sentence({HS: empty})


def test_the_hindcast_is_fair_to_the_forecast_of_no_change() -> None:
    index = pd.Index(["USA", "BEL", "KOR"], name="iso3")
    base = {"rank_then": [1, 2, 3], "inside_80": [True, True, False]}
    kept = pd.DataFrame(base | {"chance": [0.9, 0.2, 0.1], "rank_now": [1, 2, 3], "hit": [True, False, False]}, index)
    new = pd.DataFrame(base | {"chance": [0.4, 0.2, 0.6], "rank_now": [2, 3, 1], "hit": [False, False, True]}, index)
    for frame, verdict, entry in (
        (kept, "worse than the 0.000", "nobody was new"),
        (new, "better than", "there: Korea"),
    ):
        frame.attrs = {"origin_year": 2018, "end_year": 2024}
        text = said.hindcast_sentence(frame, classification=HS, place=1, years=6)
        assert verdict in text
        assert entry in text
        assert "held 2 of 3 ranks of 2024" in text
    assert "no test is possible" in said.hindcast_sentence(None, classification=HS, place=1, years=6)


def test_limits_name_the_years_held() -> None:
    assert "5 comparable years up to 2024" in checks.limit_sentences(run(LAST), rungs(LAST), classification=HS)[0]
    wto = " ".join(checks.limit_sentences(run(LAST), rungs(LAST), classification=WTO))
    assert "spans 6 years" in wto
    assert "transcribed" not in wto


@pytest.mark.parametrize("korea", [LAST, FIRST])
def test_charts_say_in_words_what_they_draw(korea: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict] = []
    monkeypatch.setattr(canvas, "show", lambda payload, _: shown.append(dict(payload)))
    odds, ladder = run(korea), rungs(korea)
    places = rank_history.comparable_standings(panel(korea), 3)
    figures.rank_bump(places, odds, classification=HS, source="s")
    figures.rank_chances(odds, classification=HS, source="s")
    needed = growth_needed(ladder.home_usd_m.iloc[-1], ladder.rival_usd_m.iloc[-1], 6, {"standing still": 0.0})
    mark = {"aim_usd_m": 11600.0, "aim_label": "Korea's own exports times 2", "place": 3, "target_year": 2030}
    figures.place_gap(ladder, needed, **mark, classification=HS, source="s")
    bump, chances, gap = shown
    end = odds.fan.iloc[-1]
    assert f"middle {words.ordinal(int(end['median']))}, 80% range" in bump["alt"]
    assert f"Korea was {words.ordinal(int(ladder.home_rank.iloc[-1]))}" in bump["alt"]
    assert len(bump["csv"].splitlines()) == 1 + len(YEARS) + 6
    assert f"Korea {chance(odds.probability)}" in chances["alt"]
    assert "standing still US$" in gap["alt"]
    assert "A star marks Korea's own exports times 2, US$11.6bn." in gap["alt"]


def test_records_are_finite_or_none() -> None:
    odds, aims = run(LAST), {"a": rank_history.placement(panel(LAST), "KOR", 11_600.0, 3)}
    needed = growth_needed(1000.0, 5000.0, 6, {"standing still": 0.0})
    said.record_standing(rungs(LAST), aims, needed)
    said.record_race(odds, spread(0.1, 0.2), other=odds)
    found = {HS: rank_history.entries(panel(LAST), ranks=(5, 6), place=3, within_years=2)}
    said.record_checks(found, None, odds, (11_600.0, 4.7))
    with pytest.raises(UsageError, match="not a finite number"):
        said.record_standing(rungs(LAST).assign(rival_usd_m=np.inf), aims, needed)
