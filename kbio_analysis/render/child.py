"""The processes of a run: the fork server, which imports what notebooks would import themselves, and, forked from it,
one for each piece of work, to which nothing is carried over but these imports, typed tables and what was rehearsed:
session, files, environment, folder, random state and matplotlib's settings are its own. Its end is told."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import psutil

from kbio_analysis.errors import ExecutionError

# What the programs that cells start write, what cells print and show, and the numbers of the cells begun so far.
WRITTEN = OUTPUT, PRINTED, SHOWN, CELLS = "output.txt", "printed.txt", "shown.txt", "cells.txt"
MOST_LOGGED = 200_000  # bytes of each
AFTER = -1  # told in place of a cell's number when the cells are done and the page is being made


# Keys of the surrounding Jupyter and settings that would make a report depend on who renders it.
_DROPPED_PREFIXES = ("JUPYTER_", "JPY_", "IPYTHON", "PAPERMILL_", "GIT_")
_DROPPED = ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "MATPLOTLIBRC", "KBIO_RECORDED")
_FIXED = {
    # A fork inherits the seed of its server; the same everywhere gives the same results everywhere.
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # Arrow's allocator starts a thread at import unless told not to, and a process that forks must have none.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "TZ": "UTC",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # Reports run side by side, and sums come out in the same order on every machine.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **dict.fromkeys(("NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS"), "1"),
}


@dataclass(slots=True)
class Here:
    """What the work is given: a private folder (its ``work`` is the current one), the way its answer goes, and where
    it notes a cell's begin for who asks how far it is."""

    folder: Path
    connection: Connection
    cell: int = 0

    def tell(self, cell: int) -> None:
        os.fstat(self.connection.fileno())  # closed by a cell, it would take no answer
        self.cell = cell
        with (self.folder / CELLS).open("a") as file:
            file.write(f"{cell}\n")


@dataclass(kw_only=True, eq=False)
class StoppedError(ExecutionError):
    """Work did not get to its end: ``status`` is failed, killed or timed_out; ``kind`` and ``reason`` are an error's
    type and message; ``log`` is a traceback, or what was written; ``cell`` is the number of the code cell, from 1, in
    the notebook as it is executed, None outside of any; ``seconds`` it took until then."""

    status: str = "failed"
    kind: str = ""
    reason: str = ""
    log: str = ""
    cell: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return self.reason


def environment(folder: Path) -> dict[str, str]:
    """Our environment less what would make a report depend on the machine's user, and with what is the same for all."""
    kept = {n: v for n, v in os.environ.items() if n not in _DROPPED and not n.startswith(_DROPPED_PREFIXES)}
    ours = {"IPYTHONDIR": folder / "ipython", "TMPDIR": folder, "PYTHONPATH": Path(__file__).resolve().parents[2]}
    return kept | _FIXED | {name: str(path) for name, path in ours.items()}


def run(connection: Connection, call: Callable[[Here], Any], folder: Path, environment: dict[str, str]) -> NoReturn:
    """Do the work and send its answer, or what kept it from giving one."""
    try:
        os.setsid()
        # Every process keeps the server alive by this; the notebook's would outlive the caller together with it.
        os.close(forkserver._forkserver._forkserver_alive_fd)
        forkserver._forkserver._forkserver_alive_fd = None
        _prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: to end with the server, which ends with the caller
        if os.getppid() != PID:  # which has ended before it was asked
            os._exit(255)
        adopt_orphans()
        _redirected(os.devnull, os.O_RDONLY, 0)
        _redirected(folder / OUTPUT, os.O_WRONLY | os.O_APPEND, 1, 2)
        sys.stdin = os.fdopen(0, closefd=False)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        tempfile.tempdir = None  # asked for anew: what is left there goes with the folder
        (folder / "work").mkdir()
        os.chdir(folder / "work")
        sys.argv = ["kbio"]
        gc.enable()
        random.seed()
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        connection.send(call(Here(folder, connection)))
    except BaseException as problem:  # this frame is the process's last
        connection.send(_told(problem, folder))
    finally:
        os._exit(0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def adopt_orphans() -> None:
    """From now on, what is left below this process falls to it and not to the system."""
    _prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def _redirected(path: str | Path, flags: int, *numbers: int) -> None:
    """Open a file as standard input, output or error."""
    for number in numbers:
        os.dup2(os.open(path, flags, 0o600), number)


def _told(problem: BaseException, folder: Path) -> StoppedError:
    """What an exception says; its traceback, and what was written until then, is the log."""
    if not isinstance(problem, StoppedError):
        trace = "".join(traceback.format_exception(problem))
        problem = StoppedError(kind=type(problem).__name__, reason=str(problem), log=trace)
    problem.log = "\n".join(filter(None, [problem.log, tail(folder, PRINTED, OUTPUT)]))
    return problem


def tail(folder: Path, *names: str) -> str:
    """The last bytes of text files, as many of each as a log may hold."""
    texts = []
    for name in names:
        with contextlib.suppress(OSError), (folder / name).open("rb") as file:
            before = max(0, file.seek(0, os.SEEK_END) - MOST_LOGGED)
            file.seek(before)
            text = file.read(MOST_LOGGED).decode("utf-8", "replace").strip()  # no more: it may be growing
            texts.append(f"[{before} bytes before]\n{text}" if before else text)
    return "\n".join(filter(None, texts))


# ---- the fork server

SERVER = "KBIO_SERVER"  # the environment variable that makes a process the server: whose, and its folder
AHEAD = "ahead.json"  # modules that notebooks import, by folder their tables; name, source, code's hash of the first
LOG = "server.log"
START_SECONDS = 120  # whoever waits for the server waits no longer
PID = os.getpid()

# jsonschema brings readers of formats no notebook uses, a test library serves no report, and papermill asks pyarrow for
# notebooks on Hadoop, which starts a thread, and a process that forks must have none. All do without.
_HIDDEN = ("rfc3987_syntax", "isoduration", "rfc3986_validator", "uri_template", "webcolors", "hypothesis", "pyarrow")
_ALWAYS = (
    *("kbio_analysis.render.engine", "kbio_analysis.render.job", "kbio_analysis.render.page"),
    *("IPython.core.magics.execution", "latex2mathml.converter"),
)
# What our models and charts use and no notebook names; what an analyst's own figures use; what checks tables, imported
# where they are typed.
_STACK = ("pandas.io.formats.csvs", "pandas.io.formats.string", "matplotlib.backends.backend_svg")
_PLOTS = ("matplotlib.pyplot", "matplotlib_inline.backend_inline", "pandas.plotting._matplotlib")
_CHECKS = ("pandera.pandas", "pandera.backends.pandas.builtin_checks")
_OURS = ("kbio_analysis.data", "kbio_analysis.models", "kbio_analysis.present")
# What a notebook that does without our models and charts may have imported; anything else might do more than define.
_KNOWN = ("matplotlib", "numpy", "pandas", "scipy", "statsmodels")


def _ready(ahead: Path, caller: int) -> None:
    for name in _HIDDEN:
        sys.modules[name] = None  # type: ignore[assignment]
    _import("papermill.engines")
    del sys.modules["pyarrow"]
    for name in _ALWAYS:
        _import(name)
    while not ahead.exists() and os.getppid() == caller:
        time.sleep(0.005)
    wanted, tables, first = json.loads(ahead.read_bytes())
    whole = any(name.startswith(_OURS[1:]) for name in wanted)
    known = [name for name in wanted if name.split(".")[0] in _KNOWN or name.startswith(_OURS)]
    plots, checks = any(name.startswith("matplotlib") for name in known), whole and not any(tables.values())
    for name in _STACK if whole else ():
        _import(name)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    beside = multiprocessing.get_context("fork").Process(target=_typed, args=(ours, theirs, tables))
    if whole and not checks:
        beside.start()
    theirs.close()
    for name in (*(_PLOTS * plots), *(_CHECKS * checks), *known):
        _import(name)
    with contextlib.suppress(Exception):  # it would be told by every report
        sys.modules["kbio_analysis.render.engine"].NotebookShell.begin()
        sys.modules["kbio_analysis.render.job"].rehearse(*first)
    with contextlib.suppress(Exception):  # it has died, or there was nothing to do: every report types its tables
        sys.modules["kbio_analysis.data.tables"].keep(*ours.recv())
        beside.join()
    for name in _HIDDEN:
        if sys.modules.get(name, "") is None:
            del sys.modules[name]
    if "matplotlib" in sys.modules:  # whoever starts the server may have settings of their own
        sys.modules["matplotlib"].rcdefaults()
        sys.modules["matplotlib"].rcParams["backend"] = _FIXED["MPLBACKEND"]  # for whoever imports pyplot later


def _typed(theirs: Connection, connection: Connection, tables: dict[str, list[str]]) -> None:
    """Type and check tables beside the server, which imports what else there is meanwhile."""
    _prctl(1, signal.SIGKILL)  # it holds the server's socket: while it lives, nobody is told of the server's end
    theirs.close()
    preloaded = importlib.import_module("kbio_analysis.data.tables").preloaded
    connection.send([preloaded(Path(root), names) for root, names in tables.items()][-1])


def _import(name: str) -> None:
    """One that cannot be imported is left out: a notebook that wants it reports the same error in its cell."""
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"not preloaded: {name} ({error})", file=sys.stderr, flush=True)


def kill(pid: int) -> None:
    """End a process, all below it and the session it leads, as far as they are still there."""
    found = []
    with contextlib.suppress(psutil.Error, OSError):
        found.append(psutil.Process(pid))
        found += found[0].children(recursive=True)
    for one in found:
        with contextlib.suppress(psutil.Error):
            one.kill()
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def clear(found: Callable[[], list[psutil.Process]], seconds: float) -> None:
    """Kill what is found until nothing is, or the time is up."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and (some := found()):
        for one in some:
            kill(one.pid)
        psutil.wait_procs(some, timeout=0.1)


def _end(folder: str) -> None:
    """The process that started this one has ended or was killed: nothing of it stays."""
    if os.getpid() == PID:
        clear(psutil.Process().children, 20)  # it takes a moment; on a machine that has other work, many
        shutil.rmtree(folder, ignore_errors=True)


# A process of the server's, or one beside it, may meet the variable too; only the server itself is no child.
if SERVER in os.environ and multiprocessing.parent_process() is None:
    caller, folder = os.environ.pop(SERVER).split(" ", 1)
    _redirected(Path(folder, LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 1, 2)
    os.setsid()
    adopt_orphans()
    atexit.register(_end, folder)
    # The server reaps the orphans it has taken in, and would tell of each.
    warnings.filterwarnings("ignore", message="forkserver: waitpid")
    gc.disable()
    signal.alarm(START_SECONDS)
    _ready(Path(folder, AHEAD), int(caller))
    signal.alarm(0)
    gc.freeze()  # the collector would write to every object's header and so copy the pages shared with the children
