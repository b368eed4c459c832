"""The views behind the study of one agreement: traps of the totals, dates, and the customs' own growth rates."""

import numpy as np
import pytest

from kbio_analysis import data
from kbio_analysis.models.trade_multiples import price_level

PRINTED = 0.051  # percentage points: growth rates are printed to one decimal
DEFLATOR = 0.02  # relative: our chain against the deflator the statistical office prints for the same years


def test_totals_that_are_not_to_be_trusted_are_left_out() -> None:
    panels = data.candidate_panels()
    share = panels["import_share"]["IND"].dropna()
    assert share.index[0].year == 2006
    assert share.index[-1].year == 2020
    assert share[share.index.year == 2006].iloc[0] == pytest.approx(0.0288, abs=5e-5)
    for iso3 in ("PAN", "ARE"):
        assert panels["import_share"][iso3].isna().all()
    years = panels["export_share"].index.year
    assert panels["export_share"]["SAU"][(years >= 2000) & (years <= 2015)].isna().all()
    assert "TWN" not in panels["import_share"]


def test_ships_and_former_codes_are_flagged() -> None:
    flagged = data.candidate_panels()["flagged"]
    assert flagged["LBR"] == flagged["MHL"] == "ships under its flag"
    assert flagged["ANT"] == "former code"
    assert "IND" not in flagged


def test_agreements_are_goods_in_force() -> None:
    years = data.agreement_years()
    assert years["IND"] == 2010
    assert years["VNM"] == 2007
    assert not {"BGD", "ECU", "ARE", "MYX"} & set(years.index)
    own = data.agreements_of("VNM")
    assert list(own.in_force_earliest.dt.year) == [2007, 2015, 2022]
    assert data.agreements_of("BGD").empty


def test_customs_growth_rates_reproduce() -> None:
    """What the customs service printed about the agreement follows from its own yearly record."""
    trade, world = data.korea_trade("IND"), data.world_trade()
    printed = data.published_figures().set_index("id").value
    for name, frame, column in (
        ("exports", trade, "exports_usd_m"),
        ("world_exports", world, "exports_usd_m"),
        ("world_imports", world, "imports_usd_m"),
        ("trade", trade, "trade_usd_m"),
        ("world_trade", world, "trade_usd_m"),
    ):
        grown = 100 * (frame[column][2018] / frame[column][2010] - 1)
        assert grown == pytest.approx(printed[f"customs_2019_{name}"], abs=0.4 + PRINTED), name
    assert trade.trade_usd_m[2009] == pytest.approx(12154.9, abs=PRINTED)
    assert trade.trade_usd_m[2010] == pytest.approx(17109.1, abs=PRINTED)
    assert trade.trade_usd_m[2023] == pytest.approx(24678.0, abs=PRINTED)


def test_the_deflator_is_near_the_printed_one() -> None:
    """GDP deflator of the United States, 2017 = 100: about 90 in 2010 and 104 in 2019."""
    gdp = data.us_gdp()
    level = price_level(gdp.gdp_current_usd_m, gdp.real_growth_pct, base=2010)
    assert level[2019] == pytest.approx(104.0 / 90.0, rel=DEFLATOR)
    assert level.is_monotonic_increasing


def test_the_monthly_record_keeps_its_gap() -> None:
    months = data.india_monthly("imports")
    assert len(months) == 156
    assert "2007-06" not in months.index.astype(str)
    yearly = months.groupby(months.index.year).sum()
    mirror = data.load("partner_trade_totals").query("iso3 == 'IND'").set_index("year").imports_from_korea_usd_m
    full = [y for y in yearly.index if 2008 <= y <= 2019]
    gaps = np.abs(yearly[full] / mirror[full] - 1)
    assert gaps.drop(2011).max() < 0.005
    assert gaps[2011] < 0.03


def test_sources_of_a_study_are_known_and_fewer_without_india() -> None:
    india, other = data.agreement_sources("IND"), data.agreement_sources("VNM")
    assert set(other) < set(india)
    assert set(data.agreements_of("VNM").source_id) <= set(other)
    assert "DGCIS_MONTHLY_GH" in india
    assert "DGCIS_MONTHLY_GH" not in other
    assert len(data.sources(india)) == len(india)
    assert "International Monetary Fund" in data.cite_tables("partner_trade_totals")
