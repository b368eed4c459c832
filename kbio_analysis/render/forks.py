"""Work done in processes of its own, forked from the standard library's fork server (a private socket, no port).

It ends with what the work returned, or with how the process failed to return: it died, ran out of time, or wrote
without end. Then everything it started is killed, also what has left its session or outlived its parent.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
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
from kbio_analysis.render.publish import write_file

TICK_SECONDS = 0.2
END_SECONDS = 4.0
TRIES = 3  # of work whose server was killed under it
MOST_OUTPUT = 20_000_000  # bytes that a notebook and the programs it starts may print and show
# A socket's path holds 103 bytes (macOS; 107 on Linux): the base's, 14 of our folder's name, 18 of its own.
LONGEST_BASE = 103 - 14 - 18


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
    """To the end of the block, note SIGINT, SIGTERM and SIGHUP for ``check_stop``; what was ignored before stays so.
    Outside the main thread nothing can be noted."""
    global _told
    alone = threading.current_thread() is threading.main_thread()
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if alone}
    for number, handler in before.items():
        signal.signal(number, handler if handler is signal.SIG_IGN else _note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _told = _told and not alone


# ---- work


def answers(
    works: Iterable[Work], *, workers: int | None = None, ahead: Sequence[Any] = ((), {}, ("", "", ""))
) -> Iterator[tuple[Any, Any]]:
    """The key of each work and what it answered, or a ``StoppedError``, as they are done; ``workers`` at a time, by
    default one a core that this process may use.

    ``ahead`` are modules, by folder tables, and a notebook that the work needs: for a fork server that has none yet.
    Everything that runs is killed when the caller leaves, and when this process is told to stop (KeyboardInterrupt).
    Raises ExecutionError where no process can be started.
    """
    waiting, running, done = deque(works), [], deque()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    write_file(own_folder() / child.AHEAD, json.dumps(ahead).encode())
    try:
        while waiting or running or done:
            while waiting and len(running) - len(done) < (workers or cores or 1):
                work = waiting.popleft()
                work.start()
                running.append(work)
            while done:  # the next are at work while it is ended, and the caller does something with it
                work, answer = done.popleft()
                work.end()
                running.remove(work)
                yield work.key, answer
            wait([work.connection for work in running], timeout=TICK_SECONDS if running else 0)
            check_stop()
            for work in [*running]:
                if (answer := work.answer()) is work:
                    work.end()
                    running.remove(work)
                    waiting.append(work)
                elif answer is not None:
                    done.append((work, answer))
    finally:
        for work in running:
            work.end()


def begin() -> None:
    """Start the fork server unless it runs; on Linux what it leaves, should it be killed, falls to this process."""
    child.adopt_orphans()
    with _lock, _as_the_server_wants():
        forkserver.ensure_running()


@contextlib.contextmanager
def _as_the_server_wants() -> Iterator[None]:
    """Our fixed environment for a server to start with, and not the program that runs us as its own."""
    multiprocessing.set_forkserver_preload([child.__name__])
    main, before = sys.modules["__main__"], dict(os.environ)
    sys.modules["__main__"] = type(sys)("__main__")
    wanted = child.environment(own_folder()) | {
        "MPLBACKEND": "agg",
        "PYTHONWARNINGS": "ignore:resource_tracker",  # told in the terminal of what a notebook leaves
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        child.SERVER: f"{os.getpid()} {own_folder()}",
    }
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.modules["__main__"] = main


@dataclass(kw_only=True)
class Work:
    """``call`` is given the place where it is done and answers anything but None; both can be pickled.
    ``key`` names the work to whoever gave it; ``limit_seconds`` is for all of it."""

    key: Any
    call: Callable[[child.Here], Any]
    limit_seconds: float | None = None
    tries: int = 0

    def start(self) -> None:
        """Begin it in a new process; the first waits until the server has imported what they need."""
        self.tries += 1
        own = own_folder()
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=own))
            for name in child.WRITTEN:
                (self.folder / name).touch()
            with _lock:
                self._fork()
        except (OSError, EOFError) as problem:  # the server has died even now, and may not be gone yet
            if self.tries >= TRIES:
                last = [str(problem), *child.tail(own, child.LOG).splitlines()][-1]
                raise ExecutionError(f"no process can be started ({last}); try --jobs 1") from problem
            time.sleep(TICK_SECONDS)
            self.start()
        self.began = time.monotonic()

    def _fork(self) -> None:
        context = multiprocessing.get_context("forkserver")
        self.connection, theirs = context.Pipe(duplex=False)
        arguments = (theirs, self.call, self.folder, child.environment(self.folder))
        self.process = context.Process(target=child.run, args=arguments, name="kbio-report")
        with _as_the_server_wants():
            check_stop()
            self.process.start()
            _at_work.add(self.process.pid)
            self.server = _server()

    def answer(self) -> Any:
        """What it answered or how its process ended; None if neither yet, the work itself if its server was killed."""
        dead, answer = self.process.exitcode is not None, None  # dead? asked first: what it has sent can be read
        try:
            answer = self.connection.recv() if self.connection.poll() else None
        except Exception:  # closed, or a cell has written into it
            dead = True
        written = 0
        with contextlib.suppress(OSError):  # a cell may have taken them away
            written = sum((self.folder / name).stat().st_size for name in child.WRITTEN)
        if written > MOST_OUTPUT:
            what = f"more than {MOST_OUTPUT // 1_000_000} MB printed or shown"
            answer = self._ended("failed", "OutputLimit", what, "; show less")
        elif dead and answer is None:
            self.process.join(END_SECONDS)
            code = self.process.exitcode
            if code == 255 and self.tries < TRIES:  # which the standard library says where there is no server to ask
                time.sleep(TICK_SECONDS)  # one that was killed takes a moment to go
                if not (server := _server()) or server != self.server:
                    return self
            if code is not None and code < 0:
                name = signal.Signals(-code).name
                likely = ", likely for want of memory" * (name == "SIGKILL")
                answer = self._ended("killed", name, f"the process was killed by {name}", likely)
            else:
                answer = self._ended("killed", "ProcessExit", "the process ended by itself", f" (exit status {code})")
        elif answer is None and self.limit_seconds and time.monotonic() - self.began >= self.limit_seconds:
            answer = self._ended("timed_out", "TimeOut", f"not finished after {self.limit_seconds:g} s,")
        if isinstance(answer, StoppedError):
            answer.seconds = round(time.monotonic() - self.began, 3)
        return answer

    def _ended(self, status: str, kind: str, what: str, then: str = "") -> StoppedError:
        cell = 0
        with contextlib.suppress(OSError, ValueError):
            cell = int((self.folder / child.CELLS).read_text().split("\n")[-2:][0])
        where = {0: "before the first cell", child.AFTER: "while its page was made"}.get(cell, f"in cell {cell}")
        log = child.tail(self.folder, child.PRINTED, child.OUTPUT)
        about = {"status": status, "cell": cell if cell > 0 else None, "kind": kind}
        return StoppedError(reason=f"{what} {where}{then}", log=log, **about)

    def end(self) -> None:
        """Kill the process with all below it, and then the orphans that this leaves with the fork server; remove its
        folder."""
        child.kill(self.process.pid)
        self.process.join(END_SECONDS)
        _at_work.discard(self.process.pid)
        child.clear(_orphans, END_SECONDS)
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
    """Processes that have fallen to the server because what started them is dead, or to this process with a server."""
    found = []
    with _lock, contextlib.suppress(psutil.Error, OSError):
        if server := _server():
            found += [one for one in server.children() if one.pid not in _at_work]
        for one in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                found += [one] * one.environ().get("TMPDIR", "").startswith(str(own_folder() / "run-"))
    return found


def _end_server() -> None:
    if server := _server():
        child.kill(server.pid)


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
