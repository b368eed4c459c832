"""Temporary folders: a private one for this process, and the removal of what killed processes have left.

Whoever owns a folder holds a lock in it, which the system takes back when the owner dies. (A process id would not do:
ids are used again, and mean nothing between containers that share a folder.)
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing import util
from pathlib import Path

from kbio_analysis.errors import ExecutionError

PREFIX = "kbio-"
# A socket's path holds 103 bytes (macOS; 107 on Linux), of which multiprocessing adds 32 to the folder's own 14.
LONGEST_BASE = 103 - 32 - 14

_OWNER = "owner.lock"
_own: tuple[int, Path] | None = None


def own_folder() -> Path:
    """This process's private folder (mode 0700), short enough for sockets, made when first asked for; it goes with us.

    Raises ExecutionError where no folder of temporary files can be written to.
    """
    global _own
    if _own is None or _own[0] != os.getpid() or not _own[1].is_dir():
        for base in _bases():
            if len(os.fsencode(base)) <= LONGEST_BASE and os.path.isdir(base):
                with suppress(OSError):
                    _own = os.getpid(), Path(tempfile.mkdtemp(prefix=PREFIX, dir=base)).resolve()
                    break
        else:
            raise ExecutionError(
                f"no folder for temporary files with a path of at most {LONGEST_BASE} bytes; name one in TMPDIR"
            )
        _held.append(claim(_own[1]))
        # After multiprocessing has removed its own part of it; a forked copy of this process leaves it alone.
        util.Finalize(None, shutil.rmtree, args=(_own[1],), kwargs={"ignore_errors": True}, exitpriority=-200)
    return _own[1]


_held: list[int] = []


def _bases() -> Iterator[str]:
    with suppress(FileNotFoundError):
        yield tempfile.gettempdir()
    yield from ("/tmp", "/var/tmp", os.getcwd())


def claim(folder: Path) -> int:
    """Lock the folder as ours while the returned descriptor is open; programs started from here do not get it."""
    held = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return held


def sweep(places: Iterable[str] = ()) -> list[Path]:
    """Remove what dead kbio processes of this user left in the temporary folders (or ``places``); say what.

    A folder without a lock file is left alone: it may be another program's, or a moment old.
    """
    swept = []
    for place in dict.fromkeys(places or _bases()):
        for folder in Path(place).glob(f"{PREFIX}*"):
            with suppress(OSError):
                if _abandoned(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    swept.append(folder)
    return swept


def _abandoned(folder: Path) -> bool:
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid():
        return False
    held = os.open(folder / _OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(held)
    return True
