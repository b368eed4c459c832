"""Destinations as the study gets them: shares that add up, groups without overlap, a map without the network."""

import numpy as np
import pytest

from kbio_analysis.data import destinations, trade
from kbio_analysis.data.destinations import ELSEWHERE
from kbio_analysis.data.tables import load
from kbio_analysis.errors import DataError


@pytest.fixture(scope="module")
def exports():
    return trade.wide(load("korea_exports_by_partner"), "exports_usd_m").fillna(0.0)


def test_blocks_are_the_whole_and_partners_the_published_total(exports):
    world = load("korea_world_trade").set_index("year").exports_usd_m.reindex(exports.index)
    assert (exports.sum(axis=1) / world).between(0.99, 1.0001).all()
    blocks = destinations.blocks(exports)
    assert blocks.sum(axis=1).to_numpy() == pytest.approx(exports.sum(axis=1).to_numpy())
    assert (blocks[ELSEWHERE] / blocks.sum(axis=1)).max() < 0.001


def test_lines_and_partners_are_found_by_name_and_a_slip_is_named():
    codes = destinations.codes_of(["China", "ASEAN", "China"])
    assert list(codes) == ["China", "ASEAN"]
    assert codes["China"] == ["CHN"]
    with pytest.raises(DataError, match="did you mean ASEAN"):
        destinations.codes_of(["ASEAM"])
    names = trade.partner_names()
    assert destinations.partner_code("CHN", names) == destinations.partner_code("China", names) == "CHN"
    with pytest.raises(DataError, match="did you mean Bangladesh"):
        destinations.partner_code("Bangladseh", names)


def test_printed_shares_agree_with_the_record(exports):
    """Press shares of years inside the record are within three tenths of a point of ours."""
    printed = load("korea_exports_published")
    printed = printed[(printed.measure == "share") & printed.year.isin(exports.index)]
    assert len(printed) >= 6
    for row in printed.itertuples():
        ours = 100 * exports.at[row.year, row.partner] / exports.loc[row.year].sum()
        assert ours == pytest.approx(row.value, abs=0.3), row


def test_markets_have_size_and_distance_in_every_year():
    panel = destinations.market_panel(2019, 2023)
    assert (panel[["gdp_usd_m", "distance_km"]] > 0).all(axis=None)
    assert (panel.groupby("iso3").year.nunique() == 5).all()
    assert not {"KOR", "LBR", "MHL", "PAN", "TWN"} & set(panel.iso3)
    assert {"USA", "CHN", "JPN", "BGD", "RUS"} <= set(panel.iso3)
    assert "RUS" not in set(destinations.market_panel(1990, 1994).iso3)
    assert "IND" not in set(trade.usable_totals("imports").query("year <= 2005").iso3)


def test_the_map_is_read_offline_and_closed(monkeypatch):
    monkeypatch.setattr("socket.socket", None)  # any attempt to connect would fail
    outlines = destinations.outlines()
    assert {"KOR", "USA", "CHN", "BGD", "IND"} <= set(outlines)
    for rings in outlines.values():
        for ring in rings:
            assert np.allclose(ring[0], ring[-1], atol=1e-6)
            assert (np.abs(ring) <= [180.001, 90.001]).all()
    (west, south), (east, north) = (end(np.vstack(outlines["KOR"]), axis=0) for end in (np.min, np.max))
    assert 124 < west < east < 131
    assert 33 < south < north < 40
