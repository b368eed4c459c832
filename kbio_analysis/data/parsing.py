"""Bytes of a CSV table into strings; whatever would be read wrongly without a word is refused by line and column."""

import csv
import io
from typing import TYPE_CHECKING

from ..errors import DataError
from ..reading import unpacked
from .package import Passport

if TYPE_CHECKING:
    from pandas import DataFrame


def place(table: str, line: int, column: str) -> str:
    """The one way in which an error says where: table, line of the file, column."""
    return f"table {table}, line {line}, column {column}"


def parse(raw: bytes, passport: Passport) -> "DataFrame":
    """Parse ``raw`` into strings, columns as in the passport, index = line of the file (the header is line 1).

    Raises DataError on another encoding, a byte order mark, another delimiter, missing, extra or reordered columns,
    rows of another width, cells that run over lines, or no rows at all.
    """
    import pandas as pd

    text = _decode(unpacked(raw), passport.name)
    try:
        header, *body = csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise DataError(f"table {passport.name} is not well-formed CSV ({error}); check its quotes") from None
    columns, lines = passport.columns, range(2, len(body) + 2)
    _check_header(header, columns, passport.name)
    if not body:
        raise DataError(f"table {passport.name} has a header but no rows")
    if lines.stop - 1 != text.count("\n"):
        raise DataError(f"table {passport.name}: a cell runs over several lines, or the last line has no end")
    for line, row in zip(lines, body, strict=True):
        if len(row) != len(columns):
            last = columns[min(len(row), len(columns)) - 1] if row else columns[0]
            raise DataError(
                f"{place(passport.name, line, last)}: the row has {len(row)} cells, the header {len(columns)}; "
                "a comma inside a text needs quotes"
            )
    return pd.DataFrame(dict(zip(columns, zip(*body, strict=True), strict=True)), index=lines, dtype=object)


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
