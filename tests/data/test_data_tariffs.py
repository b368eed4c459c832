"""Product lines with their duties, and on what terms trade enters."""

import pytest

from kbio_analysis import data
from kbio_analysis.errors import DataError

ROUNDED = 0.05  # shares are kept to four decimals, a hundred of them


def test_each_chapter_belongs_to_one_group_and_one_section():
    groups, sections = data.load("wto_product_groups"), data.load("trade_elasticities_hs_section")
    assert sorted(groups["hs2"]) == list(range(1, 98))
    spans = [c for r in sections.itertuples() for c in range(r.first_hs2, r.last_hs2 + 1)]
    assert sorted(spans) == list(range(1, 98))
    named = set(data.load("applied_tariffs")["product_group"])
    broad = {"All products", "Agricultural (WTO)", "Non-agricultural (WTO)"}
    assert named - broad <= set(groups["product_group"]) | {"Cotton"}  # raw cotton fills no chapter
    assert groups.groupby("product_group")["broad_group"].nunique().eq(1).all()


@pytest.mark.parametrize("partner", ["BGD", "IND", "VNM", "NPL", "ZMB", "USA", "SGP", "KAZ", "THA"])
@pytest.mark.parametrize("flow", ["exports", "imports"])
def test_lines_are_whole_and_within_reason(partner, flow):
    lines = data.tariff_lines(partner, flow)
    frame = lines.frame
    assert frame["share_pct"].sum() == pytest.approx(100, abs=ROUNDED)
    assert frame["supplier_share"].between(0, 1, inclusive="right").all()
    assert (frame["sigma_median"] > 1).all()
    assert (frame["sigma_log_sd"] > 0).all()
    duties = frame[["cd_pct", "rd_pct", "sd_pct"]]
    assert duties.isna().all(axis=None) if lines.basis == "none" else duties.stack().between(0, 135).all()
    assert lines.scaled(200.0)["trade_usd_m"].sum() == pytest.approx(200, abs=0.1)
    assert len(data.sources(lines.source_ids)) == len(lines.source_ids)


def test_bangladesh_rests_on_product_groups_and_alone_has_para_tariffs():
    lines = data.tariff_lines("BGD", "exports")
    frame = lines.frame
    assert (lines.basis, lines.duty_year, lines.access, lines.share_basis) == ("groups", 2021, "apta", "own")
    assert frame.loc[84, "cd_pct"] == 4.0
    assert frame.loc[90, "duty_basis"] == "broad"  # manufactures n.e.s. are cut off at the source
    ratio = (frame["rd_pct"] + frame["sd_pct"]) / frame["cd_pct"]
    assert ratio.to_numpy() == pytest.approx(27.6 / 14.0 - 1)
    all_regulatory = data.tariff_lines("BGD", "exports", regulatory_share=1.0).frame
    assert (all_regulatory["sd_pct"] == 0).all()
    for partner in ("IND", "NPL"):
        assert (data.tariff_lines(partner, "exports").frame[["rd_pct", "sd_pct"]] == 0).all(axis=None)


def test_what_duties_rest_on_is_said():
    assert data.tariff_lines("IND", "exports").frame.loc[61, "duty_basis"] == "broad"
    nepal = data.tariff_lines("NPL", "exports")
    assert (nepal.basis, set(nepal.frame["duty_basis"])) == ("flat", {"flat"})
    assert nepal.frame["cd_pct"].nunique() == 1
    below = data.tariff_lines("NPL", "exports", flat="applied").frame["cd_pct"].iloc[0]
    assert below < nepal.frame["cd_pct"].iloc[0]
    zambia = data.tariff_lines("ZMB", "exports")
    assert (zambia.basis, zambia.duty_year) == ("none", None)
    for partner in ("BGD", "ZMB", "USA"):
        own = data.tariff_lines(partner, "imports")
        assert (own.importer, own.basis, own.share_basis, own.duty_year) == ("KOR", "groups", "chapter", 2006)


def test_duties_hold_rates_only():
    rates = data.load("applied_tariffs")
    assert rates.groupby("rate_type")["importer"].nunique().to_dict() == {
        "applied_weighted_avg": 47,
        "cd_rd_sd_simple_avg": 1,
        "mfn_simple_avg": 3,
        "mfn_weighted_avg": 47,
    }
    weighted = rates[rates["rate_type"].str.endswith("weighted_avg")]
    assert not weighted.duplicated(["importer", "rate_type"]).any()  # one year each: the odd years stay out
    assert weighted["rate_pct"].max() < 20


def test_who_enters_korea_how():
    assert data.access_today("BGD", "imports") == "dfqf"
    assert data.access_today("BGD", "exports") == "apta"
    assert data.access_today("BGD", "imports", on=2011) == "apta"
    assert data.access_today("KHM", "imports") == "agreement"  # a least developed country with an agreement
    assert data.access_today("ZMB", "imports") == "dfqf"
    assert data.access_today("PAK", "imports") == "mfn"
    assert data.access_today("VNM", "exports") == "agreement"


def test_least_developed_countries_leave_after_their_year():
    assert len(data.least_developed(2021)) == 46
    assert {"BTN", "STP"} <= data.least_developed(2023)
    assert len(data.least_developed(2025)) == 44
    assert "BGD" in data.least_developed(2026)


def test_terms_of_preferences_hold_what_the_assumptions_lean_on():
    assert tuple(data.duty_free_lines()[["exporter", "period", "value_pct"]]) == ("BGD", "2022", 95)
    terms = data.preference_terms().set_index(["scheme", "measure", "exporter", "product_group", "period"])["value_pct"]
    scheme = "duty-free entry for least developed countries"
    assert terms[scheme, "lines_duty_free_pct", "LDC", "All products", "2012"] == 95
    assert terms["Korea-India CEPA", "utilisation_pct", "KOR", "All products", "2022"] == 79.5
    assert terms["all agreements", "utilisation_pct", "KOR", "All products", "2018"] == 73.5


def test_partners_and_wishes_outside_the_data_are_refused():
    with pytest.raises(DataError, match="no partner 'XXX'"):
        data.tariff_lines("XXX", "exports")
    with pytest.raises(DataError, match="flow"):
        data.tariff_lines("BGD", "transit")
    with pytest.raises(DataError, match="regulatory_share"):
        data.tariff_lines("BGD", "exports", regulatory_share=2.0)
