"""Run a notebook with given parameters and read what it said, as its readers would."""

import json
from dataclasses import dataclass, replace
from typing import Any

from kbio_analysis.render.job import run
from kbio_analysis.render.requests import requested

MIME = "application/vnd.kbio.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """``status`` and ``failure`` of the run, its ``answer``, all its ``text``, and ``results`` name -> value."""

    status: str
    failure: str
    answer: str
    text: str
    results: dict[str, Any]
    tables: list[str]


def said(notebook: str, recorded: bytes | None = None, **parameters: str) -> Said:
    """Execute the notebook once; parameters as text, as on the command line.

    ``recorded`` is the bundle for a composed one; without it the committed references are read.
    """
    ((job,), _) = requested([notebook], parameters, set_name="extreme", limit_seconds=300)
    report = run(replace(job, recorded=recorded))
    if report.status != "ok":
        return Said(status=report.status, failure=report.failure, answer="", text="", results={}, tables=[])
    shown = [
        output["data"][MIME]
        for cell in json.loads(report.files["executed.ipynb"])["cells"]
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    return Said(
        status=report.status,
        failure=report.failure,
        answer=report.result["answer"],
        text="\n".join(s["text"] for s in shown if s["kind"] in ("answer", "sentence")),
        results={s["name"]: s["value"] for s in shown if s["kind"] == "record"},
        tables=[s["id"] for s in shown if s["kind"] in ("table", "chart")],
    )


def answered(notebook: str, recorded: bytes | None = None, **parameters: str) -> Said:
    """The same of a run that ends well, with an answer no longer than a reader in a hurry takes."""
    found = said(notebook, recorded, **parameters)
    assert found.status == "ok", found.failure
    assert notebook.startswith("00") or len(found.answer.split()) <= 40
    return found
