"""13_reform_clock at its ends: no sentence survives a parameter that makes it false."""

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
    assert r["phase1_candidates_for_even_odds"] > r["phase3_candidates_for_even_odds"] > 3
    assert r["probability_of_blockbusters_in_time_long"] <= r["probability_of_blockbusters_in_time_short"]
    assert r["probability_of_trial_rank_low"] < r["probability_of_trial_rank"] < r["probability_of_trial_rank_high"]
    assert 0 < r["new_drug_npv_usd_m"] < r["new_drug_all_npv_usd_m"]


def test_the_default_sentences_print_the_recorded_numbers(default: Said) -> None:
    r, text = default.results, default.text
    assert f"gains a new drug {r['new_drug_months_gained']:.1f} months" in default.answer
    assert f"take {r['phase3_candidates_for_even_odds']} phase III candidates" in default.answer
    assert f"is unlikely ({100 * r['probability_of_trial_rank']:.0f}%)" in default.answer
    assert "hold only if other drugs stand still" in default.answer
    assert len(default.answer.split()) <= 40
    assert f"must grow {r['trial_share_growth_needed_pct']:.1f}% a year to meet it by 2030" in text
    assert "shrink 0.2% a year" in text
    assert "By the count of single-country trials the aim has been met already" in text


def test_a_reform_that_brings_nothing_says_so_everywhere() -> None:
    none = said(
        NAME, target_year="2026", as_of="2025-09-05", start_date="2030-01-01", delivered_pct=NONE, clock_share_pct=NONE,
        blockbuster_share_pct="[0.01, 0.01, 0.01]", success_rates="bio_2006_2015", phase_done_pct="0",
        third_growth_pct="30", market_growth_pct="60", segment_growth_pct="-20",
    )  # fmt: skip
    assert none.status == "ok", none.failure
    assert "gains a new drug no time" in none.answer
    for words in ("gains no time", "worth nothing", "no candidate can", "cannot bring three blockbusters by 2026"):
        assert words in none.text
    assert "If that share changes +30.0% a year" in none.text
    assert "No published forecast of the share falls within these years" in none.text
    assert none.results["new_drug_npv_usd_m"] == none.results["probability_of_blockbusters_in_time_short"] == 0
    assert none.results["biologics_share_gap_points"] is None


def test_every_generous_value_at_once_is_carried_to_its_end() -> None:
    hundred = "[100, 100, 100]"
    most = said(
        NAME, target_year="2045", as_of="2035-12-31", start_date="2025-09-05", delivered_pct="[150, 150, 150]",
        clock_share_pct=hundred, listing_for_biosimilars="true", launch_lag_days=NONE, biosimilar_price_fall_pct=NONE,
        new_drug_peak_usd_m="[100000, 100000, 100000]", discount_pct=NONE, blockbuster_share_pct=hundred,
        phase_done_pct="100", third_growth_pct="-30", market_growth_pct="-20", segment_growth_pct="60",
    )  # fmt: skip
    r = most.results
    assert most.status == "ok", most.failure
    assert r["biosimilar_months_gained"] > r["new_drug_months_gained"] > 5.9
    assert r["new_drug_npv_usd_m"] == pytest.approx(r["new_drug_all_npv_usd_m"])
    assert "the two market growth rates cannot both hold" in most.answer
    assert r["rest_of_market_growth_pct"] is None
    assert "is hard to square with a share of 100%" in most.text
    assert r["trial_share_growth_needed_pct"] < 0
    assert "a year and still meet it in 2045" in most.text


def test_products_that_never_reach_their_peak() -> None:
    twenty, three = "[20, 20, 20]", "[3, 3, 3]"
    slow = said(
        NAME, sales_years="[1, 1, 1]", new_drug_peak_years=twenty, biosimilar_peak_years=twenty, review_spread=three,
        launch_lag_days="[2000, 2000, 2000]", listing_spread=three, new_drug_peak_usd_m=NONE, target_year="2027",
        blockbuster_share_pct="[1, 2, 5]", segment_growth_pct="4.7",
    )  # fmt: skip
    assert slow.status == "ok", slow.failure
    assert slow.results["new_drug_all_npv_usd_m"] == 0
    assert "For a new drug the time gained is worth nothing at these values" in slow.text
    assert "leave biologics at 32% of the market" in slow.text
    assert "fits a share of 2%" in slow.text
    assert "fall short of every published forecast" in slow.text


def test_a_triple_out_of_order_is_refused_with_its_name() -> None:
    wrong = said(NAME, discount_pct="[11, 9, 10]")
    assert wrong.status == "failed"
    assert "discount_pct" in wrong.failure
    assert "rising order" in wrong.failure
