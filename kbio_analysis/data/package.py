"""Passports: where the data package lies, what it says of each table, and the bytes it vouches for."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import DataError, did_you_mean
from ..reading import DocumentError, read_json, rows_of

PACKAGE_FILE = "datapackage.json"
CANDIDATES, VINTAGES = "candidates", "vintages"  # folders: what a refresh has fetched, and what it has replaced
_verified: dict[str, bytes] = {}  # by checksum: a table is hashed once, and compared from then on
kept_package: list[Any] = []  # where the package in use lies with its bytes, and what they say
SHOWN = 40  # lines of changes of one table; the rest is counted


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
        return self.descriptor["schema"].get("primaryKey", [])

    @property
    def sha256(self) -> str:
        """Hex digest the table's bytes must have."""
        return self.descriptor.get("hash", "").removeprefix("sha256:")


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
    named, here, beside = os.environ.get("KBIO_DATA"), Path.cwd(), Path(__file__).resolve().parents[2]
    for folder in [Path(named).expanduser()] if named else [home / "data" for home in (here, *here.parents, beside)]:
        if (folder / PACKAGE_FILE).is_file():
            return folder
    where = f"KBIO_DATA={named}" if named else f"data/ in or above {here}"
    raise DataError(f"no {PACKAGE_FILE} found ({where}); set KBIO_DATA to the folder that holds it")


def read_package(root: Path | None = None) -> Package:
    """Read the package at ``root`` (default :func:`data_root`). Raises DataError if it is not a usable package."""
    return _parsed(*_located(root))


def package_in_use(root: Path | None = None) -> Package:
    """As :func:`read_package`, but parsed once as long as its file stays the same: not to be changed."""
    if kept_package[:1] != [found := _located(root)]:
        kept_package[:] = [found, _parsed(*found)]
    return kept_package[1]


def _located(root: Path | None) -> tuple[Path, bytes]:
    root = data_root() if root is None else root
    try:
        return root, (root / PACKAGE_FILE).read_bytes()
    except OSError as error:
        raise DataError(f"{root / PACKAGE_FILE}: {error.strerror}; restore it from version control") from None


def _parsed(root: Path, raw: bytes) -> Package:
    try:
        descriptor = read_json(raw)
    except DocumentError as error:
        raise DataError(f"{PACKAGE_FILE} is not valid JSON ({error}); restore it from version control") from None
    resources = descriptor.get("resources")
    if not isinstance(resources, list) or not resources:
        raise DataError(f"{PACKAGE_FILE} lists no resources; restore it from version control")
    passports: dict[str, Passport] = {}
    for number, resource in enumerate(resources, start=1):
        named = (resource.get("name") if isinstance(resource, dict) else None) or f"resource {number}"
        hold_form("passport", resource, f"{PACKAGE_FILE}: the passport of {named}")
        parts = PurePosixPath(resource["path"])
        passport = Passport(name=named, path=root / parts, descriptor=resource)
        fault = f"lies outside the data folder ({parts})" if parts.is_absolute() or ".." in parts.parts else ""
        if fault := fault or _fault(passport) or ("stands twice; keep one" if named in passports else ""):
            raise DataError(f"{PACKAGE_FILE}: the passport of {named} {fault}")
        passports[named] = passport
    return Package(root=root, sha256=hashlib.sha256(raw).hexdigest(), descriptor=descriptor, passports=passports)


@lru_cache(maxsize=2)
def _form(kind: str) -> Callable[..., Any]:
    import fastjsonschema

    forms = json.loads((Path(__file__).parent / "forms.json").read_text(encoding="utf-8"))
    own = {"date": lambda text: bool(date.fromisoformat(text))}
    return fastjsonschema.compile(forms | {"$ref": f"#/definitions/{kind}"}, formats=own)


def hold_form(kind: str, value: Any, what: str) -> None:
    """Raises DataError, naming the part of ``what`` that has another form than ``forms.json`` gives its ``kind``."""
    try:
        _form(kind)(value, name_prefix=what)
    except ValueError as problem:
        said = str(problem).removeprefix(what).lstrip(". ")
        raise DataError(f"{what}, {said if what in str(problem) else f'released: {problem}'}") from None


def _fault(passport: Passport) -> str:
    """What a passport says that does not fit its own columns."""
    columns, rules = passport.columns, passport.kbio.get("available_from", [])
    named = dict.fromkeys((column for rule in rules for column in rule.get("where", {})), "a release rule")
    keys = [key["fields"] for key in passport.descriptor["schema"].get("foreignKeys", [])]
    named |= dict.fromkeys([*passport.primary_key, *keys], "a key")
    if unknown := [column for column in named if column not in columns]:
        return f"has no field {unknown[0]!r}, which {named[unknown[0]]} names"
    for rule in rules:
        lag = {"months_after", "day"} <= rule.keys() and {"year", "month"} & {*columns}
        if not (lag or {"source_published", "released"} & rule.keys()):
            said = "a rule of available_from says source_published, released, or both months_after and day"
            return f"is not followed: {said}, counted from the row's year or month"
    return ""


def read_verified(passport: Passport) -> bytes:
    """The bytes of a table, once their checksum agrees with the passport. Raises DataError naming the table."""
    raw = _read(passport)
    if raw == _verified.get(passport.sha256) or hashlib.sha256(raw).hexdigest() == passport.sha256:
        return _verified.setdefault(passport.sha256, raw)
    if hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest() == passport.sha256:
        raise DataError(f"table {passport.name}: its line endings were turned into CRLF; check it out with LF")
    raise DataError(
        f"table {passport.name} is not the one its passport vouches for (sha256 expected "
        f"{passport.sha256[:12] or 'none'}, found {hashlib.sha256(raw).hexdigest()[:12]}); if the change is meant, "
        "run `make data-package`; if not, restore the file"
    )


def _read(passport: Passport) -> bytes:
    try:
        return passport.path.read_bytes()
    except OSError as error:
        raise DataError(f"table {passport.name}: {passport.path.name}: {error.strerror}; restore the file") from None


def rebuild_passports(root: Path | None = None) -> list[str]:
    """Write hash, bytes and row counts of the tables as they are now into their passports; print and return changes.

    A change is a line for the table and one for every cell that is new, gone or revised since the last commit. This
    vouches for the tables and does not check them: run :func:`kbio_analysis.data.tables.verify` afterwards.
    Raises DataError if a table is missing.
    """
    package = read_package(root)
    changes = []
    for passport in package.passports.values():
        raw = _read(passport)
        now = vouched(raw)
        if any(passport.descriptor.get(key) != value for key, value in now.items()):
            rows = f"{passport.descriptor.get('rows') or 0} -> {now['rows']} rows"
            command = ["git", "-C", str(passport.path.parent), "show", f"HEAD:./{passport.path.name}"]
            try:
                was = subprocess.run(command, capture_output=True, timeout=10, check=True).stdout
                changes += [f"{passport.name}: {rows}", *cell_changes(was, raw, passport)]
            except (OSError, subprocess.SubprocessError):
                changes.append(f"{passport.name}: {rows}; what it held before is not in git, so no cell is compared")
        passport.descriptor.update(now)
    if changes:
        write_package(package)
    print("\n".join(changes) or "passports: nothing changed")
    return changes


def cell_changes(before: bytes, after: bytes, passport: Passport) -> list[str]:
    """What differs between two states of a table: a line for every row new or gone and every cell revised."""
    key = passport.primary_key
    was, now = (
        {", ".join(f"{column}={row.get(column)}" for column in key): row for row in rows_of(raw)}
        for raw in (before, after)
    )
    lines = [f"  {'new' if name in now else 'gone':7}  {name}" for name in was.keys() ^ now.keys()]
    for name in was.keys() & now.keys():
        for column in was[name] | now[name]:
            old, new = was[name].get(column) or "blank", now[name].get(column) or "blank"
            if old != new:
                lines.append(f"  revised  {name}: {column} {old} -> {new}{_growth(old, new)}")
    lines.sort()
    if more := Counter(line.split()[0] for line in lines[SHOWN:]):
        lines[SHOWN:] = [f"  and {', '.join(f'{count} {kind}' for kind, count in more.items())} more"]
    return lines or (["  the same cells, in another order or written otherwise"] if before != after else [])


def _growth(old: str, new: str) -> str:
    try:
        return f" ({100 * (float(new) / float(old) - 1):+.1f}%)"
    except (ValueError, ZeroDivisionError):
        return ""


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


def take_in(
    package: Package,
    tables: Mapping[str, bytes],
    beside: Mapping[Path, bytes],
    verify: Callable[[], list[str]],
    *further: Callable[[], object],
) -> None:
    """Put these tables, vouched for, and the files ``beside`` them in their places, then do what is ``further`` to do.

    All is as before if that fails, is interrupted by a signal, or if ``verify`` finds a problem that was not there:
    that is a DataError which names it.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    known, paths = set(verify()), [package.passports[name].path for name in tables]
    paths += [package.root / PACKAGE_FILE, *beside]
    kept = {path: path.read_bytes() if path.is_file() else None for path in paths}
    alone = threading.current_thread() is threading.main_thread()
    stops = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} if alone else ()
    handlers = {number: signal.signal(number, interrupt) for number in stops}
    try:
        for path, content in beside.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            put(path, content)
        for name, raw in tables.items():
            put(package.passports[name].path, raw)
            package.passports[name].descriptor.update(vouched(raw))
        write_package(package)
        if problems := [problem for problem in verify() if problem not in known]:
            raise DataError("\n".join(["nothing was written, since it would not hold:", *problems]))
        for step in further:
            step()
    except BaseException:
        for path, content in kept.items():
            if (path.read_bytes() if path.is_file() else None) != content:
                path.unlink() if content is None else put(path, content)
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


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


if __name__ == "__main__":
    try:
        rebuild_passports()
    except DataError as mistake:
        sys.exit(f"kbio: {mistake}")
