"""Pages that set scenarios side by side: one a batch, and one a comparison that somebody asked for.

Reports that name their batch stand on its page; the others on a page of their notebook if it has several. A few sets
of a notebook are compared column by column, many become rows with the results that vary. Failures stand on top.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kbio_analysis.errors import UsageError
from kbio_analysis.render.compare import ABSENT, Comparison, compared, resolve
from kbio_analysis.render.entries import Entry
from kbio_analysis.render.multiples import Panels, bare_series, headline_series, panels
from kbio_analysis.render.page_values import file_name
from kbio_analysis.render.publish import slug as folder_slug
from kbio_analysis.render.ranking import Ranking, ranked, ranking_for
from kbio_analysis.render.rows import cell, changed, head, recorded, setting, varies, wide_csv
from kbio_analysis.render.site_pages import page, totals

BATCHES, COMPARISONS = "batches", "compare"
FEW_SETS = 5  # as many as stand beside each other in columns
MOST_PANELS = 24  # more are drawn in their rows
ROW_HEIGHT = 44  # of a drawing in a row, in the units of its width
MOST_COLUMNS = 5  # results in the rows of a large batch; all of them are in the CSV


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Reports that belong together; ``stem`` names the page's file, ``bad`` counts what did not end well."""

    name: str
    stem: str
    kicker: str
    entries: tuple[Entry, ...]

    @property
    def bad(self) -> int:
        return sum(not entry.good for entry in self.entries)

    @property
    def address(self) -> str:
        """Relative to the site."""
        return f"{BATCHES}/{quote(self.stem)}.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One notebook's reports on a page, as columns (``comparison``) or as ``rows``.

    If ``ranked`` the rows stand in order, and ``last`` holds the reports that have no place in it, with the reason.
    """

    notebook: str
    question: str
    count: int
    label: str
    csv: str
    csv_name: str
    comparison: Comparison | None = None
    words: str = ""
    parameters: tuple[str, ...] = ()
    results: tuple[Mapping[str, str], ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    ranked: bool = False
    last: tuple[tuple[Entry, str], ...] = ()
    drawn: bool = False
    panels: tuple[Mapping[str, Any], ...] = ()
    caption: str = ""
    scale: str = ""
    notes: tuple[str, ...] = field(default=())


def batches(entries: Sequence[Entry]) -> list[Batch]:
    """The batches of a site by name, then the notebooks with several reports that belong to none."""
    named: dict[str, list[Entry]] = {}
    loose: dict[str, list[Entry]] = {}
    for entry in entries:
        group = loose if entry.batch is None else named
        group.setdefault(entry.notebook if entry.batch is None else entry.batch, []).append(entry)
    taken: set[str] = set()
    found = [_batch(name, "batch", members, taken) for name, members in sorted(named.items())]
    several = [(name, members) for name, members in sorted(loose.items()) if len(members) > 1]
    return found + [_batch(name, "all sets of a notebook", members, taken) for name, members in several]


def batch_html(site: Path, batch: Batch, rankings: Mapping[str, Ranking]) -> str:
    """The page of a batch below ``site``; ``rankings`` says what its notebooks' sets are ranked by, if anything."""
    by_notebook: dict[str, list[Entry]] = {}
    for entry in batch.entries:
        by_notebook.setdefault(entry.notebook, []).append(entry)
    sections = [
        section
        for notebook, members in by_notebook.items()
        for section in _sections(site, members, ranking_for(rankings, notebook))
    ]
    bad = [entry for entry in batch.entries if not entry.good]
    shown = {"heading": batch.name, "kicker": batch.kicker, "bad": bad, "sections": sections}
    script = "sort.js" if any(section.rows for section in sections) else None
    return page("side.html.j2", title=batch.name, totals=totals(batch.entries), script=script, **shown)


def comparison_html(site: Path, comparison: Comparison) -> str:
    """The page of a comparison below ``site``."""
    heading = " against ".join([", ".join(comparison.names[1:]), comparison.names[0]])
    shown = {"heading": heading, "kicker": "comparison", "bad": [], "sections": [_columns(site, comparison)]}
    return page("side.html.j2", title=heading, totals=totals(comparison.reports), **shown)


def comparison_stem(reports: Sequence[Entry]) -> str:
    """The name of the files of a comparison, the same for the same reports in the same order."""
    notebooks = list(dict.fromkeys(report.notebook for report in reports))
    return folder_slug("-".join(notebooks) + "-" + "-vs-".join(report.set for report in reports))


def comparison_json(comparison: Comparison) -> str:
    """What a page of a comparison is made from, so that it can be made anew when its reports have changed."""
    return json.dumps({"reports": [report.label for report in comparison.reports]}, ensure_ascii=False) + "\n"


def recorded_comparison(path: Path, entries: Sequence[Entry]) -> Comparison | None:
    """The comparison of a file of ``comparison_json`` as it stands now; None if its reports are no longer there."""
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))["reports"]
        return compared(resolve(entries, [str(label) for label in labels]))
    except (OSError, ValueError, KeyError, TypeError, UsageError):
        return None


# ---- sections


def _batch(name: str, kicker: str, members: Iterable[Entry], taken: set[str]) -> Batch:
    stem = file_name(name, "html").removesuffix(".html")
    if stem != name or stem.lower() in taken:
        stem = f"{stem}-{hashlib.sha256(f'{kicker}/{name}'.encode()).hexdigest()[:8]}"
    taken.add(stem.lower())
    return Batch(name=name, stem=stem, kicker=kicker, entries=tuple(members))


def _sections(site: Path, members: Sequence[Entry], ranking: Ranking | None) -> list[Section]:
    """The good reports among those of one notebook: ranked, and side by side as far as that adds anything."""
    shown = [entry for entry in members if entry.good and entry.results]
    first = _ranked(members, ranking) if ranking else None
    notes = () if ranking is None or first else ranked(members, ranking).notes
    sections = [first] if first else []
    if 2 <= len(shown) <= FEW_SETS:
        with suppress(UsageError):  # no result in common: rows show each for itself
            return [*sections, _columns(site, compared(shown), notes)]
    return sections or ([_rows(site, shown, notes)] if shown else [])


def _ranked(members: Sequence[Entry], ranking: Ranking) -> Section | None:
    """The reports in the order of one result; None if none has a number there."""
    order = ranked(members, ranking)
    if not order.first:
        return None
    notebook, whole = members[0].notebook, [*order.first, *(report for report, _ in order.last)]
    heads = [head(name, whole) for name in (ranking.rank_by, *order.columns)]
    # The unit of the column that ranks is that of the reports that have a place in it.
    heads[0] = head(ranking.rank_by, order.first)
    said = heads[0]["meaning"] or ranking.rank_by
    # What ranks comes first, where a narrow screen shows it too; then words, which name a set, then numbers.
    heads.sort(key=lambda above: (above["name"] != ranking.rank_by, above["kind"] == "num"))
    return Section(
        notebook=notebook,
        question=next((r.question for r in whole if r.question), notebook),
        count=len(whole),
        label=f"{notebook}, ranked by {ranking.rank_by}",
        csv=wide_csv(whole, changed(whole)),
        csv_name=file_name(f"{notebook}-ranked", "csv"),
        words=f"Ranked by: {said}, the largest first. Every result is in the CSV.",
        results=tuple(heads),
        rows=tuple(
            {"report": report, "results": [cell(report.results.get(above["name"]), above) for above in heads]}
            for report in order.first
        ),
        ranked=True,
        last=order.last,
        notes=order.notes,
    )


def _columns(site: Path, comparison: Comparison, notes: Sequence[str] = ()) -> Section:
    reports = comparison.reports
    notebooks = list(dict.fromkeys(report.notebook for report in reports))
    return Section(
        notebook=", ".join(notebooks),
        question=next((r.question for r in reports if r.question), notebooks[0]),
        count=len(reports),
        label=f"{', '.join(notebooks)}, {' and '.join(comparison.names)}",
        csv=comparison.csv(),
        csv_name=file_name(comparison_stem(reports), "csv"),
        comparison=comparison,
        notes=(*notes, *comparison.notes),
        **_figure(site, reports, comparison.names),
    )


def _rows(site: Path, reports: Sequence[Entry], notes: Sequence[str]) -> Section:
    notebook = reports[0].notebook
    names = recorded(reports)
    varying = [name for name in names if varies([r.results.get(name) for r in reports])] or names
    heads = [head(name, reports) for name in varying[:MOST_COLUMNS]]
    parameters = changed(reports)
    drawing = len(reports) > MOST_PANELS
    drawn = panels([bare_series(r.spark) for r in reports], height=ROW_HEIGHT) if drawing else None
    rows = [
        {
            "report": report,
            "parameters": [setting(report.made_with.get(name, ABSENT)) for name in parameters],
            "results": [cell(report.results.get(above["name"]), above) for above in heads],
            "drawing": drawn and drawn.drawings[i],
        }
        for i, report in enumerate(reports)
    ]
    shown = f"{len(heads)} of the {len(varying)} results that vary" if len(varying) > len(heads) else "What varies"
    words = f"{shown}; every result is in the CSV." + (f" {drawn.scale}" if drawn and drawn.scale else "")
    return Section(
        notebook=notebook,
        question=next((r.question for r in reports if r.question), notebook),
        count=len(reports),
        label=f"{notebook}, {len(reports)} sets",
        csv=wide_csv(reports, parameters),
        csv_name=file_name(f"{notebook}-sets", "csv"),
        words=words,
        parameters=parameters,
        results=tuple(heads),
        rows=tuple(rows),
        drawn=bool(drawn and any(drawn.drawings)),
        notes=tuple(notes),
        **({} if drawing else _figure(site, reports, [r.set for r in reports])),
    )


def _figure(site: Path, reports: Sequence[Entry], names: Sequence[str]) -> dict[str, Any]:
    """The small multiples of the reports, as fields of a section; none if there is nothing to draw."""
    series = [headline_series(site / r.notebook / r.set, r.spark) for r in reports]
    drawn: Panels = panels(series)
    if not any(drawn.drawings):
        return {}
    caption = next((s.caption for s in series if s and s.caption), "")
    shown = zip(reports, names, drawn.drawings, drawn.words, strict=True)
    return {
        "panels": tuple({"report": r, "name": n, "drawing": d, "words": w} for r, n, d, w in shown),
        "caption": f"The middle line of each set's headline chart. {caption}".strip(),
        "scale": drawn.scale,
    }
