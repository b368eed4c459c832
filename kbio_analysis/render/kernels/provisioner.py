"""The jupyter_client provisioner ``kbio-warm``: a kernel from the fork server, or the ordinary one, which it says."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import sys
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Bool, Float

from kbio_analysis.render.kernels.client import START_SECONDS, ColdStartError, launch, short_directory
from kbio_analysis.render.kernels.fingerprint import kernel_environment

_LAUNCHERS = ("kbio_analysis.render.kernel_main", "ipykernel_launcher")  # a fork stands in for either
_LOG = logging.getLogger(__name__)
_said: set[str] = set()


class WarmProvisioner(LocalProvisioner):
    """Starts kernels by forking a process that has imported the notebook stack already.

    After a start, ``warm`` tells which kind of kernel it is and ``cold_reason`` why it is an ordinary one; after the
    end, ``returncode`` is the exit code, negative for a signal. Both kinds get one BLAS thread, hash seed 0 and,
    unless ``ipc`` is off, unix sockets in a private folder instead of TCP ports.
    """

    ipc = Bool(True, help="Talk to the kernel over unix sockets in a private folder.").tag(config=True)
    start_timeout = Float(START_SECONDS, help="Seconds to wait for the fork server.").tag(config=True)

    warm: bool | None = None
    cold_reason: str | None = None
    returncode: int | None = None
    _chose_sockets = False
    _socket_directory: str | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare the start: private sockets and the pinned environment."""
        if self.ipc and os.name == "posix":
            self._use_sockets()
        kwargs["env"] = kernel_environment(kwargs.get("env", os.environ))
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel; where that cannot be, run ``cmd`` as the local provisioner does and warn once."""
        self.returncode = self.cold_reason = None
        try:
            self.process = await asyncio.to_thread(self._fork, cmd, dict(kwargs))
        except ColdStartError as error:
            self.warm, self.cold_reason = False, str(error)
            if self.cold_reason not in _said:
                _said.add(self.cold_reason)
                _LOG.warning("Using the ordinary kernel, which starts slower: %s.", self.cold_reason)
            return await super().launch_kernel(cmd, **kwargs)
        self.warm = True
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs.get("cwd") or os.getcwd()
        return self.connection_info

    async def poll(self) -> int | None:
        """None while the kernel runs, else its exit code (kept in ``returncode``)."""
        if self.process is None:
            return self.returncode or 0
        code = await super().poll()
        if code is not None:
            self.returncode = code
        return code

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group."""
        if self.warm and self.process is not None:
            self.process.send_signal(signum)
        else:
            await super().send_signal(signum)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of the sockets, unless the kernel is to start again on the same ones."""
        await super().cleanup(restart)
        if self._socket_directory is not None and not restart:
            shutil.rmtree(self._socket_directory, ignore_errors=True)
            self._socket_directory = None

    async def get_provisioner_info(self) -> dict:
        """As the local provisioner, with ``warm``, ``cold_reason`` and ``returncode``."""
        info = await super().get_provisioner_info()
        return {**info, "warm": self.warm, "cold_reason": self.cold_reason, "returncode": self.returncode}

    def _use_sockets(self) -> None:
        manager = self.parent
        if manager is not None and manager.transport == "tcp" and not manager.shell_port:
            self._chose_sockets = True
            manager.transport = "ipc"
            manager.cache_ports = False
        if self._chose_sockets and self._socket_directory is None:  # a first start, or one after a clean-up
            self._socket_directory = short_directory(shared=True)
            manager.ip = os.path.join(self._socket_directory, "k")

    def _fork(self, cmd: list[str], options: dict[str, Any]):
        """Translate the arguments of ``Popen`` into an order; raises ColdStartError for what a fork cannot honour."""
        if cmd[:2] != [sys.executable, "-m"] or cmd[2] not in _LAUNCHERS:
            raise ColdStartError(f"the kernel's command is not this Python's -m {_LAUNCHERS[0]}")
        env, cwd = options.pop("env"), options.pop("cwd", None) or os.getcwd()
        descriptors = [
            _descriptor(options.pop(name, None), standard) for name, standard in (("stdout", 1), ("stderr", 2))
        ]
        for name in ("kernel_id", "kernel_name", "extra_arguments"):
            options.pop(name, None)
        unknown = [name for name, value in options.items() if value not in (None, False)]
        if unknown:
            raise ColdStartError(f"a forked kernel does not know the option {', '.join(unknown)}")
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            files = [null if descriptor == subprocess.DEVNULL else descriptor for descriptor in descriptors]
            return launch(cmd[3:], env=env, cwd=os.fspath(cwd), descriptors=files, timeout=self.start_timeout)
        finally:
            os.close(null)


def _descriptor(target: Any, standard: int) -> int:
    if target is None:
        return standard
    if target in (subprocess.PIPE, subprocess.STDOUT):
        raise ColdStartError("a forked kernel's output cannot go to a pipe of its starter")
    return target if isinstance(target, int) else target.fileno()
