"""Everything that can be said against the data package, gathered rather than stopped at."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..reading import rows_of
from .checks import check_table
from .corrections import read_corrections
from .package import (
    CANDIDATES,
    PACKAGE_FILE,
    VINTAGES,
    Package,
    Passport,
    all_or_nothing,
    put,
    read_package,
    vouched,
    write_package,
)
from .tables import load_from

if TYPE_CHECKING:
    from pandas import DataFrame

REQUIRED = ("title", "description", "hash", "bytes", "rows", "sources", "licenses")


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
    problems += _unlisted(package)
    known = set(frames["sources"]["source_id"]) if "sources" in frames else None
    for one in attempt(read_corrections, package.root) or []:
        if one["table"] not in package.passports:
            problems.append(f"{one['where']}: there is no such table")
        if known is not None and one["source_id"] not in known:
            problems.append(f"{one['where']}: source_id {one['source_id']!r} is not in the table sources")
    if len(frames) == len(package.passports) and known:
        idle = sorted(known - cited_in(package))
        problems += [f"table sources: {i} is cited by no table; remove the row" for i in idle]
    return list(dict.fromkeys(problems))


def cited_in(package: Package) -> set[str]:
    """The sources that tables and vintages cite."""
    paths = [passport.path for name, passport in package.passports.items() if name != "sources"]
    paths += (package.root / VINTAGES).rglob("*.csv")
    return {row.get("source_id") or "" for path in paths for row in rows_of(path.read_bytes())}


def take_in(
    package: Package, tables: dict[str, bytes], beside: dict[Path, bytes], *further: Callable[[], object]
) -> None:
    """Put these tables, vouched for, and the files ``beside`` them in their places, then do what is ``further`` to do;
    all is as before if that fails, is interrupted, or makes the package one that does not hold, which a DataError says.
    """
    before = set(verify())
    paths = [package.passport(name).path for name in tables]
    with all_or_nothing(*paths, package.root / PACKAGE_FILE, *beside):
        for path, content in beside.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            put(path, content)
        for name, raw in tables.items():
            put(package.passports[name].path, raw)
            package.passports[name].descriptor.update(vouched(raw))
        write_package(package)
        if problems := [problem for problem in verify() if problem not in before]:
            raise DataError("\n".join(["nothing was written, since it would not hold:", *problems]))
        for step in further:
            step()


def _gaps(passport: Passport) -> Iterator[str]:
    """What a passport should say and does not."""
    about, kbio = passport.descriptor, passport.kbio
    wanted = {key: about.get(key) for key in REQUIRED} | {"schema.primaryKey": passport.primary_key}
    wanted["kbio.traps, what a reader may get wrong,"] = kbio.get("traps")
    if "available_from" in passport.columns:
        wanted["kbio.available_from, the release rules,"] = kbio.get("available_from")
    for field in passport.fields:
        wanted[f"the description of field {field['name']}"] = field.get("description")
        if field["type"] in ("integer", "number"):
            wanted[f"the unit of field {field['name']}"] = field.get("unit")
    for source in about.get("sources", []):
        wanted |= {f"{key} of a source": source.get(key) for key in ("title", "publisher", "path")}
    return (what for what, said in wanted.items() if not said)


def _unlisted(package: Package) -> list[str]:
    listed = {passport.path.relative_to(package.root) for passport in package.passports.values()}
    found = {path.relative_to(package.root) for ext in ("csv", "csv.gz") for path in package.root.rglob(f"*.{ext}")}
    stray = [path for path in sorted(found - listed) if path.parts[0] not in (CANDIDATES, VINTAGES)]
    return [f"{path} has no passport; add one or remove the file" for path in stray]
