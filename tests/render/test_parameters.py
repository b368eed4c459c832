"""The parameters cell as written, and values taken by their declared type."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from render.fixtures.built import notebook

from kbio_analysis.errors import ParameterError
from kbio_analysis.render import parameters
from kbio_analysis.render.parameters import NotebookSpec, coerce, read, read_source, to_text

EVERYTHING = """
from __future__ import annotations
from datetime import date
from typing import Literal

# What the reader may change.
series: Literal["biopharma", "bio_health"] = "biopharma"  # which definition, of several
base_value_usd_m: float = 5800  # exports in the base year (first count), US$ million [0..]
shift: float = -1.5e-3  # a small shift, log points [-1e-2..1e2]
target_year: int = 2030  # year of the target, calendar year [2025..2050]
as_of: date = "2026-08-31"  # nothing later is used [2024-12-31..]
levels: list[float] = [50, 80.0,
                       95]  # interval levels, % [1..99]
note: str = "a # b = ç"  # holds # and = signs
seed: int | None = None  # seed of the draws
exact: bool = False  # whether to be exact
step: Literal[1, 12] = 12  # months a step
codes: list[str] = []  # codes to leave out
upper: int = 5  # only bounded above, count [..9]
"""


def spec(cell: str = EVERYTHING) -> NotebookSpec:
    return read_source("11_sample", notebook(parameters=cell))


def given_one(line: str, value: object) -> object:
    return coerce(spec(line), {"x": value})["x"]


def test_every_declared_form_is_read_with_meaning_unit_and_bounds() -> None:
    found = {p.name: p for p in spec().parameters}
    assert spec().defaults() == {
        "series": "biopharma",
        "base_value_usd_m": 5800.0,
        "shift": -0.0015,
        "target_year": 2030,
        "as_of": "2026-08-31",
        "levels": [50.0, 80.0, 95.0],
        "note": "a # b = ç",
        "seed": None,
        "exact": False,
        "step": 12,
        "codes": [],
        "upper": 5,
    }
    base = found["base_value_usd_m"]
    assert (base.meaning, base.unit) == ("exports in the base year (first count)", "US$ million")
    assert (found["as_of"].marks, found["as_of"].unit) == (" [2024-12-31..]", None)
    assert (found["note"].meaning, found["levels"].unit) == ("holds # and = signs", "%")
    assert found["series"].meaning == "which definition, of several"
    assert found["series"].type_text == "Literal['biopharma', 'bio_health']"


def test_what_a_notebook_says_of_itself_is_read(tmp_path: Path) -> None:
    own = {"composed_from": ["10_a", "11_b"], "layout": "brief", "lang": "ko-KR", "kernel": "python3"}
    path = tmp_path / "12_top.ipynb"
    path.write_bytes(notebook(prose="# Can it? \n\n> a quote\n\nIt can,\nperhaps.\n\nMore.", own=own))
    found = read(path)
    assert (found.name, found.question) == ("12_top", "Can it?")
    assert {key: getattr(found, key) for key in own} == own
    assert (spec().composed_from, spec().layout, spec().lang, spec().kernel) == ([], None, "en", None)


TAGGED = notebook("1", parameters="x: int = 1  # m").replace(b'"tags": []', b'"tags": ["parameters"]')


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"not json", "not a notebook"),
        (b"[]", "not a notebook"),
        (b'{"cells": [1]}', "not a notebook"),
        (notebook().replace(b'"nbformat": 4', b'"nbformat": 5'), "not a notebook"),
        (TAGGED, "exactly one cell, the first code cell"),
        (notebook(own={"composed_from": "10_a"}), "its metadata: composed_from"),
        (notebook(own={"composed_from": [10]}), "its metadata: composed_from"),
        (notebook(own={"layout": "breif"}), "its metadata: layout"),
        (notebook(own={"lang": 'k"o'}), "its metadata: lang"),
    ],
)
def test_what_is_no_notebook_or_says_what_cannot_be_is_refused(source: bytes, words: str) -> None:
    with pytest.raises(ParameterError, match=f"11_sample: {words}"):
        read_source("11_sample", source)


@pytest.mark.parametrize(
    ("cell", "place", "words"),
    [
        ("x: int = 1  # m\ny = 2  # m", "line 2", "is no line name: type = default"),
        ("x: int = 1 + 1  # m", "line 1", "computed"),
        ("x: int = 1", "line 1", "no meaning"),
        ("x: int = 1  # m\n\nx: int = 2  # m", "line 3", "declared twice"),
        ("x: int = 11  # m [1..10]", "line 1", "less than or equal to 10"),
        ("x: int = '1'  # m", "line 1", "'1' is of another type"),
        ("x: dict = {}  # m", "line 1", "is not one of int, float"),
        ("x: Literal[1.5] = 1.5  # m", "line 1", "plain strings and whole numbers"),
        ("x: str = 'a'  # m [1..2]", "line 1", "a mark of bounds does not fit"),
        ("x: int = 1  # m [2 rising]", "line 1", "a mark of items does not fit"),
        ("x: int = 1  # m [5..1]", "line 1", "greater than or equal to 5"),
        ("x: int = 1  # m [a..5]", "line 1", "valid integer"),
        ("x: int = (  # m", "line 1", "not Python"),
        ("x: int = 1  # m [> y]\ny: int = 1  # m", "", "x: 1 must be more than y, 1"),
        ("x: int = 1  # m [>= y]\ny: str = '1'  # m", "", "x: y cannot be held against it"),
    ],
)
def test_a_malformed_cell_is_refused_with_notebook_and_place(cell: str, place: str, words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        spec(cell)
    assert str(caught.value).startswith(f"11_sample, parameters cell, {place}" if place else "11_sample: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("line", "text", "value"),
    [
        ("x: str = 'a'  # m", "00123", "00123"),
        ("x: str | None = 'a'  # m", "null", None),
        ("x: int | None = 1  # m", "", None),
        ("x: bool = False  # m", "TRUE", True),
        ("x: float = 1  # m", "1e6", 1e6),
        ("x: float = 1  # m", "-.5", -0.5),
        ("x: date = '2024-01-01'  # m", "2024-02-29", "2024-02-29"),
        ("x: date = '2024-01-01'  # m", date(2024, 2, 29), "2024-02-29"),
        ("x: list[int] = []  # m", "1, 2", [1, 2]),
        ("x: list[str] = []  # m", '["a,b", "c"]', ["a,b", "c"]),
        ("x: Literal['a', None] = 'a'  # m", "none", None),
        ("x: Literal[1, 12] = 1  # m", "12", 12),
        ("x: int | None = 3  # m [> y]\ny: int = 2  # m", "none", None),
    ],
)
def test_a_value_is_taken_by_the_declared_type(line: str, text: object, value: object) -> None:
    for form in (text, to_text(value)):  # what is written out is read back unchanged
        taken = given_one(line, form)
        assert taken == value
        assert type(taken) is type(value)


@pytest.mark.parametrize(
    ("line", "value", "words"),
    [
        ("x: int = 1  # m", "1e6", "valid integer"),
        ("x: int = 1  # m", True, "valid integer"),
        ("x: int = 1  # m", "9" * 5000, "valid integer"),
        ("x: float = 1  # m", "nan", "valid number"),
        ("x: float = 1  # m", "1e999", "finite number"),
        ("x: bool = False  # m", "NO", "valid boolean"),
        ("x: date = '2024-01-01'  # m", "2023-02-29", "day is out of range"),
        ("x: list[int] = []  # m", "1,,2", "write a,b,c"),
        ("x: list[int] = []  # m [1..5]", "1,9", "'9': Input should be less than or equal to 5"),
        ("x: Literal['biopharma', 'b'] = 'b'  # m", "bio_pharma", "did you mean biopharma?"),
        ("x: Literal[1, 12] = 1  # m", True, "not one of 1, 12"),
        ("x: list[int] = [1]  # m [0..9] [1+]", "", "at least 1 item"),
        ("x: list[int] = [1, 2]  # m, years [0..9] [2 rising]", "1,2,3", "at most 2 items"),
        ("x: list[int] = [1, 2]  # m [2 rising]", "2,1", "not in rising order"),
        ("x: int = 3  # m [> y]\ny: int = 2  # m", "2", "2 must be more than y, 2"),
        ("x: int = 3  # m [0..9] [>= y] [>= z]\ny: int = 2  # m\nz: int = 3  # m", "2", "2 must be at least z, 3"),
        ("x: int = 2026  # m [>= y]\ny: date = '2026-12-31'  # m", "2025", "2025 must be at least y, 2026-12-31"),
    ],
)
def test_a_mistyped_value_is_refused(line: str, value: object, words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        given_one(line, value)
    assert str(caught.value).startswith("11_sample: x: ")
    assert words in str(caught.value)


def test_a_value_may_have_to_stand_in_a_column_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "datapackage.json").write_text("{}")
    (tmp_path / "tables" / "places.csv").write_text("iso3,name\nBGD,Bangladesh\nIND,India\n")
    monkeypatch.setenv("KBIO_DATA", str(tmp_path))
    parameters._held.cache_clear()
    one = 'x: str = "BGD"  # partner [in places.iso3]'
    assert given_one(one, "IND") == "IND"
    for wrong, near in (("XXX", ""), ("ind", "; did you mean IND?")):
        with pytest.raises(ParameterError) as refused:
            given_one(one, wrong)
        assert str(refused.value) == f"11_sample: x: {wrong!r}: not in iso3 of data/tables/places{near}"
    with pytest.raises(ParameterError, match=r"'XXX': not in iso3.*\n.*'YYY': not in iso3"):
        given_one('x: list[str] = ["BGD"]  # partners [in places.iso3]', "IND,XXX,YYY")
    assert given_one('x: str = "any"  # partner [in nowhere.iso3]', "XXX") == "XXX"  # the notebook says what is missing
    parameters._held.cache_clear()


@pytest.mark.parametrize(
    "comment",
    ["m [" + " " * 100_000, "m [" + "." * 100_000 + "x", "m, " + " " * 100_000 + ")", "[> a] " * 30_000, "[" * 100_000],
)
def test_no_comment_or_value_takes_more_than_its_length(comment: str, alarm: None) -> None:
    with suppress(ParameterError):
        spec(f"x: float = 1.0  # {comment}")
    with suppress(ParameterError):
        given_one("x: float = 1.0  # m", "1" * 100_000 + comment)


def test_all_mistakes_are_reported_at_once_with_the_nearest_name() -> None:
    with pytest.raises(ParameterError) as caught:
        coerce(spec(), {"base_valu": "5800", "target_year": "soon", "zzz": 1, "seed": "3"})
    soon, near, none = str(caught.value).splitlines()
    assert "target_year: 'soon': Input should be a valid integer" in soon
    assert "did you mean base_value_usd_m?" in near
    assert "it has series, base_value_usd_m" in none
