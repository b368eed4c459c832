"""22_bangladesh_cepa at its ends: partners without GDP, tiny, of ships, with an agreement, and the years' ends."""

import pytest
from running import said

from kbio_analysis.present.words import day

NAME, FEW = "22_bangladesh_cepa", {"n_draws": "400"}


def test_results_are_consistent_and_the_answer_prints_them() -> None:
    report = said(NAME)
    assert report.status == "ok", report.failure
    r = report.results
    middles = {}
    for method in ("transfer", "tariffs", "pooled"):
        for flow in ("exports", "imports", "trade"):
            low, middles[method], high = (r[f"effect_{method}_{flow}_usd_m_{p}"] for p in (5, 50, 95))
            assert low <= middles[method] <= high
    assert min(middles["transfer"], middles["tariffs"]) <= middles["pooled"] <= max(middles.values())
    assert r["loss_without_agreement_graduation_2026_usd_m"] > r["loss_without_agreement_graduation_2029_usd_m"] > 0
    assert 0 < r["p_doubles_without"] < 1
    assert 0.8 < r["coverage_90_exports"] < 0.97
    assert (r["region"], r["agreement_in_force"], r["enough_data"]) == ("Southwest Asia", False, True)
    assert f"Bangladesh would add about US\\${middles['pooled'] / 1000:.1f}bn a year to two-way trade" in report.answer
    assert "Diesel alone made US\\$972m" in report.text
    assert f"The last event on record, of {day(r['graduation_last_heard'])}: " in report.text
    assert {"effect-by-method", "paths", "drivers", "cells", "accounts", "chapters"} <= set(report.tables)


def test_the_years_ends_and_a_given_growth() -> None:
    short = said(NAME, start="2030", horizon="1", graduation="2029-11-24", partner_growth_pct="-5", cuts="all", **FEW)
    assert short.status == "ok", short.failure
    assert "in 2031, by the middle estimate" in short.answer
    assert short.results["growth_assumed_pct"] == -5
    assert "−5.0% a year, as set" in short.text
    late = said(NAME, start="2026", horizon="10", utilisation="0.1", phase_years="0", coverage="0", **FEW)
    assert late.status == "ok", late.failure
    assert late.results["effect_tariffs_exports_usd_m_95"] == 0
    assert "next to nothing" in late.answer


@pytest.mark.parametrize(
    ("partner", "answer", "text"),
    [
        ("TWN", "An agreement with Taiwan would add", "that of the median partner, because its own is not on record"),
        ("THA", "Thailand already has an agreement", "two agreements in force, the first since 2009 (ASEAN and RCEP)"),
        ("RUS", "a year to Korea's exports of", "Korea's imports have no path"),
        ("TUV", "two-way trade", "It rests on past agreements alone: usable duties are not on record"),
        ("LBR", "cannot be told: its trade with Korea is mostly ships under its flag", "nothing is pooled"),
        ("PRK", "cannot be told: Korea's customs record of trade with it is too short or has stopped", "No method"),
    ],
)
def test_other_partners_are_answered_or_said_to_be_beyond_it(partner: str, answer: str, text: str) -> None:
    report = said(NAME, partner=partner, **FEW)
    assert report.status == "ok", report.failure
    assert answer in report.answer
    assert text in report.text
    assert any(name.startswith("effect_") for name in report.results) is report.results["enough_data"]
    assert report.results["agreement_in_force"] is (partner == "THA")


def test_an_unknown_code_fails_with_what_is_near() -> None:
    wrong = said(NAME, partner="BDG", **FEW)
    assert wrong.status == "failed"
    assert "no partner 'BDG'" in wrong.failure
    assert "BGD (Bangladesh)" in wrong.failure
