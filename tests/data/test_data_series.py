"""Export series and what others published: one definition at a time, as it stood on a day; the figures themselves."""

from datetime import date, datetime

import pandas as pd
import pytest

from kbio_analysis.data import published
from kbio_analysis.data import series as views
from kbio_analysis.data.tables import load
from kbio_analysis.errors import DataError
from kbio_analysis.vocabulary import BREAKS, RANK_LABELS, SUCCESS_RATES

CENTS = 0.006  # US$ million: yearly sums are published to two decimals, so twelve months may be off by half the last
KHIDI_ROUNDING = 5.0  # US$ million: KHIDI prints hundredths of a billion
UNLISTED = 3.0  # US$ million: what heading 3002 holds in codes that are not listed one by one (2.47 in 2025)
ROUNDED = 0.1  # per cent; transition rates are published as whole per cent
KHIDI = "khidi_biopharma_hs2022"


@pytest.mark.parametrize(
    ("definition", "year", "usd_m"),
    [
        ("gov_biopharma_headline", 2024, 5800.0),
        ("khidi_biopharma_old", 2021, 6070.0),
        ("khidi_biopharma_restated", 2021, 3377.0),
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
    series = views.annual(KHIDI)
    assert series.tolist() == [3630.0, 3900.0, 5510.0, 6520.0]
    assert (series.name, series.dtype, series.index.freqstr) == (KHIDI, "float64", "Y-DEC")
    assert series.attrs["source_ids"] == tuple(f"S_KHIDI_{year}FY" for year in range(2022, 2026))
    assert list(views.annual("mfds_biopharma").index.year) == [2015, 2017, 2018, 2019, 2021, 2022, 2024]
    for as_of in ("2023-04-06", date(2023, 4, 6), datetime(2023, 4, 6, 9), pd.Timestamp("2023-04-06")):
        assert list(views.annual(KHIDI, as_of=as_of).index.year) == [2022]


@pytest.mark.parametrize(
    ("series", "as_of", "last", "n"),
    [
        ("biohealth_mti93_customs", "2026-01-15", "2025-12", 48),
        ("biohealth_mti93_customs", "2026-08-31", "2026-07", 55),
        ("hs300214_tentative", "2025-12-31", "2025-11", 47),
        ("hs3002_13_14_15_customs", None, "2026-01", 13),
        ("hs30_customs", "2026-03-16", "2026-01", 13),
        ("hs30_customs", "2026-03-15", None, 0),
    ],
)
def test_months_come_out_by_their_rule(series, as_of, last, n):
    values = views.monthly(series, as_of=as_of)
    assert len(values) == n
    assert not n or str(values.index[-1]) == last


def test_months_may_be_asked_for_between_two_days():
    found = views.monthly("biohealth_mti93_customs", first="2023-05-17", last="2023-07-01")
    assert found.index.astype(str).tolist() == ["2023-05", "2023-06", "2023-07"]
    assert views.monthly("biohealth_mti93_customs", first="2030-01-01").empty


@pytest.mark.parametrize(
    ("call", "named", "said"),
    [
        (views.annual, {"definition": "khidi_biopharma_hs202"}, f"did you mean {KHIDI}"),
        (views.annual, {"definition": "biohealth_mti93_customs"}, "no annual definition"),
        (views.annual, {"definition": KHIDI, "as_of": "2023-04-05"}, "first figure came on 2023-04-06"),
        (views.annual, {"definition": KHIDI, "as_of": "2024-13-01"}, "is not a date"),
        (views.annual, {"definition": KHIDI, "as_of": 2024}, "is not a date"),
        (views.exporters, {"classification": "coffee"}, "hold no figure of it"),
        (views.yearly_counts, {"keys": ["hs30"]}, "no yearly count 'hs30'"),
        (views.monthly, {"series": "biohealth_mti93_custom"}, "did you mean"),
    ],
)
def test_what_is_not_there_is_refused_with_a_suggestion(call, named, said):
    with pytest.raises(DataError, match=said):
        call(**named)


def test_sums_of_months_equal_their_months():
    names = {"customs_hs3002_13_14_15": "hs3002_13_14_15_customs", "customs_hs300214": "hs300214_customs"}
    for definition, series in (names | {"hs300214_tentative_annual": "hs300214_tentative"}).items():
        months = views.monthly(series)
        for year, total in views.annual(definition).items():
            assert months[months.index.year == year.year].sum() == pytest.approx(total, abs=CENTS)


def test_counts_have_words_and_parts_add_up_to_the_heading_and_the_chapter():
    rows, known = views.yearly_counts(), views.catalogue()
    assert not rows.isna().any(axis=None)
    assert set(rows.definition) == set(known.query("frequency == 'annual'").index)
    value = rows.set_index(["definition", "year"]).exports_usd_m
    growth = 100 * (value[KHIDI, 2022] / value["khidi_biopharma_restated", 2021] - 1)
    assert round(growth, 1) == 7.5  # as it was printed
    of_2025 = value.xs(2025, level="year")
    codes = [k for k, what in known.family.items() if what == "code" and k.startswith("customs_hs3002")]
    assert 0 < of_2025["customs_hs3002"] - of_2025[codes].sum() < UNLISTED
    three = of_2025[["customs_hs300213", "customs_hs300214", "customs_hs300215"]].sum()
    assert three == pytest.approx(of_2025["customs_hs3002_13_14_15"], abs=CENTS)
    assert of_2025[KHIDI] == pytest.approx(three, abs=KHIDI_ROUNDING)
    assert of_2025[["customs_hs3002", "customs_hs3003", "customs_hs3004"]].sum() < of_2025["customs_hs30"]
    assert {k for keys in BREAKS.values() for k in keys.values()} <= set(known.index)
    early = views.yearly_counts(["SITC54", KHIDI, "customs_hs3002"], as_of="2024-12-31")
    assert early.definition.unique().tolist() == ["SITC54", KHIDI]  # in the order asked for
    assert early.year.max() == 2023


def test_first_and_latest_counts_are_those_of_the_record():
    prints, latest, february = views.prints(), views.latest_counts(), pd.Period("2025-02", "M")
    value = prints.set_index(["count", "last_month", "print"]).exports_usd_m
    assert (value["hs30", february, 1], round(latest["hs30"][february], 2)) == (789.82, 660.43)
    tentative = value["hs300214_tentative", february, 1], latest["hs300214_tentative"][february]
    assert [round(usd_m) for usd_m in tentative] == [496, 367]
    assert value["motie_pharma", pd.Period("2025-01", "M")].tolist() == [797.0, 696.0, 760.0]
    assert "motie_pharma" not in latest
    assert str(latest["motie_biohealth"].index[-1]) == "2026-06"  # July is still to be revised
    assert views.latest_counts(as_of="2025-06-30")["hs300214_tentative"].empty


def test_exporters_are_individual_economies():
    panels = {key: views.exporters(key) for key in ("HS92-3002", "HS92-3004", "SITC54")}
    assert not {"WLD", "EEC"} & {iso3 for panel in panels.values() for iso3 in panel}
    assert all(
        panels[key]["DNK"].last_valid_index() == pd.Period("2016", "Y-DEC") for key in ("HS92-3002", "HS92-3004")
    )
    assert views.exporters("HS92-3002", as_of="2024-12-31").index.year.max() == 2023
    assert panels["SITC54"].rank(axis=1, ascending=False).loc["2020", "KOR"] == 21


def test_published_ranks_are_the_claims_and_keep_to_their_day_and_scope():
    rows, claims = load("pharma_export_ranks").query("iso3 == 'KOR'"), load("article_claims").set_index("id").value
    assert {(r.definition, r.year): (r.rank, r.status) for r in rows.itertuples()} == {
        ("kita_biopharma", 2019): (9, "derived"),
        ("kita_biopharma", 2020): (7, "reported"),
        ("khidi_world_pharma", 2022): (20, "reported"),
        ("gov_biopharma_headline", 2024): (10, "approximate"),
        ("gov_biopharma_headline", 2030): (5, "target"),
    }
    assert set(rows.definition) == set(RANK_LABELS)
    assert claims[["biopharma_export_rank_2024", "biopharma_export_rank_target_2030"]].tolist() == [10, 5]
    trials = load("clinical_trial_ranks")
    of_2024 = trials.query("scope == 'all_trials' and year == 2024")
    order = of_2024[of_2024.measure == "share_pct"].sort_values("value", ascending=False).geo.tolist()
    assert order.index("KOR") + 1 == of_2024[of_2024.measure == "rank"].value.item()
    assert trials[(trials.year == 2013) != (trials.scope == "report_of_2013")].empty
    assert views.out_by(trials, "2024-12-31", "ranks").year.max() == 2023
    early, late = (published.biologics_forecasts(as_of=day) for day in ("2025-09-05", "2026-08-31"))
    assert [label for label in late.label if label not in set(early.label)] == ["IQVIA, 2024 edition"]


@pytest.mark.parametrize("scope", SUCCESS_RATES.values())
def test_the_four_rates_multiply_to_the_published_total_and_the_launch_curve_rises(scope):
    figures, total = published.phase_figures(scope), published.benchmarks()["success_phase1_to_approval", scope]
    assert 100 * figures["success"].prod() == pytest.approx(total, abs=ROUNDED)
    assert figures["candidates"].is_monotonic_decreasing
    assert (figures["years"] > 0).all()
    uptake = published.benchmarks()["uptake"]
    assert uptake.is_monotonic_increasing
    assert uptake.iloc[-1] == 100


def test_published_ranges_by_hand():
    found = published.published_ranges()
    assert found["both", "clock_share_pct"][0] == pytest.approx(100 * 24.1 / 1748.7)
    assert found["biosimilar", "price_fall_pct"][0] == pytest.approx(100 * (1 - 0.47**0.2))
    assert found["new_drug", "listing_spread"] == pytest.approx((9.66 / 13.40, 5.73 / 4.79))
    assert found["biosimilar", "years_to_peak"] == (3, 5)
    assert all(a <= b for a, b in found.values())
