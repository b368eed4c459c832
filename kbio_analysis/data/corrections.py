"""Repairs of a table's cells, declared with a reason and the value they expect, and refused once that is gone."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..reading import DocumentError, read_yaml
from .package import Passport, hold_form

if TYPE_CHECKING:
    from pandas import DataFrame

CORRECTIONS_FILE = "corrections.yml"


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


def apply_corrections(frame: "DataFrame", passport: Passport, corrections: list[dict[str, Any]]) -> "DataFrame":
    """A copy of the frame of strings with this table's corrections made.

    Raises DataError if a correction's row or column is not there, or if the cell no longer holds what it expects.
    """
    result = frame.copy()
    for one in corrections:
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
    return result
