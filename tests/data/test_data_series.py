"""Export series: one definition at a time, as it stood on a day; the panels; and the published figures themselves."""

from datetime import date, datetime

import pandas as pd
import pytest

from kbio_analysis.data import series as views
from kbio_analysis.data.tables import load
from kbio_analysis.errors import DataError
from kbio_analysis.vocabulary import BREAKS

CENTS = 0.006
"""US$ million: yearly sums are published to two decimals, so twelve months may differ by half of the last one."""

KHIDI_ROUNDING = 5.0
"""US$ million: KHIDI prints hundredths of a billion."""

UNLISTED = 3.0
"""US$ million: what heading 3002 holds in codes that are not listed one by one (2.47 in 2025)."""


@pytest.mark.parametrize(
    ("definition", "year", "usd_m"),
    [
        ("gov_biopharma_headline", 2024, 5800.0),
        ("khidi_biopharma_old", 2021, 6070.0),
        ("khidi_biopharma_restated", 2021, 3377.0),
        ("khidi_pharma_current", 2025, 10410.0),
        ("kita_biopharma", 2020, 5100.0),
        ("mfds_biopharma", 2024, 3216.59),
        ("customs_hs3002", 2025, 7683.56),
        ("HS92-3002", 2024, 6103.0),
        ("SITC54", 2020, 7404.0),
    ],
)
def test_figures_are_the_published_ones(definition, year, usd_m):
    assert views.yearly_counts([definition]).set_index("year").loc[year, "exports_usd_m"] == usd_m


def test_annual_series_says_what_it_is_and_leaves_gaps():
    series = views.annual("khidi_biopharma_hs2022")
    assert series.tolist() == [3630.0, 3900.0, 5510.0, 6520.0]
    assert (series.name, series.dtype, series.index.freqstr) == ("khidi_biopharma_hs2022", "float64", "Y-DEC")
    assert series.attrs["source_ids"] == tuple(f"S_KHIDI_{year}FY" for year in range(2022, 2026))
    assert list(views.annual("mfds_biopharma").index.year) == [2015, 2017, 2018, 2019, 2021, 2022, 2024]


@pytest.mark.parametrize("as_of", ["2023-04-06", date(2023, 4, 6), datetime(2023, 4, 6, 9), pd.Timestamp("2023-04-06")])
def test_as_of_keeps_what_was_out(as_of):
    assert list(views.annual("khidi_biopharma_hs2022", as_of=as_of).index.year) == [2022]


@pytest.mark.parametrize("as_of", ["soon", "2024-13-01", 20241231])
def test_as_of_must_be_a_date(as_of):
    with pytest.raises(DataError, match="is not a date"):
        views.annual("khidi_biopharma_hs2022", as_of=as_of)


@pytest.mark.parametrize(
    ("series", "as_of", "last", "n"),
    [
        ("biohealth_mti93_customs", "2026-01-15", "2025-12", 48),
        ("biohealth_mti93_customs", "2026-08-31", "2026-07", 55),
        ("hs300214_tentative", "2025-12-31", "2025-11", 47),
        ("hs3002_13_14_15_customs", None, "2026-01", 13),
    ],
)
def test_months_are_unbroken_and_come_out_by_their_rule(series, as_of, last, n):
    values = views.monthly(series, as_of=as_of)
    assert values.index.equals(pd.period_range(end=last, periods=n, freq="M"))
    assert (values > 0).all()


@pytest.mark.parametrize(
    ("call", "name", "said"),
    [
        (views.annual, "khidi_biopharma_hs202", "did you mean khidi_biopharma_hs2022"),
        (views.annual, "biohealth_mti93_customs", "no annual definition"),
        (views.exporters, "coffee", "hold no figure of it"),
        (views.yearly_counts, ["hs30"], "no yearly count 'hs30'"),
        (views.monthly, "biohealth_mti93_custom", "did you mean"),
        (
            lambda day: views.annual("khidi_biopharma_hs2022", as_of=day),
            "2023-04-05",
            "first figure came on 2023-04-06",
        ),
    ],
)
def test_what_is_not_there_is_refused_with_a_suggestion(call, name, said):
    with pytest.raises(DataError, match=said):
        call(name)


@pytest.mark.parametrize(
    ("definition", "series"),
    [
        ("mti93_biohealth_annual", "biohealth_mti93_customs"),
        ("customs_hs3002_13_14_15", "hs3002_13_14_15_customs"),
        ("customs_hs300214", "hs300214_customs"),
        ("hs300214_tentative_annual", "hs300214_tentative"),
    ],
)
def test_sums_of_months_equal_their_months(definition, series):
    months = views.monthly(series)
    for year, total in views.annual(definition).items():
        mine = months[months.index.year == year.year]
        assert len(mine) == 12
        assert abs(mine.sum() - total) < CENTS


def test_parts_add_up_to_the_heading_and_the_chapter():
    value, family = views.yearly_counts().query("year == 2025").set_index("definition").exports_usd_m, views.catalogue()
    codes = [k for k, what in family.family.items() if what == "code" and k.startswith("customs_hs3002")]
    assert 0 < value["customs_hs3002"] - value[codes].sum() < UNLISTED
    three = value[["customs_hs300213", "customs_hs300214", "customs_hs300215"]].sum()
    assert three == pytest.approx(value["customs_hs3002_13_14_15"], abs=CENTS)
    assert value["khidi_biopharma_hs2022"] == pytest.approx(three, abs=KHIDI_ROUNDING)
    assert value[["customs_hs3002", "customs_hs3003", "customs_hs3004"]].sum() < value["customs_hs30"]


def test_restated_figures_are_marked_and_follow_from_the_growth_that_was_printed():
    value = views.yearly_counts().set_index(["definition", "year"]).exports_usd_m
    growth = 100 * (value["khidi_biopharma_hs2022", 2022] / value["khidi_biopharma_restated", 2021] - 1)
    assert round(growth, 1) == 7.5
    rows = load("biopharma_exports_annual").query("definition == 'khidi_pharma_current'").set_index("year")
    assert rows["status"].to_dict() == {y: "restated" if y < 2022 else "actual" for y in range(2018, 2026)}
    assert {k for keys in BREAKS.values() for k in keys.values()} <= set(views.catalogue().index)


def test_every_count_has_words_and_the_order_asked_for():
    rows = views.yearly_counts()
    assert not rows.isna().any(axis=None)
    assert set(rows.definition) == set(views.catalogue().query("frequency == 'annual'").index)
    early = views.yearly_counts(["SITC54", "khidi_biopharma_hs2022", "customs_hs3002"], as_of="2024-12-31")
    assert early.definition.unique().tolist() == ["SITC54", "khidi_biopharma_hs2022"]
    assert early.year.max() == 2023


def test_first_and_latest_counts_are_those_of_the_record():
    prints, latest, february = views.prints(), views.latest_counts(), pd.Period("2025-02", "M")
    for _, own in prints.groupby(["count", "first_month", "last_month"]):
        assert own["print"].tolist() == list(range(1, len(own) + 1))
        assert own["available_from"].is_monotonic_increasing
    value = prints.set_index(["count", "last_month", "print"]).exports_usd_m
    assert (value["hs30", february, 1], round(latest["hs30"][february], 2)) == (789.82, 660.43)
    tentative = value["hs300214_tentative", february, 1], latest["hs300214_tentative"][february]
    assert [round(usd_m) for usd_m in tentative] == [496, 367]
    assert value["motie_pharma", pd.Period("2025-01", "M")].tolist() == [797.0, 696.0, 760.0]
    assert "motie_pharma" not in latest
    assert str(latest["motie_biohealth"].index[-1]) == "2026-06"  # July is still to be revised
    assert views.latest_counts(as_of="2025-06-30")["hs300214_tentative"].empty


def test_months_between_two_days_and_none_before_their_file():
    found = views.monthly("biohealth_mti93_customs", first="2023-05-17", last="2023-07-01")
    assert found.index.astype(str).tolist() == ["2023-05", "2023-06", "2023-07"]
    assert views.monthly("biohealth_mti93_customs", first="2030-01-01").empty
    assert views.monthly("hs30_customs", as_of="2026-03-15").empty
    assert len(views.monthly("hs30_customs", as_of="2026-03-16")) == 13


def test_exporters_are_individual_economies():
    for classification in ("HS92-3002", "HS92-3004", "SITC54"):
        wide = views.exporters(classification)
        assert not {"WLD", "EEC"} & set(wide.columns)
        assert "KOR" in wide.columns or classification == "HS92-3004"
        if classification != "SITC54":
            assert wide["DNK"].last_valid_index() == pd.Period("2016", freq="Y-DEC")
    assert views.exporters("HS92-3002", as_of="2024-12-31").index.year.max() == 2023
    assert views.exporters("SITC54").rank(axis=1, ascending=False).loc["2020", "KOR"] == 21
