"""Numbers as words: never more certain, never more precise than the number."""

import pytest

from kbio_analysis.present import text


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.0, "under 1%"), (0.004, "under 1%"), (0.26, "26%"), (0.995, "over 99%"), (1.0, "over 99%"), (0.5, "50%")],
)
def test_a_chance_is_never_rounded_to_certainty(probability: float, words: str) -> None:
    assert text.chance(probability) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.07, 0.57, "7–57%"), (0.261, 0.259, "26%"), (0.0, 0.5, "under 1% to 50%"), (0.3, 1.0, "30% to over 99%")],
)
def test_ranges(low: float, high: float, words: str) -> None:
    assert text.chance_range(low, high) == words


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0.01, "very unlikely"),
        (0.2, "unlikely"),
        (0.4, "less likely than not"),
        (0.5, "about a coin toss"),
        (0.6, "more likely than not"),
        (0.8, "likely"),
        (0.97, "very likely"),
    ],
)
def test_odds_words_are_ordered(probability: float, word: str) -> None:
    assert text.odds_word(probability) == word


def test_money_and_signs() -> None:
    assert text.usd_m(11386.98) == "US$11,387m"
    assert text.usd_m(-213.02) == "−US$213m"
    assert text.usd_bn(11600) == "US$11.6bn"
    assert text.signed_pct(18.33) == "+18.3%"
    assert text.signed_pct(-0.5) == "−0.5%"


def test_lists_counts_and_years() -> None:
    assert text.join([]) == "none"
    assert text.join(["a", "b", "c"]) == "a, b and c"
    assert text.count(1, "year") == "1 year"
    assert text.count(1200, "case") == "1,200 cases"
    assert text.first_year(2030.16) == "2031"
    assert text.first_year(2030.0) == "2030"
    assert text.first_year(float("inf")) == "never"
