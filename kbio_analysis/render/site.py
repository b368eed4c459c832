"""What is made from all reports together: the index, a page a batch, the comparisons, and the table of results.

Everything is written whole or not at all, and only where it would change; the same reports give the same bytes.
When nothing that it is made from has changed, nothing is read beyond the result files, and nothing is written.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kbio_analysis.render.provenance import package_hash
from kbio_analysis.render.publish import FAILURE, HIDDEN, LOG, write_file

if TYPE_CHECKING:
    from kbio_analysis.render.compare import Comparison
    from kbio_analysis.render.entries import Entry
    from kbio_analysis.render.side_pages import Batch

STAMP = "site.json"


def write_site(site: Path) -> None:
    """Bring everything that is made from all reports below ``site`` up to date with them."""
    stamp = site / HIDDEN / STAMP
    state = _state(site)
    if _unchanged(site, stamp, state):
        return
    from kbio_analysis.render import side_pages
    from kbio_analysis.render.entries import read_entries
    from kbio_analysis.render.ranking import remembered
    from kbio_analysis.render.tables_out import CSV_NAME, PARQUET_NAME, write_tables

    entries = read_entries(site)
    groups, said = side_pages.batches(entries), remembered(site)
    texts = {batch.address: side_pages.batch_html(site, batch, said.get(batch.name, {})) for batch in groups}
    texts |= (asked := _comparisons(site, entries))
    texts |= {"index.json": _index_json(entries), "index.html": _index_html(entries, groups, list(asked))}
    write_tables(site, entries)
    for name, text in texts.items():
        _write(site / name, text.encode())
    _clear(site, texts)
    made = sorted([*texts, CSV_NAME, PARQUET_NAME])
    _write(stamp, (json.dumps({"state": state, "files": made}, ensure_ascii=False) + "\n").encode())


def write_comparison(site: Path, comparison: Comparison) -> Path:
    """Write the page of a comparison and bring the index up to date; returns the page's path."""
    from kbio_analysis.render import side_pages

    name = side_pages.comparison_stem(comparison.reports)
    folder = site / side_pages.COMPARISONS
    _write(folder / f"{name}.json", side_pages.comparison_json(comparison).encode())
    write_site(site)
    return folder / f"{name}.html"


# ---- what it is made from


def _state(site: Path) -> str:
    """A digest of everything the pages are made from: the reports' results, which files they have, the rankings asked
    for, and this code."""
    from kbio_analysis.render.entries import OTHER_FORMS, PAGE, RESULT, report_folders
    from kbio_analysis.render.ranking import RECORD

    digest = hashlib.sha256(package_hash().encode())
    listed = [path for folder in report_folders(site) for path in (folder / RESULT, folder / FAILURE)]
    for path in [*listed, site / HIDDEN / RECORD, *sorted((site / "compare").glob("*.json"))]:
        content = path.read_bytes() if path.is_file() else b""
        head = f"{path.relative_to(site).as_posix()}\0{path.is_file()}\0{len(content)}\0"
        digest.update(os.fsencode(head) + content)
    for folder in dict.fromkeys(path.parent for path in listed):
        present = [(folder / name).is_file() for name in (PAGE, LOG, *OTHER_FORMS.values())]
        digest.update(repr(present).encode())
    return digest.hexdigest()


def _unchanged(site: Path, stamp: Path, state: str) -> bool:
    try:
        known = json.loads(stamp.read_text(encoding="utf-8"))
        return known["state"] == state and all((site / name).is_file() for name in known["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _comparisons(site: Path, entries: list[Entry]) -> dict[str, str]:
    """The pages of the comparisons that were asked for and whose reports are still there."""
    from kbio_analysis.render import side_pages

    found = {}
    for path in sorted((site / side_pages.COMPARISONS).glob("*.json")):
        comparison = side_pages.recorded_comparison(path, entries)
        if comparison is not None:
            found[f"{side_pages.COMPARISONS}/{path.stem}.html"] = side_pages.comparison_html(site, comparison)
    return found


# ---- writing


def _write(path: Path, content: bytes) -> None:
    """Write the file unless it holds just that."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content)


def _clear(site: Path, kept: dict[str, str]) -> None:
    """Remove pages of batches and comparisons that are no more."""
    from kbio_analysis.render.side_pages import BATCHES, COMPARISONS

    for folder in (BATCHES, COMPARISONS):
        for path in (site / folder).glob("*.html"):
            if f"{folder}/{path.name}" not in kept:
                path.unlink()


def _index_json(entries: list[Entry]) -> str:
    from kbio_analysis.render.site_pages import totals

    names = ("notebook", "set", "batch", "status", "question", "answer", "spark", "parameters", "changed", "error")
    reports = [{n: getattr(e, n) for n in (*names, "page", "log", "forms")} for e in entries]
    return json.dumps({"totals": totals(entries), "reports": reports}, ensure_ascii=False, indent=1) + "\n"


def _index_html(entries: list[Entry], groups: list[Batch], comparisons: list[str]) -> str:
    from kbio_analysis.render.site_pages import page, totals

    by_notebook: dict[str, list[Entry]] = {}
    for entry in entries:
        by_notebook.setdefault(entry.notebook, []).append(entry)
    links: list[dict[str, Any]] = [
        {
            "address": batch.address,
            "name": batch.name,
            "words": f"{len(batch.entries)} reports" if len(batch.entries) > 1 else "1 report",
            "bad": batch.bad,
        }
        for batch in groups
    ]
    links += [{"address": quote(a), "name": Path(a).stem, "words": "comparison", "bad": 0} for a in comparisons]
    return page(
        "index.html.j2",
        title="Reports",
        script="filter.js",
        bad=[e for e in entries if not e.good],
        groups=[(name, _question(members), [e for e in members if e.good]) for name, members in by_notebook.items()],
        names=sorted({name for e in entries for name in e.changed}),
        totals=totals(entries),
        links=links,
    )


def _question(members: list[Entry]) -> str:
    return next((e.question for e in members if e.question), members[0].notebook)
