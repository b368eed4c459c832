"""What moved since it was accepted: named, measured, and accepted only after it was shown."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from render.fixtures.built import MIME, pretended

from kbio_analysis.errors import ExecutionError
from kbio_analysis.notebooks import reference_file
from kbio_analysis.render import references
from kbio_analysis.render.job import Report
from kbio_analysis.render.references import compare, orphans, verdict

CSV = "year,low,label\n2029,1.0,a\n2030,2.0,b\n"
Results = dict[str, tuple[Any, str, float]]
RESULTS: Results = {"growth_pct": (12.246, "%", 1e-9), "ready": (True, "yes or no", 0)}
LAST = {"cell_type": "code", "id": "last", "metadata": {"tags": [references.REGRESSION]}, "source": "regression()"}


def report(results: Results = RESULTS, csv: str | None = CSV, rtol: object = 1e-9, last: Any = None) -> Report:
    """A good report that recorded these results (value, unit, rtol), drew one chart and ends in that cell."""
    shown: list[dict[str, Any]] = [
        {"kind": "record", "name": name, "value": value, "unit": unit, "meaning": "m", "rtol": rtol}
        for name, (value, unit, rtol) in results.items()
    ]
    shown += [{"kind": "chart", "id": "fan", "csv": csv, "svg": "<svg/>", "rtol": rtol}] if csv else []
    outputs = [{"output_type": "display_data", "data": {MIME: one}, "metadata": {}} for one in shown]
    cells = [{"cell_type": "code", "metadata": {}, "source": "", "outputs": outputs}, *([last] if last else [])]
    good = pretended()
    good.files["executed.ipynb"] = json.dumps({"cells": cells, "metadata": {}}).encode()
    return good


def recorded(**changes: Any) -> dict[str, Any]:
    made = report(**changes)
    return references.recorded(made.result, made.files["executed.ipynb"])


@pytest.mark.parametrize(
    ("old", "new", "rtol", "same"),
    [
        (1.0, 1.0 + 5e-9, 1e-9, False),
        (1.0, 1.005, 0.01, True),
        (0.0, 1e-13, 1e-9, True),
        (None, 0.0, 1e-9, False),
        (1, 1.0, 1e-9, True),
        (1, True, 1e-9, False),
    ],
)
def test_a_result_may_move_by_its_tolerance(old: Any, new: Any, rtol: float, same: bool) -> None:
    before, after = (recorded(results={"x": (value, "%", rtol)}) for value in (old, new))
    assert (compare(before, after) == []) is same


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"results": {"growth_pct": (12.346, "%", 1e-9), "ready": (False, "yes or no", 0)}},
            ["growth_pct: 12.246 -> 12.346 (relative difference 0.00817)", "ready: True -> False"],
        ),
        (  # the accepted tolerance counts, and a looser one is reported
            {"results": RESULTS | {"growth_pct": (24.492, "%", 0.9)}},
            ["growth_pct: 12.246 -> 24.492 (relative difference 1)", "growth_pct, tolerance: 1e-09 -> 0.9"],
        ),
        (
            {"results": {"growth_pct": (12.246, "% a year", 1e-9), "fresh": (1, "count", 0)}},
            ["ready is gone", "fresh is new", "growth_pct, unit: '%' -> '% a year'"],
        ),
        ({"csv": None}, ["chart fan is gone"]),
        ({"rtol": 0.5}, ["chart fan, tolerance: 1e-09 -> 0.5"]),
        (
            {"csv": CSV.replace("2.0,b", "2.5,c")},
            [
                "chart fan, row 2 (2030), column low: 2.0 -> 2.5 (relative difference 0.25)",
                "chart fan, row 2 (2030), column label: 'b' -> 'c'",
            ],
        ),
        ({"csv": CSV.replace("2.0", "nan")}, ["chart fan, row 2 (2030), column low: 2.0 -> 'nan'"]),
        ({"csv": CSV + "2031,1,c\n"}, ["chart fan, rows: '2 of [3]' -> '3 of [3]'"]),
        ({"csv": CSV.replace("2.0,b", "2.0,b,x")}, ["chart fan, rows: '2 of [3]' -> '2 of [3, 4]'"]),
        (
            {"csv": CSV.replace("low", "high")},
            ["chart fan, columns: ['year', 'low', 'label'] -> ['year', 'high', 'label']"],
        ),
    ],
)
def test_what_moved_comes_or_goes_is_named_with_old_and_new(changes: dict[str, Any], lines: list[str]) -> None:
    assert compare(recorded(), recorded(**changes)) == lines


def test_a_moved_answer_and_what_is_new_are_named() -> None:
    before = recorded() | {"answer": "It is likely."}
    after = copy.deepcopy(before) | {"answer": "It is unlikely."}
    assert compare(before | {"charts": {}}, after) == [
        "chart fan is new",
        "answer: 'It is likely.' -> 'It is unlikely.'",
    ]


def test_nothing_never_passes(tmp_path: Path) -> None:
    good, lines = verdict(report({}, csv=None), tmp_path, accept=True)
    assert (good, list(tmp_path.iterdir())) == (False, [])
    assert "nothing to check" in lines[0]
    verdict(report(), tmp_path, accept=True)
    path = reference_file(tmp_path, "10_sample")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"results": {}, "charts": {}}))
    assert not verdict(report(), tmp_path, accept=False)[0]
    assert orphans(tmp_path, ["11_other"]) == ["orphan    10_sample  a reference without a notebook; delete it"]


@pytest.mark.parametrize("rtol", ["Infinity", "1", "-1", '"a"', "true"])
def test_a_tolerance_that_lets_everything_pass_is_refused(tmp_path: Path, rtol: str) -> None:
    verdict(report(), tmp_path, accept=True)
    path = reference_file(tmp_path, "10_sample")
    path.write_text(path.read_text().replace("1e-09", rtol))
    assert not verdict(report(), tmp_path, accept=False)[0]
    with pytest.raises(ExecutionError, match=r"chart 'fan' cannot be carried, .* tolerance"):
        recorded(rtol=json.loads(rtol))


@pytest.mark.parametrize(
    ("source", "good"),
    [("regression()", True), ("print(round(x, 2))", True), ("print('1.0', 'ok')", False), ("", False)],
)
def test_a_regression_cell_that_can_never_differ_is_no_check(tmp_path: Path, source: str, good: bool) -> None:
    assert verdict(report(last=LAST | {"source": source, "outputs": []}), tmp_path, accept=True)[0] is good


def test_accepting_keeps_in_the_notebook_what_its_regression_cell_printed(tmp_path: Path) -> None:
    printed, stored = (
        [{"output_type": "stream", "name": "stdout", "text": [text]}] for text in ("growth 12.2\n", "growth 11.0\n")
    )
    notebook = tmp_path / "10_sample.ipynb"
    first = {"cell_type": "code", "id": "first", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    kept = {"cells": [first, LAST | {"outputs": stored, "execution_count": 2}], "metadata": {}}
    notebook.write_text(json.dumps(kept))
    checked = report(last=LAST | {"outputs": printed})
    assert verdict(checked, tmp_path, accept=False)[0] is False
    assert json.loads(notebook.read_text()) == kept, "a check changes nothing"
    for _ in range(2):  # the second time nothing but the notebook has moved
        notebook.write_text(json.dumps(kept))
        verdict(checked, tmp_path, accept=True)
        assert json.loads(notebook.read_text())["cells"] == [first, LAST | {"outputs": printed, "execution_count": 2}]


EMPTY = '{"results": {"growth_pct": {}}, "charts": {}}'


@pytest.mark.parametrize("text", ["", "[]", '{"results": {}}', '{"results": [], "charts": {}}', EMPTY])
def test_a_file_that_is_no_reference_is_refused(tmp_path: Path, text: str) -> None:
    path = reference_file(tmp_path, "10_sample")
    path.parent.mkdir()
    path.write_text(text)
    good, (line, _) = verdict(report(), tmp_path, accept=False)
    assert not good
    assert line.startswith("unread    10_sample")
    assert "is not a reference file" in line
