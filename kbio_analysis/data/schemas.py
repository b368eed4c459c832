"""Passport fields into typed columns and a pandera schema: types and constraints are written once, in the passport."""

import math
import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .package import Passport
from .parsing import place

if TYPE_CHECKING:
    import pandera.pandas as pa
    from pandas import DataFrame, Series

# What a cell of a type looks like (None: anything), what it becomes, its column's dtype, and what is said of a misfit.
# float() alone would take nan, inf, 1_000, 1e6 and spaces: each is a slip of the pen in a published figure.
_TYPES: dict[str, tuple[str | None, Callable[[str], Any], str, str]] = {
    "string": (None, str, "object", ""),
    "integer": (r"-?(0|[1-9]\d*)", int, "int64", "is not a whole number"),
    "number": (r"-?(0|[1-9]\d*)(\.\d+)?", float, "float64", "is not a plain decimal number"),
    "date": (r".{10}", date.fromisoformat, "datetime64[s]", "is not a date YYYY-MM-DD"),
    "yearmonth": (r"\d{4}-(0[1-9]|1[0-2])", str, "period[M]", "is not a month YYYY-MM"),
}


def fits(kind: str, cell: str) -> bool:
    """Whether a cell that is not blank can be of this type."""
    try:
        return value_of(kind, cell) is not None
    except ValueError:
        return False


def value_of(kind: str, cell: str) -> Any:
    """What a cell that is not blank says, by its type. Raises ValueError if it is no such thing."""
    form, make, _, _ = _TYPES[kind]
    value = make(cell)
    if (form and not re.fullmatch(form, cell)) or value in (math.inf, -math.inf):
        raise ValueError(cell)
    return value


def typed(frame: "DataFrame", passport: Passport) -> "DataFrame":
    """Turn strings into the passport's types and hold every constraint against them; the index stays the file line.

    integer -> int64, number -> float64, date -> datetime64, yearmonth -> Period[M], string -> str. A blank optional
    text is ``""``, any other blank is missing. Raises DataError with table, line, column and value.
    """
    import pandas as pd

    columns = {f["name"]: _convert(frame[f["name"]], f, passport.name) for f in passport.fields}
    result = pd.DataFrame(columns, index=frame.index)
    _validate(result, passport)
    for field in passport.fields:
        if field["type"] == "string":
            result[field["name"]] = result[field["name"]].fillna("").astype("str")
    return result


def _convert(cells: "Series", field: dict[str, Any], table: str) -> "Series":
    import pandas as pd

    if field["type"] not in _TYPES:
        raise DataError(f"table {table}, column {field['name']}: the passport's type {field['type']!r} is not known")
    kind, name = field["type"], field["name"]
    _, _, dtype, misfit = _TYPES[kind]
    values = []
    for line, cell in cells.items():
        try:
            values.append(value_of(kind, cell) if cell else None)
        except ValueError:
            raise DataError(f"{place(table, line, name)}: {cell[:40]!r} {misfit}") from None
    if dtype == "int64" and None in values:
        dtype = "Int64"
    return pd.Series(values, index=cells.index, dtype=dtype)


def pandera_schema(passport: Passport) -> "pa.DataFrameSchema":
    """The pandera schema that the passport's field constraints and primary key amount to.

    Raises DataError if a constraint cannot be read.
    """
    import pandera.pandas as pa

    columns = {}
    for field in passport.fields:
        constraints = field.get("constraints", {})
        try:
            checks = _checks(field)
        except (ValueError, re.error) as error:
            raise DataError(f"{_blame(passport, field['name'])} ({error})") from None
        columns[field["name"]] = pa.Column(
            nullable=not constraints.get("required", False),
            unique=constraints.get("unique", False),
            checks=checks,
        )
    return pa.DataFrameSchema(columns, strict=True, ordered=True, unique=passport.primary_key or None)


def _checks(field: dict[str, Any]) -> list["pa.Check"]:
    import pandas as pd
    import pandera.pandas as pa

    rules, kind = field.get("constraints", {}), field["type"]
    make = {"date": pd.Timestamp, "yearmonth": pd.Period}.get(kind, _TYPES[kind][1])
    bounds = (("minimum", pa.Check.ge, "below"), ("maximum", pa.Check.le, "above"))
    checks = [
        hold(make(str(rules[n])), error=f"is {side} the {n} {rules[n]}") for n, hold, side in bounds if n in rules
    ]
    if "enum" in rules:
        checks.append(pa.Check.isin(rules["enum"], error=f"is none of {', '.join(map(str, rules['enum']))}"))
    if "pattern" in rules:
        checks.append(pa.Check.str_matches(f"^(?:{rules['pattern']})$", error=f"does not match {rules['pattern']}"))
    return checks


def _validate(frame: "DataFrame", passport: Passport) -> None:
    import pandera.pandas as pa

    try:
        pandera_schema(passport).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as failures:
        raise DataError(_first_failure(failures.failure_cases, frame, passport)) from None


def _first_failure(cases: "DataFrame", frame: "DataFrame", passport: Passport) -> str:
    if cases["index"].isna().any():
        case = cases[cases["index"].isna()].iloc[0]
        return f"{_blame(passport, case['column'])} ({case['check']})"
    cases = cases.sort_values("index", kind="stable")
    doubled = cases["check"].astype(str).str.contains("uniqueness")
    lines = cases.loc[~doubled, "index"].nunique()
    more = f" (and {lines - 1} more lines with failures)" if lines > 1 else ""
    if lines:
        case = cases[~doubled].iloc[0]
        column, value = case["column"], case["failure_case"]
        said = "is blank but required" if case["check"] == "not_nullable" else f"{_plain(value)!r} {case['check']}"
        return f"{place(passport.name, int(case['index']), column)}: {said}{more}"
    column = str(cases.iloc[0]["column"])
    key = [column] if column in frame.columns and len(set(cases["column"])) == 1 else passport.primary_key
    values = frame.loc[int(cases.iloc[0]["index"]), key]
    same = frame.index[(frame[key] == values).all(axis=1)]
    named = ", ".join(f"{name}={_plain(value)}" for name, value in values.items())
    return f"{place(passport.name, same[-1], ', '.join(key))}: the key {named} stands already in line {same[0]}"


def _blame(passport: Passport, column: str) -> str:
    return f"table {passport.name}, column {column}: the passport's constraint does not work"


def _plain(value: Any) -> Any:
    """A value as it stood in the file, without the wrapping of numpy or pandas."""
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, (int, float, str)) else str(value)
