"""Scenarios side by side: which reports are meant, which of their parameters differ, and by how much their results do.

In a comparison the first report is the yardstick: every difference is another report's value less the first one's. The
page of a batch has a row a set, ranked if its file asks for that; reports that name no batch stand on a page of their
notebook if it has several.
"""

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from kbio_analysis.errors import UsageError, did_you_mean
from kbio_analysis.notebooks import slug
from kbio_analysis.render.formats import file_name, format_setting, format_value, plain
from kbio_analysis.render.publish import BATCHES
from kbio_analysis.render.results import ABSENT, Ranking, Recorded, SiteReport, csv_text, is_number

MOST_COLUMNS = 5  # results in the rows of a batch that names none; all of them are in the CSV


class Line:
    """A parameter or a result in every report, in the reports' order.

    ``unit`` is the one that most reports give it; ``values`` are absent where there is none in that unit, ``texts`` say
    all as a reader wants it. Of results, ``less`` is each value less the first one, None where the two are no numbers,
    and ``differences`` the same with its sign, to the digits of the values, or in words.
    """

    def __init__(self, kind: str, name: str, records: Sequence[Recorded | None]) -> None:
        known = [record for record in records if record]
        self.kind, self.name = kind, name
        self.unit = Counter(record.unit for record in known).most_common(1)[0][0]
        self.meaning = next((record.meaning for record in known if record.meaning), "")
        self.of_words = all(isinstance(record.value, str) for record in known)
        self.values = [record.value if record and record.unit == self.unit else ABSENT for record in records]
        self.texts = [self._text(record) for record in records]
        numbers = kind == "result" and is_number(self.values[0])
        self.less = [float(v - self.values[0]) if numbers and is_number(v) else None for v in self.values]
        self.differences = list(map(self._difference, self.values, self.texts, self.less))
        self.differs = any(self.less) or len({*self.texts}) > 1

    def _text(self, record: Recorded | None) -> str:
        if record is None:
            return "not recorded" if self.kind == "result" else "not a parameter"
        text = format_value(record.value, record.unit) if self.kind == "result" else format_setting(record.value)
        return text if record.unit == self.unit else f"{text} {record.unit or 'without a unit'}"

    def _difference(self, value: Any, text: str, less: float | None) -> str:
        if self.kind == "parameter" or ABSENT in (self.values[0], value):
            return ""
        if not less:
            return "same" if text == self.texts[0] else "differs"
        decimals = max(len(one.partition(".")[2]) for one in (self.texts[0], text))
        return ("+" if less > 0 else "") + format_value(round(less, decimals) or less)


def lines_of(reports: Sequence[SiteReport]) -> Iterator[list[Line]]:
    """Every parameter that gave the results of the reports, then every result, each in all of them."""
    made = [{n: Recorded.model_construct(value=value) for n, value in r.made_with.items()} for r in reports]
    for kind, told in (("parameter", made), ("result", [report.results for report in reports])):
        names = dict.fromkeys(name for records in told for name in records)
        yield [Line(kind, name, [records.get(name) for records in told]) for name in names]


# ---- a few reports against the first


class Comparison:
    """Reports of one notebook side by side, the first one the yardstick, in every result that any has.

    ``parameters`` are those that differ, ``stem`` is the name of its files, ``csv`` has exact values and every
    difference to the first report, ``text`` is for a terminal. Raises UsageError for a report without results.
    """

    def __init__(self, reports: Sequence[SiteReport]) -> None:
        import pandas as pd

        if empty := [r.label for r in reports if not r.results]:
            raise UsageError("\n".join(f"{label} has no results to compare; render it again" for label in empty))
        parameters, self.results = lines_of(reports)
        self.reports, self.parameters = reports, [line for line in parameters if line.differs]
        self.same_parameters = len(parameters) - len(self.parameters)
        first, *others = self.names = [report.set for report in reports]
        self.stem = slug(f"{reports[0].notebook}-{'-vs-'.join(self.names)}")
        old = [report.label for report in reports if not report.good]
        self.notes = [f"{label}: its last run failed; shown is the good run before it." for label in old]
        if any(line.unit.lower().startswith(("%", "per cent", "percent")) for line in self.results):
            self.notes.append("A difference between two percentages is in percentage points.")
        exact = [["kind", "name", "unit", "meaning", *self.names, *(f"{name} less {first}" for name in others)]]
        shown, lines = [], (*self.parameters, *self.results)
        for line in lines:
            exact.append([line.kind, line.name, line.unit, line.meaning, *line.values, *line.less[1:]])
            beside = chain.from_iterable(zip(line.texts[1:], line.differences[1:], strict=True))
            shown.append([" ".join(plain(cell).split()) for cell in (line.unit, line.texts[0], *beside)])
        names = [f"-p {line.name}" if line.kind == "parameter" else line.name for line in lines]
        heads = ["unit", first, *chain.from_iterable((name, "difference") for name in others)]
        table = pd.DataFrame(shown, index=names, columns=heads).to_string()
        self.csv, self.text = csv_text(exact), "\n".join([table, "", *self.notes]).rstrip()


def resolve(reports: Sequence[SiteReport], wanted: Sequence[str]) -> list[SiteReport]:
    """The reports asked for, all of one notebook: as ``NOTEBOOK/SET`` (the notebook's name may be cut short), or as
    ``SET`` where one notebook alone has them all.

    Raises UsageError naming every request that fits none, and for fewer than two.
    """
    if len(wanted) < 2:
        raise UsageError("compare takes two sets or more, such as: kbio compare default high_growth")
    parts = [unicodedata.normalize("NFC", request).strip("/").rpartition("/")[::2] for request in wanted]
    fitting = [[r for r in reports if r.set == name and r.notebook.startswith(book)] for book, name in parts]
    if unknown := ["/".join(filter(None, part)) for part, found in zip(parts, fitting, strict=True) if not found]:
        known = [name for report in reports for name in (report.set, report.label)]
        made = "; make it by: kbio render NOTEBOOK, with -p NAME=VALUE or --batch FILE if it is not the default"
        raise UsageError("\n".join(f"no set {one!r}{did_you_mean(one, known)}{made}" for one in unknown))
    common = set.intersection(*({r.notebook for r in found} for found in fitting))
    if len(common) != 1:
        which = " or ".join(sorted(common)) or "no single notebook"
        raise UsageError(f"the sets to compare are of one notebook, here {which}: write NOTEBOOK/SET")
    return [next(r for r in found if r.notebook in common) for found in fitting]


# ---- the sets of a batch in a table


class Batch:
    """Reports that belong together, by a name or as all of one notebook, and the address of their page."""

    def __init__(self, name: str, named: bool, stem: str, reports: list[SiteReport]) -> None:
        words = name.replace("_", " ")
        self.name, self.named, self.reports = name, named, reports
        self.title = words[:1].upper() + words[1:] if named else f"All sets of {name}"
        self.address = f"{BATCHES}/{stem}.html"


def batches(reports: Sequence[SiteReport]) -> list[Batch]:
    """The batches of a site by name, then the notebooks with several reports that belong to none."""
    members, found = defaultdict(list), {}
    for report in reports:
        members[report.batch is None, report.batch or report.notebook].append(report)
    for (unnamed, name), own in sorted(members.items(), key=lambda item: item[0]):
        stem = file_name(name, "html")[:-5].lower()
        if stem != name or stem in found:
            stem = f"{stem}-{hashlib.sha256(f'{unnamed}/{name}'.encode()).hexdigest()[:8]}"
        if not unnamed or len(own) > 1:
            found[stem] = Batch(name, not unnamed, stem, own)
    return [*found.values()]


def batch_sections(batch: Batch, rankings: Mapping[str, Ranking]) -> list[dict[str, Any]]:
    """What a batch's page shows: a table of the good reports of each notebook."""
    good = (report for report in batch.reports if report.good and report.results)
    by_notebook = groupby(good, key=lambda report: report.notebook)
    return [_table([*own], rankings.get(notebook, ())) for notebook, own in by_notebook]


def _table(reports: list[SiteReport], ranking: Ranking) -> dict[str, Any]:
    """``rows`` are the reports by number: in the order of one result with the chosen ones beside it, those without a
    number there as ``last``; else all of them, with what varies among them."""
    parameters, results = lines_of(reports)
    recorded, changed = {line.name: line for line in results}, {name for r in reports for name in r.changed}
    every, by = [*range(len(reports))], recorded.get(next(iter(ranking), ""))
    ranked = sorted((i for i in every if by and is_number(by.values[i])), key=lambda i: -by.values[i])
    last = sorted({*every} - {*ranked}) if ranked else []
    notes = [f"rank_by: no report records {ranking[0]} as a number"] if ranking and not ranked else []
    notes += [f"columns: no report records {name}" for name in ranking[1:] if name not in recorded]
    settings = sorted((line for line in parameters if line.name in changed), key=lambda line: line.name)
    exact = [["set", *(f"{line.name} [{line.unit}]" if line.unit else line.name for line in (*settings, *results))]]
    for i in [*ranked, *last] or every:
        exact.append([reports[i].set, *(line.values[i] for line in (*settings, *results))])
    varying = [line for line in results if line.differs] or results
    # Words name a set, so they stand before the numbers.
    beside = sorted((recorded[n] for n in ranking[1:] if n in recorded), key=lambda line: not line.of_words)
    return {
        "reports": reports,
        "rows": ranked or every,
        "by": by if ranked else None,
        "last": last,
        "settings": [] if ranked else settings,
        "lines": [by, *beside] if ranked else varying[:MOST_COLUMNS],
        "varying": len(varying),
        "notes": notes,
        "csv": csv_text(exact),
    }
