"""The text of the reports for the search of the index: passages by section, each where it stands first.

What a set says word for word as the default report did is not kept again; sets come after all default reports, and
what lies beyond the bounds below stays out, so that the index remains a page that opens at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

from kbio_analysis.render.publish import DEFAULT_SET
from kbio_analysis.render.results import SiteReport

MOST_PAGES, MOST_CHARACTERS = 120, 1_500_000

_LEFT_OUT = re.compile(
    r'<(svg|style|nav|annotation|thead)\b.*?</\1>|<details class="code">.*?\n</details>'
    r'|<ul class="facts".*?</ul>|<caption class="quiet">.*?</caption>'
    r'|<span class="(?:under|quiet)">.*?</span>|<a class="download".*?</a>',
    re.DOTALL,
)
_PASSAGE = re.compile(
    r'<(?:figure|div)\b[^>]*? id="(?P<id>[^"]+)"|<h(?P<level>[1-6])(?: id="(?P<own>[^"]+)")?>(?P<heading>.*?)</h'
    r"|<(?P<tag>p|li|figcaption|caption|tr)\b[^>]*>(?P<text>.*?)</(?P=tag)>",
    re.DOTALL,
)


def passages(page: str) -> list[tuple[str, str, str]]:
    """(anchor, heading, text) of every paragraph, item, caption and table row of a report's page, in order."""
    body = _LEFT_OUT.sub(" ", page[page.find("<h1") :].partition('<h2 id="provenance"')[0])
    found, anchor, heading = [], "", ""
    for match in _PASSAGE.finditer(body):
        if match["level"]:
            anchor, heading = match["own"] or "", _text(match["heading"])
            found.append((anchor, heading, ""))
        elif match["id"]:
            anchor = match["id"]
        elif text := _text(match["text"]):
            found.append((anchor, heading, text))
    return found


def search_index(reports: Sequence[SiteReport]) -> dict[str, Any]:
    """``reports``: (name, address) each; ``passages``: (number of the report, anchor, heading, text) each."""
    with_page = sorted((r for r in reports if r.page), key=lambda r: (r.set != DEFAULT_SET, r.notebook, r.set))
    listed, kept, known, room = [], [], set(), MOST_CHARACTERS
    for report in with_page[:MOST_PAGES]:
        own = [one for one in passages(report.html()) if (report.notebook, one[1:]) not in known]
        room -= sum(len(part) for one in own for part in one)
        if room < 0:
            break
        known |= {(report.notebook, one[1:]) for one in own}
        kept += [(len(listed), *one) for one in own]
        listed.append((report.notebook if report.set == DEFAULT_SET else report.label, report.page))
    return {"reports": listed, "passages": kept, "left_out": len(with_page) - len(listed)}


def _text(markup: str) -> str:
    spaced = re.sub(r"<(?:code|br)\b[^>]*>", " ", re.sub(r"</t[dh]>", " \N{MIDDLE DOT} ", markup))
    return " ".join(unescape(re.sub(r"<[^>]*>", "", spaced)).split()).strip(" \N{MIDDLE DOT}")
