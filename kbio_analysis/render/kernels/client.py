"""Finding, starting and using a fork server: what the provisioner needs, with no knowledge of Jupyter."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbio_analysis.errors import KbioError
from kbio_analysis.render.kernels import wire
from kbio_analysis.render.kernels.fingerprint import PACKAGE, fingerprint, kernel_environment
from kbio_analysis.render.kernels.preload import PRELOAD
from kbio_analysis.render.kernels.process import WarmProcess

ADDRESS_VARIABLE = "KBIO_FORK_SERVER"
START_SECONDS = 60.0
STOP_SECONDS = 5.0
# Arrow's allocator starts a thread at import unless told not to, and the server must not have one.
_SERVER_VARIABLES = {"MPLBACKEND": "agg", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
_LONGEST_DIRECTORY = 60  # a unix socket's path ends at about 100 characters


@dataclass(frozen=True, slots=True)
class Ahead:
    """Tables that a server reads before it forks, and the folder of their data package."""

    folder: str
    tables: tuple[str, ...]


class ColdStartError(KbioError):
    """No warm kernel can be had; the message says why. The ordinary kernel does the work."""


class _OutOfDateError(Exception):
    """The server was built from other code, or is gone: another may serve."""


class _GoneError(_OutOfDateError):
    """The server broke off or was not there."""


class ForkServer:
    """The owner's handle on a fork server; the server ends with :meth:`stop` or with the owner's process."""

    def __init__(self, process: subprocess.Popen, directory: str, mark: str) -> None:
        self.process = process
        self.directory = directory
        self.fingerprint = mark
        self.proven = False  # whether it has forked a kernel yet
        self._owner = os.getpid()
        _lines.add(self)

    @classmethod
    def start(
        cls, env: Mapping[str, str] | None = None, preload: Sequence[str] | None = None, ahead: Ahead | None = None
    ) -> ForkServer:
        """Start a server for kernels with the environment ``env`` (default: this process's own) that
        has imported ``preload`` (default: the notebook stack) and read the tables ``ahead``.

        Returns at once: requests queue up while the server imports. Raises ColdStartError where it cannot be.
        """
        if not (hasattr(os, "fork") and hasattr(socket, "send_fds")):
            raise ColdStartError("this system cannot fork processes")
        env = kernel_environment(os.environ if env is None else env)
        mark = fingerprint(env)
        directory = short_directory()
        with socket.socket(socket.AF_UNIX) as listener, open(_log(directory), "w") as log:
            listener.bind(_address(directory))
            listener.listen(128)
            options = ["--listener", str(listener.fileno()), "--fingerprint", mark, "--directory", directory]
            tables = ["--data", ahead.folder, "--tables", *ahead.tables] if ahead else []
            process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.server", *options, "--preload", *(preload or PRELOAD), *tables],
                stdin=subprocess.PIPE,  # nothing is ever written: its closing tells that the owner is gone
                stdout=log,
                stderr=log,
                env={**env, **_SERVER_VARIABLES},
                cwd=PACKAGE.parent,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        return cls(process, directory, mark)

    @property
    def address(self) -> str:
        """Path of the server's socket."""
        return _address(self.directory)

    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self.process.poll() is None

    def last_words(self) -> str:
        """How a server that broke off ended: its exit code and the last line it wrote."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        log = _log(self.directory)
        lines = log.read_text(errors="replace").split("\n") if log.exists() else []
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it left no message")
        return f"the fork server ended with {self.process.returncode}: {last}"

    def retire(self) -> None:
        """Take no more requests; the server ends with its last kernel."""
        with contextlib.suppress(OSError, EOFError), _connect(self.address, STOP_SECONDS) as connection:
            wire.send(connection, {"retire": True})
            wire.receive(connection)

    def stop(self) -> None:
        """End the server and every kernel it has forked (nothing happens in a forked copy of the owner)."""
        if self._owner != os.getpid():
            return
        self.process.stdin.close()
        self.process.terminate()  # one that is still importing does not watch its input yet
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def let_go(self) -> None:
        """In a forked copy of the owner: drop the line, so that the server still ends with the owner itself."""
        self.process.stdin.close()


@contextlib.contextmanager
def shared_server(
    preload: Sequence[str] | None = None, env: Mapping[str, str] | None = None, ahead: Ahead | None = None
) -> Iterator[ForkServer | None]:
    """One fork server for this process and every worker it starts inside the ``with`` block.

    ``env`` is the environment the kernels will be given (default: this process's own): a server serves only kernels
    whose interpreter would start with the same variables. Workers find it through the environment variable
    ``KBIO_FORK_SERVER``. Entering does not wait for the imports, nor for the tables read ``ahead``.
    Yields None where processes cannot be forked; kernels are then ordinary ones.
    """
    try:
        server = ForkServer.start(env, preload, ahead)
    except ColdStartError:
        yield None
        return
    before = os.environ.get(ADDRESS_VARIABLE)
    os.environ[ADDRESS_VARIABLE] = server.address
    try:
        yield server
    finally:
        del os.environ[ADDRESS_VARIABLE]
        if before is not None:
            os.environ[ADDRESS_VARIABLE] = before
        server.stop()


def launch(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str,
    descriptors: Sequence[int],
    timeout: float = START_SECONDS,
) -> WarmProcess:
    """Fork a kernel: from the shared server if there is one and it is up to date, else from this process's own.

    ``arguments`` are those of :mod:`kbio_analysis.render.kernel_main`, ``env`` comes from
    :func:`~.fingerprint.kernel_environment`, ``descriptors`` are standard output and error. Blocks until the kernel
    exists. Raises ColdStartError when it cannot be had within ``timeout`` seconds, FileNotFoundError without ``cwd``.
    """
    order = {"fingerprint": fingerprint(env), "arguments": list(arguments), "env": dict(env), "cwd": cwd}
    shared = os.environ.get(ADDRESS_VARIABLE)
    if shared:
        with contextlib.suppress(_OutOfDateError):
            return _request(shared, order, descriptors, timeout)
    server = _household.server_for(env, order["fingerprint"])
    try:
        process = _request(server.address, order, descriptors, timeout)
    except (_OutOfDateError, ColdStartError) as error:
        reason = server.last_words() if isinstance(error, _GoneError) else str(error)
        if not server.proven:
            _household.give_up(order["fingerprint"], reason)
        raise ColdStartError(reason) from None
    server.proven = True
    return process


def short_directory(shared: bool = False) -> str:
    """A new private folder with a path short enough for sockets; inside the shared server's, if there is one."""
    server = os.environ.get(ADDRESS_VARIABLE, "") if shared else ""
    parent = os.path.dirname(server) if os.path.exists(server) else tempfile.gettempdir()
    return tempfile.mkdtemp(prefix="kbio-", dir=parent if len(parent) < _LONGEST_DIRECTORY else "/tmp")


def _request(address: str, order: dict, descriptors: Sequence[int], timeout: float) -> WarmProcess:
    with contextlib.ExitStack() as undo:
        try:
            connection = undo.enter_context(_connect(address, timeout))
            wire.send(connection, order, descriptors)
            answer, _ = wire.receive(connection)
        except TimeoutError:
            raise ColdStartError(f"the fork server did not answer within {timeout:g} s") from None
        except (OSError, EOFError) as error:
            raise _GoneError(f"the fork server is gone: {error}") from error
        if "failed" in answer:
            raise FileNotFoundError(answer["failed"])
        if "refused" in answer:
            raise ColdStartError(answer["refused"])
        if "stale" in answer:
            raise _OutOfDateError("the code or the environment changed")
        undo.pop_all()
    process = WarmProcess(answer["pid"], connection, answer.get("exit"))
    _lines.add(process)
    return process


def _connect(address: str, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _address(directory: str) -> str:
    return os.path.join(directory, "s")


def _log(directory: str) -> Path:
    return Path(directory, "log")


class _Household:
    """The servers this process started for itself: one in service, retired ones until their last kernel is done."""

    def __init__(self) -> None:
        self.empty()

    def empty(self) -> None:
        self.lock = threading.Lock()
        self.server: ForkServer | None = None
        self.retired: list[ForkServer] = []
        self.given_up: dict[str, str] = {}

    def server_for(self, env: Mapping[str, str], mark: str) -> ForkServer:
        with self.lock:
            if mark in self.given_up:
                raise ColdStartError(self.given_up[mark])
            if self.server is not None and (self.server.fingerprint != mark or not self.server.running()):
                self.server.retire()
                self.retired.append(self.server)
                self.server = None
            for server in [server for server in self.retired if not server.running()]:
                server.stop()
                self.retired.remove(server)
            if self.server is None:
                self.server = ForkServer.start(env)
            return self.server

    def give_up(self, mark: str, reason: str) -> None:
        """Do not try again with the same code and environment: it would fail, slowly, for every kernel."""
        with self.lock:
            self.given_up[mark] = reason

    def close(self) -> None:
        for server in filter(None, (self.server, *self.retired)):
            server.stop()
        self.empty()


def _let_go() -> None:
    """In a forked copy of a client: drop its lines, which would keep servers and kernels alive after its death."""
    for line in list(_lines):
        line.let_go()
    _household.empty()


_lines: weakref.WeakSet[ForkServer | WarmProcess] = weakref.WeakSet()
_household = _Household()
atexit.register(_household.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
