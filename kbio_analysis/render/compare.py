"""Scenarios side by side: which reports are meant, which of their parameters differ, and by how much their results do.

In a comparison the first report is the yardstick: every difference is another report's value less the first one's. The
page of a batch has a row a set, ranked if its file asks for that; reports that name no batch stand on a page of their
notebook if it has several.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kbio_analysis.errors import KbioError, UsageError, did_you_mean
from kbio_analysis.render.batches import read_batches, values_named
from kbio_analysis.render.formats import file_name, format_setting, format_value, plain
from kbio_analysis.render.notebooks import notebooks_dir, select
from kbio_analysis.render.parameters import read
from kbio_analysis.render.publish import BATCHES, DEFAULT_SET, slug
from kbio_analysis.render.results import ABSENT, Ranking, SiteReport, csv_text, is_number

MOST_COLUMNS = 5  # results in the rows of a batch that names none; all of them are in the CSV


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
    def of_words(self) -> bool:
        return all(isinstance(value, str) for value in self.values if value is not ABSENT)

    @property
    def texts(self) -> list[str]:
        """The values as a reader wants them, with their units where these differ."""
        shown, absent = [], "not a parameter" if self.kind == "parameter" else "not recorded"
        for value, unit in zip(self.values, self.units, strict=True):
            text = format_setting(value) if self.kind == "parameter" else format_value(value, unit)
            shown.append(absent if value is ABSENT else f"{text} {unit}" if self.unit is None and unit else text)
        return shown

    @property
    def less(self) -> list[float | None]:
        """Each value less the first one; None where the two are no numbers of one unit."""
        first, unit = self.values[0], self.units[0]
        pairs = zip(self.values, self.units, strict=True)
        return [float(v - first) if is_number(first) and is_number(v) and u == unit else None for v, u in pairs]

    @property
    def differences(self) -> list[str]:
        """The same with its sign, to the digits of the values; in words where there is none to compute."""
        texts, first, words = self.texts, self.values[0], []
        for value, unit, text, less in zip(self.values, self.units, texts, self.less, strict=True):
            if self.kind == "parameter" or ABSENT in (first, value):
                words.append("")
            elif unit != self.units[0]:
                words.append("other unit")
            elif less:
                decimals = max(len(shown.split(" ", 1)[0].partition(".")[2]) for shown in (texts[0], text))
                words.append(("+" if less > 0 else "") + format_value(round(less, decimals) or less))
            else:
                words.append("same" if _same(first, value) else "differs")
        return words


def _same(one: Any, other: Any) -> bool:
    """Whether two values say the same; true is not 1, and nothing equals what is absent but itself."""
    return one == other and (type(one) is type(other) or (is_number(one) and is_number(other)))


def lines_of(reports: Sequence[SiteReport]) -> tuple[list[Line], list[Line]]:
    """Every parameter that gave the results of the reports, and every result, each in all of them."""
    made = [{name: {"value": value} for name, value in report.made_with.items()} for report in reports]
    found: dict[str, list[Line]] = {"parameter": [], "result": []}
    for kind, told in (("parameter", made), ("result", [report.results for report in reports])):
        for name in dict.fromkeys(name for records in told for name in records):
            records = [records.get(name, {}) for records in told]
            values = tuple(record.get("value", ABSENT) for record in records)
            units = tuple(record.get("unit", "") for record in records)
            known = {record.get("unit", "") for record in records if record}
            unit = known.pop() if len(known) == 1 else None
            meaning = next((record["meaning"] for record in records if record.get("meaning")), "")
            found[kind].append(Line(kind=kind, name=name, meaning=meaning, values=values, units=units, unit=unit))
    return found["parameter"], found["result"]


# ---- a few reports against the first


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

    @property
    def stem(self) -> str:
        """The name of its files, the same for the same reports in the same order."""
        return slug(f"{self.reports[0].notebook}-" + "-vs-".join(self.names))

    @property
    def csv(self) -> str:
        """Parameters and results with exact values, then every difference to the first report."""
        first, *others = self.names
        rows: list[list[Any]] = [["kind", "name", "unit", "meaning", first, *others]]
        rows[0] += [f"{name} less {first}" for name in others]
        for line in (*self.parameters, *self.results):
            less = line.less[1:] if line.kind == "result" else [None] * len(others)
            rows.append([line.kind, line.name, line.unit, line.meaning, *line.values, *less])
        return csv_text(rows)

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


def resolve(reports: Sequence[SiteReport], wanted: Sequence[str]) -> list[SiteReport]:
    """The reports asked for, all of one notebook: as ``NOTEBOOK/SET`` (the notebook's name may be cut short), or as
    ``SET`` where one notebook alone has them all.

    Raises UsageError naming every request that fits none, for fewer than two, and for the same one twice.
    """
    if len(wanted) < 2:
        raise UsageError("compare takes two sets or more, such as: kbio compare default high_growth")
    requests = [unicodedata.normalize("NFC", request).strip("/") for request in wanted]
    parts = [request.rpartition("/")[::2] for request in requests]
    fitting = [[r for r in reports if r.set == name and r.notebook.startswith(book)] for book, name in parts]
    if unknown := [request for request, found in zip(requests, fitting, strict=True) if not found]:
        raise UsageError("\n".join(_unknown(request, reports) for request in unknown))
    common = set.intersection(*({r.notebook for r in found} for found in fitting))
    if len(common) != 1:
        which = " or ".join(sorted(common)) or "no single notebook"
        raise UsageError(f"the sets to compare are of one notebook, here {which}: write NOTEBOOK/SET")
    chosen = [next(r for r in found if r.notebook in common) for found in fitting]
    if twice := [label for label, count in Counter(r.label for r in chosen).items() if count > 1]:
        raise UsageError("\n".join(f"{label} is named twice" for label in twice))
    return chosen


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


# ---- the sets of a batch in a table


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Reports that belong together, by a name or as all of one notebook; ``stem`` names the page's file."""

    name: str
    named: bool
    stem: str
    reports: list[SiteReport]

    @property
    def address(self) -> str:
        """Its page, from the site's folder."""
        return f"{BATCHES}/{self.stem}.html"

    @property
    def title(self) -> str:
        """The name of a batch as words."""
        words = self.name.replace("_", " ")
        return words[:1].upper() + words[1:] if self.named else f"All sets of {self.name}"


def batches(reports: Sequence[SiteReport]) -> list[Batch]:
    """The batches of a site by name, then the notebooks with several reports that belong to none."""
    members: dict[tuple[bool, str], list[SiteReport]] = {}
    for report in reports:
        members.setdefault((report.batch is None, report.batch or report.notebook), []).append(report)
    found: list[Batch] = []
    for (unnamed, name), own in sorted(members.items(), key=lambda item: item[0]):
        stem = file_name(name, "html")[:-5]
        if stem != name or stem.lower() in {batch.stem.lower() for batch in found}:
            stem = f"{stem}-{hashlib.sha256(f'{unnamed}/{name}'.encode()).hexdigest()[:8]}"
        if not unnamed or len(own) > 1:
            found.append(Batch(name=name, named=not unnamed, stem=stem, reports=own))
    return found


def batch_sections(batch: Batch, rankings: Mapping[str, Ranking]) -> list[dict[str, Any]]:
    """What a batch's page shows: a table of the good reports of each notebook."""
    good: dict[str, list[SiteReport]] = {}
    for report in batch.reports:
        if report.good and report.results:
            good.setdefault(report.notebook, []).append(report)
    return [_table(reports, rankings.get(notebook, ())) for notebook, reports in good.items()]


def _table(reports: list[SiteReport], ranking: Ranking) -> dict[str, Any]:
    """A row a report: in the order of one result with the chosen ones beside it, else with what varies among them."""
    first, last, notes = _ranked(reports, ranking) if ranking else ([], [], [])
    reports = [*first, *(report for report, _ in last)] if first else reports
    parameters, results = lines_of(reports)
    changed = {name for report in reports for name in report.changed}
    settings = sorted((line for line in parameters if line.name in changed), key=lambda line: line.name)
    titles = [f"{line.name} [{line.unit}]" if line.unit else line.name for line in (*settings, *results)]
    rows = zip([report.set for report in reports], *(line.values for line in (*settings, *results)), strict=True)
    shown = {"reports": reports, "first": first, "last": last, "notes": notes, "settings": settings}
    shown["csv"] = csv_text([["set", *titles], *rows])
    if first:
        recorded = {line.name: line for line in results}
        # Words name a set, so they stand before the numbers.
        beside = sorted((recorded[n] for n in ranking[1:] if n in recorded), key=lambda line: not line.of_words)
        return shown | {"lines": [recorded[ranking[0]], *beside], "settings": []}
    varying = [line for line in results if line.differs] or results
    return shown | {"lines": varying[:MOST_COLUMNS], "varying": len(varying)}


def _ranked(
    reports: list[SiteReport], ranking: Ranking
) -> tuple[list[SiteReport], list[tuple[SiteReport, str]], list[str]]:
    """The reports, the largest first; those without a number in the unit most of them share, and why; what is amiss."""
    by, *columns = ranking
    units = Counter(r.results[by]["unit"] for r in reports if is_number(r.results.get(by, {}).get("value")))
    first, last = [], []
    for report in sorted(reports, key=lambda r: r.set):
        record = report.results.get(by)
        if record is None or not is_number(record["value"]):
            last.append((report, "no number" if record else "not recorded"))
        elif record["unit"] != units.most_common(1)[0][0]:
            last.append((report, f"in another unit: {record['unit'] or 'none'}"))
        else:
            first.append(report)
    known = dict.fromkeys(name for report in reports for name in report.results)
    hints = {name: "" if name in known else did_you_mean(name, known) for name in ranking}
    notes = [] if first else [f"rank_by: no report records {by} as a number{hints[by]}"]
    notes += [f"columns: no report records {name}{hints[name]}" for name in columns if name not in known]
    return sorted(first, key=lambda r: -r.results[by]["value"]), last, notes
