"""10_export_record at its ends: no sentence survives a parameter that makes it false."""

import re

import pytest
from running import Said, said

NAME = "10_export_record"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def usd_m(value: float) -> str:
    return f"US${value:,.0f}m"


def signed(value: float) -> str:
    return f"{value:+.1f}%".replace("-", "−")


def test_the_default_results_are_the_documented_ones(default: Said) -> None:
    r = default.results
    assert default.status == "ok", default.failure
    assert r["break_apparent_pct"] == pytest.approx(-40.2, abs=0.05)
    assert r["break_like_for_like_pct"] == pytest.approx(7.5, abs=0.05)
    assert r["nearest_code_sum_usd_m"] == pytest.approx(6521.18, abs=5e-3)
    assert r["code_sums_matching"] == 2
    assert (r["nearest_definition"], r["nearest_gap_pct"]) == (
        "KHIDI biopharma, current",
        pytest.approx(-5.0, abs=0.05),
    )
    assert r["revision_lowest_pct"] == pytest.approx(-26.1, abs=0.05)
    assert 0 < r["season_p_value"] < 1
    assert r["season_p_value"] < 0.05
    assert "a season shows" in default.text


def test_the_default_text_prints_the_recorded_numbers(default: Said) -> None:
    r = default.results
    assert usd_m(r["lowest_count_usd_m"]) in default.answer
    assert usd_m(r["highest_count_usd_m"]) in default.answer
    assert f"{signed(r['revision_lowest_pct'])} to {signed(r['revision_highest_pct'])}" in default.text
    assert f"({r['revision_pairs']} months" in default.text
    assert f"covers at least {r['revision_coverage_pct']:.0f}%" in default.text
    assert f"{usd_m(r['last_month_low_usd_m'])} to {usd_m(r['last_month_high_usd_m'])}" in default.text
    assert f"strength is {r['season_strength']:.2f}" in default.text
    assert "level with" in default.text
    assert abs(r["ahead_of_path_pct"]) < 1


def test_before_any_later_count_and_without_a_figure_of_the_year() -> None:
    early = said(
        NAME, as_of="2024-04-30", headline_year="2010", headline_usd_m="1", match_year="2015",
        definitions="kita_biopharma", first_year="2022", last_year="2023", interval_level="99",
    )  # fmt: skip
    assert early.status == "ok", early.failure
    r = early.results
    assert r["lowest_count_usd_m"] is None
    assert r["revision_pairs"] == 0
    assert r["last_month_low_usd_m"] is None
    assert "no count of biopharmaceutical exports in 2010" in early.answer
    assert "cannot be said" in early.text
    assert "cannot carry an interval" in early.text
    assert "None of the chosen definitions" in early.text
    assert "what makes it is open" in early.text
    assert "2025" not in re.sub(r"KHIDI biopharma.*?open\.", "", early.text)
    assert not {"record-definitions", "scopes", "pending", "to-date", "full-years"} & set(early.tables)


def test_a_level_too_high_for_so_few_pairs_and_a_target_out_of_reach() -> None:
    hard = said(
        NAME, as_of="2035-12-31", tolerance_usd_m="1000", target_multiple="20", target_year="2026",
        series="hs300214_tentative", interval_level="99", max_delay_days="15", first_month="2023-02-15",
        last_month="2025-11-30", seasonal_smoother="7",
    )  # fmt: skip
    assert hard.status == "ok", hard.failure
    r = hard.results
    assert r["code_sums_matching"] > 100
    assert "cannot tell these sums apart" in hard.text
    assert "13 pairs cannot carry an interval of 99%" in hard.text
    assert "it would still be behind the path" in hard.text
    assert (r["season_p_value"] < 0.05) == ("a season shows" in hard.text)
    assert r["ahead_of_path_pct"] < -60
    assert re.search(r"\d% behind a path", hard.text)


def test_a_headline_that_one_count_equals_and_a_target_already_passed() -> None:
    easy = said(
        NAME, as_of="2025-06-30", headline_usd_m="5500", tolerance_usd_m="0.01", target_multiple="1.01",
        target_year="2045", last_month="2022-06-01", interval_level="50", first_year="2026", last_year="2020",
    )  # fmt: skip
    assert easy.status == "ok", easy.failure
    r = easy.results
    assert abs(r["nearest_gap_pct"]) < 0.5
    assert "equal to it within 0.5%" in easy.text
    assert "One count" in easy.text
    assert r["season_strength"] is None
    assert "too few to say whether there is a season" in easy.text
    assert "ahead of a path" in easy.text
    assert "2026" not in easy.text
