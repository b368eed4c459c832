"""What a notebook showed, read from its outputs, and the outputs made the same on every machine."""

import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.outputs import MIME, collect, make_reproducible, mark_tables, without_machine


def executed(*payloads: Any) -> dict[str, Any]:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ""}]
    for payload in payloads:
        outputs = [{"output_type": "display_data", "data": {MIME: payload, "text/plain": ""}, "metadata": {}}]
        cells.append({"cell_type": "code", "metadata": {}, "source": "", "outputs": outputs})
    return {"cells": cells, "metadata": {}}


def record(name: object = "growth_pct", value: object = 1.5, **more: object) -> dict[str, object]:
    return {"kind": "record", "name": name, "value": value, "unit": "%", "meaning": "m", **more}


def test_records_charts_and_answer_are_collected() -> None:
    chart = {"kind": "chart", "id": "fan", "csv": "a\n1\n"}
    other = {"kind": "chart", "id": "path", "csv": ""}
    first, second = {"kind": "answer", "text": r"Yes, **US\$1bn**."}, {"kind": "answer", "text": "No."}
    strange = ({"kind": "sentence"}, "text", ["list"], {"no": "kind"})
    results, charts, answer = collect(
        executed(record(rtol=0.01), record("b", None), chart, other, first, second, *strange)
    )
    assert results["growth_pct"] == {"value": 1.5, "unit": "%", "meaning": "m", "rtol": 0.01}
    assert results["b"]["rtol"] == 1e-9
    assert (list(charts), answer) == (["fan", "path"], "Yes, US$1bn.")


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (record(value=float("inf")), "'growth_pct' cannot be carried, inf"),
        (record(value="nan"), "cannot be carried, 'nan'"),
        (record(value=[1]), "cannot be carried, .1. with"),
        (record(name="Growth"), "snake_case name"),
        (record(rtol="x"), "tolerance 'x'"),
        (record("fine"), "shown a second time"),
        ({"kind": "chart", "id": "fan"}, "shown a second time"),
    ],
)
def test_what_no_report_may_carry_is_refused(payload: dict[str, object], words: str) -> None:
    with pytest.raises(ExecutionError, match=f"cell 3: .*{words}"):
        collect(executed(record("fine"), {"kind": "chart", "id": "fan"}, payload))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"{tempfile.gettempdir()}/ipykernel_123/456.py:1: UserWarning: no", "<cell>:1: UserWarning: no"),
        (f"in {Path(tempfile.gettempdir(), 'kbio-ab12_cd9', 'run-3', 'work', 'x.csv')}", "in ./x.csv"),
        (f'File "{sysconfig.get_path("purelib")}/pandas/core.py"', 'File "site-packages/pandas/core.py"'),
        (f"{sys.prefix}/bin/python", "python/bin/python"),
        ("/srv/tables-old/x.csv", "/srv/tables-old/x.csv"),
        (f"{Path(__file__).parents[2]}/kbio_analysis/cli.py", "./kbio_analysis/cli.py"),
        ("/srv/tables/x.csv", "data/x.csv"),
        ("<Axes at 0x7f12ab> and 0x10", "<Axes> and 0x10"),
    ],
)
def test_what_tells_of_this_machine_is_taken_out(said: str, kept: str) -> None:
    assert without_machine(said, "/srv/tables") == kept


def test_outputs_are_settled_everywhere_but_in_drawings() -> None:
    path = f"{sys.prefix}/x"
    chart = {"kind": "chart", "id": "a", "svg": path, "csv": path, "caption": path}
    notebook = executed(chart)
    notebook["metadata"] = {"papermill": {"start_time": "now"}, "kernelspec": {"name": "python3"}}
    cell = notebook["cells"][1]
    cell["metadata"] = {"papermill": {}, "execution": {}, "tags": ["t"]}
    cell["outputs"].append({"output_type": "stream", "name": "stdout", "text": [path, " fine"]})
    cell["outputs"].append({"output_type": "display_data", "data": {"image/png": path, "text/html": path}})
    make_reproducible(notebook, None)
    assert notebook["metadata"] == {"kernelspec": {"name": "python3"}}
    assert cell["metadata"] == {"tags": ["t"]}
    assert cell["outputs"][0]["data"][MIME] == {**chart, "caption": "python/x"}
    assert cell["outputs"][1]["text"] == "python/x fine"
    assert cell["outputs"][2]["data"] == {"image/png": path, "text/html": "python/x"}


def test_streams_do_not_depend_on_how_they_were_cut() -> None:
    def settled(*parts: tuple[str, str]) -> list[dict[str, Any]]:
        notebook = executed({"kind": "sentence", "text": "x"})
        shown = notebook["cells"][1]["outputs"]
        streams = [{"output_type": "stream", "name": name, "text": text} for name, text in parts]
        notebook["cells"][1]["outputs"] = [*streams, *shown, *streams]
        make_reproducible(notebook, None)
        return notebook["cells"][1]["outputs"]

    whole = settled(("stdout", "one\ntwo\n"), ("stderr", "note\n"))
    assert [output["output_type"] for output in whole] == ["stream", "stream", "display_data", "stream", "stream"]
    assert settled(("stdout", "one\n"), ("stderr", "note\n"), ("stdout", "two\n")) == whole
    assert settled(("stderr", "no"), ("stderr", "te\n"), ("stdout", "on"), ("stdout", "e\r\ntwo\n")) == whole
    assert settled(("stdout", "10%\r50%\r"), ("stdout", "one\ntwo\n"), ("stderr", "note\n")) == whole


# ---- the tables behind each cell: by the lines that asked for them and the names made from them

READING = (
    "import tables\nannual = tables.load('annual')\nmonthly = [\n    tables.load('monthly')\n]",
    "%%say\nWords about {{ annual }}.",
    "lines(annual, look := {'x': 1})\nsources.cite()",
    "both = {'a': annual}\nboth['b'] = monthly\nannual = 1",
    "bars(both)",
    "plain(annual)",
    "total = 0\nfor one in both:\n    total += one\ntotal",
)
ASKED = [("<cell 1>", 2, "annual"), ("<cell 1>", 4, "monthly"), ("<cell 3>", 2, "sources"), ("<cell 9>", 1, "other")]


def test_tables_follow_the_names_they_were_given() -> None:
    cells = [new_markdown_cell("# Q?"), *(new_code_cell(source) for source in READING)]
    mark_tables(cells, ASKED)
    found = [cell["metadata"].get("kbio", {}).get("tables", []) for cell in cells[1:]]
    both = ["annual", "monthly"]
    assert found == [both, [], ["annual"], both, both, [], both]


def test_a_reading_is_known_by_the_line_of_the_cell_that_asked() -> None:
    from kbio_analysis.data import tables

    exec(compile("\n\ntables.load('us_gdp')", "<cell 7>", "exec"), {"tables": tables})
    assert ("<cell 7>", 3, "us_gdp") in tables.lines_read()
