"""What a warm process was built from, in one string: when it changes, the process is out of date."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path

# One thread a kernel: reports run side by side, and sums come out in the same order on every machine.
# The hash seed is fixed because a fork inherits it; the ordinary kernel gets the same for the same results.
PINNED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
HASH_SEED = "PYTHONHASHSEED"
PACKAGE = Path(__file__).resolve().parents[2]
_INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".pth")


def kernel_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment a kernel gets, warm or not: ``env`` with one BLAS thread and, unless set, hash seed 0."""
    pinned = {**env, **PINNED}
    pinned.setdefault(HASH_SEED, "0")
    pinned.pop("PYTHONEXECUTABLE", None)
    return pinned


def fingerprint(env: Mapping[str, str]) -> str:
    """Hash of the interpreter, the variables it reads at start, the installed packages and the code of kbio.

    Packages count by name and time of installation, modules by size and time of change: looking costs a few
    milliseconds, and a touched file merely costs a restart.
    """
    parts = [
        [sys.executable, sys.version],
        sorted((name, value) for name, value in env.items() if name.startswith("PYTHON")),
        sorted(_installed()),
        sorted(_modules(str(PACKAGE))),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _installed() -> Iterator[tuple[str, int]]:
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_INSTALLED):
                    yield entry.path, entry.stat().st_mtime_ns


def _modules(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _modules(entry.path)
            elif entry.name.endswith(".py"):
                status = entry.stat()
                yield entry.path, status.st_mtime_ns, status.st_size
