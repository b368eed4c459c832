"""Everything that can be said against the data package, gathered rather than stopped at."""

from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .corrections import read_corrections
from .package import Package, Passport, read_package
from .release import expected_date
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
        problems += _passport_problems(passport)
        try:
            frames[name] = load_from(package, name)
        except DataError as error:
            problems.append(str(error))
    problems += _unlisted(package) + _correction_problems(package, frames)
    if "sources" in frames:
        problems += _source_problems(frames)
        published = frames["sources"].set_index("source_id")["published"].to_dict()
        for name, frame in frames.items():
            problems += _release_problems(package.passports[name], frame, published)
    return list(dict.fromkeys(problems))


def _passport_problems(passport: Passport) -> list[str]:
    def lacks(what: str) -> str:
        return f"passport of {passport.name}: {what}"

    problems = [lacks(f"{key} is missing") for key in REQUIRED if not passport.descriptor.get(key)]
    kbio = passport.descriptor.get("kbio", {})
    if not kbio.get("traps"):
        problems.append(lacks("kbio.traps is missing (say what a reader may get wrong)"))
    if not passport.primary_key:
        problems.append(lacks("schema.primaryKey is missing"))
    names = [field["name"] for field in passport.fields]
    if "available_from" in names and not kbio.get("available_from"):
        problems.append(lacks("kbio.available_from is missing (the release rules)"))
    for field in passport.fields:
        if not field.get("description"):
            problems.append(lacks(f"field {field['name']} has no description"))
        if field["type"] in ("integer", "number") and not field.get("unit"):
            problems.append(lacks(f"field {field['name']} has no unit"))
    for source in passport.descriptor.get("sources", []):
        problems += [lacks(f"a source has no {key}") for key in ("title", "publisher", "path") if not source.get(key)]
    return problems


def _unlisted(package: Package) -> list[str]:
    listed = {passport.path.resolve() for passport in package.passports.values()}
    found = sorted(path for path in package.root.rglob("*.csv") if path.resolve() not in listed)
    return [f"{path.relative_to(package.root)} has no passport; add one or remove the file" for path in found]


def _correction_problems(package: Package, frames: "dict[str, DataFrame]") -> list[str]:
    try:
        corrections = read_corrections(package.root)
    except DataError as error:
        return [str(error)]
    problems = []
    for correction in corrections:
        if correction.table not in package.passports:
            problems.append(f"{correction}: there is no such table")
        if "sources" in frames and correction.source_id not in set(frames["sources"]["source_id"]):
            problems.append(f"{correction}: source_id {correction.source_id!r} is not in the table sources")
    return problems


def _source_problems(frames: "dict[str, DataFrame]") -> list[str]:
    cited = {i for name, f in frames.items() if name != "sources" and "source_id" in f for i in f["source_id"]}
    idle = [i for i in frames["sources"]["source_id"] if i not in cited]
    return [f"table sources: {i} is cited by no table; remove the row" for i in idle]


def _release_problems(passport: Passport, frame: "DataFrame", published: dict[str, str]) -> list[str]:
    rules: list[dict[str, Any]] = passport.descriptor.get("kbio", {}).get("available_from", [])
    if "available_from" not in frame or not rules:
        return []
    for line, row in zip(frame.index, frame.to_dict("records"), strict=True):
        try:
            due = expected_date(row, rules, published)
        except DataError as error:
            return [str(error)]
        found = row["available_from"].date()
        if due != found:
            said = f"the release rule gives {due}" if due else "no release rule fits the row"
            return [f"table {passport.name}, line {line}, column available_from: {found}, but {said}"]
    return []
