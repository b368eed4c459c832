"""What is made from all reports together: the index, a page a batch, the comparisons, and the frame of results.

Everything is written whole or not at all, and only where it differs; the same reports give the same bytes. The site's
mark lists what was made, with hashes: what is damaged is made again, and only what is listed is ever taken away.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kbio_analysis.errors import UsageError
from kbio_analysis.reading import DocumentError, read_json
from kbio_analysis.render.provenance import package_hash
from kbio_analysis.render.publish import BATCHES, COMPARISONS, FAILURE, HIDDEN, LOG, MARK, write_file
from kbio_analysis.render.ranking import RECORD, remembered
from kbio_analysis.render.results import CSV_NAME, OTHER_FORMS, PAGE, PARQUET_NAME, RESULT, report_folders

if TYPE_CHECKING:
    from kbio_analysis.render.compare import Comparison
    from kbio_analysis.render.results import SiteReport
    from kbio_analysis.render.side_by_side import Batch


def write_site(site: Path) -> list[str]:
    """Bring everything that is made from all reports below ``site`` up to date with them, and repair what is damaged.

    Returns a sentence for each comparison that cannot be made any more because its record is damaged.
    """
    state, known = _state(site), _known(site)
    kept: Mapping[str, str] = known.get("files") or {}
    if known.get("state") == state and all(_hash_of(site / name) == whole for name, whole in kept.items()):
        return []
    from kbio_analysis.render import side_by_side
    from kbio_analysis.render.results import read_reports, results_files

    reports = read_reports(site)
    groups, said = side_by_side.batches(reports), remembered(site)
    texts = {}
    for batch in groups:
        sections = side_by_side.batch_sections(batch, said.get(batch.name, {}))
        shown = {"heading": batch.name, "kicker": batch.kicker, "bad": batch.bad, "sections": sections}
        texts[f"{BATCHES}/{batch.stem}.html"] = _side_page(batch.reports, **shown)
    asked, damaged = _comparisons(site, reports)
    texts |= asked | {"index.json": _index_json(reports), "index.html": _index_html(reports, groups, list(asked))}
    made = {name: text.encode() for name, text in texts.items()} | results_files(reports)
    for name, content in made.items():
        _write(site / name, content)
    for name in kept:
        folder, _, page = name.partition("/")
        if name not in made and folder in (BATCHES, COMPARISONS) and "/" not in page:
            (site / name).unlink(missing_ok=True)
    listed = {name: sha256(content).hexdigest() for name, content in sorted(made.items())}
    _write(site / MARK, (json.dumps({"state": state, "files": listed}, ensure_ascii=False, indent=1) + "\n").encode())
    return damaged


def write_comparison(site: Path, comparison: Comparison) -> Path:
    """Write the page of a comparison and bring the index up to date; returns the page's path."""
    from kbio_analysis.render.side_by_side import comparison_stem

    path = site / COMPARISONS / f"{comparison_stem(comparison.reports)}.json"
    labels = [report.label for report in comparison.reports]
    _write(path, (json.dumps({"reports": labels}, ensure_ascii=False) + "\n").encode())
    write_site(site)
    return path.with_suffix(".html")


def _state(site: Path) -> str:
    """A digest of all that the pages are made from: results, files that are there, rankings asked for, this code."""
    digest = sha256(package_hash().encode())
    listed = [path for folder in report_folders(site) for path in (folder / RESULT, folder / FAILURE)]
    for path in [*listed, site / HIDDEN / RECORD, *sorted((site / COMPARISONS).glob("*.json"))]:
        content = path.read_bytes() if path.is_file() else b""
        head = f"{path.relative_to(site).as_posix()}\0{path.is_file()}\0{len(content)}\0"
        digest.update(os.fsencode(head) + content)
    for folder in dict.fromkeys(path.parent for path in listed):
        present = [(folder / name).is_file() for name in (PAGE, LOG, *OTHER_FORMS.values())]
        digest.update(repr(present).encode())
    return digest.hexdigest()


def _known(site: Path) -> dict[str, Any]:
    """What the site's mark says; nothing if it is damaged, and then everything is written anew."""
    try:
        known = read_json((site / MARK).read_bytes())
    except (OSError, DocumentError):
        return {}
    files = known.get("files")
    return known | {"files": files if isinstance(files, dict) else dict.fromkeys(map(str, files or ()))}


def _hash_of(path: Path) -> str | None:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else None


def _comparisons(site: Path, reports: list[SiteReport]) -> tuple[dict[str, str], list[str]]:
    """The pages of the comparisons that were asked for and whose reports are still there; what is wrong with others.

    A record that cannot be read keeps its place in the index, with a page that says so.
    """
    from kbio_analysis.render.compare import compared, resolve
    from kbio_analysis.render.side_by_side import comparison_section

    found, damaged = {}, []
    for path in sorted((site / COMPARISONS).glob("*.json")):
        name = f"{COMPARISONS}/{path.stem}.html"
        try:
            labels = read_json(path.read_bytes())["reports"]
            comparison = compared(resolve(reports, [str(label) for label in labels]))
        except UsageError:
            continue
        except (OSError, DocumentError, KeyError, TypeError):
            why = "its record is damaged; compare the sets again, or delete it"
            damaged.append(f"{path}: {why}")
            shown = {"heading": path.stem, "kicker": f"comparison: {why}", "bad": [], "sections": []}
            found[name] = _side_page([], **shown)
            continue
        heading = " against ".join([", ".join(comparison.names[1:]), comparison.names[0]])
        shown = {"heading": heading, "kicker": "comparison", "bad": [], "sections": [comparison_section(comparison)]}
        found[name] = _side_page(comparison.reports, **shown)
    return found, damaged


def _write(path: Path, content: bytes) -> None:
    """Write the file unless it holds just that; a link is replaced and not followed."""
    if _hash_of(path) == sha256(content).hexdigest():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content)


# ---- the pages


def totals(reports: Sequence[SiteReport]) -> dict[str, int]:
    """How many reports, notebooks and, in a fixed order, reports of each status that occurs."""
    from kbio_analysis.render.templating import STATUS_WORDS

    counts = Counter(report.status for report in reports)
    found = {"reports": len(reports), "notebooks": len({report.notebook for report in reports})}
    return found | {status: counts[status] for status in [*STATUS_WORDS, *sorted(counts)] if counts[status]}


def _page(name: str, reports: Sequence[SiteReport], sheets: Sequence[str], script: str | None, **shown: Any) -> str:
    from kbio_analysis.render.formats import printable, stylesheet, template_folder
    from kbio_analysis.render.templating import template

    context = {
        "style": stylesheet(*sheets),
        "script": (template_folder() / "site" / script).read_text(encoding="utf-8") if script else None,
        "files": {"csv": CSV_NAME, "parquet": PARQUET_NAME},
        "totals": totals(reports),
    }
    return printable(template(name).render(context | shown))


def _side_page(reports: Sequence[SiteReport], *, heading: str, sections: list[dict[str, Any]], **shown: Any) -> str:
    script = "sort.js" if any("rows" in section for section in sections) else None
    sheets = ("base.css", "table.css", "site.css", "side.css")
    shown |= {"title": heading, "heading": heading, "sections": sections, "root": "../"}
    return _page("site/side.html.j2", reports, sheets, script, **shown)


def _index_json(reports: Sequence[SiteReport]) -> str:
    names = ("notebook", "set", "batch", "status", "question", "answer", "parameters", "changed", "results")
    listed = [{n: getattr(r, n) for n in (*names, "error", "page", "log", "forms")} for r in reports]
    return json.dumps({"totals": totals(reports), "reports": listed}, ensure_ascii=False, indent=1) + "\n"


def _index_html(reports: list[SiteReport], groups: list[Batch], comparisons: list[str]) -> str:
    of: dict[str, list[SiteReport]] = {}
    for report in reports:
        of.setdefault(report.notebook, []).append(report)
    links: list[dict[str, Any]] = []
    for batch in groups:
        words = f"{len(batch.reports)} report{'s' * (len(batch.reports) > 1)}"
        address = f"{BATCHES}/{quote(batch.stem)}.html"
        links.append({"address": address, "name": batch.name, "words": words, "bad": len(batch.bad)})
    links += [{"address": quote(a), "name": Path(a).stem, "words": "comparison", "bad": 0} for a in comparisons]
    questions = {name: next((r.question for r in members if r.question), name) for name, members in of.items()}
    shown = {"title": "Reports", "root": "", "links": links, "bad": [r for r in reports if not r.good]}
    shown["groups"] = [(name, questions[name], [r for r in members if r.good]) for name, members in of.items()]
    shown["names"] = sorted({name for r in reports for name in r.changed})
    return _page("site/index.html.j2", reports, ("base.css", "site.css", "side.css"), "filter.js", **shown)
