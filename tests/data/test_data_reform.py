"""Tables of the reform notebook: the figures agree with one another, scopes stay apart, views do their arithmetic."""

import pytest

from kbio_analysis import data
from kbio_analysis.vocabulary import SUCCESS_RATES

ROUNDED = 0.1  # per cent; transition rates are published as whole per cent


@pytest.mark.parametrize(("key", "scope"), SUCCESS_RATES.items())
def test_the_four_rates_multiply_to_the_published_total(key, scope):
    figures, total = data.phase_figures(scope), data.benchmarks()["success_phase1_to_approval", scope]
    assert 100 * figures["success"].prod() == pytest.approx(total, abs=ROUNDED)
    assert figures["candidates"].is_monotonic_decreasing
    assert (figures["years"] > 0).all()


def test_the_launch_curve_rises_to_its_peak():
    uptake = data.benchmarks()["uptake"]
    assert uptake.is_monotonic_increasing
    assert uptake.iloc[-1] == 100


def test_ranks_and_shares_of_2024_agree():
    rows = data.trial_ranks()
    shares = rows[(rows.scope == "all_trials") & (rows.measure == "share_pct") & (rows.year == 2024)]
    order = shares.sort_values("value", ascending=False).geo.tolist()
    rank = rows[(rows.scope == "all_trials") & (rows.measure == "rank") & (rows.year == 2024)].value.iloc[0]
    assert order.index("KOR") + 1 == rank


def test_the_report_of_2013_is_a_scope_of_its_own():
    rows = data.trial_ranks()
    assert set(rows[rows.year == 2013].scope) == {"report_of_2013"}
    assert rows[rows.scope == "report_of_2013"].year.unique().tolist() == [2013]
    assert rows.groupby(["scope", "measure", "geo", "year"]).size().max() == 1


def test_as_of_drops_the_ranks_of_2024_and_the_later_market_edition():
    early = data.trial_ranks(as_of="2024-12-31")
    assert early.year.max() == 2023
    assert ("medicines_iqvia_2024_edition", 2028) not in data.market_sizes(as_of="2025-09-05").index
    assert ("medicines_iqvia_2024_edition", 2028) in data.market_sizes(as_of="2026-08-31").index


def test_published_ranges_by_hand():
    found = data.published_ranges()
    assert found["both", "clock_share_pct"][0] == pytest.approx(100 * 24.1 / 1748.7)
    assert found["biosimilar", "price_fall_pct"][0] == pytest.approx(100 * (1 - 0.47**0.2))
    assert found["new_drug", "listing_spread"] == pytest.approx((9.66 / 13.40, 5.73 / 4.79))
    assert found["biosimilar", "years_to_peak"] == (3, 5)
    low, high = found["biosimilar", "review_spread"]
    assert 0.2 < low < high < 0.6
    assert all(a <= b for a, b in found.values())


def test_every_benchmark_is_used_with_its_source():
    assert set(data.benchmark_sources("success")) == {"S_BIO_2016", "S_BIO_2021", "S_CITELINE_2026"}
    assert set(data.benchmarks().attrs["source_ids"]) <= set(data.load("sources")["source_id"])
    assert data.claim_values()["listing_days_after"] == 150
