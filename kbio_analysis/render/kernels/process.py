"""A kernel forked elsewhere, seen from the client: it looks like a ``subprocess.Popen``."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading

from kbio_analysis.render.kernels import wire


class WarmProcess:
    """A kernel forked by the server, with what jupyter_client uses of ``subprocess.Popen``.

    It lives as long as this object's connection: when the client dies or drops it, the server kills the kernel.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, connection: socket.socket, returncode: int | None = None) -> None:
        self.pid = pid
        self.returncode = returncode
        self._connection = connection
        self._lock = threading.Lock()
        self._news = select.poll()
        self._news.register(connection, select.POLLIN)

    def poll(self) -> int | None:
        """The exit code, negative for a signal as in ``Popen``, or None while the kernel runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises subprocess.TimeoutExpired after ``timeout`` seconds."""
        code = self._look(None if timeout is None else timeout * 1000)
        if code is None:
            raise subprocess.TimeoutExpired("kernel", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Signal the kernel and whatever it has started; nothing happens once it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Ask the kernel to end (SIGTERM)."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the kernel (SIGKILL)."""
        self.send_signal(signal.SIGKILL)

    def let_go(self) -> None:
        """In a forked copy of the client: drop the line, so that the kernel still ends with the client itself."""
        self._connection.close()
        self.returncode = 0

    def _look(self, milliseconds: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and self._news.poll(milliseconds):
                try:
                    notice, _ = wire.receive(self._connection)
                    self.returncode = notice["exit"]
                except (EOFError, OSError):  # the server died, and the kernel is killed with it
                    self.returncode = -signal.SIGKILL
                self._connection.close()
            return self.returncode
