"""Sentences about the target stay true at both ends of every number they hold."""

from datetime import date

import pandas as pd
import pytest

from kbio_analysis.models.export_evidence import prior_odds
from kbio_analysis.models.export_target import odds, position
from kbio_analysis.present import exports

AS_OF = date(2026, 8, 31)


def panel(rates_pct: list[float]) -> pd.DataFrame:
    index = pd.period_range("2010", periods=15, freq="Y-DEC")
    return pd.DataFrame(
        {f"m{i}": [100 * (1 + r / 100) ** t for t in range(15)] for i, r in enumerate(rates_pct)}, index=index
    )


def found(rates_pct: list[float], *, later: float | None = None, target_year: int = 2030, multiple: float = 2.0):
    years = {2024: 100.0} | ({2025: later} if later else {})
    y = pd.Series(list(years.values()), index=pd.PeriodIndex([str(t) for t in years], freq="Y-DEC"))
    start = position(y, base_year=2024, base_usd_m=5800.0, until=target_year)
    goal = {"target_multiple": multiple, "target_year": target_year, "segment_growth_pct": 11.9, "levels": (80, 95)}
    return odds(start, {"a": panel(rates_pct), "b": panel(rates_pct[::-1])}, **goal)


LOW, HIGH = [0.0] * 30, [25.0] * 30


@pytest.mark.parametrize(("rates", "word"), [(LOW, "very unlikely"), (HIGH, "very likely")])
def test_the_answer_follows_the_odds(rates: list[float], word: str) -> None:
    text = exports.answer_sentence(found(rates), as_of=AS_OF, segment_pct=11.9)
    assert f"it is {word} that" in text
    assert "US$11,600m by 2030" in text


def test_the_answer_says_when_the_classes_disagree() -> None:
    mixed = found(LOW)
    split = mixed.by_class.assign(p_target=[0.05, 0.75])
    text = exports.answer_sentence(
        type(mixed)(**{f: getattr(mixed, f) for f in mixed.__slots__} | {"by_class": split, "p_target": 0.4}),
        as_of=AS_OF,
        segment_pct=11.9,
    )
    assert "leans against, but does not settle" in text


@pytest.mark.parametrize(("multiple", "words"), [(1.4, "has reached"), (1.6, "has not reached")])
def test_a_target_year_already_observed_is_a_fact(multiple: float, words: str) -> None:
    text = exports.answer_sentence(
        found(LOW, later=150.0, target_year=2025, multiple=multiple), as_of=AS_OF, segment_pct=11.9
    )
    assert words in text
    assert "chance" not in text


@pytest.mark.parametrize(
    ("later", "words"),
    [(118.0, "ahead of the segment's"), (105.0, "behind the segment's"), (111.9, "level with the segment's")],
)
def test_the_pace_is_compared_with_the_segment(later: float, words: str) -> None:
    assert words in exports.pace_sentence(found(LOW, later=later), segment_pct=11.9)


@pytest.mark.parametrize(
    ("end", "words"), [(11386.98, "US$213m short of it"), (12000.0, "US$400m above it"), (11600.2, "just the target")]
)
def test_the_segment_path_is_above_below_or_on_the_target(end: float, words: str) -> None:
    terms = {"required_pct": 12.246, "segment_pct": 11.9, "market_end": 7640.0}
    assert words in exports.arithmetic_sentence(found(LOW), **terms, segment_end=end)


@pytest.mark.parametrize(
    ("required", "words"), [(15.0, "gaining 2.8%"), (5.0, "losing 6.2%"), (11.9, "holding its share")]
)
def test_share_of_the_segment(required: float, words: str) -> None:
    assert words in exports.share_sentence(required, segment_pct=11.9, market_pct=4.7)


@pytest.mark.parametrize(
    ("value", "words"), [(5510.0, "5.0% below it"), (6100.0, "5.2% above it"), (5805.0, "equals the base")]
)
def test_nearest_definition(value: float, words: str) -> None:
    frame = pd.DataFrame({"label": ["K", "M"], "year": [2024, 2024], "exports_usd_m": [value, 3000.0]})
    text = exports.definitions_sentence(frame, base_year=2024, base_usd_m=5800.0, as_of=AS_OF)
    assert words in text
    assert "stands alone" in exports.definitions_sentence(frame, base_year=2010, base_usd_m=5800.0, as_of=AS_OF)


def test_doubling_year_reads_never_when_most_never_double() -> None:
    assert "never double" in exports.doubling_sentence(found([-5.0] * 30))
    assert "is 2031 in the median" in exports.doubling_sentence(found([11.9] * 30))
    assert "2028" in exports.doubling_sentence(found(HIGH))


def test_latest_years_raise_lower_or_leave_the_odds() -> None:
    rates = [float(r) for r in range(-5, 25)]
    for later, words in ((140.0, "raised"), (80.0, "lowered")):
        assert words in exports.latest_year_sentence(found(rates), found(rates, later=later))
    assert "nothing observed" in exports.latest_year_sentence(found(rates), found(rates))


def test_vintages_read_up_down_or_little_changed() -> None:
    days = [date(2024, 12, 31), AS_OF]
    assert "up 10 points" in exports.vintage_sentence(dict(zip(days, (0.2, 0.3), strict=True)))
    assert "down 10 points" in exports.vintage_sentence(dict(zip(days, (0.3, 0.2), strict=True)))
    assert "little changed" in exports.vintage_sentence(dict(zip(days, (0.3, 0.305), strict=True)))
    assert exports.vintage_sentence({AS_OF: 0.3}) == "The pooled chance is 30% on 31 August 2026."


def test_the_outside_rate_reads_below_above_or_both_sides_of_one_half() -> None:
    start = found(LOW).position
    peers = panel([float(r) for r in range(5, 20)])
    peers.iloc[1::2] *= 1.1  # some year-to-year movement, so that the members' means have errors
    kw = {"errors_points": [1.0, 3.0], "target_usd_m": 11600.0, "target_year": 2030}
    for rate, words in ((2.0, "below one half"), (25.0, "above one half")):
        prior = prior_odds(start, peers, growth_pct=rate, **kw)
        assert words in exports.prior_sentence(prior, prior, growth_pct=rate, base_year=2024)
    mixed = prior.assign(probability=[0.4, 0.6])
    assert "both sides" in exports.prior_sentence(mixed, prior, growth_pct=11.9, base_year=2024)


def test_backtest_names_the_best_and_is_fair_to_the_naive() -> None:
    for own, verdict in ((0.7, "beats"), (0.9, "does not beat"), (0.8, "equals")):
        scores = pd.Series({"random_walk": 1.0, "seasonal_naive": 0.8, "combination": own, "theta": 0.75})
        assert f"{verdict} the better naive" in exports.backtest_sentence(scores, label="A series")
    assert "too short" in exports.backtest_sentence(None, label="A series")
