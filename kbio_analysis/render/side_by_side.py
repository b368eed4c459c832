"""Pages that set scenarios side by side: one a batch (a row a set, ranked if its file asks for that), and one a
comparison that somebody asked for. Reports that name no batch stand on a page of their notebook if it has several."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kbio_analysis.errors import did_you_mean
from kbio_analysis.render.compare import ABSENT, Comparison, same
from kbio_analysis.render.formats import file_name, format_setting, format_value
from kbio_analysis.render.publish import BATCHES, slug
from kbio_analysis.render.ranking import Ranking
from kbio_analysis.render.results import SiteReport, csv_text, exact, is_number

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
    recorded, parameters = list(dict.fromkeys(name for r in reports for name in r.results)), _changed(reports)
    first, last, notes = ranked(reports, ranking, recorded) if ranking else ([], [], [])
    shown: dict[str, Any] = {"ranked": bool(first), "notes": notes}
    if ranking and first:
        # Words name a set, so they stand before the numbers; the unit of the column that ranks is that of its reports.
        heads = [_head(name, reports) for name in ranking.columns if name in recorded]
        heads = [_head(ranking.rank_by, first), *sorted(heads, key=lambda head: head["kind"] == "num")]
        words, parameters = f"Ranked by: {heads[0]['meaning'] or ranking.rank_by}, the largest first. Every", []
    else:
        first, last = reports, []
        varying = [name for name in recorded if _varies(name, reports)] or recorded
        heads, more = [_head(name, reports) for name in varying[:MOST_COLUMNS]], len(varying) > MOST_COLUMNS
        words = f"{MOST_COLUMNS} of the {len(varying)} results that vary; every" if more else "What varies; every"
    shown |= {"words": f"{words} result is in the CSV.", "heads": heads, "parameters": parameters, "last": last}
    shown["rows"] = [
        {
            "report": report,
            "settings": [format_setting(report.made_with[n]) if n in report.made_with else "" for n in parameters],
            "cells": [_cell(report, head) for head in heads],
        }
        for report in first
    ]
    notebook, kind = reports[0].notebook, "ranked" if shown["ranked"] else "sets"
    csv = _wide_csv([*first, *(report for report, _ in last)], recorded)
    return _section(reports, f"{notebook}, {kind}", f"{notebook}-{kind}", csv) | shown


def ranked(
    reports: Sequence[SiteReport], ranking: Ranking, recorded: Sequence[str]
) -> tuple[list[SiteReport], list[tuple[SiteReport, str]], list[str]]:
    """The reports of a notebook in order, the largest first and equal ones by name; with the reason, those without a
    number in the unit that most of them share; and what no report records."""
    by, ordered = ranking.rank_by, sorted(reports, key=lambda r: r.set)
    units = Counter(r.results[by]["unit"] for r in ordered if r.number(by) is not None)
    unit = units.most_common(1)[0][0] if units else ""
    first = sorted((r for r in ordered if not _why_last(r, by, unit)), key=lambda r: -(r.number(by) or 0.0))
    last = [(r, why) for r in ordered if (why := _why_last(r, by, unit))]
    notes = [] if first else [f"rank_by: no report records {by} as a number{_near(by, recorded)}"]
    gone = [name for name in ranking.columns if name not in recorded]
    return first, last, notes + [f"columns: no report records {name}{_near(name, recorded)}" for name in gone]


def _near(name: str, recorded: Sequence[str]) -> str:
    return "" if name in recorded else did_you_mean(name, recorded)


def _why_last(report: SiteReport, name: str, unit: str) -> str:
    if report.number(name) is None:
        return "no number" if name in report.results else "not recorded"
    found = report.results[name]["unit"]
    return "" if found == unit else f"in another unit: {found or 'none'}"


def _changed(reports: Sequence[SiteReport]) -> list[str]:
    return sorted({name for report in reports for name in report.changed})


def _varies(name: str, reports: Sequence[SiteReport]) -> bool:
    """Whether a result (perhaps not recorded) differs among the reports, in value or unit."""
    said = [(r.results[name]["value"], r.results[name]["unit"]) if name in r.results else (ABSENT, "") for r in reports]
    return any(unit != said[0][1] or not same(value, said[0][0]) for value, unit in said)


def _head(name: str, reports: Sequence[SiteReport]) -> dict[str, Any]:
    """What stands above a column; the unit only if all reports agree on it; ``num`` unless it holds words alone."""
    records = [report.results[name] for report in reports if name in report.results]
    units, values = {record["unit"] for record in records}, [record["value"] for record in records]
    return {
        "name": name,
        "meaning": records[0]["meaning"],
        "unit": units.pop() if len(units) == 1 else "",
        "kind": "words" if all(isinstance(value, str) for value in values) else "num",
    }


def _cell(report: SiteReport, head: Mapping[str, Any]) -> dict[str, Any]:
    """A result as it is shown, as it sorts, and the kind of its column."""
    record = report.results.get(head["name"])
    if record is None:
        return {"text": "", "sorts": None, "kind": head["kind"]}
    value, unit = record["value"], record["unit"]
    text = format_value(value, unit) + (f" {unit}" if unit != head["unit"] else "")
    return {"text": text, "sorts": value if is_number(value) and unit == head["unit"] else None, "kind": head["kind"]}


def _wide_csv(reports: Sequence[SiteReport], recorded: Sequence[str]) -> str:
    """A line a set: the parameters that vary, then every result, exact, with its unit in the heading if it has one."""
    heads = [_head(name, reports) for name in recorded]
    parameters = _changed(reports)
    titles = [f"{head['name']} [{head['unit']}]" if head["unit"] else head["name"] for head in heads]
    lines = []
    for report in reports:
        values = [report.made_with.get(name) for name in parameters]
        values += [report.results.get(name, {}).get("value") for name in recorded]
        lines.append([report.set, *(value if is_number(value) else exact(value) for value in values)])
    return csv_text(["set", *parameters, *titles], lines)
