"""Trade by partner and the agreements: traps of the totals, dates, who is compared, and the customs' own growth."""

import numpy as np
import pytest

from kbio_analysis.data import trade
from kbio_analysis.data.tables import load
from kbio_analysis.errors import DataError
from kbio_analysis.models.trade_multiples import price_level

PRINTED = 0.051  # percentage points: growth rates are printed to one decimal
DEFLATOR = 0.02  # relative: our chain against the deflator the statistical office prints for the same years


@pytest.fixture(scope="module")
def inputs() -> trade.AgreementInputs:
    return trade.agreement_inputs()


def test_totals_that_are_not_to_be_trusted_are_left_out() -> None:
    panels = trade.candidate_panels()
    share = panels["import_share"]["IND"].dropna()
    assert (share.index[0], share.index[-1]) == (2006, 2020)
    assert share[2006] == pytest.approx(0.0288, abs=5e-5)
    assert panels["import_share"][["PAN", "ARE"]].isna().all(axis=None)
    assert panels["export_share"]["SAU"].loc[2000:2015].isna().all()
    assert "TWN" not in panels["import_share"]
    assert panels["flagged"]["LBR"] == panels["flagged"]["MHL"] == "ships under its flag"
    assert panels["flagged"]["ANT"] == "former code"
    exports = trade.agreement_inputs(outcome="share").outcomes["exports"]
    assert exports.index.max() == 2020
    assert exports.loc[:2005, "IND"].isna().all()
    assert exports.loc[2006:, "IND"].between(0.5, 10).all()


def test_agreements_are_goods_in_force() -> None:
    years = trade.agreement_years()
    assert (years["IND"], years["VNM"]) == (2010, 2007)
    found = trade.agreements()
    assert not found.agreement.str.contains("services|Asia-Pacific").any()
    assert not {"BGD", "ARE", "ECU", "GEO", "GTM"} & {*found.iso3, *years.index}
    assert list(found[found.iso3 == "VNM"].in_force_earliest.dt.year) == [2007, 2015, 2022]


def test_entries_count_from_the_right_year_and_vague_dates_differ_between_their_ends() -> None:
    early, late = (trade.agreements(dating=d).set_index(["agreement", "iso3"]).entry_year for d in ("early", "late"))
    assert early["Chile", "CHL"] == late["Chile", "CHL"] == 2004  # April
    assert early["EFTA", "CHE"] == 2007  # September, so the next year
    assert (early["India", "IND"], early["United States", "USA"]) == (2010, 2012)
    assert early["China", "CHN"] == 2016  # December 2015 is eleven days
    assert early["EU", "DEU"] == late["EU", "DEU"] == 2012  # July 2011, so the next year
    assert (early["ASEAN", "THA"], late["ASEAN", "THA"]) == (2009, 2013)


def test_customs_growth_rates_reproduce() -> None:
    """What the customs service printed about the agreement follows from its own yearly record."""
    own, world = trade.korea_trade("IND"), trade.world_trade()
    printed = load("india_cepa_published").set_index("id").value
    for name, frame in (("exports", own), ("world_exports", world), ("world_imports", world), ("trade", own)):
        column = f"{name.removeprefix('world_')}_usd_m"
        grown = 100 * (frame[column][2018] / frame[column][2010] - 1)
        assert grown == pytest.approx(printed[f"customs_2019_{name}"], abs=0.4 + PRINTED), name
    assert own.trade_usd_m[[2009, 2010, 2023]].to_list() == pytest.approx([12154.9, 17109.1, 24678.0], abs=PRINTED)


def test_the_deflator_is_near_the_printed_one() -> None:
    """GDP deflator of the United States, 2017 = 100: about 90 in 2010 and 104 in 2019."""
    gdp = load("us_gdp").pivot(index="year", columns="measure", values="value")
    level = price_level(gdp.gdp_current_usd_m, gdp.real_growth_pct, base=2010)
    assert level[2019] == pytest.approx(104.0 / 90.0, rel=DEFLATOR)
    assert level.is_monotonic_increasing


def test_the_monthly_record_keeps_its_gap() -> None:
    months = trade.india_monthly("imports")
    assert months.index.is_monotonic_increasing
    assert len(months) == 156
    assert "2007-06" not in months.index.astype(str)
    yearly = months.groupby(months.index.year).sum().loc[2008:2019]
    mirror = load("partner_trade_totals").query("iso3 == 'IND'").set_index("year").imports_from_korea_usd_m
    gaps = np.abs(yearly / mirror[yearly.index] - 1)
    assert gaps.drop(2011).max() < 0.005
    assert gaps[2011] < 0.03


def test_members_and_comparisons_are_coded_once_and_ships_leave_on_both_sides(inputs: trade.AgreementInputs) -> None:
    agreement = inputs.treatment.agreement
    assert agreement.index.is_unique
    assert agreement[["VNM", "SGP", "GBR", "JPN"]].to_list() == ["ASEAN", "Singapore", "EU", "Japan (RCEP)"]
    assert (agreement == "EU").sum() == 27  # 28 with Croatia, less Malta's ships
    flags = set(inputs.left_out.loc[inputs.left_out.reason == "ships", "iso3"])
    assert {"LBR", "MHL", "BMU", "MLT", "BHS", "PAN"} <= flags
    entered, later = (set(trade.agreements().query(f"rank > {n}").iso3) for n in (0, 1))
    assert {"VNM", "SGP", "GBR", "CHN"} <= later
    for direction, panel in inputs.outcomes.items():
        partners = inputs.comparisons[direction]
        assert not flags & set(panel.columns)
        assert not entered & set(partners)
        assert (panel[partners] > 0).all(axis=None)


def test_repaired_imports_are_not_the_copied_exports() -> None:
    """The packaged column repeated Russia's exports as imports; the IMF's figures stand instead."""
    russia = load("korea_imports_by_partner").query("iso3 == 'RUS'")
    assert set(russia.source_id) == {"IMF_DOTS_2022"}
    assert russia.year.max() == 2020
    both = trade.korea_trade("RUS").dropna()
    assert (both.imports_usd_m != both.exports_usd_m).all()


def test_a_window_too_short_is_refused() -> None:
    with pytest.raises(DataError, match="widen the window"):
        trade.agreement_inputs(first_year=2020)


def test_causes_added_by_the_reader_lead_and_keep_to_the_window() -> None:
    held = trade.rival_causes("IND", 2008, 2019)
    more = trade.rival_causes("IND", 2008, 2019, ["2014 a steel plant", "1990 too early"])
    assert more.event.tolist() == ["a steel plant", *held.event]
    assert more.iloc[0][["iso3", "first_year", "last_year"]].tolist() == ["IND", 2014, 2014]
