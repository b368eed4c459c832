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
from kbio_analysis.render.publish import COMPARISONS, FAILURE, GO, HIDDEN, LOG, MADE_FOLDERS, MARK, WHAT_IF, write_file
from kbio_analysis.render.ranking import RECORD, remembered
from kbio_analysis.render.results import CSV_NAME, OTHER_FORMS, PAGE, PARQUET_NAME, RESULT, report_folders

if TYPE_CHECKING:
    from kbio_analysis.render.compare import Comparison
    from kbio_analysis.render.front import Front
    from kbio_analysis.render.results import SiteReport
    from kbio_analysis.render.side_by_side import Batch


def write_site(site: Path) -> list[str]:
    """Bring everything that is made from all reports below ``site`` up to date with them, and repair what is damaged.

    Returns a sentence for each comparison that cannot be made any more because its record is damaged. Raises
    UsageError if ``reports/site.yml``, the words of the front page, is wrong; the pages stay as they are then.
    """
    from kbio_analysis.render.front import read_front, ways

    front = read_front()
    state, known = _state(site, repr(front)), _known(site)
    kept: Mapping[str, str] = known.get("files") or {}
    if known.get("state") == state and all(_hash_of(site / name) == whole for name, whole in kept.items()):
        return []
    from kbio_analysis.render.results import read_reports, results_files
    from kbio_analysis.render.side_by_side import batches
    from kbio_analysis.render.templating import template

    reports = read_reports(site)
    groups = batches(reports)
    texts, links, scenarios = _batches(site, groups)
    compared, compared_links, damaged = _comparisons(site, reports)
    texts |= compared | {"index.json": _index_json(reports)}
    texts["index.html"] = _index_html(site, reports, front, links + compared_links, scenarios)
    for name, address in ways(reports, groups, scenarios).items():
        texts[f"{GO}/{name}.html"] = template("site/way.html.j2").render(address=f"../{address}")
    made = {name: text.encode() for name, text in texts.items()} | results_files(reports)
    for name, content in made.items():
        _write(site / name, content)
    for name in kept:
        folder, _, page = name.partition("/")
        if name not in made and folder in MADE_FOLDERS and "/" not in page:
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


def _state(site: Path, front: str) -> str:
    """A digest of all that the pages are made from: results, the files that are there, rankings asked for, the words
    of the front page, this code."""
    digest = sha256((package_hash() + front).encode())
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


def _batches(site: Path, groups: list[Batch]) -> tuple[dict[str, str], list[dict[str, Any]], dict[str, str]]:
    """The pages of batches and what-ifs; the index's links to them; notebook -> the best page of its sets."""
    from kbio_analysis.render.side_by_side import batch_sections
    from kbio_analysis.render.whatif import what_if

    texts, links, first, scenarios, said = {}, [], [], {}, remembered(site)
    for batch in groups:
        sections = batch_sections(batch, said.get(batch.name, {}))
        grids = {f"{WHAT_IF}/{batch.stem}-{one['notebook']}.html": what_if(batch, one, site) for one in sections}
        grids = {name: grid for name, grid in grids.items() if grid}
        for name, grid in grids.items():
            texts[name] = _what_if_page(grid)
            first.append(_link(name, f"What if? {grid['question']}", f"{len(grid['sets'])} sets"))
        shown = {"heading": batch.title, "kicker": batch.kicker, "bad": batch.bad, "sections": sections}
        texts[batch.address] = _side_page(batch.reports, grids=[quote(name) for name in grids], **shown)
        words = f"{len(batch.reports)} report{'s' * (len(batch.reports) > 1)}"
        links.append(_link(batch.address, batch.title, words, len(batch.bad)))
        scenarios = dict.fromkeys((r.notebook for r in batch.reports), quote(batch.address)) | scenarios
        scenarios |= {grid["notebook"]: quote(name) for name, grid in grids.items()}
    return texts, first + links, scenarios


def _link(address: str, name: str, words: str, bad: int = 0) -> dict[str, Any]:
    return {"address": quote(address), "name": name, "words": words, "bad": bad}


def _comparisons(site: Path, reports: list[SiteReport]) -> tuple[dict[str, str], list[dict[str, Any]], list[str]]:
    """The pages of the comparisons that were asked for and whose reports are still there, the index's links to them,
    and what is wrong with others.

    A record that cannot be read keeps its place in the index, with a page that says so.
    """
    from kbio_analysis.render.compare import compared, resolve
    from kbio_analysis.render.side_by_side import comparison_section

    found, links, damaged = {}, [], []
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
            links.append(_link(name, path.stem, "comparison"))
            continue
        heading = " against ".join([", ".join(comparison.names[1:]), comparison.names[0]])
        shown = {"heading": heading, "kicker": "comparison", "bad": [], "sections": [comparison_section(comparison)]}
        found[name] = _side_page(comparison.reports, **shown)
        links.append(_link(name, heading, "comparison"))
    return found, links, damaged


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


def _page(name: str, reports: Sequence[SiteReport], sheets: Sequence[str], scripts: Sequence[str], **shown: Any) -> str:
    from kbio_analysis.render.formats import printable, stylesheet, template_folder
    from kbio_analysis.render.templating import template

    context = {
        "style": stylesheet("base.css", *sheets),
        "script": "".join((template_folder() / "site" / one).read_text(encoding="utf-8") for one in scripts),
        "files": {"csv": CSV_NAME, "parquet": PARQUET_NAME},
        "totals": totals(reports),
    }
    return printable(template(name).render(context | shown))


def _side_page(reports: Sequence[SiteReport], *, heading: str, sections: list[dict[str, Any]], **shown: Any) -> str:
    scripts = ["sort.js"] if any("rows" in section for section in sections) else []
    shown |= {"title": heading, "heading": heading, "sections": sections, "root": "../"}
    return _page("site/side.html.j2", reports, ("table.css", "site.css", "side.css"), scripts, **shown)


def _what_if_page(grid: dict[str, Any]) -> str:
    reports, sheets = [one["report"] for one in grid["sets"]], ("table.css", "site.css", "side.css", "whatif.css")
    shown = grid | {"title": f"What if? {grid['question']}", "root": "../"}
    return _page("site/whatif.html.j2", reports, sheets, ["whatif.js"], **shown)


def _index_json(reports: Sequence[SiteReport]) -> str:
    names = ("notebook", "set", "batch", "status", "question", "answer", "parameters", "changed", "results")
    listed = [{n: getattr(r, n) for n in (*names, "error", "page", "log", "forms")} for r in reports]
    return json.dumps({"totals": totals(reports), "reports": listed}, ensure_ascii=False, indent=1) + "\n"


def _index_html(
    site: Path, reports: list[SiteReport], front: Front, links: list[dict[str, Any]], scenarios: Mapping[str, str]
) -> str:
    from kbio_analysis.render.front import the_map
    from kbio_analysis.render.search import search_index

    topics = the_map(reports, front)
    mapped = {card["report"].notebook: card["report"] for _, cards in topics for card in cards}
    of: dict[str, list[SiteReport]] = {}
    for report in reports:
        if report.good and report is not mapped.get(report.notebook):
            of.setdefault(report.notebook, []).append(report)
    questions = {r.notebook: r.question or r.notebook for r in reversed(reports)}
    shown = {"title": front.title, "front": front, "root": "", "links": links, "scenarios": scenarios, "topics": topics}
    shown |= {"answers": [mapped[name] for name in front.answers if name in mapped]}
    shown |= {"groups": [(name, questions[name], members) for name, members in of.items()]}
    shown |= {"notebooks": sorted(questions), "names": sorted({name for r in reports for name in r.changed})}
    shown |= {"bad": [r for r in reports if not r.good], "texts": search_index(site, reports)}
    return _page("site/index.html.j2", reports, ("site.css", "side.css"), ("filter.js", "search.js"), **shown)
