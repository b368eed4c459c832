"""Bytes of a CSV table into a frame of strings, refusing whatever would be read wrongly without a word."""

import csv
import io
import re
from typing import TYPE_CHECKING

from ..errors import DataError
from ..reading import unpacked
from .package import Passport

if TYPE_CHECKING:
    from pandas import DataFrame

# Control, zero-width and direction-changing characters: they hide or reorder what a reader sees.
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]")
FORMULA_STARTS = ("=", "+", "-", "@")  # a spreadsheet that opens the download runs a text that begins so as a formula


def place(table: str, line: int, column: str) -> str:
    """The one way in which an error says where: table, line of the file, column."""
    return f"table {table}, line {line}, column {column}"


def parse(raw: bytes, passport: Passport) -> "DataFrame":
    """Parse ``raw`` into strings, columns as in the passport, index = line of the file (the header is line 1).

    Raises DataError on another encoding, a byte order mark, hidden characters, another delimiter, missing, extra or
    reordered columns, rows of another width, cells that run over lines, formula-like text, or no rows at all.
    """
    import pandas as pd

    text = _decode(unpacked(raw), passport.name)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"table {passport.name} is not well-formed CSV ({error}); check its quotes") from None
    columns, body = passport.columns, rows[1:]
    _check_header(rows[0], columns, passport.name)
    if not body:
        raise DataError(f"table {passport.name} has a header but no rows")
    if len(rows) != text.count("\n"):
        raise DataError(f"table {passport.name}: a cell runs over several lines, or the last line has no end")
    suspect = HIDDEN.search(text) is not None
    for line, row in enumerate(body, start=2):
        if len(row) != len(columns):
            last = columns[min(len(row), len(columns)) - 1] if row else columns[0]
            raise DataError(
                f"{place(passport.name, line, last)}: the row has {len(row)} cells, the header {len(columns)}; "
                "a comma inside a text needs quotes"
            )
        for at, cell in enumerate(row):
            said = ""
            if suspect and (hidden := HIDDEN.search(cell)):
                said = f"hidden character U+{ord(hidden[0]):04X}; remove it"
            elif cell.startswith(FORMULA_STARTS) and passport.fields[at]["type"] == "string":
                said = f"{cell[:40]!r} would be run as a formula by a spreadsheet; reword the text"
            if said:
                raise DataError(f"{place(passport.name, line, columns[at])}: {said}")
    return pd.DataFrame(body, columns=columns, index=range(2, len(rows) + 1), dtype=object)


def _decode(raw: bytes, table: str) -> str:
    if not raw.strip():
        raise DataError(f"table {table} is empty; restore the file")
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"table {table} begins with a byte order mark; save it as UTF-8 without one")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(f"table {table}, line {line}: not UTF-8 (byte {raw[error.start]:#04x})") from None


def _check_header(found: list[str], expected: list[str], table: str) -> None:
    if found == expected:
        return
    parted = [other for other in ";\t|" if len(found) == 1 < len(expected) and other in found[0]]
    said = [f"columns are separated by {other!r}; a comma is expected" for other in parted]
    said = said or [f"missing column {name}" for name in expected if name not in found]
    said += [f"unknown column {name}" for name in found if name not in expected and not parted]
    said = said or ["columns are doubled or out of order"]
    raise DataError(f"table {table}, line 1: {'; '.join(said)}; the passport says {', '.join(expected)}")
