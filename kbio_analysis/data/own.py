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
from .package import Package, data_root, package_in_use, read_package, sorted_rows, vouched, write_package, written
from .schemas import parse, typed


def package_with(given: list[str], today: date) -> Path:
    """The folder of a package like the one in use but for the tables ``given`` as NAME=path.csv; the caller removes it.

    Raises UsageError for a request that cannot be read, DataError for figures that break the table's schema.
    """
    root, wanted = data_root().resolve(), dict[str, Path]()
    for request in given:
        name, _, path = request.partition("=")
        read_package(root).passport(name)
        fault = "given twice" if name in wanted else "sources cannot be replaced" if name == "sources" else ""
        if fault := fault or ("" if Path(path).is_file() else f"write NAME=path.csv; no file {path or 'is named'}"):
            raise UsageError(f"--table {name}: {fault}")
        wanted[name] = Path(path)
    folder = Path(tempfile.mkdtemp(prefix="kbio-own-")) / "data"
    try:
        shutil.copytree(root, folder, ignore=shutil.ignore_patterns("candidates", "vintages"))
        if (root.parent / "notebooks").is_dir():
            (folder.parent / "notebooks").symlink_to(root.parent / "notebooks")
        package = read_package(folder)
        for name, path in wanted.items():
            _replace(package, name, path, today)
        write_package(package)
    except BaseException:
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise
    return folder


def own_tables(root: Path) -> dict[str, str]:
    """Table -> name of the file that stands in its place; empty for a package as it is shipped."""
    try:
        passports = package_in_use(root).passports
    except DataError:
        return {}
    return {name: str(passport.kbio["own"]) for name, passport in passports.items() if passport.kbio.get("own")}


def _replace(package: Package, name: str, path: Path, today: date) -> None:
    passport, sources, rows = package.passport(name), package.passport("sources"), file_rows(path)
    columns, rules = passport.columns, passport.kbio.get("available_from", [])
    said = [f"unknown column {column}" for column in rows[0] if column not in columns]
    optional = ("source_id", "available_from", "note")
    said += [f"missing column {column}" for column in columns if column not in (*rows[0], *optional)]
    if said:
        raise DataError(f"--table {name}: {path.name}: {'; '.join(said)}; the table has {', '.join(columns)}")
    mine = {"source_id": "OWN_" + re.sub(r"\W", "_", name, flags=re.ASCII).upper(), "title": name, "url": ""}
    mine |= {"publisher": f"own data, {path.name}, not vouched for", "published": str(today), "licence": "not stated"}
    mine["how_read"] = "given with --table for one run"
    cited = {"source_id": mine["source_id"]} if "source_id" in columns else {}
    whole = [{column: row.get(column) or "" for column in columns} | cited for row in rows]
    for row in whole:
        for field in passport.fields:
            if field["type"] == "integer":
                row[field["name"]] = row[field["name"]].removesuffix(".0")  # as a spreadsheet writes whole numbers
        if "available_from" in columns and not row["available_from"]:
            try:
                row["available_from"] = str(due_date(row, rules, {mine["source_id"]: str(today)}) or today)
            except (ValueError, KeyError):
                row["available_from"] = str(today)  # the schema says what is wrong with the row
    raw = written(whole, columns)
    kept = {k: v for k, v in passport.kbio.items() if k not in ("checks", "available_from", "vintages")}
    passport.descriptor["kbio"] = kept | {"own": path.name}
    typed(parse(raw, passport), passport)
    for one, content in ((passport, raw), (sources, sorted_rows([*rows_of(sources.path.read_bytes()), mine], sources))):
        one.path.write_bytes(content)
        one.descriptor.update(vouched(content))
