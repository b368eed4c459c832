"""What a notebook gave when it was last accepted, and what has moved since.

One file a notebook, ``notebooks/references/<notebook>.json``: its answer, results and the data of its charts as CSV
lines. What it was made from, and the words beside a chart, are for notebooks composed from it: no difference counts.
"""

from __future__ import annotations

import ast
import builtins
import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbio_analysis.errors import KbioError
from kbio_analysis.reading import DocumentError, read_json
from kbio_analysis.render.outputs import DEFAULT_RTOL, collect
from kbio_analysis.render.publish import explained, write_file
from kbio_analysis.render.results import is_number

if TYPE_CHECKING:
    from kbio_analysis.render.job import Report

# Amounts are in US$ million, percent or probabilities: below this a difference from zero is rounding, not a result.
ZERO = 1e-12
REGRESSION = "nbval-check-output"


def reference_file(notebooks: Path, notebook: str) -> Path:
    """Where a notebook's reference lies."""
    return notebooks / "references" / f"{notebook}.json"


def known_results(notebooks: Path, notebook: str) -> list[str]:
    """The names of a notebook's results in the codebook; empty if it knows none."""
    try:
        codebook = csv.DictReader(io.StringIO((notebooks / "results.csv").read_text(encoding="utf-8-sig")))
        return [row["name"] for row in codebook if notebook in row["notebook"].split()]
    except (OSError, ValueError, KeyError, csv.Error):
        return []


def recorded(report: Report) -> dict[str, Any]:
    """What a reference file holds, from a good report."""
    return recorded_in(report.result, report.files["executed.ipynb"])


def recorded_in(result: Mapping[str, Any], executed: bytes) -> dict[str, Any]:
    """The same from the content of a good report's result.json and the bytes of its executed notebook."""
    shown, inputs = collect(json.loads(executed)), result.get("inputs") or {}
    charts = {}
    for name, chart in shown.charts.items():
        words = {key: str(chart.get(key, "")) for key in ("caption", "alt", "source")}
        data = str(chart.get("csv", "")).splitlines()
        charts[name] = {"rtol": chart.get("rtol", DEFAULT_RTOL)} | words | {"csv": data}
    return {
        "notebook": result["notebook"],
        "question": result.get("question", ""),
        "answer": result.get("answer"),
        "parameters": result.get("parameters", {}),
        "tables": inputs.get("tables", {}),
        "reports": sorted(inputs.get("reports", {})),
        "results": shown.results,
        "charts": charts,
    }


def load(path: Path) -> dict[str, Any] | None:
    """The accepted reference; None when there is none yet. Raises KbioError for a file that is no reference."""
    try:
        known = read_json(path.read_bytes())
        for part in ("results", "charts"):
            for name, entry in known[part].items():
                rtol, _ = entry.get("rtol", DEFAULT_RTOL), entry["value" if part == "results" else "csv"]
                if not is_number(rtol) or not 0 <= rtol < 1:
                    raise DocumentError(f"the tolerance of {name} is {rtol!r}; it lies between 0 and 1")
        return known
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise KbioError(f"{path} cannot be read: {problem.strerror or problem}") from None
    except (DocumentError, KeyError, TypeError, AttributeError) as problem:
        why = problem if isinstance(problem, DocumentError) else "it holds no results and charts"
        wanted = "restore it or write it anew: kbio check --accept"
        raise KbioError(f"{path} is not a reference file ({why}); {wanted}") from None


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """A line for everything that moved by more than the tolerance accepted with it: answer, results, charts."""
    answer = [] if old.get("answer") == new.get("answer") else [_moved("answer", old.get("answer"), new.get("answer"))]
    results = _each(old["results"], new["results"], "result", _result_moved)
    return [*answer, *results, *_each(old["charts"], new["charts"], "chart", _chart_moved)]


def _moved(name: str, old: Any, new: Any) -> str:
    numbers = is_number(old) and is_number(new) and old != 0
    share = f" (relative difference {abs(new - old) / abs(old):.3g})" if numbers else ""
    return f"{name}: {old!r} -> {new!r}{share}"


def _each(old: Mapping[str, Any], new: Mapping[str, Any], what: str, moved: Callable[..., Any]) -> Iterator[str]:
    for name, entry in old.items():
        yield from moved(name, entry, new[name]) if name in new else [f"{name}: {what} is gone"]
    yield from (f"{name}: {what} is new" for name in new if name not in old)


def _result_moved(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if not _same(old["value"], new["value"], old.get("rtol", DEFAULT_RTOL)):
        yield _moved(name, old["value"], new["value"])
    for part, word in (("unit", "unit"), ("rtol", "tolerance")):
        if old.get(part) != new.get(part):
            yield f"{name}: {word} changed from {old.get(part)!r} to {new.get(part)!r}"


def _chart_moved(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("rtol", DEFAULT_RTOL) != new.get("rtol", DEFAULT_RTOL):
        yield f"chart {name}: tolerance changed from {old.get('rtol', DEFAULT_RTOL)} to {new.get('rtol', DEFAULT_RTOL)}"
    before, after = (list(csv.reader(io.StringIO("\n".join(chart["csv"])))) or [[]] for chart in (old, new))
    if before[0] != after[0]:
        yield f"chart {name}: columns changed from {before[0]} to {after[0]}"
    elif list(map(len, before)) != list(map(len, after)):
        yield f"chart {name}: has {len(after) - 1} rows of {len(after[-1])}, had {len(before) - 1} of {len(before[-1])}"
    else:
        for number, (left, right) in enumerate(zip(before[1:], after[1:], strict=True), start=1):
            for column, *pair in zip(before[0], left, right, strict=False):
                was, now = map(_number, pair)
                if not _same(was, now, old.get("rtol", DEFAULT_RTOL)):
                    yield _moved(f"chart {name}, row {number} ({left[0]}), column {column}", was, now)


def _number(text: str) -> float | str:
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    return text


def _same(old: Any, new: Any, rtol: float) -> bool:
    if is_number(old) and is_number(new):
        return math.isclose(old, new, rel_tol=rtol, abs_tol=ZERO)
    return type(old) is type(new) and old == new


def verdict(report: Report, notebooks: Path, *, accept: bool) -> tuple[bool, list[str]]:
    """Compare a good report with its reference; with ``accept`` record it as the new one.

    Returns whether all is well (always after accepting) and the lines to print. A report without results and charts
    is never well, nor is a reference without them.
    """
    path, name, new, old = reference_file(notebooks, report.notebook), report.notebook, recorded(report), None
    count = f"{len(new['results'])} results, {len(new['charts'])} charts"
    if not new["results"] and not new["charts"]:
        return False, [f"empty     {name}  it records no result and shows no chart, so there is nothing to check"]
    executed = json.loads(report.files["executed.ipynb"])
    if _prints_constants(executed):
        return False, [f"empty     {name}  its regression cell prints what is written in it, so it can never differ"]
    try:
        old = load(path)
    except KbioError as problem:
        if not accept:
            return False, [f"unread    {name}  {problem}"]
    differences = compare(old, new) if old else []
    said = ("moved", f"{len(differences)} moved") if differences else ("ok", f"as recorded: {count}")
    status, words = said if old else ("none", "no reference yet")
    lines = [f"{status:<9} {name}  {words}", *(f"          {difference}" for difference in differences)]
    if not accept:
        meant = [f"          if this is meant: kbio check {name} --accept"]
        return (True, lines) if old is not None and not differences else (False, [*lines, *meant])
    store_printed(notebooks / f"{name}.ipynb", executed)
    if old == new:
        return True, lines
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, (json.dumps(new, ensure_ascii=False, indent=1) + "\n").encode())
    return True, [*lines, f"accepted  {name}  {count} recorded in {path.name}"]


def store_printed(notebook: Path, executed: Mapping[str, Any]) -> None:
    """Keep in the notebook what its regression cells printed: nbval compares with that."""
    printed = {cell.get("id"): cell["outputs"] for cell in executed["cells"] if _is_regression(cell)}
    if not printed or not notebook.exists():
        return
    kept = read_json(notebook.read_bytes())
    code = [cell for cell in kept["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        if _is_regression(cell) and cell.get("id") in printed:
            cell |= {"outputs": printed[cell["id"]], "execution_count": number}
    with explained(notebook):
        write_file(notebook, (json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())


def _is_regression(cell: Mapping[str, Any]) -> bool:
    return REGRESSION in cell["metadata"].get("tags", ())


def _prints_constants(executed: Mapping[str, Any]) -> bool:
    """Whether a regression cell, tagged for nbval to compare, names nothing that the notebook computed."""
    for cell in executed["cells"]:
        if _is_regression(cell):
            with suppress(SyntaxError):
                names = {node.id for node in ast.walk(ast.parse("".join(cell["source"]))) if isinstance(node, ast.Name)}
                if names <= {*dir(builtins)}:
                    return True
    return False


def orphans(notebooks: Path, known: Iterable[str]) -> list[str]:
    """A line for each reference that no notebook stands behind."""
    names = set(known)
    found = sorted(path.stem for path in (notebooks / "references").glob("*.json"))
    return [f"orphan    {name}  a reference without a notebook; delete it" for name in found if name not in names]
