"""11_export_forecast at its ends: no sentence survives a parameter that makes it false."""

import re

import pytest
from running import Said, said

NAME = "11_export_forecast"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def test_the_default_results_and_the_sentences_that_print_them(default: Said) -> None:
    r, text = default.results, default.text.replace("\\$", "$")
    assert default.status == "ok", default.failure
    assert r["required_growth_pct"] == pytest.approx(12.246, abs=5e-4)
    assert (r["path_year"], r["segment_path_usd_m"]) == (2030, pytest.approx(11386.98, abs=5e-3))
    assert r["segment_shortfall_usd_m"] == pytest.approx(213.02, abs=5e-3)
    assert 0 < r["probability_of_doubling"] <= r["probability_of_segment_growth"] < 0.5
    assert r["median_doubling_year"] > 2030
    assert f"is unlikely: the record of comparable exports gives {100 * r['probability_of_target']:.0f}%" in text
    assert "ahead of the world segment" in text
    assert f"now takes {r['growth_still_required_pct']:.1f}% a year" in text
    assert "US$213m short of it" in text
    assert len(default.answer.split()) <= 40


def test_a_target_passed_already_and_a_segment_path_above_it() -> None:
    easy = said(NAME, target_multiple="1.05", segment_growth_pct="1", market_growth_pct="-20")
    assert easy.status == "ok", easy.failure
    assert easy.results["probability_of_target"] > 0.55
    assert re.search(r"Still standing at .* is (more likely than not|likely|very likely)", easy.answer)
    assert easy.results["segment_shortfall_usd_m"] < 0
    assert "above it" in easy.text
    assert "That is already the target or more" in easy.text
    assert easy.results["probability_of_doubling"] < easy.results["probability_of_target"]


def test_a_target_out_of_reach_at_an_early_vintage_with_a_sparse_definition() -> None:
    changed = {"target_multiple": "20", "target_year": "2040", "segment_growth_pct": "60"}
    hard = said(NAME, series="kita_biopharma", as_of="2024-12-31", **changed)
    assert hard.status == "ok", hard.failure
    assert hard.results["growth_since_base_pct"] is None
    assert "is very unlikely" in hard.answer
    assert "had no figure for the growth from 2024 to 2025" in hard.text
    assert "is not forecast: it does not hold every month of 2024" in hard.text
    assert hard.results["probability_of_target_monthly"] is None
    assert "nothing observed has moved the chance" in hard.text
    assert "2026" not in hard.answer


@pytest.mark.parametrize(("multiple", "word", "truth"), [("1.1", "reached", 1.0), ("20", "missed", 0.0)])
def test_a_target_year_already_observed_is_reported_as_a_fact(multiple: str, word: str, truth: float) -> None:
    past = said(NAME, target_year="2025", target_multiple=multiple, monthly_series="hs300214_tentative")
    assert past.status == "ok", past.failure
    assert f"for 2025 was {word}" in past.answer
    assert past.results["growth_still_required_pct"] is None
    assert past.results["probability_of_target"] == truth
    assert "No year is left" in past.text
    assert "it covers 2025 already" in past.text
