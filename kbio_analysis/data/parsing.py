"""Bytes of a CSV table into a typed frame; whatever would be read wrongly without a word is refused by line and column.

Types and constraints are written once, in the passport.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import date
from operator import gt, lt
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..reading import unpacked
from .package import Passport

if TYPE_CHECKING:
    from pandas import DataFrame, Series

# What a cell of a type looks like, what it becomes, its column's dtype, and what is said of a misfit.
# float() alone would take nan, inf, 1_000, 1e6 and spaces: each is a slip of the pen in a published figure. In a text,
# control, zero-width and direction-changing characters hide or reorder what a reader sees.
_TEXT = "(?![=+@-])[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]*"
_UNFIT = "has a hidden character, or would be run as a formula by a spreadsheet; reword it"
_TYPES: dict[str, tuple[str, Callable[[str], Any], str, str]] = {
    "string": (_TEXT, str, "str", _UNFIT),
    "integer": (r"-?(0|[1-9]\d*)", int, "int64", "is not a whole number"),
    "number": (r"-?(0|[1-9]\d{0,300})(\.\d+)?", float, "float64", "is not a plain decimal number"),
    "date": (r"\d{4}-\d\d-\d\d", date.fromisoformat, "datetime64[s]", "is not a date YYYY-MM-DD"),
    "yearmonth": (r"\d{4}-(0[1-9]|1[0-2])", str, "period[M]", "is not a month YYYY-MM"),
}


def place(table: str, line: int, column: str) -> str:
    """The one way in which an error says where: table, line of the file, column."""
    return f"table {table}, line {line}, column {column}"


def fits(kind: str, cell: str) -> bool:
    """Whether a cell that is not blank can be of this type."""
    form, make, _, _ = _TYPES[kind]
    try:
        return re.fullmatch(form, cell, re.ASCII) is not None and make(cell) is not None
    except ValueError:
        return False


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


def typed(strings: "DataFrame", passport: Passport) -> "DataFrame":
    """Turn strings into the passport's types and hold every constraint against them; the index stays the file line.

    integer -> int64, number -> float64, date -> datetime64, yearmonth -> Period[M], string -> str. A blank optional
    text is ``""``, any other blank is missing. Raises DataError with table, line, column and value, or with the
    constraint that cannot be read.
    """
    import pandas as pd

    columns = {field["name"]: _column(strings[field["name"]], field, passport.name) for field in passport.fields}
    frame = pd.DataFrame(columns)
    unique = [[field["name"]] for field in passport.fields if field.get("constraints", {}).get("unique")]
    for key in [*unique, passport.primary_key]:
        again = frame.index[frame.duplicated(key)] if key else []
        if len(again):
            cells = strings.loc[again[0], key]
            first = frame.index[(frame[key] == frame.loc[again[0], key]).all(axis=1)][0]
            named = ", ".join(f"{name}={cell}" for name, cell in cells.items())
            where = place(passport.name, again[0], ", ".join(key))
            raise DataError(f"{where}: the key {named} stands already in line {first}")
    return frame


def _column(cells: "Series", field: dict[str, Any], table: str) -> "Series":
    """A column typed. What holds of one cell holds of all that read the same, so each different one is met once."""
    import pandas as pd

    kind, name, rules = field["type"], field["name"], field.get("constraints", {})
    if kind not in _TYPES:
        raise DataError(f"table {table}, column {name}: the passport's type {kind!r} is not known")
    _, make, dtype, misfit = _TYPES[kind]

    def refuse(wrong: Iterable[str], said: str) -> None:
        if wrong := set(wrong):
            first, *more = cells.index[cells.isin(wrong)]
            others = f" (and {len(more)} more lines)" if more else ""
            raise DataError(f"{place(table, first, name)}: {cells[first][:40]!r} {said}{others}")

    codes, texts = pd.factorize(cells)
    refuse((text for text in texts if text and not fits(kind, text)), misfit)
    values = {text: make(text) for text in texts if text}
    try:
        for rule, beyond, side in (("minimum", lt, "below"), ("maximum", gt, "above")):
            if rule in rules:
                bound = make(str(rules[rule]))
                refuse((t for t, value in values.items() if beyond(value, bound)), f"is {side} the {rule} {bound}")
        if "enum" in rules:
            known = ", ".join(map(str, rules["enum"]))
            refuse((text for text, value in values.items() if value not in rules["enum"]), f"is none of {known}")
        if pattern := rules.get("pattern"):
            refuse((text for text in values if not re.fullmatch(pattern, text)), f"does not match {pattern}")
    except (ValueError, re.error) as error:
        raise DataError(f"table {table}, column {name}: the passport's constraint does not work ({error})") from None
    if len(values) < len(texts):
        refuse([""] if rules.get("required") else [], "is blank but required")
        values[""] = "" if kind == "string" else None
        dtype = "Int64" if kind == "integer" else dtype
    return pd.Series([values[text] for text in texts], dtype=dtype).take(codes).set_axis(cells.index)
