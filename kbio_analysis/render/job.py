"""One report as a pure job: a notebook's bytes and its parameters in, the report's files out as bytes.

A ``Job`` and a ``Report`` hold plain data only, so ``run`` may be submitted to any ``concurrent.futures.Executor``,
in this process, another, or on another machine.
"""

from __future__ import annotations

import json
import platform
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from kbio_analysis import __version__
from kbio_analysis.render.outputs import Shown, collect, scrub, settle
from kbio_analysis.render.parameters import TAG, NotebookSpec, read_source
from kbio_analysis.render.provenance import Provenance, code_hash

if TYPE_CHECKING:
    from nbformat import NotebookNode

INJECTED = "injected-parameters"

PageMaker = Callable[["NotebookNode", Mapping[str, Any], NotebookSpec], str]

_VERSIONS = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything one report depends on. ``parameters`` are complete and typed, as ``parameters.coerce`` gives them.

    ``data`` is the folder of the tables as the worker sees it (None: as the data room finds it);
    ``limit_seconds`` is for the whole report's cells; ``batch`` is the name of the batch it is made for, if any.
    ``upstream`` are the default jobs of the notebooks it is composed from, until what they recorded is at hand as
    the bundle ``recorded``; without a bundle a composed notebook reads the committed references. ``tables`` are those
    it is expected to read (its reference says): a hint for what is read ahead, with no bearing on the report.
    """

    notebook: str
    set_name: str
    source: bytes
    parameters: dict[str, Any]
    provenance: Provenance
    kernel: str = "python3"
    limit_seconds: float | None = None
    data: str | None = None
    batch: str | None = None
    upstream: tuple[Job, ...] = ()
    recorded: bytes | None = field(default=None, repr=False)
    tables: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.notebook}/{self.set_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a job. ``result`` is the content of result.json; ``files``: name -> bytes.

    With status ``ok`` the files are index.html, executed.ipynb, result.json and log.txt, else the last two only.
    ``cpu_seconds`` are those of the kernel's ``start``, of its ``cells``, and of the ``page`` and all else around them.
    """

    notebook: str
    set_name: str
    status: str
    result: dict[str, Any]
    files: dict[str, bytes] = field(repr=False)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.notebook}/{self.set_name}"

    @property
    def failure(self) -> str:
        """One line: the error's kind and message, and the cell if known. Empty for a good report."""
        error = self.result["error"]
        if error is None:
            return ""
        cell = f"cell {error['cell']}, " if error["cell"] else ""
        return f"{cell}{error['type']}: {error['message']}"


@dataclass(slots=True)
class _Course:
    """How far a job has come; what a failure leaves of it goes into the report."""

    spec: NotebookSpec | None = None
    shown: Shown = field(default_factory=Shown)
    findings: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)
    status: str = "ok"
    error: dict[str, Any] | None = None
    trace: str = ""
    cpu: dict[str, float] = field(default_factory=dict)


def run(job: Job, page: PageMaker | None = None) -> Report:
    """Make the report. Never raises for what goes wrong inside: the status and the log say it.

    ``page`` makes the HTML from the executed notebook, result and specification; by default the report page.
    """
    began, used, course = time.monotonic(), time.thread_time(), _Course()
    with warnings.catch_warnings():
        # The libraries' deprecations are ours to mend, not the reader's to see.
        warnings.simplefilter("ignore")
        try:
            _make(job, course, page)
        except Exception as problem:
            # Whatever went wrong belongs to this one report; a batch goes on, and the log keeps the traceback.
            course.pages.clear()
            course.status, course.error, course.trace = _diagnosis(problem)
    course.cpu = {**course.findings.get("cpu", {}), "page": time.thread_time() - used}
    return _report(job, course, seconds=round(time.monotonic() - began, 3))


def lost(job: Job, reason: str) -> Report:
    """The report of a job whose worker was killed."""
    error = {"cell": None, "type": "WorkerDied", "message": reason}
    return _report(job, _Course(status="killed", error=error, trace=reason), seconds=None)


def _make(job: Job, course: _Course, page: PageMaker | None) -> None:
    course.spec = read_source(job.notebook, job.source)
    executed = _executed(job, course.spec, course.findings)
    course.shown = collect(executed)
    course.pages = _pages(executed, _result(job, course), course.spec, page)


def _report(job: Job, course: _Course, seconds: float | None) -> Report:
    if course.error is not None:
        course.error["message"] = scrub(str(course.error["message"]), job.data)
    result = _result(job, course, seconds)
    head = f"{job.label}: {course.status}"
    spent = ", ".join(f"{part} {value:.3f}" for part, value in course.cpu.items())
    costs = f"cpu seconds: {spent}" if spent else ""
    log = "\n".join(part for part in (head, costs, course.trace, str(course.findings.get("log", ""))) if part)
    files = course.pages | {
        "result.json": (json.dumps(result, ensure_ascii=False, indent=1) + "\n").encode(),
        "log.txt": (scrub(log, job.data).rstrip() + "\n").encode(),
    }
    return Report(
        notebook=job.notebook,
        set_name=job.set_name,
        status=course.status,
        result=result,
        files=files,
        cpu_seconds=course.cpu,
    )


def _executed(job: Job, spec: NotebookSpec, findings: dict[str, Any]) -> NotebookNode:
    from kbio_analysis.render.execution import execute

    notebook = prepare(job.source, spec.changed(job.parameters))
    environment = {"KBIO_DATA": job.data} if job.data else {}
    execute(
        notebook,
        kernel=job.kernel,
        limit_seconds=job.limit_seconds,
        environment=environment,
        findings=findings,
        recorded=job.recorded,
    )
    settle(notebook, job.data)
    return notebook


def prepare(source: bytes, changed: Mapping[str, Any]) -> NotebookNode:
    """The notebook as it will be run: no outputs, and the changed values in a cell after the parameters cell."""
    from kbio_analysis.render.stack import nbformat

    notebook = nbformat.reads(source.decode("utf-8"), as_version=4)
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    for position, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{position}")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if changed:
        lines = [f"{name} = {value!r}" for name, value in changed.items()]
        cell = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [INJECTED]}, id=INJECTED)
        place = next(i for i, cell in enumerate(notebook.cells) if TAG in cell.metadata.get("tags", []))
        notebook.cells.insert(place + 1, cell)
    return notebook


def _pages(
    executed: NotebookNode, result: Mapping[str, Any], spec: NotebookSpec, page: PageMaker | None
) -> dict[str, bytes]:
    from kbio_analysis.render.stack import nbformat

    if page is None:
        from kbio_analysis.render.page import report_html as page
    return {
        "index.html": page(executed, result, spec).encode(),
        "executed.ipynb": (nbformat.writes(executed).rstrip() + "\n").encode(),
    }


def _result(job: Job, course: _Course, seconds: float | None = None) -> dict[str, Any]:
    """The content of result.json."""
    spec, shown, state = course.spec, course.shown, job.provenance
    question = spec.question if spec else ""
    return {
        "notebook": job.notebook,
        "set": job.set_name,
        "batch": job.batch,
        "title": question or job.notebook,
        "question": question,
        "answer": shown.answer,
        "spark": shown.spark,
        "status": course.status,
        "parameters": dict(job.parameters),
        "results": {
            name: {key: record[key] for key in ("value", "unit", "meaning")} for name, record in shown.results.items()
        },
        "inputs": {
            "tables": dict(sorted(course.findings.get("tables", {}).items())),
            "reports": dict(sorted(course.findings.get("reports", {}).items())),
            "code": code_hash(state.package, job.source) if spec else None,
            "lock": state.lock,
            "commit": state.commit,
            "dirty": state.dirty,
            "versions": _versions(),
        },
        "seconds": seconds,
        "error": course.error,
    }


def _diagnosis(problem: Exception) -> tuple[str, dict[str, Any], str]:
    """Status, error record and traceback for the log."""
    if hasattr(problem, "status"):
        found = {"cell": problem.cell, "type": problem.kind, "message": problem.reason}
        return problem.status, found, problem.traceback
    trace = "".join(traceback.format_exception(problem))
    return "failed", {"cell": None, "type": type(problem).__name__, "message": str(problem)}, trace


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "kbio-analysis": __version__}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
