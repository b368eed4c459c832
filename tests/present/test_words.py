"""Numbers as words: never more certain, never more precise than the number, and each in one form."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.present import words
from kbio_analysis.present.words import chance, chance_range, count, listed, ordinal, pct, pick, quantity, usd


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (usd(11600), "US$11.6bn"), (usd(999.7), "US$1.0bn"), (usd(413.4), "US$413m"), (usd(12.34), "US$12m"),
        (usd(1.94), "US$1.9m"), (usd(0.35), "US$0.35m"), (usd(0), "US$0"), (usd(-1234), "−US$1.2bn"),
        (usd(-0.004), "−US$4,000"), (usd(1_740_000), "US$1,740.0bn"), (usd(11600, unit="m"), "US$11,600m"),
        (usd(413, unit="bn", decimals=2), "US$0.41bn"), (usd(-0.3, unit="m", decimals=0), "US$0m"),
        (usd(413, signed=True), "+US$413m"), (usd(-413, signed=True), "−US$413m"), (usd(413, 2), "US$410m"),
        (usd(11_234, 2), "US$11bn"), (usd(-1_260, 2), "−US$1.3bn"),
        # one digit finer than the step
        (quantity(10.88, "US$ billion", 0.1), "US$10.88bn"), (quantity(5510.0, "US$ million", 100), "US$5,510m"),
        (quantity(21.0, "rank", 1), "21st"), (quantity(2.0303, "multiple", 1), "2.03 times"),
        (quantity(171.47, "million people", 10), "171m people"), (quantity(2009, "year", 1), "2009"),
        (quantity(4.6696, "per cent a year", 0.1), "4.67% a year"), (quantity(150.0, "count", 100), "150"),
        (quantity(1.2477, "true or false", 1), "a ratio of 1.25"),
        # never rounded to certainty
        (chance(0.0), "under 1%"), (chance(0.004), "under 1%"), (chance(0.26), "26%"), (chance(0.995), "over 99%"),
        (chance(1.0), "over 99%"), (chance_range(0.07, 0.57), "7–57%"), (chance_range(0.261, 0.259), "26%"),
        (chance_range(0.0, 0.5), "under 1% to 50%"), (chance_range(0.3, 1.0), "30% to over 99%"),
        (pct(-3.04), "−3.0%"), (pct(-0.01), "0.0%"), (words.signed_pct(18.33), "+18.3%"),
        (words.signed_pct(0.02), "0.0%"), (words.change(np.log(1.39)), "+39%"), (words.log_points(-0.231), "−0.23"),
        (words.points(1, 0), "1 point"), (words.points(4.21), "4.2 points"), (words.times(2.03), "2.0 times"),
        (words.number(-1234.5, 1), "−1,234.5"), (words.sig(1234), "1,200"), (words.sig(0.0346), "0.035"),
        (words.plain(11.9), "11.9"), (words.p_value(0.514), "0.51"), (words.p_value(0.029), "0.029"),
        (words.p_value(0.0002), "under 0.001"), (words.span(-2, 27, words.signed_pct), "−2.0% to +27.0%"),
        (words.span(1.01, 1.02, pct), "1.0%"),
        (count(1, "case"), "1 case"), (count(1200, "case"), "1,200 cases"), (count(2, "a", "as"), "2 as"),
        (" ".join(ordinal(n) for n in (1, 2, 3, 11, 12, 21, 113)), "1st 2nd 3rd 11th 12th 21st 113th"),
        (ordinal(5, words=True), "fifth"), (ordinal(11, words=True), "11th"), (words.spelled(3), "three"),
        (words.spelled(11), "11"), (words.spelled(0), "0"), (listed([]), "none"),
        (listed(["a", "b", "c"]), "a, b and c"),
        (listed([0.5, 0.25], chance), "50% and 25%"), (pick(-1, "down", "level", "up"), "down"),
        (pick(0.4, "down", "level", "up", within=0.5), "level"), (words.possessive("India"), "India's"),
        (words.possessive("the Philippines"), "the Philippines'"), (words.day("2026-08-31"), "31 August 2026"),
        (words.day(date(2026, 8, 31)), "31 August 2026"), (words.month("2026-07"), "July 2026"),
        (words.month(pd.Period("2026-07", "M")), "July 2026"), (words.crossing_year(2030.16), "2031"),
        (words.crossing_year(2030.0), "2030"), (words.crossing_year(float("inf")), "never"),
        *((words.formatted(gap, pct), words.MISSING) for gap in (None, float("nan"), pd.NA, pd.NaT)),
        (words.formatted(-1234.5, ",.0f"), "−1,234"), (words.formatted("-x", None), "-x"),
    ],
)  # fmt: skip
def test_each_word_has_one_form(text: str, expected: str) -> None:
    assert text == expected


def test_odds_words_rise_with_the_odds() -> None:
    read = [words.odds_word(p) for p in np.linspace(0, 1, 201)]
    order = list(dict.fromkeys(read))
    assert order == ["very unlikely", "unlikely", "less likely than not", "about even", "more likely than not",
                     "likely", "very likely"]  # fmt: skip
    assert words.odds_word(0.5) == "about even"
