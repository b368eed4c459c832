"""Every claim has a test, every test a measure; what is missing upstream is named."""

import json

import pytest

from kbio_analysis.data import claims
from kbio_analysis.data.claims import LEDGER, measured
from kbio_analysis.data.results import BUNDLE
from kbio_analysis.data.series import annual
from kbio_analysis.data.tables import load
from kbio_analysis.errors import DataError, UsageError
from kbio_analysis.models.verdicts import AIM, SCOPES, TOLERANCES, Tolerances, judged, verdicts

RECORDS = {"rank_latest": {"value": 10, "unit": "place", "meaning": "rank"}}
RECORDS |= {"asean_2025_08_usd_m": {"value": 10880, "unit": "US$ million", "meaning": "m"}}


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Writes a bundle of records in which every notebook that a test names has the state asked for."""
    names = set(claims.tests()["notebook"]) - {LEDGER}
    monkeypatch.setenv(BUNDLE, str(tmp_path / "bundle"))
    entry = {"source": "report", "results": RECORDS}
    return lambda **state: (tmp_path / "bundle").write_text(json.dumps(dict.fromkeys(names, entry | state)))


def test_claims_agree_with_the_figures_of_the_other_tables():
    value = load("article_claims").set_index("id")["value"]
    assert value["biopharma_exports_2024"] == annual("gov_biopharma_headline")["2024"]
    assert "biopharma_exports_target_2030" not in value.index
    assert value["asean_above_usa_2025_08"] == (value["exports_asean_2025_08"] > value["exports_usa_2025_08"])


def test_tests_are_in_the_words_of_the_model_and_every_measure_exists_and_has_a_source(root, monkeypatch):
    tests, own = claims.tests(), claims.measures()
    first = tests.drop_duplicates("claim")
    assert (first["reading"] == "as stated").all()
    assert first["label"].is_unique
    assert tests[tests["kind"] != ""]["reading"].ne("as stated").all()
    assert (set(tests["tolerance"]) <= set(TOLERANCES), set(tests["scope"]) <= set(SCOPES)) == (True, True)
    assert (tests.loc[tests["rule"] == "untestable", "note"] != "").all()
    for notebook, rows in tests[tests["rule"] != "untestable"].groupby("notebook"):
        named = {name for column in ("measure", "low", "high") for name in rows[column]} - {""}
        if notebook == LEDGER:
            assert all(own[name].value is not None and own[name].source_ids for name in named)
        else:
            kept = json.loads((root / "notebooks" / "references" / f"{notebook}.json").read_text())["results"]
            assert named <= set(kept), notebook
    short = load("claim_tests").query("claim != 'trade_share_of_gdp'")
    monkeypatch.setattr(claims, "load", lambda table: short if table == "claim_tests" else load(table))
    with pytest.raises(DataError, match="claim trade_share_of_gdp has no test"):
        claims.tests()


def test_figures_that_can_be_worked_out_by_hand():
    by_hand = {
        "bangladesh_trade_2024_pro_rata_usd_m": 1808.521 / 11 * 12,
        "india_investment_stock_multiple": 6290 / 2200,
        "world_market_growth_2023_2030_pct": 100 * ((2406.9 / 1748.7) ** (1 / 7) - 1),
        "korea_gdp_rank_asia": 4,
        "korea_gdp_rank_asia_with_russia": 5,
        "india_agreement_signed_year": 2009,
        "published_rank_sitc54_2020": 21,
        "bangladesh_growth_mean_pct": (6.9387 + 7.0998 + 5.7751) / 3,
    }
    own = claims.measures()
    assert {name: own[name].value for name in by_hand} == pytest.approx(by_hand)
    assert claims.measures(growth_years=1)["bangladesh_growth_mean_pct"].value == 5.7751


@pytest.mark.parametrize("state", ["missing", "stale", "failed"])
def test_a_record_that_is_not_fresh_leaves_its_claims_untested_and_named(bundle, state):
    bundle(state=state, why="for a reason")
    rows = verdicts(judged(claims.findings(), Tolerances()))
    leaning = rows[rows["notebook"] != LEDGER]
    assert len(leaning) > 10
    assert set(leaning["verdict"]) == {"not testable here", AIM}
    tested = leaning[leaning["rule"] != "untestable"]
    assert (tested["why"] == tested["notebook"] + f" is {state} (for a reason)").all()


def test_what_a_record_holds_comes_in_the_claims_unit_and_what_it_lacks_is_said(bundle):
    bundle(state="fresh", why="")
    assert measured("12_top_five", "rank_latest", {}, "rank").value == 10
    gone = measured("12_top_five", "probability_of_place", {}, "rank")
    assert (gone.value, gone.why) == (None, "12_top_five has no number for probability_of_place")
    assert measured("30_diversification", "asean_2025_08_usd_m", {}, "US$ billion").value == pytest.approx(10.88)
    assert measured("30_diversification", "asean_2025_08_usd_m", {}, "US$ million").value == 10880
    with pytest.raises(UsageError, match="'no_such_figure'"):
        measured(LEDGER, "no_such_figure", {}, "rank")
