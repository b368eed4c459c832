"""One report as a pure job: a notebook's bytes and its parameters in, the report's files out as bytes; each is made in
a process of its own, as many at a time as asked for."""

from __future__ import annotations

import json
import os
import platform
import re
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbio_analysis import __version__
from kbio_analysis.data.results import BUNDLE
from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.child import AFTER, OUTPUT, Ended, Here, tail, told, written
from kbio_analysis.render.forks import Work, answers, usable_cores
from kbio_analysis.render.outputs import Shown, collect, make_reproducible, mark_tables, without_machine
from kbio_analysis.render.parameters import INJECTED, TAG, NotebookSpec, read_source
from kbio_analysis.render.provenance import Provenance, code_hash

if TYPE_CHECKING:
    from nbformat import NotebookNode

MOST_LOGGED = 200_000  # bytes of what was printed

FILES = ("index.html", "executed.ipynb", "result.json", "log.txt")

PageMaker = Callable[["NotebookNode", Mapping[str, Any], NotebookSpec], str]

_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+([\w.]+)", re.MULTILINE)
_VERSIONS = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything one report depends on. ``parameters`` are complete and typed, as ``parameters.coerce`` gives them.

    ``data`` is the folder of the tables as the worker sees it (None: as the data room finds it);
    ``limit_seconds`` is for the whole report; ``batch`` is the name of the batch it is made for, if any.
    ``kernel`` is a Jupyter kernel's name; None: no kernel, but the process of the report itself.
    ``upstream`` are the default jobs of the notebooks it is composed from, until what they recorded is at hand as
    the bundle ``recorded``; without a bundle a composed notebook reads the committed references.
    """

    notebook: str
    set_name: str
    source: bytes
    parameters: dict[str, Any]
    provenance: Provenance
    kernel: str | None = None
    limit_seconds: float | None = None
    data: str | None = None
    batch: str | None = None
    upstream: tuple[Job, ...] = ()
    recorded: bytes | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return f"{self.notebook}/{self.set_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a job. ``result`` is the content of result.json; ``files``: name -> bytes.

    With status ``ok`` the files are index.html, executed.ipynb, result.json and log.txt, else the last two only.
    """

    notebook: str
    set_name: str
    status: str
    result: dict[str, Any]
    files: dict[str, bytes] = field(repr=False)

    @property
    def label(self) -> str:
        return f"{self.notebook}/{self.set_name}"

    @classmethod
    def of(cls, job: Job, files: Mapping[str, bytes]) -> Report:
        """The report of a job from its files; ExecutionError for names that no report has, and for another's report."""
        if not {"result.json", "log.txt"} <= files.keys() <= {*FILES}:
            raise ExecutionError(f"{job.label}: no report has the files {', '.join(sorted(map(str, files)))[:200]}")
        result = json.loads(files["result.json"])
        if (result["notebook"], result["set"]) != (job.notebook, job.set_name):
            raise ExecutionError(f"{job.label}: the report that came back is of {result['notebook']}/{result['set']}")
        return cls(
            notebook=job.notebook, set_name=job.set_name, status=result["status"], result=result, files=dict(files)
        )

    @property
    def failure(self) -> str:
        """One line: the error's kind and message, and the cell if known. Empty for a good report."""
        error = self.result["error"]
        if error is None:
            return ""
        cell = f"cell {error['cell']}, " if error["cell"] else ""
        return f"{cell}{error['type']}: {error['message']}"


def reports(jobs: Iterable[Job], *, workers: int | None = None, page: PageMaker | None = None) -> Iterator[Report]:
    """Yield a report for every job, as they are done; whatever happens to its process, one each.

    By default there are as many at a time as cores. Raises what :func:`~kbio_analysis.render.forks.answers` does.
    """
    jobs = list(jobs)
    works = [Work(key=job, call=partial(make, job, page), limit_seconds=job.limit_seconds) for job in jobs]
    for job, answer in answers(works, workers=workers or usable_cores(), imports=_imports(jobs)):
        yield ended(job, answer) if isinstance(answer, Ended) else answer


def _imports(jobs: list[Job]) -> set[str]:
    """The modules that the notebooks' cells name in their imports."""
    found: set[str] = set()
    for source in {job.source for job in jobs}:
        with suppress(ValueError, KeyError):
            for cell in json.loads(source)["cells"]:
                found.update(_IMPORT.findall("".join(cell["source"])))
    return found


def run(job: Job, page: PageMaker | None = None) -> Report:
    """The report of one job."""
    (report,) = reports([job], workers=1, page=page)
    return report


@dataclass(slots=True)
class _Course:
    """How far a job has come; what a failure leaves of it goes into the report."""

    spec: NotebookSpec | None = None
    shown: Shown = field(default_factory=Shown)
    read: Mapping[str, Any] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)
    how: Ended | None = None
    log: list[str] = field(default_factory=list)


def make(job: Job, page: PageMaker | None, here: Here) -> Report:
    """Make the report in this process, which is one made for it; status and log say what goes wrong inside."""
    began, course = time.monotonic(), _Course()
    try:
        import nbformat

        from kbio_analysis.render.engine import execute

        course.spec = read_source(job.notebook, job.source)
        if job.data:
            os.environ["KBIO_DATA"] = job.data
        if job.recorded is not None:
            bundle = here.folder / "recorded.json"
            bundle.write_bytes(job.recorded)
            os.environ[BUNDLE] = str(bundle)
        executed, tables = prepare(job.source, course.spec.changed(job.parameters)), _files(job.data)
        start = time.process_time()
        course.read = execute(executed, here, job.kernel)
        ran = time.process_time()
        if written_to := {name for name, _ in tables ^ _files(job.data)}:
            what = "a notebook reads them only: write elsewhere, and restore them (git checkout)"
            raise ExecutionError(f"written to while the notebook ran: {', '.join(sorted(written_to))}; {what}")
        here.tell(AFTER)
        with warnings.catch_warnings():
            # The libraries' deprecations are ours to mend, not the reader's to see.
            warnings.simplefilter("ignore")
            make_reproducible(executed, job.data)
            mark_tables(executed.cells, course.read.get("lines", ()))
            course.shown = collect(executed, recorded=course.read.get("recorded", ()))
            if page is None:
                from kbio_analysis.render.page import report_html as page
            course.pages["index.html"] = page(executed, _result(job, course), course.spec).encode()
            course.pages["executed.ipynb"] = (nbformat.writes(executed).rstrip() + "\n").encode()
        spent = {"start": start, "cells": ran - start, "page": time.process_time() - ran}
        course.log.append("cpu seconds: " + ", ".join(f"{part} {seconds:.3f}" for part, seconds in spent.items()))
        course.log.append(tail(here.folder / OUTPUT, MOST_LOGGED))
    except Exception as problem:
        # Whatever went wrong belongs to this one report; a batch goes on, and the log keeps the traceback.
        course.how, course.pages = getattr(problem, "how", None) or told(problem), {}
        course.log += [course.how.log, written(here.folder, MOST_LOGGED)]
    return _report(job, course, seconds=round(time.monotonic() - began, 3))


def rehearse() -> None:
    """Do once, in the process that others are forked from, what each of them would do first: read a notebook, run a
    cell's way through the page. Nothing is executed."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    from kbio_analysis.render.page import report_html

    shown = {"text/html": "<table><tr><td>1</td></tr></table>", "image/png": "", "text/plain": "1"}
    outputs = [new_output("stream", text="1"), new_output("display_data", data=shown)]
    cells = [new_markdown_cell("# A *question*?", id="a"), new_code_cell("x: int = 1  # a", outputs=outputs, id="b")]
    notebook = new_notebook(cells=cells)
    prepare(nbformat.writes(notebook).encode(), {})
    state = Provenance(package="", lock=None, commit=None, dirty=None)
    job = Job(notebook="00_none", set_name="default", source=b"", parameters={}, provenance=state)
    report_html(notebook, _result(job, _Course()))


def ended(job: Job, how: Ended) -> Report:
    """The report of a job whose process did not live to make one."""
    return _report(job, _Course(how=how, log=[how.log or how.reason]), seconds=None)


def _files(data: str | None) -> set[tuple[str, tuple[int, ...]]]:
    """The files of the tables, and what changes about a file that is written to."""
    found = set()
    for path in [*Path(data).glob("*"), *Path(data).glob("tables/*")] if data else []:
        if path.is_file():
            about = path.stat()
            found.add((str(path.relative_to(str(data))), (about.st_mtime_ns, about.st_size, about.st_ino)))
    return found


def _report(job: Job, course: _Course, seconds: float | None) -> Report:
    result = _result(job, course, seconds)
    log = "\n".join(part for part in (f"{job.label}: {result['status']}", *course.log) if part)
    files = course.pages | {
        "result.json": (json.dumps(result, ensure_ascii=False, indent=1) + "\n").encode(),
        "log.txt": (without_machine(log, job.data).rstrip() + "\n").encode(errors="replace"),
    }
    return Report.of(job, files)


def prepare(source: bytes, changed: Mapping[str, Any]) -> NotebookNode:
    """The notebook as it will be run: no outputs, and the changed values in a cell after the parameters cell."""
    import nbformat

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


def _result(job: Job, course: _Course, seconds: float | None = None) -> dict[str, Any]:
    """The content of result.json; ``own`` are tables read that the run was given a file for, and the file's name."""
    from kbio_analysis.data.own import own_tables

    own = own_tables(Path(job.data)) if job.data else {}
    spec, shown, state, how = course.spec, course.shown, job.provenance, course.how
    asked = shown.results.get("question", {}).get("value")  # a notebook may record its question with what it is about
    question = str(asked or (spec.question if spec else ""))
    return {
        "notebook": job.notebook,
        "set": job.set_name,
        "batch": job.batch,
        "title": question or job.notebook,
        "question": question,
        "answer": shown.answer,
        "status": how.status if how else "ok",
        "parameters": dict(job.parameters),
        "results": {
            name: {key: record[key] for key in ("value", "unit", "meaning")} for name, record in shown.results.items()
        },
        "inputs": {
            "tables": dict(sorted(course.read.get("tables", {}).items())),
            "own": {name: file for name, file in own.items() if name in course.read.get("tables", {})},
            "newest": course.read.get("newest", ""),
            "reports": dict(sorted(course.read.get("reports", {}).items())),
            "code": code_hash(state.package, job.source) if spec else None,
            "lock": state.lock,
            "commit": state.commit,
            "dirty": state.dirty,
            "versions": {"python": platform.python_version(), "kbio-analysis": __version__}
            | {name: version(name) for name in _VERSIONS},
        },
        "seconds": seconds,
        "error": {"cell": how.cell, "type": how.kind, "message": without_machine(how.reason, job.data)}
        if how
        else None,
    }
