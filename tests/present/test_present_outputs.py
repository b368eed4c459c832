"""What a notebook emits: bundles with a structured part and a fallback, records that are always usable."""

import math

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present import outputs
from kbio_analysis.present.outputs import MIME
from kbio_analysis.present.tables import table


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Every bundle published, as a running IPython would send it."""
    bundles: list[dict] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.publish_display_data", bundles.append)
    monkeypatch.setattr(outputs, "_records", {})
    return bundles


def test_sentences_and_answer_carry_their_kind_and_a_fallback(shown: list[dict]) -> None:
    outputs.answer("One.", "Two.")
    outputs.say("Three.")
    assert [b[MIME]["kind"] for b in shown] == ["answer", "sentence"]
    assert shown[0][MIME]["text"] == "One. Two."
    assert shown[1]["text/markdown"] == "Three."


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.float64(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (None, None), ("text", "text"), (True, True)],
)
def test_records_hold_plain_values(shown: list[dict], value: object, plain: object) -> None:
    outputs.record("a_result", value, unit="unit", meaning="meaning")
    held = shown[0][MIME]["value"]
    assert held == plain
    assert type(held) is type(plain)


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
def test_a_record_that_is_not_finite_is_refused(shown: list[dict], value: float) -> None:
    with pytest.raises(UsageError, match="not a finite number"):
        outputs.record("a_result", value, unit="unit", meaning="meaning")
    assert shown == []


@pytest.mark.parametrize("name", ["Not snake", "CamelCase", "2nd", ""])
def test_a_record_needs_a_snake_case_name(shown: list[dict], name: str) -> None:
    with pytest.raises(UsageError, match="snake_case"):
        outputs.record(name, 1.0, unit="unit", meaning="meaning")


def test_the_regression_cell_prints_every_record_once(shown: list[dict], capsys: pytest.CaptureFixture[str]) -> None:
    outputs.record("first", 1 / 3, unit="share", meaning="a third")
    outputs.record("second", 7, unit="count", meaning="seven")
    outputs.record("first", 2 / 3, unit="share", meaning="run again")
    outputs.regression()
    assert capsys.readouterr().out.splitlines() == ["first   0.6667  [share]", "second  7  [count]"]


def test_outside_a_notebook_the_plain_form_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    outputs.say("Plain.")
    assert capsys.readouterr().out == "Plain.\n"


class TestTable:
    def test_cells_are_formatted_and_the_csv_is_not(self, shown: list[dict]) -> None:
        frame = pd.DataFrame({"Name": ["a", "b"], "Value": [-1234.567, np.nan]})
        table(frame, id="t", caption="C", source="S", formats={"Value": ",.1f"})
        payload = shown[0][MIME]
        assert payload["rows"] == [["a", "−1,234.6"], ["b", "–"]]
        assert payload["columns"] == [{"label": "Name", "align": "left"}, {"label": "Value", "align": "right"}]
        assert "-1234.567" in payload["csv"]

    def test_the_fallback_escapes_cells(self, shown: list[dict]) -> None:
        table(pd.DataFrame({"<b>": ["<script>"]}), id="t", caption="<i>", source="S")
        assert "<script>" not in shown[0]["text/html"]
        assert "&lt;script&gt;" in shown[0]["text/html"]
