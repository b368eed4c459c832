"""Pages that set scenarios side by side: one a batch (a row a set, ranked if its file asks for that), and one a
comparison that somebody asked for. Reports that name no batch stand on a page of their notebook if it has several."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from kbio_analysis.errors import did_you_mean
from kbio_analysis.render.compare import ABSENT, Comparison, Line, lines_of
from kbio_analysis.render.formats import file_name
from kbio_analysis.render.publish import BATCHES, slug
from kbio_analysis.render.ranking import Ranking
from kbio_analysis.render.results import SiteReport, csv_text, is_number

MOST_COLUMNS = 5  # results in the rows of a batch that names none; all of them are in the CSV


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Reports that belong together; ``stem`` names the page's file."""

    name: str
    stem: str
    kicker: str
    reports: tuple[SiteReport, ...]

    @property
    def address(self) -> str:
        """Its page, from the site's folder."""
        return f"{BATCHES}/{self.stem}.html"

    @property
    def title(self) -> str:
        """The name of a batch as words."""
        words = self.name.replace("_", " ")
        return words[:1].upper() + words[1:] if self.kicker == "batch" else f"All sets of {self.name}"

    @property
    def bad(self) -> list[SiteReport]:
        """What did not end well."""
        return [report for report in self.reports if not report.good]


def batches(reports: Sequence[SiteReport]) -> list[Batch]:
    """The batches of a site by name, then the notebooks with several reports that belong to none."""
    named: dict[tuple[str, str], list[SiteReport]] = {}
    for report in reports:
        key = ("all sets of a notebook", report.notebook) if report.batch is None else ("batch", report.batch)
        named.setdefault(key, []).append(report)
    found: list[Batch] = []
    for (kicker, name), members in sorted(named.items(), key=lambda item: (item[0][0] != "batch", item[0][1])):
        if kicker != "batch" and len(members) == 1:
            continue
        stem = file_name(name, "html")[:-5]
        if stem != name or stem.lower() in {batch.stem.lower() for batch in found}:
            stem = f"{stem}-{hashlib.sha256(f'{kicker}/{name}'.encode()).hexdigest()[:8]}"
        found.append(Batch(name=name, stem=stem, kicker=kicker, reports=tuple(members)))
    return found


def batch_sections(batch: Batch, rankings: Mapping[str, Ranking]) -> list[dict[str, Any]]:
    """What a batch's page shows: a table of the good reports of each notebook."""
    sections: list[dict[str, Any]] = []
    for notebook in dict.fromkeys(report.notebook for report in batch.reports):
        good = [r for r in batch.reports if r.notebook == notebook and r.good and r.results]
        if good:
            sections.append(_table(good, rankings.get(notebook)))
    return sections


def comparison_section(comparison: Comparison) -> dict[str, Any]:
    """A few reports column by column."""
    label, file = " and ".join(comparison.names), comparison_stem(comparison.reports)
    section = _section(comparison.reports, label, file, comparison.csv())
    return section | {"comparison": comparison, "notes": comparison.notes}


def comparison_stem(reports: Sequence[SiteReport]) -> str:
    """The name of the files of a comparison, the same for the same reports in the same order."""
    return slug(f"{reports[0].notebook}-" + "-vs-".join(report.set for report in reports))


def _section(reports: Sequence[SiteReport], label: str, file: str, csv: str) -> dict[str, Any]:
    notebook = reports[0].notebook
    question = next((report.question for report in reports if report.question), notebook)
    shown = {"notebook": notebook, "question": question, "count": len(reports), "label": label, "last": (), "notes": ()}
    return shown | {"csv": csv, "csv_name": file_name(file, "csv")}


def _table(reports: list[SiteReport], ranking: Ranking | None) -> dict[str, Any]:
    """A row a report: in the order of one result with the chosen ones beside it, else with what varies among them."""
    first, last, notes = ranked(reports, ranking) if ranking else ([], [], [])
    shown: dict[str, Any] = {"ranked": bool(first), "notes": notes, "last": last}
    parameters, results = lines_of(first or reports)
    if ranking and first:
        chosen = {line.name: line for line in results}
        by, parameters = chosen[ranking.rank_by], []
        # Words name a set, so they stand before the numbers.
        lines = [by, *sorted((chosen[n] for n in ranking.columns if n in chosen), key=lambda line: not _of_words(line))]
        words = f"Ranked by: {by.meaning or by.name}, the largest first. Every"
    else:
        changed = sorted({name for report in reports for name in report.changed})
        parameters = sorted((line for line in parameters if line.name in changed), key=lambda line: line.name)
        varying = [line for line in results if line.differs] or results
        lines, more = varying[:MOST_COLUMNS], len(varying) > MOST_COLUMNS
        words = f"{MOST_COLUMNS} of the {len(varying)} results that vary; every" if more else "What varies; every"
    shown |= {"words": f"{words} result is in the CSV.", "parameters": [line.name for line in parameters]}
    heads = [{"kind": "words" if _of_words(line) else "num", "unit": line.unit or ""} for line in lines]
    shown["heads"] = [{"name": n.name, "meaning": n.meaning} | head for n, head in zip(lines, heads, strict=True)]
    cells = [_cells(line) for line in lines]
    settings = [[cell["text"] for cell in _cells(line)] for line in parameters]
    shown["rows"] = [
        {"report": report, "settings": [column[i] for column in settings], "cells": [column[i] for column in cells]}
        for i, report in enumerate(first or reports)
    ]
    notebook, kind = reports[0].notebook, "ranked" if first else "sets"
    csv = _wide_csv([*first, *(report for report, _ in last)] or reports)
    return _section(reports, f"{notebook}, {kind}", f"{notebook}-{kind}", csv) | shown


def ranked(
    reports: Sequence[SiteReport], ranking: Ranking
) -> tuple[list[SiteReport], list[tuple[SiteReport, str]], list[str]]:
    """The reports of a notebook in order, the largest first and equal ones by name; with the reason, those without a
    number in the unit that most of them share; and what no report records. All stay unranked if none has a number."""
    ordered, by = sorted(reports, key=lambda r: r.set), ranking.rank_by
    recorded = {line.name: line for line in lines_of(ordered)[1]}
    line, notes = recorded.get(by), []
    numbers = {i: float(v) for i, v in enumerate(line.values if line else ()) if is_number(v) and isfinite(v)}
    units = Counter(line.units[i] for i in numbers)
    first = sorted((i for i in numbers if line.units[i] == units.most_common(1)[0][0]), key=lambda i: -numbers[i])
    last = []
    for i in sorted({*range(len(ordered))} - {*first}) if first else ():
        why = f"in another unit: {line.units[i] or 'none'}" if i in numbers else "no number"
        last.append((ordered[i], "not recorded" if line.values[i] is ABSENT else why))
    if not first:
        notes = [f"rank_by: no report records {by} as a number{'' if line else did_you_mean(by, recorded)}"]
    gone = [name for name in ranking.columns if name not in recorded]
    notes += [f"columns: no report records {name}{did_you_mean(name, recorded)}" for name in gone]
    return [ordered[i] for i in first], last, notes


def _of_words(line: Line) -> bool:
    return all(isinstance(value, str) for value in line.values if value is not ABSENT)


def _cells(line: Line) -> list[dict[str, Any]]:
    """What stands in each report's cell, as it is shown and as it sorts, and the kind of its column."""
    kind = "words" if _of_words(line) else "num"
    sorts = [value if is_number(value) and line.unit is not None else None for value in line.values]
    texts = ["" if value is ABSENT else text for value, text in zip(line.values, line.texts, strict=True)]
    return [{"text": text, "sorts": sort, "kind": kind} for text, sort in zip(texts, sorts, strict=True)]


def _wide_csv(reports: Sequence[SiteReport]) -> str:
    """A line a set: the parameters that vary, then every result, exact, with its unit in the heading if it has one."""
    parameters, results = lines_of(reports)
    changed = {name for report in reports for name in report.changed}
    columns = [*sorted((p for p in parameters if p.name in changed), key=lambda line: line.name), *results]
    titles = [f"{line.name} [{line.unit}]" if line.unit else line.name for line in columns]
    rows = zip([report.set for report in reports], *(line.exact for line in columns), strict=True)
    return csv_text(["set", *titles], rows)
