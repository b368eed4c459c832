"""Where a kernel lives: a private folder for its sockets, a clean environment, and the interpreter that runs us."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from kbio_analysis.errors import UsageError

OWN_KERNEL = "python3"
WARM_KERNEL = "kbio"

# The path of a Unix socket is limited to 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 103

# Keys of the surrounding Jupyter and settings that would make a report depend on who renders it.
_DROPPED_PREFIXES = ("JUPYTER_", "JPY_", "IPYTHON", "PAPERMILL_")
_DROPPED = ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONPATH", "MATPLOTLIBRC")


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


@contextmanager
def room() -> Iterator[Room]:
    """A new private folder, removed afterwards with all that is in it."""
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) + len("/kbio-xxxxxxxx/k-1") > LONGEST_SOCKET_PATH:
        base = "/tmp"
    path = Path(tempfile.mkdtemp(prefix="kbio-", dir=base)).resolve()
    try:
        place = Room(path)
        place.work.mkdir()
        yield place
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment(place: Room, extra: Mapping[str, str]) -> dict[str, str]:
    """The kernel's environment: ours, less what would make a report depend on the machine's user, plus ``extra``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    }
    fixed = {
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TZ": "UTC",
        # Charts reach the page as kbio outputs; the inline backend would add every open figure a second time.
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "IPYTHONDIR": str(place.path / "ipython"),
    }
    return kept | fixed | _package_path() | dict(extra)


def _package_path() -> dict[str, str]:
    """Lets the kernel import this very package also where it is run from a checkout without being installed."""
    parent = str(Path(__file__).resolve().parents[2])
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return {} if parent in installed else {"PYTHONPATH": parent}


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
