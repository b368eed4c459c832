"""Inside the process that does one piece of work: nothing of who started it is carried over, and its end is told.

A process forked from the server carries what the server has imported; everything else it could notice about having
been forked is put right: session, signals, files, environment, folder, random state and matplotlib's settings.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import random
import signal
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn

from kbio_analysis.render import preload

OUTPUT, PRINTED = "output.txt", "printed.txt"
AFTER = -1
"""Told in place of a cell's number when the cells are done and the page is being made."""

INLINE = "module://matplotlib_inline.backend_inline"

# Keys of the surrounding Jupyter and settings that would make a report depend on who renders it.
_DROPPED_PREFIXES = ("JUPYTER_", "JPY_", "IPYTHON", "PAPERMILL_", "GIT_")
_DROPPED = ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONPATH", "MATPLOTLIBRC", "KBIO_RECORDED")
_FIXED = {
    # A fork inherits the seed of its server; the same everywhere gives the same results everywhere.
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "TZ": "UTC",
    "MPLBACKEND": INLINE,
    # Reports run side by side, and sums come out in the same order on every machine.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What the work is given: a private folder (its ``work`` is the current one) and whom to tell of a cell's begin."""

    folder: Path
    tell: Callable[[int], None]

    @property
    def printed(self) -> Path:
        """Where the text that cells print goes too, for whoever must tell of a process that died."""
        return self.folder / PRINTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How work ended that did not get to its end.

    ``status`` is failed, killed or timed_out; ``kind`` and ``reason`` are an error's type and message; ``log`` is a
    traceback, or what was written; ``cell`` is the number of the code cell, counted from 1 in the notebook as it is
    executed, None outside of any.
    """

    status: str
    kind: str
    reason: str
    log: str = ""
    cell: int | None = None


def new_folder(parent: Path) -> Path:
    """A folder for one process; its name has nothing of the machine but a number."""
    number = 1
    while True:
        with contextlib.suppress(FileExistsError):
            folder = parent / f"run-{number}"
            folder.mkdir(mode=0o700)
            (folder / "work").mkdir()
            (folder / OUTPUT).touch(mode=0o600)
            return folder
        number += 1


def environment(folder: Path) -> dict[str, str]:
    """Our environment less what would make a report depend on the machine's user, and with what is the same for all.

    Where matplotlib could not keep its list of fonts it is given ``folder`` for it.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    }
    parent = str(Path(__file__).resolve().parents[2])
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    ours = {} if parent in installed else {"PYTHONPATH": parent}
    fonts = Path(kept.get("MPLCONFIGDIR") or kept.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    nearest = next((place for place in (fonts, *fonts.parents) if place.exists()), Path("/"))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        ours["MPLCONFIGDIR"] = str(folder)
    return kept | _FIXED | ours | {"IPYTHONDIR": str(folder / "ipython"), "TMPDIR": str(folder)}


def run(connection: Connection, call: Callable[[Here], Any], folder: Path, environment: dict[str, str]) -> NoReturn:
    """Do the work and send its answer, or what kept it from giving one."""
    try:
        with contextlib.suppress(OSError):
            os.setsid()
        _die_with_the_caller()
        preload.adopt_orphans()
        _take_place(folder, environment)
        gc.enable()
        random.seed()
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        if "matplotlib" in sys.modules:
            sys.modules["matplotlib"].rcdefaults()
        answer = call(Here(folder=folder, tell=connection.send))
    except BaseException as problem:  # this frame is the process's last
        answer = told(problem)
    try:
        connection.send(answer)
    except BaseException as problem:
        connection.send(told(problem))
    finally:
        os._exit(0)


def told(problem: BaseException) -> Ended:
    """What an exception says; its traceback is the log."""
    trace = "".join(traceback.format_exception(problem))
    return Ended(status="failed", kind=type(problem).__name__, reason=str(problem), log=trace)


def written(folder: Path, most: int) -> str:
    """The end of what cells have printed and of what programs started by them wrote, at most so many bytes of each."""
    return "\n".join(text for name in (PRINTED, OUTPUT) if (text := tail(folder / name, most)))


def tail(path: Path, most: int) -> str:
    """The last bytes of a text file; empty if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            text = file.read(most).decode("utf-8", "replace").strip()  # no more: it may be growing
    except OSError:
        return ""
    return text if size <= most else f"[{size - most} bytes before]\n{text}"


def _die_with_the_caller() -> None:
    """The process ends when who started it has gone: on Linux by the system, elsewhere by a thread that watches."""
    caller = multiprocessing.parent_process()
    server = sys.modules.get("multiprocessing.forkserver")
    alive = getattr(getattr(server, "_forkserver", None), "_forkserver_alive_fd", None)
    if alive is not None and caller is not None:
        # Every child keeps the server alive by this; ours would outlive the caller together with it.
        os.close(alive)
        server._forkserver._forkserver_alive_fd = None
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        expected = caller.pid if os.getpid() == preload.PID else preload.PID
        if os.getppid() != expected:
            os._exit(1)
    elif caller is not None:
        threading.Thread(target=_watch, args=(caller.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os.killpg(0, signal.SIGKILL)


def _take_place(folder: Path, environment: dict[str, str]) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    output = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(output)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None  # asked for anew: what is left there goes with the folder
    os.chdir(folder / "work")
    sys.argv = ["kbio"]
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
