"""Run a notebook with given parameters and read what it said, as its readers would."""

import json
from dataclasses import dataclass, replace
from typing import Any

from kbio_analysis.data.results import reference_entry
from kbio_analysis.notebooks import notebooks_dir
from kbio_analysis.render.job import run
from kbio_analysis.render.parameters import read
from kbio_analysis.render.requests import requested

MIME = "application/vnd.kbio.v1+json"
Entries = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """``status`` and ``failure`` of the run, its ``answer``, all its ``text``, ``results`` name -> value, and ``shown``
    tables and charts. What Markdown would take for its own is escaped in a page, and here no more."""

    status: str
    failure: str
    answer: str = ""
    text: str = ""
    results: dict[str, Any]
    shown: list[str]


def fresh(notebook: str, **values: float) -> Entries:
    """The committed records of every notebook this one is composed from, as if all were fresh, with other values."""
    folder, state = notebooks_dir(), {"state": "fresh", "why": ""}
    found = {n: reference_entry(folder, n) | state for n in read(folder / f"{notebook}.ipynb").composed_from}
    for results in (entry["results"] for entry in found.values()):
        results |= {name: results[name] | {"value": values[name]} for name in values.keys() & results.keys()}
    return found


def said(notebook: str, recorded: Entries | None = None, **parameters: str) -> Said:
    """Execute the notebook once; parameters as text, as on the command line.

    ``recorded`` is what a composed one reads; without it the committed references as they are.
    """
    ((job,), _) = requested([notebook], parameters, set_name="extreme", limit_seconds=300)
    report = run(replace(job, recorded=None if recorded is None else json.dumps(recorded).encode()))
    if report.status != "ok":
        return Said(status=report.status, failure=report.failure, results={}, shown=[])
    outputs = [o for c in json.loads(report.files["executed.ipynb"])["cells"] for o in c.get("outputs", [])]
    shown = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
    words = {"answer": report.result["answer"]}
    words["text"] = "\n".join(s["text"] for s in shown if s["kind"] in ("answer", "sentence"))
    return Said(
        status=report.status,
        failure=report.failure,
        **{name: " ".join(text.replace("\\", "").split()) for name, text in words.items()},
        results={s["name"]: s["value"] for s in shown if s["kind"] == "record"},
        shown=[s["id"] for s in shown if s["kind"] in ("table", "chart")],
    )


def answered(notebook: str, recorded: Entries | None = None, **parameters: str) -> Said:
    """The same of a run that ends well, with an answer no longer than a reader in a hurry takes."""
    found = said(notebook, recorded, **parameters)
    assert found.status == "ok", found.failure
    assert notebook.startswith("00") or len(found.answer.split()) <= 40
    return found
