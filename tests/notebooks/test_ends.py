"""Notebooks at the ends of their parameters, a case of ends.yml each, and what holds between results at all of them."""

import math
import re
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import Said, answered, said

CASES = yaml.load(Path(__file__).with_name("ends.yml").read_text(encoding="utf-8"), yaml.BaseLoader)
KEYS = {"given", "answer", "text", "never", "shown", "hidden", "results"}


def rising(results: dict[str, Any], *names: str) -> bool:
    """Whether the results do not fall from name to name; those that are not there or None count for nothing."""
    values = [value for name in names if (value := results.get(name)) is not None]
    return all(a <= b for a, b in pairwise(values))


def forecast(found: Said) -> None:
    r = found.results
    assert 0 <= r["probability_of_target"] <= 1
    assert rising(r, "nowcast_low_usd_m", "nowcast_usd_m", "nowcast_high_usd_m")
    assert rising(r, "probability_of_target_low", "probability_of_target", "probability_of_target_high")


def race(found: Said) -> None:
    """Both aims are read from the same paths."""
    r = found.results
    assert rising(r, "probability_low", "probability_of_place", "probability_high")
    if None not in (given := (r["probability_of_place_given_multiple"], r["probability_of_multiple_given_place"])):
        both = (given[0] * r["probability_of_multiple"], given[1] * r["probability_of_place"])
        assert both[0] == pytest.approx(both[1], abs=0.001)


def clock(found: Said) -> None:
    r, in_time = found.results, "probability_of_blockbusters_in_time"
    assert rising(r, f"{in_time}_long", in_time, f"{in_time}_short", "probability_of_blockbusters")
    assert rising(r, "probability_of_trial_rank_low", "probability_of_trial_rank", "probability_of_trial_rank_high")
    total = 1.5 * r["new_drug_extra_usd_m"] + 7 * r["biosimilar_extra_usd_m"]
    assert r["reform_sales_usd_m"] == pytest.approx(total, rel=1e-9)
    assert r["reform_sales_over_gap_pct"] == pytest.approx(100 * total / 5800, rel=1e-9)
    assert rising(r, "reform_sales_over_gap_pct", "reform_sales_over_gap_if_all_waited_pct")
    assert r["new_drug_npv_usd_m"] <= r["new_drug_all_npv_usd_m"] * (1 + 1e-9)


def one_agreement(found: Said) -> None:
    r = found.results
    for method in ("simplex", "demeaned", "ridge", "sdid", "did") if r["n_donors"] else ():
        assert 0 < r[f"p_floor_{method}"] <= r[f"p_{method}"] <= 1
        assert r[f"effect_pct_{method}"] == pytest.approx(100 * math.expm1(r[f"effect_log_points_{method}"]))


def all_agreements(found: Said) -> None:
    r = found.results
    ends = ("prediction_low_95", "prediction_low_80", "pooled_mean_low_95", "pooled_mean_log_points")
    assert rising(r, *ends, "pooled_mean_high_95", "prediction_high_80", "prediction_high_95")
    assert r["randomisation_p_floor"] <= r["randomisation_p"] <= 1
    assert rising(r, "p_above_25_pct", "p_positive")
    assert rising(r, "net_tau", "tau")
    assert r["n_effects"] <= 2 * r["n_agreements"]


def new_agreement(found: Said) -> None:
    """One counterfactual: without + effect = with, by either method and date."""
    r = found.results
    assert any(name.startswith("effect_") for name in r) is r["enough_data"]
    for method, date in product(("transfer", "tariffs"), ("", "other_graduation_")):
        effect = [r.get(f"effect_{method}_trade_usd_m_{date}{p}") for p in (5, 50, 95)]
        if None not in effect:
            assert effect == sorted(effect)
            added = r[f"with_{method}_usd_m_{date}50"] - r[f"without_usd_m_{date}50"]
            assert added == pytest.approx(effect[1], abs=1e-6)


def diversification(found: Said) -> None:
    r = found.results
    change = r["share_usa_china_change_points"]
    assert change == pytest.approx(r["share_usa_china_pct"] - r["share_usa_china_base_pct"])
    assert r["share_usa_china_pct"] == pytest.approx(r["share_usa_pct"] + r["share_china_pct"])
    turn = r["share_usa_china_latest_pct"] - r["share_usa_china_published_pct"]
    assert found.answer.startswith("Hardly" if abs(turn) < 1 else "Lately yes" if turn < 0 else "Not lately")
    assert f"{r['share_usa_china_latest_pct']:.0f}% in January" in found.answer
    assert f"{r['share_usa_china_base_pct']:.1f}% in" in found.text
    assert r["effective_partners"] == pytest.approx(1 / r["hhi"])
    assert ("less concentrated" in found.text) == (r["hhi"] < r["hhi_base"])
    assert ("the month was not the first of its kind" in found.text) == (r["months_asean_above_china_published"] > 0)
    assert ("too few to estimate" in found.text) == (r["made_up_share"] is None)
    assert rising(r, "made_up_low", "made_up_share", "made_up_high")
    unsure = r["made_up_share"] is not None and r["made_up_low"] <= 0 and r["made_up_high"] >= 1
    assert ("the past does not tell" in found.text) == unsure


ALWAYS: dict[str, Callable[[Said], None]] = {
    "11_export_forecast": forecast,
    "12_top_five": race,
    "13_reform_clock": clock,
    "20_india_cepa": one_agreement,
    "21_fta_record": all_agreements,
    "22_bangladesh_cepa": new_agreement,
    "30_diversification": diversification,
}


@pytest.mark.parametrize(("notebook", "case"), [(n, c) for n, cases in CASES.items() for c in cases])
def test_what_is_said_at_an_end(notebook: str, case: str) -> None:
    wanted: dict[str, Any] = CASES[notebook][case]
    assert set(wanted) <= KEYS
    found = answered(notebook, **wanted.get("given", {}))
    for part in ("answer", "text"):
        for words in wanted.get(part, []):
            assert words in getattr(found, part)
    for words in wanted.get("never", []):
        assert not re.search(words, found.text), words
    assert set(wanted.get("shown", [])) <= set(found.shown)
    assert set(wanted.get("hidden", [])).isdisjoint(found.shown)
    for name, value in wanted.get("results", {}).items():
        if isinstance(value, list):
            assert float(value[0]) <= found.results[name] <= float(value[1]), name
        else:
            assert str(found.results[name]) == value, name
    ALWAYS.get(notebook, lambda found: None)(found)


def test_a_slip_in_a_name_is_answered_with_the_name_meant() -> None:
    wrong = said("30_diversification", shock_partner="Bangladseh")
    assert wrong.status == "failed"
    assert "did you mean Bangladesh" in wrong.failure
