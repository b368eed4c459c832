"""11_export_forecast at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, said

from kbio_analysis.errors import ParameterError

NAME = "11_export_forecast"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def test_the_default_results_and_the_sentences_that_print_them(default: Said) -> None:
    r = default.results
    assert default.status == "ok", default.failure
    assert r["required_growth_pct"] == pytest.approx(12.246, abs=5e-4)
    assert (r["path_year"], r["segment_path_usd_m"]) == (2030, pytest.approx(11386.98, abs=5e-3))
    assert r["segment_shortfall_usd_m"] == pytest.approx(213.02, abs=5e-3)
    assert r["nowcast_low_usd_m"] < r["nowcast_usd_m"] < r["nowcast_high_usd_m"]
    assert r["nowcast_strategy_usd_m"] == pytest.approx(r["nowcast_usd_m"] * 5800 / 5510)
    assert r["probability_of_target_low"] < r["probability_of_target"] < r["probability_of_target_high"]
    assert r["probability_of_target"] == r["probability_of_doubling"]
    assert f"about even, {100 * r['probability_of_target']:.0f}%" in default.answer
    assert f"takes {r['required_growth_from_nowcast_pct']:.0f}% a year" in default.answer
    assert "short of it" in default.text
    assert len(default.answer.split()) <= 40


def test_the_law_of_growth_beats_the_old_rule(default: Said) -> None:
    r = default.results
    assert r["brier_predictive"] <= r["brier_class_share"] - 0.05
    assert 74 <= r["coverage_80_pct"] <= 88
    assert 90 <= r["coverage_95_pct"] <= 98
    assert "hardly better than a coin" in default.text


def test_the_chance_is_smooth_in_the_target(default: Said) -> None:
    below, above = (said(NAME, target_multiple=m).results["probability_of_target"] for m in ("1.98", "2.02"))
    assert below - above <= 0.03
    far = said(NAME, target_multiple="20")
    assert far.results["probability_of_target"] < 0.005
    assert "very unlikely, under 1%" in far.answer
    assert "all give under 1%" in " ".join(far.text.split())


def test_without_the_months_of_the_year_it_still_answers() -> None:
    early = said(NAME, as_of="2025-12-31")
    assert early.status == "ok", early.failure
    assert early.results["nowcast_year"] == 2025
    assert "2026" not in early.answer
    bare = said(NAME, as_of="2024-12-31", series="kita_biopharma")
    assert bare.results["nowcast_year"] is None
    assert "had no figure for the growth from 2024" in " ".join(bare.text.split())
    assert "There is no nowcast" in bare.text


@pytest.mark.parametrize(("multiple", "word", "truth"), [("1.1", "reached", 1.0), ("20", "missed", 0.0)])
def test_a_target_year_already_observed_is_reported_as_a_fact(multiple: str, word: str, truth: float) -> None:
    past = said(NAME, target_year="2025", target_multiple=multiple)
    assert past.status == "ok", past.failure
    assert f"for 2025 was {word}" in past.answer
    assert past.results["growth_still_required_pct"] is None
    assert past.results["probability_of_target"] == truth
    assert "now the year is over" in past.text


def test_gaps_are_no_reason_to_stop_and_a_target_passed_needs_no_growth() -> None:
    mfds = said(NAME, series="mfds_biopharma", base_year="2015", base_value_usd_m="789")
    assert mfds.status == "ok", mfds.failure
    assert mfds.results["latest_year"] == 2024
    assert mfds.answer.startswith("Still standing at")
    assert "no more growth" in mfds.answer
    assert "The assumed growth matters little: at 4.7%" in " ".join(mfds.text.split())


def test_wider_records_stand_beside_the_answer_and_never_in_it(default: Said) -> None:
    text = " ".join(default.text.split())
    assert "The assumed growth decides: at 4.7%" in text
    assert "the average exporter of HS 3004 grew by" in text
    assert "HS 3004" not in default.answer
    same = said(NAME, market_growth_pct="11.9", forecast_growth_pct="11.9")
    assert "All three rates are the same here" in " ".join(same.text.split())


def test_a_small_base_is_not_just_the_target_and_a_slow_one_takes_some_growth() -> None:
    small = said(NAME, base_year="2026", base_value_usd_m="1")
    assert "just the target" not in small.text
    slow = said(NAME, target_year="2045", target_multiple="1.01", segment_growth_pct="-20")
    assert "takes 0.05% a year" in slow.text
    assert len(slow.answer.split()) <= 40
    with pytest.raises(ParameterError, match="target_year: 2025 must be more than base_year, 2026"):
        said(NAME, base_year="2026", target_year="2025")


@pytest.mark.parametrize(
    "changed",
    [
        {"target_year": "2026"},
        {"segment_growth_pct": "60", "market_growth_pct": "-20", "growth_error_points": "0.1,30"},
        {"as_of": "2024-04-30", "target_multiple": "1.5"},
        {"series": "khidi_pharma_current", "base_year": "2018", "interval_levels": "50"},
    ],
)
def test_it_answers_at_extremes(changed: dict[str, str]) -> None:
    found = said(NAME, **changed)
    assert found.status == "ok", found.failure
    assert 0 <= found.results["probability_of_target"] <= 1
    assert len(found.answer.split()) <= 40
