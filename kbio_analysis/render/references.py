"""What a notebook gave when it was last accepted, and what has moved since.

One file a notebook, ``notebooks/references/<notebook>.json``: its answer in words, every recorded result with unit,
meaning and tolerance, and the data of every chart as CSV lines, so that a change reads well in a diff. What it was
made from (question, parameters, hashes of tables, records read) and the words beside a chart are kept for notebooks
composed from it; they are no results, and a difference in them is none.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kbio_analysis.errors import KbioError
from kbio_analysis.render.job import Report
from kbio_analysis.render.outputs import DEFAULT_RTOL, collect

# Amounts are in US$ million, percent or probabilities: below this a difference from zero is rounding, not a result.
ZERO = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that moved. ``name`` is a result's name, or chart, row and column; ``what`` says how it moved."""

    name: str
    what: str
    old: object = None
    new: object = None
    relative: float | None = None

    def __str__(self) -> str:
        if self.what != "moved":
            return f"{self.name}: {self.what}"
        share = "" if self.relative is None else f" (relative difference {self.relative:.3g})"
        return f"{self.name}: {self.old!r} -> {self.new!r}{share}"


def reference_file(notebooks: Path, notebook: str) -> Path:
    return notebooks / "references" / f"{notebook}.json"


def recorded(report: Report) -> dict[str, Any]:
    """What a reference file holds, from a good report."""
    return recorded_in(report.result, report.files["executed.ipynb"])


def recorded_in(result: Mapping[str, Any], executed: bytes) -> dict[str, Any]:
    """The same from the content of a good report's result.json and the bytes of its executed notebook."""
    shown = collect(json.loads(executed))
    inputs = result.get("inputs") or {}
    charts = {
        name: {
            "rtol": chart.get("rtol", DEFAULT_RTOL),
            "caption": str(chart.get("caption", "")),
            "alt": str(chart.get("alt", "")),
            "source": str(chart.get("source", "")),
            "csv": str(chart.get("csv", "")).splitlines(),
        }
        for name, chart in shown.charts.items()
    }
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
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    try:
        known = json.loads(text)
        for part in ("results", "charts"):
            known[part].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KbioError(
            f"{path} is not a reference file; restore it or write it anew with kbio check --accept"
        ) from None
    return known


def save(path: Path, reference: Mapping[str, Any]) -> None:
    from kbio_analysis.render.publish import write_file

    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, (json.dumps(reference, ensure_ascii=False, indent=1) + "\n").encode())


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Everything that moved by more than the tolerance that was accepted with it: answer, results, charts."""
    answers = [old.get("answer"), new.get("answer")]
    spoken = [] if answers[0] == answers[1] else [_moved("answer", *answers)]
    results = _each(old["results"], new["results"], "result", _result_moved)
    charts = _each(old["charts"], new["charts"], "chart", _chart_moved)
    return [*spoken, *results, *charts]


def _each(old: Mapping[str, Any], new: Mapping[str, Any], what: str, moved: Any) -> Iterator[Difference]:
    for name in old:
        if name in new:
            yield from moved(name, old[name], new[name])
        else:
            yield Difference(name=name, what=f"{what} is gone")
    for name in new:
        if name not in old:
            yield Difference(name=name, what=f"{what} is new")


def _result_moved(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    rtol = old.get("rtol", DEFAULT_RTOL)
    if not _same(old["value"], new["value"], rtol):
        yield _moved(name, old["value"], new["value"])
    for part in ("unit", "rtol"):
        if old.get(part) != new.get(part):
            words = {"unit": "unit", "rtol": "tolerance"}[part]
            yield Difference(name=name, what=f"{words} changed from {old.get(part)!r} to {new.get(part)!r}")


def _chart_moved(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = _table(old["csv"]), _table(new["csv"])
    head = before[0] if before else []
    if head != (after[0] if after else []):
        yield Difference(name=f"chart {name}", what=f"columns changed from {head} to {after[0] if after else []}")
        return
    if len(before) != len(after):
        yield Difference(name=f"chart {name}", what=f"has {len(after) - 1} rows, had {len(before) - 1}")
        return
    rtol = old.get("rtol", DEFAULT_RTOL)
    for number, (left, right) in enumerate(zip(before[1:], after[1:], strict=True), start=1):
        for column, was, now in zip(head, left, right, strict=False):
            if not _same(_number(was), _number(now), rtol):
                label = f"chart {name}, row {number} ({left[0]}), column {column}"
                yield _moved(label, _number(was), _number(now))
        if len(left) != len(right):
            yield Difference(name=f"chart {name}, row {number}", what=f"has {len(right)} cells, had {len(left)}")


def _table(lines: list[str]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("\n".join(lines))))


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(old: object, new: object, rtol: float) -> bool:
    if _is_number(old) and _is_number(new):
        return math.isclose(old, new, rel_tol=rtol, abs_tol=ZERO)  # type: ignore[arg-type]
    return type(old) is type(new) and old == new


def _moved(name: str, old: object, new: object) -> Difference:
    relative = None
    if _is_number(old) and _is_number(new) and old != 0:
        relative = abs(new - old) / abs(old)  # type: ignore[operator]
    return Difference(name=name, what="moved", old=old, new=new, relative=relative)


def verdict(report: Report, notebooks: Path, *, accept: bool) -> tuple[bool, list[str]]:
    """Compare a good report with its reference; with ``accept`` record it as the new one.

    Returns whether all is well (always after accepting) and the lines to print.
    """
    path = reference_file(notebooks, report.notebook)
    new, old = recorded(report), load(path)
    count = f"{len(new['results'])} results, {len(new['charts'])} charts"
    if old is None:
        differences, lines = [], [f"none      {report.notebook}  no reference yet"]
    else:
        differences = compare(old, new)
        moved = f"{len(differences)} moved" if differences else f"as recorded: {count}"
        lines = [f"{'moved' if differences else 'ok':<9} {report.notebook}  {moved}"]
        lines += [f"          {difference}" for difference in differences]
    if old == new or (old is not None and not differences and not accept):
        return True, lines
    if accept:
        save(path, new)
        return True, [*lines, f"accepted  {report.notebook}  {count} recorded in {path.name}"]
    return False, [*lines, f"          if this is meant: kbio check {report.notebook} --accept"]
