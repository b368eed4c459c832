"""12_top_five at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, answered

NAME = "12_top_five"


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(NAME)


def test_the_default_reads_both_aims_from_the_same_paths_and_prints_its_numbers(default: Said) -> None:
    r = default.results
    assert r["place_over_korea"] == pytest.approx(27590 / 6103)
    assert r["growth_needed_market_pct"] < r["growth_needed_segment_pct"]
    assert 0 < r["probability_low"] <= r["probability_of_place"] <= r["probability_high"] < 0.33
    assert r["probability_one_unseen_ahead"] < r["probability_of_place"]
    assert r["hindcast_error"] < r["hindcast_error_unchanged"]

    both = r["probability_of_place_given_multiple"] * r["probability_of_multiple"]
    assert both == pytest.approx(r["probability_of_multiple_given_place"] * r["probability_of_place"], abs=0.001)
    assert r["probability_of_place"] < r["probability_of_place_given_multiple"] < 0.2
    assert r["probability_of_multiple_given_place"] > 0.9
    text = default.text
    assert "seldom the place" in text
    assert f"is very unlikely for Korea: {100 * r['probability_of_place']:.0f}%." in default.answer
    assert f"the chance is {100 * r['probability_of_place_given_multiple']:.0f}%" in default.answer
    assert "would not have been enough for fifth place in 2024. It would last have been enough in 2018" in text
    assert f"would have to grow {r['growth_needed_pct']:.1f}% a year from 2024" in text
    assert f"change +{r['known_growth_pct']:.1f}% from 2024 to 2026, the last year nowcast" in text
    assert {"ranks-bump", "place-gap", "rank-chances", "field", "entries"} <= set(default.tables)


def test_a_place_within_reach_next_year() -> None:
    near = answered(
        NAME, target_rank="10", target_year="2025", as_of="2022-12-31", aim_usd_m="1000000", aim_multiple="50",
        market_growth_pct="-20", segment_growth_pct="60", n_paths="1000", growth_error_points="30",
    )  # fmt: skip
    assert f"is likely for Korea: {100 * near.results['probability_of_place']:.0f}%" in near.answer
    assert "exports" not in near.answer.split("likely")[1]
    assert "Too few paths do so" in near.text
    assert "would have been tenth place or better" in near.text
    assert "Korea was ahead of it" in near.text
    assert near.results["probability_of_place_given_multiple"] is None
    assert near.results["aim_rank"] == 1
    assert near.results["probability_aim_is_enough"] > 0.99


def test_the_first_place_of_all_pharmaceuticals_on_a_short_record() -> None:
    far = answered(
        NAME, definition="SITC54", target_rank="1", target_year="2045", as_of="2019-12-31", relative_growth="own",
        base_rate_ranks="[2,3]", base_rate_years="15",
    )  # fmt: skip
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
    short = answered(NAME, as_of="2019-12-31", aim_usd_m="1", aim_multiple="0.5", base_rate_ranks="[2,3]")
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
        found = answered(
            NAME, market_growth_pct=rate, segment_growth_pct=rate, growth_error_points="0.1", target_year="2045"
        )
        assert words in found.text
