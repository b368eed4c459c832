"""Destinations as the study gets them: shares that add up, groups without overlap, a map without the network."""

import numpy as np
import pytest

from kbio_analysis import data
from kbio_analysis.errors import DataError
from kbio_analysis.vocabulary import COUNTRY_GROUPS, ELSEWHERE


@pytest.fixture(scope="module")
def exports():
    return data.destination_exports()


def test_partners_add_up_to_the_total(exports):
    world = data.world_trade().exports_usd_m.reindex(exports.index)
    assert (exports.sum(axis=1) / world).between(0.99, 1.0001).all()


def test_blocks_are_the_whole_and_overlap_nowhere(exports):
    blocks = data.destination_blocks(exports)
    assert blocks.sum(axis=1).to_numpy() == pytest.approx(exports.sum(axis=1).to_numpy())
    codes = [code for group in COUNTRY_GROUPS.values() for code in group]
    assert len(codes) == len(set(codes))
    assert blocks["China"].to_numpy() == pytest.approx(exports.CHN.to_numpy())
    assert (blocks[ELSEWHERE] / blocks.sum(axis=1)).max() < 0.001


def test_lines_are_found_by_name_and_a_slip_is_named():
    codes = data.destination_codes(["China", "ASEAN", "China"])
    assert list(codes) == ["China", "ASEAN"]
    assert codes["China"] == ["CHN"]
    assert "VNM" in codes["ASEAN"]
    with pytest.raises(DataError, match="did you mean 'ASEAN'"):
        data.destination_codes(["ASEAM"])


def test_a_partner_is_found_by_code_or_name():
    names = data.partner_names()
    assert data.partner_code("CHN", names) == data.partner_code("China", names) == "CHN"
    with pytest.raises(DataError, match="did you mean 'Bangladesh'"):
        data.partner_code("Bangladseh", names)


def test_the_month_of_the_article_is_as_printed():
    row = data.regional_months().loc["2025-08"]
    assert (row["ASEAN"], row["USA"], row["CHN"]) == (10880, 8720, 10980)
    parts = data.regional_months().drop(columns="WLD").sum(axis=1) / data.regional_months().WLD
    assert parts.between(0.75, 0.9).all()  # the regions shown never make the whole


def test_the_two_vintages_of_gdp_stay_apart():
    table = data.trade_over_gdp()
    assert list(table.columns) == ["exports", "trade"]
    assert table.trade.dropna().index.min() == 2005
    assert table.exports.dropna().index.max() == 2020


def test_printed_shares_agree_with_the_record(exports):
    """Press shares of years inside the record are within three tenths of a point of ours."""
    printed = data.published_concentration()
    printed = printed[(printed.measure == "share") & printed.year.isin(exports.index)]
    assert len(printed) >= 6
    for row in printed.itertuples():
        ours = 100 * exports.at[row.year, row.partner] / exports.loc[row.year].sum()
        assert ours == pytest.approx(row.value, abs=0.3), row


def test_markets_have_size_and_distance_in_every_year():
    panel = data.market_panel(2019, 2023)
    assert (panel[["gdp_usd_m", "distance_km"]] > 0).all(axis=None)
    assert (panel.groupby("iso3").year.nunique() == 5).all()
    assert not {"KOR", "LBR", "MHL", "PAN", "TWN"} & set(panel.iso3)
    assert {"USA", "CHN", "JPN", "BGD", "RUS"} <= set(panel.iso3)
    assert "RUS" not in set(data.market_panel(1990, 1994).iso3)


def test_demand_leaves_unusable_totals_out():
    demand = data.market_demand()
    assert demand.index.max() == 2020
    assert demand.loc[:2005, "IND"].isna().all()


def test_disturbances_are_those_of_the_years_asked():
    assert data.disturbed_markets(2019, 2023)["IRN"] == "sanctions"
    assert "IRN" not in data.disturbed_markets(1991, 1995).index


def test_the_map_is_read_offline_and_closed(monkeypatch):
    monkeypatch.setattr("socket.socket", None)  # any attempt to connect would fail
    outlines = data.world_map()
    assert {"KOR", "USA", "CHN", "BGD", "IND"} <= set(outlines)
    for rings in outlines.values():
        for ring in rings:
            assert np.allclose(ring[0], ring[-1], atol=1e-6)
            assert (np.abs(ring) <= [180.001, 90.001]).all()
    west, south = np.vstack(outlines["KOR"]).min(axis=0)
    east, north = np.vstack(outlines["KOR"]).max(axis=0)
    assert 124 < west < east < 131
    assert 33 < south < north < 40
