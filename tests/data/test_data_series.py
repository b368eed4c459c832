"""The views: one definition at a time, as it stood on a day; and the figures themselves."""

from datetime import date, datetime

import pandas as pd
import pytest

from kbio_analysis import data
from kbio_analysis.errors import DataError

CENTS = 0.006
"""US$ million: yearly sums are published to two decimals, so twelve months may differ by half of the last one."""

KHIDI_ROUNDING = 5.0
"""US$ million: KHIDI prints hundredths of a billion."""


@pytest.mark.parametrize(
    ("as_of", "last_year"),
    [("2023-04-06", 2022), ("2024-12-31", 2023), ("2025-12-31", 2024), ("2026-08-31", 2025), (None, 2025)],
)
def test_as_of_keeps_what_was_out(as_of, last_year):
    series = data.annual("khidi_biopharma_hs2022", as_of=as_of)
    assert list(series.index.year) == list(range(2022, last_year + 1))


def test_as_of_the_day_before_is_too_early():
    with pytest.raises(DataError, match=r"nothing was out by 2023-04-05; the first figure came on 2023-04-06"):
        data.annual("khidi_biopharma_hs2022", as_of="2023-04-05")


@pytest.mark.parametrize("as_of", [date(2024, 12, 31), datetime(2024, 12, 31, 9), pd.Timestamp("2024-12-31")])
def test_as_of_takes_dates_of_any_make(as_of):
    assert len(data.annual("khidi_biopharma_hs2022", as_of=as_of)) == 2


@pytest.mark.parametrize("as_of", ["soon", "2024-13-01", "", 20241231])
def test_as_of_must_be_a_date(as_of):
    with pytest.raises(DataError, match="is not a date"):
        data.annual("khidi_biopharma_hs2022", as_of=as_of)


def test_annual_series_says_what_it_is():
    series = data.annual("khidi_biopharma_hs2022")
    assert series.tolist() == [3630.0, 3900.0, 5510.0, 6520.0]
    assert series.name == "khidi_biopharma_hs2022"
    assert series.dtype == "float64"
    assert series.index.freqstr == "Y-DEC"
    assert series.attrs == {
        "definition": "khidi_biopharma_hs2022",
        "unit": "US$ million",
        "source_ids": ("S_KHIDI_2022FY", "S_KHIDI_2023FY", "S_KHIDI_2024FY", "S_KHIDI_2025FY"),
    }


def test_gaps_are_left_as_they_are():
    assert list(data.annual("mfds_biopharma").index.year) == [2015, 2017, 2018, 2019, 2021, 2022, 2024]


@pytest.mark.parametrize(
    ("series", "first", "last", "n"),
    [
        ("biohealth_mti93_customs", "2022-01", "2026-07", 55),
        ("hs300214_tentative", "2022-01", "2026-06", 54),
        ("hs3002_13_14_15_customs", "2025-01", "2026-01", 13),
    ],
)
def test_monthly_series_are_unbroken(series, first, last, n):
    values = data.monthly(series)
    assert values.index.equals(pd.period_range(first, last, freq="M"))
    assert len(values) == n
    assert (values > 0).all()


@pytest.mark.parametrize(
    ("series", "as_of", "last"),
    [
        ("biohealth_mti93_customs", "2025-12-31", "2025-11"),
        ("biohealth_mti93_customs", "2026-01-14", "2025-11"),
        ("biohealth_mti93_customs", "2026-01-15", "2025-12"),
        ("hs300214_tentative", "2025-12-31", "2025-11"),
        ("hs300214_tentative", "2026-01-01", "2025-12"),
        ("biohealth_mti93_customs", "2026-08-31", "2026-07"),
    ],
)
def test_months_come_out_by_their_rule(series, as_of, last):
    assert str(data.monthly(series, as_of=as_of).index[-1]) == last


@pytest.mark.parametrize(
    ("call", "name", "said"),
    [
        (data.annual, "khidi_biopharma_hs202", "did you mean 'khidi_biopharma_hs2022'"),
        (data.annual, "biohealth_mti93_customs", r"is monthly, not annual: read it with .*\.monthly\(\)"),
        (data.monthly, "mfds_biopharma", r"is annual, not monthly: read it with .*\.annual\(\)"),
        (data.monthly, "hs300214_tentativ", "did you mean 'hs300214_tentative'"),
        (data.exporters, "HS92-3003", "did you mean 'HS92-300"),
        (data.exporters, "coffee", "known: HS92-3002"),
        (data.sources, ["S_YNA_KBIO", "S_YNA"], "no source_id 'S_YNA'; did you mean 'S_YNA_KBIO'"),
    ],
)
def test_unknown_names_get_a_suggestion(call, name, said):
    with pytest.raises(DataError, match=said):
        call(name)


@pytest.mark.parametrize(
    ("definition", "series"),
    [
        ("mti93_biohealth_annual", "biohealth_mti93_customs"),
        ("customs_hs3002_13_14_15", "hs3002_13_14_15_customs"),
    ],
)
def test_yearly_sums_equal_their_months(definition, series):
    months = data.monthly(series)
    for year, total in data.annual(definition).items():
        mine = months[months.index.year == year.year]
        assert len(mine) == 12
        assert abs(mine.sum() - total) < CENTS


def test_khidi_equals_three_headings_in_2025():
    customs = data.annual("customs_hs3002_13_14_15")["2025"]
    assert customs == 6521.18
    assert abs(data.annual("khidi_biopharma_hs2022")["2025"] - customs) < KHIDI_ROUNDING


@pytest.mark.parametrize(
    ("definition", "year", "usd_m"),
    [
        ("gov_biopharma_headline", "2024", 5800.0),
        ("khidi_biopharma_hs2022", "2022", 3630.0),
        ("khidi_biopharma_old", "2021", 6070.0),
        ("khidi_pharma_current", "2021", 7000.0),
        ("khidi_pharma_current", "2025", 10410.0),
        ("kita_biopharma", "2020", 5100.0),
        ("mfds_biopharma", "2017", 1368.51),
        ("mfds_biopharma", "2024", 3216.59),
        ("mti93_biohealth_annual", "2024", 14998.19),
    ],
)
def test_figures_are_the_published_ones(definition, year, usd_m):
    assert data.annual(definition)[year] == usd_m


def test_headline_is_one_number_and_no_target_is_among_results():
    assert len(data.annual("gov_biopharma_headline")) == 1
    assert set(data.load("biopharma_exports_annual")["status"]) == {
        "actual",
        "quoted",
        "restated",
        "sum_of_months",
    }


def test_restated_years_are_marked():
    rows = data.load("biopharma_exports_annual").query("definition == 'khidi_pharma_current'").set_index("year")
    assert rows["status"].to_dict() == {y: "restated" if y < 2022 else "actual" for y in range(2018, 2026)}


@pytest.mark.parametrize("classification", ["HS92-3002", "HS92-3004", "SITC54"])
def test_exporters_are_individual_economies(classification):
    wide = data.exporters(classification)
    assert wide.index.freqstr == "Y-DEC"
    assert not {"WLD", "EEC"} & set(wide.columns)
    assert wide.attrs["definition"] == classification
    assert "KOR" in wide.columns or classification == "HS92-3004"


def test_entrepots_are_left_out_of_the_hs_classes():
    for classification in ("HS92-3002", "HS92-3004"):
        wide = data.exporters(classification)
        assert "NLD" not in wide.columns
        assert wide["DNK"].last_valid_index() == pd.Period("2016", freq="Y-DEC")
    assert set(data.exporters("HS92-3002").attrs["source_ids"]) == {"ATLAS_GEC_2024"}


def test_wto_vintages_share_no_year():
    rows = data.load("pharma_exporters_panel").query("classification == 'SITC54'")
    assert rows.groupby("year")["source_id"].nunique().max() == 1
    assert sorted(rows["year"].unique()) == [2000, 2005, 2010, 2015, 2018, 2019, 2020]
    ranks = data.exporters("SITC54").rank(axis=1, ascending=False)
    assert (ranks.loc["2020", "KOR"], data.exporters("SITC54").loc["2020", "KOR"]) == (21.0, 7404.0)


def test_exporters_follow_as_of():
    assert data.exporters("HS92-3002", as_of="2024-12-31").index.year.max() == 2023
    assert data.exporters("SITC54", as_of="2021-06-29").index.year.max() == 2019


def test_partner_exports_can_leave_ships_out():
    every, dry = data.partner_exports(), data.partner_exports(without=["ships"])
    assert list(every.index.year) == list(range(1990, 2024))
    assert set(every.columns) - set(dry.columns) == {"LBR", "MHL", "BMU", "MLT", "BHS", "PAN", "CYM", "VGB"}
    assert every.loc["2023", "IND"] == 17949.602
    assert "WLD" not in every.columns
    assert data.partner_exports(as_of="2020-01-30").index.year.max() == 2018
    with pytest.raises(DataError, match="did you mean 'ships'"):
        data.partner_exports(without=["ship"])


def test_larger_states_are_flagged():
    flags = data.load("korea_exports_by_partner").set_index(["iso3", "year"])["flag"]
    assert flags["RUS"][flags["RUS"] == "larger_state"].index.max() < 1992
    assert flags["SRB"][2005] == "larger_state"
    assert flags["SRB"][2006] == ""


def test_sources_come_in_the_order_asked():
    found = data.sources(["S_WTO_2022", "S_YNA_KBIO", "S_WTO_2022"])
    assert found["source_id"].tolist() == ["S_WTO_2022", "S_YNA_KBIO"]
    assert found.loc[1, "published"] == "2025-09-05"


def test_forecasts_keep_their_vintage():
    rows = data.load("health_export_forecasts")
    pharma_2025 = rows.query("item == 'pharma' and target_year == 2025").set_index("kind")["exports_usd_m"]
    assert pharma_2025.to_dict() == {"forecast": 10600.0, "estimate": 10543.0}
    assert rows.query("item == 'gov_biopharma_headline'")["exports_usd_m"].item() == 11600.0


def test_market_grows_as_the_strategy_says():
    market = data.load("world_pharma_market").query("segment == 'pharmaceuticals'").set_index("year")["market_usd_bn"]
    assert market[2023] == 1748.7
    assert round(100 * ((market[2030] / market[2023]) ** (1 / 7) - 1), 1) == 4.7
