"""Everything that can be said against the data package, gathered rather than stopped at."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..reading import rows_of
from .checks import check_table
from .package import CANDIDATES, VINTAGES, Passport, read_package
from .tables import load_from, read_corrections

if TYPE_CHECKING:
    from pandas import DataFrame


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
