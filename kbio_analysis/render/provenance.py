"""What a report was made from, and which reports are up to date: made from the same, with every file whole.

``stamp.json`` beside a good report holds a key over all it depends on but tables, the state of each table it read (its
bytes, its passport entry and the corrections), and the hash of every file. Time stamps play no part.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbio_analysis.data.package import read_package
from kbio_analysis.data.results import recorded_read
from kbio_analysis.data.tables import CORRECTIONS_FILE, lines_read, newest_read, tables_read
from kbio_analysis.errors import DataError
from kbio_analysis.notebooks import completed
from kbio_analysis.render.publish import FAILURE, folder_of

if TYPE_CHECKING:
    from kbio_analysis.render.job import Job, Report

STAMP = "stamp.json"
PACKAGE = Path(__file__).resolve().parents[1]


def provenance(folder: Path) -> dict[str, Any]:
    """The state of the code now, seen from a folder of the repository: ``code``, the sha256 of the package's files,
    ``lock``, that of requirements.lock, git's ``commit``, and whether what it keeps is ``dirty``, that is differs.
    What cannot be found (no git, no repository, an answer that takes too long) is None."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    # The folder decides, whatever repository a surrounding git command has named.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    commit, dirty = None, None
    with suppress(OSError, subprocess.SubprocessError):
        how = {"capture_output": True, "text": True, "timeout": 10, "check": True, "env": environment}
        commit, dirty, _ = subprocess.run(command, **how).stdout.strip().partition("-")
    locks = (parent / "requirements.lock" for parent in (folder, *folder.parents))
    lock = next((_hash(path.read_bytes()) for path in locks if path.is_file()), None)
    return {"code": package_hash(), "lock": lock, "commit": commit, "dirty": commit and bool(dirty)}


_NOT_CODE = {"__pycache__", ".ipynb_checkpoints"}


@cache
def package_hash() -> str:
    """sha256 over the files of kbio_analysis (code, templates), by their paths within the package."""
    digest = hashlib.sha256()
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and not {*path.parts} & _NOT_CODE)
    for name, path in sorted((path.relative_to(PACKAGE).as_posix(), path) for path in files):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


@lru_cache(maxsize=64)
def code_hash(package: str, source: bytes) -> str:
    """sha256 over the package's hash, the notebook's cells and what its metadata tells us; not over kept outputs."""
    content = completed("", source)
    return _digest([package, content["cells"], content["metadata"].get("kbio") or {}])


def inputs_read() -> dict[str, Any]:
    """What this process has used: ``tables`` and ``reports`` it read (name -> sha256), the day of the ``newest``
    figure in those tables, the ``lines`` of cells that asked for them, and ``recorded`` results' names."""
    found = {"tables": tables_read(), "reports": recorded_read(), "newest": newest_read(), "lines": lines_read()}
    results = sys.modules.get("kbio_analysis.present.results")
    return found | {"recorded": results.recorded_names() if results else []}


# ---- what is up to date


class Cache:
    """The inputs as they are before reports are made: what changes meanwhile makes these out of date, never fresh."""

    def __init__(self, site: Path, jobs: "Iterable[Job]") -> None:
        self._site = site
        self._states = {data: table_states(data) for data in {job.data for job in jobs} - {None}}

    def current(self, job: "Job") -> bool:
        """Whether the published report is what making it again would give, and all its files are whole."""
        folder = folder_of(self._site, job.notebook, job.set_name)
        try:
            stamp = json.loads((folder / STAMP).read_bytes())
            whole = stamp == self._stamp(job, {name: (folder / name).read_bytes() for name in stamp["files"]})
            return whole and None not in stamp["tables"].values() and not (folder / FAILURE).exists()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Missing or damaged: exactly what makes a report due.
            return False

    def stamped(self, job: "Job", report: "Report") -> "Report":
        """The report with its stamp among its files; one that failed stays as it is."""
        if report.status != "ok":
            return report
        stamp = json.dumps(self._stamp(job, report.files), indent=1) + "\n"
        return replace(report, files=report.files | {STAMP: stamp.encode()})

    def _stamp(self, job: "Job", files: Mapping[str, bytes]) -> dict[str, Any]:
        code, python = code_hash(job.provenance["code"], job.source), platform.python_version()
        recorded = None if job.recorded is None else _hash(job.recorded)
        made_from = [job.label, job.batch, code, recorded, job.provenance["lock"], python, job.parameters]
        read, states = json.loads(files["result.json"])["inputs"]["tables"], self._states.get(job.data, {})
        return {
            "key": _digest(made_from),
            # A table that was another when the notebook read it has no state that could ever be met again.
            "tables": {name: states.get((name, content)) for name, content in read.items()},
            "files": {name: _hash(content) for name, content in files.items()},
        }


def table_states(folder: str) -> dict[tuple[str, str], str]:
    """(Table, sha256 of its bytes) -> its state as one hash; empty without a usable data package: all is due."""
    states, repairs = {}, Path(folder, CORRECTIONS_FILE)
    with suppress(DataError, OSError):
        corrections = _hash(repairs.read_bytes()) if repairs.exists() else ""
        for name, passport in read_package(Path(folder)).passports.items():
            content = _hash(passport.path.read_bytes())
            states[name, content] = _digest([content, passport.descriptor, corrections])
    return states


def _digest(content: object) -> str:
    return _hash(json.dumps(content, sort_keys=True, ensure_ascii=False).encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
