"""One report as a pure job: a notebook's bytes and its parameters in, the report's files out as bytes; each is made in
a process of its own, as many at a time as asked for."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbio_analysis import __version__
from kbio_analysis.data.own import own_tables
from kbio_analysis.data.results import BUNDLE
from kbio_analysis.errors import ExecutionError, KbioError
from kbio_analysis.notebooks import completed, reference_file
from kbio_analysis.render.child import AFTER, OUTPUT, Here, StoppedError, tail
from kbio_analysis.render.forks import Work, answers
from kbio_analysis.render.outputs import collect, make_reproducible, mark_tables, without_machine
from kbio_analysis.render.parameters import INJECTED, TAG, read_source
from kbio_analysis.render.provenance import code_hash

if TYPE_CHECKING:
    from nbformat import NotebookNode

PAGES = ("index.html", "executed.ipynb")

# The modules that cells import, and what from them, in a notebook's JSON.
_IMPORT = re.compile(r'(?:"|\\n)[ \t]*(?:from|import)[ \t]+([\w.]+)(?: import ([\w, ]+))?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything one report depends on. ``parameters`` are complete and typed, as ``parameters.coerce`` gives them.

    ``provenance`` is what the function of that name gives. ``data`` is the folder of the tables as the worker sees it
    (None: as the data room finds it); ``limit_seconds`` is for the whole report, ``batch`` the batch it is made for.
    ``kernel`` is a Jupyter kernel's name; None: no kernel, but the process of the report itself.
    ``upstream`` are the default jobs of the notebooks it is composed from, until what they recorded is at hand as
    the bundle ``recorded``; without a bundle a composed notebook reads the committed references.
    """

    notebook: str
    set_name: str
    source: bytes
    parameters: dict[str, Any]
    provenance: dict[str, Any]
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

    @classmethod
    def of(cls, job: Job, files: Mapping[str, bytes]) -> Report:
        """The report of a job from its files; ExecutionError for what is no report, or another's."""
        names = {"result.json", "log.txt"}
        result = json.loads(files["result.json"]) if names <= files.keys() <= {*names, *PAGES} else {}
        if (result.get("notebook"), result.get("set")) != (job.notebook, job.set_name):
            found = ", ".join(sorted(map(str, files)))[:200]
            raise ExecutionError(f"{job.label}: what came back is no report of it: {found}")
        about = {"notebook": job.notebook, "set_name": job.set_name, "status": result["status"]}
        return cls(result=result, files=dict(files), **about)

    @property
    def label(self) -> str:
        return f"{self.notebook}/{self.set_name}"

    @property
    def failure(self) -> str:
        """One line: the error's kind and message, and the cell if known. Empty for a good report."""
        if not (error := self.result["error"]):
            return ""
        cell = f"cell {error['cell']}, " if error["cell"] else ""
        return f"{cell}{error['type']}: {error['message']}"


def reports(jobs: Iterable[Job], *, workers: int | None = None, run: Iterable[Job] = ()) -> Iterator[Report]:
    """Yield a report for every job, as they are done; whatever happens to its process, one each.

    By default there are as many at a time as cores. ``run`` are all jobs of a run of which these are a part: what its
    composed reports need is made ready, too. Raises what :func:`~kbio_analysis.render.forks.answers` does.
    """
    jobs, composed = list(jobs), [job for job in run if job.upstream]
    works = [Work(key=job, call=partial(make, job), limit_seconds=job.limit_seconds) for job in jobs]
    for job, answer in answers(works, workers=workers, ahead=_ahead([*jobs, *composed])):
        yield failed(job, answer) if isinstance(answer, StoppedError) else answer


def _ahead(jobs: list[Job]) -> tuple[list[str], dict[str, list[str]], tuple[str, str, str]]:
    """The modules that the notebooks' cells name in their imports, the tables that their references name, and the first
    notebook, for the fork server."""
    modules, tables = set(), defaultdict(set)
    for notebook, source, data in {(job.notebook, job.source, job.data) for job in jobs}:
        for module, names in _IMPORT.findall(source.decode()):
            whose = names.split(",") if module in ("kbio_analysis.data", "kbio_analysis.models") else ()
            modules.update([module, *(f"{module}.{name.split()[0]}" for name in whose if name.strip())])
        with suppress(OSError, ValueError, KeyError, TypeError):  # the report reads them then
            reference = reference_file(Path(str(data)).resolve().parent / "notebooks", notebook)
            tables[str(data)].update(json.loads(reference.read_bytes())["tables"])
    first = jobs[0].notebook, jobs[0].source.decode(), jobs[0].provenance["code"]
    return sorted(modules), {folder: sorted(names) for folder, names in tables.items()}, first


def run(job: Job) -> Report:
    """The report of one job."""
    (report,) = reports([job], workers=1)
    return report


def failed(job: Job, how: StoppedError) -> Report:
    """The report of a job that did not get to its end."""
    error = {"cell": how.cell, "type": how.kind, "message": without_machine(how.reason, job.data)}
    result = _begun(job) | {"status": how.status, "error": error, "seconds": how.seconds}
    return _report(job, result, [how.log or how.reason])


def _report(job: Job, result: dict[str, Any], log: Iterable[str], **pages: str) -> Report:
    text = "\n".join(filter(None, [f"{job.label}: {result['status']}", *log]))
    files = {
        "result.json": json.dumps(result, ensure_ascii=False, indent=1) + "\n",
        "log.txt": without_machine(text, job.data).rstrip() + "\n",
    }
    return Report.of(job, {name: text.encode(errors="replace") for name, text in {**pages, **files}.items()})


def _begun(job: Job) -> dict[str, Any]:
    """The content of result.json as far as it is known before the notebook has run."""
    question, changed, code = "", {}, job.provenance["code"]
    with suppress(KbioError):
        spec = read_source(job.notebook, job.source)
        question, changed, code = spec.question, spec.changed(job.parameters), code_hash(code, job.source)
    return {
        "notebook": job.notebook,
        "set": job.set_name,
        "batch": job.batch,
        "title": question or job.notebook,
        "question": question,
        "answer": None,
        "status": "ok",
        "parameters": dict(job.parameters),
        "changed": changed,
        "results": {},
        "inputs": {
            "tables": {},
            "own": {},  # tables read that the run was given a file for, and the file's name
            "newest": "",
            "reports": {},
            **job.provenance,
            "code": code,
            "versions": _versions(),
        },
        "seconds": None,
        "error": None,
    }


@cache
def _versions() -> dict[str, str]:
    ours = {"python": platform.python_version(), "kbio-analysis": __version__}
    return ours | {name: version(name) for name in ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")}


def make(job: Job, here: Here) -> Report:
    """Make the report in this process, which is one made for it; what goes wrong inside is raised."""
    import nbformat

    from kbio_analysis.render.engine import execute
    from kbio_analysis.render.page import report_html

    began, spec, result = time.monotonic(), read_source(job.notebook, job.source), _begun(job)
    if job.data:
        os.environ["KBIO_DATA"] = job.data
    if job.recorded is not None:
        bundle = here.folder / "recorded.json"
        bundle.write_bytes(job.recorded)
        os.environ[BUNDLE] = str(bundle)
    executed, files = prepare(job.notebook, job.source, result["changed"]), _files(job.data)
    start = time.process_time()
    read = execute(executed, here, job.kernel)
    ran = time.process_time()
    inputs = result["inputs"]
    inputs |= {part: read.get(part) or inputs[part] for part in ("tables", "newest", "reports")}
    given = own_tables(Path(job.data)) if job.data else {}
    inputs["own"] = {name: file for name, file in given.items() if name in inputs["tables"]}
    if written_to := {name for name, *_ in files ^ _files(job.data)}:
        what = "a notebook reads them only: write elsewhere, and restore them (git checkout)"
        raise ExecutionError(f"written to while the notebook ran: {', '.join(sorted(written_to))}; {what}")
    here.tell(AFTER)
    with warnings.catch_warnings():
        # The libraries' deprecations are ours to mend, not the reader's to see.
        warnings.simplefilter("ignore")
        make_reproducible(executed, job.data)
        mark_tables(executed.cells, read.get("lines", ()))
        shown, _, result["answer"] = collect(executed, recorded=read.get("recorded", ()))
        kept = ("value", "unit", "meaning")
        result["results"] = {name: {key: one[key] for key in kept} for name, one in shown.items()}
        if asked := result["results"].get("question", {}).get("value"):  # recorded with what it is about
            result |= {"title": str(asked), "question": str(asked)}
        page, text = report_html(executed, result, spec), nbformat.writes(executed).rstrip() + "\n"
    spent = {"start": start, "cells": ran - start, "page": time.process_time() - ran}
    log = ["cpu seconds: " + ", ".join(f"{part} {seconds:.3f}" for part, seconds in spent.items())]
    result["seconds"] = round(time.monotonic() - began, 3)
    return _report(job, result, [*log, tail(here.folder, OUTPUT)], **dict(zip(PAGES, (page, text), strict=True)))


def _files(data: str | None) -> set[tuple[str, int, int, int]]:
    """The files of the tables, and what changes about a file that is written to."""
    about = [(path, path.stat()) for path in Path(data).rglob("*") if path.is_file()] if data else []
    return {(str(path.relative_to(data)), its.st_mtime_ns, its.st_size, its.st_ino) for path, its in about}


def prepare(name: str, source: bytes, changed: Mapping[str, Any]) -> NotebookNode:
    """The notebook as it will be run: no outputs, and the changed values in a cell after the parameters cell."""
    import nbformat

    notebook = nbformat.from_dict(_completed(name, source))
    if changed:
        lines = [f"{name} = {value!r}" for name, value in changed.items()]
        cell = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [INJECTED]}, id=INJECTED)
        place = next(i for i, cell in enumerate(notebook.cells) if TAG in cell.metadata.get("tags", []))
        notebook.cells.insert(place + 1, cell)
    return notebook


_completed = lru_cache(maxsize=1)(completed)


def rehearse(name: str, text: str, code: str) -> None:
    """Do once, in the process that others are forked from, what each of them would do first: take a notebook's way
    through the page. Nothing is executed; what is read and coloured stays so for all that have the same cells."""
    import nbformat

    from kbio_analysis.render.page import report_html

    source = text.encode()
    spec, _ = read_source(name, source), code_hash(code, source)
    notebook = prepare(name, source, {one.name: one.default for one in spec.parameters[:1]})
    mark_tables(notebook.cells, ())
    shown = nbformat.v4.new_output("display_data", data={"text/html": "<table><tr><td>1</td></tr></table>"})
    notebook.cells.append(nbformat.v4.new_code_cell(outputs=[shown]))
    report_html(notebook, {"versions": _versions()}, spec)
    nbformat.writes(notebook)
    if "matplotlib.pyplot" in sys.modules:  # every installed package is asked for it
        sys.modules["matplotlib.backends"].backend_registry.resolve_backend("inline")
