"""30_diversification at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, answered, said

NAME = "30_diversification"


def checked(**parameters: str) -> Said:
    """What must hold between the records and the words at every parameter set."""
    found = answered(NAME, **parameters)
    r = found.results
    change = r["share_usa_china_change_points"]
    assert change == pytest.approx(r["share_usa_china_pct"] - r["share_usa_china_base_pct"])
    assert r["share_usa_china_pct"] == pytest.approx(r["share_usa_pct"] + r["share_china_pct"])
    turn = r["share_usa_china_latest_pct"] - r["share_usa_china_published_pct"]
    opening = "Hardly" if abs(turn) < 1 else "Lately yes" if turn < 0 else "Not lately"
    assert found.answer.startswith(opening)
    assert f"{r['share_usa_china_latest_pct']:.0f}% in January" in found.answer
    assert r["top_candidate"] not in found.answer
    assert f"{r['share_usa_china_base_pct']:.1f}% in" in found.text
    assert r["effective_partners"] == pytest.approx(1 / r["hhi"])
    assert ("less concentrated" in found.text) == (r["hhi"] < r["hhi_base"])
    assert ("the month was not the first of its kind" in found.text) == (r["months_asean_above_china_published"] > 0)
    assert ("too few to estimate" in found.text) == (r["made_up_share"] is None)
    if r["made_up_share"] is not None:
        assert r["made_up_low"] <= r["made_up_share"] <= r["made_up_high"]
        assert ("the past does not tell" in found.text) == (r["made_up_low"] <= 0 and r["made_up_high"] >= 1)
    return found


def test_the_default() -> None:
    found = checked()
    r = found.results
    assert (r["asean_2025_08_usd_m"], r["usa_2025_08_usd_m"], r["china_2025_08_usd_m"]) == (10880, 8720, 10980)
    assert r["share_usa_china_same_months_pct"] > r["share_usa_china_same_months_before_pct"] > 35
    assert r["exposed_share_of_usa_pct"] == pytest.approx(1.4140 + 2.4478 + 0.7929 + 33.7850, abs=0.001)
    assert "1,076.4" in found.text
    assert "agree within one per cent" in found.text


def test_from_the_first_year_with_the_smallest_partner() -> None:
    early = checked(
        base_year="2010", last_year="2019", first_year="2010", groups='["Central Asia"]', shock_partner="Tuvalu",
        shock_pct="1", fall_pct="40", min_share_pct="10", gravity_years="10", n_draws="200", level="50",
    )  # fmt: skip
    assert "less than 0.1%" in early.text
    assert "Between 2010 and 2019 the joint share" in early.text
    assert early.results["made_up_share"] is None


def test_everything_lost_and_every_small_fall() -> None:
    groups = '["Vietnam", "East Asia", "Oceania", "Other Europe"]'
    late = checked(
        base_year="2010", last_year="2020", groups=groups, shock_partner="USA", shock_pct="100", fall_pct="5",
        min_share_pct="2", gravity_years="3", level="99",
    )  # fmt: skip
    assert late.results["shock_loss_pct_of_exports"] == pytest.approx(late.results["share_usa_pct"])
    assert late.results["n_falls"] > 20
    assert "If exports to the United States fell by 100%" in late.text


def test_a_slip_in_a_name_is_answered_with_the_name_meant() -> None:
    wrong = said(NAME, shock_partner="Bangladseh")
    assert wrong.status == "failed"
    assert "did you mean Bangladesh" in wrong.failure
