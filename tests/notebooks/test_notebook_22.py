"""22_bangladesh_cepa at its ends: partners without GDP, tiny, of ships, with an agreement, and the years' ends."""

import pytest
from running import Said, said

NAME = "22_bangladesh_cepa"
FEW = {"n_draws": "400"}


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def ordered(r: dict[str, float], stem: str) -> bool:
    return r[f"{stem}_usd_m_5"] <= r[f"{stem}_usd_m_50"] <= r[f"{stem}_usd_m_95"]


def test_results_are_consistent(default: Said) -> None:
    assert default.status == "ok", default.failure
    r = default.results
    for method in ("transfer", "tariffs", "pooled"):
        assert ordered(r, f"effect_{method}_trade")
        for flow in ("exports", "imports"):
            for cell in ("graduation_2026", "graduation_2029"):
                assert ordered(r, f"effect_{method}_{flow}_{cell}")
    ends = sorted(r[f"effect_{m}_trade_usd_m_50"] for m in ("transfer", "tariffs"))
    assert ends[0] <= r["effect_pooled_trade_usd_m_50"] <= ends[1]
    assert r["effect_tariffs_exports_graduation_2026_usd_m_50"] == r["effect_tariffs_exports_graduation_2029_usd_m_50"]
    assert r["loss_without_agreement_graduation_2026_usd_m"] > r["loss_without_agreement_graduation_2029_usd_m"] > 0
    assert 0 < r["p_doubles_without"] < 1
    assert 0.8 < r["coverage_90_exports"] < 0.97
    assert (r["region"], r["agreement_in_force"], r["enough_data"]) == ("Southwest Asia", False, True)


def test_the_answer_prints_the_recorded_numbers(default: Said) -> None:
    r = default.results
    assert "In 2037, 10 years after entry, an agreement with Bangladesh would add" in default.answer
    assert f"US${r['effect_pooled_trade_usd_m_50'] / 1000:.1f}bn a year" in default.answer
    assert "Diesel alone made" in default.text
    assert "General Assembly has still to decide" in default.text
    assert {"effect-by-method", "paths", "drivers", "cells", "accounts", "chapters"} <= set(default.tables)


def test_the_years_ends_and_a_given_growth() -> None:
    short = said(NAME, start="2030", horizon="1", graduation="2029-11-24", partner_growth_pct="-5", cuts="all", **FEW)
    assert short.status == "ok", short.failure
    assert "In 2031, 1 year after entry" in short.answer
    assert short.results["growth_assumed_pct"] == -5
    assert "as set" in short.text
    late = said(NAME, start="2026", horizon="10", utilisation="0.1", phase_years="0", coverage="0", **FEW)
    assert late.status == "ok", late.failure
    assert late.results["effect_tariffs_exports_graduation_2026_usd_m_95"] == 0


def test_without_gdp_the_median_growth_is_taken() -> None:
    taiwan = said(NAME, partner="TWN", **FEW)
    assert taiwan.status == "ok", taiwan.failure
    assert "the median partner's, because its own is not held" in taiwan.text
    assert "only the record of past agreements speaks here" in taiwan.answer
    assert "effect_tariffs_trade_usd_m_50" not in taiwan.results
    assert "changes nothing" in taiwan.text


def test_a_partner_with_an_agreement_is_said_to_have_one() -> None:
    thailand = said(NAME, partner="THA", **FEW)
    assert thailand.status == "ok", thailand.failure
    assert "which has had one since 2009" in thailand.answer
    assert "already move under ASEAN and RCEP" in thailand.text
    assert thailand.results["agreement_in_force"] is True
    assert thailand.results["has_tariffs"] is False


@pytest.mark.parametrize(("partner", "why"), [("LBR", "ships under its flag"), ("PRK", "too short or has stopped")])
def test_too_little_data_is_said_not_crashed_on(partner: str, why: str) -> None:
    report = said(NAME, partner=partner, **FEW)
    assert report.status == "ok", report.failure
    assert "cannot be told" in report.answer
    assert why in report.answer
    assert report.results["enough_data"] is False
    assert not any(name.startswith("effect_") for name in report.results)


def test_one_flow_and_a_tiny_partner() -> None:
    russia = said(NAME, partner="RUS", **FEW)
    assert russia.status == "ok", russia.failure
    assert "Korea's exports, the only flow with enough record" in russia.answer
    tiny = said(NAME, partner="TUV", **FEW)
    assert tiny.status == "ok", tiny.failure
    assert tiny.results["effect_transfer_trade_usd_m_95"] > 0


def test_an_unknown_code_fails_with_what_is_near() -> None:
    wrong = said(NAME, partner="BDG", **FEW)
    assert wrong.status == "failed"
    assert "no partner 'BDG'" in wrong.failure
    assert "BGD (Bangladesh)" in wrong.failure
