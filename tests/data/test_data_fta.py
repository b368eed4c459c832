"""Agreements and Korea's trade with partners, as the estimators get them."""

import pytest

from kbio_analysis import data
from kbio_analysis.data.fta_views import short_name
from kbio_analysis.errors import DataError


@pytest.fixture(scope="module")
def inputs():
    return data.agreement_inputs()


def test_known_entries_count_from_the_right_year():
    entry = data.agreements().set_index(["agreement", "iso3"]).entry_year
    assert entry["Chile", "CHL"] == 2004  # April
    assert entry["EFTA", "CHE"] == 2007  # September, so the next year
    assert entry["India", "IND"] == 2010
    assert entry["United States", "USA"] == 2012  # March
    assert entry["China", "CHN"] == 2016  # December 2015 is eleven days


def test_vague_dates_differ_between_their_ends():
    early, late = (data.agreements(dating=d).set_index(["agreement", "iso3"]).entry_year for d in ("early", "late"))
    assert (early["EU", "DEU"], late["EU", "DEU"]) == (2011, 2012)
    assert (early["ASEAN", "THA"], late["ASEAN", "THA"]) == (2009, 2013)
    assert (early["Chile", "CHL"], late["Chile", "CHL"]) == (2004, 2004)


def test_services_partial_and_pending_agreements_are_no_treatments():
    found = data.agreements()
    assert not found.agreement.str.contains("services|Asia-Pacific").any()
    assert not {"BGD", "ARE", "ECU", "GEO", "GTM"} & set(found.iso3)


def test_overlaps_are_coded_once(inputs):
    treatment = inputs.treatment
    assert treatment.index.is_unique
    assert treatment.agreement["VNM"] == "ASEAN"
    assert treatment.agreement["SGP"] == "Singapore"
    assert treatment.agreement["GBR"] == "EU"
    assert list(treatment.index[treatment.agreement == "RCEP"]) == ["JPN"]
    assert {"VNM", "SGP", "GBR", "CHN"} <= set(inputs.later.iso3)
    assert (treatment.agreement == "EU").sum() == 27  # 28 with Croatia, less Malta's ships


def test_ships_leave_on_both_sides(inputs):
    flags = set(inputs.left_out.loc[inputs.left_out.reason == "ships", "iso3"])
    assert {"LBR", "MHL", "BMU", "MLT", "BHS", "PAN"} <= flags
    for direction, panel in inputs.outcomes.items():
        assert not flags & set(panel.columns)
        assert not flags & set(inputs.comparisons[direction])


def test_comparisons_never_entered_and_are_complete(inputs):
    entered = set(data.agreements().iso3)
    for direction, partners in inputs.comparisons.items():
        assert not entered & set(partners)
        assert (inputs.outcomes[direction][partners] > 0).all(axis=None)


def test_repaired_imports_are_not_the_copied_exports():
    """The packaged column repeated Russia's exports as imports; the IMF's figures stand instead."""
    rows = data.load("korea_imports_by_partner")
    russia = rows[rows.iso3 == "RUS"]
    assert set(russia.source_id) == {"IMF_DOTS_2022"}
    assert russia.year.max() == 2020
    exports = data.load("korea_exports_by_partner")
    exports = exports[exports.iso3 == "RUS"].set_index("year").exports_usd_m
    both = russia.set_index("year").imports_usd_m.to_frame().join(exports).dropna()
    assert (both.imports_usd_m != both.exports_usd_m).all()


def test_india_2010_matches_customs():
    """Korea-India 17.1 bn in 2010 (customs, both directions)."""
    year = {k: v.loc[2010, "IND"] for k, v in data.agreement_inputs().outcomes.items()}
    assert sum(year.values()) == pytest.approx(17_100, rel=0.01)


def test_shares_leave_unusable_totals_out():
    share = data.agreement_inputs(outcome="share")
    exports = share.outcomes["exports"]
    assert exports.index.max() == 2020
    assert exports.loc[:2005, "IND"].isna().all()
    assert exports.loc[2006:, "IND"].between(0.5, 10).all()
    assert "TWN" not in exports


def test_names_are_short():
    assert [short_name(n) for n in ("Korea-Chile FTA", "ASEAN-Korea FTA", "Korea-India CEPA", "RCEP")] == [
        "Chile",
        "ASEAN",
        "India",
        "RCEP",
    ]


def test_a_window_too_short_is_refused():
    with pytest.raises(DataError, match="widen the window"):
        data.agreement_inputs(first_year=2020)


def test_world_panel_is_optional_and_a_wrong_path_is_said(tmp_path):
    assert data.world_panel("") is None
    path = tmp_path / "world.csv"
    path.write_text("exporter,importer,year,trade_usd_m,agreement\nKOR,IND,2010,5.5,1\n")
    assert data.world_panel(str(path)).trade_usd_m.tolist() == [5.5]
    with pytest.raises(DataError, match="check the path"):
        data.world_panel(str(tmp_path / "absent.csv"))
