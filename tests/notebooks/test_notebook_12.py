"""12_top_five at its ends: no sentence survives a parameter that makes it false."""

import re

import pytest
from running import Said, said

NAME = "12_top_five"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def test_the_default_results_are_those_of_the_tables(default: Said) -> None:
    r = default.results
    assert default.status == "ok", default.failure
    assert (r["latest_year"], r["rank_latest"], r["exporters_held"]) == (2024, 10, 14)
    assert r["place_level_usd_m"] == 27590
    assert r["place_over_korea"] == pytest.approx(27590 / 6103)
    assert (r["aim_usd_m"], r["aim_rank"]) == (11600, 8)
    assert r["growth_needed_still_pct"] == pytest.approx(100 * ((27590 / 6103) ** (1 / 6) - 1))
    assert r["growth_needed_market_pct"] == pytest.approx(100 * ((27590 / 6103) ** (1 / 6) * 1.047 - 1))
    assert r["growth_needed_still_pct"] < r["growth_needed_market_pct"] < r["growth_needed_forecast_pct"]
    assert 0 < r["probability_low"] <= r["probability_of_place"] <= r["probability_high"] < 0.5
    assert r["probability_one_unseen_ahead"] < r["probability_of_place"]
    assert r["probability_other_definition"] < 0.01
    assert (r["entered_hs3002"], r["entered_sitc54"], r["entered_hs3004"]) == (0, 0, 4)


def test_the_default_sentences_print_the_recorded_numbers(default: Said) -> None:
    r, text = default.results, default.text
    assert "it is very unlikely that Korea is among the five largest exporters of HS 3002 in 2030" in default.answer
    assert f"{100 * r['probability_of_place']:.0f}% of simulated paths" in default.answer
    assert "best case" in default.answer
    assert "The two aims do not agree" in default.text
    assert "US$11,600m) would have been 8th of 14" in default.text
    assert "KITA, biopharmaceuticals: 7th in 2020" in text
    assert "government, biopharmaceuticals: about 10th in 2024" in text
    assert f"simulation error {100 * r['simulation_error']:.2f} points" in text
    for key in ("still", "past", "market", "segment", "forecast"):
        assert f"{r[f'growth_needed_{key}_pct']:.1f}%" in text
    assert text.index("each of another thing") < text.index("Read off the ladder")
    assert {"ranks-bump", "place-gap", "rank-chances", "field", "climbs"} <= set(default.tables)


def test_a_place_within_reach_next_year() -> None:
    near = said(
        NAME, target_rank="10", target_year="2025", aim_usd_m="1000000", aim_multiple="50",
        market_growth_pct="-20", segment_growth_pct="60", n_paths="1000", correlation="0",
    )  # fmt: skip
    assert near.status == "ok", near.failure
    assert near.results["probability_of_place"] > 0.5
    assert re.search(r"it is (more likely than not|likely|very likely) that Korea is among the ten", near.answer)
    assert "The two aims agree" in near.text
    assert "Korea was ahead of it" in near.text
    assert "already was tenth place or better" in near.text
    assert "enough for the place in every case" in near.text
    assert "0.0% of simulated" not in near.answer
    assert near.results["aim_rank"] == 1
    assert near.results["probability_aim_is_enough"] > 0.99


def test_the_first_place_of_all_pharmaceuticals_on_a_short_record() -> None:
    far = said(
        NAME, definition="SITC54", target_rank="1", target_year="2045", as_of="2019-12-31", correlation="0.95",
        relative_growth="own", past_years="20", base_rate_ranks="[2,3]", base_rate_years="15",
    )  # fmt: skip
    assert far.status == "ok", far.failure
    assert "Korea is the largest exporter of SITC 54 in 2045" in far.answer
    assert "very unlikely" in far.answer
    assert "best case" not in far.answer
    assert "among the largest exporter " not in far.text
    assert "No publisher had stated a rank by then" in far.text
    assert "KITA" not in far.text
    assert "too short for a forecast" in far.text
    assert "is not set among all pharmaceuticals" in far.text
    assert "no test is possible" in far.text
    assert far.results["growth_needed_forecast_pct"] is None
    assert far.results["growth_needed_past_pct"] is None
    assert far.results["hindcast_error"] is None
    assert "climbs" not in far.tables


def test_one_comparable_year_and_no_band_to_enter_from() -> None:
    short = said(
        NAME, as_of="2019-12-31", target_year="2045", target_rank="10", base_rate_ranks="[8,9]", aim_usd_m="1",
        aim_multiple="0.5",
    )  # fmt: skip
    assert short.status == "ok", short.failure
    assert "holds 1 comparable year up to 2018" in short.text
    assert "Since 2018" not in short.text
    assert "No rank of the band asked for" in short.text
    assert short.results["starts_hs3002"] == 0
    assert "The two aims do not agree" in short.text
    assert "never enough since" in short.text
    assert "−0.0%" not in short.text
