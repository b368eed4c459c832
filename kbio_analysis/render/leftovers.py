"""Private folders that a killed process could not remove: who owns one holds a lock in it, and dies with the lock.

A lock, not a process id: ids are used again, and mean nothing between containers that share a folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "kbio-"
_OWNER = "owner.lock"


def claim(folder: Path) -> int:
    """Lock the folder as ours while the returned descriptor is open; programs started from here do not get it."""
    held = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return held


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """As ``claim``, to the end of the block."""
    held = claim(folder)
    try:
        yield
    finally:
        os.close(held)


def sweep(places: tuple[str, ...] = ()) -> list[Path]:
    """Remove what dead kbio processes of this user left in the temporary folders (or ``places``); say what.

    A folder without a lock file is left alone: it may be another program's, or a moment old.
    """
    swept = []
    for place in dict.fromkeys(places or (tempfile.gettempdir(), "/tmp")):
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
