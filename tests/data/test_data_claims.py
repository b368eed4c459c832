"""The table of claims holds every quantitative claim of the article, as it was made."""

import pytest

from kbio_analysis import data

CLAIMS = {
    "biopharma_exports_2024": (5800, "US$ million"),
    "biopharma_export_rank_2024": (10, "rank"),
    "biopharma_exports_multiple_2030": (2, "multiple"),
    "biopharma_exports_target_2030": (11600, "US$ million"),
    "biopharma_export_rank_target_2030": (5, "rank"),
    "blockbusters_target_2030": (3, "count"),
    "trial_hub_rank_target_2030": (3, "rank"),
    "world_pharma_market_2024": (1740, "US$ billion"),
    "world_pharma_market_over_semiconductors": (3, "multiple"),
    "world_pharma_growth": (4.7, "per cent a year"),
    "biopharma_market_growth": (11.9, "per cent a year"),
    "biosimilar_review_days_before": (406, "days"),
    "biosimilar_review_days_after": (295, "days"),
    "listing_days_before": (330, "days"),
    "listing_days_after": (150, "days"),
    "southwest_asia_population": (2000, "million people"),
    "southwest_asia_population_share": (25, "per cent"),
    "bangladesh_population": (170, "million people"),
    "bangladesh_garment_rank": (2, "rank"),
    "bangladesh_growth_low": (6, "per cent a year"),
    "bangladesh_growth_high": (7, "per cent a year"),
    "korea_investor_rank_bangladesh": (5, "rank"),
    "korean_firms_bangladesh": (100, "count"),
    "korea_bangladesh_trade_2024": (1980, "US$ million"),
    "bangladesh_partner_rank_2024": (54, "rank"),
    "korea_india_trade_multiple": (2, "multiple"),
    "korea_india_investment_multiple": (4, "multiple"),
    "korea_india_cepa_signed": (2010, "year"),
    "exports_asean_2025_08": (10.9, "US$ billion"),
    "exports_usa_2025_08": (8.7, "US$ billion"),
    "exports_china_2025_08": (11.0, "US$ billion"),
    "asean_above_usa_2025_08": (1, "true or false"),
    "asean_level_with_china_2025_08": (1, "true or false"),
    "korea_rank_asia_economy": (4, "rank"),
    "trade_share_of_gdp": (90, "per cent"),
}


def test_every_claim_is_there_once_and_no_other():
    assert data.load("article_claims")["id"].tolist() == sorted(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS)
def test_claim_is_as_it_was_made(claim):
    row = data.load("article_claims").set_index("id").loc[claim]
    assert (row["value"], row["unit"]) == CLAIMS[claim]


def test_claims_agree_with_the_figures_of_the_other_tables():
    value = data.load("article_claims").set_index("id")["value"]
    assert value["biopharma_exports_2024"] == data.annual("gov_biopharma_headline")["2024"]
    assert value["biopharma_exports_target_2030"] == 2 * value["biopharma_exports_2024"]
    assert value["asean_above_usa_2025_08"] == (value["exports_asean_2025_08"] > value["exports_usa_2025_08"])


def test_testable_is_answered_for_every_kind():
    counts = data.load("article_claims")["testable"].value_counts()
    assert set(counts.index) == {"yes", "partly", "no"}
    assert counts["yes"] > counts["partly"] > counts["no"]
