"""Rows of a table of many sets: which results vary, what stands above a column, in a cell, and in the CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kbio_analysis.render.compare import ABSENT, exact, same
from kbio_analysis.render.entries import Entry
from kbio_analysis.render.page_values import as_csv, format_setting, format_value

WHOLE_FROM = 10_000


def recorded(reports: Sequence[Entry]) -> list[str]:
    """The names of all results of the reports, in the order of their recording."""
    return list(dict.fromkeys(name for report in reports for name in report.results))


def changed(reports: Sequence[Entry]) -> tuple[str, ...]:
    """The parameters in which any of the reports departs from what is usual."""
    return tuple(sorted({name for report in reports for name in report.changed}))


def varies(records: Sequence[Mapping[str, Any] | None]) -> bool:
    """Whether the same result of several reports (None: not recorded) differs in value or unit."""
    first = records[0]
    return any(
        (r is None) != (first is None)
        or (r is not None and (r["unit"] != first["unit"] or not same(r["value"], first["value"])))
        for r in records[1:]
    )


def head(name: str, reports: Sequence[Entry]) -> dict[str, Any]:
    """What stands above a column; the unit only if all reports agree on it; ``num`` unless it holds words alone.

    ``whole`` if its numbers run into the thousands: there decimals only hinder the eye; the CSV has them.
    """
    records = [r.results[name] for r in reports if name in r.results]
    units = {record["unit"] for record in records}
    kind = "words" if all(isinstance(record["value"], str) for record in records) else "num"
    unit = units.pop() if len(units) == 1 else ""
    sizes = [abs(record["value"]) for record in records if isinstance(record["value"], float)]
    whole = max(sizes, default=0) >= WHOLE_FROM
    return {"name": name, "meaning": records[0]["meaning"], "unit": unit, "kind": kind, "whole": whole}


def setting(value: Any) -> str:
    """A parameter's value in a cell; empty where the report has no such parameter."""
    return "" if value is ABSENT else format_setting(value)


def cell(record: Mapping[str, Any] | None, above: Mapping[str, Any]) -> tuple[str, float | None, str]:
    """A result as it is shown, as it sorts, and the kind of its column."""
    if record is None:
        return "", None, above["kind"]
    value, unit = record["value"], record["unit"]
    rounded = round(value) if above["whole"] and isinstance(value, float) else value
    text = format_value(rounded, unit) + (f" {unit}" if unit != above["unit"] else "")
    number = isinstance(value, int | float) and not isinstance(value, bool) and unit == above["unit"]
    return text, float(value) if number else None, above["kind"]


def wide_csv(reports: Sequence[Entry], parameters: Sequence[str]) -> str:
    """A line a set: the parameters that vary, then every result, exact, with its unit in the heading if it has one."""
    heads = [head(name, reports) for name in recorded(reports)]
    header = ["set", *parameters, *(f"{h['name']} [{h['unit']}]" if h["unit"] else h["name"] for h in heads)]
    lines = [
        [
            report.set,
            *(exact(report.made_with.get(name, ABSENT)) for name in parameters),
            *(exact(report.results.get(above["name"], {}).get("value")) for above in heads),
        ]
        for report in reports
    ]
    return as_csv(header, lines)
