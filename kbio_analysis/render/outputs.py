"""What an executed notebook put on show: its records, charts and answer; and its outputs made fit to keep, that is the
same bytes on every machine: without paths, process numbers, addresses of objects and times."""

import ast
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.formats import markdown

MIME = "application/vnd.kbio.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
DEFAULT_RTOL = 1e-9

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DRAWN = ("svg", "csv")
_VOLATILE = ("papermill", "execution", "collapsed", "scrolled")
Named = dict[str, dict[str, Any]]


def collect(notebook: Mapping[str, Any], recorded: Iterable[str] = ()) -> tuple[Named, Named, str | None]:
    """What the notebook showed: result's name -> record (value, unit, meaning, rtol), chart's id -> payload, and the
    answer as plain text.

    Raises ExecutionError for a record or chart no report may carry, and for a result among those ``recorded`` that is
    not shown: what is put on record must arrive.
    """
    found: dict[str, Named] = {"record": {}, "chart": {}, "answer": {}}
    code = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    for number, output in ((number, output) for number, cell in enumerate(code, start=1) for output in cell["outputs"]):
        data = output.get("data", {})
        if WIDGET in data:
            raise ExecutionError(f"cell {number} shows a widget, which no report can hold; show a value or a chart")
        shown = data.get(MIME)
        if not isinstance(shown, Mapping) or (kind := shown.get("kind")) not in found:
            continue
        name = str(shown.get("id" if kind == "chart" else "name"))
        if kind != "answer" and (wrong := _wrong(name, shown, found[kind])):
            raise ExecutionError(f"cell {number}: {'chart' if kind == 'chart' else 'result'} {name!r} {wrong}")
        found[kind].setdefault(name, shown)
    if held_back := [name for name in recorded if name not in found["record"]]:
        raise ExecutionError(
            f"on record but not shown: {', '.join(held_back)}; a cell holds its output back (%%capture, clear_output)"
        )
    keys = {"value": None, "unit": None, "meaning": None, "rtol": DEFAULT_RTOL}
    results = {name: {key: one.get(key, usual) for key, usual in keys.items()} for name, one in found["record"].items()}
    answers = [markdown(str(one.get("text", ""))).striptags() for one in found["answer"].values()]
    return results, found["chart"], answers[0] if answers else None


def _wrong(name: str, shown: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Why a record or chart cannot be carried; empty if it can."""
    value, rtol = shown.get("value"), shown.get("rtol", DEFAULT_RTOL)
    if name in known:
        return "is shown a second time; every name is used once"
    # A Jupyter kernel sends a number that JSON cannot hold as its name.
    told = isinstance(value, bool | int | float | str | None) and str(value) not in ("nan", "inf", "-inf")
    named = shown["kind"] == "chart" or _NAME.fullmatch(name)
    if told and named and isinstance(rtol, int | float) and 0 <= rtol < 1:
        return ""
    rule = "a snake_case name, a finite number, text, true/false or null, and a tolerance between 0 and 1"
    return f"cannot be carried, {value!r} with the tolerance {rtol!r}; record {rule}"


def make_reproducible(notebook: Mapping[str, Any], data: str | None) -> None:
    """Take out of an executed notebook, in place, what differs from run to run or names the machine."""
    for part in (notebook, *notebook["cells"]):
        for key in _VOLATILE:
            part["metadata"].pop(key, None)
        if "outputs" in part:
            part["outputs"] = _without_machine_within(_joined(part["outputs"]), data)


def _joined(outputs: list[Any]) -> list[Any]:
    """Streams arrive in pieces cut by the clock: between other outputs, one piece of stdout, then one of stderr."""
    joined: list[Any] = []
    for streaming, group in groupby(outputs, key=lambda output: output["output_type"] == "stream"):
        pieces = list(group)
        for name in ("stdout", "stderr") if streaming else ():
            text = "".join("".join(piece["text"]) for piece in pieces if piece["name"] == name)
            # As a terminal would show it in the end: a lone carriage return overwrites its line.
            text = re.sub(r"(?m)^.*\r", "", text.replace("\r\n", "\n"))
            joined += [type(pieces[0])(output_type="stream", name=name, text=text)] if text else []
        joined += [] if streaming else pieces
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
    for mark, (pattern, instead) in _machine(data).items():
        if mark in text:  # seen far sooner than a pattern
            text = re.sub(pattern, instead, text)
    return text


@cache
def _machine(data: str | None) -> dict[str, tuple[str, str]]:
    """What marks this machine's own paths, the more particular before the more general: the pattern that finds each,
    and what stands for it."""
    here = Path(tempfile.gettempdir())
    bases = "|".join(re.escape(str(base)) for base in (here, *here.parents[:-1], "/tmp"))
    found = {
        "/ipykernel_": (rf"(?:/private)?(?:{bases})/ipykernel_\d+/\d+\.py", "<cell>"),
        "/kbio-": (rf"(?:/private)?(?:{bases})/kbio-\w{{8}}/run-\w+(?:/work)?", "."),
    }
    folders = {
        data or "": "data",
        sysconfig.get_path("purelib"): "site-packages",
        sysconfig.get_path("platlib"): "site-packages",
        sys.prefix: "python",
        sys.base_prefix: "python",
        str(Path(__file__).resolve().parents[2]): ".",
        str(Path.home()): "~",
    }
    for folder in sorted((folder for folder in folders if len(folder) > 1), key=len, reverse=True):
        found[folder] = rf"{re.escape(folder)}(?![\w.-])", folders[folder]
    return found | {" at 0x": (" at 0x[0-9a-fA-F]+", "")}


# ---- which tables stand behind what a cell shows: those its lines asked for, and those its names were made from


def mark_tables(cells: Iterable[Any], lines: Iterable[tuple[str, int, str]]) -> None:
    """Write into the metadata of each code cell, under ``kbio``, the ``tables`` behind it.

    ``lines``: cell, line and table of every reading, but for ``sources``, which says whom to name. Names are followed
    statement by statement; what a name once was no longer counts when it is given anew.
    """
    made: dict[str, set[str]] = {}
    for number, cell in enumerate((cell for cell in cells if cell["cell_type"] == "code"), start=1):
        asked, shown = [(line, table) for place, line, table in lines if place == f"<cell {number}>"], set()
        for within, read, given in _statements(cell["source"]):
            behind = {table for line, table in asked if line in within} - {"sources"}
            behind.update(*(made.get(name, ()) for name in read))
            for name, anew in given:
                made[name] = behind | (set() if anew else made.get(name, set()))
            shown |= behind
        if shown:
            cell["metadata"].setdefault("kbio", {})["tables"] = sorted(shown)


@lru_cache(maxsize=1024)
def _statements(source: str) -> list[tuple[range, list[str], list[tuple[str, bool]]]]:
    """Of each statement of a cell its lines, the names it reads, and those that it gives, with whether anew."""
    found = []
    with suppress(SyntaxError):  # a cell of prose has none
        for statement in ast.parse(source).body:
            used = [node for node in ast.walk(statement) if hasattr(node, "ctx")]
            read = [node.id for node in used if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
            given = []
            for node in (node for node in used if isinstance(node.ctx, ast.Store)):
                name = next((part.id for part in ast.walk(node) if isinstance(part, ast.Name)), "")
                # An item, an attribute, a loop and += leave what was there.
                anew = isinstance(node, ast.Name) and isinstance(statement, ast.Assign | ast.AnnAssign)
                given.append((name, anew))
            found.append((range(statement.lineno, statement.end_lineno + 1), read, given))
    return found
