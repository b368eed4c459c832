"""Where a kernel lives: a private folder for its sockets, a clean environment, and the interpreter that runs us."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from kbio_analysis.data.notebook_records import BUNDLE
from kbio_analysis.errors import UsageError
from kbio_analysis.render.leftovers import PREFIX, claimed
from kbio_analysis.render.surroundings import OWN_KERNEL, WARM_KERNEL, common_environment

# The path of a Unix socket is limited to 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 103


@dataclass(frozen=True, slots=True)
class Room:
    """A kernel's private folder (mode 0700): connection file and sockets, working folder, what it wrote to its tty."""

    path: Path

    @property
    def connection_file(self) -> Path:
        return self.path / "k.json"

    @property
    def sockets(self) -> str:
        """Beginning of every socket's path; jupyter_client appends -1 to -5."""
        return str(self.path / "k")

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def output(self) -> Path:
        return self.path / "output.txt"

    def put(self, recorded: bytes) -> dict[str, str]:
        """Lay the bundle of other notebooks' records here; returns the variable that names it."""
        bundle = self.path / "recorded.json"
        bundle.write_bytes(recorded)
        return {BUNDLE: str(bundle)}


@contextmanager
def room() -> Iterator[Room]:
    """A new private folder, removed afterwards with all that is in it."""
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) + len("/kbio-xxxxxxxx/k-1") > LONGEST_SOCKET_PATH:
        base = "/tmp"
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base)).resolve()
    try:
        place = Room(path)
        place.work.mkdir()
        with claimed(path):
            yield place
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment(place: Room, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of the kernel in ``place``: the common one, its own folder, plus ``extra``."""
    return common_environment() | {"IPYTHONDIR": str(place.path / "ipython")} | dict(extra)


class OwnKernelSpecs(KernelSpecManager):
    """``python3`` is the interpreter that runs us and ``kbio`` our own warm kernel, whatever kernelspecs of these
    names lie about; others as installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        if kernel_name == OWN_KERNEL:
            command = [sys.executable, "-m", "kbio_analysis.render.kernel_main", "-f", "{connection_file}"]
            # A history would be a database and a thread for nothing.
            command.append("--HistoryManager.enabled=False")
            return KernelSpec(argv=command, display_name="Python 3", language="python")
        if kernel_name == WARM_KERNEL:
            return KernelSpec.from_resource_dir(str(Path(__file__).parent / "kernels" / "kernelspec"))
        return super().get_kernel_spec(kernel_name)


def cpu_seconds(process_id: int) -> float:
    """Processor time a kernel has used so far; 0 if it is gone."""
    try:
        times = psutil.Process(process_id).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def manager(place: Room, kernel_name: str, log: object) -> AsyncKernelManager:
    """A kernel manager that speaks over Unix sockets in the private folder: no port is opened.

    Raises UsageError when there is no such kernel.
    """
    specs = OwnKernelSpecs()
    try:
        specs.get_kernel_spec(kernel_name)
    except NoSuchKernel:
        raise UsageError(f"no kernel {kernel_name!r}; leave --kernel out to use this Python itself") from None
    return AsyncKernelManager(
        kernel_name=kernel_name,
        kernel_spec_manager=specs,
        transport="ipc",
        ip=place.sockets,
        connection_file=str(place.connection_file),
        log=log,
    )
