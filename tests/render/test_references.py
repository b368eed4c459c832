"""What moved since it was accepted: named, measured, and accepted only after it was shown."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from render.fixtures.built import MIME, pretended

from kbio_analysis.errors import ExecutionError, KbioError
from kbio_analysis.render import references
from kbio_analysis.render.job import Report
from kbio_analysis.render.references import compare, load, orphans, reference_file, verdict

CSV = "year,low,label\n2029,1.0,a\n2030,2.0,b\n"


def report(results: dict[str, tuple[Any, str, float]] | None = None, csv: str = CSV) -> Report:
    """A good report that recorded these results (value, unit, rtol) and drew one chart."""
    results = {"growth_pct": (12.246, "%", 1e-9), "ready": (True, "yes or no", 0)} if results is None else results
    shown: list[dict[str, Any]] = [
        {"kind": "record", "name": name, "value": value, "unit": unit, "meaning": "m", "rtol": rtol}
        for name, (value, unit, rtol) in results.items()
    ]
    shown.append({"kind": "chart", "id": "fan", "csv": csv, "svg": "<svg/>"})
    outputs = [{"output_type": "display_data", "data": {MIME: one}, "metadata": {}} for one in shown]
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": outputs}
    good = pretended()
    good.files["executed.ipynb"] = json.dumps({"cells": [cell], "metadata": {}}).encode()
    return good


def recorded(report: Report) -> dict[str, Any]:
    return references.recorded(report.result, report.files["executed.ipynb"])


def without_chart(results: dict[str, tuple[Any, str, float]]) -> Report:
    bare = report(results)
    executed = json.loads(bare.files["executed.ipynb"])
    executed["cells"][0]["outputs"].pop()
    bare.files["executed.ipynb"] = json.dumps(executed).encode()
    return bare


def moved(**changes: Any) -> list[str]:
    return compare(recorded(report()), recorded(report(**changes)))


def test_a_moved_result_is_named_with_old_new_and_relative_difference() -> None:
    before, after = recorded(report()) | {"answer": "It is likely."}, recorded(report()) | {"answer": "It is unlikely."}
    assert compare(before, after) == ["answer: 'It is likely.' -> 'It is unlikely.'"]
    results = {"growth_pct": (12.346, "%", 1e-9), "ready": (False, "yes or no", 0)}
    assert moved(results=results) == [
        "growth_pct: 12.246 -> 12.346 (relative difference 0.00817)",
        "ready: True -> False",
    ]


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
    before, after = (recorded(report({"x": (value, "%", rtol)})) for value in (old, new))
    assert (compare(before, after) == []) is same


def test_the_accepted_tolerance_counts_and_a_looser_one_is_reported() -> None:
    before, after = recorded(report({"x": (1.0, "%", 1e-9)})), recorded(report({"x": (1.5, "%", 0.9)}))
    assert compare(before, after) == [
        "x: tolerance changed from 1e-09 to 0.9",
        "x: 1.0 -> 1.5 (relative difference 0.5)",
    ]


def test_names_units_and_charts_that_come_and_go_are_reported() -> None:
    old = recorded(report())
    new = copy.deepcopy(old) | {"charts": {}}
    assert compare(old, new) == ["chart fan is gone"]
    assert compare(new, old) == ["chart fan is new"]
    results = {"growth_pct": (12.246, "% a year", 1e-9), "fresh": (1, "count", 0)}
    assert moved(results=results) == [
        "growth_pct: unit changed from '%' to '% a year'",
        "ready is gone",
        "fresh is new",
    ]


def test_nothing_never_passes(tmp_path: Path) -> None:
    good, lines = verdict(without_chart({}), tmp_path, accept=True)
    assert (good, list(tmp_path.iterdir())) == (False, [])
    assert "nothing to check" in lines[0]
    verdict(report(), tmp_path, accept=True)
    path = reference_file(tmp_path, "10_sample")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"results": {}, "charts": {}}))
    assert not verdict(report(), tmp_path, accept=False)[0]
    assert orphans(tmp_path, ["11_other"]) == ["orphan    10_sample  a reference without a notebook; delete it"]


@pytest.mark.parametrize("rtol", ["Infinity", "1", "1e9", "-1", '"a"', "true"])
def test_a_tolerance_that_lets_everything_pass_is_refused(tmp_path: Path, rtol: str) -> None:
    path = tmp_path / "10_sample.json"
    path.write_text(f'{{"results": {{"x": {{"value": 1.0, "unit": "", "rtol": {rtol}}}}}, "charts": {{}}}}')
    with pytest.raises(KbioError, match="is not a reference file"):
        load(path)


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        (CSV.replace("2.0", "2.5"), "chart fan, row 2 (2030), column low: 2.0 -> 2.5 (relative difference 0.25)"),
        (CSV.replace("b\n", "c\n"), "chart fan, row 2 (2030), column label: 'b' -> 'c'"),
        (CSV.replace("2.0", "nan"), "chart fan, row 2 (2030), column low: 2.0 -> 'nan'"),
        (CSV + "2031,1,c\n", "chart fan: rows changed from 2 of [3] to 3 of [3]"),
        (CSV.replace("low", "high"), "chart fan: columns changed"),
        (CSV.replace("2.0,b", "2.0,b,x"), "chart fan: rows changed from 2 of [3] to 2 of [3, 4]"),
    ],
)
def test_a_charts_data_is_compared_cell_by_cell(csv: str, words: str) -> None:
    (line,) = moved(csv=csv)
    assert line.startswith(words)


def test_a_chart_may_not_be_let_off_by_its_tolerance() -> None:
    loose = report()
    executed = json.loads(loose.files["executed.ipynb"])
    executed["cells"][0]["outputs"][-1]["data"][MIME]["rtol"] = 0.5
    loose.files["executed.ipynb"] = json.dumps(executed).encode()
    assert compare(recorded(report()), recorded(loose)) == ["chart fan: tolerance changed from 1e-09 to 0.5"]
    for rtol in ("Infinity", "1", '"a"'):
        loose.files["executed.ipynb"] = json.dumps(executed).replace('"rtol": 0.5', f'"rtol": {rtol}').encode()
        with pytest.raises(ExecutionError, match="chart 'fan' has the tolerance"):
            recorded(loose)


@pytest.mark.parametrize(
    ("source", "good"),
    [("regression()", True), ("print(round(x, 2))", True), ("print('1.0', 'ok')", False), ("", False)],
)
def test_a_regression_cell_that_can_never_differ_is_no_check(tmp_path: Path, source: str, good: bool) -> None:
    checked = report()
    executed = json.loads(checked.files["executed.ipynb"])
    cell = {"cell_type": "code", "metadata": {"tags": ["nbval-check-output"]}, "source": source, "outputs": []}
    executed["cells"].append(cell)
    checked.files["executed.ipynb"] = json.dumps(executed).encode()
    assert verdict(checked, tmp_path, accept=True)[0] is good


def test_accepting_keeps_in_the_notebook_what_its_regression_cell_printed(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "id": "last", "metadata": {"tags": ["nbval-check-output"]}, "source": "regression()"}
    printed = [{"output_type": "stream", "name": "stdout", "text": ["growth 12.2\n"]}]
    stored = [{"output_type": "stream", "name": "stdout", "text": ["growth 11.0\n"]}]
    notebook = tmp_path / "10_sample.ipynb"
    first = {"cell_type": "code", "id": "first", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    kept = {"cells": [first, cell | {"outputs": stored, "execution_count": 2}], "metadata": {}}
    notebook.write_text(json.dumps(kept))
    checked = report()
    executed = json.loads(checked.files["executed.ipynb"])
    executed["cells"].append(cell | {"outputs": printed})
    checked.files["executed.ipynb"] = json.dumps(executed).encode()
    assert verdict(checked, tmp_path, accept=False)[0] is False
    assert json.loads(notebook.read_text()) == kept, "a check changes nothing"
    for _ in range(2):  # the second time nothing but the notebook has moved
        notebook.write_text(json.dumps(kept))
        verdict(checked, tmp_path, accept=True)
        assert json.loads(notebook.read_text())["cells"] == [first, cell | {"outputs": printed, "execution_count": 2}]


EMPTY = '{"results": {"growth_pct": {}}, "charts": {}}'


@pytest.mark.parametrize("text", ["", "[]", '{"results": {}}', '{"results": [], "charts": {}}', EMPTY])
def test_a_file_that_is_no_reference_is_refused(tmp_path: Path, text: str) -> None:
    path = reference_file(tmp_path, "10_sample")
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(KbioError, match="is not a reference file"):
        load(path)
    good, (line,) = verdict(report(), tmp_path, accept=False)
    assert not good
    assert line.startswith("unread    10_sample")
