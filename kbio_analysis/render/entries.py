"""What a site holds: every report below a folder, read from its result files, as one list of entries.

A report is a folder ``<notebook>/<set>/`` with ``result.json``; ``failure.json`` beside it says that its last run
failed and that the page, if there is one, is from the run before. What cannot be read is listed as broken.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kbio_analysis.render.page_values import plain
from kbio_analysis.render.publish import FAILURE, LOG

RESULT, PAGE = "result.json", "index.html"
OTHER_FORMS = {"pdf": "report.pdf", "docx": "report.docx"}
DEFAULT_SET = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One report of the site.

    ``parameters`` are all of the last run's, ``changed`` those that differ from the notebook's default set (without
    one, those that vary between its sets). ``results`` (name -> value, unit, meaning) and ``made_with``, the
    parameters that gave them, are those of the page in place: after a failure, of the last good run.
    ``page``, ``log`` and ``forms`` (pdf, docx) are addresses relative to the site, absent where there is no file.
    """

    notebook: str
    set: str
    status: str
    batch: str | None = None
    question: str = ""
    answer: str | None = None
    spark: tuple[float, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Any] = field(default_factory=dict)
    made_with: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    page: str | None = None
    log: str | None = None
    forms: Mapping[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether the last run ended well."""
        return self.status == "ok"

    @property
    def label(self) -> str:
        return f"{self.notebook}/{self.set}"


def report_folders(site: Path) -> list[Path]:
    """The folders of the reports below ``site``, in order; a name that starts with . or _ is no report."""
    folders = {path.parent for name in (RESULT, FAILURE) for path in site.glob(f"*/*/{name}")}
    return sorted(f for f in folders if not f.name.startswith((".", "_")) and not f.parent.name.startswith((".", "_")))


def read_entries(site: Path) -> list[Entry]:
    """The reports below ``site``, by notebook, the default set first."""
    entries = [_entry(folder) for folder in report_folders(site)]
    entries.sort(key=lambda e: (e.notebook, e.set != DEFAULT_SET, e.set))
    base = {name: _usual_values([e for e in entries if e.notebook == name]) for name in {e.notebook for e in entries}}
    return [_with_changes(e, base[e.notebook]) for e in entries]


def _entry(folder: Path) -> Entry:
    """The entry of one report's folder; what cannot be read becomes an entry that says so."""
    notebook, set_name = folder.parent.name, folder.name
    places = {"page": PAGE, "log": LOG} | OTHER_FORMS
    found = {
        key: f"{quote(notebook)}/{quote(set_name)}/{name}" for key, name in places.items() if (folder / name).is_file()
    }
    files = {"page": found.get("page"), "log": found.get("log")}
    forms = {kind: found[kind] for kind in OTHER_FORMS if kind in found}
    contents = {}
    for name in (RESULT, FAILURE):
        if (folder / name).exists():
            try:
                contents[name] = _read(folder / name)
            except (OSError, ValueError, RecursionError) as problem:
                error = {"cell": None, "type": f"Unreadable {name}", "message": plain(str(problem))}
                return Entry(notebook=notebook, set=set_name, status="broken", error=error, **files)
    good, failure = contents.get(RESULT, {}), contents.get(FAILURE, {})
    known = {**failure, **good}
    latest = failure or known
    status = str(latest.get("status") or "failed")
    batch = latest.get("batch")
    return Entry(
        notebook=notebook,
        set=set_name,
        status="failed" if failure and status == "ok" else status,
        batch=batch if isinstance(batch, str) and batch.strip() else None,
        question=str(known.get("question") or ""),
        answer=None if known.get("answer") is None else str(known["answer"]),
        spark=_numbers(known.get("spark")),
        parameters=latest.get("parameters") or {},
        made_with=good.get("parameters") or {},
        results=_results(good),
        error=latest.get("error"),
        forms=forms,
        **files,
    )


def _read(path: Path) -> dict[str, Any]:
    """The content of a result file, its shape checked as far as the site relies on it."""
    text = path.read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=_refuse_constant)
    if "\\ud" in text.lower():
        # Half a character can be written as an escape, but not into a page: raises UnicodeEncodeError, a ValueError.
        json.dumps(content, ensure_ascii=False).encode()
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    for name in ("parameters", "error", "results"):
        if not isinstance(content.get(name), dict | None):
            raise ValueError(f"{name} is not a JSON object")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _results(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The results with a value that a table can hold; unit and meaning always text."""
    found = {}
    for name, record in (content.get("results") or {}).items():
        if isinstance(record, dict) and isinstance(record.get("value"), bool | int | float | str | None):
            value = record.get("value")
            words = {key: str(record.get(key) or "") for key in ("unit", "meaning")}
            found[name] = {"value": str(value) if _beyond_float(value) else value} | words
    return found


def _beyond_float(value: Any) -> bool:
    """Whether the number is none to reckon with: JSON allows more digits than a float has room for."""
    return isinstance(value, int | float) and not -sys.float_info.max <= value <= sys.float_info.max


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
    return replace(entry, changed=changed)
