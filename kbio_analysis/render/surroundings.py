"""What every kernel is given, and the names of the kernels; light enough for a program that starts none itself."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

AUTO_KERNEL = "auto"
OWN_KERNEL = "python3"
WARM_KERNEL = "kbio"

# Keys of the surrounding Jupyter and settings that would make a report depend on who renders it.
_DROPPED_PREFIXES = ("JUPYTER_", "JPY_", "IPYTHON", "PAPERMILL_")
_DROPPED = ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONPATH", "MATPLOTLIBRC", "KBIO_RECORDED")


def common_environment() -> dict[str, str]:
    """Our environment, less what would make a report depend on the machine's user, with one thread a kernel."""
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
    }
    return kept | fixed | _package_path()


def _package_path() -> dict[str, str]:
    """Lets the kernel import this very package also where it is run from a checkout without being installed."""
    parent = str(Path(__file__).resolve().parents[2])
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return {} if parent in installed else {"PYTHONPATH": parent}
