"""21_fta_record at its ends: no sentence survives a parameter that makes it false."""

import math
import re

import pytest
from running import Said, answered

from kbio_analysis.data import tariffs, trade
from kbio_analysis.data.tables import load

NAME = "21_fta_record"


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(NAME)


def percent(log_points: float) -> str:
    return f"{100 * math.expm1(log_points):+.0f}%".replace("-", "−")


def test_results_are_consistent(default: Said) -> None:
    r = default.results
    assert r["prediction_low_95"] < r["prediction_low_80"] < r["pooled_mean_low_95"] < r["pooled_mean_log_points"]
    assert r["pooled_mean_log_points"] < r["pooled_mean_high_95"] < r["prediction_high_80"] < r["prediction_high_95"]
    assert r["randomisation_p_floor"] <= r["randomisation_p"] < 1
    assert r["p_above_25_pct"] < r["p_positive"]
    assert r["net_tau"] <= r["tau"]
    assert r["n_effects"] <= 2 * r["n_agreements"]


def test_the_answer_prints_the_structural_pool(default: Said) -> None:
    r = default.results
    assert f"{r['structural_pool_pct']:.0f}% above what world trade explains" in default.answer
    low, high = r["structural_prediction_80_low_pct"], r["structural_prediction_80_high_pct"]
    assert f"{low:+.0f}% to {high:+.0f}%".replace("-", "−") in default.answer
    assert ("cannot be told from no change" in default.answer) == (r["structural_pool_low_95_pct"] <= 0)
    assert f"trade in US\\$ was {percent(r['pooled_mean_log_points'])}" in default.text
    assert f"{percent(r['pooled_mean_other_outcome_log_points'])}" in default.text
    assert f"a p of {r['randomisation_p']:.3f}" in default.text
    for usd in (1, 300):
        assert f"With comparisons of US\\${usd}m a year or more it is 0.17." in default.text
    assert "at most 0.08" in default.text  # bias by halves of the economies, from the table
    assert "- India, exports" in default.text
    assert {"designs", "forest", "profile", "effects"} <= set(default.tables)


def test_duties_that_could_be_cut_are_a_covariate(default: Said) -> None:
    r = default.results
    assert abs(r["structural_duty_slope_log_points"]) < 2 * r["structural_duty_slope_se"]
    assert "Canada, Colombia, EFTA and the United States have none on record" in default.text
    duties = tariffs.duties_met(trade.structural_agreements()).duty_pct
    assert duties["India", "exports"] > duties["Chile", "exports"] == pytest.approx(5.99)


def test_the_share_of_partners_totals_over_ten_years() -> None:
    share = answered(NAME, outcome="share", levels="[50, 99]", agreement="EU", n_draws="199")
    r = share.results
    assert "Against partners without an agreement, Korea's share of the partner's own total was" in share.text
    assert {"prediction_low_50", "prediction_low_80", "prediction_low_99"} <= set(r)
    assert "From 1990 to 2020" in share.text
    assert "RCEP" not in re.search(r"Effects run from .*?\.", share.text)[0]


def test_the_shortest_window_with_the_fewest_comparisons() -> None:
    least = {"min_trade_usd_m": "300", "pre_years": "4", "post_years": "1", "lead_years": "8", "n_draws": "99"}
    least |= {"drift_years": "1"}
    tight = answered(NAME, outcome="share", first_year="2000", last_year="2014", agreement="Atlantis", **least)
    assert "Atlantis is not among the agreements" in tight.text
    assert tight.results["randomisation_p"] >= 0.01
    assert "over the first year may drift" in tight.text


def test_late_dates_long_windows_and_every_small_partner() -> None:
    most = {"min_trade_usd_m": "1", "pre_years": "15", "post_years": "15", "lead_years": "1", "n_draws": "199"}
    late = answered(NAME, dating="late", first_year="1995", drift_multiples="[0]", **most)
    assert "here the later one" in late.text
    assert "No bound for drifting trends" in late.text
    assert "Israel" not in re.search(r"Effects run from .*?\.", late.text)[0]


def test_another_world_panel_takes_the_place_of_the_table(tmp_path, default: Said) -> None:
    world = load("world_trade_panel")
    path = tmp_path / "world.csv"
    world[world.year >= 1998].to_csv(path, index=False)
    other = answered(NAME, world_panel=str(path), n_draws="99")
    assert other.results["structural_pool_pct"] != default.results["structural_pool_pct"]
