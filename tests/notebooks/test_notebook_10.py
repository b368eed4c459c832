"""10_export_record at its ends: no sentence survives a parameter that makes it false."""

import re

import pytest
from running import Said, answered

from kbio_analysis.present.words import signed_pct, usd

NAME = "10_export_record"


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(NAME)


def plain(text: str) -> str:
    return text.replace("\\$", "$")


def test_the_default_counts_are_those_of_the_publishers_and_its_text_prints_them(default: Said) -> None:
    r = default.results
    assert (r["nearest_code_sum_usd_m"], r["code_sums_matching"]) == (pytest.approx(6521.18, abs=5e-3), 2)
    assert (r["nearest_definition"], r["nearest_gap_pct"]) == ("KHIDI biopharma, current", pytest.approx(-5, abs=0.05))
    # 8,440 of 2021 less the 2,693 that moved out, against 6,630 of 2022; KHIDI prints +15.7% for all pharmaceuticals.
    assert r["break_hs30_like_for_like_pct"] == pytest.approx(15.4, abs=0.05)
    text = plain(default.text)
    assert f"{usd(r['lowest_count_usd_m'])} to {usd(r['highest_count_usd_m'])}" in plain(default.answer)
    assert f"{signed_pct(r['revision_lowest_pct'])} to {signed_pct(r['revision_highest_pct'])}" in text
    assert f"Of {r['revision_pairs']} months" in text
    assert f"covers at least {r['revision_coverage_pct']:.0f}%" in text
    assert f"between {usd(r['last_month_low_usd_m'])} and {usd(r['last_month_high_usd_m'])}" in text
    assert f"has a season: its strength is {r['season_strength']:.2f}" in text
    assert "level with the path" in text
    assert plain(default.answer).startswith(f"The months so far put Korea's biopharma exports of {r['nowcast_year']}")


def test_before_any_later_count_and_without_a_figure_of_the_year() -> None:
    early = answered(
        NAME, as_of="2024-04-30", headline_year="2010", headline_usd_m="1", match_year="2015",
        definitions="kita_biopharma", first_year="2022", last_year="2023", interval_level="99",
    )  # fmt: skip
    r = early.results
    assert (r["lowest_count_usd_m"], r["revision_pairs"], r["last_month_low_usd_m"]) == (None, 0, None)
    assert "No count of Korea's biopharma exports in 2010" in early.answer
    assert "has no pair of first and later counts, too few to give an interval" in early.text
    assert re.search(r"is [\d,.]+ times as much|stood alone", early.text)
    assert "None of the chosen definitions" in early.text
    assert "what makes it up is open" in early.text
    assert "2025" not in early.text
    assert not {"record-definitions", "scopes", "pending", "to-date", "full-years"} & set(early.tables)


def test_a_level_too_high_for_so_few_pairs_and_a_target_out_of_reach() -> None:
    hard = answered(
        NAME, as_of="2035-12-31", tolerance_usd_m="1000", target_multiple="20", target_year="2026",
        series="hs300214_tentative", interval_level="99", max_delay_days="15", first_month="2023-02-15",
        last_month="2025-11-30", seasonal_smoother="7",
    )  # fmt: skip
    r = hard.results
    assert r["code_sums_matching"] > 100
    assert "cannot tell them apart" in hard.text
    assert "13 pairs cannot carry an interval of 99%" in hard.text
    assert "it would still be behind the path" in hard.text
    assert (r["season_p_value"] < 0.05) == ("has a season" in hard.text)
    assert r["ahead_of_path_pct"] < -60
    assert re.search(r"\d% behind the path to the target", hard.text)


def test_a_headline_that_one_count_equals_and_a_target_already_passed() -> None:
    easy = answered(
        NAME, as_of="2025-06-30", headline_usd_m="5500", tolerance_usd_m="0.01", target_multiple="1.01",
        target_year="2045", last_month="2022-06-01", interval_level="50",
    )  # fmt: skip
    assert abs(easy.results["nearest_gap_pct"]) < 0.5
    assert "is equal to within 0.5%" in easy.text
    assert easy.results["season_strength"] is None
    assert "too few to say whether there is a season" in easy.text
    assert "ahead of the path" in easy.text
    assert "2026" not in easy.text
