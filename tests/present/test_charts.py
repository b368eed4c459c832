"""The kinds of charts: what is asked for is drawn, under its name and colour, and the data stay the frame's."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present.bars import bars, tornado
from kbio_analysis.present.intervals import intervals
from kbio_analysis.present.lines import fan, lines, multiples
from kbio_analysis.present.maps import without_outline, world_map
from kbio_analysis.present.words import chance, plain, usd

SHARED = {"id": "one", "caption": "One chart.", "source": "Somebody"}
TRADE = pd.DataFrame(
    {"year": range(2019, 2026), "exports": [5.0, 6, 7, 8, 9, 11, 12], "imports": [3.0, 3, 4, 4, 5, 5, 6]}
)
FAN = TRADE.tail(4).assign(median=[None, None, 12, 13], lo_80=[None, None, 10, 9], hi_80=[None, None, 14, 17])
GROWTH = pd.DataFrame(
    {"where": ["North", "South", "East"], "up": [3.0, -2, 1], "pace": [1.0, 1, 2], "old": [True, False, True]}
)
INPUTS = pd.DataFrame(
    {"input": ["rate", "years"], "low": [1.0, 5], "high": [9.0, 6], "from": [2, 10], "to": ["3%", "many"]}
)
ODDS = pd.DataFrame(
    [("First", "class", 0.3, 0.1, 0.5), ("Second", "class", 0.4, 0.3, 0.5), ("Pool", "pool", 0.35, None, None)],
    columns=["method", "role", "p", "low", "high"],
)
SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], dtype=float)
OUTLINES = {"AAA": [SQUARE], "BBB": [SQUARE + 20], "CCC": [SQUARE - 30], "SPECK": [SQUARE / 100]}
FOUND = pd.DataFrame({"iso3": ["AAA", "BBB", "SPECK"], "name": ["A", "B", "Speck"], "ratio": [0.5, 2.0, 5.0]})
CLASSES = [(0, "below", "amber", 0.5), (1, "above", "#123456", 0.9)]
PANELS = pd.DataFrame({"year": [2020, 2021] * 3, "v": range(6), "w": range(6), "place": list("aabbcc")})
# Kind -> its frame and what it needs at least.
KINDS = {
    lines: (TRADE, {"y": ["exports"], "x": "year"}),
    fan: (FAN, {"x": "year", "levels": [80], "record": "exports"}),
    bars: (GROWTH, {"label": "where", "value": "up"}),
    tornado: (INPUTS, {"label": "input", "low": "low", "high": "high"}),
    intervals: (ODDS, {"label": "method", "point": "p"}),
    world_map: (FOUND, {"outlines": OUTLINES, "value": "ratio", "classes": CLASSES, "name": "name"}),
    multiples: (PANELS, {"y": ["v"], "x": "year", "panels": "place"}),
}


def drawn(kind, **options):
    """The chart of a kind, with its own frame unless another is given."""
    frame, needed = KINDS[kind]
    return kind(options.pop("frame", frame), **needed | options, **SHARED)


WISHES = {
    lines: [
        {"title": "US$ billion"}, {"colours": {"exports": "#123456"}}, {"y": ["exports", "imports"]},
    ],
    fan: [{"paths": ["imports"]}, {"paths": ["imports", "exports"]}, {"target": (2025, 20.0)}],
    bars: [
        {"colours": {"South": "#123456"}}, {"title": "Points"}, {"by": "old"}, {"points": {"North": [1, 2]}},
        {"values": "+.1f"}, {"upright": True}, {"scale": 10}, {"x_range": (-5, 5)}, {"x_ticks": [0, 1]},
        {"value": {"A": "up", "B": "pace"}}, {"value": {"A": "up", "B": "pace"}, "stacked": True},
        {"value": {"A": "up", "B": "pace"}, "stacked": True, "upright": True, "values": True},
    ],
    tornado: [{"ends": ("from", "to", plain)}, {"by": "input"}, {"centre": 4}],
    intervals: [
        {"low": "low", "high": "high"}, {"by": "role", "colours": {"pool": "#123456"}}, {"title": "Chance"},
        {"by": "role", "markers": {"pool": "D"}}, {"verticals": {0.5: ""}}, {"hollow": {"Pool": [0.2, 0.6]}},
        {"values": chance}, {"stems": True}, {"bars": [("low", "high", "range")]},
        {"summary": {"All": (0.3, 0.2, 0.4)}}, {"x_range": (0, 1)}, {"scale": 100}, {"by": "role", "legend": False},
    ],
    world_map: [{"home": {"CCC": "Home"}}],
    multiples: [{"y": ["v", "w"]}, {"columns": 3}],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_wish_shows_the_data_are_the_frame_and_without_a_value_nothing_is_drawn(
    kind, payloads: list[dict]
) -> None:
    frame, _ = KINDS[kind]
    drawings = [drawn(kind, **wish).drawing for wish in ({}, *WISHES[kind])]
    assert len(set(drawings)) == len(drawings)
    for wish, drawing in zip(WISHES[kind], drawings[1:], strict=True):
        assert "#123456" in drawing or "#123456" not in str(wish)
    assert {p["csv"] for p in payloads} == {frame.to_csv(index=False, lineterminator="\n")}
    payloads.clear()
    for empty in (None, frame.head(0)):
        chart = drawn(kind, frame=empty)
        assert not chart.drawn
        assert "nothing to draw" in repr(chart)
    assert payloads == []


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        (lines, {"y": ["export"]}, "no 'export'; did you mean exports"),
        (lines, {"x": "yaer"}, "did you mean year"),
        (lines, {"colour": {}}, "no keyword 'colour'; did you mean colours"),
        (lines, {"colours": {"export": "red"}}, "did you mean exports"),
        (lines, {"colours": {"exports": "blu"}}, "did you mean blue"),
        (lines, {"y": {"A": ("exports", {"widht": 2})}}, "did you mean width"),
        (lines, {"y": {"A": ("exports", {"style": "dash"})}}, "did you mean dashed"),
        (lines, {"bands": [("lo", "imports", "80%")]}, "the frame has no 'lo'"),
        (lines, {"styles": {"export": {"width": 2}}}, "styles: nothing is called 'export'"),
        (lines, {"data": ["yeer"]}, "did you mean year"),
        (lines, {"labels": "ends"}, "labels"),
        (lines, {"x": None}, "say which column is x"),
        (fan, {"levels": [95]}, "no 'lo_95'"),
        (bars, {"label": "were"}, "did you mean where"),
        (bars, {"value": {"A": "down"}}, "the frame has no 'down'"),
        (bars, {"points": {"Nord": [1]}}, "did you mean North"),
        (bars, {"valeus": True}, "did you mean values"),
        (tornado, {"ends": ("form", "to")}, "did you mean from"),
        (intervals, {"label": "methods"}, "did you mean method"),
        (intervals, {"low": "lo", "high": "high"}, "did you mean low"),
        (intervals, {"by": "roles"}, "did you mean role"),
        (intervals, {"by": "role", "colours": {"pol": "red"}}, "did you mean pool"),
        (intervals, {"markers": {"pool": "?"}}, "markers: there is no"),
        (intervals, {"bars": [("low", "high", "", {"color": "red"})]}, "did you mean colour"),
        (world_map, {"value": "ratios"}, "did you mean ratio"),
        (multiples, {"panels": "palce"}, "did you mean place"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest_name(kind, options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        drawn(kind, **options)


USD = {"alt_format": usd, "scale": 1 / 1000}
PAIR = {"point": {"A": "p", "B": "high"}, "x_format": usd}
ZEROS = TRADE.assign(exports=[0.0, -1, 7, 8, 9, 11, 12])
FLOWS = pd.DataFrame({"method": ["out", "out", "in"], "p": [1.0, -2.0, 9.0], "who": ["a", "b", "a"]})


@pytest.mark.parametrize(
    ("kind", "options", "alt"),
    [
        (lines, {"y": {"Exports": "exports"}} | USD, "Lines: Exports US$5.0m in 2019, US$12m in 2025."),
        (lines, {"alt": "My own."}, "My own."),
        (lines, {"frame": ZEROS, "log": True}, "Lines: exports 7 in 2021, 12 in 2025."),
        (bars, {}, "Bars: North 3; South −2; East 1."),
        (tornado, {"x_format": usd}, "Bars, the widest first: rate US$1.0m to US$9.0m; years US$5.0m to US$6.0m."),
        (intervals, {"frame": FLOWS, "by": "who"}, "Points: out, a 1; out, b −2; in, a 9."),
        (intervals, {"frame": ODDS.head(1)} | PAIR, "Points: First A US$0.30m, B US$0.50m."),
        (world_map, {}, "World map: below 1 place; above 2 places; lowest A, B and Speck;"),
        (fan, {"paths": ["imports"], "target": (2025, 20.0)}, "Target 20 in 2025"),
        (multiples, {}, "3 panels of lines: a: v 0 in 2020, 1 in 2021; b:"),
    ],
)
def test_the_words_say_what_is_drawn_in_its_unit(kind, options: dict, alt: str, payloads: list[dict]) -> None:
    assert alt in drawn(kind, **options).alt


def test_the_words_of_much_name_its_ends(payloads: list[dict]) -> None:
    many = pd.DataFrame({"method": [f"A rather long name number {i}" for i in range(40)], "p": range(40)})
    rows = drawn(intervals, frame=many).alt
    assert rows.startswith("Points, 40 values in 40 rows: lowest A rather long name number 0 0;")
    long = drawn(lines, y={f"A line of many words, number {i}": "exports" for i in range(30)}).alt
    assert "more" in long
    assert max(len(rows.split()), len(long.split())) <= 62


def test_data_begin_with_a_named_index_and_may_be_some_columns_or_another_frame(payloads: list[dict]) -> None:
    assert drawn(lines, data=["year", "exports"], scale=1 / 1000).frame.equals(TRADE[["year", "exports"]])
    drawn(lines, data=TRADE.head(1))
    drawn(lines, frame=TRADE.set_index("year"), x=None)
    heads, sizes = zip(*((p["csv"].splitlines()[0], p["csv"].count("\n")) for p in payloads), strict=True)
    assert heads == ("year,exports", "year,exports,imports", "year,exports,imports")
    assert sizes == (8, 2, 8)


def test_ten_lines_are_ten_lines_each_told_from_the_others(payloads: list[dict]) -> None:
    many = TRADE.assign(**{f"s{i}": TRADE.exports + i for i in range(10)})
    drawing = drawn(lines, frame=many, y=[f"s{i}" for i in range(10)]).drawing
    assert drawing.count('clip-path="url(#') >= 10
    assert "stroke-dasharray" in drawing


def test_a_missing_year_is_a_gap(payloads: list[dict]) -> None:
    line = re.compile(r'<path d="(M[^"]*)" clip-path[^>]*stroke: #0b5394')
    third = {"frame": TRADE[TRADE.year % 3 == 0]}  # nothing is missing from every third year
    wishes = ({"frame": TRADE[TRADE.year != 2022]}, {"breaks": [2021.5]}, third, {})
    found = [max(path.count("M") for path in line.findall(drawn(lines, **wish).drawing)) for wish in wishes]
    assert found == [2, 2, 1, 1]


@pytest.mark.parametrize(
    "x",
    [
        pd.period_range("2020-11", periods=7, freq="M"),
        [f"2025-0{i}" for i in range(1, 8)],
        pd.period_range("2019", periods=7, freq="Y"),
        pd.date_range("2020-01-15", periods=7, freq="MS"),
        list("abcdefg"),
        [0.5, 1, 2, 4, 8, 16, 32],
    ],
)
def test_years_months_dates_numbers_and_names_are_axes(x: object, payloads: list[dict]) -> None:
    chart = drawn(lines, frame=TRADE.assign(at=x), x="at", stars={"Aim": (x[-1], 13)})
    assert "exports 5 in" in chart.alt
    assert "Aim 13 in" in chart.alt
    with pytest.raises(UsageError, match="mixes Period and int"):
        drawn(lines, frame=TRADE.tail(2).assign(at=[pd.Period("2020", "Y"), 2021]), x="at")


def test_files_for_slides_are_the_drawing(tmp_path: Path, payloads: list[dict]) -> None:
    chart = drawn(lines)
    chart.svg(tmp_path / "one.svg")
    chart.png(tmp_path / "one.png")
    assert "#0b5394" in (tmp_path / "one.svg").read_text()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_a_band_of_a_long_frame_is_that_of_its_rows(payloads: list[dict]) -> None:
    long = pd.DataFrame(
        {"year": [2020, 2021] * 2, "who": list("aabb"), "v": [1.0, 2, 3, 4], "low": [0.5, 1, None, None]}
    )
    chart = drawn(lines, frame=long, y="v", by="who", bands=[("low", "v", "range")])
    assert "range at the end 1 to 2" in chart.alt
    assert chart.drawing.count("fill: #0b5394; opacity") == 1
    both = [("v", "v", f"{who}, range", {"of": who}) for who in "ab"]
    chart = drawn(lines, frame=long, y="v", by="who", bands=both)
    assert "a, range at the end 2 to 2; b, range at the end 4 to 4" in chart.alt
    chart = drawn(lines, frame=TRADE.assign(low=TRADE.year - 2020), bands=[("low", "exports", "range")], log=True)
    assert "range at the end 5 to 12" in chart.alt


def test_marks_stand_apart_or_on_one_line_and_each_value_has_a_panel(payloads: list[dict]) -> None:
    flows = partial(drawn, intervals, frame=FLOWS, by="who")
    assert flows().drawing != flows(dodge=False).drawing
    assert drawn(multiples).drawing.count("<clipPath") == 3
    assert without_outline(FOUND.iso3, OUTLINES) == ["SPECK"]
