"""A table, verified: checksum, form, corrections, types, schema and sources, in this order, once per process; and
everything that can be said against all of them, gathered rather than stopped at.
"""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..reading import DocumentError, read_yaml, rows_of
from .checks import check_table
from .package import (
    CANDIDATES,
    VINTAGES,
    Package,
    Passport,
    hold_form,
    kept_package,
    package_in_use,
    read_package,
    read_verified,
)
from .schemas import parse, place, typed

if TYPE_CHECKING:
    from datetime import date

    from pandas import DataFrame

CORRECTIONS_FILE = "corrections.yml"

_frames: dict[tuple[str, str, str, bytes], "DataFrame"] = {}
_read: dict[str, str] = {}
_lines: list[tuple[str, int, str]] = []


def load(table: str, *, as_of: "str | date | None" = None) -> "DataFrame":
    """A table of ``data/tables`` as a typed frame of its own (the caller may change it), rows in file order.

    With ``as_of``, the table as it stood on that day, if a refresh has replaced it since. Types are those of
    :func:`kbio_analysis.data.schemas.typed`. Raises DataError naming table, line and column if the file was altered,
    is missing or malformed, breaks its schema, or cites a source that is not in ``sources``.
    """
    package = package_in_use()
    if as_of is not None:
        held = package.passports.get(table)
        for entry in sorted(held.kbio.get("vintages", []) if held else [], key=lambda one: one["until"]):
            if str(as_of)[:10] < entry["until"]:
                path = package.root / VINTAGES / table / f"{entry['until']}.csv"
                past = replace(held, path=path, descriptor=held.descriptor | {"hash": entry["hash"]})
                _note(table, past)
                return typed(parse(read_verified(past), past), past).reset_index(drop=True)
    return load_from(package, table).reset_index(drop=True)


def load_from(package: Package, table: str) -> "DataFrame":
    """As :func:`load`, from a given package and with the line of the file as index.

    The bytes, also those of the tables it refers to, are verified each time; what they hold is typed and checked once
    for each state of table, passports and corrections.
    """
    passport, repairs = package.passport(table), package.root / CORRECTIONS_FILE
    raw = read_verified(passport)
    _note(table, passport)
    keys = passport.descriptor["schema"].get("foreignKeys", [])
    targets = {key["reference"]["resource"]: load_from(package, key["reference"]["resource"]) for key in keys}
    state = (table, passport.sha256, package.sha256, repairs.read_bytes() if repairs.is_file() else b"")
    if state not in _frames:
        strings = parse(raw, passport)
        _repair(strings, passport, package.root)
        frame = typed(strings, passport)
        check_table(frame, passport)
        for key in keys:
            column, target, field = key["fields"], key["reference"]["resource"], key["reference"]["fields"]
            if field not in targets[target]:
                raise DataError(f"table {table}: a foreign key names {field!r}, no field of its table")
            if unknown := {*frame[column].unique()}.difference(targets[target][field].to_numpy()):
                line = frame.index[frame[column].isin(unknown)][0]
                said = f"{frame.at[line, column]!r} is not in the table {target}"
                raise DataError(f"{place(table, line, column)}: {said}")
        _frames[state] = frame
    return _frames[state].copy(deep=False)


def preloaded(root: Path, tables: Iterable[str]) -> tuple[list[Any], dict[Any, "DataFrame"]]:
    """A package and its tables, typed and checked, for :func:`keep` in another process; what is wrong with one is said
    when it is loaded."""
    with suppress(DataError):
        package = package_in_use(root)
        for table in tables:
            with suppress(DataError):
                load_from(package, table)
    return kept_package, _frames


def keep(package: list[Any], frames: dict[Any, "DataFrame"]) -> None:
    """Have what another process has typed and checked."""
    kept_package[:] = package
    _frames.update(frames)


def _note(table: str, passport: Passport) -> None:
    _read[table] = passport.sha256
    frame = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.startswith("<cell "):
        frame = frame.f_back
    if frame is not None:
        _lines.append((frame.f_code.co_filename, frame.f_lineno, table))


def lines_read() -> list[tuple[str, int, str]]:
    """Cell (as its code is called in a report), line and table of every reading that a notebook's cell asked for."""
    return list(_lines)


def tables_read() -> dict[str, str]:
    """Table -> sha256 of every table this process has read so far, by name."""
    return dict(sorted(_read.items()))


def newest_read() -> str:
    """The newest day from which a figure of the tables read so far could be used, ISO; empty if none says."""
    read = (frame for (table, state, *_), frame in _frames.items() if _read.get(table) == state)
    return max((str(f["available_from"].max())[:10] for f in read if "available_from" in f and len(f)), default="")


def read_corrections(root: Path) -> list[dict[str, Any]]:
    """All corrections declared beside the package, in order; none if the file is absent. Raises DataError.

    Each says table, row (its key, column by column), column, expect, replace, reason and source_id, as text that stays
    as it is written (0.10, NO), and ``where`` it stands.
    """
    path = root / CORRECTIONS_FILE
    if not path.exists():
        return []
    try:
        documents = read_yaml(path.read_bytes())
    except DocumentError as error:
        raise DataError(f"{CORRECTIONS_FILE} is not valid YAML ({error})") from None
    entries = documents[0] or [] if documents else []
    if len(documents) > 1 or not isinstance(entries, list):
        raise DataError(f"{CORRECTIONS_FILE} must be one list of entries")
    for number, entry in enumerate(entries, start=1):
        hold_form("correction", entry, where := f"{CORRECTIONS_FILE}, entry {number}")
        key = ", ".join(f"{name}={value}" for name, value in entry["row"].items())
        entry["where"] = f"{where} (table {entry['table']}, {key}, column {entry['column']})"
    return entries


def _repair(result: "DataFrame", passport: Passport, root: Path) -> None:
    """Make this table's corrections in the frame of strings. Raises DataError if a row or column is not there, or if
    the cell no longer holds what is expected.
    """
    for one in read_corrections(root):
        if one["table"] != passport.name:
            continue
        where, row, column = one["where"], one["row"], one["column"]
        if sorted(row) != sorted(passport.primary_key) or column not in result.columns:
            key = ", ".join(passport.primary_key)
            raise DataError(f"{where}: needs the row key {key} and a column of the table")
        same = result.index[(result[list(row)] == list(row.values())).all(axis=1)]
        if len(same) != 1:
            raise DataError(f"{where}: {len(same)} rows have this key, one is needed")
        found = result.at[same[0], column]
        if found != one["expect"]:
            said = f"line {same[0]} holds {found!r}, not the expected {str(one['expect'])!r}"
            raise DataError(f"{where}: {said}; the correction has expired: delete it")
        result.at[same[0], column] = one["replace"]


def verify() -> list[str]:
    """Check every table, passport, correction and release date; one line a problem, an empty list if all is well."""
    problems: list[str] = []

    def attempt(call: Callable[..., Any], *given: Any) -> Any:
        try:
            return call(*given)
        except DataError as problem:
            return problems.append(str(problem))

    if (package := attempt(read_package)) is None:
        return problems
    frames: dict[str, DataFrame] = {}
    for name, passport in package.passports.items():
        problems += [f"passport of {name}: {what} is missing" for what in _gaps(passport)]
        if (frame := attempt(load_from, package, name)) is not None:
            frames[name] = frame
    for name, frame in frames.items():
        attempt(check_table, frame, package.passports[name], lambda other: load_from(package, other))
    listed = {passport.path for passport in package.passports.values()}
    for path in sorted({*package.root.rglob("*.csv"), *package.root.rglob("*.csv.gz")} - listed):
        if (where := path.relative_to(package.root)).parts[0] not in (CANDIDATES, VINTAGES):
            problems.append(f"{where} has no passport; add one or remove the file")
    known = set(frames["sources"]["source_id"]) if "sources" in frames else None
    for one in attempt(read_corrections, package.root) or []:
        if one["table"] not in package.passports:
            problems.append(f"{one['where']}: there is no such table")
        if known is not None and one["source_id"] not in known:
            problems.append(f"{one['where']}: source_id {one['source_id']!r} is not in the table sources")
    if len(frames) == len(package.passports) and known:
        past = [*(package.root / VINTAGES).rglob("*.csv")]
        paths = [passport.path for name, passport in package.passports.items() if name != "sources"] + past
        cited = {row.get("source_id") for path in paths for row in rows_of(path.read_bytes())}
        problems += [f"table sources: {i} is cited by no table; remove the row" for i in sorted(known - cited)]
    return list(dict.fromkeys(problems))


def _gaps(passport: Passport) -> list[str]:
    """What a passport should say and does not."""
    about, kbio = passport.descriptor, passport.kbio
    needed = ("title", "description", "hash", "bytes", "rows", "sources", "licenses")
    wanted = {key: about.get(key) for key in needed} | {"schema.primaryKey": passport.primary_key}
    wanted["kbio.traps, what a reader may get wrong,"] = kbio.get("traps")
    rules = "available_from" not in passport.columns or kbio.get("available_from")
    wanted["kbio.available_from, the release rules,"] = rules
    for field in passport.fields:
        wanted[f"the description of field {field['name']}"] = field.get("description")
        wanted[f"the unit of field {field['name']}"] = field["type"] not in ("integer", "number") or field.get("unit")
    for source in about.get("sources", []):
        wanted |= {f"{key} of a source": source.get(key) for key in ("title", "publisher", "path")}
    return [what for what, said in wanted.items() if not said]
