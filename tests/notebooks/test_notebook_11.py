"""11_export_forecast at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, answered

from kbio_analysis.data.series import exporters
from kbio_analysis.models.growth_predictive import compared

NAME = "11_export_forecast"


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(NAME)


def test_the_default_results_and_the_sentences_that_print_them(default: Said) -> None:
    r = default.results
    assert r["required_growth_pct"] == pytest.approx(100 * (2 ** (1 / 6) - 1))
    assert r["segment_path_usd_m"] == pytest.approx(5800 * 1.119**6)
    assert r["nowcast_low_usd_m"] < r["nowcast_usd_m"] < r["nowcast_high_usd_m"]
    assert r["nowcast_strategy_usd_m"] == pytest.approx(r["nowcast_usd_m"] * 5800 / 5510)
    assert r["probability_of_target_low"] < r["probability_of_target"] < r["probability_of_target_high"]
    assert r["probability_of_target"] == r["probability_of_doubling"]
    assert r["brier_predictive"] <= r["brier_class_share"] - 0.05
    assert 74 <= r["coverage_80_pct"] <= 88
    assert 90 <= r["coverage_95_pct"] <= 98
    assert f"about even, {100 * r['probability_of_target']:.0f}%" in default.answer
    assert f"takes {r['required_growth_from_nowcast_pct']:.0f}% a year" in default.answer
    assert "short of it" in default.text


def test_a_target_out_of_reach_is_very_unlikely_by_every_way() -> None:
    far = answered(NAME, target_multiple="20")
    assert far.results["probability_of_target"] < 0.005
    assert "very unlikely, under 1%" in far.answer
    assert "all give under 1%" in " ".join(far.text.split())


def test_without_the_months_of_the_year_it_still_answers() -> None:
    early = answered(NAME, as_of="2025-12-31")
    assert early.results["nowcast_year"] == 2025
    assert "2026" not in early.answer
    bare = answered(NAME, as_of="2024-12-31", series="kita_biopharma")
    assert bare.results["nowcast_year"] is None
    assert "had no figure for the growth from 2024" in " ".join(bare.text.split())
    assert "There is no nowcast" in bare.text


@pytest.mark.parametrize(("multiple", "word", "truth"), [("1.1", "reached", 1.0), ("20", "missed", 0.0)])
def test_a_target_year_already_observed_is_reported_as_a_fact(multiple: str, word: str, truth: float) -> None:
    past = answered(NAME, target_year="2025", target_multiple=multiple)
    assert f"for 2025 was {word}" in past.answer
    assert past.results["growth_still_required_pct"] is None
    assert past.results["probability_of_target"] == truth
    assert "now the year is over" in past.text


def test_gaps_are_no_reason_to_stop_and_a_target_passed_needs_no_growth() -> None:
    mfds = answered(NAME, series="mfds_biopharma", base_year="2015", base_value_usd_m="789")
    assert mfds.results["latest_year"] == 2024
    assert mfds.answer.startswith("Still standing at")
    assert "no more growth" in mfds.answer
    assert "The assumed growth matters little: at 4.7%" in " ".join(mfds.text.split())


def test_wider_records_stand_beside_the_answer_and_never_in_it(default: Said) -> None:
    text = " ".join(default.text.split())
    assert "The assumed growth decides: at 4.7%" in text
    assert "the average exporter of HS 3004 grew by" in text
    assert "HS 3004" not in default.answer


def test_a_small_base_is_not_just_the_target_and_a_slow_one_takes_some_growth() -> None:
    small = answered(NAME, base_year="2026", base_value_usd_m="1", market_growth_pct="11.9", forecast_growth_pct="11.9")
    assert "just the target" not in small.text
    assert "All three rates are the same here" in " ".join(small.text.split())
    slow = answered(NAME, target_year="2045", target_multiple="1.01", segment_growth_pct="-20")
    assert "takes 0.05% a year" in slow.text


@pytest.mark.parametrize(
    "changed",
    [
        {
            "segment_growth_pct": "60",
            "market_growth_pct": "-20",
            "growth_error_points": "0.1,30",
            "target_year": "2026",
        },
        {"as_of": "2024-04-30", "target_multiple": "1.5", "growth_error_points": "0.1,30"},
        {"series": "khidi_pharma_current", "base_year": "2018", "interval_levels": "50"},
    ],
)
def test_it_answers_at_extremes(changed: dict[str, str]) -> None:
    found = answered(NAME, **changed)
    assert 0 <= found.results["probability_of_target"] <= 1


def test_the_largest_error_of_a_nowcast_follows_the_months_known(default: Said) -> None:
    assert "is the largest error: the months count other products" in default.text
    one = answered(NAME, as_of="2026-03-31")
    assert one.results["nowcast_year"] == 2026
    assert "The largest error is what the months to come may bring" in one.text


@pytest.mark.parametrize(("panel", "brier", "crps"), [("HS92-3002", 0.240, 0.193), ("HS92-3004", 0.199, 0.099)])
def test_the_law_is_no_worse_than_plain_variance_components_on_either_panel(
    panel: str, brier: float, crps: float
) -> None:
    """The bar is what the moments alone scored on these cases, before the Netherlands were held."""
    held = {panel: exporters(panel).drop(columns="NLD")}
    found = compared(held, origins=range(2015, 2024), horizons=range(1, 5), event_pct=8.9)[0].droplevel("panel")
    ours, old = found.loc["components"], found.loc["class share"]
    assert ours.brier <= brier
    assert ours.crps <= crps
    assert ours.brier < old.brier
    assert ours.crps < old.crps
