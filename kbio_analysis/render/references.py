"""What a notebook gave when it was last accepted, and what has moved since.

One file a notebook, ``notebooks/references/<notebook>.json``: its answer, results and the data of its charts as CSV
lines. What it was made from, and the words beside a chart, are for notebooks composed from it: no difference counts.
"""

import ast
import builtins
import csv
import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kbio_analysis.notebooks import reference_file
from kbio_analysis.reading import read_json
from kbio_analysis.render.job import Report
from kbio_analysis.render.outputs import DEFAULT_RTOL, collect
from kbio_analysis.render.publish import explained, write_file
from kbio_analysis.render.results import is_number

# Amounts are in US$ million, percent or probabilities: below this a difference from zero is rounding, not a result.
ZERO = 1e-12
REGRESSION = "nbval-check-output"


def recorded(result: Mapping[str, Any], executed: bytes) -> dict[str, Any]:
    """What a reference file holds, from the content of a good report's result.json and its executed notebook."""
    (results, drawn, _), inputs = collect(json.loads(executed)), result["inputs"]
    charts = {
        name: {"rtol": chart.get("rtol", DEFAULT_RTOL)}
        | {words: str(chart.get(words, "")) for words in ("caption", "alt", "source")}
        | {"csv": str(chart.get("csv", "")).splitlines()}
        for name, chart in drawn.items()
    }
    about = {part: result[part] for part in ("notebook", "question", "answer", "parameters")}
    about |= {"tables": inputs["tables"], "reports": sorted(inputs["reports"])}
    return about | {"results": results, "charts": charts}


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """A line for everything that moved by more than the tolerance accepted with it: answer, results, charts."""
    before, after = _values(old), _values(new)
    lines = [f"{name} is gone" for name in before if name not in after]
    lines += [f"{name} is new" for name in after if name not in before]
    both = [(name, about) for name in before for about in before[name] if about in after.get(name, ())]
    for name, about in both:
        (was, rtol), (now, _) = before[name][about], after[name][about]
        numbers = is_number(was) and is_number(now)
        if not (math.isclose(was, now, rel_tol=rtol, abs_tol=ZERO) if numbers else repr(was) == repr(now)):
            share = f" (relative difference {abs(now - was) / abs(was):.3g})" if numbers and was and rtol else ""
            lines.append(f"{name}{about}: {was!r} -> {now!r}{share}")
    return lines


def _values(reference: Mapping[str, Any]) -> dict[str, dict[str, tuple[Any, float]]]:
    """Name -> what of it -> value, and how far that may move."""
    found: dict[str, dict[str, tuple[Any, float]]] = {"answer": {"": (reference.get("answer"), 0.0)}}
    for name, result in reference["results"].items():
        rtol = result.get("rtol", DEFAULT_RTOL)
        found[name] = {"": (result["value"], rtol), ", unit": (result.get("unit"), 0.0), ", tolerance": (rtol, 0.0)}
    for name, chart in reference["charts"].items():
        rtol, (head, *rows) = chart.get("rtol", DEFAULT_RTOL), list(csv.reader(chart["csv"])) or [[]]
        shape = f"{len(rows)} of {sorted(set(map(len, rows)))}"
        told = {", tolerance": (rtol, 0.0), ", columns": (head, 0.0), ", rows": (shape, 0.0)}
        for number, row in enumerate(rows, start=1):
            # The row's first cell is part of its place, so that a row put in between moves no other.
            place = f", row {number} ({', '.join(row[:1])}), column"
            told |= {f"{place} {column}": (_number(cell), rtol) for column, cell in zip(head, row, strict=False)}
        found[f"chart {name}"] = told
    return found


def _number(text: str) -> float | str:
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    return text


def verdict(report: Report, notebooks: Path, *, accept: bool) -> tuple[bool, list[str]]:
    """Compare a good report with its reference; with ``accept`` record it as the new one.

    Returns whether all is well (always after accepting) and the lines to print. A report without results and charts
    is never well, nor is a reference without them.
    """
    path, name, executed = reference_file(notebooks, report.notebook), report.notebook, report.files["executed.ipynb"]
    new, old, differences = recorded(report.result, executed), None, []
    count = f"{len(new['results'])} results, {len(new['charts'])} charts"
    if not new["results"] and not new["charts"]:
        return False, [f"empty     {name}  it records no result and shows no chart, so there is nothing to check"]
    if any(map(_is_constant, _regression_cells(json.loads(executed)))):
        return False, [f"empty     {name}  its regression cell prints what is written in it, so it can never differ"]
    try:
        old = read_json(path.read_bytes())
        differences = compare(old, new)
        status, words = ("moved", f"{len(differences)} moved") if differences else ("ok", f"as recorded: {count}")
    except FileNotFoundError:
        status, words = "none", "no reference yet"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        status, words = "unread", f"{path} is not a reference file ({problem}); restore it"
    lines = [f"{status:<9} {name}  {words}", *(f"          {difference}" for difference in differences)]
    if not accept:
        meant = [f"          if this is meant: kbio check {name} --accept"] if status != "ok" else []
        return status == "ok", [*lines, *meant]
    store_printed(notebooks / f"{name}.ipynb", executed)
    if old == new:
        return True, lines
    with explained(path):
        write_file(path, (json.dumps(new, ensure_ascii=False, indent=1) + "\n").encode())
    return True, [*lines, f"accepted  {name}  {count} recorded in {path.name}"]


def store_printed(notebook: Path, executed: bytes) -> None:
    """Keep in the notebook what its regression cells printed: nbval compares with that."""
    printed = {cell.get("id"): cell["outputs"] for cell in _regression_cells(json.loads(executed))}
    if not printed or not notebook.exists():
        return
    kept = read_json(notebook.read_bytes())
    for number, cell in enumerate((cell for cell in kept["cells"] if cell["cell_type"] == "code"), start=1):
        if cell.get("id") in printed:
            cell |= {"outputs": printed[cell["id"]], "execution_count": number}
    with explained(notebook):
        write_file(notebook, (json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())


def _regression_cells(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in content["cells"] if REGRESSION in cell["metadata"].get("tags", ())]


def _is_constant(cell: Mapping[str, Any]) -> bool:
    """Whether a regression cell names nothing that the notebook computed."""
    with suppress(SyntaxError):
        tree = ast.parse("".join(cell["source"]))
        return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= {*dir(builtins)}
    return False


def orphans(notebooks: Path, known: Iterable[str]) -> list[str]:
    """A line for each reference that no notebook stands behind."""
    found = {path.stem for path in (notebooks / "references").glob("*.json")} - {*known}
    return [f"orphan    {name}  a reference without a notebook; delete it" for name in sorted(found)]
