"""Bringing a table up to date: fetch a candidate, hold it against the passport, show what changed, put it in place.

Nothing is vouched for by fetching. The candidate waits in ``candidates/`` of the data folder until it is accepted; then
the table as it was goes to ``vintages/`` and stays what a run with an earlier ``as_of`` reads. Refused, interrupted or
failed, the tables are as before.
"""

import copy
import statistics
from dataclasses import replace
from datetime import date
from pathlib import Path

from ..errors import DataError, UsageError, did_you_mean
from ..reading import rows_of
from .checks import check_table
from .clients import RefreshError, Row, fetched, in_scope, recipes
from .differences import cell_changes
from .package import (
    CANDIDATES,
    VINTAGES,
    Package,
    Passport,
    all_or_nothing,
    put,
    read_package,
    read_verified,
    rebuild_passports,
    sorted_rows,
    vouched,
    write_package,
)
from .parsing import parse
from .schemas import typed
from .verification import cited_by, due_date, verify

ANOTHER_UNIT = 3.0  # times by which the figures in common may differ in the median


def fetch_candidate(table: str, today: date) -> list[str]:
    """Fetch the table, check it and keep it as a candidate; the lines say what would change.

    Raises UsageError, RefreshError for an answer that cannot be used, DataError for one that breaks the passport.
    """
    package, recipe = read_package(), _recipe(table)
    passport = package.passport(table)
    before = read_verified(passport)
    held = rows_of(before)
    scoped = in_scope(table, held)
    new = [_completed(row, recipe, passport, today) for row in fetched(table, scoped)]
    by = recipe["by"]
    came = {row[by] for row in new} if by else set()
    replaced = {id(row) for row in scoped if not by or row[by] in came}
    after = sorted_rows([*(row for row in held if id(row) not in replaced), *new], passport)
    _same_unit(before, after, passport, table)
    widened = _widened(passport, after)
    frame = typed(parse(after, widened), widened)
    check_table(frame, widened)
    changes = cell_changes(before, after, passport)
    if changes:
        target = _candidate(package, table)
        target.parent.mkdir(exist_ok=True)
        put(target, after)
    return changes


def accept_candidate(table: str, today: date) -> list[str]:
    """Put the candidate in the place of the table, which becomes a vintage; the lines say what changed.

    Raises UsageError without a candidate, DataError if the package would not hold; then everything is as before.
    """
    package, recipe = read_package(), _recipe(table)
    target, passport = _candidate(package, table), package.passport(table)
    if not target.is_file():
        raise UsageError(f"no candidate of {table}; fetch one: kbio data refresh {table}")
    before, after = read_verified(passport), target.read_bytes()
    changes = cell_changes(before, after, passport)
    vintage = package.root / VINTAGES / table / f"{today}.csv"
    sources = package.passport("sources")
    files = [passport.path, sources.path, package.root / "datapackage.json", vintage]
    problems_before = set(verify())
    with all_or_nothing(*files):
        vintage.parent.mkdir(parents=True, exist_ok=True)
        if not vintage.is_file():  # accepted twice in a day: what the day began with is what as_of asks for
            put(vintage, before)
        passport.descriptor.update(_widened(passport, after).descriptor)
        entry = {"until": str(today), "hash": vouched(vintage.read_bytes())["hash"]}
        vintages = passport.descriptor["kbio"].setdefault("vintages", [])
        if entry not in vintages:
            vintages.append(entry)
        put(passport.path, after)
        put(sources.path, _with_source(sources, recipe, package, today))
        write_package(package)
        rebuild_passports(package.root)
        if problems := [one for one in verify() if one not in problems_before]:
            raise DataError("\n".join(["the candidate does not fit the package, nothing was changed:", *problems]))
    target.unlink()
    return changes


def readers(references: Path, table: str) -> list[str]:
    """Notebooks whose recorded results rest on the table."""
    from ..reading import DocumentError, read_json

    found = []
    for path in sorted(references.glob("*.json")):
        try:
            if table in read_json(path.read_bytes()).get("tables", {}):
                found.append(path.stem)
        except (OSError, DocumentError):
            continue
    return found


def _recipe(table: str) -> Row:
    read_package().passport(table)
    if table not in recipes():
        hint = did_you_mean(table, recipes()) or f"; those that can: {', '.join(recipes())}"
        raise UsageError(f"{table} holds figures that a person reads, so nothing fetches it{hint}")
    return recipes()[table]


def _candidate(package: Package, table: str) -> Path:
    return package.root / CANDIDATES / f"{table}.csv"


def _completed(row: Row, recipe: Row, passport: Passport, today: date) -> Row:
    """A fetched row with its source, and the day from which it could be used."""
    whole = {"source_id": recipe["source_id"], **row}
    due = due_date(whole, passport.kbio.get("available_from", []), {whole["source_id"]: str(today)})
    whole["available_from"] = str(due or today)
    return {name: whole.get(name, "") for name in passport.columns}


def _widened(passport: Passport, raw: bytes) -> Passport:
    """The passport with the ends of its calendar moved on, never back, to where the table ends now."""
    descriptor = copy.deepcopy(passport.descriptor)
    rows = rows_of(raw)
    for spec in descriptor.get("kbio", {}).get("checks", []):
        if spec["check"] != "calendar":
            continue
        column, by = spec["column"], spec.get("by", [])
        ends: dict[str, str] = {}
        for row in rows:
            name = " ".join(row[c] for c in by)
            ends[name] = max(ends.get(name, ""), row[column])
        newest = max(ends.values())
        for name, span in spec.get("spans", {}).items():
            span[1] = max(span[1], ends.get(name, ""))
        if "last" in spec and newest > str(spec["last"]):
            late = [name for name, end in ends.items() if str(spec["last"]) <= end < newest]
            spec["except"] = sorted({*spec.get("except", []), *late})
            spec["last"] = type(spec["last"])(newest)
    for field in descriptor["schema"]["fields"]:
        limit = field.get("constraints", {}).get("maximum")
        if field["name"] in ("year", "month") and limit is not None and rows:
            field["constraints"]["maximum"] = max(limit, type(limit)(max(row[field["name"]] for row in rows)))
    return replace(passport, descriptor=descriptor)


def _same_unit(before: bytes, after: bytes, passport: Passport, table: str) -> None:
    """Refuse a column whose figures in common stand at another scale: thousands for millions, won for dollars."""
    old, new = (_numbers(raw, passport) for raw in (before, after))
    for column in {name for _, name in old}:
        times = [new[cell] / value for cell, value in old.items() if cell[1] == column and value > 0 < new.get(cell, 0)]
        middle = statistics.median(times) if times else 1.0
        if not 1 / ANOTHER_UNIT < middle < ANOTHER_UNIT:
            raise RefreshError(f"{table}: {column} is {middle:.3g} times what is held: the answer is in another unit")


def _numbers(raw: bytes, passport: Passport) -> dict[tuple[str, str], float]:
    columns = [f["name"] for f in passport.fields if f["type"] == "number"]
    keyed = {" ".join(row[k] for k in passport.primary_key): row for row in rows_of(raw)}
    return {(key, column): float(row[column]) for key, row in keyed.items() for column in columns if row[column]}


def _with_source(sources: Passport, recipe: Row, package: Package, today: date) -> bytes:
    """The table of sources with the recipe's own, dated today, and without those that no table and no vintage cites."""
    rows = {row["source_id"]: row for row in rows_of(read_verified(sources))}
    mine = recipe | {"published": str(today)}
    rows[mine["source_id"]] = {name: mine[name] for name in sources.columns}
    paths = [passport.path for passport in package.passports.values() if passport.name != "sources"]
    cited = cited_by([*paths, *(package.root / VINTAGES).rglob("*.csv")])
    return sorted_rows([row for source_id, row in rows.items() if source_id in cited], sources)
