"""22_bangladesh_cepa at its ends: one counterfactual, all kinds of partners, and what is refused before it runs."""

import pytest
from running import answered

NAME, FEW = "22_bangladesh_cepa", {"n_draws": "400"}


def test_one_counterfactual_and_the_answer_prints_it() -> None:
    report = answered(NAME)
    r = report.results
    for date in ("", "other_graduation_"):
        for method in ("transfer", "tariffs"):
            low, middle, high = (r[f"effect_{method}_trade_usd_m_{date}{p}"] for p in (5, 50, 95))
            assert low <= middle <= high
            whole = r[f"without_usd_m_{date}50"] + middle
            assert r[f"with_{method}_usd_m_{date}50"] == pytest.approx(whole)
    assert r["without_usd_m_50"] < r["without_usd_m_other_graduation_50"]
    assert r["effect_tariffs_imports_usd_m_5"] > 0
    assert r["effect_transfer_trade_usd_m_50"] != r["effect_transfer_trade_usd_m_other_graduation_50"]
    assert r["loss_without_agreement_graduation_2026_usd_m"] > r["loss_without_agreement_graduation_2029_usd_m"] > 0
    assert r["base_exports_usd_m"] + r["base_imports_usd_m"] == pytest.approx(1600, rel=0.02)  # 1.98bn less fuels
    assert r["duty_today_exports_pct"] == pytest.approx(
        r["collected_customs_pct"] + r["collected_supplementary_pct"], abs=0.2
    )
    assert 0.8 < r["coverage_90_exports"] < 0.97
    assert r["question"] == "What could a Korea-Bangladesh CEPA bring?"
    assert f"US${r['without_usd_m_50'] / 1000:.1f}bn in 2037" in report.answer
    assert "That day has passed." in report.text
    assert "Laos and Nepal graduate together" in report.text
    assert "Pool" not in report.text


def test_no_coverage_is_exactly_nothing_and_says_so() -> None:
    report = answered(NAME, start="2026", utilisation="0.1", phase_years="0", coverage="0", **FEW)
    assert {report.results[f"effect_tariffs_trade_usd_m_{p}"] for p in (5, 50, 95)} == {0}
    assert report.results["with_tariffs_usd_m_50"] == report.results["without_usd_m_50"]
    assert "going by the duties, nothing" in report.answer


@pytest.mark.parametrize(
    "chosen",
    [
        {"start": "2030", "horizon": "1", "graduation": "2029-11-24", "partner_growth_pct": "-5", "cuts": "all"},
        {"schedule": "japan", "duties_paid": "False", "bonded": "0", "own_record": "1"},
    ],
)
def test_the_ends_of_the_parameters(chosen: dict[str, str]) -> None:
    report = answered(NAME, **chosen, **FEW)
    r = report.results
    assert r["with_tariffs_usd_m_50"] >= r["without_usd_m_50"]
    if "partner_growth_pct" in chosen:
        assert "Korea's imports of 2030 to 2031 lose" not in report.text  # 2026 is the other date: lost from 2027 on
        assert "Korea's imports of 2027 to 2031 lose" in report.text
        assert (r["growth_assumed_pct"], "−5.0% a year, as set" in report.text) == (-5, True)
    else:
        assert "what Bangladesh granted Japan: 14% of the way at entry, the rest over 18 years" in report.text


@pytest.mark.parametrize(
    ("partner", "answer", "text"),
    [
        ("TWN", "An agreement with Taiwan would", "that of the median partner, because its own is not on record"),
        (
            "THA",
            "Thailand already has agreements. If a new one did as much",
            "two agreements in force, the first since 2009 (ASEAN and RCEP)",
        ),
        ("CHL", "two-way trade, fuels aside, of US", "is not among the least developed countries: nothing hangs on"),
        ("TUV", "of US", "past agreements alone answer"),
        ("HKG", "An agreement with Hong Kong", "is a free port: Korea's exports to it pay no duty"),
        ("LAO", "already has agreements", "leaves the least developed countries too, but its agreement"),
        ("NPL", "An agreement with Nepal would", "So both dates are run"),
        ("KWT", "An agreement with Kuwait would", "The Korea-GCC FTA is concluded but not in force"),
        ("NIU", "to Korea's imports of US", "cannot be told without both flows"),
        ("LBR", "cannot be told: its trade with Korea is mostly ships under its flag", "no path is drawn"),
        ("PRK", "cannot be told: Korea's customs record of trade with it is too short, has stopped", "have no path"),
    ],
)
def test_other_partners_are_answered_or_said_to_be_beyond_it(partner: str, answer: str, text: str) -> None:
    report = answered(NAME, partner=partner, **FEW)
    assert answer in report.answer
    assert text in report.text
    assert any(name.startswith("effect_") for name in report.results) is report.results["enough_data"]
    assert report.results["agreement_in_force"] is (partner in ("CHL", "THA", "LAO"))
    assert "Bangladesh" not in report.results["question"]
