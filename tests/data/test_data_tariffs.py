"""Product lines with their duties, on what terms trade enters, and the batch of all partners against the data."""

from pathlib import Path

import pytest
import yaml

from kbio_analysis.data import sources, tariffs
from kbio_analysis.data.tables import load
from kbio_analysis.data.trade import ELSEWHERE, agreements, groups_of
from kbio_analysis.errors import DataError

BATCH = Path(__file__).resolve().parents[2] / "reports" / "batches" / "all_partners.yml"
MIN_TWO_WAY_USD_M = 10.0  # of a partner in the batch, mean of the last three years
ROUNDED = 0.05  # shares are kept to four decimals, a hundred of them


def test_each_chapter_belongs_to_one_group_and_one_section():
    groups, sections = load("wto_product_groups"), load("trade_elasticities_hs_section")
    spans = [c for r in sections.itertuples() for c in range(r.first_hs2, r.last_hs2 + 1)]
    assert sorted(groups["hs2"]) == sorted(spans) == list(range(1, 98))
    broad = {"All products", "Agricultural (WTO)", "Non-agricultural (WTO)"}
    named = set(load("applied_tariffs")["product_group"]) - broad
    assert named <= set(groups["product_group"]) | {"Cotton"}  # raw cotton fills no chapter


@pytest.mark.parametrize("partner", ["BGD", "NPL", "ZMB", "USA"])
@pytest.mark.parametrize("flow", ["exports", "imports"])
def test_lines_are_whole_and_within_reason(partner, flow):
    lines = tariffs.lines(partner, flow)
    frame = lines.frame
    assert frame["share_pct"].sum() == pytest.approx(100, abs=ROUNDED)
    assert frame["supplier_share"].between(0, 1, inclusive="right").all()
    duties = frame[["cd_pct", "rd_pct", "sd_pct"]]
    assert duties.isna().all(axis=None) if lines.basis == "none" else duties.stack().between(0, 135).all()
    assert frame["trade_usd_m"].sum() == pytest.approx(1, abs=1e-3)
    assert len(sources.sources(lines.source_ids)) == len(lines.source_ids)


def test_what_duties_rest_on_is_said_and_bangladesh_alone_has_para_tariffs():
    lines = tariffs.lines("BGD", "exports", paid=False)
    frame = lines.frame
    assert (lines.basis, lines.access) == ("groups", "mfn")
    broad = load("applied_tariffs").query("importer == 'BGD' and product_group == 'Non-agricultural (WTO)'")
    assert frame.loc[84, "cd_pct"] == 4.0
    assert frame.loc[90, "cd_pct"] in set(broad.rate_pct)  # manufactures n.e.s. are cut off
    assert ((frame["rd_pct"] + frame["sd_pct"]) / frame["cd_pct"]).to_numpy() == pytest.approx(27.6 / 14.0 - 1)
    nepal = tariffs.lines("NPL", "exports")
    assert (nepal.basis, nepal.frame["cd_pct"].nunique(), nepal.frame["rd_pct"].max()) == ("flat", 1, 0)
    assert tariffs.lines("ZMB", "exports").basis == "none"
    assert (tariffs.lines("HKG", "exports").frame["cd_pct"] == 0).all()  # a free port


def test_duties_paid_come_to_what_is_collected_and_bonded_inputs_pay_none():
    rates = tariffs.collected()
    assert (rates["all"], rates["customs"]) == (pytest.approx(11.0, abs=0.05), pytest.approx(4.24, abs=0.01))
    frame = tariffs.lines("BGD", "exports", excluded=(27,), bonded=1.0).frame
    assert 27 not in frame.index
    assert frame["share_pct"].sum() == pytest.approx(100)
    assert (frame.loc[[c for c in tariffs.BOND if c in frame.index], "cd_pct"] == 0).all()
    for column, wanted in ((frame["cd_pct"], "customs"), (frame["rd_pct"] + frame["sd_pct"], "supplementary")):
        assert (column * frame["share_pct"]).sum() / 100 == pytest.approx(rates[wanted])
    check = tariffs.duty_check(excluded=(27,), bonded=0.9)
    assert check["wedge_pct"].iloc[0] > 2 * check["wedge_pct"].iloc[1]
    assert check["customs_pct"].iloc[1] == pytest.approx(check["customs_pct"].iloc[2])
    variants = tariffs.duty_variants("BGD", {"exports"}, excluded=(27,))
    assert all(set(held) == {"exports"} for ends in variants.values() for _, held in ends.values())
    assert tariffs.duty_variants("NPL", {"exports"}) == {}


def test_the_base_is_2024_without_what_is_left_out():
    base = tariffs.base_trade("BGD", (27,))
    assert base.loc["exports", "usd_m"] == pytest.approx(base.loc["exports", "all_usd_m"] * (1 - 0.303791))
    assert base["all_usd_m"].sum() == pytest.approx(1980, rel=0.02)  # as the article states it
    assert tariffs.base_trade("BGD")["left_out_pct"].eq(0).all()
    assert tariffs.base_trade("XXX").empty


def test_on_what_terms_trade_enters():
    terms = {("BGD", "imports"): "dfqf", ("BGD", "exports"): "mfn", ("PAK", "imports"): "mfn"}
    terms |= {("KHM", "imports"): "agreement", ("ZMB", "imports"): "dfqf"}  # KHM: least developed, with an agreement
    assert {key: tariffs.access_today(*key) for key in terms} == terms
    assert [len(tariffs.least_developed(year)) for year in (2021, 2025)] == [46, 44]
    assert [tariffs.lines(c, "imports").partial for c in ("BGD", "NPL")] == [True, False]
    held = {code: set(tariffs.flows(code)) for code in ("BGD", "THA", "TWN", "XXX")}
    # An agreement with Thailand is in force; no duties of Taiwan are held.
    assert held == {"BGD": {"exports", "imports"}, "THA": set(), "TWN": {"imports"}, "XXX": set()}


def test_who_partners_are_and_those_outside_the_data_are_refused():
    bangladesh, malaysia = tariffs.partner("BGD"), tariffs.partner("MYS")
    assert (bangladesh.agreements, bangladesh.group) == ((), "Southwest Asia")
    assert ("Korea-Bangladesh CEPA", "negotiating") in bangladesh.pending
    assert (malaysia.agreements, malaysia.since) == (("ASEAN", "RCEP"), 2007)
    assert tariffs.partner("LBR").ships
    assert tariffs.lines("XXX", "exports").frame.empty
    for code, said in (("BG", "BGD"), ("Bangladsh", "Bangladesh"), ("bgd", "BGD"), ("KOR", "no partner 'KOR'")):
        with pytest.raises(DataError, match=said):
            tariffs.partner(code)


def test_the_batch_holds_every_partner_with_steady_trade_and_no_agreement_in_one_group_each():
    listed = yaml.load(BATCH.read_text(encoding="utf-8"), yaml.BaseLoader)["matrix"]["partner"]
    flows = tariffs.partner_flows()
    assert not {"LBR", "MHL"} & set(flows["exports"])  # ships
    recent = [values.tail(3) for values in flows.values()]
    two_way = sum(values.mean() for values in recent)
    steady = [set(values.columns[(values > 0).all()]) for values in recent]
    wanted = (steady[0] & steady[1]) - set(agreements()["iso3"])
    assert listed == sorted(c for c in wanted if two_way[c] >= MIN_TWO_WAY_USD_M)
    assert len(listed) >= 100
    assert ELSEWHERE not in set(groups_of(listed))


def test_graduation_dates_become_cells():
    assert tariffs.graduation_cells("BGD", 2027, "2026-11-24") == {"graduation_2026": 0, "graduation_2029": 3}
    assert next(iter(tariffs.graduation_cells("BGD", 2027, "2029-11-24"))) == "graduation_2029"
    assert tariffs.graduation_cells("NPL", 2030, "2026-11-24") == {"graduation_2026": -3, "graduation_2029": 0}
    assert tariffs.graduation_cells("KHM", 2027, "2029-11-24") == {"graduation_2029": None}
