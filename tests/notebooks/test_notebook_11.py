"""11_export_forecast at its ends: no sentence survives a parameter that makes it false."""

import re

import pytest
from running import Said, said

NAME = "11_export_forecast"
FIGURE = 1e-4  # printed figures are compared at the precision the issue of record gives them


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def test_the_default_results_are_those_of_the_arithmetic(default: Said) -> None:
    r = default.results
    assert default.status == "ok", default.failure
    assert r["required_growth_pct"] == pytest.approx(12.246, abs=5e-4)
    assert r["segment_path_2030_usd_m"] == pytest.approx(11386.98, abs=5e-3)
    assert r["segment_shortfall_usd_m"] == pytest.approx(213.02, abs=5e-3)
    assert 0 < r["probability_of_doubling"] < 0.5
    assert r["probability_of_doubling"] <= r["probability_of_segment_growth"]
    assert r["median_doubling_year"] > 2030


def test_the_default_answer_prints_the_recorded_numbers(default: Said) -> None:
    r = default.results
    assert f"{100 * r['probability_of_target']:.0f}% in the pool" in default.answer
    assert f"and {100 * r['probability_of_segment_growth']:.0f}% for keeping up" in default.answer
    assert f"now takes {r['growth_still_required_pct']:.2f}% a year" in default.text
    assert "ahead of the segment's" in default.text
    assert "US$213m short of it" in default.text


def test_a_target_within_reach_is_called_likely_and_a_passed_segment_path_too() -> None:
    easy = said(NAME, target_multiple="1.05", segment_growth_pct="1", market_growth_pct="-20")
    assert easy.status == "ok", easy.failure
    assert easy.results["probability_of_target"] > 0.55
    assert re.search(r"it is (more likely than not|likely|very likely) that|leans towards", easy.answer)
    assert easy.results["segment_shortfall_usd_m"] < 0
    assert "above it" in easy.text
    assert easy.results["probability_of_doubling"] < easy.results["probability_of_target"]


def test_a_target_out_of_reach_at_an_early_vintage_with_a_sparse_definition() -> None:
    hard = said(
        NAME,
        target_multiple="20",
        series="kita_biopharma",
        as_of="2024-12-31",
        segment_growth_pct="60",
        target_year="2040",
    )
    assert hard.status == "ok", hard.failure
    assert hard.results["growth_since_base_pct"] is None
    assert "it is very unlikely that" in hard.answer
    assert "held no year after 2024" in hard.text
    assert "cannot testify" in hard.text
    assert hard.results["probability_of_target_witness"] is None
    assert "nothing observed has moved the odds" in hard.text
    assert "2026" not in re.sub(r"reach US\S+ by \d+", "", hard.answer)


def test_a_target_year_already_observed_is_reported_as_a_fact() -> None:
    past = said(NAME, target_year="2025", target_multiple="1.1", witness="hs300214_tentative")
    assert past.status == "ok", past.failure
    assert "has reached the target" in past.answer
    assert past.results["growth_still_required_pct"] is None
    assert past.results["probability_of_target"] == 1.0
    assert "no year is left" in past.text
