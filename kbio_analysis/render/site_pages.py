"""How the pages of a site are set: one environment, one frame, and what their templates call a thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from kbio_analysis.render.entries import Entry
from kbio_analysis.render.page_charts import sparkline
from kbio_analysis.render.page_prose import paragraph
from kbio_analysis.render.page_values import (
    breakable,
    csp_hash,
    data_uri,
    format_setting,
    plain,
    printable,
    stylesheet,
    template_folder,
)
from kbio_analysis.render.tables_out import CSV_NAME, PARQUET_NAME

STATUS_WORDS = {"ok": "Complete", "failed": "Failed", "killed": "Killed", "timed_out": "Timed out", "broken": "Broken"}
_SHEETS = {"index.html.j2": ("base.css", "site.css", "side.css")}
_SIDE_SHEETS = ("base.css", "table.css", "site.css", "side.css")


def page(template: str, *, title: str, script: str | None = None, **shown: Any) -> str:
    """A page of the site. ``script`` names the one script it carries; ``shown`` is what its template asks for."""
    context = {
        "title": title,
        "style": stylesheet(*_SHEETS.get(template, _SIDE_SHEETS)),
        "script": None if script is None else _script(script),
        "root": "" if template in _SHEETS else "../",
        "files": {"csv": CSV_NAME, "parquet": PARQUET_NAME},
    }
    return printable(_environment().get_template(template).render(context | shown))


def totals(entries: Sequence[Entry]) -> dict[str, int]:
    """How many reports, notebooks and, in a fixed order, reports of each status that occurs."""
    counts = Counter(e.status for e in entries)
    order = [*STATUS_WORDS, *sorted(counts.keys() - STATUS_WORDS.keys())]
    found = {"reports": len(entries), "notebooks": len({e.notebook for e in entries})}
    return found | {status: counts[status] for status in order if counts[status]}


@cache
def _script(name: str) -> str:
    return (template_folder() / "site" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder() / "site"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "setting": format_setting,
        "breakable": breakable,
        "csp_hash": csp_hash,
        "data_uri": data_uri,
        "plain": plain,
        "sparkline": sparkline,
        "sentence": paragraph,
        "status": lambda status: STATUS_WORDS.get(status, status),
        "raw": Markup,
    }
    return environment
