"""30_diversification at its ends: no sentence survives a parameter that makes it false."""

import pytest
from running import Said, said

NAME = "30_diversification"


@pytest.fixture(scope="module")
def default() -> Said:
    return said(NAME)


def check(found: Said) -> None:
    """What must hold between the records and the words at every parameter set."""
    r = found.results
    change = r["share_usa_china_change_points"]
    assert change == pytest.approx(r["share_usa_china_pct"] - r["share_usa_china_base_pct"])
    assert r["share_usa_china_pct"] == pytest.approx(r["share_usa_pct"] + r["share_china_pct"])
    assert f"{r['share_usa_china_pct']:.1f}% of Korea's exports" in found.answer
    assert f"{r['share_usa_china_base_pct']:.1f}% of" in found.answer
    assert ("about as much as" in found.answer) == (abs(change) < 1)
    assert ("points less than" in found.answer) == (change <= -1)
    assert ("points more than" in found.answer) == (change >= 1)
    assert r["effective_partners"] == pytest.approx(1 / r["hhi"])
    assert ("less concentrated" in found.text) == (r["hhi"] < r["hhi_base"])
    assert ("no other month fits the claim as well" in found.text) == (r["rank_asean_over_usa_2025_08"] == 1)
    assert f"in {r['months_asean_above_usa']} of {r['n_months']}" in found.text
    assert r["top_candidate"] in found.answer
    if r["made_up_share"] is None:
        assert "what was made up elsewhere cannot be told" in found.text
    else:
        assert r["made_up_low"] <= r["made_up_share"] <= r["made_up_high"]
        undecided = r["made_up_low"] <= 0 and r["made_up_high"] >= 1
        assert ("neither nothing nor everything can be ruled out" in found.text) == undecided


def test_the_default(default: Said) -> None:
    assert default.status == "ok", default.failure
    check(default)
    r = default.results
    assert (r["asean_2025_08_usd_m"], r["usa_2025_08_usd_m"], r["china_2025_08_usd_m"]) == (10880, 8720, 10980)
    assert r["n_months"] == 14
    assert r["rank_asean_over_usa_2025_08"] == r["rank_asean_over_china_2025_08"] == 1
    assert "1,076.4 points" in default.text
    assert "agree within one per cent" in default.text
    assert {"shares", "contributions", "months", "map", "candidates", "candidates-table", "regions"} <= set(
        default.tables
    )


def test_from_the_first_year_with_the_smallest_partner() -> None:
    early = said(
        NAME,
        base_year="1990",
        last_year="2019",
        first_year="2010",
        groups='["Central Asia"]',
        shock_partner="Tuvalu",
        shock_pct="1",
        fall_pct="40",
        min_share_pct="10",
        gravity_years="10",
        n_draws="200",
        level="50",
    )
    assert early.status == "ok", early.failure
    check(early)
    assert "In 2019" in early.answer
    assert "less than 0.1%" in early.text
    assert "Over 2010–2019 the joint share" in early.text
    assert early.results["made_up_share"] is None


def test_everything_lost_and_every_small_fall() -> None:
    late = said(
        NAME,
        base_year="2010",
        last_year="2020",
        groups='["Vietnam", "East Asia", "Oceania", "Latin America", "Other Europe"]',
        shock_partner="USA",
        shock_pct="100",
        fall_pct="5",
        min_share_pct="2",
        gravity_years="3",
        level="99",
        seed="1",
    )
    assert late.status == "ok", late.failure
    check(late)
    assert late.results["shock_loss_pct_of_exports"] == pytest.approx(late.results["share_usa_pct"])
    assert late.results["n_falls"] > 20
    assert "If exports to the United States fell by 100%" in late.text


def test_a_slip_in_a_name_is_answered_with_the_name_meant() -> None:
    wrong = said(NAME, shock_partner="Bangladseh")
    assert wrong.status == "failed"
    assert "did you mean 'Bangladesh'" in wrong.failure
