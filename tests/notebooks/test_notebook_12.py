"""12_top_five at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, said

NAME = "12_top_five"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def test_the_default_results_are_those_of_the_tables(default: Said) -> None:
    r = default.results
    assert default.status == "ok", default.failure
    assert (r["latest_year"], r["rank_latest"], r["exporters_held"]) == (2024, 11, 15)
    assert r["place_over_korea"] == pytest.approx(27590 / 6103)
    assert (r["aim_usd_m"], r["aim_rank"]) == (11600, 8)
    assert r["growth_needed_market_pct"] == pytest.approx(100 * ((27590 / 6103) ** (1 / 6) * 1.047 - 1))
    assert r["growth_needed_still_pct"] < r["growth_needed_market_pct"] < r["growth_needed_forecast_pct"]
    assert 0 < r["probability_low"] <= r["probability_of_place"] <= r["probability_high"] < 0.5
    assert r["probability_one_unseen_ahead"] < r["probability_of_place"]
    assert (r["entered_hs3002"], r["entered_sitc54"], r["entered_hs3004"]) == (0, 0, 4)


def test_the_default_sentences_print_the_recorded_numbers(default: Said) -> None:
    r, text = default.results, default.text
    chances = f"{100 * r['probability_of_place']:.0f}%, and {100 * r['probability_high']:.0f}%"
    assert f"is very unlikely: the chance is {chances} under the most favourable assumption" in default.answer
    assert len(default.answer.split()) <= 40
    assert "would not have been enough for fifth place in 2024. It would last have been enough in 2018" in text
    assert f"must grow {r['growth_needed_still_pct']:.1f}% a year if Belgium stands still" in text
    assert f"{r['growth_needed_still_pct']:.1f}% to {r['growth_needed_past_pct']:.1f}% a year" in text
    assert {"ranks-bump", "place-gap", "rank-chances", "field", "entries"} <= set(default.tables)


def test_a_place_within_reach_next_year() -> None:
    near = said(
        NAME, target_rank="10", target_year="2025", as_of="2022-12-31", aim_usd_m="1000000", aim_multiple="50",
        market_growth_pct="-20", segment_growth_pct="60", n_paths="1000", correlation="0",
    )  # fmt: skip
    assert near.status == "ok", near.failure
    assert f"is likely: the chance is {100 * near.results['probability_of_place']:.0f}%" in near.answer
    assert "under the least favourable assumption" in near.answer
    assert "would have been tenth place or better" in near.text
    assert "Korea was ahead of it" in near.text
    assert "enough in every case" in near.text
    assert near.results["aim_rank"] == 1
    assert near.results["probability_aim_is_enough"] > 0.99


def test_the_first_place_of_all_pharmaceuticals_on_a_short_record() -> None:
    far = said(
        NAME, definition="SITC54", target_rank="1", target_year="2045", as_of="2019-12-31", correlation="0.95",
        relative_growth="own", past_years="20", base_rate_ranks="[2,3]", base_rate_years="15",
    )  # fmt: skip
    assert far.status == "ok", far.failure
    assert "For Korea to be the largest exporter of pharmaceuticals (SITC 54) in 2045 is very unlikely" in far.answer
    assert "best case" not in far.text
    assert "first place or better" not in far.text
    assert "No publisher had stated a rank by 31 December 2019" in far.text
    assert "too short for a growth over 20 years and a forecast" in far.text
    assert "is not set among all pharmaceuticals" in far.text
    assert "no test is possible" in far.text
    for name in ("growth_needed_forecast_pct", "growth_needed_past_pct", "hindcast_error"):
        assert far.results[name] is None


def test_one_comparable_year_and_no_band_to_enter_from() -> None:
    short = said(
        NAME, as_of="2019-12-31", target_year="2045", target_rank="10", base_rate_ranks="[8,9]", aim_usd_m="1",
        aim_multiple="0.5",
    )  # fmt: skip
    assert short.status == "ok", short.failure
    assert "holds 1 comparable year up to 2018" in short.text
    assert "No rank of the band asked for" in short.text
    assert short.results["starts_hs3002"] == 0
    assert "not have been enough in any year since 2015" in short.text
    assert "entries" not in short.tables
