"""Numbers as words: never more certain, never more precise than the number, and each in one form."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.present import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (11600, "US$11.6bn"), (999.7, "US$1.0bn"), (413.4, "US$413m"), (12.34, "US$12m"), (1.94, "US$1.9m"),
        (0.35, "US$0.35m"), (0, "US$0"), (-1234, "−US$1.2bn"), (-0.004, "−US$4,000"), (1_740_000, "US$1,740.0bn"),
    ],
)  # fmt: skip
def test_money_in_one_form(value: float, text: str) -> None:
    assert words.usd(value) == text


def test_money_in_a_chosen_unit() -> None:
    assert words.usd(11600, unit="m") == "US$11,600m"
    assert words.usd(413, unit="bn", decimals=2) == "US$0.41bn"
    assert words.usd(-0.3, unit="m", decimals=0) == "US$0m"
    assert (words.usd(413, signed=True), words.usd(-413, signed=True)) == ("+US$413m", "−US$413m")
    assert (words.usd(413, 2), words.usd(11_234, 2), words.usd(-1_260, 2)) == ("US$410m", "US$11bn", "−US$1.3bn")


@pytest.mark.parametrize(
    ("value", "unit", "step", "text"),
    [
        (10.88, "US$ billion", 0.1, "US$10.88bn"), (5510.0, "US$ million", 100, "US$5,510m"), (21.0, "rank", 1, "21st"),
        (2.0303, "multiple", 1, "2.03 times"), (171.47, "million people", 10, "171m people"), (2009, "year", 1, "2009"),
        (4.6696, "per cent a year", 0.1, "4.67% a year"), (1.2477, "true or false", 1, "a ratio of 1.25"),
        (150.0, "count", 100, "150"),
    ],
)  # fmt: skip
def test_a_quantity_is_one_digit_finer_than_its_step(value: float, unit: str, step: float, text: str) -> None:
    assert words.quantity(value, unit, step) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0, "under 1%"), (0.004, "under 1%"), (0.26, "26%"), (0.995, "over 99%"), (1.0, "over 99%"), (0.5, "50%")],
)
def test_a_chance_is_never_rounded_to_certainty(probability: float, text: str) -> None:
    assert words.chance(probability) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.07, 0.57, "7–57%"), (0.261, 0.259, "26%"), (0.0, 0.5, "under 1% to 50%"), (0.3, 1.0, "30% to over 99%")],
)
def test_ranges_of_chances(low: float, high: float, text: str) -> None:
    assert words.chance_range(low, high) == text


def test_odds_words_rise_with_the_odds() -> None:
    read = [words.odds_word(p) for p in np.linspace(0, 1, 201)]
    order = list(dict.fromkeys(read))
    assert order == ["very unlikely", "unlikely", "less likely than not", "about even", "more likely than not",
                     "likely", "very likely"]  # fmt: skip
    assert words.odds_word(0.5) == "about even"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (words.pct(-3.04), "−3.0%"), (words.pct(-0.01), "0.0%"), (words.signed_pct(18.33), "+18.3%"),
        (words.signed_pct(0.02), "0.0%"), (words.change(np.log(1.39)), "+39%"), (words.log_points(-0.231), "−0.23"),
        (words.points(1, 0), "1 point"), (words.points(4.21), "4.2 points"), (words.times(2.03), "2.0 times"),
        (words.number(-1234.5, 1), "−1,234.5"), (words.sig(1234), "1,200"), (words.sig(0.0346), "0.035"),
        (words.plain(11.9), "11.9"), (words.p_value(0.514), "0.51"), (words.p_value(0.029), "0.029"),
        (words.p_value(0.0002), "under 0.001"), (words.span(-2, 27, words.signed_pct), "−2.0% to +27.0%"),
        (words.span(1.01, 1.02, words.pct), "1.0%"),
    ],
)  # fmt: skip
def test_numbers(text: str, expected: str) -> None:
    assert text == expected


def test_counts_places_and_lists() -> None:
    assert (words.count(1, "case"), words.count(1200, "case")) == ("1 case", "1,200 cases")
    assert words.count(2, "country", "countries") == "2 countries"
    said = [words.ordinal(n) for n in (1, 2, 3, 11, 12, 21, 113)]
    assert said == ["1st", "2nd", "3rd", "11th", "12th", "21st", "113th"]
    assert (words.ordinal(5, words=True), words.ordinal(11, words=True)) == ("fifth", "11th")
    assert (words.spelled(3), words.spelled(11), words.spelled(0)) == ("three", "11", "0")
    assert words.listed([]) == "none"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed([0.5, 0.25], words.chance) == "50% and 25%"
    assert words.pick(-1, "down", "level", "up") == "down"
    assert words.pick(0.4, "down", "level", "up", within=0.5) == "level"
    assert (words.possessive("India"), words.possessive("the Philippines")) == ("India's", "the Philippines'")


def test_days_months_and_years() -> None:
    assert words.day("2026-08-31") == words.day(date(2026, 8, 31)) == "31 August 2026"
    assert words.month("2026-07") == words.month(pd.Period("2026-07", "M")) == "July 2026"
    assert [words.crossing_year(y) for y in (2030.16, 2030.0, float("inf"))] == ["2031", "2030", "never"]


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NA, pd.NaT])
def test_what_is_not_there_reads_as_a_dash(gap: object) -> None:
    assert words.formatted(gap, words.pct) == words.MISSING


def test_a_cell_takes_a_word_or_a_specification() -> None:
    assert words.formatted(-1234.5, ",.0f") == "−1,234"
    assert words.formatted("-x", None) == "-x"
