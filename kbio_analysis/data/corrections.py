"""Repairs of a table's cells, declared with a reason and the value they expect, and refused once that is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError
from ..reading import DocumentError, read_yaml
from .package import Passport

if TYPE_CHECKING:
    from pandas import DataFrame

CORRECTIONS_FILE = "corrections.yml"
KEYS = ("table", "row", "column", "expect", "replace", "reason", "source_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One declared repair: in ``table``, the cell ``column`` of the row with primary key ``row``, as strings."""

    number: int
    table: str
    row: Mapping[str, str]
    column: str
    expect: str
    replace: str
    reason: str
    source_id: str

    def __str__(self) -> str:
        key = ", ".join(f"{name}={value}" for name, value in self.row.items())
        return f"{CORRECTIONS_FILE}, entry {self.number} (table {self.table}, {key}, column {self.column})"


def read_corrections(root: Path) -> list[Correction]:
    """All corrections declared beside the package, in order; none if the file is absent. Raises DataError.

    Every value is text as it is written, so that 0.10 stays 0.10 and NO stays NO.
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
        raise DataError(f"{CORRECTIONS_FILE} must be one list of entries with the keys {', '.join(KEYS)}")
    return [_correction(entry, f"{CORRECTIONS_FILE}, entry {n}", n) for n, entry in enumerate(entries, start=1)]


def apply_corrections(frame: "DataFrame", passport: Passport, corrections: list[Correction]) -> "DataFrame":
    """A copy of the frame of strings with this table's corrections made.

    Raises DataError if a correction's row or column is not there, or if the cell no longer holds what it expects.
    """
    result = frame.copy()
    for correction in corrections:
        if correction.table != passport.name:
            continue
        if sorted(correction.row) != sorted(passport.primary_key) or correction.column not in result.columns:
            key = ", ".join(passport.primary_key)
            raise DataError(f"{correction}: needs the row key {key} and a column of the table")
        same = (result[list(correction.row)] == list(correction.row.values())).all(axis=1)
        if same.sum() != 1:
            raise DataError(f"{correction}: {int(same.sum())} rows have this key, one is needed")
        line = same.idxmax()
        found = result.at[line, correction.column]
        if found != correction.expect:
            raise DataError(
                f"{correction}: line {line} holds {found!r}, not the expected {correction.expect!r}; "
                "the correction has expired: delete it"
            )
        result.at[line, correction.column] = correction.replace
    return result


def _correction(entry: object, where: str, number: int) -> Correction:
    if not isinstance(entry, dict) or sorted(entry) != sorted(KEYS) or not isinstance(entry["row"], dict):
        raise DataError(f"{where}: exactly these keys are needed: {', '.join(KEYS)}, and row column by column")
    texts = [*entry["row"].values(), *(entry[key] for key in KEYS if key != "row")]
    if not all(isinstance(text, str) for text in texts) or not (entry["reason"].strip() and entry["source_id"].strip()):
        raise DataError(f"{where}: every value is one text, and reason and source_id are not blank")
    return Correction(number=number, **entry)
