"""The private folder of this process for temporary files, short enough for sockets."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import util
from pathlib import Path

from kbio_analysis.errors import ExecutionError

# A socket's path holds 103 bytes (macOS; 107 on Linux), of which multiprocessing adds 32 to the folder's own 14.
LONGEST_BASE = 103 - 32 - 14

_own: tuple[int, Path] | None = None


def own_folder() -> Path:
    """The folder (mode 0700), made when first asked for. It goes with this process; if that is killed, the fork server
    that it has started removes it.

    Raises ExecutionError where no folder of temporary files can be written to.
    """
    global _own
    if _own is None or _own[0] != os.getpid() or not _own[1].is_dir():
        _own = os.getpid(), _made()
        # After multiprocessing has removed its own part of it; a forked copy of this process leaves it alone.
        util.Finalize(None, shutil.rmtree, args=(_own[1],), kwargs={"ignore_errors": True}, exitpriority=-200)
    return _own[1]


def _made() -> Path:
    for base in _bases():
        if len(os.fsencode(base)) <= LONGEST_BASE:
            with suppress(OSError):
                return Path(tempfile.mkdtemp(prefix="kbio-", dir=base)).resolve()
    raise ExecutionError(
        f"no folder for temporary files with a path of at most {LONGEST_BASE} bytes; name one in TMPDIR"
    )


def _bases() -> Iterator[str]:
    with suppress(FileNotFoundError):
        yield tempfile.gettempdir()
    yield from ("/tmp", "/var/tmp", os.getcwd())
