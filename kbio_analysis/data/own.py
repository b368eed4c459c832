"""Own figures in the place of tables, for one run: a copy of the data package in which they stand, labelled so.

The figures keep the table's schema. Whatever they cite, they are credited to the file they come from, as not vouched
for; checks of calendar and jumps, which know the shipped figures, do not apply to them.
"""

import re
import shutil
import tempfile
from datetime import date
from pathlib import Path

from ..errors import DataError, UsageError
from ..reading import file_rows, rows_of
from .checks import due_date
from .package import Package, Passport, data_root, read_package, vouched, write_package, written
from .parsing import parse
from .schemas import typed


def package_with(given: list[str], today: date) -> Path:
    """The folder of a package like the one in use but for the tables ``given`` as NAME=path.csv; the caller removes it.

    Raises UsageError for a request that cannot be read, DataError for figures that break the table's schema.
    """
    root = data_root().resolve()
    wanted = _requests(given, read_package(root))
    folder = Path(tempfile.mkdtemp(prefix="kbio-own-")) / "data"
    try:
        shutil.copytree(root, folder, ignore=shutil.ignore_patterns("candidates", "vintages"))
        if (root.parent / "notebooks").is_dir():
            (folder.parent / "notebooks").symlink_to(root.parent / "notebooks")
        package = read_package(folder)
        for name, path in wanted.items():
            _replace(package, package.passport(name), path, today)
        write_package(package)
    except BaseException:
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise
    return folder


def own_tables(root: Path) -> dict[str, str]:
    """Table -> name of the file that stands in its place; empty for a package as it is shipped."""
    try:
        passports = read_package(root).passports
    except DataError:
        return {}
    return {name: str(passport.kbio["own"]) for name, passport in passports.items() if passport.kbio.get("own")}


def _requests(given: list[str], package: Package) -> dict[str, Path]:
    wanted: dict[str, Path] = {}
    for request in given:
        name, _, path = request.partition("=")
        if not path:
            raise UsageError(f"--table {request!r}: write --table NAME=path.csv")
        package.passport(name)
        fault = "given twice" if name in wanted else "sources cannot be replaced" if name == "sources" else ""
        if fault := fault or ("" if Path(path).is_file() else f"no file {path}"):
            raise UsageError(f"--table {name}: {fault}")
        wanted[name] = Path(path)
    return wanted


def _replace(package: Package, passport: Passport, path: Path, today: date) -> None:
    columns = passport.columns
    rows = file_rows(path)
    source_id = "OWN_" + re.sub(r"\W", "_", passport.name, flags=re.ASCII).upper()
    unknown = [name for name in rows[0] if name not in columns]
    lacking = [name for name in columns if name not in (*rows[0], "source_id", "available_from", "note")]
    if unknown or lacking:
        said = f"unknown column {', '.join(map(str, unknown))}" if unknown else f"missing column {', '.join(lacking)}"
        raise DataError(f"--table {passport.name}: {path.name}: {said}; the table has {', '.join(columns)}")
    whole = [{name: row.get(name) or "" for name in columns} for row in rows]
    counted = [field["name"] for field in passport.fields if field["type"] == "integer"]
    for row in whole:
        row |= {name: row[name].removesuffix(".0") for name in counted}  # as a spreadsheet writes whole numbers
        row["source_id"] = source_id if "source_id" in columns else ""
        if "available_from" in columns and not row["available_from"]:
            row["available_from"] = str(_due(row, passport, source_id, today))
    raw = written(whole, columns)
    kept = {k: v for k, v in passport.kbio.items() if k not in ("checks", "available_from", "vintages")}
    passport.descriptor["kbio"] = kept | {"own": path.name}
    typed(parse(raw, passport), passport)
    _replace_bytes(passport, raw)
    sources = package.passport("sources")
    mine = {"source_id": source_id, "publisher": f"own data, {path.name}, not vouched for", "title": passport.name}
    mine |= {"published": str(today), "url": "", "licence": "not stated", "how_read": "given with --table for one run"}
    held = sorted([*rows_of(sources.path.read_bytes()), mine], key=lambda row: row["source_id"])
    _replace_bytes(sources, written(held, sources.columns))


def _due(row: dict[str, str], passport: Passport, source_id: str, today: date) -> date:
    try:
        return due_date(row, passport.kbio.get("available_from", []), {source_id: str(today)}) or today
    except (ValueError, KeyError):
        return today  # the schema says what is wrong with the row


def _replace_bytes(passport: Passport, raw: bytes) -> None:
    passport.path.write_bytes(raw)
    passport.descriptor.update(vouched(raw))
