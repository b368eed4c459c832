"""Results on record with their codebook, and tables by column."""

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present import results, words
from kbio_analysis.present.outputs import MIME
from kbio_analysis.present.results import record, regression
from kbio_analysis.present.tables import table

FRAME = pd.DataFrame({"name": ["a", "b"], "value": [-1234.567, np.nan], "p": [0.004, 0.41]}, index=["x", "y"])


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, object]:
    path = tmp_path / "results.csv"
    path.write_text("notebook,name,unit,rtol,meaning\nn,growth_pct,per cent,,growth\nn,chance,probability,0.005,odds\n")
    monkeypatch.setattr(results, "CODEBOOK", path)
    results.codebook.cache_clear()
    yield results.codebook()
    results.codebook.cache_clear()


def test_the_codebook_gives_unit_meaning_and_tolerance(shown: list[dict], book: object) -> None:
    record(growth_pct=np.float64(0.5), chance=None)
    assert [b[MIME] for b in shown] == [
        {"kind": "record", "name": "growth_pct", "value": 0.5, "unit": "per cent", "meaning": "growth", "rtol": 1e-9},
        {"kind": "record", "name": "chance", "value": None, "unit": "probability", "meaning": "odds", "rtol": 0.005},
    ]
    assert results.recorded_names() == ["growth_pct", "chance"]


@pytest.mark.parametrize(
    ("name", "value", "said", "reason"),
    [
        *(
            ("a_result", v, {"unit": "u", "meaning": "m"}, "a_result")
            for v in (math.nan, math.inf, [1], pd.Series([1]))
        ),
        *((name, 1, {"unit": "u", "meaning": "m"}, "snake_case") for name in ("CamelCase", "2nd")),
        ("growth_pct", 1.0, {}, "give its unit and meaning"),
    ],
)
def test_what_is_no_result_is_refused(shown: list[dict], book: object, name, value, said: dict, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        record(name, value, **said)
    with pytest.raises(UsageError, match="did you mean growth_pct"):
        record(growth_pc=1.0)
    assert shown == []


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.float64(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (None, None), ("text", "text"), (True, True)],
)
def test_records_hold_plain_values(shown: list[dict], value: object, plain: object) -> None:
    record("a_result", value, unit="unit", meaning="meaning")
    held = shown[0][MIME]["value"]
    assert (held, type(held)) == (plain, type(plain))


def test_the_regression_cell_prints_every_record_once(shown: list[dict], capsys: pytest.CaptureFixture[str]) -> None:
    record("first", 1 / 3, unit="share", meaning="a third")
    record("second", 7, unit="count", meaning="seven")
    record("first", 2 / 3, unit="share", meaning="run again")
    regression()
    assert capsys.readouterr().out.splitlines() == ["first   0.6667  [share]", "second  7  [count]"]


def test_a_table_by_its_columns(shown: list[dict]) -> None:
    columns = {"Key": None, "Name": "name", "Value": ("value", ",.1f"), "Odds": ("p", words.chance), "N": [1, 2]}
    made = table(FRAME, columns, id="t", caption="C", source="S")
    payload = shown[0][MIME]
    assert payload["rows"] == [["x", "a", "−1,234.6", "under 1%", "1"], ["y", "b", "–", "41%", "2"]]
    assert [c["align"] for c in payload["columns"]] == ["left", "left", "right", "right", "right"]
    assert "-1234.567" in payload["csv"]
    assert payload["csv"].splitlines()[0] == "Key,Name,Value,Odds,N"
    assert list(made.frame.columns) == ["Key", "Name", "Value", "Odds", "N"]

    for wrong, reason in (("valu", "did you mean value"), ([1, 2, 3], "3 values for 2 rows")):
        with pytest.raises(UsageError, match=reason):
            table(FRAME, {"V": wrong}, id="t", caption="C", source="S")


def test_the_plain_form_escapes_and_carries_caption_and_source(shown: list[dict]) -> None:
    table(pd.DataFrame({"<b>": ["<script>"]}), id="t", caption="<i>Cap", source="The <source>")
    html = shown[0]["text/html"]
    assert [tag for tag in ("<script>", "<i>", "<b>", "<source>") if tag in html] == []
    assert "&lt;i&gt;Cap" in html
    assert "The &lt;source&gt;" in html


def test_a_table_names_its_links_and_goes_to_excel_without_formulas(shown: list[dict], tmp_path: Path) -> None:
    frame = pd.DataFrame({"Text": ["=1+1", "b"], "Value": [1.5, 2.5]})
    table(frame, id="t", caption="C", source="S", reports="Text", links="Value").xlsx(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<v>1.5</v>" in sheet
    heads = shown[0][MIME]["columns"]
    assert (heads[0]["reports"], heads[1]["links"]) == (True, True)
