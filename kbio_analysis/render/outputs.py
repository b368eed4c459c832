"""What an executed notebook put on show: its records, charts and answer; and its outputs made fit to keep, that is the
same bytes on every machine: without paths, process numbers, addresses of objects and times."""

from __future__ import annotations

import ast
import math
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.formats import plain_text

MIME = "application/vnd.kbio.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
DEFAULT_RTOL = 1e-9

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DRAWN = ("svg", "svg_narrow", "csv")
_VOLATILE = ("papermill", "execution", "collapsed", "scrolled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """``results``: name -> record (value, unit, meaning, rtol). ``charts``: id -> payload. ``answer``: plain text."""

    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    charts: dict[str, dict[str, Any]] = field(default_factory=dict)
    answer: str | None = None


def collect(notebook: Mapping[str, Any], recorded: Iterable[str] = ()) -> Shown:
    """Gather what the notebook showed.

    Raises ExecutionError for a record or chart no report may carry, and for a result among those ``recorded`` that is
    not shown: what is put on record must arrive.
    """
    results: dict[str, dict[str, Any]] = {}
    charts: dict[str, dict[str, Any]] = {}
    answers: list[str] = []
    for number, shown in _payloads(notebook):
        kind = shown.get("kind")
        if kind == "record":
            name = _checked_record(shown, f"cell {number}: result {shown.get('name')!r}", results)
            results[name] = {key: shown.get(key) for key in ("value", "unit", "meaning")}
            results[name]["rtol"] = shown.get("rtol", DEFAULT_RTOL)
        elif kind == "chart":
            name = str(shown.get("id"))
            _check(shown, f"cell {number}: chart {name!r}", name in charts)
            charts[name] = dict(shown)
        elif kind == "answer":
            answers.append(plain_text(str(shown.get("text", ""))))
    if held_back := [name for name in recorded if name not in results]:
        raise ExecutionError(
            f"on record but not shown: {', '.join(held_back)}; a cell holds its output back (%%capture, clear_output)"
        )
    return Shown(results=results, charts=charts, answer=answers[0] if answers else None)


def _payloads(notebook: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    code = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    for number, cell in enumerate(code, start=1):
        for output in cell["outputs"]:
            if WIDGET in output.get("data", {}):
                raise ExecutionError(f"cell {number} shows a widget, which no report can hold; show a value or a chart")
            payload = output.get("data", {}).get(MIME)
            if isinstance(payload, Mapping):
                yield number, payload


def _checked_record(shown: Mapping[str, Any], where: str, known: Mapping[str, object]) -> str:
    name, value = shown.get("name"), shown.get("value")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ExecutionError(f"{where} has no snake_case name")
    if value is not None and not isinstance(value, bool | int | float | str):
        raise ExecutionError(f"{where} is a {type(value).__name__}; a result is a number, text, true/false or null")
    # A Jupyter kernel sends a number that JSON cannot hold as its name.
    if value in ("nan", "inf", "-inf") or (isinstance(value, float) and not math.isfinite(value)):
        raise ExecutionError(f"{where} is {value}; record null and say why, or mend the calculation")
    _check(shown, where, name in known)
    return name


def _check(shown: Mapping[str, Any], where: str, known: bool) -> None:
    if known:
        raise ExecutionError(f"{where} is shown a second time; every name is used once")
    rtol = shown.get("rtol", DEFAULT_RTOL)
    if not isinstance(rtol, int | float) or not 0 <= rtol < 1:
        raise ExecutionError(f"{where} has the tolerance {rtol!r}; it lies between 0 and 1")


def make_reproducible(notebook: Mapping[str, Any], data: str | None) -> None:
    """Take out of an executed notebook, in place, what differs from run to run or names the machine."""
    for part in (notebook, *notebook["cells"]):
        for key in _VOLATILE:
            part["metadata"].pop(key, None)
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = _joined(cell["outputs"])
        for output in cell.get("outputs", []):
            for key in ("text", "data", "traceback", "evalue"):
                if key in output:
                    output[key] = _without_machine_within(output[key], data)


def _joined(outputs: list[Any]) -> list[Any]:
    """Streams arrive in pieces cut by the clock: between other outputs, one piece of stdout, then one of stderr."""
    joined: list[Any] = []
    for streaming, group in groupby(outputs, key=lambda output: output["output_type"] == "stream"):
        pieces = list(group)
        if not streaming:
            joined += pieces
            continue
        for name in ("stdout", "stderr"):
            text = "".join("".join(piece["text"]) for piece in pieces if piece["name"] == name)
            # As a terminal would show it in the end: a lone carriage return overwrites its line.
            text = re.sub(r"(?m)^.*\r", "", text.replace("\r\n", "\n"))
            if text:
                joined.append(type(pieces[0])(output_type="stream", name=name, text=text))
    return joined


def _without_machine_within(value: Any, data: str | None) -> Any:
    """The same structure with every text treated so, except images and what a chart draws."""
    if isinstance(value, str):
        return without_machine(value, data)
    if isinstance(value, list):
        return [_without_machine_within(item, data) for item in value]
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _DRAWN and not str(key).startswith("image/"):
                value[key] = _without_machine_within(item, data)
    return value


def without_machine(text: str, data: str | None = None) -> str:
    """The text without machine paths, process numbers and addresses of objects; ``data`` is the tables' folder."""
    for pattern, instead in _machine(data):
        text = pattern.sub(instead, text)
    return _ADDRESS.sub("", text)


@cache
def _machine(data: str | None) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns of this machine's own paths, the more particular before the more general."""
    bases = [Path(tempfile.gettempdir()), Path("/tmp")]
    if bases[0].name.startswith("run-"):  # a report's own, in the folder of who makes it
        bases.append(bases[0].parents[1])
    temporary = "|".join(re.escape(str(folder)) for folder in bases)
    patterns = [
        (rf"(?:/private)?(?:{temporary})/ipykernel_\d+/\d+\.py", "<cell>"),
        (rf"(?:/private)?(?:{temporary})/kbio-\w{{8}}/run-\w{{8}}(?:/work)?", "."),
    ]
    folders = {
        data or "": "data",
        sysconfig.get_path("purelib"): "site-packages",
        sysconfig.get_path("platlib"): "site-packages",
        sysconfig.get_path("stdlib"): "python",
        sys.prefix: "python",
        sys.base_prefix: "python",
        str(Path(__file__).resolve().parents[2]): ".",
        str(Path.home()): "~",
    }
    for folder in sorted((folder for folder in folders if len(folder) > 1), key=len, reverse=True):
        patterns.append((rf"{re.escape(folder)}(?![\w.-])", folders[folder]))
    return tuple((re.compile(pattern), instead) for pattern, instead in patterns)


# ---- which tables stand behind what a cell shows: those its lines asked for, and those its names were made from

NOT_SHOWN = {"sources"}  # whom to name; every table refers to it


def mark_tables(cells: Iterable[Any], lines: Iterable[tuple[str, int, str]]) -> None:
    """Write into the metadata of each code cell, under ``kbio``, the ``tables`` behind it.

    ``lines``: cell, line and table of every reading. Names are followed statement by statement; what a name once was
    no longer counts when it is given anew.
    """
    made: dict[str, set[str]] = {}
    for number, cell in enumerate((cell for cell in cells if cell["cell_type"] == "code"), start=1):
        asked = [
            (line, table) for place, line, table in lines if place == f"<cell {number}>" and table not in NOT_SHOWN
        ]
        try:
            statements = ast.parse(cell["source"]).body
        except SyntaxError:  # a cell of prose
            continue
        behind: set[str] = set()
        for statement in statements:
            own = {table for line, table in asked if statement.lineno <= line <= (statement.end_lineno or 0)}
            behind |= _followed(statement, own, made)
        if behind:
            cell["metadata"].setdefault("kbio", {})["tables"] = sorted(behind)


def _followed(statement: ast.stmt, own: set[str], made: dict[str, set[str]]) -> set[str]:
    """The tables behind one statement; what it gives a name to is made from them."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    behind = own.union(*(made.get(node.id, ()) for node in names if isinstance(node.ctx, ast.Load)))
    adds = not isinstance(statement, ast.Assign | ast.AnnAssign)
    for node in names:
        if isinstance(node.ctx, ast.Store):
            made[node.id] = behind | (made.get(node.id, set()) if adds else set())
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            root = next((part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)), "")
            made[root] = made.get(root, set()) | behind
    return behind
