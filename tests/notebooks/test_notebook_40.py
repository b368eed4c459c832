"""40_claims_ledger at its ends: verdicts follow the records and the widths, and what is missing is named."""

import json
from collections.abc import Callable

import pytest
from running import Said, said

from kbio_analysis.data.results import missing_entry, reference_entry
from kbio_analysis.models.verdicts import VERDICTS
from kbio_analysis.render.composed import bundle

NAME = "40_claims_ledger"
COUNTS = ("claims_supported", "claims_with_caveat", "claims_not_supported", "claims_not_testable")


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
    return said(NAME, bundle(entries()))


def verdicts(found: Said) -> dict[str, str]:
    return {n.removeprefix("verdict_"): v for n, v in found.results.items() if n.startswith("verdict_")}


def test_every_claim_has_one_of_four_verdicts_and_they_are_counted(default: Said) -> None:
    assert default.status == "ok", default.failure
    mine = verdicts(default)
    r = default.results
    assert r["n_claims"] == len(mine) == 35
    assert [r[name] for name in COUNTS] == [list(mine.values()).count(v) for v in VERDICTS]
    assert set(mine) == {n.removeprefix("measured_") for n in r if n.startswith("measured_")}
    backed = r["claims_supported"] + r["claims_with_caveat"]
    assert f"The data support {backed} of {r['n_claims']} claims" in default.answer
    assert f"do not support {r['claims_not_supported']}." in default.answer


def test_the_verdicts_of_today(default: Said) -> None:
    mine, r = verdicts(default), default.results
    assert mine["exports_usa_2025_08"] == mine["bangladesh_population"] == "supported"
    assert mine["korea_india_trade_multiple"] == "supported with a caveat"
    assert mine["korea_india_cepa_signed"] == mine["biopharma_export_rank_target_2030"] == "not supported"
    assert mine["listing_days_before"] == mine["bangladesh_garment_rank"] == "not testable here"
    assert r["measured_bangladesh_garment_rank"] is None
    assert r["measured_korea_india_trade_multiple"] > 2
    assert "are up to date" in default.text


def test_verdicts_flip_with_their_records_and_a_missing_or_stale_paper_is_named(entries) -> None:
    changed = {"trade_multiple_from_year_before": 1.2, "probability_of_doubling": 0.5, "usa_2025_08_usd_m": 9900}
    records = entries(**changed, asean_over_usa_2025_08=0.5)
    records["12_top_five"] = missing_entry("not rendered yet", "report")
    records["13_reform_clock"] |= {"state": "stale", "why": "table sources has changed since"}
    flipped = said(NAME, bundle(records))
    assert flipped.status == "ok", flipped.failure
    mine = verdicts(flipped)
    assert mine["biopharma_exports_multiple_2030"] == "supported with a caveat"
    for claim in ("korea_india_trade_multiple", "asean_above_usa_2025_08", "exports_usa_2025_08"):
        assert mine[claim] == "not supported"
    assert flipped.results["measured_exports_usa_2025_08"] == pytest.approx(9.9)
    assert "“Trade with India”" in flipped.text
    for claim in ("biopharma_export_rank_2024", "biopharma_export_rank_target_2030", "trial_hub_rank_target_2030"):
        assert mine[claim] == "not testable here"
        assert flipped.results[f"measured_{claim}"] is None
    text = flipped.text.replace("\\", "")  # what Markdown would take for its own is escaped
    assert "12_top_five is missing (not rendered yet)" in text
    assert "13_reform_clock is stale (table sources has changed since)" in text


def test_no_width_at_all_and_every_width_at_its_widest(entries, default: Said) -> None:
    cuts = {"likely": "0.99", "unlikely": "0.5"}
    none = {"rounding_steps": "0", "about_pct": "0", "caveat_pct": "0", "rank_places": "0", "growth_years": "1"}
    wide = {"rounding_steps": "5", "about_pct": "50", "caveat_pct": "100", "rank_places": "10", "growth_years": "20"}
    narrow, open_wide = (
        said(NAME, bundle(entries()), **w) for w in (none | cuts, wide | {"unlikely": "0.01", "likely": "0.5"})
    )
    assert (narrow.status, open_wide.status) == ("ok", "ok"), narrow.failure + open_wide.failure
    assert narrow.results["claims_not_supported"] > default.results["claims_not_supported"]
    assert open_wide.results["claims_not_supported"] < default.results["claims_not_supported"]
    assert narrow.results["claims_not_testable"] >= default.results["claims_not_testable"]
    assert narrow.results["verdicts_moved_by_half_widths"] == 0
    assert "At half the width no verdict changes." in narrow.text
    assert "an approximate rank within 0 places" in narrow.text
    assert narrow.results["measured_bangladesh_growth_low"] == pytest.approx(5.7751)


def test_another_reading_can_be_made_to_decide(entries, default: Said) -> None:
    wishes = '["korea_india_trade_multiple:from the first year", "korea_india_cepa_signed:in force"]'
    other = said(NAME, bundle(entries()), prefer=wishes)
    assert other.status == "ok", other.failure
    mine = verdicts(other)
    assert mine["korea_india_trade_multiple"] == "not supported"
    assert mine["korea_india_cepa_signed"] == "supported with a caveat"
    assert other.results["measured_korea_india_trade_multiple"] < 2
