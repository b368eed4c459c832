"""Scenarios side by side: which reports are meant, which of their parameters differ, and by how much their results do.

The first report is the yardstick: every difference is another report's value less the first one's.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kbio_analysis.errors import KbioError, UsageError, did_you_mean
from kbio_analysis.render.batches import read_batches, values_named
from kbio_analysis.render.formats import format_setting, format_value, plain
from kbio_analysis.render.notebooks import notebooks_dir, select
from kbio_analysis.render.parameters import read
from kbio_analysis.render.publish import DEFAULT_SET
from kbio_analysis.render.results import SiteReport, csv_text, exact, is_number

ABSENT: Any = ...  # where a report has no such parameter or result; None is a value like any other
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A parameter or a result in every report, in the reports' order; ``unit`` is the one all agree on, else None."""

    kind: str
    name: str
    meaning: str
    values: tuple[Any, ...]
    units: tuple[str, ...]
    unit: str | None

    @property
    def differs(self) -> bool:
        """Whether any report says otherwise than the first, in value or in unit."""
        return self.unit is None or not all(_same(self.values[0], value) for value in self.values)

    @property
    def texts(self) -> list[str]:
        """The values as a reader wants them, with their units where these differ."""
        shown, absent = [], "not a parameter" if self.kind == "parameter" else "not recorded"
        for value, unit in zip(self.values, self.units, strict=True):
            text = format_setting(value) if self.kind == "parameter" else format_value(value, unit)
            shown.append(absent if value is ABSENT else f"{text} {unit}" if self.unit is None and unit else text)
        return shown

    @property
    def exact(self) -> list[Any]:
        """The values as a CSV has them: numbers, and text that says all of anything else."""
        return [v if is_number(v) else "" if v is ABSENT else exact(v) for v in self.values]

    @property
    def less(self) -> list[float | None]:
        """Each value less the first one; None where the two are no numbers of one unit."""
        first, unit = self.values[0], self.units[0]
        pairs = zip(self.values, self.units, strict=True)
        return [float(v - first) if is_number(first) and is_number(v) and u == unit else None for v, u in pairs]

    @property
    def differences(self) -> list[str]:
        """The same with its sign, to the digits of the values; in words where there is none to compute."""
        texts, less, first, words = self.texts, self.less, self.values[0], [""]
        for i, value in list(enumerate(self.values))[1:]:
            if self.kind == "parameter" or ABSENT in (first, value):
                words.append("")
            elif self.units[i] != self.units[0]:
                words.append("other unit")
            elif _same(first, value) or less[i] is None:
                words.append("same" if _same(first, value) else "differs")
            else:
                decimals = max(len(shown.split(" ", 1)[0].partition(".")[2]) for shown in (texts[0], texts[i]))
                size = f"{abs(less[i]):,.{decimals}f}"
                if not any(digit in size for digit in "123456789") or "e" in texts[0] + texts[i]:
                    size = format_value(abs(value - first))
                words.append(f"{'+' if less[i] > 0 else MINUS}{size}")
        return words


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Reports of one notebook side by side, the first one the yardstick; ``parameters`` are those that differ."""

    reports: Sequence[SiteReport]
    parameters: Sequence[Line]
    same_parameters: int
    results: Sequence[Line]
    notes: Sequence[str]

    @property
    def names(self) -> list[str]:
        """What to call each report."""
        return [report.set for report in self.reports]

    def csv(self) -> str:
        """Parameters and results with exact values, then every difference to the first report."""
        names, rows = self.names, []
        for line in (*self.parameters, *self.results):
            less = line.less[1:] if line.kind == "result" else [None] * len(names[1:])
            rows.append([line.kind, line.name, line.unit or "", line.meaning, *line.exact, *less])
        return csv_text(["kind", "name", "unit", "meaning", *names, *(f"{n} less {names[0]}" for n in names[1:])], rows)

    def text(self) -> str:
        """In columns of spaces for a terminal, one line a parameter or result."""
        first, *others = self.names
        rows = [["", "unit", first, *(cell for name in others for cell in (name, "difference"))]]
        for line in (*self.parameters, *self.results):
            texts, name = line.texts, f"-p {line.name}" if line.kind == "parameter" else line.name
            pairs = zip(texts[1:], line.differences[1:], strict=True)
            cells = [name, line.unit or "", texts[0], *(cell for pair in pairs for cell in pair)]
            rows.append([" ".join(plain(cell).split()) for cell in cells])
        sides = [(str.ljust if i < 2 else str.rjust, max(map(len, c))) for i, c in enumerate(zip(*rows, strict=True))]
        texts = ["  ".join(side(cell, width) for cell, (side, width) in zip(row, sides, strict=True)) for row in rows]
        return "\n".join([*map(str.rstrip, texts), "", *self.notes]).rstrip()


def resolve(reports: Sequence[SiteReport], wanted: Sequence[str]) -> list[SiteReport]:
    """The reports asked for, all of one notebook: as ``NOTEBOOK/SET`` (the notebook's name may be cut short), or as
    ``SET`` where one notebook alone has them all.

    Raises UsageError naming every request that fits none, for fewer than two, and for the same one twice.
    """
    if len(wanted) < 2:
        raise UsageError("compare takes two sets or more, such as: kbio compare default high_growth")
    requests = [unicodedata.normalize("NFC", request).strip("/") for request in wanted]
    fitting = [[r for r in reports if _fits(r, request)] for request in requests]
    if unknown := [request for request, found in zip(requests, fitting, strict=True) if not found]:
        raise UsageError("\n".join(_unknown(request, reports) for request in unknown))
    common = set.intersection(*({r.notebook for r in found} for found in fitting))
    if len(common) != 1:
        which = " or ".join(sorted(common)) or "no single notebook"
        raise UsageError(f"the sets to compare are of one notebook, here {which}: write NOTEBOOK/SET")
    chosen = [next(r for r in found if r.notebook in common) for found in fitting]
    labels = [r.label for r in chosen]
    if twice := [label for label in dict.fromkeys(labels) if labels.count(label) > 1]:
        raise UsageError("\n".join(f"{label} is named twice" for label in twice))
    return chosen


def _fits(report: SiteReport, request: str) -> bool:
    notebook, slash, name = request.rpartition("/")
    return report.set == name and (not slash or (notebook != "" and report.notebook.startswith(notebook)))


def _unknown(request: str, reports: Sequence[SiteReport]) -> str:
    if command := _making(request):
        return f"the set {request!r} is not rendered yet; make it by: {command}"
    if near := did_you_mean(request, [r.set for r in reports] + [r.label for r in reports]):
        return f"no set {request!r}{near}"
    listed = ", ".join(r.label for r in reports[:5]) + (", ..." if len(reports) > 5 else "")
    return f"no set {request!r}; there is {listed or 'no report yet: run kbio render'}"


def _making(request: str) -> str:
    """The command that makes a set: the default, one named after its values, or one of the repository's batches."""
    notebook, _, name = request.rpartition("/")
    with suppress(KbioError):
        folder = notebooks_dir()
        known = select(folder, [notebook] if notebook else [])
        if name == DEFAULT_SET and len(known) == 1:
            return f"kbio render {next(iter(known))}"
        for stem, path in known.items():
            if values := values_named(read(path), name):
                return " ".join([f"kbio render {stem}", *(f"-p {key}={value}" for key, value in values.items())])
        for file in sorted((folder.parent / "reports" / "batches").glob("*.yml")):
            sets = read_batches([file], lambda wanted: read(select(folder, [wanted]).popitem()[1]), {})
            if any(one.set_name == name and one.notebook in known for one in sets):
                return f"kbio render --batch {os.path.relpath(file)}"
    return ""


def compared(reports: Sequence[SiteReport]) -> Comparison:
    """Reports of one notebook side by side, in every result that any has. Raises UsageError for one without results."""
    if empty := [r.label for r in reports if not r.results]:
        raise UsageError("\n".join(f"{label} has no results to compare; render it again" for label in empty))
    parameters, results = lines_of(reports)
    differing = [line for line in parameters if line.differs]
    notes = [f"{r.label}: its last run failed; shown is the good run before it." for r in reports if not r.good]
    notes += [f"{line.name}: the units differ, so no difference is taken." for line in results if line.unit is None]
    if any((line.unit or "").lower().startswith(("%", "per cent", "percent")) for line in results):
        notes.append("A difference between two percentages is in percentage points.")
    unchanged = len(parameters) - len(differing)
    return Comparison(reports=reports, parameters=differing, same_parameters=unchanged, results=results, notes=notes)


def lines_of(reports: Sequence[SiteReport]) -> tuple[list[Line], list[Line]]:
    """Every parameter that gave the results of the reports, and every result, each in all of them."""
    made = [{name: {"value": value} for name, value in report.made_with.items()} for report in reports]
    found: list[list[Line]] = []
    for kind, records in (("parameter", made), ("result", [report.results for report in reports])):
        names = dict.fromkeys(name for record in records for name in record)
        found.append([_line(kind, name, [record.get(name) for record in records]) for name in names])
    return found[0], found[1]


def _line(kind: str, name: str, records: Sequence[Any]) -> Line:
    values = tuple(ABSENT if record is None else record["value"] for record in records)
    units = tuple("" if record is None else record.get("unit", "") for record in records)
    known = {unit for unit, value in zip(units, values, strict=True) if value is not ABSENT}
    meaning = next((record["meaning"] for record in records if record and record.get("meaning")), "")
    unit = known.pop() if len(known) == 1 else None
    return Line(kind=kind, name=name, meaning=meaning, values=values, units=units, unit=unit)


def _same(one: Any, other: Any) -> bool:
    """Whether two values say the same; true is not 1, and nothing equals what is absent but itself."""
    return one == other and (type(one) is type(other) or (is_number(one) and is_number(other)))
