"""40_claims_ledger at its ends: verdicts follow the records and the widths, and what is missing is named."""

from typing import Any

import pytest
from running import Said, answered, fresh

from kbio_analysis.data.results import missing_entry
from kbio_analysis.data.tables import load
from kbio_analysis.models.verdicts import VERDICTS

NAME = "40_claims_ledger"
COUNTS = ("claims_supported", "claims_with_caveat", "claims_wrong_year", "claims_disputed")
COUNTS += ("claims_not_supported", "claims_not_testable")
AIMS = ("biopharma_exports_multiple_2030", "biopharma_export_rank_target_2030", "blockbusters_target_2030")
AIMS += ("trial_hub_rank_target_2030",)


def entries(**values: float) -> dict[str, dict[str, Any]]:
    """The committed records, with changes on top."""
    found = fresh(NAME)
    for entry in found.values():
        for name in values.keys() & entry["results"].keys():
            entry["results"][name] = entry["results"][name] | {"value": values[name]}
    return found


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(NAME, entries())


def verdicts(found: Said) -> dict[str, str]:
    return {n.removeprefix("verdict_"): v for n, v in found.results.items() if n.startswith("verdict_")}


def test_every_claim_has_one_verdict_or_is_an_aim_and_they_are_counted(default: Said) -> None:
    mine, r = verdicts(default), default.results
    claims = len(load("article_claims"))
    assert (r["n_claims"], r["n_aims"]) == (len(mine), len(AIMS)) == (claims, 4)
    assert [r[name] for name in COUNTS] == [list(mine.values()).count(v) for v in VERDICTS]
    assert sum(r[name] for name in COUNTS) == claims - 4
    assert {mine[aim] for aim in AIMS}.isdisjoint(VERDICTS)
    assert set(mine) == {n.removeprefix("measured_") for n in r if n.startswith("measured_")}
    backed = r["claims_supported"] + r["claims_with_caveat"]
    assert f"Of {claims - 4} claims the data support {backed}" in default.answer
    assert f"; {r['claims_not_supported'] + r['claims_wrong_year']} are not as stated" in default.answer
    assert "Four aims for 2030 stand apart, as odds" in default.answer
    assert r["measured_world_pharma_market_over_semiconductors"] == pytest.approx(1740 / 627.6)
    assert "are up to date" in default.text


def test_verdicts_flip_with_their_records_and_a_missing_or_stale_paper_is_named() -> None:
    changed = {"trade_multiple_from_first_year": 2.5, "probability_of_doubling": 0.5, "usa_2025_08_usd_m": 9900}
    records = entries(**changed, asean_over_usa_2025_08=0.5)
    records["12_top_five"] = missing_entry("not rendered yet", "report")
    records["13_reform_clock"] |= {"state": "stale", "why": "table sources has changed since"}
    flipped = answered(NAME, records)
    mine = verdicts(flipped)
    assert mine["biopharma_exports_multiple_2030"] == "about even"
    assert mine["korea_india_trade_multiple"] == "supported with a caveat"
    assert mine["asean_above_usa_2025_08"] == mine["exports_usa_2025_08"] == "not supported"
    assert flipped.results["measured_exports_usa_2025_08"] == pytest.approx(9.9)
    assert "“Exports to the US”" in flipped.text
    assert mine["biopharma_export_rank_2024"] == "not testable here"
    for claim in ("biopharma_export_rank_2024", "biopharma_export_rank_target_2030", "trial_hub_rank_target_2030"):
        assert mine[claim] in ("not testable here", "not on record")
        assert flipped.results[f"measured_{claim}"] is None
    assert "12_top_five is missing (not rendered yet)" in flipped.text
    assert "13_reform_clock is stale (table sources has changed since)" in flipped.text


def test_no_width_at_all_and_every_width_at_its_widest(default: Said) -> None:
    none = {"rounding_steps": "0", "about_pct": "0", "caveat_pct": "0", "rank_places": "0", "growth_years": "1"}
    wide = {"rounding_steps": "5", "about_pct": "50", "caveat_pct": "100", "rank_places": "10", "growth_years": "20"}
    narrow, open_wide = (answered(NAME, entries(), **w) for w in (none, wide))
    unsupported = [found.results["claims_not_supported"] for found in (open_wide, default, narrow)]
    assert unsupported[0] < unsupported[1] < unsupported[2]
    assert narrow.results["verdicts_moved_by_half_widths"] == 0
    assert "At half the width no verdict changes." in narrow.text
    assert "an approximate rank within 0 places" in narrow.text
    assert narrow.results["measured_bangladesh_growth_low"] == pytest.approx(5.7751)


def test_another_reading_can_be_made_to_decide() -> None:
    wishes = '["korea_india_trade_multiple:from the trough of 2009", "korea_india_cepa_signed:in force"]'
    other = answered(NAME, entries(), prefer=wishes)
    mine = verdicts(other)
    assert mine["korea_india_trade_multiple"] == mine["korea_india_cepa_signed"] == "supported with a caveat"
    assert other.results["measured_korea_india_trade_multiple"] > 2
