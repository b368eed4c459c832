"""21_fta_record at its ends: no sentence survives a parameter that makes it false."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from running import Said, said

NAME = "21_fta_record"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def percent(log_points: float) -> str:
    return f"{100 * math.expm1(log_points):+.0f}%".replace("-", "−")


def test_results_are_consistent(default: Said) -> None:
    r = default.results
    assert default.status == "ok", default.failure
    assert r["prediction_low_95"] < r["prediction_low_80"] < r["pooled_mean_low_95"] < r["pooled_mean_log_points"]
    assert r["pooled_mean_log_points"] < r["pooled_mean_high_95"] < r["prediction_high_80"] < r["prediction_high_95"]
    assert r["randomisation_p_floor"] <= r["randomisation_p"] < 1
    assert r["p_above_25_pct"] < r["p_positive"]
    assert r["net_tau"] <= r["tau"]
    assert r["n_effects"] <= 2 * r["n_agreements"]
    assert r["callaway_santanna_exports_log_points"] == pytest.approx(r["sun_abraham_exports_log_points"], abs=1e-6)


def test_the_answer_prints_the_recorded_numbers(default: Said) -> None:
    r = default.results
    assert f"{r['pooled_mean_pct']:.0f}% above what was" in default.answer
    assert f"{percent(r['prediction_low_80'])} to {percent(r['prediction_high_80'])}" in default.answer
    assert ("cannot be told from chance" in default.answer) == (r["randomisation_p"] >= 0.10)
    assert len(default.answer.split()) <= 40
    assert f"{percent(r['pooled_mean_low_95'])} to {percent(r['pooled_mean_high_95'])}" in default.text
    assert f"a p of {r['randomisation_p']:.2f}" in default.text
    assert (", includes no change" in default.text) == (r["pooled_mean_low_95"] <= 0 <= r["pooled_mean_high_95"])
    assert "No world panel is given" in default.text
    assert "- India, exports" in default.text


def test_the_share_of_partners_totals_over_ten_years() -> None:
    share = said(NAME, outcome="share", levels="[50, 99]", agreement="EU", n_draws="199")
    assert share.status == "ok", share.failure
    r = share.results
    assert "Korea's share of the partner's own total" in share.answer
    assert ("chance seldom produces" in share.answer) == (r["randomisation_p"] < 0.10)
    assert {"prediction_low_50", "prediction_low_80", "prediction_low_99"} <= set(r)
    assert "From 1990 to 2020" in share.text
    assert "RCEP" not in re.search(r"Effects run from .*?\.", share.text)[0]


def test_the_shortest_window_with_the_fewest_comparisons() -> None:
    tight = said(
        NAME,
        outcome="share",
        min_trade_usd_m="300",
        first_year="2000",
        last_year="2014",
        pre_years="4",
        post_years="1",
        lead_years="8",
        n_draws="99",
        agreement="Atlantis",
    )
    assert tight.status == "ok", tight.failure
    assert "in the year of entry" in tight.answer
    assert "Atlantis is not among the agreements" in tight.text
    assert tight.results["randomisation_p"] >= 0.01
    assert "over the first 1 year may drift" in tight.text


def test_late_dates_long_windows_and_every_small_partner() -> None:
    late = said(
        NAME,
        dating="late",
        min_trade_usd_m="1",
        pre_years="15",
        post_years="15",
        first_year="1995",
        drift_multiples="[0]",
        lead_years="1",
        n_draws="199",
    )
    assert late.status == "ok", late.failure
    assert "here the later one" in late.text
    assert "No bound for drifting trends" in late.text
    assert "Israel" not in re.search(r"Effects run from .*?\.", late.text)[0]


def test_a_world_panel_runs_the_structural_model(tmp_path) -> None:
    rng = np.random.default_rng(1)
    rows = [
        (f"E{i}", f"E{j}", 2000 + t, float(rng.gamma(5, 20)), int(i != j and (i * j) % 3 == 1 and t >= 3))
        for i in range(8)
        for j in range(8)
        for t in range(6)
    ]
    path = tmp_path / "world.csv"
    columns = ["exporter", "importer", "year", "trade_usd_m", "agreement"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    world = said(NAME, world_panel=str(path), n_draws="99")
    assert world.status == "ok", world.failure
    assert "the structural three-way model puts an agreement at" in world.text
