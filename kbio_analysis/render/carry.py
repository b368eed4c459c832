"""What a job needs besides the package, taken along to another machine: the tables, as bytes.

A worker elsewhere shares no disk with the caller. The folder of tables is packed once a run, and unpacked once by each
worker process into a private folder that goes when the process ends; what a killed one left is swept by the next.
Nothing runs on a worker with other code.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import socket
import tempfile
import weakref
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TypeVar

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.job import Job
from kbio_analysis.render.leftovers import PREFIX, claim, sweep
from kbio_analysis.render.provenance import package_hash

_Done = TypeVar("_Done")

# The earliest date a zip file can hold: the same tables give the same bytes.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Packed:
    """A folder's files as one compressed archive, and the hash that names it."""

    sha256: str
    content: bytes = field(repr=False)


def pack(folder: Path) -> Packed:
    """Every file below a folder, but hidden ones."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                file.writestr(zipfile.ZipInfo(name.as_posix(), _NO_DATE), path.read_bytes(), zipfile.ZIP_DEFLATED)
    content = archive.getvalue()
    return Packed(hashlib.sha256(content).hexdigest(), content)


class _Shelf:
    """The folders this process has unpacked so far, by hash; removed when it ends."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._folders: dict[str, Path] = {}

    def folder(self, packed: Packed, home: str | None) -> Path:
        with self._lock:
            known = self._folders.get(packed.sha256)
            if known is None or not known.is_dir():
                self._folders[packed.sha256] = known = _unpack(packed, home)
            return known


def _unpack(packed: Packed, home: str | None) -> Path:
    place = home or tempfile.gettempdir()
    sweep((place,))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}tables-{packed.sha256[:12]}-", dir=place)).resolve()
    # Held until the folder is gone: a lock without its process tells the next worker to clear up.
    weakref.finalize(_shelf, _given_up, folder, claim(folder))
    (tables := folder / "data").mkdir(mode=0o700)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as file:
        file.extractall(tables)
    return tables


def _given_up(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


_shelf = _Shelf()


def unpacked(packed: Packed, home: str | None = None) -> Path:
    """The folder with these files, the same for every call in this process; below ``home``, if given."""
    return _shelf.folder(packed, home)


def perform(work: Callable[[Job], _Done], job: Job, code: str, tables: Packed | None, home: str | None = None) -> _Done:
    """On the worker: do the job with the tables that came along, unpacked below ``home``.

    Raises ExecutionError, which ends the run, if the worker's package is not the one with the hash ``code``.
    """
    require_same_code(code, package_hash(), socket.gethostname())
    return work(job if tables is None else replace(job, data=str(unpacked(tables, home))))


def require_same_code(wanted: str, found: str, where: str) -> None:
    """Raise ExecutionError if a worker has other code than the caller: its reports would not be the caller's."""
    if found != wanted:
        raise ExecutionError(
            f"{where} has other code: its kbio_analysis is {found[:12]}, yours is {wanted[:12]}; "
            "install the same version there and start the worker again"
        )
