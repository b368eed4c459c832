"""Passports: where the data package lies, what it says of each table, and the bytes it vouches for."""

import csv
import hashlib
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import DataError, did_you_mean
from ..reading import DocumentError, read_json, rows_of
from .differences import cell_changes, committed
from .passports import check_form

PACKAGE_FILE = "datapackage.json"
CANDIDATES, VINTAGES = "candidates", "vintages"  # folders: what a refresh has fetched, and what it has replaced
REFRESH_HINT = "if the change is meant, run `make data-package`; if not, restore the file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passport:
    """What ``datapackage.json`` says of one table; ``descriptor`` is its resource entry as written there."""

    name: str
    path: Path
    descriptor: dict[str, Any]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """Field descriptors in column order."""
        return self.descriptor["schema"]["fields"]

    @property
    def columns(self) -> list[str]:
        """Names of the columns in their order."""
        return [field["name"] for field in self.fields]

    @property
    def kbio(self) -> dict[str, Any]:
        """What is kbio's own in the passport: traps, checks, release rules, vintages."""
        return self.descriptor.get("kbio", {})

    @property
    def primary_key(self) -> list[str]:
        """Names of the columns that identify a row; empty if the passport gives none."""
        key = self.descriptor["schema"].get("primaryKey", [])
        return [key] if isinstance(key, str) else list(key)

    @property
    def vintages(self) -> list[dict[str, str]]:
        """Earlier states of the table: ``until`` which day each stood, and its ``hash``."""
        return self.kbio.get("vintages", [])

    @property
    def sha256(self) -> str:
        """Hex digest the table's bytes must have."""
        return str(self.descriptor.get("hash", "")).removeprefix("sha256:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A data package: its folder, its parsed descriptor and one passport a table; ``sha256`` is of the file itself."""

    root: Path
    sha256: str
    descriptor: Mapping[str, Any]
    passports: Mapping[str, Passport]

    def passport(self, table: str) -> Passport:
        """The passport of ``table``. Raises DataError naming near matches if there is none."""
        if table not in self.passports:
            hint = did_you_mean(str(table), self.passports) or f"; tables: {', '.join(self.passports)}"
            raise DataError(f"no table {table!r} in {PACKAGE_FILE}{hint}")
        return self.passports[table]


def data_root() -> Path:
    """The folder that holds ``datapackage.json``.

    ``KBIO_DATA`` if set, else ``data/`` of the nearest folder above the working directory that has a package, else
    ``data/`` beside the library. Raises DataError if there is no package at that place.
    """
    named = os.environ.get("KBIO_DATA")
    if named:
        candidates = [Path(named).expanduser()]
    else:
        here = Path.cwd()
        candidates = [folder / "data" for folder in (here, *here.parents)]
        candidates.append(Path(__file__).resolve().parents[2] / "data")
    for folder in candidates:
        if (folder / PACKAGE_FILE).is_file():
            return folder
    where = f"KBIO_DATA={named}" if named else f"data/ in or above {Path.cwd()}"
    raise DataError(f"no {PACKAGE_FILE} found ({where}); set KBIO_DATA to the folder that holds it")


def read_package(root: Path | None = None) -> Package:
    """Read the package at ``root`` (default :func:`data_root`). Raises DataError if it is not a usable package."""
    root = data_root() if root is None else root
    try:
        raw = (root / PACKAGE_FILE).read_bytes()
        descriptor = read_json(raw)
    except FileNotFoundError:
        raise DataError(f"{PACKAGE_FILE} is missing from {root}") from None
    except OSError as error:
        raise DataError(f"{PACKAGE_FILE}: {error.strerror}; restore it from version control") from None
    except DocumentError as error:
        raise DataError(f"{PACKAGE_FILE} is not valid JSON ({error}); restore it from version control") from None
    resources = descriptor.get("resources")
    if not isinstance(resources, list) or not resources:
        raise DataError(f"{PACKAGE_FILE} lists no resources; restore it from version control")
    passports = {}
    for number, resource in enumerate(resources, start=1):
        passport = _passport(root, resource, number)
        if passport.name in passports:
            raise DataError(f"{PACKAGE_FILE} gives the table {passport.name!r} two passports; keep one")
        passports[passport.name] = passport
    return Package(root=root, sha256=hashlib.sha256(raw).hexdigest(), descriptor=descriptor, passports=passports)


def read_verified(passport: Passport) -> bytes:
    """The bytes of a table, once their checksum agrees with the passport. Raises DataError naming the table."""
    raw = _read(passport)
    found = hashlib.sha256(raw).hexdigest()
    if found == passport.sha256:
        return raw
    if hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest() == passport.sha256:
        raise DataError(f"table {passport.name}: its line endings were turned into CRLF; check it out with LF")
    raise DataError(
        f"table {passport.name} is not the one its passport vouches for "
        f"(sha256 expected {passport.sha256[:12] or 'none'}, found {found[:12]}); {REFRESH_HINT}"
    )


def rebuild_passports(root: Path | None = None) -> list[str]:
    """Write hash, bytes and row counts of the tables as they are now into their passports; print and return changes.

    A change is a line for the table and one for every cell that is new, gone or revised since the last commit. The
    human-written part stays as it is. This vouches for the tables and does not check them: run
    :func:`kbio_analysis.data.verification.verify` afterwards. Raises DataError if a table is missing.
    """
    package = read_package(root)
    changes = []
    for passport in package.passports.values():
        raw = _read(passport)
        now = vouched(raw)
        if any(passport.descriptor.get(key) != value for key, value in now.items()):
            was = committed(passport)
            rows = f"{passport.descriptor.get('rows') or 0} -> {now['rows']} rows"
            known = "" if was is not None else "; what it held before is not in git, so no cell is compared"
            changes.append(f"{passport.name}: {rows}{known}")
            changes += cell_changes(was, raw, passport) if was is not None else []
        passport.descriptor.update(now)
    if changes:
        write_package(package)
    print("\n".join(changes) or "passports: nothing changed")
    return changes


def write_package(package: Package) -> None:
    """Put the descriptor in the place of the file, whole at every moment."""
    text = json.dumps(package.descriptor, indent=2, ensure_ascii=False) + "\n"
    put(package.root / PACKAGE_FILE, text.encode())


def put(path: Path, content: bytes) -> None:
    """Write a file in one step: what was there before stays until all of it is. Raises DataError if it cannot be."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as problem:
        raise DataError(f"{path} cannot be written: {problem.strerror}") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def all_or_nothing(*paths: Path) -> Iterator[None]:
    """Put these files back as they were if what is done in the block fails or is interrupted by a signal."""
    kept = {path: path.read_bytes() if path.is_file() else None for path in paths}
    stops = (
        (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    )
    before = {number: signal.signal(number, _interrupt) for number in stops}
    try:
        yield
    except BaseException:
        for path, content in kept.items():
            if (path.read_bytes() if path.is_file() else None) != content:
                path.unlink() if content is None else put(path, content)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def sorted_rows(rows: list[dict[str, str]], passport: Passport) -> bytes:
    """The rows as the table's file has them, in the order of the primary key."""
    whole = {f["name"] for f in passport.fields if f["type"] == "integer"}
    rows = sorted(rows, key=lambda row: [int(row[k]) if k in whole else row[k] for k in passport.primary_key])
    return written(rows, passport.columns)


def written(rows: list[dict[str, str]], columns: list[str]) -> bytes:
    """Rows as a file of a table: UTF-8, LF."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def vouched(raw: bytes) -> dict[str, Any]:
    """What a passport says of a table's bytes: hash, bytes and rows."""
    return {"hash": f"sha256:{hashlib.sha256(raw).hexdigest()}", "bytes": len(raw), "rows": len(rows_of(raw))}


def _passport(root: Path, resource: Any, number: int) -> Passport:
    check_form(resource, number, PACKAGE_FILE)
    name, path = resource["name"], resource["path"]
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts:
        raise DataError(f"{PACKAGE_FILE}: table {name} lies outside the data folder ({path}); use a path below it")
    return Passport(name=name, path=root / parts, descriptor=resource)


def _read(passport: Passport) -> bytes:
    try:
        return passport.path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise DataError(f"table {passport.name}: {passport.path.name}: {reason}; restore the file") from None


if __name__ == "__main__":
    try:
        rebuild_passports()
    except DataError as mistake:
        sys.exit(f"kbio: {mistake}")
