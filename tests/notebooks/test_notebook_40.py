"""40_claims_ledger at its ends: verdicts follow the records and the widths, and what is missing is named."""

import json
from collections.abc import Callable

import pytest
from running import Said, answered

from kbio_analysis.data.results import missing_entry, reference_entry
from kbio_analysis.data.tables import load
from kbio_analysis.models.verdicts import VERDICTS
from kbio_analysis.render.build import bundle

NAME = "40_claims_ledger"
COUNTS = ("claims_supported", "claims_with_caveat", "claims_wrong_year", "claims_disputed")
COUNTS += ("claims_not_supported", "claims_not_testable")
AIMS = ("biopharma_exports_multiple_2030", "biopharma_export_rank_target_2030", "blockbusters_target_2030")
AIMS += ("trial_hub_rank_target_2030",)


@pytest.fixture(scope="module")
def entries(root) -> Callable[..., dict]:
    """The records of every notebook this one is composed from, as if all were fresh, with changes on top."""
    notebooks = root / "notebooks"
    metadata = json.loads((notebooks / f"{NAME}.ipynb").read_text(encoding="utf-8"))["metadata"]
    names = metadata["kbio"]["composed_from"]

    def made(**values: float) -> dict:
        found = {n: reference_entry(notebooks, n) | {"state": "fresh", "why": ""} for n in names}
        for name, value in values.items():
            for entry in found.values():
                if name in entry.get("results", {}):
                    entry["results"] = entry["results"] | {name: entry["results"][name] | {"value": value}}
        return found

    return made


@pytest.fixture(scope="module")
def default(entries) -> Said:
    return answered(NAME, bundle(entries()))


def verdicts(found: Said) -> dict[str, str]:
    return {n.removeprefix("verdict_"): v for n, v in found.results.items() if n.startswith("verdict_")}


def test_every_claim_has_one_verdict_or_is_an_aim_and_they_are_counted(default: Said) -> None:
    mine = verdicts(default)
    r = default.results
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


def test_verdicts_flip_with_their_records_and_a_missing_or_stale_paper_is_named(entries) -> None:
    changed = {"trade_multiple_from_first_year": 2.5, "probability_of_doubling": 0.5, "usa_2025_08_usd_m": 9900}
    records = entries(**changed, asean_over_usa_2025_08=0.5)
    records["12_top_five"] = missing_entry("not rendered yet", "report")
    records["13_reform_clock"] |= {"state": "stale", "why": "table sources has changed since"}
    flipped = answered(NAME, bundle(records))
    mine = verdicts(flipped)
    assert mine["biopharma_exports_multiple_2030"] == "about even"
    assert mine["korea_india_trade_multiple"] == "supported with a caveat"
    for claim in ("asean_above_usa_2025_08", "exports_usa_2025_08"):
        assert mine[claim] == "not supported"
    assert flipped.results["measured_exports_usa_2025_08"] == pytest.approx(9.9)
    assert "“Exports to the US”" in flipped.text
    assert mine["biopharma_export_rank_2024"] == "not testable here"
    for claim in ("biopharma_export_rank_2024", "biopharma_export_rank_target_2030", "trial_hub_rank_target_2030"):
        assert mine[claim] in ("not testable here", "not on record")
        assert flipped.results[f"measured_{claim}"] is None
    text = flipped.text.replace("\\", "")  # what Markdown would take for its own is escaped
    assert "12_top_five is missing (not rendered yet)" in text
    assert "13_reform_clock is stale (table sources has changed since)" in text


def test_no_width_at_all_and_every_width_at_its_widest(entries, default: Said) -> None:
    none = {"rounding_steps": "0", "about_pct": "0", "caveat_pct": "0", "rank_places": "0", "growth_years": "1"}
    wide = {"rounding_steps": "5", "about_pct": "50", "caveat_pct": "100", "rank_places": "10", "growth_years": "20"}
    narrow, open_wide = (answered(NAME, bundle(entries()), **w) for w in (none, wide))
    assert narrow.results["claims_not_supported"] > default.results["claims_not_supported"]
    assert open_wide.results["claims_not_supported"] < default.results["claims_not_supported"]
    assert narrow.results["verdicts_moved_by_half_widths"] == 0
    assert "At half the width no verdict changes." in narrow.text
    assert "an approximate rank within 0 places" in narrow.text
    assert narrow.results["measured_bangladesh_growth_low"] == pytest.approx(5.7751)


def test_another_reading_can_be_made_to_decide(entries, default: Said) -> None:
    wishes = '["korea_india_trade_multiple:from the trough of 2009", "korea_india_cepa_signed:in force"]'
    other = answered(NAME, bundle(entries()), prefer=wishes)
    mine = verdicts(other)
    assert mine["korea_india_trade_multiple"] == "supported with a caveat"
    assert mine["korea_india_cepa_signed"] == "supported with a caveat"
    assert other.results["measured_korea_india_trade_multiple"] > 2
