"""Everything that can be said against the data package, gathered rather than stopped at.

``available_from`` follows release rules in the passports (``kbio.available_from``); the first whose ``where`` fits a
row decides. A rule is ``{"source_published": true}`` (the date of the row's source, a month or year standing for its
last day), ``{"released": "2026-04-22"}`` (that day) or ``{"months_after": n, "day": d}`` (day d of the n-th month after
the row's month or year has ended).
"""

import calendar
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..reading import rows_of
from .checks import check_table
from .corrections import read_corrections
from .package import CANDIDATES, VINTAGES, Package, Passport, read_package
from .parsing import place
from .tables import load_from

if TYPE_CHECKING:
    from pandas import DataFrame

REQUIRED = ("title", "description", "hash", "bytes", "rows", "sources", "licenses")


def verify() -> list[str]:
    """Check every table, passport, correction and release date; one line a problem, an empty list if all is well."""
    try:
        package = read_package()
    except DataError as error:
        return [str(error)]
    problems: list[str] = []
    frames: dict[str, DataFrame] = {}
    for name, passport in package.passports.items():
        problems += [f"passport of {name}: {what}" for what in _gaps(passport)]
        try:
            frames[name] = load_from(package, name)
        except DataError as error:
            problems.append(str(error))
    for name, frame in frames.items():
        try:
            check_table(frame, package.passports[name], lambda other: load_from(package, other))
        except DataError as error:
            problems.append(str(error))
    problems += [*_unlisted(package), *_correction_problems(package, frames)]
    if len(frames) == len(package.passports) and "sources" in frames:
        cited = {i for name, f in frames.items() if name != "sources" and "source_id" in f for i in f["source_id"]}
        cited |= cited_by((package.root / VINTAGES).rglob("*.csv"))
        idle = [i for i in frames["sources"]["source_id"] if i not in cited]
        problems += [f"table sources: {i} is cited by no table; remove the row" for i in idle]
    if "sources" in frames:
        published = frames["sources"].set_index("source_id")["published"].to_dict()
        problems += [p for n, f in frames.items() if (p := _release_problem(package.passports[n], f, published))]
    return list(dict.fromkeys(problems))


def cited_by(paths: Iterable[Path]) -> set[str]:
    """The sources that these files of rows cite."""
    return {row.get("source_id") or "" for path in paths for row in rows_of(path.read_bytes())}


def due_date(row: Mapping[str, Any], rules: list[dict[str, Any]], published: Mapping[str, str]) -> date | None:
    """The date the rules give for a row (with ``year`` or ``month``, typed or as text), or None if no rule fits.

    ``published`` maps a source_id to its date as YYYY, YYYY-MM or YYYY-MM-DD. Raises DataError if a date is needed
    from a source that has none.
    """
    for rule in rules:
        if any(str(row[column]) not in map(str, values) for column, values in rule.get("where", {}).items()):
            continue
        if rule.get("source_published"):
            return _last_day(published.get(row["source_id"], ""), row["source_id"])
        if rule.get("released"):
            return date.fromisoformat(rule["released"])
        last = str(row["month"]) if "month" in row else f"{row['year']}-12"
        months = int(last[:4]) * 12 + int(last[5:7]) - 1 + rule["months_after"]
        year, month = months // 12, months % 12 + 1
        return date(year, month, min(rule["day"], calendar.monthrange(year, month)[1]))
    return None


def _last_day(published: str, source_id: str) -> date:
    parts = [int(part) for part in published.split("-") if part]
    if not parts:
        raise DataError(f"table sources: {source_id} has no date of publication, yet a figure's release rests on it")
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    return date(year, month, parts[2] if len(parts) > 2 else calendar.monthrange(year, month)[1])


def _gaps(passport: Passport) -> Iterator[str]:
    """What a passport should say and does not."""
    kbio = passport.kbio
    yield from (f"{key} is missing" for key in REQUIRED if not passport.descriptor.get(key))
    if not kbio.get("traps"):
        yield "kbio.traps is missing (say what a reader may get wrong)"
    if not passport.primary_key:
        yield "schema.primaryKey is missing"
    if "available_from" in passport.columns and not kbio.get("available_from"):
        yield "kbio.available_from is missing (the release rules)"
    for field in passport.fields:
        if not field.get("description"):
            yield f"field {field['name']} has no description"
        if field["type"] in ("integer", "number") and not field.get("unit"):
            yield f"field {field['name']} has no unit"
    for source in passport.descriptor.get("sources", []):
        yield from (f"a source has no {key}" for key in ("title", "publisher", "path") if not source.get(key))


def _unlisted(package: Package) -> list[str]:
    listed = {passport.path.relative_to(package.root) for passport in package.passports.values()}
    found = {path.relative_to(package.root) for ext in ("csv", "csv.gz") for path in package.root.rglob(f"*.{ext}")}
    stray = [path for path in sorted(found - listed) if path.parts[0] not in (CANDIDATES, VINTAGES)]
    return [f"{path} has no passport; add one or remove the file" for path in stray]


def _correction_problems(package: Package, frames: "dict[str, DataFrame]") -> list[str]:
    try:
        corrections = read_corrections(package.root)
    except DataError as error:
        return [str(error)]
    problems = [f"{c}: there is no such table" for c in corrections if c.table not in package.passports]
    if "sources" in frames:
        known = set(frames["sources"]["source_id"])
        unknown = [c for c in corrections if c.source_id not in known]
        problems += [f"{c}: source_id {c.source_id!r} is not in the table sources" for c in unknown]
    return problems


def _release_problem(passport: Passport, frame: "DataFrame", published: dict[str, str]) -> str | None:
    rules: list[dict[str, Any]] = passport.kbio.get("available_from", [])
    if "available_from" not in frame or not rules:
        return None
    for line, row in zip(frame.index, frame.to_dict("records"), strict=True):
        try:
            due = due_date(row, rules, published)
        except DataError as error:
            return str(error)
        found = row["available_from"].date()
        if due != found:
            said = f"the release rule gives {due}" if due else "no release rule fits the row"
            return f"{place(passport.name, line, 'available_from')}: {found}, but {said}"
    return None
