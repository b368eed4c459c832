"""Imported once by the fork server of this machine's reports: what its notebooks would otherwise import themselves.

Never import this module elsewhere: it changes the process it is in. That process has a session of its own (a terminal's
signals are its owner's affair), takes in the orphans of dead reports, and clears up when its owner has gone.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import multiprocessing
import os
import pkgutil
import shutil
import sys
import time
import warnings
from pathlib import Path

import psutil

READY = "KBIO_SERVER_READY"
"""The environment variable that names the file written when everything is imported."""

IMPORTS = "KBIO_SERVER_IMPORTS"
"""The environment variable that lists the modules which the notebooks import."""

PID = os.getpid()

# jsonschema compiles a grammar for a format no notebook uses, a test library serves no report, and papermill asks
# pyarrow for notebooks on Hadoop, which starts a thread, and a process that forks must have none. All do without.
_HIDDEN = ("rfc3987_syntax", "hypothesis", "pyarrow")
_FIRST = ("jsonschema", "nbformat", "papermill.engines")
_ALWAYS = ("kbio_analysis.render.engine", "kbio_analysis.render.job", "kbio_analysis.render.page")
_STACK = (
    "pyarrow.pandas_compat",
    "pandas",
    "scipy.stats",
    "scipy.optimize",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "matplotlib_inline.backend_inline",
    "pandas.plotting._matplotlib",
    "statsmodels.api",
    "statsmodels.formula.api",
    "statsmodels.tsa.api",
    "yaml",
)
_OURS = ("kbio_analysis.data", "kbio_analysis.models", "kbio_analysis.present")
# What a notebook that does without our models and charts may have imported; anything else might do more than define.
_KNOWN = ("matplotlib", "numpy", "pandas", "scipy", "statsmodels")


def _imported(wanted: list[str]) -> None:
    for name in _HIDDEN:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in _FIRST:
        _import(name)
    del sys.modules["pyarrow"]
    whole = any(name.startswith(_OURS[1:]) for name in wanted)
    known = [name for name in wanted if name.split(".")[0] in _KNOWN]
    for name in (*_ALWAYS, *(_STACK if whole else known)):
        _import(name)
    for name in _OURS if whole else ():
        _import(name)
        for found in pkgutil.walk_packages(getattr(sys.modules.get(name), "__path__", ()), f"{name}."):
            _import(found.name)
    with contextlib.suppress(Exception):  # it would be told by every report
        sys.modules["kbio_analysis.render.job"].rehearse()
        sys.modules["kbio_analysis.render.shell"].NotebookShell.begin()
    for name in _HIDDEN:
        if sys.modules.get(name, "") is None:
            del sys.modules[name]


def _import(name: str) -> None:
    """One that cannot be imported is left out: a notebook that wants it reports the same error in its cell."""
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"not preloaded: {name} ({error})", file=sys.stderr, flush=True)


def adopt_orphans() -> None:
    """Make this process the parent of those below it whose parent dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def below(process: psutil.Process, *, all: bool = True) -> list[psutil.Process]:
    """The living processes that a process has started; with ``all`` also what these have started, and so on."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in process.children(recursive=all):
            with contextlib.suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE:
                    found.append(child)
    return found


def _end(folder: Path) -> None:
    """The process that started this one has ended or was killed: nothing of it stays."""
    if os.getpid() != PID:
        return
    limit = time.monotonic() + 2
    while time.monotonic() < limit and (found := below(psutil.Process())):
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    shutil.rmtree(folder, ignore_errors=True)


# A process of the server's, or one beside it, may meet the variable too; only the server itself is no child.
if READY in os.environ and multiprocessing.parent_process() is None:
    ready = Path(os.environ.pop(READY))
    log = os.open(ready.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    with contextlib.suppress(OSError):
        os.setsid()
    adopt_orphans()
    atexit.register(_end, ready.parent)
    # The server reaps the orphans it has taken in, and would tell of each.
    warnings.filterwarnings("ignore", message="forkserver: waitpid")
    gc.disable()
    _imported(os.environ.pop(IMPORTS, "").split())
    gc.collect()
    gc.freeze()  # the collector would write to every object's header and so copy the pages shared with the children
    ready.with_suffix(".new").write_text(str(PID))
    ready.with_suffix(".new").rename(ready)
