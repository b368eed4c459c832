"""What is made from all reports together, kept up to date: written whole or not at all, and only where it differs.

The site's mark lists what was made, with hashes: what is damaged is made again, and only what is listed is ever taken
away. The same reports give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from kbio_analysis.errors import UsageError
from kbio_analysis.notebooks import notebooks_dir
from kbio_analysis.reading import DocumentError, read_as, read_json, read_yaml
from kbio_analysis.render.provenance import package_hash
from kbio_analysis.render.publish import COMPARISONS, FAILURE, LOG, MADE_FOLDERS, MARK, write_file
from kbio_analysis.render.results import OTHER_FORMS, PAGE, RANKINGS, RESULT, report_folders

if TYPE_CHECKING:
    from kbio_analysis.render.compare import Comparison


class Front(BaseModel, frozen=True, strict=True, extra="forbid"):
    """What the index says by itself: ``answers`` names the notebooks that answer the question, ``topics`` has words
    for the first digit of a notebook's name."""

    title: str = "Reports"
    question: str = ""
    answers: list[str] = []
    topics: dict[str, str] = {}


def read_front() -> Front:
    """``reports/site.yml`` of the repository whose notebooks are used. Raises UsageError for a file that is wrong."""
    try:
        path = notebooks_dir().parent / "reports" / "site.yml"
        return read_as(Front, (read_yaml(path.read_bytes()) or [None])[0] or {})
    except (OSError, UsageError):
        return Front()
    except DocumentError as problem:
        raise UsageError(f"{path}: {problem}") from None


def write_site(site: Path) -> None:
    """Bring everything that is made from all reports below ``site`` up to date with them, and repair what is damaged.

    Raises UsageError if ``reports/site.yml``, the words of the front page, is wrong; the pages stay as they are then.
    """
    from kbio_analysis.render.index import made_files

    front = read_front()
    state, known = _state(site, repr(front)), {}
    with suppress(OSError, DocumentError):  # a mark that is damaged says nothing: everything is written anew
        known = read_json((site / MARK).read_bytes())
    kept: Mapping[str, str] = known.get("files") or {}
    if known.get("state") == state and all(_hash_of(site / name) == whole for name, whole in kept.items()):
        return
    made = made_files(site, front)
    for name, content in made.items():
        _write(site / name, content)
    for path in map(Path, kept.keys() - made.keys()):
        if path.parent.as_posix() in MADE_FOLDERS:
            (site / path).unlink(missing_ok=True)
    listed = {name: sha256(content).hexdigest() for name, content in sorted(made.items())}
    _write(site / MARK, (json.dumps({"state": state, "files": listed}, ensure_ascii=False, indent=1) + "\n").encode())


def write_comparison(site: Path, comparison: Comparison) -> Path:
    """Write the page of a comparison and bring the index up to date; returns the page's path."""
    path = site / COMPARISONS / f"{comparison.stem}.json"
    labels = [report.label for report in comparison.reports]
    _write(path, (json.dumps({"reports": labels}, ensure_ascii=False) + "\n").encode())
    write_site(site)
    return path.with_suffix(".html")


def _state(site: Path, front: str) -> str:
    """A digest of all that the pages are made from: records, which files are there, rankings, front page, this code."""
    names = (RESULT, FAILURE, PAGE, LOG, *OTHER_FORMS.values())
    watched = [folder / name for folder in report_folders(site) for name in names]
    found: list[object] = [package_hash(), front]
    for path in [*watched, site / RANKINGS, *sorted((site / COMPARISONS).glob("*.json"))]:
        content = _hash_of(path) if path.suffix == ".json" else path.is_file()
        found.append([path.relative_to(site).as_posix(), content])
    return sha256(json.dumps(found).encode()).hexdigest()


def _hash_of(path: Path) -> str | None:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else None


def _write(path: Path, content: bytes) -> None:
    """Write the file unless it holds just that; a link is replaced and not followed."""
    if _hash_of(path) != sha256(content).hexdigest():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
