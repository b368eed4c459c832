"""Work done in processes of its own, forked from the standard library's fork server (a private socket, no port).

It ends with what the work returned, or with how the process failed to return: it died, ran out of time, or wrote
without end. Then everything it started is killed, also what has left its session or outlived its parent.
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver, util
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import psutil

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render import child
from kbio_analysis.render.child import StoppedError

TICK_SECONDS = 0.2
END_SECONDS = 4.0
TRIES = 3  # of work whose server was killed under it
MOST_OUTPUT = 20_000_000  # bytes that a notebook and the programs it starts may print and show
# A socket's path holds 103 bytes (macOS; 107 on Linux): the base's, 14 of our folder's name, 18 of its own.
LONGEST_BASE = 103 - 14 - 18
_FILES_A_PROCESS = 8  # that this process may need open for each at work, its own shared among them


# ---- being told to stop: what a signal's handler raises may be swallowed by a finaliser or a callback, so it sets a
# flag; every wait is short and looks

_told = False


def check_stop() -> None:
    """Raise KeyboardInterrupt if this process has been told to stop."""
    if _told:
        raise KeyboardInterrupt


def _note(*_: object) -> None:
    global _told
    _told = True
    if not _at_work:  # the main thread may be waiting for it; while work runs, what that leaves falls to the server
        _end_server()


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """To the end of the block, note SIGINT, SIGTERM and SIGHUP for ``check_stop``. What was ignored from the start
    stays so; outside the main thread nothing is noted."""
    global _told
    ours = threading.current_thread() is threading.main_thread()
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)} if ours else {}
    for number, handler in before.items():
        signal.signal(number, handler if handler is signal.SIG_IGN else _note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _told = _told and not ours


# ---- work


def answers(
    works: Iterable[Work], *, workers: int | None = None, ahead: Sequence[Any] = ((), {})
) -> Iterator[tuple[Any, Any]]:
    """The key of each work and what it answered, or a ``StoppedError``, as they are done; ``workers`` at a time, by
    default one a core that this process may use.

    ``ahead`` are modules and, by folder, tables that the work will need: a hint for a fork server yet to be started.
    Everything that runs is killed when the caller leaves, and when this process is told to stop (KeyboardInterrupt).
    Raises ExecutionError where no process can be started.
    """
    waiting, running, done = deque(works), [], deque()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = files // _FILES_A_PROCESS if files != resource.RLIM_INFINITY else len(waiting)
    try:
        while waiting or running or done:
            while waiting and len(running) < max(1, min(workers or cores or 1, most)):
                work = waiting.popleft()
                work.start(ahead)
                running.append(work)
            while done:  # the next are at work while the caller does something with it
                yield done.popleft()
            wait([work.connection for work in running], timeout=TICK_SECONDS if running else 0)
            check_stop()
            for work in list(running):
                answer = work.answer()
                if answer is _RUNNING:
                    continue
                running.remove(work)
                work.end()
                if answer is _SERVER_GONE:
                    waiting.append(work)
                else:
                    done.append((work.key, answer))
    finally:
        for work in running:
            work.end()


_RUNNING, _SERVER_GONE = object(), object()


@dataclass(kw_only=True)
class Work:
    """``call`` is given the place where it is done and answers anything but a number; both can be pickled. ``key``
    names the work to whoever gave it; ``limit_seconds`` is for all of it."""

    key: Any
    call: Callable[[child.Here], Any]
    limit_seconds: float | None = None
    tries: int = 0

    def start(self, ahead: Sequence[Any]) -> None:
        """Begin it in a new process; the first waits until the server has imported what they need."""
        if self.tries == TRIES:
            lines = ["it left no message", *child.tail(own_folder() / child.LOG).splitlines()]
            raise ExecutionError(f"the fork server ended {TRIES} times: {lines[-1]}; try --jobs 1")
        self.tries += 1
        self.cell: int | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=own_folder()))
        for name in child.WRITTEN:
            (self.folder / name).touch()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([child.__name__])
        self.connection, theirs = context.Pipe(duplex=False)
        arguments = (theirs, self.call, self.folder, child.environment(self.folder))
        self.process = context.Process(target=child.run, args=arguments, name="kbio-report")
        try:
            with _lock:
                self._fork(ahead)
        except (OSError, EOFError):  # the server has died even now, and may not be gone yet
            shutil.rmtree(self.folder, ignore_errors=True)
            time.sleep(TICK_SECONDS)
            self.start(ahead)
        self.deadline = time.monotonic() + (self.limit_seconds or float("inf"))

    def _fork(self, ahead: Sequence[Any]) -> None:
        """With our fixed environment for a server to start with, and without the program that runs us as its own."""
        main, before = sys.modules["__main__"], dict(os.environ)
        sys.modules["__main__"] = type(sys)("__main__")
        wanted = child.environment(own_folder()) | {
            "MPLBACKEND": "agg",
            "PYTHONWARNINGS": "ignore:resource_tracker",  # told in the terminal of what a notebook leaves
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            child.AHEAD: json.dumps([str(own_folder()), *ahead]),
        }
        os.environ.clear()
        os.environ.update(wanted)
        try:
            check_stop()
            self.process.start()
            self.server = _server()
            _at_work.add(self.process.pid)
        finally:
            os.environ.clear()
            os.environ.update(before)
            sys.modules["__main__"] = main

    def answer(self) -> Any:
        """What it answered or how its process ended; _RUNNING if neither, _SERVER_GONE if it was not to blame."""
        dead, answer = self.process.exitcode is not None, _RUNNING  # dead? asked first: what it has sent can be read
        try:
            while self.connection.poll():
                told = self.connection.recv()
                if isinstance(told, int):
                    self.cell = told
                else:
                    answer = told
        except Exception:  # closed, or a cell has written into it
            dead = True
        known = {None: "before the first cell", child.AFTER: "while its page was made"}
        where = known.get(self.cell, f"in cell {self.cell}")
        if sum((self.folder / name).stat().st_size for name in child.WRITTEN) > MOST_OUTPUT:
            reason = f"more than {MOST_OUTPUT // 1_000_000} MB printed or shown {where}; show less"
            return self._ended("failed", "OutputLimit", reason)
        if dead and answer is _RUNNING:
            self.process.join(END_SECONDS)
            code = self.process.exitcode
            if code == 255:  # told by the server, or because there is none: one that was killed takes a moment to go
                time.sleep(TICK_SECONDS)
                if (server := _server()) is None or server != self.server:
                    return _SERVER_GONE
            if code is None or code >= 0:
                return self._ended("killed", "ProcessExit", f"the process ended by itself {where} (exit status {code})")
            name = signal.Signals(-code).name
            hint = ", likely for want of memory" if -code == signal.SIGKILL else ""
            return self._ended("killed", name, f"the process was killed by {name} {where}{hint}")
        if answer is _RUNNING and time.monotonic() >= self.deadline:
            return self._ended("timed_out", "TimeOut", f"not finished after {self.limit_seconds:g} s, {where}")
        return answer

    def _ended(self, status: str, kind: str, reason: str) -> StoppedError:
        cell = None if self.cell == child.AFTER else self.cell
        log = child.written(self.folder)
        return StoppedError(status=status, cell=cell, kind=kind, reason=reason, log=log)

    def end(self) -> None:
        """Kill the process with its session, all below it, and then the orphans that this leaves with the fork server;
        remove its folder."""
        with contextlib.suppress(psutil.Error):
            child.kill(psutil.Process(self.process.pid))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join(END_SECONDS)
        _at_work.discard(self.process.pid)
        limit = time.monotonic() + END_SECONDS
        with contextlib.suppress(psutil.Error):
            while time.monotonic() < limit and (orphans := _orphans()):
                for one in orphans:
                    child.kill(one)
                time.sleep(0.005)
        self.connection.close()
        self.process.close()
        shutil.rmtree(self.folder, ignore_errors=True)


# ---- the fork server of this process, started by the standard library

_lock = threading.RLock()
_at_work: set[int] = set()


def _server() -> psutil.Process | None:
    """The server that the standard library has started for this process, if it lives."""
    with contextlib.suppress(psutil.Error, OSError):
        server = psutil.Process(forkserver._forkserver._forkserver_pid or os.getpid())
        return server if server.ppid() == os.getpid() and server.status() != psutil.STATUS_ZOMBIE else None
    return None


def _orphans() -> list[psutil.Process]:
    """Processes that have fallen to the server because what started them is dead."""
    with _lock:
        return [one for one in server.children() if one.pid not in _at_work] if (server := _server()) else []


def _end_server() -> None:
    if server := _server():
        child.kill(server)


# ---- the private folder of this process for temporary files, short enough for sockets


@cache
def own_folder() -> Path:
    """The folder (mode 0700), made when first asked for. It goes with this process, or with its fork server.

    Raises ExecutionError where no folder of temporary files can be written to.
    """
    for place in (None, "/tmp", "/var/tmp"):
        with contextlib.suppress(OSError):
            base = place or tempfile.gettempdir()
            if len(os.fsencode(base)) <= LONGEST_BASE:
                own = Path(tempfile.mkdtemp(prefix="kbio-", dir=base)).resolve()
                # Where the standard library makes the server's socket; a forked copy of this process leaves it alone.
                multiprocessing.current_process()._config["tempdir"] = str(own)
                util.Finalize(None, shutil.rmtree, args=(own,), kwargs={"ignore_errors": True}, exitpriority=0)
                util.Finalize(None, _end_server, exitpriority=100)
                return own
    raise ExecutionError(f"no folder for temporary files with a path of at most {LONGEST_BASE} bytes; set TMPDIR")
