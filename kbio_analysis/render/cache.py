"""Which reports are up to date: the same notebook, parameters, tables, records, code and lock, and every file whole.

Beside each good report lies ``stamp.json``: a key over all that the report depends on except the tables, the state of
each table it read, and the hash of every file. The state of a table is its bytes, its passport entry and the file of
corrections, for these three shape the frame a notebook gets. Time stamps play no part.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import DataError
from kbio_analysis.render.provenance import code_hash
from kbio_analysis.render.publish import FAILURE, folder_of

if TYPE_CHECKING:
    from kbio_analysis.render.job import Job, Report

STAMP = "stamp.json"
# Raise this when what a report holds changes without a change of the package's own files.
_VERSION = 1


class Cache:
    """The state of the inputs at one moment, and what it says of the reports of a site.

    Take it before the reports are made: an input that changes meanwhile makes its report out of date, never fresh.
    """

    def __init__(self, site: Path, jobs: Iterable[Job]) -> None:
        self._site, self._code = site, functools.cache(code_hash)
        self._states = {data: table_states(data) for data in {job.data for job in jobs}}

    def current(self, job: Job) -> bool:
        """Whether the published report is what making it again would give, and all its files are whole."""
        folder = folder_of(self._site, job.notebook, job.set_name)
        if (folder / FAILURE).exists():
            return False
        try:
            stamp = json.loads((folder / STAMP).read_bytes())
            if stamp["key"] != self._key(job):
                return False
            states = {table: state for table, (_, state) in self._states[job.data].items()}
            if any(state is None or states.get(table) != state for table, state in stamp["tables"].items()):
                return False
            return all(_hash((folder / name).read_bytes()) == whole for name, whole in stamp["files"].items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Missing or damaged: exactly what makes a report due.
            return False

    def stamped(self, job: Job, report: Report) -> Report:
        """The report with its stamp among its files; one that failed stays as it is."""
        if report.status != "ok":
            return report
        known = self._states[job.data]
        read: Mapping[str, str] = report.result["inputs"]["tables"]
        # A table that was another when the notebook read it has no state that could ever be met again.
        states = {
            name: known[name][1] if known.get(name, ("",))[0] == digest else None for name, digest in read.items()
        }
        stamp = {
            "key": self._key(job),
            "tables": states,
            "files": {name: _hash(content) for name, content in report.files.items()},
        }
        return replace(report, files=report.files | {STAMP: (json.dumps(stamp, indent=1) + "\n").encode()})

    def _key(self, job: Job) -> str:
        return _digest(
            [
                _VERSION,
                job.label,
                job.batch,
                self._code(job.provenance.package, job.source),
                None if job.recorded is None else _hash(job.recorded),
                job.provenance.lock,
                platform.python_version(),
                job.parameters,
            ]
        )


def table_states(folder: str | None) -> dict[str, tuple[str, str]]:
    """Table -> sha256 of its bytes, and its state (bytes, passport entry and corrections) as one hash.

    Empty without a usable data package: what reads a table is then made again, and says what is wrong with it.
    """
    if folder is None:
        return {}
    from kbio_analysis.data.corrections import CORRECTIONS_FILE
    from kbio_analysis.data.package import read_package

    root = Path(folder)
    try:
        package = read_package(root)
    except DataError:
        return {}
    corrections, states = _bytes_hash(root / CORRECTIONS_FILE), {}
    for name, passport in package.passports.items():
        content = _bytes_hash(passport.path)
        states[name] = content, _digest([content, passport.descriptor, corrections])
    return states


def _bytes_hash(path: Path) -> str:
    """sha256 of a file's bytes; empty if it cannot be read."""
    try:
        return _hash(path.read_bytes())
    except OSError:
        return ""


def _digest(content: object) -> str:
    return _hash(json.dumps(content, sort_keys=True, ensure_ascii=False).encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
