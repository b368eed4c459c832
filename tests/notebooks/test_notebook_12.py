"""12_top_five at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, said

from kbio_analysis.errors import ParameterError

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
    assert r["growth_needed_market_pct"] < r["growth_needed_segment_pct"]
    assert 0 < r["probability_low"] <= r["probability_of_place"] <= r["probability_high"] < 0.33
    assert r["probability_one_unseen_ahead"] < r["probability_of_place"]
    assert (r["entered_hs3002"], r["entered_sitc54"], r["entered_hs3004"]) == (0, 0, 4)
    assert r["hindcast_error"] < r["hindcast_error_unchanged"]


def test_the_two_aims_are_read_from_the_same_paths(default: Said) -> None:
    r = default.results
    both = r["probability_of_place_given_multiple"] * r["probability_of_multiple"]
    assert both == pytest.approx(r["probability_of_multiple_given_place"] * r["probability_of_place"], abs=0.001)
    assert r["probability_of_place"] < r["probability_of_place_given_multiple"] < 0.2
    assert r["probability_of_multiple_given_place"] > 0.9
    assert "seldom the place" in default.text


def test_the_default_sentences_print_the_recorded_numbers(default: Said) -> None:
    r, text = default.results, default.text
    assert f"is very unlikely for Korea: {100 * r['probability_of_place']:.0f}%." in default.answer
    assert f"the chance is {100 * r['probability_of_place_given_multiple']:.0f}%" in default.answer
    assert len(default.answer.split()) <= 40
    assert "would not have been enough for fifth place in 2024. It would last have been enough in 2018" in text
    assert f"would have to grow {r['growth_needed_pct']:.1f}% a year from 2024" in text
    assert f"change +{r['known_growth_pct']:.1f}% from 2024 to 2026, the last year nowcast" in text
    assert {"ranks-bump", "place-gap", "rank-chances", "field", "entries"} <= set(default.tables)


def test_a_place_within_reach_next_year() -> None:
    near = said(
        NAME, target_rank="10", target_year="2025", as_of="2022-12-31", aim_usd_m="1000000", aim_multiple="50",
        market_growth_pct="-20", segment_growth_pct="60", n_paths="1000", growth_error_points="30",
    )  # fmt: skip
    assert near.status == "ok", near.failure
    assert f"is likely for Korea: {100 * near.results['probability_of_place']:.0f}%" in near.answer
    assert "exports" not in near.answer.split("likely")[1]
    assert "Too few paths do so" in near.text
    assert "would have been tenth place or better" in near.text
    assert "Korea was ahead of it" in near.text
    assert near.results["probability_of_place_given_multiple"] is None
    assert near.results["aim_rank"] == 1
    assert near.results["probability_aim_is_enough"] > 0.99


def test_the_first_place_of_all_pharmaceuticals_on_a_short_record() -> None:
    far = said(
        NAME, definition="SITC54", target_rank="1", target_year="2045", as_of="2019-12-31", relative_growth="own",
        base_rate_ranks="[2,3]", base_rate_years="15",
    )  # fmt: skip
    assert far.status == "ok", far.failure
    assert "First place among exporters of pharmaceuticals (SITC 54) in 2045 is very unlikely for Korea" in far.answer
    assert "hardly change that" in far.answer
    assert "best case" not in far.text
    assert "at best" not in far.text
    assert "first place or better" not in far.text
    assert "No publisher had stated a rank by 31 December 2019" in far.text
    assert "is not set among all pharmaceuticals" in far.text
    assert "holds no year from which 27 years ahead could be tested" in far.text
    assert far.results["hindcast_error"] is far.results["known_growth_pct"] is None


def test_one_year_of_growth_makes_nobody_a_favourite() -> None:
    short = said(NAME, as_of="2019-12-31", aim_usd_m="1", aim_multiple="0.5", base_rate_ranks="[2,3]")
    assert short.status == "ok", short.failure
    assert "holds 1 comparable year up to 2018" in short.text
    assert "No rank of the band asked for" in short.text
    assert short.results["starts_hs3002"] == 0
    assert "not have been enough in any year since" in short.text
    assert "entries" not in short.tables
    assert "Singapore" not in short.text
    assert "0.5 times" not in short.text
    assert short.results["probability_of_place"] < 0.1


def test_a_shrinking_world_and_one_that_grows_without_measure() -> None:
    for rate, words in (("-20", "Korea would hold it even with a change of −"), ("60", "would have to grow")):
        found = said(
            NAME, market_growth_pct=rate, segment_growth_pct=rate, growth_error_points="0.1", target_year="2045"
        )
        assert found.status == "ok", found.failure
        assert words in found.text
        assert len(found.answer.split()) <= 40


def test_parameters_that_do_not_go_together_are_named() -> None:
    with pytest.raises(ParameterError, match=r"base_rate_ranks: .* holds 1; give 2"):
        said(NAME, base_rate_ranks="[9]")
