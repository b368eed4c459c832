"""The fork server: one single-threaded process that imports the notebook stack once and forks kernels from it.

It never starts a thread or an event loop and refuses to fork if a library has. Each kernel has one connection,
from the request that starts it to the notice of its exit: when the client's end closes, the kernel is killed; when
the owner of the server goes (the other end of standard input closes, or the parent process changes), the server
kills every kernel and leaves.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from kbio_analysis.data.tables import read_ahead
from kbio_analysis.render.kernels import wire
from kbio_analysis.render.kernels.child import become_kernel
from kbio_analysis.render.leftovers import claim

REQUEST_SECONDS = 5.0
OWNER_CHECK_SECONDS = 1.0
_BLOCKED = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """What a new child needs to become a kernel: the order, the line to the client, its stdout and stderr."""

    order: dict
    connection: socket.socket
    descriptors: list[int]


def fork_hazard() -> str | None:
    """Why forking would be unsafe now (a sentence), or None: a second thread may hold a lock for ever in a child."""
    if threading.active_count() != 1:
        names = ", ".join(thread.name for thread in threading.enumerate())
        return f"the fork server runs more than one Python thread ({names})"
    if sys.platform == "linux":
        tasks = [Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in os.listdir("/proc/self/task")]
    else:
        psutil = importlib.import_module("psutil")
        tasks = [str(thread.id) for thread in psutil.Process().threads()]
    if len(tasks) != 1:
        return f"a library started threads in the fork server ({', '.join(tasks)})"
    return None


def preload(names: list[str]) -> dict[str, str]:
    """Import the modules named; ``package.*`` stands for a package and every module in it.

    One that cannot be imported is left out: a notebook that wants it reports the same error in its cell.
    Returns the environment variables that libraries have set in passing.
    """
    before = dict(os.environ)
    for name in names:
        try:
            module = importlib.import_module(name.removesuffix(".*"))
            inner = pkgutil.walk_packages(module.__path__, f"{module.__name__}.") if name.endswith(".*") else ()
            for found in inner:
                importlib.import_module(found.name)
        except ImportError as error:
            print(f"not preloaded: {name} ({error})", file=sys.stderr, flush=True)
    return dict(os.environ.items() - before.items())


class Server:
    """Accepts requests on ``listener`` and keeps the books on the kernels it has forked."""

    def __init__(self, listener: socket.socket, fingerprint: str) -> None:
        self.listener: socket.socket | None = listener
        self.fingerprint = fingerprint
        self.kernels: dict[int, socket.socket | None] = {}  # None: abandoned, not yet reaped
        self.owner = os.getppid()
        self.stopping = False
        self.selector = selectors.PollSelector()
        self.bell, self.button = socket.socketpair()

    def run(self) -> Birth | None:
        """Serve until the owner is gone (returns None). In a forked child, return at once with its birth note."""
        self._listen_to_signals()
        self.selector.register(0, selectors.EVENT_READ, self._owner_left)
        self.selector.register(self.bell, selectors.EVENT_READ, self._signalled)
        self.selector.register(self.listener, selectors.EVENT_READ, self._answer)
        while not self.stopping and (self.listener is not None or self.kernels):
            for key, _ in self.selector.select(OWNER_CHECK_SECONDS):
                born = key.data()
                if born is not None:
                    return born
            self.stopping = self.stopping or os.getppid() != self.owner
        self._kill_all()
        return None

    def _listen_to_signals(self) -> None:
        self.bell.setblocking(False)
        self.button.setblocking(False)
        signal.set_wakeup_fd(self.button.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._owner_left())
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _owner_left(self) -> None:
        self.stopping = True

    def _signalled(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self.bell.recv(4096):
                pass
        for pid in list(self.kernels):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._report(pid, os.waitstatus_to_exitcode(status))

    def _report(self, pid: int, code: int) -> None:
        connection = self.kernels.pop(pid)
        if connection is not None:
            self.selector.unregister(connection)
            with contextlib.suppress(OSError):
                wire.send(connection, {"exit": code, "pid": pid})
            connection.close()

    def _answer(self) -> Birth | None:
        connection, _ = self.listener.accept()
        connection.settimeout(REQUEST_SECONDS)
        descriptors: list[int] = []
        try:
            order, descriptors = wire.receive(connection, 2)
            refusal = self._refusal(order)
            if refusal is None:
                return self._fork(Birth(order=order, connection=connection, descriptors=descriptors))
            wire.send(connection, refusal)
        except (OSError, EOFError, ValueError) as error:
            print(f"request dropped: {error}", file=sys.stderr, flush=True)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.close()
        return None

    def _refusal(self, order: dict) -> dict | None:
        if order.get("retire"):
            self.selector.unregister(self.listener)
            self.listener.close()
            self.listener = None
            return {"retired": True}
        if order["fingerprint"] != self.fingerprint:
            return {"stale": True}
        hazard = fork_hazard()
        return {"refused": hazard} if hazard else None

    def _fork(self, birth: Birth) -> Birth | None:
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)  # the child unblocks when its own handlers are in place
        pid = os.fork()
        if pid == 0:
            self._let_go(birth.connection)
            return birth
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
        for descriptor in birth.descriptors:
            os.close(descriptor)
        self.kernels[pid] = birth.connection
        self.selector.register(birth.connection, selectors.EVENT_READ, lambda: self._abandon(pid))
        return None

    def _let_go(self, own: socket.socket) -> None:
        """In the child: forget the server's sockets, lest a dying object closes a number used anew."""
        signal.set_wakeup_fd(-1)
        for inherited in [self.bell, self.button, self.listener, *self.kernels.values()]:
            if inherited is not own and inherited is not None:
                os.close(inherited.detach())
        self.kernels.clear()

    def _abandon(self, pid: int) -> None:
        """The client hung up (or broke the rules by talking): nobody owns this kernel any more."""
        connection = self.kernels.get(pid)
        if connection is not None:
            self.selector.unregister(connection)
            connection.close()
            self.kernels[pid] = None
            _kill(pid)

    def _kill_all(self) -> None:
        for pid in self.kernels:
            _kill(pid)
        for pid in list(self.kernels):
            os.waitpid(pid, 0)


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # a child not yet leader of its group is killed by itself
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def main() -> None:
    """Serve on an inherited listening socket until the owner leaves; a forked child goes on as a kernel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--fingerprint", required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--preload", nargs="*", default=[])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tables", nargs="*", default=[])
    options = parser.parse_args()
    claim(Path(options.directory))  # held to the end of this process; a kernel closes its copy
    del sys.path[0]  # the folder kbio was started from; a kernel adds its own
    listener = socket.socket(fileno=options.listener)
    by_libraries = preload(options.preload)
    if options.data is not None:
        read_ahead(options.data, options.tables)
    gc.collect()
    gc.freeze()  # the collector would write to every object's header and so copy the pages shared with children
    birth = Server(listener, options.fingerprint).run()
    if birth is not None:
        become_kernel(birth.order, birth.connection, birth.descriptors, by_libraries)
    shutil.rmtree(options.directory, ignore_errors=True)


if __name__ == "__main__":
    main()
