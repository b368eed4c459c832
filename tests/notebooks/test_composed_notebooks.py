"""The two notebooks composed from others: with records as they are, missing, stale, and at values that flip them."""

import re

import pytest
from running import Said, answered, fresh

from kbio_analysis.data.results import reference_entry
from kbio_analysis.data.tables import load
from kbio_analysis.models.verdicts import VERDICTS
from kbio_analysis.notebooks import notebooks_dir
from kbio_analysis.present.words import spelled
from kbio_analysis.vocabulary import PLACE_COLOURS

BRIEFING, LEDGER = "00_briefing", "40_claims_ledger"
GONE = {"state": "missing", "why": "not rendered yet"}


def held(notebook: str, name: str) -> float:
    return reference_entry(notebooks_dir(), notebook)["results"][name]["value"]


def test_with_fresh_records_both_answers_are_told_with_the_recorded_numbers() -> None:
    default = answered(BRIEFING, fresh(BRIEFING))
    assert default.results["records_fresh"] == 9
    assert "All 9 records are fresh" in default.text
    assert default.results["move_place"] == pytest.approx(0.5 - held("12_top_five", "probability_of_place"))
    odds = held("11_export_forecast", "probability_of_target")
    assert re.search(rf"exports by 2030 has a chance of {100 * odds:.0f}%, [a-z ]+", default.answer)
    reforms = held("13_reform_clock", "reform_sales_over_gap_pct")
    assert (reforms < 1) == ("listings add less than a hundredth of what doubling takes" in default.text)
    assert "a Bangladesh agreement adds US" in default.answer
    assert "point to more, by about as much as their upward bias; a loss is possible" in default.text
    assert "31 August 2026" in default.text
    assert "Not on record" not in default.text
    assert len([i for i in default.shown if i.startswith("brief-")]) == 5
    assert {"since", "numbers", "moves"} <= set(default.shown)


SERIES = {"record": "Strategy's base, moved:", "median": "median", "lo_80": "80% interval", "hi_80": "80% interval"}
KEYS = {"year", "month", "iso3", "usd_m", "rank_now", "median_rank", "method", "verdict", "chance", "claims"}
HUES = ("blue", "amber", "green", "purple", "red", "grey", "ink", "muted", "pale")
MADE_BY = ("this project", "Korea Customs Service", "Yonhap", "KHIDI")


def test_every_series_of_every_chart_names_whose_figure_it_is() -> None:
    """What is drawn is named in the caption, and so is who counted or computed it; nothing of ours is "published"."""
    charts = reference_entry(notebooks_dir(), BRIEFING)["charts"]
    assert len(charts) == 5
    for chart in charts.values():
        caption = chart["caption"]
        assert any(who in caption for who in MADE_BY), caption
        for column in set(chart["csv"][0].split(",")) - KEYS:
            assert SERIES.get(column, column) in caption or column in ("low_5", "middle", "high_95"), column
    outlook = charts["brief-fan"]
    assert "published" not in (outlook["caption"] + outlook["csv"][0]).lower()
    assert {"KHIDI", "Yonhap"} <= set(re.findall(r"KHIDI|Yonhap", outlook["source"]))
    assert "moved with KHIDI's growth" in outlook["caption"]


def test_a_place_has_one_colour_in_every_report_that_draws_it() -> None:
    assert len(set(PLACE_COLOURS.values())) == len(PLACE_COLOURS)
    place = r'\\"(Korea|United States|China|ASEAN)\\": (?:\([^)]*?\\"colour\\": )?\\"([a-z]+)\\"'
    for name in (BRIEFING, "12_top_five", "30_diversification"):
        drawn = re.findall(place, (notebooks_dir() / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert all(hue == PLACE_COLOURS[where] or hue not in HUES for where, hue in drawn), (name, drawn)


def test_a_missing_record_is_named_and_not_shown_and_a_stale_one_shown_and_named() -> None:
    records = fresh(BRIEFING)
    records["22_bangladesh_cepa"] = GONE
    records["11_export_forecast"] |= {"state": "stale", "why": "table us_gdp has changed since"}
    shown = answered(BRIEFING, records)
    r = shown.results
    assert "Missing (not rendered yet): 22_bangladesh_cepa." in shown.text
    assert "Not on record: an agreement with Bangladesh." in shown.answer
    assert "Not drawn, for want of data: what an agreement with Bangladesh would add." in shown.text
    assert "Stale (table us_gdp has changed since): 11_export_forecast." in shown.text
    assert ("brief-bangladesh" in shown.shown, "brief-fan" in shown.shown) == (False, True)
    assert (r["records_fresh"], r["records_stale"], r["records_missing"]) == (7, 1, 1)
    assert r["move_bangladesh_usd_m"] is None


def test_without_any_record_it_says_so_and_does_not_fail() -> None:
    shown = answered(BRIEFING, dict.fromkeys(fresh(BRIEFING), GONE))
    assert "Fresh records: 0 of 9." in shown.text
    assert shown.answer.startswith("Not on record: the export target, ")
    assert {v for n, v in shown.results.items() if n.startswith("move_")} == {None}


HIGH = ("97%, very likely", "add half or more of what doubling", "adds US$10m", "a loss is very unlikely")
HIGH += ("Exports to India rose", "more than chance explains")
LOW = ("under 1%, very unlikely", "less than a hundredth of", "costs US$10m", "a loss is very likely")
LOW += ("Exports to India fell", "more than chance explains")


@pytest.mark.parametrize(("sign", "odds", "words"), [(1.0, 0.97, HIGH), (-1.0, 0.001, LOW)])
def test_extreme_records_flip_the_sentences(sign: float, odds: float, words: tuple[str, ...]) -> None:
    low, high = sorted((sign * 9, sign * 11))
    values = {"probability_of_target": odds, "probability_of_place": odds, "reform_sales_over_gap_pct": 100 * odds}
    for way in ("tariffs", "transfer"):
        values |= {f"effect_{way}_trade_usd_m_{q}": v for q, v in ((5, low), (50, sign * 10), (95, high))}
    records, fields = fresh(BRIEFING, **values), {"unit": "log points", "meaning": "m", "rtol": 1e-6}
    records["21_fta_record"]["results"]["structural_india_exports_log_points"] = fields | {"value": 2 * sign}
    shown = answered(BRIEFING, records)
    for part in words:
        assert part in shown.text
    assert shown.results["move_target"] == pytest.approx(0.5 - odds)
    assert shown.results["move_bangladesh_usd_m"] * sign < 0
    assert shown.results["move_india_p"] == pytest.approx(0.1 - 1 / 30)


COUNTS = ("claims_supported", "claims_with_caveat", "claims_wrong_year", "claims_disputed")
COUNTS += ("claims_not_supported", "claims_not_testable")
AIMS = ("biopharma_exports_multiple_2030", "biopharma_export_rank_target_2030", "blockbusters_target_2030")
AIMS += ("trial_hub_rank_target_2030",)


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(LEDGER, fresh(LEDGER))


def verdicts(found: Said) -> dict[str, str]:
    return {n.removeprefix("verdict_"): v for n, v in found.results.items() if n.startswith("verdict_")}


def test_every_claim_has_one_verdict_or_is_an_aim_and_they_are_counted(default: Said) -> None:
    mine, r = verdicts(default), default.results
    claims = len(load("article_claims"))
    assert (r["n_claims"], r["n_aims"]) == (len(mine), len(AIMS)) == (claims, 4)
    assert [r[name] for name in COUNTS] == [list(mine.values()).count(v) for v in VERDICTS]
    assert sum(r[name] for name in COUNTS) == claims - 4
    assert {mine[aim] for aim in AIMS}.isdisjoint(VERDICTS)
    assert set(mine) == {n.removeprefix("measured_") for n in r if n.startswith("measured_")}
    backed = f"{r['claims_supported']} outright and {r['claims_with_caveat']} with a caveat"
    assert f"Of {claims - 4} claims the data support {backed}" in default.answer
    assert f"; {spelled(r['claims_not_supported'] + r['claims_wrong_year'])} are not as stated" in default.answer
    assert "Four aims for 2030 stand apart, as odds" in default.answer
    assert r["measured_world_pharma_market_over_semiconductors"] == pytest.approx(1740 / 627.6)
    assert "are up to date" in default.text


def test_verdicts_flip_with_their_records_and_a_missing_or_stale_paper_is_named() -> None:
    changed = {"trade_multiple_from_first_year": 2.5, "probability_of_doubling": 0.5, "usa_2025_08_usd_m": 9900}
    records = fresh(LEDGER, **changed, asean_over_usa_2025_08=0.5)
    records["12_top_five"] = GONE
    records["13_reform_clock"] |= {"state": "stale", "why": "table sources has changed since"}
    flipped = answered(LEDGER, records)
    mine = verdicts(flipped)
    assert mine["biopharma_exports_multiple_2030"] == "about even"
    assert mine["korea_india_trade_multiple"] == "supported with a caveat"
    assert mine["asean_above_usa_2025_08"] == mine["exports_usa_2025_08"] == "not supported"
    assert flipped.results["measured_exports_usa_2025_08"] == pytest.approx(9.9)
    assert "“Exports to the US”" in flipped.text
    assert mine["biopharma_export_rank_2024"] == "not testable here"
    for claim in ("biopharma_export_rank_2024", "biopharma_export_rank_target_2030", "trial_hub_rank_target_2030"):
        assert mine[claim] in ("not testable here", "not on record")
        assert flipped.results[f"measured_{claim}"] is None
    assert "12_top_five is missing (not rendered yet)" in flipped.text
    assert "13_reform_clock is stale (table sources has changed since)" in flipped.text


def test_no_width_at_all_and_every_width_at_its_widest(default: Said) -> None:
    none = {"rounding_steps": "0", "about_pct": "0", "caveat_pct": "0", "rank_places": "0", "growth_years": "1"}
    wide = {"rounding_steps": "5", "about_pct": "50", "caveat_pct": "100", "rank_places": "10", "growth_years": "20"}
    narrow, open_wide = (answered(LEDGER, fresh(LEDGER), **w) for w in (none, wide))
    unsupported = [found.results["claims_not_supported"] for found in (open_wide, default, narrow)]
    assert unsupported[0] < unsupported[1] < unsupported[2]
    assert narrow.results["verdicts_moved_by_half_widths"] == 0
    assert "At half the width no verdict changes." in narrow.text
    assert "an approximate rank within 0 places" in narrow.text
    assert narrow.results["measured_bangladesh_growth_low"] == pytest.approx(5.7751)


def test_another_reading_can_be_made_to_decide() -> None:
    wishes = '["korea_india_trade_multiple:from the trough of 2009", "korea_india_cepa_signed:in force"]'
    other = answered(LEDGER, fresh(LEDGER), prefer=wishes)
    mine = verdicts(other)
    assert mine["korea_india_trade_multiple"] == mine["korea_india_cepa_signed"] == "supported with a caveat"
    assert other.results["measured_korea_india_trade_multiple"] > 2
