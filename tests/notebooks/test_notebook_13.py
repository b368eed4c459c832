"""13_reform_clock at its ends: no sentence survives a parameter that makes it false."""

import re

import pytest
from running import Said, said

NAME = "13_reform_clock"
NONE = "[0, 0, 0]"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def test_the_default_results_are_those_of_the_arithmetic(default: Said) -> None:
    r = default.results
    assert default.status == "ok", default.failure
    assert r["biologics_share_pct"] == pytest.approx(100 * 564.9 / 1748.7 * (1.119 / 1.047) ** 7, rel=1e-9)
    assert r["trial_share_gap_points"] == pytest.approx(4.24 - 3.46, abs=1e-9)
    assert r["trial_share_growth_needed_pct"] == pytest.approx(100 * ((4.24 / 3.46) ** (1 / 6) - 1), rel=1e-9)
    assert r["phase1_candidates_for_even_odds"] > r["phase3_candidates_for_even_odds"] > 3
    assert r["probability_of_blockbusters_in_time_long"] <= r["probability_of_blockbusters_in_time_short"]
    assert r["probability_of_trial_rank_low"] < r["probability_of_trial_rank"] < r["probability_of_trial_rank_high"]
    assert 0 < r["new_drug_npv_usd_m"] < r["new_drug_all_npv_usd_m"]


def test_the_default_sentences_print_the_recorded_numbers(default: Said) -> None:
    r = default.results
    for track in ("new_drug", "biosimilar"):
        assert f"{r[f'{track}_months_gained']:.1f} months" in default.answer
    assert f"take {r['phase3_candidates_for_even_odds']:,} candidates in phase III" in default.answer
    assert f"({100 * r['probability_of_trial_rank']:.0f}%" in default.answer
    assert f"biologics {r['biologics_share_pct']:.0f}% of the market by 2030" in default.answer
    assert "a share above 4.24% where Korea has 3.46%" in default.text
    assert "shrink 0.2% a year" in default.text
    assert "By single-country trials the aim has been met already" in default.text


def test_a_reform_that_brings_nothing_says_so_everywhere() -> None:
    none = said(
        NAME,
        target_year="2026",
        as_of="2025-09-05",
        start_date="2030-01-01",
        delivered_pct=NONE,
        clock_share_pct=NONE,
        blockbuster_share_pct="[0.01, 0.01, 0.01]",
        success_rates="bio_2006_2015",
        phase_done_pct="0",
        third_growth_pct="30",
        market_growth_pct="60",
        segment_growth_pct="-20",
    )
    assert none.status == "ok", none.failure
    assert none.results["new_drug_npv_usd_m"] == 0
    assert "no time and no present value" in none.text
    assert "gains no time" in none.text
    assert "worth nothing" in none.text
    assert "no candidate can" in none.text
    assert none.results["probability_of_blockbusters_in_time_short"] == 0
    assert "is none on the shortest published times" in none.text
    assert "if that share changes by +30.0% a year itself" in none.text.lower()
    assert none.results["biologics_share_gap_points"] is None
    assert "there is none to compare with" in none.text


def test_every_generous_value_at_once_is_carried_to_its_end() -> None:
    most = said(
        NAME,
        target_year="2045",
        as_of="2035-12-31",
        start_date="2025-09-05",
        delivered_pct="[150, 150, 150]",
        clock_share_pct="[100, 100, 100]",
        listing_for_biosimilars="true",
        launch_lag_days=NONE,
        new_drug_peak_usd_m="[100000, 100000, 100000]",
        biosimilar_price_fall_pct=NONE,
        discount_pct=NONE,
        blockbuster_share_pct="[100, 100, 100]",
        phase_done_pct="100",
        third_growth_pct="-30",
        market_growth_pct="-20",
        segment_growth_pct="60",
    )
    r = most.results
    assert most.status == "ok", most.failure
    assert r["biosimilar_months_gained"] > r["new_drug_months_gained"] > 5.9
    assert r["new_drug_npv_usd_m"] == pytest.approx(r["new_drug_all_npv_usd_m"])
    assert "fits nothing tried" in most.text
    assert "the two market growth rates cannot both hold" in most.answer
    assert r["rest_of_market_growth_pct"] is None
    assert r["trial_share_growth_needed_pct"] < 0
    assert "and still meet it" in most.text
    assert not re.search(r"\d{4,}\.\d%", most.text)


def test_products_that_never_reach_their_peak() -> None:
    slow = said(
        NAME,
        sales_years="[1, 1, 1]",
        new_drug_peak_years="[20, 20, 20]",
        biosimilar_peak_years="[20, 20, 20]",
        launch_lag_days="[2000, 2000, 2000]",
        review_spread="[3, 3, 3]",
        listing_spread="[3, 3, 3]",
        new_drug_peak_usd_m=NONE,
        blockbuster_share_pct="[1, 2, 5]",
        target_year="2027",
        segment_growth_pct="4.7",
    )
    assert slow.status == "ok", slow.failure
    assert slow.results["new_drug_all_npv_usd_m"] == 0
    assert "For one new drug that is worth nothing" in slow.text
    assert "leave biologics at 32%" in slow.text
    assert "fits what was tried" in slow.text
    assert "fall short of it" in slow.text


def test_a_triple_out_of_order_is_refused_with_its_name() -> None:
    wrong = said(NAME, discount_pct="[11, 9, 10]")
    assert wrong.status == "failed"
    assert "discount_pct" in wrong.failure
    assert "rising order" in wrong.failure
