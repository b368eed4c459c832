"""The ranking of a batch: which of its results puts the sets in order, as the batch file says, and that order.

The site keeps what was said in a file of its own, so that a change of it remakes the batch's page and no report.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import did_you_mean
from kbio_analysis.reading import DocumentError, read_json
from kbio_analysis.render.publish import HIDDEN, write_file

if TYPE_CHECKING:
    from kbio_analysis.render.results import SiteReport

RECORD = "rankings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The result that ranks a notebook's sets, largest first, and the results shown beside it."""

    rank_by: str
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A batch's reports in order: ``first`` have a number, in the unit most of them share; ``last`` with the reason.

    ``columns`` are those that any report records; ``notes`` name what none does.
    """

    first: tuple[SiteReport, ...]
    last: tuple[tuple[SiteReport, str], ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...]


Rankings = Mapping[str, Mapping[str, Ranking]]
"""Batch -> notebook -> ranking; a batch without any has an empty one."""


def remember(site: Path, said: Rankings) -> None:
    """Write down the rankings of these batches; those of other batches stay as they are."""
    known = {batch: found for batch, found in (remembered(site) | dict(said)).items() if found}
    path = site / HIDDEN / RECORD
    if known or path.exists():
        content = {batch: {name: asdict(r) for name, r in found.items()} for batch, found in sorted(known.items())}
        write_file(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def remembered(site: Path) -> dict[str, Mapping[str, Ranking]]:
    """What ``remember`` wrote; nothing if it cannot be read, for the next run of a batch writes it again."""
    try:
        content = read_json((site / HIDDEN / RECORD).read_bytes())
        return {batch: {name: Ranking(**r) for name, r in said.items()} for batch, said in content.items()}
    except (OSError, DocumentError, TypeError, AttributeError):
        return {}


def ranked(reports: Iterable[SiteReport], ranking: Ranking) -> Ranked:
    """The good ones of one notebook's reports in order, the largest first and equal ones by name."""
    good, by = [report for report in reports if report.good], ranking.rank_by
    units = Counter(r.results[by]["unit"] for r in good if r.number(by) is not None)
    unit = units.most_common(1)[0][0] if units else ""
    reasons = {report.label: _why_last(report, by, unit) for report in good}
    first = sorted((r for r in good if not reasons[r.label]), key=lambda r: (-(r.number(by) or 0.0), r.set))
    last = sorted((r for r in good if reasons[r.label]), key=lambda r: r.set)
    recorded = list(dict.fromkeys(name for report in good for name in report.results))
    notes = [_nowhere("rank_by", by, " as a number", recorded)] if good and not first else []
    notes += [_nowhere("columns", name, "", recorded) for name in ranking.columns if good and name not in recorded]
    return Ranked(
        first=tuple(first),
        last=tuple((report, reasons[report.label]) for report in last),
        columns=tuple(name for name in ranking.columns if name in recorded),
        notes=tuple(notes),
    )


def unranked(site: Path, said: Rankings) -> list[str]:
    """A line for each result that a batch of the site should be ranked by, or show, and that no report records."""
    if not any(said.values()):
        return []
    from kbio_analysis.render.results import read_reports

    reports = read_reports(site)
    return [
        f"batch {batch}, {notebook}: {note}"
        for batch, found in said.items()
        for notebook, ranking in found.items()
        for note in ranked([r for r in reports if (r.batch, r.notebook) == (batch, notebook)], ranking).notes
    ]


def _why_last(report: SiteReport, name: str, unit: str) -> str:
    if name not in report.results:
        return "not recorded"
    if report.number(name) is None:
        return "no number"
    found = report.results[name]["unit"]
    return "" if found == unit else f"in another unit: {found or 'none'}"


def _nowhere(part: str, name: str, how: str, recorded: Sequence[str]) -> str:
    return f"{part}: no report records {name}{how}{did_you_mean(name, recorded) if name not in recorded else ''}"
