"""Sentences of the export record stay true at both ends of every number they hold."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models.export_record import (
    both_years,
    classification_break,
    full_years,
    matching_sums,
    nearness,
    year_to_date,
)
from kbio_analysis.models.revisions import Revisions, compare, pending_months
from kbio_analysis.models.season import decompose, strengths
from kbio_analysis.present import export_record as told
from kbio_analysis.present import figures
from kbio_analysis.present.figures import export_record as charts_module

AS_OF = date(2026, 8, 31)


def counts(rows: list[tuple[str, str, int, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["definition", "family", "year", "exports_usd_m"])
    return frame.assign(label=frame.definition.str.title(), scope="what it counts", source_id="S")


def near(rows: list[tuple[str, str, float]], value: float = 5800.0) -> pd.DataFrame:
    return nearness(counts([(d, f, 2024, v) for d, f, v in rows]), year=2024, value_usd_m=value)


def moves(ratios: list[float], *, count: str = "a", waiting: int = 2) -> Revisions:
    months = pd.period_range("2025-01", periods=len(ratios) + waiting, freq="M")
    rows = pd.DataFrame({"count": count, "label": count.upper(), "first_month": months, "last_month": months})
    rows = rows.assign(exports_usd_m=100.0, available_from=[(m + 1).start_time for m in months])
    latest = pd.Series([100 * r for r in ratios], index=months[: len(ratios)], dtype=float)
    return compare(rows, {count: latest}, max_delay_days=60)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no count of biopharmaceutical exports in 2024 was out"),
        ([("x", "pharma", 5800.0)], "no count of biopharmaceutical exports in 2024 was out"),
        ([("x", "biopharma", 5510.0)], "X at US$5,510m, 5.0% below it"),
        ([("x", "biopharma", 5800.0), ("y", "heading", 9.0)], "1 equals the headline"),
        ([("x", "biopharma", 5810.0), ("y", "heading", 5790.0)], "2 equal the headline"),
        ([("x", "biopharma", 7000.0), ("y", "heading", 9.0)], "20.7% above it"),
    ],
)
def test_range_of_the_definitions(rows: list, words: str) -> None:
    text = told.range_sentence(near(rows), year=2024, value_usd_m=5800.0, as_of=AS_OF)
    assert words in text


def test_only_counts_of_biopharmaceuticals_are_held_against_the_headline() -> None:
    rows = [("gov_biopharma_headline", "biopharma", 5800.0), ("d", "devices", 5810.0), ("b", "biopharma", 5000.0)]
    text = told.range_sentence(near(rows), year=2024, value_usd_m=5800.0, as_of=AS_OF)
    assert text.startswith("One count")
    assert "D (US$5,810m)" in told.stranger_sentence(near(rows), value_usd_m=5800.0)
    assert "No count of anything else" in told.stranger_sentence(near(rows[2:]), value_usd_m=5800.0)


@pytest.mark.parametrize(
    ("restated", "words"),
    [(3377.0, "took out US$2,693m (44.4% of the old count), and like for like the year brought +7.5%"),
     (7000.0, "added US$930m (15.3% of the old count), and like for like the year brought −48.1%"),
     (None, "nothing says how much of it is real")],
)  # fmt: skip
def test_break(restated: float | None, words: str) -> None:
    rows = [("old", "biopharma", 2021, 6070.0), ("new", "biopharma", 2022, 3630.0)]
    rows += [] if restated is None else [("mid", "restated", 2021, restated)]
    found = classification_break(counts(rows), old="old", restated="mid", new="new", year=2022)
    text = told.break_sentence(found, what="KHIDI", as_of=AS_OF)
    assert "an apparent −40.2%" in text
    assert words in text
    assert "cannot be measured" in told.break_sentence(None, what="KHIDI", as_of=AS_OF)


@pytest.mark.parametrize(
    ("after", "words"), [((80.0, 120.0), "disagree"), ((80.0, 90.0), "agree on"), ((110.0, 120.0), "agree on")]
)
def test_direction_across_the_break(after: tuple[float, float], words: str) -> None:
    rows = [("a", "pharma", 2021, 100.0), ("b", "pharma", 2021, 100.0)]
    rows += [("a", "pharma", 2022, after[0]), ("b", "pharma", 2022, after[1])]
    assert words in told.both_years_sentence(both_years(counts(rows), year=2022), year=2022)
    assert "No count holds both" in told.both_years_sentence(both_years(counts(rows[:2]), year=2022), year=2022)


@pytest.mark.parametrize(
    ("figure", "words"),
    [(6520.0, "2 equal K"), (2084.0, "1 equals K"), (3000.0, "none equals K")],
)
def test_codes(figure: float, words: str) -> None:
    match = matching_sums(pd.Series({"b": 4.99, "c": 4431.45, "d": 2084.74}), figure, tolerance_usd_m=5.0)
    if words.startswith("1"):
        match = matching_sums(pd.Series({"c": 4431.45, "d": 2084.74}), figure, tolerance_usd_m=5.0)
    text = told.codes_sentence(match, label="K", year=2025, as_of=AS_OF)
    assert words in text
    assert ("cannot tell these sums apart" in text) == words.startswith("2")
    assert ("no more can be said" in text) == (not words.startswith("none"))
    assert "is open" in told.codes_sentence(None, label="K", year=2025, as_of=AS_OF)


@pytest.mark.parametrize(
    ("part", "words"), [(60.0, "neither confirms nor refutes"), (110.0, "refutes that it is a part")]
)
def test_share_of_a_part(part: float, words: str) -> None:
    rows = counts(
        [
            ("p", "code", 2023, 10.0),
            ("w", "biopharma", 2023, 20.0),
            ("p", "code", 2024, part),
            ("w", "biopharma", 2024, 100.0),
        ]
    )
    assert words in told.share_sentence(rows, part="p", whole="w")
    assert "no code is held" in told.share_sentence(rows[:1], part="p", whole="w")


@pytest.mark.parametrize(
    ("ratios", "words"),
    [([], "cannot be said"), ([0.8], "One first count"), ([0.8, 1.0, 1.001], "−20.0% to +0.1% (3 months, 1 of them")],
)
def test_how_far_counts_moved(ratios: list[float], words: str) -> None:
    assert words in told.moved_sentence(moves(ratios), count_key="a", label="A", as_of=AS_OF)


@pytest.mark.parametrize(
    ("ratios", "words"),
    [([], "No first count"), ([0.9, 0.9], "10.0% less"), ([1.2, 1.2], "20.0% more"), ([1.0], "tenth")],
)
def test_which_way_counts_moved(ratios: list[float], words: str) -> None:
    assert words in told.direction_sentence(moves(ratios))


@pytest.mark.parametrize(
    ("level", "n", "words"),
    [(80, 2, "cannot carry an interval for the last months"), (80, 13, "covers at least 86% where 80%"),
     (99, 13, "cannot carry an interval of 99%")],
)  # fmt: skip
def test_pending_months_say_what_few_pairs_can_carry(level: int, n: int, words: str) -> None:
    found = moves(list(np.linspace(0.75, 1.05, n)))
    sentences = told.pending_sentences(pending_months(found, "a", level=level), label="A", n_pairs=n)
    assert words in " ".join(sentences)
    if n > 2:
        assert "2 months have a first count only: the last" in sentences[1]
        assert "US$75m to US$105m" in sentences[1]


def test_no_waiting_month_is_said() -> None:
    found = pending_months(moves([0.9, 1.0, 1.1], waiting=0), "a", level=80)
    assert "No month is waiting" in " ".join(told.pending_sentences(found, label="A", n_pairs=3))


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([0.5, 1.0, 1.01, 0.99], "one month makes much"),
        ([0.9, 0.91, 1.09, 1.1], "does not hang"),
        ([1.0], "none can be left"),
    ],
)
def test_the_largest_move(ratios: list[float], words: str) -> None:
    assert words in told.without_worst_sentence(moves(ratios), count_key="a")


def test_the_same_month_in_other_counts() -> None:
    one = moves([0.7])
    assert "No other count of that month" in told.largest_sentence(one)
    both = pd.concat([one.pairs, moves([1.2], count="b").pairs], ignore_index=True)
    pair = Revisions(pairs=both, by_count=one.by_count, n_late=0, pending=one.pending)
    assert "It moved by −US$30m; in the same month B by +US$20m" in told.largest_sentence(pair)


def monthly(effect: float, n: int = 60) -> pd.Series:
    rng, t = np.random.default_rng(4), np.arange(n)
    logs = 6 + effect * (t % 12 == 5) + rng.normal(0, 0.02, n)
    return pd.Series(np.exp(logs), index=pd.period_range("2020-01", periods=n, freq="M"), name="s")


def test_season_words_follow_the_shuffles() -> None:
    strong = decompose(monthly(0.5), smoother=13, n_shuffles=99, seed=1)
    assert "a season shows" in told.season_sentence(strong, label="S", n_months=60)
    pattern = told.pattern_sentence(strong)
    assert "June stands +" in pattern
    assert "sees a pattern, highest in June" in pattern
    flat = decompose(monthly(0.0), smoother=13, n_shuffles=99, seed=1)
    text = told.season_sentence(flat, label="S", n_months=60)
    assert ("no evidence" in text) == (flat.p_value >= 0.20)
    assert ("a season shows" in text) == (flat.p_value < 0.05)
    assert "too few to say" in told.season_sentence(None, label="S", n_months=6)
    assert "runs from" in told.sensitivity_sentence(strengths(monthly(0.5), (7, 13)))


@pytest.mark.parametrize(
    ("last", "ratios", "words"),
    [(20.0, None, "ahead of a path"), (5.0, None, "behind a path"), (11.0, None, "level with (+0.0%) a path"),
     (20.0, (0.9, 1.1), "it would still be ahead of the path"), (5.0, (0.9, 1.1), "it would still be behind the path"),
     (11.0, (0.9, 1.1), "on either side of the path")],
)  # fmt: skip
def test_year_to_date_words(last: float, ratios: tuple[float, float] | None, words: str) -> None:
    y = pd.Series([10.0] * 12 + [last] * 3, index=pd.period_range("2024-01", periods=15, freq="M"))
    seen = year_to_date(y, base_year=2024, growth_pct=10.0, ratios=ratios)
    text = told.to_date_sentence(seen, label="S", base_year=2024)
    assert words in text
    assert "January to March 2025" in text
    assert "no year to date" in told.to_date_sentence(None, label="S", base_year=2024)


@pytest.mark.parametrize(("last", "words"), [(120.0, "1 ahead"), (110.0, "1 level"), (90.0, "1 behind")])
def test_full_years_are_counted(last: float, words: str) -> None:
    rows = counts([("a", "biopharma", 2024, 100.0), ("a", "biopharma", 2025, last)])
    assert words in told.full_years_sentence(full_years(rows, base_year=2024, growth_pct=10.0), base_year=2024)
    assert "No definition" in told.full_years_sentence(
        full_years(rows[:1], base_year=2024, growth_pct=1), base_year=2024
    )


def test_limits_say_only_what_applies() -> None:
    shown = counts([("a", "biopharma", 2023, 1.0), ("a", "biopharma", 2024, 1.0)])
    kw = {"n_months": 6, "label": "S", "as_of": AS_OF}
    bare = " ".join(told.limit_sentences(shown.iloc[:0], moves([]), None, **kw))
    full = " ".join(
        told.limit_sentences(shown, moves([0.9]), matching_sums(pd.Series({"a": 1.0}), 1.0, tolerance_usd_m=1.0), **kw)
    )
    for phrase in ("Records are short", "inferred from one year's sum", "Revisions rest on 1 pair, 1 of them of 2025"):
        assert phrase in full
        assert phrase not in bare


def test_the_chart_never_joins_two_definitions_nor_missing_years(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    drawn: list = []
    monkeypatch.setattr(charts_module, "chart", lambda draw, **kw: drawn.append((draw, kw)))
    rows = counts([("a", "biopharma", 2021, 6.0), ("b", "biopharma", 2022, 3.0), ("b", "biopharma", 2024, 5.0)])
    options = {"year": 2024, "value_usd_m": 5.8, "break_year": 2022, "source": "S"}
    figures.record_definitions(rows, **options)
    figures.record_definitions(rows.iloc[:0], **options)  # nothing to draw, nothing shown
    ((draw, shown),) = drawn
    ax = Figure().subplots()
    draw(ax, compact=True)
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert list(lines["1  A"]) == [6.0]
    assert np.isnan(lines["2  B"][1])
    assert "A US$0.0bn in 2021" in shown["alt"]
    assert "break of classification in 2022" in shown["caption"]


def test_charts_show_nothing_where_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list = []
    monkeypatch.setattr(charts_module, "chart", lambda *a, **kw: drawn.append(kw))
    empty = monthly(0.0).iloc[:0]
    figures.revision_dots(moves([]), source="S")
    figures.pending_chart(empty, empty, None, label="L", source="S")
    figures.trend_chart(None, label="L", source="S")
    figures.season_chart(None, label="L", source="S")
    figures.to_date_chart({"L": None}, series="L", source="S")
    assert drawn == []
