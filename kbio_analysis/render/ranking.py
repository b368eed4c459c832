"""The ranking of a batch, as its file asks for it: which result puts the sets in order, and what stands beside it.

The site keeps it in a file of its own, so that a change of it remakes the batch's page and no report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kbio_analysis.reading import DocumentError, read_json
from kbio_analysis.render.publish import HIDDEN, write_file

RECORD = "rankings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The result that ranks a notebook's sets, largest first, and the results shown beside it."""

    rank_by: str
    columns: Sequence[str] = ()


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
