"""Bytes of a CSV table into the types of a passport, held against its pandera schema; whatever would be read wrongly
without a word is refused by line and column. Types and constraints are written once, in the passport.
"""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..reading import unpacked
from .package import Passport

if TYPE_CHECKING:
    import pandera.pandas as pa
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
_FORMS = {kind: re.compile(form, re.ASCII) for kind, (form, *_) in _TYPES.items()}


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
    return pd.DataFrame(body, index=lines, columns=columns, dtype=object)


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


def fits(kind: str, cell: str) -> bool:
    """Whether a cell that is not blank can be of this type."""
    try:
        return _FORMS[kind].fullmatch(cell) is not None and _TYPES[kind][1](cell) is not None
    except ValueError:
        return False


def typed(strings: "DataFrame", passport: Passport) -> "DataFrame":
    """Turn strings into the passport's types and hold every constraint against them; the index stays the file line.

    integer -> int64, number -> float64, date -> datetime64, yearmonth -> Period[M], string -> str. A blank optional
    text is ``""``, any other blank is missing. Raises DataError with table, line, column and value, or with the
    constraint that does not work.
    """
    import pandas as pd
    import pandera.pandas as pa

    frame = pd.DataFrame({field["name"]: _column(strings[field["name"]], field, passport) for field in passport.fields})
    try:
        schema(passport).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as failures:
        raise DataError(_first(failures.failure_cases, strings, passport)) from None
    optional = [field["name"] for field in passport.fields if not field.get("constraints", {}).get("required")]
    return frame.assign(**{name: frame[name].fillna("") for name in optional if frame[name].dtype == "str"})


def schema(passport: Passport) -> "pa.DataFrameSchema":
    """The pandera schema that the passport's constraints and key amount to. Raises DataError for one that cannot be."""
    import pandas as pd
    import pandera.pandas as pa

    columns = {}
    for field in passport.fields:
        rules, kind = field.get("constraints", {}), field["type"]
        make = {"date": pd.Timestamp, "yearmonth": pd.Period}.get(kind, _TYPES[kind][1])
        checks = []
        try:
            for rule, hold, side in (("minimum", pa.Check.ge, "below"), ("maximum", pa.Check.le, "above")):
                if rule in rules:
                    checks.append(hold(make(str(rules[rule])), error=f"is {side} the {rule} {rules[rule]}"))
            if "enum" in rules:
                checks.append(pa.Check.isin(rules["enum"], error=f"is none of {', '.join(map(str, rules['enum']))}"))
            if pattern := rules.get("pattern"):
                checks.append(pa.Check.str_matches(f"^(?:{pattern})$", error=f"does not match {pattern}"))
        except (ValueError, re.error) as error:
            raise DataError(f"{_blame(passport, field['name'])} ({error})") from None
        required, unique = rules.get("required", False), rules.get("unique", False)
        columns[field["name"]] = pa.Column(nullable=not required, unique=unique, checks=checks)
    return pa.DataFrameSchema(columns, unique=passport.primary_key or None)


def _column(cells: "Series", field: dict[str, Any], passport: Passport) -> "Series":
    """A column typed, a blank missing. What holds of one cell holds of all that read the same: each is met once."""
    import pandas as pd

    kind, name = field["type"], field["name"]
    if kind not in _TYPES:
        raise DataError(f"table {passport.name}, column {name}: the passport's type {kind!r} is not known")
    (_, make, dtype, misfit), like = _TYPES[kind], _FORMS[kind].fullmatch
    codes, texts = pd.factorize(cells.to_numpy())
    if wrong := [text for text in texts if text and not (like(text) and (kind != "date" or fits(kind, text)))]:
        line = cells.index[cells.isin(wrong)][0]
        raise DataError(f"{place(passport.name, line, name)}: {cells[line][:40]!r} {misfit}")
    values = [make(text) if text else None for text in texts]
    dtype = "Int64" if kind == "integer" and None in values else dtype
    return pd.Series(pd.Series(values, dtype=dtype).array.take(codes), cells.index)


def _first(cases: "DataFrame", strings: "DataFrame", passport: Passport) -> str:
    """The first line that breaks the schema, in words; of doubled keys only if nothing else is wrong."""
    broken = cases[cases["index"].isna()]
    if len(broken):
        return f"{_blame(passport, broken.iloc[0]['column'])} ({broken.iloc[0]['check']})"
    cases = cases.sort_values("index", kind="stable")
    doubled = cases["check"].astype(str).str.contains("uniqueness")
    if not doubled.all():
        case, lines = cases[~doubled].iloc[0], cases.loc[~doubled, "index"].nunique()
        blank = case["check"] == "not_nullable"
        cell = strings.at[int(case["index"]), case["column"]]
        said = "is blank but required" if blank else f"{cell[:40]!r} {case['check']}"
        more = f" (and {lines - 1} more lines)" if lines > 1 else ""
        return f"{place(passport.name, int(case['index']), case['column'])}: {said}{more}"
    key = passport.primary_key if cases["column"].nunique() > 1 else [cases.iloc[0]["column"]]
    cells = strings.loc[int(cases.iloc[0]["index"]), key]
    same = strings.index[(strings[key] == cells).all(axis=1)]
    named = ", ".join(f"{name}={cell}" for name, cell in cells.items())
    return f"{place(passport.name, same[-1], ', '.join(key))}: the key {named} stands already in line {same[0]}"


def _blame(passport: Passport, column: str) -> str:
    return f"table {passport.name}, column {column}: the passport's constraint does not work"
