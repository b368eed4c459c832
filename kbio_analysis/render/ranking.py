"""The ranking of a batch: which of its results puts the sets in order, as the batch file says, and that order.

A document of a batch file may say ``rank_by: RESULT`` and ``columns: [RESULT, ...]``, the results to show beside it.
The site keeps what was said in a file of its own, so that a change of it remakes the batch's page and no report.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.render.plain_yaml import Node, read_documents
from kbio_analysis.render.publish import HIDDEN, write_file

if TYPE_CHECKING:
    from kbio_analysis.render.entries import Entry

RANK_BY, COLUMNS = "rank_by", "columns"
RECORD = "rankings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The result that ranks a notebook's sets, largest first, and the results shown beside it."""

    rank_by: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A batch's reports in order: ``first`` have a number, in the unit most of them share; ``last`` with the reason.

    ``columns`` are those that any report records; ``notes`` name what none does.
    """

    first: tuple[Entry, ...]
    last: tuple[tuple[Entry, str], ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...]


Rankings = Mapping[str, Mapping[str, Ranking]]
"""Batch -> notebook -> ranking; a batch without any has an empty one."""


# ---- what a batch file says


def read_ranking(parts: Mapping[str, Node], wrong: Callable[[Node, str], None]) -> Ranking | None:
    """The ranking in a document's parts, None without one; ``wrong`` is told of every mistake in it."""
    by, columns = parts.get(RANK_BY), parts.get(COLUMNS)
    if by is None or by.empty or not isinstance(by.value, str):
        if by is not None:
            wrong(by, "rank_by: the name of a result is needed here")
        elif columns is not None:
            wrong(columns, "columns: they stand in the ranking; say rank_by: RESULT too")
        return None
    listed = [] if columns is None or columns.empty else columns.value
    if not isinstance(listed, list) or not all(isinstance(item.value, str) and item.value for item in listed):
        wrong(columns, "columns: a list of names of results is needed here")
        return None
    names = [str(item.value) for item in listed]
    for item in listed:
        if names.count(item.value) > 1 or item.value == by.value:
            wrong(item, f"columns: {item.value} is shown already; leave it out")
    return Ranking(rank_by=by.value, columns=tuple(names))


def rankings(files: Iterable[Path]) -> dict[str, dict[str, Ranking]]:
    """The rankings of batch files that have been found right; notebooks are named as the files name them."""
    found: dict[str, dict[str, Ranking]] = {}
    for file in files:
        here = found.setdefault(file.stem, {})
        for document in read_documents(file.read_bytes()):
            if isinstance(document.value, dict) and (ranking := read_ranking(document.value, _passed_over)):
                here[str(document.value["notebook"].value)] = ranking
    return found


def _passed_over(_node: Node, _what: str) -> None:
    """The file was judged before; what is wrong with it has been said."""


# ---- what the site remembers


def remember(site: Path, said: Rankings) -> None:
    """Write down the rankings of these batches; those of other batches stay as they are."""
    known = {batch: ranked for batch, ranked in remembered(site).items() if batch not in said}
    known |= {batch: ranked for batch, ranked in said.items() if ranked}
    path = site / HIDDEN / RECORD
    if not known and not path.exists():
        return
    content = {
        batch: {name: {RANK_BY: r.rank_by, COLUMNS: r.columns} for name, r in ranked.items()}
        for batch, ranked in sorted(known.items())
    }
    write_file(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def remembered(site: Path) -> dict[str, dict[str, Ranking]]:
    """What ``remember`` wrote; nothing if it cannot be read, for the next run of a batch writes it again."""
    try:
        content = json.loads((site / HIDDEN / RECORD).read_text(encoding="utf-8"))
        return {
            batch: {n: Ranking(rank_by=str(r[RANK_BY]), columns=tuple(map(str, r[COLUMNS]))) for n, r in said.items()}
            for batch, said in content.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


# ---- the order


def ranking_for(said: Mapping[str, Ranking], notebook: str) -> Ranking | None:
    """The ranking of a notebook, which a batch file may call by the beginning of its name."""
    return next((ranking for name, ranking in said.items() if notebook.startswith(name)), None)


def ranked(reports: Sequence[Entry], ranking: Ranking) -> Ranked:
    """The good ones of one notebook's reports in order, the largest first and equal ones by name."""
    good = [report for report in reports if report.good]
    units = Counter(r.results[ranking.rank_by]["unit"] for r in good if _number(r, ranking.rank_by) is not None)
    unit = units.most_common(1)[0][0] if units else ""
    first, last = [], []
    for report in sorted(good, key=lambda r: r.set):
        why = _why_last(report, ranking.rank_by, unit)
        last.append((report, why)) if why else first.append(report)
    first.sort(key=lambda r: -r.results[ranking.rank_by]["value"])
    recorded = list(dict.fromkeys(name for report in good for name in report.results))
    notes = [] if first or not good else [_nowhere(RANK_BY, ranking.rank_by, "as a number", recorded)]
    notes += [_nowhere(COLUMNS, name, "", recorded) for name in ranking.columns if name not in recorded and good]
    return Ranked(
        first=tuple(first),
        last=tuple(last),
        columns=tuple(name for name in ranking.columns if name in recorded),
        notes=tuple(notes),
    )


def unranked(site: Path, said: Rankings) -> list[str]:
    """A line for each result that a batch of the site should be ranked by, or show, and that no report records."""
    if not any(said.values()):
        return []
    from kbio_analysis.render.entries import read_entries

    members: dict[tuple[str, str], list[Entry]] = {}
    for entry in read_entries(site):
        members.setdefault((entry.batch or "", entry.notebook), []).append(entry)
    found = {key: ranking_for(said.get(key[0], {}), key[1]) for key in members}
    noted = {key: ranked(members[key], ranking).notes for key, ranking in found.items() if ranking}
    return [f"batch {batch}, {notebook}: {note}" for (batch, notebook), notes in noted.items() for note in notes]


def _number(report: Entry, name: str) -> float | None:
    value = report.results.get(name, {}).get("value")
    usable = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if usable else None


def _why_last(report: Entry, name: str, unit: str) -> str:
    if name not in report.results:
        return "not recorded"
    if _number(report, name) is None:
        return "no number"
    found = report.results[name]["unit"]
    return "" if found == unit else f"in another unit: {found or 'none'}"


def _nowhere(part: str, name: str, how: str, recorded: Sequence[str]) -> str:
    near = [] if name in recorded else get_close_matches(name, recorded, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{part}: no report records {name}{' ' * bool(how)}{how}{hint}"
