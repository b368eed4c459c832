"""Bringing a table up to date: fetch a candidate, hold it against the passport, show what changed, put it in place.

Nothing is vouched for by fetching. The candidate waits in ``candidates/`` of the data folder until it is accepted; then
the table as it was goes to ``vintages/`` and stays what a run with an earlier ``as_of`` reads. Refused, interrupted or
failed, the tables are as before.
"""

import copy
from dataclasses import replace
from datetime import date
from pathlib import Path

from ..errors import UsageError, did_you_mean
from ..reading import DocumentError, read_json, rows_of
from .checks import check_table, due_date
from .clients import RefreshError, Row, fetched, recipes
from .package import (
    CANDIDATES,
    VINTAGES,
    Passport,
    cell_changes,
    put,
    read_package,
    read_verified,
    sorted_rows,
    take_in,
    vouched,
)
from .schemas import parse, typed
from .tables import verify

ANOTHER_UNIT = 3.0  # times by which the figures in common may differ in the median


def fetch_candidate(table: str, today: date) -> list[str]:
    """Fetch the table, check it and keep it as a candidate; the lines say what would change.

    Raises UsageError, RefreshError for an answer that cannot be used, DataError for one that breaks the passport.
    """
    import pandas as pd

    package = read_package()
    passport, recipe = package.passport(table), _recipe(table)
    before = read_verified(passport)
    held, by = rows_of(before), recipe["by"]
    column, _, values = recipe["scope"].partition("=")
    beside = [row for row in held if column and row[column] not in values.split(";")]
    scoped = [row for row in held if not column or row[column] in values.split(";")]
    new, rules = fetched(table, scoped), passport.kbio.get("available_from", [])
    for row in new:
        row["source_id"] = recipe["source_id"]
        row["available_from"] = str(due_date(row, rules, {row["source_id"]: str(today)}) or today)
    came = {row[by] for row in new} if by else set()
    kept = [row for row in scoped if by and row[by] not in came]
    whole = [{name: row.get(name, "") for name in passport.columns} for row in [*beside, *kept, *new]]
    after = sorted_rows(whole, passport)
    # A column whose figures in common stand at another scale: thousands for millions, won for dollars.
    numbers = [field["name"] for field in passport.fields if field["type"] == "number"]
    frames = (pd.DataFrame(rows_of(raw)).set_index(passport.primary_key)[numbers] for raw in (before, after))
    was, now = (frame.apply(pd.to_numeric).where(lambda values: values > 0) for frame in frames)
    for name, times in (now / was).median().dropna().items():
        if not 1 / ANOTHER_UNIT < times < ANOTHER_UNIT:
            raise RefreshError(f"{table}: {name} is {times:.3g} times what is held: the answer is in another unit")
    widened = _widened(passport, after)
    check_table(typed(parse(after, widened), widened), widened)
    if changes := cell_changes(before, after, passport):
        target = package.root / CANDIDATES / f"{table}.csv"
        target.parent.mkdir(exist_ok=True)
        put(target, after)
    return changes


def accept_candidate(table: str, today: date) -> list[str]:
    """Put the candidate in the place of the table, which becomes a vintage; the lines say what changed.

    Raises UsageError without a candidate, DataError if the package would not hold; then everything is as before.
    """
    package = read_package()
    passport, recipe = package.passport(table), _recipe(table)
    target = package.root / CANDIDATES / f"{table}.csv"
    if not target.is_file():
        raise UsageError(f"no candidate of {table}; fetch one: kbio data refresh {table}")
    before, after = read_verified(passport), target.read_bytes()
    # Accepted twice in a day: what the day began with is what as_of asks for.
    vintage = package.root / VINTAGES / table / f"{today}.csv"
    past = vintage.read_bytes() if vintage.is_file() else before
    entry = {"until": str(today), "hash": vouched(past)["hash"]}
    passport.descriptor.update(_widened(passport, after).descriptor)
    vintages = passport.descriptor["kbio"].setdefault("vintages", [])
    vintages += [entry] * (entry not in vintages)
    sources = package.passport("sources")
    cited = {row["source_id"]: row for row in rows_of(read_verified(sources))}
    cited[recipe["source_id"]] = {name: (recipe | {"published": str(today)})[name] for name in sources.columns}
    take_in(package, {table: after, "sources": sorted_rows([*cited.values()], sources)}, {vintage: past}, verify)
    target.unlink()
    return cell_changes(before, after, passport)


def readers(references: Path, table: str) -> list[str]:
    """Notebooks whose recorded results rest on the table."""
    found = []
    for path in sorted(references.glob("*.json")):
        try:
            found += [path.stem] * (table in read_json(path.read_bytes()).get("tables", {}))
        except (OSError, DocumentError):
            continue
    return found


def _recipe(table: str) -> Row:
    if table not in recipes():
        hint = did_you_mean(table, recipes()) or f"; those that can: {', '.join(recipes())}"
        raise UsageError(f"{table} holds figures that a person reads, so nothing fetches it{hint}")
    return recipes()[table]


def _widened(passport: Passport, raw: bytes) -> Passport:
    """The passport with the ends of its calendar moved on, never back, to where the table ends now."""
    descriptor, rows = copy.deepcopy(passport.descriptor), rows_of(raw)
    for spec in descriptor.get("kbio", {}).get("checks", []):
        if spec["check"] != "calendar":
            continue
        ends: dict[str, str] = {}
        for row in rows:
            name = " ".join(row[column] for column in spec.get("by", []))
            ends[name] = max(ends.get(name, ""), row[spec["column"]])
        for name, span in spec.get("spans", {}).items():
            span[1] = max(span[1], ends.get(name, ""))
        newest = max(ends.values())
        if "last" in spec and newest > str(spec["last"]):
            late = [name for name, end in ends.items() if str(spec["last"]) <= end < newest]
            spec["except"] = sorted({*spec.get("except", []), *late})
            spec["last"] = type(spec["last"])(newest)
    for field in descriptor["schema"]["fields"]:
        limit = field.get("constraints", {}).get("maximum")
        if field["name"] in ("year", "month") and limit is not None:
            field["constraints"]["maximum"] = max(limit, type(limit)(max(row[field["name"]] for row in rows)))
    return replace(passport, descriptor=descriptor)
