"""Trade by partner, agreements and destinations: traps of the totals, dates, who is compared, shares that add up."""

import numpy as np
import pytest

from kbio_analysis.data import trade
from kbio_analysis.data.tables import load
from kbio_analysis.data.trade import ELSEWHERE
from kbio_analysis.errors import DataError
from kbio_analysis.models.growth import price_level

PRINTED = 0.051  # percentage points: growth rates are printed to one decimal
DEFLATOR = 0.02  # relative: our chain against the deflator the statistical office prints for the same years
PRESS = 0.3  # points by which shares in the press differ from ours


def test_totals_that_are_not_to_be_trusted_are_left_out() -> None:
    panels = trade.candidate_panels()
    share = panels["import_share"]["IND"].dropna()
    assert (share.index[0], share.index[-1]) == (2006, 2020)
    assert share[2006] == pytest.approx(0.0288, abs=5e-5)
    assert panels["import_share"][["PAN", "ARE"]].isna().all(axis=None)
    assert panels["export_share"]["SAU"].loc[2000:2015].isna().all()
    flagged = [panels["flagged"][iso3] for iso3 in ("LBR", "MHL", "ANT")]
    assert flagged == ["ships under its flag", "ships under its flag", "former code"]
    sold = trade.agreement_inputs(outcome="share").outcomes["exports"]
    assert sold.index.max() == 2020
    assert sold.loc[:2005, "IND"].isna().all()
    assert sold.loc[2006:, "IND"].between(0.5, 10).all()


def test_agreements_are_goods_in_force_and_vague_dates_differ_between_their_ends() -> None:
    found, years = trade.agreements(), trade.agreement_years()
    assert (years["IND"], years["VNM"]) == (2010, 2007)
    assert not found.agreement.str.contains("services|Asia-Pacific").any()
    assert not {"BGD", "ARE", "ECU", "GEO", "GTM"} & {*found.iso3, *years.index}
    assert list(found[found.iso3 == "VNM"].in_force_earliest.dt.year) == [2007, 2015, 2022]
    early, late = (trade.agreements(dating=d).set_index(["agreement", "iso3"]).entry_year for d in ("early", "late"))
    assert early["Chile", "CHL"] == late["Chile", "CHL"] == 2004  # April
    assert early["EFTA", "CHE"] == 2007  # September, so the next year
    assert (early["India", "IND"], early["United States", "USA"]) == (2010, 2012)
    assert early["China", "CHN"] == 2016  # December 2015 is eleven days
    assert (early["ASEAN", "THA"], late["ASEAN", "THA"]) == (2009, 2013)


def test_customs_growth_rates_and_the_deflator_reproduce() -> None:
    """What the customs service printed about the agreement follows from its own yearly record."""
    own, world = trade.korea_trade("IND"), trade.korea_trade()
    printed = load("india_cepa_published").set_index("id").value
    for name, frame in (("exports", own), ("world_exports", world), ("world_imports", world), ("trade", own)):
        column = f"{name.removeprefix('world_')}_usd_m"
        grown = 100 * (frame[column][2018] / frame[column][2010] - 1)
        assert grown == pytest.approx(printed[f"customs_2019_{name}"], abs=0.4 + PRINTED), name
    assert own.trade_usd_m[[2009, 2010, 2023]].to_list() == pytest.approx([12154.9, 17109.1, 24678.0], abs=PRINTED)
    gdp = load("us_gdp").pivot(index="year", columns="measure", values="value")
    level = price_level(gdp.gdp_current_usd_m, gdp.real_growth_pct, base=2010)
    assert level[2019] == pytest.approx(104.0 / 90.0, rel=DEFLATOR)  # printed, 2017 = 100: about 90 and 104
    assert level.is_monotonic_increasing


def test_members_and_comparisons_are_coded_once_and_ships_leave_on_both_sides() -> None:
    inputs = trade.agreement_inputs()
    agreement = inputs.treatment.agreement
    assert agreement.index.is_unique
    assert agreement[["VNM", "SGP", "GBR", "JPN"]].to_list() == ["ASEAN", "Singapore", "EU", "Japan (RCEP)"]
    assert (agreement == "EU").sum() == 27  # 28 with Croatia, less Malta's ships
    flags = set(inputs.left_out.loc[inputs.left_out.reason == "ships", "iso3"])
    assert {"LBR", "MHL", "BMU", "MLT", "BHS", "PAN"} <= flags
    for direction, panel in inputs.outcomes.items():
        partners = inputs.comparisons[direction]
        assert not flags & set(panel.columns)
        assert not {*trade.agreements().iso3} & set(partners)
        assert (panel[partners] > 0).all(axis=None)
    with pytest.raises(DataError, match="widen the window"):
        trade.agreement_inputs(first_year=2020)


def test_causes_added_by_the_reader_lead_and_keep_to_the_window() -> None:
    held = trade.rival_causes("IND", 2008, 2019)
    more = trade.rival_causes("IND", 2008, 2019, ["2014 a steel plant", "1990 too early"])
    assert more.event.tolist() == ["a steel plant", *held.event]
    assert more.iloc[0][["iso3", "first_year", "last_year"]].tolist() == ["IND", 2014, 2014]


def test_blocks_are_the_whole_and_shares_the_printed_ones():
    exports = trade.wide(load("korea_exports_by_partner"), "exports_usd_m").fillna(0.0)
    blocks = trade.blocks(exports)
    assert blocks.sum(axis=1).to_numpy() == pytest.approx(exports.sum(axis=1).to_numpy())
    assert (blocks[ELSEWHERE] / blocks.sum(axis=1)).max() < 0.001
    printed = load("korea_exports_published")
    printed = printed[(printed.measure == "share") & printed.year.isin(exports.index)]
    assert len(printed) >= 6
    for row in printed.itertuples():
        ours = 100 * exports.at[row.year, row.partner] / exports.loc[row.year].sum()
        assert ours == pytest.approx(row.value, abs=PRESS), row


def test_lines_and_partners_are_found_by_name_and_a_slip_is_named():
    names = trade.partner_names()
    codes = trade.codes_of(["China", "ASEAN", "China"])
    assert list(codes) == ["China", "ASEAN"]
    assert trade.partner_code("CHN", names) == trade.partner_code("China", names) == codes["China"][0]
    with pytest.raises(DataError, match="did you mean ASEAN"):
        trade.codes_of(["ASEAM"])
    with pytest.raises(DataError, match="did you mean Bangladesh"):
        trade.partner_code("Bangladseh", names)


def test_markets_have_size_and_distance_in_every_year():
    panel = trade.market_panel(2019, 2023)
    assert (panel[["gdp_usd_m", "distance_km"]] > 0).all(axis=None)
    assert (panel.groupby("iso3").year.nunique() == 5).all()
    assert not {"KOR", "LBR", "MHL", "PAN", "TWN"} & set(panel.iso3)
    assert {"USA", "CHN", "JPN", "BGD", "RUS"} <= set(panel.iso3)
    assert "RUS" not in set(trade.market_panel(1990, 1994).iso3)
    assert "IND" not in set(trade.usable_totals("imports").query("year <= 2005").iso3)


def test_the_map_is_read_offline_and_closed(monkeypatch):
    monkeypatch.setattr("socket.socket", None)  # any attempt to connect would fail
    outlines = trade.outlines()
    assert {"KOR", "USA", "CHN", "BGD", "IND"} <= set(outlines)
    for ring in (ring for rings in outlines.values() for ring in rings):
        assert np.allclose(ring[0], ring[-1], atol=1e-6)
        assert (np.abs(ring) <= [180.001, 90.001]).all()
    (west, south), (east, north) = (end(np.vstack(outlines["KOR"]), axis=0) for end in (np.min, np.max))
    assert 124 < west < east < 131
    assert 33 < south < north < 40
