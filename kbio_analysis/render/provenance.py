"""What a report was made from: hashes of the code and of the lock, and the commit. Computed once by the caller."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]

_NOT_CODE = {"__pycache__", ".ipynb_checkpoints"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Hex sha256 of the package's files and of requirements.lock; git commit and whether the tree differs from it."""

    package: str
    lock: str | None
    commit: str | None
    dirty: bool | None


def provenance(folder: Path) -> Provenance:
    """The state of the code now, seen from a folder of the repository. What cannot be found is None."""
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain") if commit else None
    locks = (parent / "requirements.lock" for parent in (folder, *folder.parents))
    lock = next((path for path in locks if path.is_file()), None)
    return Provenance(
        package=package_hash(),
        lock=hashlib.sha256(lock.read_bytes()).hexdigest() if lock else None,
        commit=commit,
        dirty=None if changes is None else bool(changes),
    )


@cache
def package_hash() -> str:
    """sha256 over every file of kbio_analysis (code, templates), by its path within the package."""
    digest = hashlib.sha256()
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and not _NOT_CODE.intersection(path.parts))
    for name, path in sorted((path.relative_to(PACKAGE).as_posix(), path) for path in files):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def code_hash(package: str, source: bytes) -> str:
    """sha256 over the package's hash, the notebook's cells and what its metadata tells us.

    Kept outputs and editors' metadata do not count.
    """
    cells = [
        [cell["cell_type"], "".join(cell["source"]), sorted(cell.get("metadata", {}).get("tags", []))]
        + ([cell["attachments"]] if cell.get("attachments") else [])
        for cell in json.loads(source)["cells"]
    ]
    return hashlib.sha256(json.dumps([package, cells, own_metadata(source)], sort_keys=True).encode()).hexdigest()


def own_metadata(source: bytes) -> Mapping[str, Any]:
    """What a notebook's metadata holds for us, under the key ``kbio``; empty without it."""
    metadata = json.loads(source).get("metadata")
    own = metadata.get("kbio") if isinstance(metadata, Mapping) else None
    return own if isinstance(own, Mapping) else {}


_ASKED = (
    ("tables", "data.tables", "tables_read", {}),
    ("lines", "data.tables", "lines_read", []),
    ("newest", "data.tables", "newest_read", ""),
    ("reports", "data.results", "recorded_read", {}),
    ("recorded", "present.results", "recorded_names", []),
)


def inputs_read() -> dict[str, Any]:
    """What this process has used: ``tables`` and ``reports`` it read (name -> sha256), the day of the ``newest`` figure
    in those tables, the ``lines`` of cells that asked for them, and ``recorded`` results' names.

    Empty where the modules that know were not used.
    """
    found: dict[str, Any] = {}
    for name, module, question, empty in _ASKED:
        ask = getattr(sys.modules.get(f"kbio_analysis.{module}"), question, None)
        found[name] = (ask and ask()) or empty
    return found


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says, or None without git, without a repository or when it takes too long."""
    command = ["git", "-C", str(folder), *arguments]
    # The folder decides, whatever repository a surrounding git command has named.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, env=environment)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
