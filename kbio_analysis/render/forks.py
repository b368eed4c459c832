"""Work done in processes of its own, forked from the standard library's fork server (a private socket, no port).

It ends with what the work returned, or with how the process failed to return: it died, ran out of time, or wrote
without end. Then everything it started is killed, also what has left its session or outlived its parent.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import forkserver, util
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import psutil

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render import child
from kbio_analysis.render.child import Ended
from kbio_analysis.render.signals import TICK_SECONDS, Stop, stopping

START_SECONDS = 120.0
SILENT_SECONDS = 40.0  # a server that has not spoken by then is replaced
END_SECONDS = 4.0
TRIES = 3  # of work whose server was killed under it
MOST_OUTPUT = 20_000_000  # bytes that programs started by a notebook may print
KEPT_OUTPUT = 200_000  # of them, in the log
# A socket's path holds 103 bytes (macOS; 107 on Linux), of which multiprocessing adds 32 to the folder's own 14.
LONGEST_BASE = 103 - 32 - 14
_FILES_A_PROCESS, _FILES_OF_OURS = 4, 24


@dataclass(slots=True, kw_only=True)
class Work:
    """``call`` is given the place where it is done and answers anything but a number; both can be pickled. ``key``
    names the work to whoever gave it; ``limit_seconds`` is for all of it."""

    key: Any
    call: Callable[[child.Here], Any]
    limit_seconds: float | None = None
    tries: int = 1


def usable_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def answers(works: Iterable[Work], *, workers: int, imports: Iterable[str] = ()) -> Iterator[tuple[Any, Any]]:
    """The key of each work and what it answered, or an ``Ended``, as they are done; ``workers`` at a time.

    ``imports`` are modules that the work will import: a hint for a fork server that has yet to be started.
    Raises KeyboardInterrupt when this process is told to stop; then, and when the caller leaves, everything that runs
    is killed first. Raises ExecutionError where no process can be started.
    """
    waiting, running = deque(works), []
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY:
        workers = min(workers, (files - _FILES_OF_OURS) // _FILES_A_PROCESS)
    with stopping() as stop:
        try:
            while waiting or running:
                while waiting and len(running) < max(1, workers):
                    work = waiting.popleft()
                    _require_server(stop, imports)
                    run = _started(work)
                    if run is None:
                        waiting.append(_again(work))
                    else:
                        running.append(run)
                wait([run.connection for run in running], timeout=TICK_SECONDS)
                stop.check()
                for run in list(running):
                    answer = run.answer()
                    if answer is _RUNNING:
                        continue
                    running.remove(run)
                    run.end()
                    if answer is _SERVER_GONE:
                        waiting.append(_again(run.work))
                    else:
                        yield run.work.key, answer
        except BaseException:
            for run in running:
                run.end()
            raise


def _again(work: Work) -> Work:
    if work.tries >= TRIES:
        raise ExecutionError(f"the fork server ended {TRIES} times: {_last_words()}; try --jobs 1")
    work.tries += 1
    return work


_RUNNING, _SERVER_GONE = object(), object()


@dataclass(slots=True, kw_only=True)
class _Run:
    """A process at work, in its folder."""

    work: Work
    process: multiprocessing.process.BaseProcess
    connection: Connection
    folder: Path
    deadline: float
    server: int | None
    cell: int | None = None

    def answer(self) -> Any:
        """What the work answered or how the process ended; _RUNNING if neither, _SERVER_GONE if it was not to blame."""
        try:
            while self.connection.poll():
                told = self.connection.recv()
                if isinstance(told, Ended):
                    return self._ended(told.status, told.kind, told.reason, told.log)
                if not isinstance(told, int):
                    return told
                self.cell = told
            if self.process.exitcode is not None and not self.connection.poll():
                return self._death()  # its pipe may live on in one that it forked
        except (EOFError, OSError):
            return self._death()
        except Exception as problem:
            return self._ended("failed", "Unreadable", f"its answer cannot be read: {problem}")
        if (self.folder / child.OUTPUT).stat().st_size > MOST_OUTPUT:
            limit = f"{MOST_OUTPUT // 1_000_000} MB"
            return self._ended("failed", "OutputLimit", f"a program started {self._where()} wrote more than {limit}")
        if time.monotonic() >= self.deadline:
            reason = f"not finished after {self.work.limit_seconds:g} s, {self._where()}"
            return self._ended("timed_out", "TimeOut", reason)
        return _RUNNING

    def end(self) -> None:
        """Kill the process with its session, all below it, and then the orphans that this leaves with the fork server;
        remove its folder."""
        with contextlib.suppress(psutil.Error):
            child.kill(child.below(psutil.Process(self.process.pid)))
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.process.pid, signal.SIGKILL)
        self.process.join(END_SECONDS)
        _at_work.discard(self.process.pid)
        limit = time.monotonic() + END_SECONDS
        while time.monotonic() < limit and (orphans := _orphans()):
            for one in orphans:
                child.kill([*child.below(one), one])
            time.sleep(0.005)
        self.connection.close()
        self.process.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _where(self) -> str:
        if self.cell == child.AFTER:
            return "while its page was made"
        return f"in cell {self.cell}" if self.cell else "before the first cell"

    def _death(self) -> Any:
        self.process.join(END_SECONDS)
        code = self.process.exitcode
        if code == 255 and self.server not in {server.pid for server in _servers()}:
            return _SERVER_GONE
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = ", likely for want of memory" if -code == signal.SIGKILL else ""
            return self._ended("killed", name, f"the process was killed by {name} {self._where()}{hint}")
        return self._ended("killed", "ProcessExit", f"the process ended by itself {self._where()} (exit status {code})")

    def _ended(self, status: str, kind: str, reason: str, trace: str = "") -> Ended:
        cell = self.cell if self.cell != child.AFTER else None
        log = "\n".join(part for part in (trace, child.written(self.folder, KEPT_OUTPUT)) if part)
        return Ended(status=status, cell=cell, kind=kind, reason=reason, log=log)


# ---- starting


def _started(work: Work) -> _Run | None:
    """The work in a new process; None if the fork server died meanwhile."""
    context, folder = multiprocessing.get_context("forkserver"), child.new_folder(own_folder())
    ours, theirs = context.Pipe(duplex=False)
    arguments = (theirs, work.call, folder, child.environment(folder))
    new = context.Process(target=child.run, args=arguments, name="kbio-report")
    try:
        with _as_a_server_needs(folder):
            new.start()
            _at_work.add(new.pid)
            server = _ready_server()
    except (OSError, EOFError):
        ours.close()
        shutil.rmtree(folder, ignore_errors=True)
        return None
    finally:
        theirs.close()
    deadline = time.monotonic() + (work.limit_seconds or float("inf"))
    return _Run(work=work, process=new, connection=ours, folder=folder, deadline=deadline, server=server)


_lock = threading.RLock()
_at_work: set[int] = set()


@contextlib.contextmanager
def _as_a_server_needs(folder: Path, imports: Iterable[str] = ()) -> Iterator[None]:
    """Start processes with our fixed environment, and without the program that runs us being imported into them."""
    with _lock:
        main, before = sys.modules["__main__"], dict(os.environ)
        sys.modules["__main__"] = type(sys)("__main__")
        _set_environment(
            child.environment(folder)
            | {
                "MPLBACKEND": "agg",
                # Arrow's allocator starts a thread at import unless told not to, and the server must not have one.
                "JE_ARROW_MALLOC_CONF": "background_thread:false",
                "PYTHONWARNINGS": "ignore:resource_tracker",  # told in the terminal of what a notebook leaves
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                child.READY: str(own_folder() / _READY),
                child.IMPORTS: " ".join(imports),
            }
        )
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            _set_environment(before)


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


# ---- the fork server of this process: the standard library starts it; it tells us when it is ready, and its id

_READY = "server.pid"


def _require_server(stop: Stop, imports: Iterable[str]) -> None:
    """Wait until a fork server is there and ready; start one if none is, or the last one never spoke."""
    with _lock:
        if _ready_server() is not None:
            return
        util.Finalize(None, _end_servers, exitpriority=100)
        multiprocessing.get_context("forkserver").set_forkserver_preload([child.__name__])
        limit, asked = time.monotonic() + START_SECONDS, 0.0
        while _ready_server() is None:
            if _servers() and time.monotonic() - asked > SILENT_SECONDS:
                _end_servers()
            if not _servers():  # none yet, or the last one is still dying
                before, tempfile.tempdir = tempfile.tempdir, str(own_folder())  # where its socket will lie
                try:
                    with _as_a_server_needs(own_folder(), imports):
                        forkserver.ensure_running()
                finally:
                    tempfile.tempdir = before
                asked = time.monotonic()
            try:
                stop.check()
            except BaseException:
                _end_servers()
                raise
            if time.monotonic() > limit:
                raise ExecutionError(f"the fork server did not start: {_last_words()}")
            time.sleep(0.02)


def _ready_server() -> int | None:
    """The id of the server that is there and ready, if one is."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((own_folder() / _READY).read_text())
        return pid if any(server.pid == pid for server in _servers()) else None
    return None


def _servers() -> list[psutil.Process]:
    """The standard library's fork servers of this process; one, or none."""
    found = []
    for one in child.below(psutil.Process(), all=False):
        with contextlib.suppress(psutil.Error):
            if "multiprocessing.forkserver" in " ".join(one.cmdline()):
                found.append(one)
    return found


def _orphans() -> list[psutil.Process]:
    """Processes that have fallen to the server because what started them is dead."""
    with _lock:
        return [one for server in _servers() for one in child.below(server, all=False) if one.pid not in _at_work]


def _end_servers() -> None:
    for server in _servers():
        child.kill([*child.below(server), server])


def _last_words() -> str:
    lines = child.tail((own_folder() / _READY).with_suffix(".log"), 500).splitlines()
    return lines[-1] if lines else "it left no message"


# ---- the private folder of this process for temporary files, short enough for sockets

_own: tuple[int, Path] | None = None


def own_folder() -> Path:
    """The folder (mode 0700), made when first asked for. It goes with this process, or with its fork server.

    Raises ExecutionError where no folder of temporary files can be written to.
    """
    global _own
    if _own is not None and _own[0] == os.getpid() and _own[1].is_dir():
        return _own[1]
    bases = ["/tmp", "/var/tmp", os.getcwd()]
    with contextlib.suppress(FileNotFoundError):
        bases.insert(0, tempfile.gettempdir())
    for base in bases:
        if len(os.fsencode(base)) <= LONGEST_BASE:
            with contextlib.suppress(OSError):
                _own = os.getpid(), Path(tempfile.mkdtemp(prefix="kbio-", dir=base)).resolve()
                # After multiprocessing has removed its own part of it; a forked copy of this process leaves it alone.
                util.Finalize(None, shutil.rmtree, args=(_own[1],), kwargs={"ignore_errors": True}, exitpriority=-200)
                return _own[1]
    raise ExecutionError(
        f"no folder for temporary files with a path of at most {LONGEST_BASE} bytes; name one in TMPDIR"
    )
