"""The site's index: every report below a folder, as a page to search and as JSON, written whole or not at all.

A report is a folder ``<notebook>/<set>/`` with ``result.json``; ``failure.json`` beside it says that its last run
failed and that the page, if there is one, is from the run before. What cannot be read is listed as broken.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from kbio_analysis.render.page_charts import sparkline
from kbio_analysis.render.page_prose import paragraph
from kbio_analysis.render.page_values import (
    breakable,
    csp_hash,
    format_setting,
    plain,
    printable,
    stylesheet,
    template_folder,
)
from kbio_analysis.render.publish import write_file

STATUS_WORDS = {"ok": "Complete", "failed": "Failed", "killed": "Killed", "timed_out": "Timed out", "broken": "Broken"}
DEFAULT_SET = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One report of the index.

    ``parameters`` are all of them, ``changed`` those that differ from the notebook's default set (without one, those
    that vary between its sets). ``page`` and ``log`` are relative addresses, None where there is no such file.
    """

    notebook: str
    set: str
    status: str
    question: str = ""
    answer: str | None = None
    spark: tuple[float, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    page: str | None = None
    log: str | None = None

    @property
    def good(self) -> bool:
        """Whether the last run ended well."""
        return self.status == "ok"


def write_index(site: Path) -> None:
    """Write ``index.html`` and ``index.json`` of the reports below ``site``, each by an atomic rename.

    The same reports give the same bytes: no time, no duration, no order of the file system.
    """
    entries = read_entries(site)
    write_file(site / "index.json", _index_json(entries).encode())
    write_file(site / "index.html", _index_html(entries).encode())


def read_entries(site: Path) -> list[Entry]:
    """The reports below ``site``, by notebook, the default set first. Folders starting with . or _ are not reports."""
    folders = {p.parent for name in ("result.json", "failure.json") for p in site.glob(f"*/*/{name}")}
    reports = [f for f in folders if not f.name.startswith((".", "_")) and not f.parent.name.startswith((".", "_"))]
    entries = [_entry(folder) for folder in reports]
    entries.sort(key=lambda e: (e.notebook, e.set != DEFAULT_SET, e.set))
    base = {name: _usual_values([e for e in entries if e.notebook == name]) for name in {e.notebook for e in entries}}
    return [_with_changes(e, base[e.notebook]) for e in entries]


# ---- reading


def _entry(folder: Path) -> Entry:
    """The entry of one report's folder; what cannot be read becomes an entry that says so."""
    notebook, set_name = folder.parent.name, folder.name
    address = f"{quote(notebook)}/{quote(set_name)}"
    places = {"page": "index.html", "log": "log.txt"}
    files = {key: f"{address}/{name}" if (folder / name).is_file() else None for key, name in places.items()}
    contents = {}
    for name in ("result.json", "failure.json"):
        if (folder / name).exists():
            try:
                contents[name] = _read(folder / name)
            except (OSError, ValueError) as problem:
                error = {"cell": None, "type": f"Unreadable {name}", "message": plain(str(problem))}
                return Entry(notebook=notebook, set=set_name, status="broken", error=error, **files)
    failure = contents.get("failure.json", {})
    known = {**failure, **contents.get("result.json", {})}
    latest = failure or known
    status = str(latest.get("status") or "failed")
    return Entry(
        notebook=notebook,
        set=set_name,
        status="failed" if failure and status == "ok" else status,
        question=str(known.get("question") or ""),
        answer=None if known.get("answer") is None else str(known["answer"]),
        spark=_numbers(known.get("spark")),
        parameters=latest.get("parameters") or {},
        error=latest.get("error"),
        **files,
    )


def _read(path: Path) -> dict[str, Any]:
    """The content of a result file, its shape checked as far as the index relies on it."""
    content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    for name in ("parameters", "error"):
        if not isinstance(content.get(name), dict | None):
            raise ValueError(f"{name} is not a JSON object")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) < 2:
        return ()
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return tuple(numbers) if len(numbers) == len(values) and all(map(isfinite, numbers)) else ()


def _usual_values(entries: list[Entry]) -> dict[str, Any]:
    """What goes without saying for one notebook: its default set's values, else those that all its sets share."""
    for entry in entries:
        if entry.set == DEFAULT_SET and entry.parameters:
            return dict(entry.parameters)
    listed = [e.parameters for e in entries if e.parameters]
    if len(listed) < 2:
        return {}
    return {k: v for k, v in listed[0].items() if all(p.get(k) == v for p in listed)}


def _with_changes(entry: Entry, usual: Mapping[str, Any]) -> Entry:
    absent = object()
    changed = {k: v for k, v in entry.parameters.items() if usual.get(k, absent) != v}
    values = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return Entry(**values | {"changed": changed})


# ---- writing


def _totals(entries: list[Entry]) -> dict[str, int]:
    """How many reports, notebooks and, in a fixed order, reports of each status that occurs."""
    counts = Counter(e.status for e in entries)
    order = [*STATUS_WORDS, *sorted(counts.keys() - STATUS_WORDS.keys())]
    totals = {"reports": len(entries), "notebooks": len({e.notebook for e in entries})}
    return totals | {status: counts[status] for status in order if counts[status]}


def _index_json(entries: list[Entry]) -> str:
    names = [n for n in Entry.__dataclass_fields__ if n != "changed"]
    reports = [{n: getattr(e, n) for n in names} | {"changed": e.changed} for e in entries]
    return json.dumps({"totals": _totals(entries), "reports": reports}, ensure_ascii=False, indent=1) + "\n"


def _index_html(entries: list[Entry]) -> str:
    template = _environment().get_template("index.html.j2")
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.notebook, []).append(entry)
    html = template.render(
        bad=[e for e in entries if not e.good],
        groups=[(name, _question(members), [e for e in members if e.good]) for name, members in groups.items()],
        names=sorted({name for e in entries for name in e.changed}),
        totals=_totals(entries),
        style=stylesheet("base.css", "site.css"),
        script=_script(),
    )
    return printable(html)


def _question(members: list[Entry]) -> str:
    return next((e.question for e in members if e.question), members[0].notebook)


@cache
def _script() -> str:
    return (template_folder() / "site" / "filter.js").read_text(encoding="utf-8")


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
        "plain": plain,
        "sparkline": sparkline,
        "sentence": paragraph,
        "status": lambda status: STATUS_WORDS.get(status, status),
        "raw": Markup,
    }
    return environment
