"""How the reports of a site hang together: the words of the front page, the map by topic, the ways between reports.

A report's page is a function of its own inputs and knows no other report. It points at fixed addresses below ``go``,
which are written when the site is put together: a small page each that leads on at once, without a script, to the
report before or after, to the notebook's scenarios or to a report that was read. Where there is none, it leads to the
map on the index, so that a report rendered alone has no dead link either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kbio_analysis.errors import UsageError
from kbio_analysis.reading import DocumentError, read_yaml
from kbio_analysis.render.formats import file_name
from kbio_analysis.render.notebooks import notebooks_dir
from kbio_analysis.render.publish import DEFAULT_SET
from kbio_analysis.render.results import SiteReport

if TYPE_CHECKING:
    from kbio_analysis.render.side_by_side import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What the index says by itself: ``answers`` names the notebooks that answer the question, ``topics`` has words
    for the first digit of a notebook's name."""

    title: str = "Reports"
    question: str = ""
    answers: Sequence[str] = ()
    topics: Mapping[str, str] = field(default_factory=dict)


def read_front() -> Front:
    """``reports/site.yml`` of the repository whose notebooks are used. Raises UsageError for a file that is wrong."""
    try:
        path = notebooks_dir().parent / "reports" / "site.yml"
        content = (read_yaml(path.read_bytes()) or [None])[0] or {}
        if not isinstance(content, dict):
            raise DocumentError("a mapping is needed: title, question, answers, topics")
        kinds = {"title": str, "question": str, "answers": list, "topics": dict}
        for key, part in content.items():
            parts = [part, *(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())]
            if not isinstance(part, kinds.get(key, ())) or not all(isinstance(one, str) for one in parts[1:]):
                raise DocumentError(f"{key}: known are title and question (text), answers (a list), topics (a mapping)")
    except (OSError, UsageError):
        return Front()
    except DocumentError as problem:
        raise UsageError(f"{path}: {problem}") from None
    return Front(**content)


def the_map(reports: Sequence[SiteReport], front: Front) -> list[tuple[str, list[dict[str, Any]]]]:
    """Topic -> the default reports that went well, each with its date, what it rests on and what rests on it."""
    listed = {r.notebook: r for r in reports if r.set == DEFAULT_SET and r.good and r.page}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, report in listed.items():
        card = {"report": report, "date": _date(report, listed)}
        card["rests_on"] = [listed[one] for one in report.rests_on if one in listed]
        card["read_by"] = [other for other in listed.values() if name in other.rests_on]
        found.setdefault(front.topics.get(name[:1], ""), []).append(card)
    return list(found.items())


def _date(report: SiteReport, listed: Mapping[str, SiteReport]) -> str:
    """The day that a report speaks of, in words: its ``as_of``, the latest of those it rests on, or else the day of the
    newest figure it read."""
    below = [listed[name].made_with.get("as_of") for name in report.rests_on if name in listed]
    told = report.made_with.get("as_of") or max((str(day) for day in below if day), default="")
    try:
        day = dt.date.fromisoformat(str(told or report.newest))
    except ValueError:
        return ""
    return f"{'as of' if told else 'figures to'} {day:%-d %B %Y}"


def ways(reports: Sequence[SiteReport], batches: Sequence[Batch], scenarios: Mapping[str, str]) -> dict[str, str]:
    """Name of a way -> its address from the site's folder. ``scenarios``: notebook -> a page of its sets."""
    page = {r.notebook: r.page for r in reports if r.set == DEFAULT_SET and r.page}
    found = {f"batch-{file_name(b.name, 'html')[:-5]}": quote(b.address) for b in batches if b.kicker == "batch"}
    for name in sorted({r.notebook for r in reports}.union(*(r.rests_on for r in reports))):
        place = f"index.html#{quote(name)}"
        before, after = [n for n in page if n < name], [n for n in page if n > name]
        found[name] = page.get(name, place)
        found[f"{name}-previous"] = page[max(before)] if before else place
        found[f"{name}-next"] = page[min(after)] if after else place
        found[f"{name}-scenarios"] = scenarios.get(name, place)
    return found
