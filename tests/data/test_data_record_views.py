"""What the export record reads: the figures themselves, in order, as they stood on a day."""

import pandas as pd
import pytest

from kbio_analysis import data
from kbio_analysis.data.series import catalogue
from kbio_analysis.errors import DataError
from kbio_analysis.vocabulary import BREAKS

CENTS = 0.006
"""US$ million: yearly sums are published to two decimals, so twelve months may differ by half of the last one."""

UNLISTED = 3.0
"""US$ million: what heading 3002 holds in codes that are not listed one by one (2.47 in 2025)."""

KEY_FIGURES = [
    ("customs_hs30", 2021, 8440.0),
    ("customs_hs3002", 2025, 7683.56),
    ("khidi_pharma_old", 2021, 9910.0),
    ("khidi_biopharma_restated", 2021, 3377.0),
    ("khidi_devices_current", 2024, 5810.0),
    ("hs300214_tentative_annual", 2024, 3076.63),
    ("HS92-3002", 2024, 6103.0),
    ("SITC54", 2020, 7404.0),
]


@pytest.mark.parametrize(("definition", "year", "usd_m"), KEY_FIGURES)
def test_figures_are_the_published_ones(definition, year, usd_m):
    rows = data.yearly_counts([definition]).set_index("year")
    assert rows.loc[year, "exports_usd_m"] == usd_m


def test_every_count_has_words_and_a_source():
    rows = data.yearly_counts()
    assert not rows.isna().any(axis=None)
    assert set(rows.definition) == set(catalogue().query("frequency == 'annual'").index)
    assert set(rows.source_id) <= set(data.load("sources").source_id)
    assert not rows.duplicated(["definition", "year"]).any()


def test_parts_add_up_to_the_heading_and_the_chapter():
    value = data.yearly_counts().query("year == 2025").set_index("definition").exports_usd_m
    heading = sum(
        value[k] for k, family in catalogue().family.items() if family == "code" and k.startswith("customs_hs3002")
    )
    assert 0 < value["customs_hs3002"] - heading < UNLISTED
    assert value["customs_hs300213"] + value["customs_hs300214"] + value["customs_hs300215"] == pytest.approx(
        value["customs_hs3002_13_14_15"], abs=CENTS
    )
    assert value["customs_hs3002"] + value["customs_hs3003"] + value["customs_hs3004"] < value["customs_hs30"]


@pytest.mark.parametrize(
    ("definition", "series"),
    [
        ("customs_hs30", "hs30_customs"),
        ("customs_hs300214", "hs300214_customs"),
        ("hs300214_tentative_annual", "hs300214_tentative"),
    ],
)
def test_sums_of_months_equal_their_months(definition, series):
    rows = data.yearly_counts([definition])
    months = data.monthly(series)
    for row in rows[rows.source_id.str.startswith("S_GH")].itertuples():
        mine = months[months.index.year == row.year]
        assert len(mine) == 12
        assert abs(mine.sum() - row.exports_usd_m) < CENTS


def test_restated_2021_is_the_growth_that_was_printed():
    value = data.yearly_counts().set_index(["definition", "year"]).exports_usd_m
    growth = 100 * (value["khidi_biopharma_hs2022", 2022] / value["khidi_biopharma_restated", 2021] - 1)
    assert round(growth, 1) == 7.5


def test_counts_follow_as_of_and_keep_the_order_asked_for():
    early = data.yearly_counts(["SITC54", "khidi_biopharma_hs2022", "customs_hs3002"], as_of="2024-12-31")
    assert early.definition.unique().tolist() == ["SITC54", "khidi_biopharma_hs2022"]
    assert early.year.max() == 2023
    with pytest.raises(DataError, match="no yearly count 'hs30'"):
        data.yearly_counts(["hs30"])


def test_the_revisions_named_in_the_record():
    prints = data.prints().set_index(["count", "last_month", "print"]).exports_usd_m
    february = pd.Period("2025-02", "M")
    latest = data.latest_counts()
    assert (prints["hs30", february, 1], round(latest["hs30"][february], 2)) == (789.82, 660.43)
    assert round(prints["hs300214_tentative", february, 1]) == 496
    assert round(latest["hs300214_tentative"][february]) == 367
    assert prints["motie_pharma", pd.Period("2025-01", "M")].tolist() == [797.0, 696.0, 760.0]
    assert "motie_pharma" not in latest


def test_prints_are_numbered_in_the_order_of_publication():
    prints = data.prints()
    for _, own in prints.groupby(["count", "first_month", "last_month"]):
        assert own["print"].tolist() == list(range(1, len(own) + 1))
        assert own["available_from"].is_monotonic_increasing
    assert set(prints["count"]) == set(catalogue().query("print_label != ''").index)


def test_a_latest_month_still_to_be_revised_is_no_witness():
    assert str(data.latest_counts()["motie_biohealth"].index[-1]) == "2026-06"
    assert str(data.monthly("biohealth_mti93_customs").index[-1]) == "2026-07"


def test_final_counts_are_out_with_their_file_only():
    assert data.known_months("hs30_customs", as_of="2026-03-15").empty
    assert len(data.known_months("hs30_customs", as_of="2026-03-16")) == 13
    assert data.latest_counts(as_of="2025-06-30")["hs300214_tentative"].empty


def test_months_between_two_days():
    found = data.known_months("biohealth_mti93_customs", first="2023-05-17", last="2023-07-01")
    assert found.index.astype(str).tolist() == ["2023-05", "2023-06", "2023-07"]
    assert data.known_months("biohealth_mti93_customs", first="2030-01-01").empty
    with pytest.raises(DataError, match="did you mean"):
        data.known_months("biohealth_mti93_custom")


def test_the_break_names_definitions_that_exist():
    known = {k for keys in BREAKS.values() for k in keys.values()}
    assert known <= set(catalogue().index)
