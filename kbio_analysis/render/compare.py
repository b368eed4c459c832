"""Scenarios side by side: which reports are meant, which of their parameters differ, and by how much their results do.

The first report is the yardstick: every difference is another report's value less the first one's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kbio_analysis.errors import UsageError
from kbio_analysis.render.entries import Entry
from kbio_analysis.render.page_values import as_csv, format_setting, format_value

ABSENT = type("Absent", (), {"__repr__": lambda self: "absent", "__slots__": ()})()
"""Stands where a report has no such parameter or result; None is a value like any other."""

MINUS = "\N{MINUS SIGN}"
_AS_POINTS = ("%", "per cent", "percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterLine:
    """A parameter that differs; one value a report, ABSENT where the notebook has no such parameter."""

    name: str
    values: tuple[Any, ...]

    def text(self, column: int) -> str:
        """The value as an analyst would type it."""
        value = self.values[column]
        return "not a parameter" if value is ABSENT else format_setting(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """One result in every report; ``units`` are its units there, ABSENT values have the unit ''."""

    name: str
    meaning: str
    values: tuple[Any, ...]
    units: tuple[str, ...]

    @property
    def unit(self) -> str | None:
        """The unit all reports agree on; None if they do not."""
        known = {unit for unit, value in zip(self.units, self.values, strict=True) if value is not ABSENT}
        return known.pop() if len(known) == 1 else None

    @property
    def differs(self) -> bool:
        """Whether any report says otherwise than the first, in value or in unit."""
        return self.unit is None or any(not same(self.values[0], value) for value in self.values[1:])

    def difference(self, column: int) -> float | None:
        """The value less the first report's; None unless both are numbers in the same unit."""
        first, value = self.values[0], self.values[column]
        if _is_number(first) and _is_number(value) and self.units[0] == self.units[column]:
            return float(value - first)
        return None

    def text(self, column: int) -> str:
        """The value as a reader wants it, with its unit where the reports disagree on it."""
        value = self.values[column]
        if value is ABSENT:
            return "not recorded"
        shown = format_value(value, self.units[column])
        return f"{shown} {self.units[column]}" if self.unit is None and self.units[column] else shown

    def difference_text(self, column: int) -> str:
        """The difference with its sign, to the digits of the values; in words where there is none to compute."""
        if ABSENT in (self.values[0], self.values[column]):
            return ""
        if self.units[0] != self.units[column]:
            return "other unit"
        if same(self.values[0], self.values[column]):
            return "same"
        difference = self.difference(column)
        if difference is None:
            return "differs"
        shown = max(_decimals(self.text(0)), _decimals(self.text(column)))
        text = f"{abs(difference):,.{shown}f}"
        if not any(digit in text for digit in "123456789") or "e" in self.text(0) + self.text(column):
            text = format_value(abs(difference))
        return f"{'+' if difference > 0 else MINUS}{text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Reports side by side, the first one the yardstick; ``parameters`` are those that differ."""

    reports: tuple[Entry, ...]
    parameters: tuple[ParameterLine, ...]
    same_parameters: int
    results: tuple[ResultLine, ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """What to call each report: its set, with the notebook where there are several."""
        one = len({report.notebook for report in self.reports}) == 1
        return [report.set if one else report.label for report in self.reports]

    def csv(self) -> str:
        """Parameters and results with exact values, then every difference to the first report."""
        first, *others = self.names
        header = ["kind", "name", "unit", "meaning", first, *others, *(f"{name} less {first}" for name in others)]
        rows: list[list[Any]] = []
        for line in self.parameters:
            rows.append(["parameter", line.name, "", "", *map(exact, line.values), *("" for _ in others)])
        for line in self.results:
            unit = "units differ" if line.unit is None else line.unit
            differences = [line.difference(column) for column in range(1, len(line.values))]
            rows.append(["result", line.name, unit, line.meaning, *map(exact, line.values), *differences])
        return as_csv(header, rows)


def resolve(entries: Sequence[Entry], wanted: Sequence[str]) -> list[Entry]:
    """The reports asked for, as ``NOTEBOOK/SET`` or as ``SET`` where the notebook goes without saying.

    A notebook's name may be cut short (``11/default``). It goes without saying if only one notebook
    has that set, or if one of the several is the notebook of the others asked for.
    Raises UsageError naming every request that fits none or several, and for fewer than two or the same one twice.
    """
    if len(wanted) < 2:
        raise UsageError("compare takes two sets or more, such as: kbio compare default high_growth")
    fitting = [[e for e in entries if _fits(e, request)] for request in wanted]
    certain = {found[0].notebook for found in fitting if len(found) == 1}
    common = set.intersection(*({e.notebook for e in found} for found in fitting))
    # What is ambiguous may be clear once the unknown ones are mended, so the unknown are told first.
    mistakes = [_unknown(request, entries) for request, found in zip(wanted, fitting, strict=True) if not found]
    chosen = []
    for request, found in zip(wanted, fitting, strict=True) if not mistakes else ():
        nearer = [e for e in found if e.notebook in (certain or common)] if len(found) > 1 else found
        chosen += nearer if len(nearer) == 1 else []
        if len(nearer) != 1:
            mistakes.append(f"set {request!r} may be {_either(e.label for e in nearer or found)}: write NOTEBOOK/SET")
    if not mistakes:
        labels = [e.label for e in chosen]
        mistakes = [f"{label} is named twice" for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return chosen


def compared(reports: Sequence[Entry]) -> Comparison:
    """The reports side by side.

    Reports of one notebook are compared in every result that any of them has, reports of several in those they share.
    Raises UsageError for a report without results, and for notebooks that share none.
    """
    empty = [report for report in reports if not report.results]
    if empty:
        raise UsageError("\n".join(f"{e.label} has no results to compare ({_why_empty(e)})" for e in empty))
    notebooks = {report.notebook for report in reports}
    shared = [name for name in reports[0].results if all(name in report.results for report in reports)]
    every = list(dict.fromkeys(name for report in reports for name in report.results))
    if not shared:
        raise UsageError(f"{_either(r.label for r in reports)} share no result, so there is nothing to compare")
    chosen = every if len(notebooks) == 1 else shared
    lines = tuple(_result_line(name, reports) for name in chosen)
    parameters = _parameter_lines(reports)
    differing = tuple(line for line in parameters if any(not same(line.values[0], v) for v in line.values[1:]))
    notes = [f"{r.label}: its last run failed; shown is the good run before it." for r in reports if not r.good]
    if len(chosen) < len(every):
        notes.append(f"{len(every) - len(chosen)} results that not all of these notebooks record are left out.")
    notes += [f"{line.name}: the units differ, so no difference is taken." for line in lines if line.unit is None]
    if any(points_unit(line.unit or "") for line in lines):
        notes.append("A difference between two percentages is in percentage points.")
    return Comparison(
        reports=tuple(reports),
        parameters=differing,
        same_parameters=len(parameters) - len(differing),
        results=lines,
        notes=tuple(notes),
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same; true is not 1, and nothing equals what is absent but itself."""
    if _is_number(one) and _is_number(other):
        return one == other
    return type(one) is type(other) and one == other


def exact(value: Any) -> Any:
    """The value as it stands in a CSV: unrounded, truth as yes or no, nothing for what is absent."""
    if value is ABSENT:
        return ""
    return format_setting(value) if isinstance(value, bool | list | tuple | dict) else value


def points_unit(unit: str) -> bool:
    """Whether the unit is a percentage, whose differences are points."""
    return unit.lower().startswith(_AS_POINTS)


def _fits(entry: Entry, request: str) -> bool:
    notebook, slash, name = request.strip("/").rpartition("/")
    return entry.set == name and (not slash or (notebook != "" and entry.notebook.startswith(notebook)))


def _result_line(name: str, reports: Sequence[Entry]) -> ResultLine:
    records = [report.results.get(name) for report in reports]
    return ResultLine(
        name=name,
        meaning=next(r["meaning"] for r in records if r is not None),
        values=tuple(ABSENT if r is None else r["value"] for r in records),
        units=tuple("" if r is None else r["unit"] for r in records),
    )


def _parameter_lines(reports: Sequence[Entry]) -> list[ParameterLine]:
    names = dict.fromkeys(name for report in reports for name in report.made_with)
    return [
        ParameterLine(name=name, values=tuple(report.made_with.get(name, ABSENT) for report in reports))
        for name in names
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _decimals(text: str) -> int:
    number = text.split(" ", 1)[0]
    return len(number.rpartition(".")[2]) if "." in number else 0


def _either(labels: Iterable[str]) -> str:
    names = list(labels)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _unknown(request: str, entries: Sequence[Entry]) -> str:
    names = dict.fromkeys([e.set for e in entries] + [e.label for e in entries])
    near = get_close_matches(request, list(names), n=1, cutoff=0.5)
    if near:
        return f"no set {request!r}; did you mean {near[0]}?"
    listed = ", ".join(e.label for e in entries[:5]) + (", ..." if len(entries) > 5 else "")
    return f"no set {request!r}; there is {listed or 'no report yet: run kbio render'}"


def _why_empty(entry: Entry) -> str:
    if entry.good:
        return "its notebook records none"
    return f"its last run: {entry.status}" + (f", see {entry.log}" if entry.log else "")
