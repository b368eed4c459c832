"""Lines: what is asked for is drawn, under its name and colour, and nothing else happens to the data."""

import re
from pathlib import Path

import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present.lines import fan, lines
from kbio_analysis.present.words import usd

SHARED = {"id": "one", "caption": "One chart.", "source": "Somebody"}
TRADE = pd.DataFrame(
    {"year": range(2019, 2026), "exports": [5.0, 6, 7, 8, 9, 11, 12], "imports": [3.0, 3, 4, 4, 5, 5, 6]}
)
FAN = pd.DataFrame(
    {
        "year": [2024, 2025, 2026, 2027],
        "record": [10.0, 11.0, None, None],
        "median": [None, None, 12.0, 13.0],
        "lo_80": [None, None, 10.0, 9.0],
        "hi_80": [None, None, 14.0, 17.0],
        "first": [10.0, 11, 12, 13],
        "second": [10.0, 10, 10, 10],
        "third": [10.0, 12, 14, 16],
    }
)


def test_data_are_the_frame_and_a_scale_leaves_them_alone(payloads: list[dict]) -> None:
    chart = lines(TRADE, ["exports", "imports"], x="year", scale=1 / 1000, **SHARED)
    assert payloads[0]["csv"] == TRADE.to_csv(index=False, lineterminator="\n")
    assert chart.frame.equals(TRADE)
    assert payloads[0]["csv_name"] == "one.csv"


def test_data_begin_with_a_named_index_and_may_be_some_columns_or_another_frame(payloads: list[dict]) -> None:
    lines(TRADE, ["exports"], x="year", data=["year", "exports"], **SHARED)
    lines(TRADE, ["exports"], x="year", data=TRADE.head(1), **SHARED)
    lines(TRADE.set_index("year"), ["exports"], **SHARED)
    heads, sizes = zip(*((p["csv"].splitlines()[0], p["csv"].count("\n")) for p in payloads), strict=True)
    assert heads == ("year,exports", "year,exports,imports", "year,exports,imports")
    assert sizes == (8, 2, 8)


def test_a_title_a_colour_and_a_series_more_show_in_the_drawing(payloads: list[dict]) -> None:
    base = lines(TRADE, {"Exports": "exports"}, x="year", **SHARED).drawing
    titled = lines(TRADE, {"Exports": "exports"}, x="year", title="US$ billion", **SHARED).drawing
    coloured = lines(TRADE, {"Exports": "exports"}, x="year", colours={"Exports": "#123456"}, **SHARED).drawing
    more = lines(TRADE, {"Exports": "exports", "Imports": "imports"}, x="year", **SHARED).drawing
    assert len({base, titled, coloured, more}) == 4
    assert "#123456" in coloured
    assert "var(--chart-2, #b45309)" in more
    assert "var(--chart-2" not in base


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"y": ["export"]}, "no 'export'; did you mean exports"),
        ({"y": ["exports"], "x": "yaer"}, "did you mean year"),
        ({"y": ["exports"], "colour": {}}, "no keyword 'colour'; did you mean colours"),
        ({"y": ["exports"], "colours": {"export": "red"}}, "did you mean exports"),
        ({"y": ["exports"], "colours": {"exports": "blu"}}, "did you mean blue"),
        ({"y": {"A": ("exports", {"widht": 2})}}, "did you mean width"),
        ({"y": {"A": ("exports", {"style": "dash"})}}, "did you mean dashed"),
        ({"y": ["exports"], "bands": [("lo", "imports", "80%")]}, "the frame has no 'lo'"),
        ({"y": ["exports"], "styles": {"export": {"width": 2}}}, "styles: nothing is called 'export'"),
        ({"y": ["exports"], "data": ["yeer"]}, "did you mean year"),
        ({"y": ["exports"], "labels": "ends"}, "labels"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest_name(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        lines(TRADE, **{"x": "year"} | options, **SHARED)


def test_a_plain_numbered_index_is_not_taken_for_years() -> None:
    with pytest.raises(UsageError, match="say which column is x"):
        lines(TRADE, ["exports"], **SHARED)


@pytest.mark.parametrize("frame", [None, pd.DataFrame(), TRADE.head(0), TRADE.assign(exports=float("nan"))])
def test_without_a_value_nothing_is_shown(frame: pd.DataFrame | None, payloads: list[dict]) -> None:
    chart = lines(frame, ["exports"], x="year", **SHARED)
    assert not chart.drawn
    assert payloads == []
    assert "nothing to draw" in repr(chart)


def test_ten_lines_are_ten_lines_each_told_from_the_others(payloads: list[dict]) -> None:
    many = TRADE.assign(**{f"s{i}": TRADE.exports + i for i in range(10)})
    drawing = lines(many, [f"s{i}" for i in range(10)], x="year", **SHARED).drawing
    assert drawing.count('clip-path="url(#one-') >= 10
    assert "stroke-dasharray" in drawing


def test_a_missing_year_is_a_gap(payloads: list[dict]) -> None:
    line = re.compile(r'<path d="(M [^"]*)" clip-path')
    gap, broken, whole = (
        max(path.count("M ") for path in line.findall(lines(frame, ["exports"], x="year", **more, **SHARED).drawing))
        for frame, more in ((TRADE[TRADE.year != 2022], {}), (TRADE, {"breaks": [2021.5]}), (TRADE, {}))
    )
    assert (gap, broken, whole) == (2, 2, 1)


def test_fan_draws_every_path_it_is_given(payloads: list[dict]) -> None:
    how = {"x": "year", "levels": [80], "target": (2027, 20.0)}
    two = fan(FAN, paths=["first", "second"], **how, **SHARED)
    three = fan(FAN, paths=["first", "second", "third"], **how, **SHARED)
    assert three.drawing != two.drawing
    assert "third 10 in 2024, 16 in 2027" in three.alt
    assert "Target 20 in 2027" in three.alt
    with pytest.raises(UsageError, match="no 'lo_95'"):
        fan(FAN, x="year", **SHARED)


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
    chart = lines(TRADE.assign(at=x), {"Exports": "exports"}, x="at", stars={"Aim": (x[-1], 13)}, **SHARED)
    assert "Exports 5 in" in chart.alt
    assert "Aim 13 in" in chart.alt


def test_the_alt_text_says_first_and_last_with_units_and_ends(payloads: list[dict]) -> None:
    chart = lines(TRADE, {"Exports": "exports"}, x="year", alt_format=usd, scale=1 / 1000, **SHARED)
    assert chart.alt == "Lines: Exports US$5.0m in 2019, US$12m in 2025."
    long = lines(TRADE, {f"A line of many words, number {i}": "exports" for i in range(30)}, x="year", **SHARED)
    assert len(long.alt.split()) <= 62
    assert "more" in long.alt
    assert lines(TRADE, ["exports"], x="year", alt="My own.", **SHARED).alt == "My own."


def test_files_for_slides_have_real_colours(tmp_path: Path, payloads: list[dict]) -> None:
    chart = lines(TRADE, ["exports"], x="year", **SHARED)
    chart.svg(tmp_path / "one.svg")
    chart.png(tmp_path / "one.png")
    written = (tmp_path / "one.svg").read_text()
    assert "var(" not in written
    assert "#0b5394" in written
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_an_axis_of_mixed_kinds_is_refused() -> None:
    mixed = pd.DataFrame({"at": [pd.Period("2020", "Y"), 2021], "v": range(2)})
    with pytest.raises(UsageError, match="mixes Period and int"):
        lines(mixed, ["v"], x="at", **SHARED)


def test_a_log_axis_leaves_out_what_is_not_above_zero(payloads: list[dict]) -> None:
    some = TRADE.assign(exports=[0.0, -1, 7, 8, 9, 11, 12])
    assert lines(some, ["exports"], x="year", log=True, **SHARED).alt == "Lines: exports 7 in 2021, 12 in 2025."
    assert not lines(some.assign(exports=0.0), ["exports"], x="year", log=True, **SHARED).drawn


def test_a_band_of_a_long_frame_is_that_of_its_rows(payloads: list[dict]) -> None:
    long = pd.DataFrame({"year": [2020, 2021] * 2, "who": list("aabb"), "v": [1.0, 2, 3, 4]})
    chart = lines(
        long.assign(low=[0.5, 1, None, None]), "v", x="year", by="who", bands=[("low", "v", "range")], **SHARED
    )
    assert "range at the end 1 to 2" in chart.alt
    assert chart.drawing.count("FillBetweenPolyCollection_1") == 1
