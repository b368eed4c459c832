"""Work done in processes of its own, each forked from one that has imported the libraries; the end of each is told.

The fork server is the standard library's. It listens on a private socket in this process's own folder, and on no port.
A piece of work has a process to itself, with a session, a folder and an environment of its own. It ends with what the
work returned, or with how the process failed to return: it died, ran out of time, or wrote without end. Either way
everything it started is killed, also what has left its session or outlived its parent.
"""

from __future__ import annotations

import contextlib
import json
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
from multiprocessing import util
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import psutil

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render import child, preload
from kbio_analysis.render.folders import own_folder
from kbio_analysis.render.signals import TICK_SECONDS, Stop, stopping

START_SECONDS = 120.0
SILENT_SECONDS = 40.0  # a server that has not spoken by then is replaced
END_SECONDS = 4.0
TRIES = 3  # of work whose server was killed under it
MOST_OUTPUT = 20_000_000  # bytes that programs started by a notebook may print
KEPT_OUTPUT = 200_000  # of them, in the log
_FILES_A_PROCESS, _FILES_OF_OURS = 4, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """``call`` is given the place where it is done; it can be pickled, and so can its answer.

    An answer is anything but a number. ``key`` names the work to whoever gave it; ``limit_seconds`` is for all of it.
    """

    key: Any
    call: Callable[[child.Here], Any]
    limit_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended that gave no answer. ``status`` is failed, killed or timed_out; ``log`` is what it wrote."""

    status: str
    cell: int | None
    kind: str
    reason: str
    log: str


def usable_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def answers(
    works: Iterable[Work], *, workers: int, until: float | None = None, imports: Iterable[str] = ()
) -> Iterator[tuple[Any, Any]]:
    """The key of each work and what it answered, or an ``Ended``, as they are done; ``workers`` at a time.

    ``imports`` are modules that the work will import: a hint for a fork server that has yet to be started.
    Raises KeyboardInterrupt when this process is told to stop and OutOfTimeError when the monotonic clock passes
    ``until``; then, and when the caller leaves, everything that runs is killed first. Raises ExecutionError where no
    process can be started.
    """
    waiting = deque((work, 1) for work in works)
    running: dict[Connection, _Run] = {}
    workers = max(1, min(workers, _most_at_a_time()))
    _server.imports = " ".join(imports)
    with stopping() as stop:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    work, tries = waiting.popleft()
                    run = _started(work, tries, stop, until)
                    if run is None:
                        waiting.append(_again(work, tries))
                    else:
                        running[run.connection] = run
                wait(running, timeout=TICK_SECONDS)
                stop.check(until)
                for run in list(running.values()):
                    answer = run.answer()
                    if answer is _RUNNING:
                        continue
                    del running[run.connection]
                    run.end()
                    if answer is _SERVER_GONE:
                        waiting.append(_again(run.work, run.tries))
                    else:
                        yield run.work.key, answer
        except BaseException:
            for run in running.values():
                run.end()
            raise


def _again(work: Work, tries: int) -> tuple[Work, int]:
    if tries >= TRIES:
        raise ExecutionError(f"the fork server ended {TRIES} times: {_last_words()}; try --jobs 1")
    return work, tries + 1


def _most_at_a_time() -> int:
    """How many processes the number of files we may open allows for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, (files - _FILES_OF_OURS) // _FILES_A_PROCESS) if files != resource.RLIM_INFINITY else sys.maxsize


_RUNNING, _SERVER_GONE = object(), object()


@dataclass(slots=True, kw_only=True)
class _Run:
    """A process at work, in its folder."""

    work: Work
    tries: int
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
                if isinstance(told, child.Problem):
                    return self._ended("failed", told.kind, told.reason, told.trace)
                if not isinstance(told, int):
                    return told
                self.cell = told
        except (EOFError, OSError):
            return self._death()
        except Exception as problem:
            return self._ended("failed", "Unreadable", f"its answer cannot be read: {problem}")
        if self.process.exitcode is not None and not self.connection.poll():  # its pipe may live on in one it forked
            return self._death()
        if (self.folder / child.OUTPUT).stat().st_size > MOST_OUTPUT:
            limit = f"{MOST_OUTPUT // 1_000_000} MB"
            return self._ended("failed", "OutputLimit", f"a program started {self._where()} wrote more than {limit}")
        if time.monotonic() >= self.deadline:
            reason = f"not finished after {self.work.limit_seconds:g} s, {self._where()}"
            return self._ended("timed_out", "TimeOut", reason)
        return _RUNNING

    def end(self) -> None:
        """Kill the process with everything it started, and remove its folder."""
        _kill_tree(self.process)
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


def _kill_tree(dying: multiprocessing.process.BaseProcess) -> None:
    """Kill a process, its session, all below it, and then the orphans that this leaves with the fork server."""
    with contextlib.suppress(psutil.Error):
        for one in preload.below(psutil.Process(dying.pid)):
            _kill(one.pid)
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(dying.pid, signal.SIGKILL)
    dying.join(END_SECONDS)
    _at_work.discard(dying.pid)
    limit = time.monotonic() + END_SECONDS
    while time.monotonic() < limit and (orphans := _server.orphans()):
        for one in orphans:
            for each in [*preload.below(one), one]:
                _kill(each.pid)
        time.sleep(0.005)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


# ---- starting


def _started(work: Work, tries: int, stop: Stop, until: float | None) -> _Run | None:
    """The work in a new process; None if the fork server died meanwhile."""
    context = _server.context(stop, until)
    folder = child.new_folder(own_folder())
    ours, theirs = context.Pipe(duplex=False)
    arguments = (theirs, work.call, folder, child.environment(folder))
    new = context.Process(target=child.run, args=arguments, name="kbio-report")
    try:
        with _as_a_server_needs(folder):
            new.start()
            _at_work.add(new.pid)
            server = _server.pid()
    except (OSError, EOFError):
        ours.close()
        shutil.rmtree(folder, ignore_errors=True)
        return None
    finally:
        theirs.close()
    deadline = time.monotonic() + (work.limit_seconds or float("inf"))
    return _Run(work=work, tries=tries, process=new, connection=ours, folder=folder, deadline=deadline, server=server)


_lock = threading.RLock()
_at_work: set[int] = set()


@contextlib.contextmanager
def _as_a_server_needs(folder: Path) -> Iterator[None]:
    """Start processes with our fixed environment, and without the program that runs us being imported into them."""
    with _lock:
        main, before = sys.modules["__main__"], dict(os.environ)
        sys.modules["__main__"] = type(sys)("__main__")
        # Arrow's allocator starts a thread at import unless told not to, and the server must not have one.
        own = {"MPLBACKEND": "agg", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
        own |= {"PYTHONWARNINGS": "ignore:resource_tracker"}  # told in the terminal of what a notebook leaves
        paths = os.pathsep.join(path for path in sys.path if path)
        now = (
            child.environment(folder)
            | own
            | {"PYTHONPATH": paths, preload.READY: str(_server.ready), preload.IMPORTS: _server.imports}
        )
        _set_environment(now)
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            _set_environment(before)


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


@dataclass(slots=True)
class _Server:
    """The fork server of this process. The standard library starts it, again too if it has died; it tells us when it
    is ready, and its id."""

    cold: bool = False
    imports: str = ""

    @property
    def ready(self) -> Path:
        return own_folder() / "server.json"

    def pid(self) -> int | None:
        """The id of the server that is there and ready, if one is."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self.ready.read_text())
            if any(server.pid == found["pid"] for server in _servers()):
                self.cold = found["threads"] > 1
                return found["pid"]
        return None

    def orphans(self) -> list[psutil.Process]:
        """Processes that have fallen to the server because what started them is dead."""
        with _lock:
            return [c for server in _servers() for c in preload.below(server, all=False) if c.pid not in _at_work]

    def context(self, stop: Stop, until: float | None) -> multiprocessing.context.BaseContext:
        """What starts processes: the fork server, ready; where forking is not safe or not to be had, new processes."""
        with _lock:
            self.cold = self.cold or "forkserver" not in multiprocessing.get_all_start_methods()
            if not self.cold and self.pid() is None:
                self._begin(stop, until)
            return multiprocessing.get_context("spawn" if self.cold else "forkserver")

    def _begin(self, stop: Stop, until: float | None) -> None:
        util.Finalize(None, _end_servers, exitpriority=100)
        multiprocessing.get_context("forkserver").set_forkserver_preload([preload.__name__])
        limit, asked = time.monotonic() + START_SECONDS, 0.0
        while self.pid() is None:
            if _servers() and time.monotonic() - asked > SILENT_SECONDS:  # one that never said it was ready
                _end_servers()
            if not _servers():  # none yet, or the last one is still dying
                self._ask_for_one()
                asked = time.monotonic()
            try:
                stop.check(until)
            except BaseException:
                _end_servers()
                raise
            if time.monotonic() > limit:
                raise ExecutionError(f"the fork server did not start: {_last_words()}")
            time.sleep(0.02)

    def _ask_for_one(self) -> None:
        from multiprocessing import forkserver

        before, tempfile.tempdir = tempfile.tempdir, str(own_folder())  # where its socket will lie
        try:
            with _as_a_server_needs(own_folder()):
                forkserver.ensure_running()
        finally:
            tempfile.tempdir = before


_server = _Server()


def _servers() -> list[psutil.Process]:
    """The standard library's fork servers of this process; one, or none."""
    found = []
    for one in preload.below(psutil.Process(), all=False):
        with contextlib.suppress(psutil.Error):
            if "multiprocessing.forkserver" in " ".join(one.cmdline()):
                found.append(one)
    return found


def _end_servers() -> None:
    for server in _servers():
        for one in [*preload.below(server), server]:
            _kill(one.pid)


def _last_words() -> str:
    lines = child.tail(_server.ready.with_suffix(".log"), 500).splitlines()
    return lines[-1] if lines else "it left no message"
