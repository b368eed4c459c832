"""00_briefing with records as they are, missing, stale, and at values that flip what it says."""

import re
from collections.abc import Callable

import pytest
from running import Entries, Said, answered, fresh

from kbio_analysis.data.results import missing_entry, reference_entry
from kbio_analysis.render.notebooks import notebooks_dir
from kbio_analysis.vocabulary import PLACE_COLOURS

NAME = "00_briefing"


def brief(change: Callable[[Entries], None] = lambda entries: None) -> Said:
    entries = fresh(NAME)
    change(entries)
    return answered(NAME, entries)


def put(entries: Entries, notebook: str, **values: float) -> None:
    for name, value in values.items():
        entries[notebook]["results"][name]["value"] = value


def held(notebook: str, name: str) -> float:
    return reference_entry(notebooks_dir(), notebook)["results"][name]["value"]


def test_with_fresh_records_both_answers_are_told_with_the_recorded_numbers() -> None:
    default = brief()
    assert default.results["records_fresh"] == 9
    assert "All 9 records are fresh" in default.text
    assert default.results["move_place"] == pytest.approx(0.5 - held("12_top_five", "probability_of_place"))
    odds = held("11_export_forecast", "probability_of_target")
    assert re.search(rf"exports by 2030 is [a-z ]+: {100 * odds:.0f}%", default.answer)
    reforms = held("13_reform_clock", "reform_sales_over_gap_pct")
    assert (reforms < 1) == ("listings add less than a hundredth of what doubling takes" in default.answer)
    assert "An agreement with Bangladesh would" in default.answer
    assert "31 August 2026" in default.text
    assert "not on record" not in default.text
    assert len([i for i in default.shown if i.startswith("brief-")]) == 5
    assert {"since", "numbers", "moves"} <= set(default.shown)


SERIES = {"record": "Strategy's base, moved:", "median": "median", "lo_80": "80% interval", "hi_80": "80% interval"}
KEYS = {"year", "month", "iso3", "usd_m", "rank_now", "median_rank", "method", "verdict", "chance", "claims"}
HUES = ("blue", "amber", "green", "purple", "red", "grey", "ink", "muted", "pale")
MADE_BY = ("this project", "Korea Customs Service", "Yonhap", "KHIDI")


def test_every_series_of_every_chart_names_whose_figure_it_is() -> None:
    """What is drawn is named in the caption, and so is who counted or computed it; nothing of ours is "published"."""
    charts = reference_entry(notebooks_dir(), NAME)["charts"]
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
    for name in (NAME, "12_top_five", "30_diversification"):
        drawn = re.findall(place, (notebooks_dir() / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert all(hue == PLACE_COLOURS[where] or hue not in HUES for where, hue in drawn), (name, drawn)


def test_a_missing_record_is_named_and_not_shown_and_a_stale_one_shown_and_named() -> None:
    def lose_and_age(entries: Entries) -> None:
        entries["22_bangladesh_cepa"] = missing_entry("not rendered yet", "report")
        entries["11_export_forecast"] |= {"state": "stale", "why": "table us_gdp has changed since"}

    shown = brief(lose_and_age)
    r = shown.results
    assert "22_bangladesh_cepa is missing (not rendered yet)" in shown.text
    assert "What an agreement with Bangladesh would bring is not on record" in shown.answer
    assert "Not drawn, for want of data: what an agreement with Bangladesh would add." in shown.text
    assert "11_export_forecast is stale (table us_gdp has changed since)" in shown.text
    assert ("brief-bangladesh" in shown.shown, "brief-fan" in shown.shown) == (False, True)
    assert (r["records_fresh"], r["records_stale"], r["records_missing"]) == (7, 1, 1)
    assert r["move_bangladesh_usd_m"] is None


def test_without_any_record_it_says_so_and_does_not_fail() -> None:
    shown = brief(lambda entries: entries.update({n: missing_entry("not rendered yet", "report") for n in entries}))
    assert "Of 9 records none is fresh" in shown.text
    assert shown.answer.count("not on record") == 4
    assert {v for n, v in shown.results.items() if n.startswith("move_")} == {None}


HIGH = ("very likely: 97%", "add much of what doubling takes", "would add about US$10m", "with a loss very unlikely")
HIGH += ("above what was", "more than chance explains")
LOW = ("very unlikely: under 1%", "less than a hundredth of", "would cost about US$10m", "point to a loss")
LOW += ("below what was", "more than chance explains")


@pytest.mark.parametrize(("sign", "odds", "words"), [(1.0, 0.97, HIGH), (-1.0, 0.001, LOW)])
def test_extreme_records_flip_the_sentences(sign: float, odds: float, words: tuple[str, ...]) -> None:
    def push(entries: Entries) -> None:
        put(entries, "11_export_forecast", probability_of_target=odds)
        put(entries, "12_top_five", probability_of_place=odds)
        put(entries, "13_reform_clock", reform_sales_over_gap_pct=100 * odds)
        fields = {"unit": "log points", "meaning": "m", "rtol": 1e-6}
        india = {"structural_india_exports_log_points": sign, "structural_india_exports_log_points_se": 0.1}
        entries["21_fta_record"]["results"] |= {name: fields | {"value": v} for name, v in india.items()}
        low, high = sorted((sign * 9, sign * 11))
        for way in ("tariffs", "transfer"):
            ends = {f"effect_{way}_trade_usd_m_{q}": v for q, v in ((5, low), (50, sign * 10), (95, high))}
            put(entries, "22_bangladesh_cepa", **ends)

    shown = brief(push)
    for part in words:
        assert part in shown.answer
    assert shown.results["move_target"] == pytest.approx(0.5 - odds)
    assert shown.results["move_bangladesh_usd_m"] * sign < 0
    assert shown.results["move_india_log_points"] * sign < 0
