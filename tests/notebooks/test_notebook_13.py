"""13_reform_clock at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, answered

NAME = "13_reform_clock"
NONE = "[0, 0, 0]"


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(NAME)


def test_the_default_results_are_those_of_the_arithmetic(default: Said) -> None:
    r = default.results
    assert r["biologics_share_pct"] == pytest.approx(100 * 564.9 / 1748.7 * (1.119 / 1.047) ** 7, rel=1e-9)
    assert r["blockbuster_share_updated_pct"] == pytest.approx(100 * 0.118 * 20 / 56, rel=1e-6)
    long, short = (r[f"probability_of_blockbusters_in_time_{t}"] for t in ("long", "short"))
    assert long <= r["probability_of_blockbusters_in_time"] <= short <= r["probability_of_blockbusters"]
    assert r["probability_of_blockbusters_in_time"] < r["probability_of_blockbusters_in_time_published_share"]
    both = (r["probability_of_trial_rank_by_moves"] + r["probability_of_trial_rank_by_share"]) / 2
    assert r["probability_of_trial_rank"] == pytest.approx(both)
    assert r["probability_of_trial_rank_low"] < r["probability_of_trial_rank"] < r["probability_of_trial_rank_high"]

    total = 1.5 * r["new_drug_extra_usd_m"] + 7 * r["biosimilar_extra_usd_m"]
    assert r["reform_sales_usd_m"] == pytest.approx(total, rel=1e-9)
    assert r["reform_sales_over_gap_pct"] == pytest.approx(100 * total / 5800, rel=1e-9)
    assert r["reform_sales_over_gap_pct"] < 1 < r["reform_sales_over_gap_if_all_waited_pct"] < 33
    assert r["new_drug_likely_npv_usd_m"] < r["new_drug_npv_usd_m"] < r["new_drug_all_npv_usd_m"]


def test_the_default_sentences_print_the_recorded_numbers(default: Said) -> None:
    r, text = default.results, default.text
    part = f"{r['reform_sales_over_gap_pct']:.1f}% of the gap"
    assert f"hardly matter for doubling exports: the sales they add in 2030 are {part}" in default.answer
    assert f"({100 * r['probability_of_blockbusters_in_time']:.0f}%)" in default.answer
    assert f"unlikely ({100 * r['probability_of_trial_rank']:.0f}%)" in default.answer
    assert f"must grow {r['trial_share_growth_needed_pct']:.1f}% a year to meet it by 2030" in text
    assert "counted at the end of 2024" in text
    assert "sold for 630 billion won in 2025, +43.7%" in text
    assert "shrink 0.2% a year" in text
    assert "By the count of single-country trials the aim has been met already" in text


def test_a_reform_that_brings_nothing_says_so_everywhere() -> None:
    none = answered(
        NAME, target_year="2026", as_of="2025-09-05", start_date="2026-12-31", delivered_pct=NONE, clock_share_pct=NONE,
        blockbuster_share_pct="[0.01, 0.01, 0.01]", success_rates="bio_2006_2015", phase_done_pct="0",
        third_growth_pct="30", market_growth_pct="60", segment_growth_pct="-20",
    )  # fmt: skip
    assert "bring no sales by 2026" in none.answer
    for words in ("gains no time", "is worth nothing", "none of them can pass the mark", "adds no sales in 2026"):
        assert words in none.text
    assert "0.0% to 0.0%" not in none.text
    assert "If that share changes +30.0% a year" in none.text
    assert "No published forecast of the share falls within these years" in none.text
    assert none.results["new_drug_npv_usd_m"] == none.results["probability_of_blockbusters_in_time_short"] == 0
    assert none.results["biologics_share_gap_points"] is none.results["probability_that_a_selling_drug_passes"] is None


def test_every_generous_value_at_once_is_carried_to_its_end() -> None:
    hundred = "[100, 100, 100]"
    most = answered(
        NAME, target_year="2045", as_of="2035-12-31", start_date="2025-09-05", delivered_pct=hundred,
        clock_share_pct=hundred, listing_for_biosimilars="true", launch_lag_days=NONE, biosimilar_price_fall_pct=NONE,
        new_drug_peak_usd_m="[100000, 100000, 100000]", blockbuster_share_pct=hundred,
        phase_done_pct="100", third_growth_pct="-30", market_growth_pct="-20", segment_growth_pct="60",
    )  # fmt: skip
    r = most.results
    assert r["biosimilar_months_gained"] > r["new_drug_months_gained"] > 5.8
    assert r["new_drug_npv_usd_m"] == pytest.approx(r["new_drug_all_npv_usd_m"])
    assert "times the gap" in most.answer
    assert "mostly Korean sales" not in most.text
    assert "cannot both hold to 2045" in most.text
    assert r["rest_of_market_growth_pct"] is r["biologics_share_pct"] is None
    assert "a year and still meet it in 2045" in most.text


def test_products_that_never_reach_their_peak_and_a_mark_in_won() -> None:
    twenty = "[20, 20, 20]"
    slow = answered(
        NAME, new_drug_peak_years=twenty, biosimilar_peak_years=twenty,
        launch_lag_days="[2000, 2000, 2000]", new_drug_peak_usd_m=NONE, target_year="2027",
        blockbuster_share_pct="[1, 2, 5]", segment_growth_pct="4.7", blockbuster_mark="krw_1tn",
    )  # fmt: skip
    assert slow.results["new_drug_all_npv_usd_m"] == 0
    assert "leave biologics at 32% of the market" in slow.text
    assert "fall short of every published forecast" in slow.text
    assert "The mark here is one trillion won. The published shares and times are those of US" in slow.text


def test_the_thirds_growth_reaches_the_chance(default: Said) -> None:
    faster = answered(NAME, third_growth_pct="10")
    assert faster.results["probability_of_trial_rank"] < default.results["probability_of_trial_rank"] - 0.05
    assert faster.results["probability_of_trial_rank_by_moves"] == default.results["probability_of_trial_rank_by_moves"]
