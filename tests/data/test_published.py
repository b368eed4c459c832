"""What others published: ranks by their day, figures that agree with one another, scopes that stay apart."""

import pytest

from kbio_analysis.data import published
from kbio_analysis.data.series import out_by
from kbio_analysis.data.tables import load
from kbio_analysis.vocabulary import RANK_LABELS, SUCCESS_RATES

ROUNDED = 0.1  # per cent; transition rates are published as whole per cent

RANKS = {
    ("kita_biopharma", 2019): (9, "derived"),
    ("kita_biopharma", 2020): (7, "reported"),
    ("khidi_world_pharma", 2022): (20, "reported"),
    ("gov_biopharma_headline", 2024): (10, "approximate"),
    ("gov_biopharma_headline", 2030): (5, "target"),
}


def test_ranks_are_the_published_ones_and_the_claims():
    rows, claims = load("pharma_export_ranks").query("iso3 == 'KOR'"), load("article_claims").set_index("id").value
    assert {(r.definition, r.year): (r.rank, r.status) for r in rows.itertuples()} == RANKS
    assert set(rows.definition) == set(RANK_LABELS)
    assert claims["biopharma_export_rank_2024"] == 10
    assert claims["biopharma_export_rank_target_2030"] == 5


def test_economies_have_names():
    names = published.country_names()
    assert [names[iso3] for iso3 in ("KOR", "TUR", "HKG")] == ["Korea", "Türkiye", "Hong Kong"]


@pytest.mark.parametrize("scope", SUCCESS_RATES.values())
def test_the_four_rates_multiply_to_the_published_total(scope):
    figures, total = published.phase_figures(scope), published.benchmarks()["success_phase1_to_approval", scope]
    assert 100 * figures["success"].prod() == pytest.approx(total, abs=ROUNDED)
    assert figures["candidates"].is_monotonic_decreasing
    assert (figures["years"] > 0).all()


def test_the_launch_curve_rises_to_its_peak():
    uptake = published.benchmarks()["uptake"]
    assert uptake.is_monotonic_increasing
    assert uptake.iloc[-1] == 100


def test_trial_ranks_agree_with_shares_and_the_report_of_2013_stands_alone():
    rows = load("clinical_trial_ranks")
    of_2024 = rows[(rows.scope == "all_trials") & (rows.year == 2024)]
    order = of_2024[of_2024.measure == "share_pct"].sort_values("value", ascending=False).geo.tolist()
    assert order.index("KOR") + 1 == of_2024[of_2024.measure == "rank"].value.item()
    assert rows[(rows.year == 2013) != (rows.scope == "report_of_2013")].empty


def test_as_of_drops_the_ranks_of_2024_and_the_later_market_edition():
    assert out_by(load("clinical_trial_ranks"), "2024-12-31", "ranks").year.max() == 2023
    early, late = (published.biologics_forecasts(as_of=day) for day in ("2025-09-05", "2026-08-31"))
    assert [label for label, _ in late if label not in [known for known, _ in early]] == ["IQVIA, 2024 edition"]


def test_published_ranges_by_hand():
    found = published.published_ranges()
    assert found["both", "clock_share_pct"][0] == pytest.approx(100 * 24.1 / 1748.7)
    assert found["biosimilar", "price_fall_pct"][0] == pytest.approx(100 * (1 - 0.47**0.2))
    assert found["new_drug", "listing_spread"] == pytest.approx((9.66 / 13.40, 5.73 / 4.79))
    assert found["biosimilar", "years_to_peak"] == (3, 5)
    assert all(a <= b for a, b in found.values())
