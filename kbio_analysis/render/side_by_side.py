"""Pages that set scenarios side by side: one a batch, and one a comparison that somebody asked for.

Reports that name their batch stand on its page; the others on a page of their notebook if it has several. A few sets
of a notebook are compared column by column, many become rows with the results that vary. Failures stand on top.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kbio_analysis.errors import UsageError
from kbio_analysis.render.compare import ABSENT, Comparison, compared, same
from kbio_analysis.render.drawings import line_svg
from kbio_analysis.render.formats import file_name, format_setting, format_value
from kbio_analysis.render.publish import slug
from kbio_analysis.render.ranking import Ranked, Ranking, ranked
from kbio_analysis.render.results import SiteReport, csv_text, exact, is_number

BATCHES, COMPARISONS = "batches", "compare"
FEW_SETS = 5  # as many as stand beside each other in columns
MOST_PANELS = 24  # more are left to their own pages
MOST_COLUMNS = 5  # results in the rows of a large batch; all of them are in the CSV
WHOLE_FROM = 10_000  # where numbers run so high, decimals only hinder the eye
LEAST_SHARE = 0.04  # of a common scale that every panel's line must use; else each has its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Reports that belong together; ``stem`` names the page's file."""

    name: str
    stem: str
    kicker: str
    reports: tuple[SiteReport, ...]

    @property
    def bad(self) -> list[SiteReport]:
        """What did not end well."""
        return [report for report in self.reports if not report.good]


def batches(reports: Sequence[SiteReport]) -> list[Batch]:
    """The batches of a site by name, then the notebooks with several reports that belong to none."""
    named: dict[tuple[str, str], list[SiteReport]] = {}
    for report in reports:
        loose = report.batch is None
        key = ("notebook", report.notebook) if loose else ("batch", str(report.batch))
        named.setdefault(key, []).append(report)
    found: list[Batch] = []
    for (kind, name), members in sorted(named.items()):
        if kind == "notebook" and len(members) == 1:
            continue
        kicker, stem = "all sets of a notebook" if kind == "notebook" else "batch", file_name(name, "html")[:-5]
        if stem != name or stem.lower() in {batch.stem.lower() for batch in found}:
            stem = f"{stem}-{hashlib.sha256(f'{kicker}/{name}'.encode()).hexdigest()[:8]}"
        found.append(Batch(name=name, stem=stem, kicker=kicker, reports=tuple(members)))
    return found


def batch_sections(batch: Batch, rankings: Mapping[str, Ranking]) -> list[dict[str, Any]]:
    """What a batch's page shows, a notebook after the other: the ranking that is asked for, and the good reports side
    by side as far as that adds anything."""
    sections: list[dict[str, Any]] = []
    for notebook in dict.fromkeys(report.notebook for report in batch.reports):
        members = [report for report in batch.reports if report.notebook == notebook]
        shown, beside = [report for report in members if report.good and report.results], None
        order = ranked(members, rankings[notebook]) if notebook in rankings else None
        if 2 <= len(shown) <= FEW_SETS:
            with suppress(UsageError):  # no result in common: rows show each for itself
                beside = columns_section(compared(shown))
        if order and order.first:
            sections.append(_ranking(order, rankings[notebook]))
        elif shown and beside is None:
            beside = _rows(shown)
        if beside:
            notes = order.notes if order and not order.first else ()
            sections.append(beside | {"notes": [*notes, *beside["notes"]]})
    return sections


def comparison_stem(reports: Sequence[SiteReport]) -> str:
    """The name of the files of a comparison, the same for the same reports in the same order."""
    notebooks = list(dict.fromkeys(report.notebook for report in reports))
    return slug("-".join(notebooks) + "-" + "-vs-".join(report.set for report in reports))


def columns_section(comparison: Comparison) -> dict[str, Any]:
    """A few reports column by column."""
    reports, names = comparison.reports, comparison.names
    notebooks = ", ".join(dict.fromkeys(report.notebook for report in reports))
    section = _section(reports, f"{notebooks}, {' and '.join(names)}", comparison_stem(reports), comparison.csv())
    more = {"notebook": notebooks, "comparison": comparison, "notes": comparison.notes}
    return section | more | _panels(reports, names)


def _ranking(order: Ranked, ranking: Ranking) -> dict[str, Any]:
    """The reports in the order of one result, its column first, where a narrow screen shows it too; then words, which
    name a set, then numbers."""
    whole = [*order.first, *(report for report, _ in order.last)]
    heads = sorted((_head(name, whole) for name in order.columns), key=lambda head: head["kind"] == "num")
    # The unit of the column that ranks is that of the reports that have a place in it.
    heads = [_head(ranking.rank_by, order.first), *heads]
    words = f"Ranked by: {heads[0]['meaning'] or ranking.rank_by}, the largest first. Every result is in the CSV."
    notebook = whole[0].notebook
    section = _section(whole, f"{notebook}, ranked by {ranking.rank_by}", f"{notebook}-ranked", _wide_csv(whole))
    table = {"words": words, "heads": heads, "rows": [_row(r, heads, ()) for r in order.first]}
    return section | table | {"ranked": True, "last": order.last, "notes": order.notes}


def _rows(reports: Sequence[SiteReport]) -> dict[str, Any]:
    """A row a report, with what varies among them."""
    names = list(dict.fromkeys(name for r in reports for name in r.results))
    varying = [name for name in names if _varies([r.results.get(name) for r in reports])] or names
    heads, parameters = [_head(name, reports) for name in varying[:MOST_COLUMNS]], _changed(reports)
    shown = f"{len(heads)} of the {len(varying)} results that vary" if len(varying) > len(heads) else "What varies"
    notebook = reports[0].notebook
    section = _section(reports, f"{notebook}, {len(reports)} sets", f"{notebook}-sets", _wide_csv(reports))
    table = {"words": f"{shown}; every result is in the CSV.", "heads": heads, "parameters": parameters}
    section |= table | {"rows": [_row(r, heads, parameters) for r in reports]}
    return section | (_panels(reports, [r.set for r in reports]) if len(reports) <= MOST_PANELS else {})


def _section(reports: Sequence[SiteReport], label: str, file: str, csv: str) -> dict[str, Any]:
    notebook = reports[0].notebook
    question = next((report.question for report in reports if report.question), notebook)
    shown = {"notebook": notebook, "question": question, "count": len(reports), "label": label, "last": (), "notes": ()}
    return shown | {"csv": csv, "csv_name": file_name(file, "csv")}


def _row(report: SiteReport, heads: Sequence[Mapping[str, Any]], parameters: Sequence[str]) -> dict[str, Any]:
    settings = [format_setting(report.made_with[n]) if n in report.made_with else "" for n in parameters]
    return {"report": report, "settings": settings, "cells": [_cell(report, head) for head in heads]}


def _changed(reports: Sequence[SiteReport]) -> list[str]:
    return sorted({name for report in reports for name in report.changed})


def _varies(records: Sequence[Mapping[str, Any] | None]) -> bool:
    """Whether the same result of several reports (None: not recorded) differs in value or unit."""
    said = [(r["value"], r["unit"]) if r else (ABSENT, "") for r in records]
    return any(unit != said[0][1] or not same(value, said[0][0]) for value, unit in said)


def _head(name: str, reports: Sequence[SiteReport]) -> dict[str, Any]:
    """What stands above a column; the unit only if all reports agree on it; ``num`` unless it holds words alone."""
    records = [report.results[name] for report in reports if name in report.results]
    units = {record["unit"] for record in records}
    sizes = [abs(record["value"]) for record in records if isinstance(record["value"], float)]
    return {
        "name": name,
        "meaning": records[0]["meaning"],
        "unit": units.pop() if len(units) == 1 else "",
        "kind": "words" if all(isinstance(record["value"], str) for record in records) else "num",
        "whole": max(sizes, default=0.0) >= WHOLE_FROM,
    }


def _cell(report: SiteReport, head: Mapping[str, Any]) -> dict[str, Any]:
    """A result as it is shown, as it sorts, and the kind of its column."""
    record = report.results.get(head["name"])
    if record is None:
        return {"text": "", "sorts": None, "kind": head["kind"]}
    value, unit = record["value"], record["unit"]
    rounded = round(value) if head["whole"] and isinstance(value, float) else value
    text = format_value(rounded, unit) + (f" {unit}" if unit != head["unit"] else "")
    return {"text": text, "sorts": value if is_number(value) and unit == head["unit"] else None, "kind": head["kind"]}


def _wide_csv(reports: Sequence[SiteReport]) -> str:
    """A line a set: the parameters that vary, then every result, exact, with its unit in the heading if it has one."""
    heads = [_head(name, reports) for name in dict.fromkeys(name for r in reports for name in r.results)]
    parameters = _changed(reports)
    titles = [f"{head['name']} [{head['unit']}]" if head["unit"] else head["name"] for head in heads]
    lines = []
    for report in reports:
        values = [report.made_with.get(name) for name in parameters]
        values += [report.results.get(head["name"], {}).get("value") for head in heads]
        lines.append([report.set, *(value if is_number(value) else exact(value) for value in values)])
    return csv_text(["set", *parameters, *titles], lines)


def _panels(reports: Sequence[SiteReport], names: Sequence[str]) -> dict[str, Any]:
    """Small multiples of the line that the index draws of each report, on one scale where that shows something."""
    drawn = [(report, name) for report, name in zip(reports, names, strict=True) if report.spark]
    if not drawn:
        return {}
    lines = [report.spark for report, _ in drawn]
    low, high = min(map(min, lines)), max(map(max, lines))
    common = all(max(line) == min(line) or max(line) - min(line) >= LEAST_SHARE * (high - low) for line in lines)
    said = f"The vertical scale of every panel runs from {format_value(low)} to {format_value(high)}."
    if not common:
        said = "The series are too far apart for one scale; each has its own."
    elif len(lines) > 1:
        said += " The grey line repeats the first panel's."
    panels = []
    for report, name in drawn:
        line = report.spark
        words = f"from {format_value(line[0])} to {format_value(line[-1])}"
        behind = lines[0] if common and panels and len(lines[0]) == len(line) else None
        drawing = line_svg(line, (220, 110), scale=(low, high) if common else None, behind=behind, label=words)
        panels.append({"report": report, "name": name, "words": words, "drawing": drawing})
    return {"panels": panels, "caption": f"The middle line of each set's headline chart. {said}"}
