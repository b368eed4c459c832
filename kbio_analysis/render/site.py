"""The pages made from all reports together, kept up to date: the index, one a batch, comparisons, ways between reports.

They are written whole or not at all, and only where they differ. The site's mark lists what was made, with hashes: what
is damaged is made again, and only what is listed is ever taken away. The same reports give the same bytes.

A report's page is a function of its own inputs and knows no other report. It points at fixed addresses below ``go``,
small pages that lead on at once, without a script, to the report before or after, to the notebook's scenarios or to a
report that was read. Where there is none, they lead to the map on the index, so that no link is dead.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from pydantic import BaseModel

from kbio_analysis.errors import KbioError, UsageError
from kbio_analysis.notebooks import notebooks_dir
from kbio_analysis.reading import DocumentError, read_as, read_json, read_yaml
from kbio_analysis.render import publish, results
from kbio_analysis.render.compare import Batch, Comparison, Line, batch_sections, batches, resolve
from kbio_analysis.render.formats import STATUS_WORDS, file_name, format_setting, format_value, rendered
from kbio_analysis.render.parameters import read_source
from kbio_analysis.render.provenance import package_hash
from kbio_analysis.render.results import Rankings, SiteReport, is_number

MOST_CHARACTERS = 1_500_000  # of the text that is searched
FEWEST_SETS, MOST_SETS, MOST_CHART_CHARACTERS = 4, 500, 4_000_000

_CHART = re.compile(r'<figure class="chart".*?</figure>', re.DOTALL)
_LEFT_OUT = re.compile(
    r'<(style|nav|annotation|thead)\b.*?</\1>|<details class="code">.*?\n</details>'
    r'|<ul class="facts".*?</ul>|<caption class="quiet">.*?</caption>'
    r'|<span class="(?:under|quiet)">.*?</span>|<a class="download".*?</a>|<img [^>]*>',
    re.DOTALL,
)
_PIECE = re.compile(r"(?=<(?:h[1-6]|figure|div|p|li|figcaption|caption|tr)\b)")
_ANCHOR = re.compile(r'<(?:h\d|figure|div)\b[^>]*? id="([^"]+)"')


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


def write_site(site: Path, rankings: Rankings | None = None) -> None:
    """Bring everything that is made from all reports below ``site`` up to date with them, and repair what is damaged.

    ``rankings`` are those of some batches; the mark keeps the ones of the others, so that a change of one remakes a
    page and no report. Raises UsageError if ``reports/site.yml``, the words of the front page, is wrong; the pages stay
    as they are then.
    """
    front, known = read_front(), {}
    with suppress(OSError, DocumentError):  # a mark that is damaged says nothing: everything is written anew
        known = read_json((site / publish.MARK).read_bytes())
    said = {**known.get("rankings", {}), **(rankings or {})}
    said = {batch: said[batch] for batch in sorted(said) if said[batch]}
    state, kept = _state(site, front, said), known.get("files", {})
    if known.get("state") == state and all(_hash_of(site / name) == whole for name, whole in kept.items()):
        return
    made = _made_files(site, front, said)
    for name, content in made.items():
        _write(site / name, content)
    for path in map(Path, kept.keys() - made.keys()):
        if path.parent.as_posix() in publish.MADE_FOLDERS:
            (site / path).unlink(missing_ok=True)
    files = {name: sha256(content).hexdigest() for name, content in sorted(made.items())}
    mark = json.dumps({"state": state, "files": files, "rankings": said}, ensure_ascii=False, indent=1)
    _write(site / publish.MARK, f"{mark}\n".encode())


def rehearse() -> None:
    """Import and compile what the pages are made with, by making those of no reports: for a time of waiting."""
    _made_files(Path(os.devnull), Front(), {})


def write_comparison(site: Path, comparison: Comparison) -> Path:
    """Write the page of a comparison and bring the index up to date; returns the page's path."""
    path = site / publish.COMPARISONS / f"{comparison.stem}.json"
    labels = [report.label for report in comparison.reports]
    _write(path, (json.dumps({"reports": labels}, ensure_ascii=False) + "\n").encode())
    write_site(site)
    return path.with_suffix(".html")


def _state(site: Path, front: Front, said: Rankings) -> str:
    """A digest of all that the pages are made from: records, which files are there, rankings, front page, this code."""
    found: list[object] = [package_hash(), repr(front), said]
    watched = [folder / name for folder in results.report_folders(site) for name in results.LISTED]
    for path in [*watched, *sorted((site / publish.COMPARISONS).glob("*.json"))]:
        content = _hash_of(path) if path.suffix == ".json" else path.is_file()
        found.append([path.relative_to(site).as_posix(), content])
    return sha256(json.dumps(found).encode()).hexdigest()


def _hash_of(path: Path) -> str | None:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else None


def _write(path: Path, content: bytes) -> None:
    """Write the file unless it holds just that; a link is replaced and not followed."""
    if _hash_of(path) != sha256(content).hexdigest():
        publish.write_file(path, content)


# ---- what is made


def _made_files(site: Path, front: Front, said: Rankings) -> dict[str, bytes]:
    """Name -> content of each file below ``site``."""
    reports, grids, scenarios, texts = results.read_reports(site), [], {}, {}
    groups = batches(reports)
    for batch in groups:
        sections = batch_sections(batch, said.get(batch.name, {}))
        own = [grid for section in sections if (grid := what_if(batch, section))]
        texts |= {grid["address"]: rendered("site/whatif.html.j2", **grid) for grid in own}
        shown = {"reports": batch.reports, "totals": totals(batch.reports), "sections": sections}
        texts[batch.address] = rendered("site/side.html.j2", title=batch.title, batch=batch, grids=own, **shown)
        # A notebook's scenarios are its first batch, or better its last grid.
        scenarios = dict.fromkeys((r.notebook for r in batch.reports), quote(batch.address)) | scenarios
        scenarios |= {grid["notebook"]: quote(grid["address"]) for grid in own}
        grids += own
    comparisons = _comparisons(site, reports)
    texts |= {name: rendered("site/side.html.j2", **shown) for name, shown in comparisons.items()}
    shown = {"front": front, "batches": groups, "grids": grids, "comparisons": comparisons, "scenarios": scenarios}
    texts["index.html"] = _index(reports, **shown)
    listed = [report.model_dump(exclude={"folder", "made_with", "inputs"}) for report in reports]
    listing = {"totals": totals(reports), "reports": listed}
    texts["index.json"] = json.dumps(listing, ensure_ascii=False, indent=1) + "\n"
    for name, address in _ways(reports, groups, scenarios).items():
        texts[f"{publish.GO}/{name}.html"] = rendered("site/way.html.j2", address=f"../{address}")
    return {name: text.encode() for name, text in texts.items()} | results.results_files(reports)


def _comparisons(site: Path, reports: list[SiteReport]) -> dict[str, dict[str, Any]]:
    """What the pages of the comparisons show whose reports are still there; and of what record no page can be made."""
    found = {}
    for path in sorted((site / publish.COMPARISONS).glob("*.json")):
        shown = {"title": path.stem, "sections": [], "totals": totals([])}
        try:
            labels = read_json(path.read_bytes())["reports"]
            beside = Comparison(resolve(reports, [str(label) for label in labels]))
            title = f"{', '.join(beside.names[1:])} against {beside.names[0]}"
            shown = {"title": title, "sections": [beside], "totals": totals(beside.reports)}
        except UsageError:
            continue
        except (OSError, DocumentError, KeyError, TypeError):
            shown["damaged"] = "its record is damaged; compare the sets again, or delete it"
        found[f"{publish.COMPARISONS}/{path.stem}.html"] = shown
    return found


def totals(reports: Sequence[SiteReport]) -> dict[str, int]:
    """How many reports, notebooks and, in a fixed order, reports of each status that occurs."""
    counts = Counter(report.status for report in reports)
    found = {"reports": len(reports), "notebooks": len({report.notebook for report in reports})}
    return found | {status: counts[status] for status in [*STATUS_WORDS, *sorted(counts)] if counts[status]}


def _index(reports: list[SiteReport], front: Front, **shown: Any) -> str:
    # The map: default reports that went well, by topic; every other good report is listed below it.
    mapped = {r.notebook: r for r in reports if r.set == publish.DEFAULT_SET and r.good and r.page}
    topics: dict[str, list[SiteReport]] = {}
    for name, report in mapped.items():
        topics.setdefault(front.topics.get(name[:1], ""), []).append(report)
    shown |= {"title": front.title, "front": front, "mapped": mapped, "topics": topics, "totals": totals(reports)}
    shown |= {"dates": {name: _date(report, mapped) for name, report in mapped.items()}}
    shown |= {"questions": {r.notebook: r.question or r.notebook for r in reversed(reports)}}
    shown |= {"names": sorted({name for r in reports for name in r.changed}), "texts": search_index(reports)}
    return rendered("site/index.html.j2", reports=reports, **shown)


def _date(report: SiteReport, mapped: Mapping[str, SiteReport]) -> str:
    """The day that a report speaks of: its ``as_of``, the latest of those below it, or else its newest figure's."""
    days = [str(r.made_with.get("as_of") or "") for r in (report, *map(mapped.get, report.rests_on)) if r]
    told = days[0] or max(days)
    with suppress(ValueError):
        day = dt.date.fromisoformat(told or str(report.inputs.get("newest")))
        return f"{'as of' if told else 'figures to'} {day:%-d %B %Y}"
    return ""


def _ways(reports: Sequence[SiteReport], groups: Sequence[Batch], scenarios: Mapping[str, str]) -> dict[str, str]:
    """Name of a way -> its address from the site's folder. ``scenarios``: notebook -> a page of its sets."""
    page = {r.notebook: r.page for r in reports if r.set == publish.DEFAULT_SET and r.page}
    found = {f"batch-{file_name(b.name, 'html')[:-5]}": quote(b.address) for b in groups if b.named}
    for name in sorted({r.notebook for r in reports}.union(*(r.rests_on for r in reports))):
        place = f"index.html#{quote(name)}"
        before, after = [n for n in page if n < name], [n for n in page if n > name]
        found[name] = page.get(name, place)
        found[f"{name}-previous"] = page[max(before)] if before else place
        found[f"{name}-next"] = page[min(after)] if after else place
        found[f"{name}-scenarios"] = scenarios.get(name, place)
    return found


# ---- what if: choose a value of each parameter, see that set's answer and figures


def what_if(batch: Batch, section: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the what-if page shows of a section of the batch's page; None if its reports fill less than half of a grid.

    ``axes`` are the parameters that vary with their values as text, numbers by size, ``declared`` what the notebook
    says of them; ``sets`` has for each report its ``key`` (a text a parameter), ``numbers`` (meaning, text, unit) and
    ``chart``.
    """
    notebook, at = section["reports"][0].notebook, {r.label: i for i, r in enumerate(section["reports"])}
    reports = [r for r in batch.reports if r.notebook == notebook and r.parameters]
    axes: dict[str, list[str]] = {}
    for name in reports[0].parameters if reports else ():
        values = {format_setting(value): value for value in (r.parameters.get(name) for r in reports)}
        if len(values) > 1:
            axes[name] = sorted(values, key=lambda t: (0, values[t], "") if is_number(values[t]) else (1, 0, t))
    combinations = prod(map(len, axes.values()))
    if not axes or not FEWEST_SETS <= len(reports) <= MOST_SETS or combinations > 2 * len(reports):
        return None
    sets: dict[tuple[str, ...], dict[str, Any]] = {}
    for report in reports:
        key = tuple(format_setting(report.parameters.get(name)) for name in axes)
        numbers = [_number(line, at[report.label]) for line in section["lines"] if report.label in at]
        # The first chart as it stands on its page, which holds nothing that runs.
        found = _CHART.search(report.html()) if report.good else None
        one = {"report": report, "numbers": numbers, "chart": Markup(found[0] if found else "")}
        sets.setdefault(key, {"key": key} | one)
    if sum(len(one["chart"]) for one in sets.values()) > MOST_CHART_CHARACTERS:
        sets = {key: one | {"chart": ""} for key, one in sets.items()}
    declared = {}
    with suppress(OSError, KbioError):
        source = (section["reports"][0].folder / "executed.ipynb").read_bytes()
        declared = {one.name: one for one in read_source(notebook, source).parameters}
    usual = tuple(format_setting(getattr(declared.get(name), "default", None)) for name in axes)
    question = next((r.question for r in reports if r.question), notebook)
    shown = {"batch": batch, "notebook": notebook, "axes": axes, "combinations": combinations, "declared": declared}
    shown |= {"question": question, "title": f"What if? {question}", "sets": [*sets.values()]}
    shown |= {"address": f"{publish.WHAT_IF}/{Path(batch.address).stem}-{notebook}.html"}
    return shown | {"start": sets.get(usual) or next(iter(sets.values()))}


def _number(line: Line, at: int) -> tuple[str, str, str]:
    """Meaning, text and unit of a result, rounded for a glance: odds in per cent, else three digits at the least."""
    value, text, unit = line.values[at], line.texts[at], line.unit
    if is_number(value) and unit == "probability":
        text, unit = f"{100 * value:.0f}%", ""
    elif isinstance(value, float) and abs(value) < 1000:
        text = format_value(float(f"{value:.3g}"), unit)
    return line.meaning or line.name, text, unit


# ---- the text of the reports for the search of the index


def passages(page: str) -> list[tuple[str, str, str]]:
    """(anchor, heading, text) of every paragraph, item, caption and table row of a report's page, in order."""
    body = _LEFT_OUT.sub(" ", page[page.find("<h1") :].partition('<h2 id="provenance"')[0])
    found, anchor, heading = [], "", ""
    for piece in _PIECE.split(body):
        anchor = own[1] if (own := _ANCHOR.match(piece)) else anchor
        text = _said(piece)
        if re.match("<h[1-6]", piece):
            heading = text
            found.append((anchor, heading, ""))
        elif text:
            found.append((anchor, heading, text))
    return found


@lru_cache(maxsize=4096)  # a batch says most of it in every report
def _said(piece: str) -> str:
    spaced = re.sub(r"<(?:code|br)\b[^>]*>", " ", re.sub(r"</t[dh]>", " \N{MIDDLE DOT} ", piece))
    return Markup(spaced).striptags().strip(" \N{MIDDLE DOT}")


def search_index(reports: Sequence[SiteReport]) -> dict[str, Any]:
    """``reports``: (name, address) each; ``passages``: (number of the report, anchor, heading, text) each.

    What a set says word for word as the default report did is not kept again; sets come after all default reports, and
    what lies beyond the bound stays out, so that the index remains a page that opens at once.
    """
    with_page = sorted((r for r in reports if r.page), key=lambda r: (r.set != publish.DEFAULT_SET, r.notebook, r.set))
    listed, kept, known, room = [], [], set(), MOST_CHARACTERS
    for report in with_page:
        own = [one for one in passages(report.html()) if (report.notebook, one[1:]) not in known]
        room -= sum(len(part) for one in own for part in one)
        if room < 0:
            break
        known |= {(report.notebook, one[1:]) for one in own}
        kept += [(len(listed), *one) for one in own]
        listed.append((report.notebook if report.set == publish.DEFAULT_SET else report.label, report.page))
    return {"reports": listed, "passages": kept, "left_out": len(with_page) - len(listed)}
