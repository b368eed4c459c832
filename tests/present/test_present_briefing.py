"""Every sentence of the briefing at both ends of the numbers it reads, and with records that are not there."""

from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pandas as pd
import pytest

from kbio_analysis.present import briefing, figures
from kbio_analysis.present.figures import canvas

NAMES = (
    "10_export_record",
    "11_export_forecast",
    "12_top_five",
    "13_reform_clock",
    "20_india_cepa",
    "21_fta_record",
    "22_bangladesh_cepa",
    "30_diversification",
    "40_claims_ledger",
)
TURNS = {"even_odds": 0.5, "significance": 0.1}
FAN = "year,published,median,lo_80,hi_80\n2024,5800,,,\n2025,6000,,,\n2026,,{m},{m},{m}\n"


@dataclass
class Kept:
    """A recorded chart."""

    csv: str
    source: str = "A; B"

    def frame(self) -> pd.DataFrame:
        return pd.read_csv(StringIO(self.csv))


@dataclass
class Fake:
    """A record with these results."""

    notebook: str
    results: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    charts: dict[str, Kept] = field(default_factory=dict)
    state: str = "fresh"
    why: str = ""
    tables: dict[str, str] = field(default_factory=lambda: {"apples": "abcdef0123"})

    def value(self, name: str) -> Any:
        return self.results.get(name)


def records(odds: float = 0.3, p: float = 0.5, effect: float = 10.0, mean: float = 5.0, change: float = -1.0) -> dict:
    ends = {q: f"effect_pooled_trade_usd_m_{q}" for q in (5, 50, 95)}
    forecast = {"base_value_usd_m": 5000.0, "target_multiple": 2.0, "target_year": 2026, "as_of": "2026-08-31"}
    results = {
        "10_export_record": {"lowest_count_usd_m": 3000.0, "highest_count_usd_m": 6000.0},
        "11_export_forecast": {
            "probability_of_target": odds,
            "probability_of_doubling_low": odds / 2,
            "probability_of_doubling_high": odds,
        },
        "12_top_five": {"probability_of_place": odds},
        "13_reform_clock": {"probability_of_trial_rank": odds},
        "20_india_cepa": {"p_demeaned": p, "p_floor_demeaned": 0.03, "effect_log_points_demeaned": 0.1},
        "21_fta_record": {"pooled_mean_pct": mean, "randomisation_p": p, "randomisation_p_floor": 0.001},
        "22_bangladesh_cepa": {ends[5]: effect - 5, ends[50]: effect, ends[95]: effect + 5},
        "30_diversification": {"share_usa_china_change_points": change, "made_up_share": -0.2},
        "40_claims_ledger": {
            "n_claims": 10,
            "claims_supported": 4,
            "claims_with_caveat": 3,
            "claims_not_supported": 2,
            "claims_not_testable": 1,
        },
    }
    found = {name: Fake(name, results[name]) for name in NAMES}
    found["11_export_forecast"].parameters = forecast
    found["11_export_forecast"].charts = {"fan": Kept(FAN.format(m=9000))}
    found["22_bangladesh_cepa"].parameters = {"start": 2027, "horizon": 10}
    found["12_top_five"].parameters = {"target_rank": 5, "target_year": 2030}
    found["10_export_record"].parameters = {"headline_usd_m": 5800.0, "last_year": 2025}
    return found


def lost(found: dict, *names: str) -> dict:
    return found | {n: Fake(n, {}, state="missing", why="not rendered yet", tables={}) for n in names}


def answer(found: dict, significance: float = 0.1) -> str:
    return briefing.answer_sentence(found, significance=significance)


@pytest.mark.parametrize(
    ("odds", "word"),
    [(0.0, "very unlikely (under 1%"), (0.5, "about a coin toss (50%"), (1.0, "very likely (over 99%")],
)
def test_the_odds_choose_the_word(odds: float, word: str) -> None:
    assert f"exports of US$10,000m by 2026 are {word}" in answer(records(odds=odds))
    assert f"a place among the top 5 is {word}" in answer(records(odds=odds))


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (10.0, "a gain)"),
        (-10.0, "a loss)"),
        (2.0, "of either sign)"),
        (-10.0, "by −US$10m a year in 2037 (−US$15m to −US$5m"),
    ],
)
def test_the_range_decides_the_sign(effect: float, words: str) -> None:
    assert words in answer(records(effect=effect))


def test_chance_is_told_at_the_chosen_p_and_a_mean_below_its_path_as_below() -> None:
    assert "5% above its path, which cannot be told from chance (p = 0.5)" in answer(records(p=0.5))
    assert "5% below its path, which can be told from chance (p = 0.01)" in answer(records(p=0.01, mean=-5.0))
    assert "cannot be told" in answer(records(p=0.01), significance=0.001)


def test_what_is_missing_is_named_and_given_no_number() -> None:
    text = answer(lost(records(), *NAMES))
    for name in ("11_export_forecast", "12_top_five", "21_fta_record", "22_bangladesh_cepa"):
        assert f"as the record of {name} is missing" in text
    assert "%" not in text
    assert text.count(".") == 1
    assert briefing.claims_sentence(lost(records(), NAMES[8])[NAMES[8]]).endswith("40_claims_ledger is missing.")


def test_an_answer_by_old_records_says_so() -> None:
    found = records()
    found["12_top_five"].state = "stale"
    assert answer(found).endswith("(by records that are not fresh: 12).")
    assert "not fresh" not in answer(records())


def test_classes_on_both_sides_of_even_odds_are_said_to_disagree() -> None:
    found = records(odds=0.4)
    assert "(40%, 20–40% across reference classes)" in answer(found)
    found["11_export_forecast"].results["probability_of_doubling_high"] = 0.6
    assert "(40%; reference classes disagree, 20–60%)" in answer(found)
    del found["11_export_forecast"].results["probability_of_doubling_low"]
    assert "are less likely than not (40%)" in answer(found)


def test_the_claims_are_counted() -> None:
    assert "Of 10 claims of the article the data support 4" in briefing.claims_sentence(records()["40_claims_ledger"])


def test_the_states_are_told_by_name_and_equal_faults_once() -> None:
    found = records()
    assert briefing.states_sentence(found).startswith("All 9 records")
    for name in ("10_export_record", "12_top_five"):
        found[name].state, found[name].why = "stale", "the code has changed since"
    found = lost(found, "40_claims_ledger")
    text = briefing.states_sentence(found)
    assert text.startswith("Of 9 records 6 are fresh; 10_export_record and 12_top_five are stale (the code")
    assert text.endswith("40_claims_ledger is missing (not rendered yet).")
    assert briefing.states_sentence(lost(found, *NAMES)).startswith("Of 9 records none is fresh")


def test_dates_and_limits_name_who_has_none() -> None:
    assert briefing.dates_sentence(records()).startswith("What was published by 2026-08-31 counts in 11;")
    assert briefing.dates_sentence(lost(records(), *NAMES)) == "No record names the day up to which it looks."
    text = briefing.limits_sentence(lost(records(), "12_top_five"), ["the chances of a place"])
    assert text.endswith("Nothing is shown from 12_top_five. Not drawn, for want of data: the chances of a place.")


def test_the_table_of_numbers_shows_what_is_recorded_and_dashes_for_the_rest() -> None:
    shown = briefing.number_table(records()).set_index("Number")
    assert len(shown) == 10
    assert shown.loc["Biopharmaceutical exports, headline", "Range"] == "US$3,000m to US$6,000m"
    assert shown.loc["Exports in the target year, median", "Value"] == "US$9,000m"
    assert shown.loc["Exports to India above their control", "Value"] == "+11%"
    assert shown.loc["Past falls in one market made up in others", ["Value", "Range"]].tolist() == ["−20%", "–"]
    hollow = briefing.number_table(lost(records(), *NAMES))
    assert set(hollow.Value) | set(hollow.Range) == {"–"}
    assert hollow.Record.str.endswith(", missing").all()


@pytest.mark.parametrize(("odds", "move"), [(0.0, "+50 points"), (0.75, "−25 points")])
def test_a_move_is_what_takes_the_number_to_its_turn(odds: float, move: str) -> None:
    found = {m.name: m for m in briefing.moves(records(odds=odds), **TURNS)}
    assert found["target"].shown[2] == move
    assert found["target"].now + found["target"].move == pytest.approx(0.5)
    assert found["exports_usd_m"].shown == ("US$9,000m", "US$10,000m", "+11%")


@pytest.mark.parametrize(("effect", "now"), [(10.0, 5.0), (-10.0, -5.0), (2.0, -3.0)])
def test_the_sign_turns_at_the_end_nearest_to_zero(effect: float, now: float) -> None:
    found = {m.name: m for m in briefing.moves(records(effect=effect), **TURNS)}
    assert found["bangladesh_usd_m"].now == now


def test_a_p_that_cannot_get_there_is_said() -> None:
    found = briefing.moves(records(), **TURNS | {"significance": 0.01})
    assert "No result could turn the agreement with India: the smallest p possible is larger." in (
        briefing.moves_sentence(found)
    )
    assert "No result" not in briefing.moves_sentence(briefing.moves(records(), **TURNS))


def test_what_is_missing_has_no_move_and_is_listed() -> None:
    found = briefing.moves(lost(records(), *NAMES), **TURNS)
    assert {m.move for m in found} == {None}
    assert briefing.moves_sentence(found).startswith("Not told, for want of the record: the export target, ")
    assert len(briefing.source_table(lost(records(), *NAMES))) == 9


def test_the_nearest_of_the_odds_is_named() -> None:
    found = records(odds=0.1)
    found["12_top_five"].results["probability_of_place"] = 0.45
    text = briefing.moves_sentence(briefing.moves(found, **TURNS))
    assert text == "Of the odds, those of a place among the top five are nearest to their turn."


def test_charts_are_drawn_from_what_is_there_and_the_others_named(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(canvas, "show", lambda payload, _fallback: shown.append(payload))
    found = records()
    found["12_top_five"].charts = {"rank-chances": Kept("iso3,usd_m,rank_now,chance\nUSA,9,1,0.99\nKOR,1,10,0.04\n")}
    rows = "".join(f"{y},{y - 1990},20,5\n" for y in range(1990, 2024))
    found["30_diversification"].charts = {"shares": Kept("year,China,United States,Other\n" + rows)}
    found["30_diversification"].state = "stale"
    assert figures.briefing_charts(found) == []
    alts = " ".join(payload["alt"] for payload in shown)
    for words in ("median US$9.0bn", "Korea 4%", "Pooled US$10m (US$5m to US$15m)", "not supported 2"):
        assert words in alts
    captions = {payload["id"]: payload["caption"] for payload in shown}
    assert captions["brief-shares"].endswith("Record 30, stale.")
    assert captions["brief-places"].endswith("Record 12.")
    shown.clear()
    assert len(figures.briefing_charts(lost(found, *NAMES))) == 5
    assert shown == []
