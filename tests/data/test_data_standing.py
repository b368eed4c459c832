"""What the study of a new agreement reads of a partner, and the batch of all partners against the data."""

from pathlib import Path

import pytest
import yaml

from kbio_analysis import data
from kbio_analysis.errors import DataError
from kbio_analysis.vocabulary import COUNTRY_GROUPS, ELSEWHERE, country_group

BATCH = Path(__file__).resolve().parents[2] / "reports" / "batches" / "all_partners.yml"


def test_where_partners_stand():
    bangladesh, malaysia = data.partner_standing("BGD"), data.partner_standing("MYS")
    assert (bangladesh.agreements, bangladesh.group) == ((), "Southwest Asia")
    assert ("Korea-Bangladesh CEPA", "negotiating") in bangladesh.pending
    assert (malaysia.agreements, malaysia.since) == (("ASEAN", "RCEP"), 2007)
    assert data.partner_standing("LBR").ships


@pytest.mark.parametrize(("code", "near"), [("BG", "BGD"), ("Bangladesh", "BGD"), ("bgd", "BGD")])
def test_an_unknown_code_is_told_what_is_near(code, near):
    with pytest.raises(DataError, match=near):
        data.partner_standing(code)


def test_the_batch_holds_every_partner_with_trade():
    document = yaml.safe_load(BATCH.read_text(encoding="utf-8"))
    listed = ["NO" if code is False else code for code in document["matrix"]["partner"]]
    assert listed == data.partners_with_trade()
    assert len(listed) >= 150
    assert "LBR" not in listed


def test_ships_and_former_states_have_no_flows():
    flows = data.partner_flows()
    assert list(flows) == ["exports", "imports"]
    assert not {"LBR", "MHL"} & set(flows["exports"])
    assert flows["exports"].at[2023, "BGD"] == pytest.approx(1625.988)


def test_growth_is_one_vintage_to_the_end_of_the_trade_record():
    growth = data.real_growth()
    assert growth.index[-1] == 2023
    assert growth.at[2023, "BGD"] == pytest.approx(5.7751)
    assert "TWN" not in growth


def test_graduation_dates_become_cells():
    assert data.graduation_cells("BGD", 2027, "2026-11-24") == {"graduation_2026": 0, "graduation_2029": 3}
    assert next(iter(data.graduation_cells("BGD", 2027, "2029-11-24"))) == "graduation_2029"
    assert data.graduation_cells("KHM", 2027, "2029-11-24") == {"graduation_2029": None}


def test_tariffs_are_held_where_they_can_be_cut():
    assert set(data.tariff_flows("BGD")) == {"exports", "imports"}
    assert data.tariff_flows("THA") == {}  # an agreement is in force
    assert set(data.tariff_flows("TWN")) == {"imports"}  # no duties of Taiwan are held
    assert data.tariff_flows("TUV")["imports"].access == "dfqf"


def test_every_partner_is_in_one_group_and_all_in_one():
    codes = [code for members in COUNTRY_GROUPS.values() for code in members]
    assert len(codes) == len(set(codes))
    assert country_group("UZB") == "Central Asia"
    assert country_group("ATA") == ELSEWHERE
    assert all(country_group(code) != ELSEWHERE for code in data.partners_with_trade())


def test_what_was_published_of_bangladesh():
    published = data.bangladesh_published()
    assert published.at["diesel_2022", "value"] == 972
    assert published.at["growth_wdi_2024", "value"] == pytest.approx(4.2233)
    timeline = data.bangladesh_timeline()
    assert list(timeline[timeline.kind == "graduation_date"].date.dt.strftime("%F")) == ["2026-11-24", "2029-11-24"]
