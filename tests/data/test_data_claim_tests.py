"""Every claim has a test, every test a measure; what is missing upstream is named."""

import json
from pathlib import Path

import pytest

from kbio_analysis import data
from kbio_analysis.data import claims as claim_views
from kbio_analysis.data.claims import LEDGER, claim_measures, measured
from kbio_analysis.data.results import BUNDLE
from kbio_analysis.errors import DataError, UsageError
from kbio_analysis.models.verdicts import SCOPES, TOLERANCES, Tolerances, judge_all, readings

RECORDS = {"rank_latest": {"value": 10, "unit": "place", "meaning": "rank"}}
ENTRY = {"source": "report", "results": RECORDS}


@pytest.fixture(scope="module")
def tests():
    return data.claim_tests()


@pytest.fixture(scope="module")
def own():
    return claim_measures()


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A bundle of records in which every notebook that a test names has the state asked for."""

    def write(state: str, why: str = "") -> None:
        names = set(data.claim_tests()["notebook"]) - {LEDGER}
        path = tmp_path / f"{state}.json"
        path.write_text(json.dumps({name: ENTRY | {"state": state, "why": why} for name in names}))
        monkeypatch.setenv(BUNDLE, str(path))

    return write


def test_every_claim_has_a_test_and_the_first_is_as_stated(tests):
    assert set(tests["claim"]) == set(data.load("article_claims")["id"])
    first = tests.drop_duplicates("claim")
    assert (first["reading"] == "as stated").all()
    assert first["label"].is_unique
    assert tests[tests["kind"] != ""]["reading"].ne("as stated").all()


def test_a_claim_without_a_test_is_an_error(monkeypatch):
    whole = claim_views.load

    def short(table):
        return whole(table)[lambda f: f["claim"] != "trade_share_of_gdp"] if table == "claim_tests" else whole(table)

    monkeypatch.setattr(claim_views, "load", short)
    with pytest.raises(DataError, match="claim trade_share_of_gdp has no test"):
        claim_views.claim_tests()


def test_words_of_the_table_are_those_of_the_model(tests):
    assert set(tests["tolerance"]) <= set(TOLERANCES)
    assert set(tests["scope"]) <= set(SCOPES)


def test_every_measure_of_the_ledgers_own_exists_and_has_a_source(tests, own):
    mine = tests[(tests["notebook"] == LEDGER) & (tests["rule"] != "untestable")]
    for name in [*mine["measure"], *mine["low"], *mine["high"]]:
        assert name == "" or (own[name].value is not None and own[name].source_ids), name
    assert (tests.loc[tests["rule"] == "untestable", "note"] != "").all()


def test_every_record_named_is_one_that_its_notebook_keeps(tests, root):
    for notebook, rows in tests[tests["notebook"] != LEDGER].groupby("notebook"):
        kept = json.loads((root / "notebooks" / "references" / f"{notebook}.json").read_text())["results"]
        named = {name for column in ("measure", "low", "high") for name in rows[column]} - {""}
        assert named <= set(kept), notebook


def test_figures_that_can_be_worked_out_by_hand(own):
    assert own["bangladesh_trade_2024_pro_rata_usd_m"].value == pytest.approx(1808.521 / 11 * 12)
    assert own["india_investment_stock_multiple"].value == pytest.approx(6290 / 2200)
    assert own["world_market_growth_2023_2030_pct"].value == pytest.approx(100 * ((2406.9 / 1748.7) ** (1 / 7) - 1))
    assert (own["korea_gdp_rank_asia"].value, own["korea_gdp_rank_asia_with_russia"].value) == (4, 5)
    assert own["india_agreement_signed_year"].value == 2009
    assert own["published_rank_sitc54_2020"].value == 21
    assert own["bangladesh_growth_mean_pct"].value == pytest.approx((6.9387 + 7.0998 + 5.7751) / 3)
    assert claim_measures(growth_years=1)["bangladesh_growth_mean_pct"].value == 5.7751


@pytest.mark.parametrize("state", ["missing", "stale", "failed"])
def test_a_record_that_is_not_fresh_leaves_its_claims_untested_and_named(bundle, state):
    bundle(state, "for a reason")
    found = data.claim_findings()
    verdicts = judge_all(readings(found), Tolerances())
    rows = found.drop_duplicates("claim").set_index("claim")
    leaning = rows.index[rows["notebook"] != LEDGER]
    assert len(leaning) > 10
    for claim in leaning:
        assert verdicts[claim].verdict == "not testable here"
        if rows["rule"][claim] != "untestable":
            assert rows["why"][claim] == f"{rows['notebook'][claim]} is {state} (for a reason)"


def test_a_record_that_is_not_there_is_said(bundle, own):
    bundle("fresh")
    assert measured("12_top_five", "rank_latest", own, "rank").value == 10
    gone = measured("12_top_five", "probability_of_place", own, "rank")
    assert (gone.value, gone.why) == (None, "12_top_five has no number for probability_of_place")


def test_a_record_in_millions_is_read_in_billions_where_the_claim_is(bundle, own, monkeypatch):
    monkeypatch.setitem(RECORDS, "asean_2025_08_usd_m", {"value": 10880, "unit": "US$ million", "meaning": "m"})
    bundle("fresh")
    read = [
        measured("30_diversification", "asean_2025_08_usd_m", own, f"US$ {u}").value for u in ("billion", "million")
    ]
    assert read == pytest.approx([10.88, 10880])


def test_a_measure_that_nobody_computes_is_refused(own):
    with pytest.raises(UsageError, match="in no table and not computed"):
        measured(LEDGER, "nothing_of_the_kind", own, "rank")
