"""Strings into typed columns that keep their constraints: both are written once, in the passport."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .package import Passport
from .parsing import place

if TYPE_CHECKING:
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


def typed(frame: "DataFrame", passport: Passport) -> "DataFrame":
    """Turn strings into the passport's types and hold every constraint against them; the index stays the file line.

    integer -> int64, number -> float64, date -> datetime64, yearmonth -> Period[M], string -> str. A blank optional
    text is ``""``, any other blank is missing. Raises DataError with table, line, column and value.
    """
    import pandas as pd

    columns = {f["name"]: _convert(frame[f["name"]], f, passport.name) for f in passport.fields}
    result = pd.DataFrame(columns, index=frame.index)
    _check_constraints(result, passport)
    unique = [[f["name"]] for f in passport.fields if f.get("constraints", {}).get("unique")]
    for key in (passport.primary_key, *unique):
        _check_key(result, key, passport.name)
    for field in passport.fields:
        if field["type"] == "string":
            result[field["name"]] = result[field["name"]].fillna("").astype("str")
    return result


def _convert(cells: "Series", field: dict[str, Any], table: str) -> "Series":
    import pandas as pd

    if field["type"] not in _TYPES:
        raise DataError(f"table {table}, column {field['name']}: the passport's type {field['type']!r} is not known")
    form, make, dtype, misfit = _TYPES[field["type"]]
    fits = re.compile(form).fullmatch if form else None
    values = []
    for line, cell in cells.items():
        try:
            value = make(cell) if cell else None
            if (cell and fits and not fits(cell)) or value == math.inf or value == -math.inf:
                raise ValueError
        except ValueError:
            raise DataError(f"{place(table, line, field['name'])}: {cell[:40]!r} {misfit}") from None
        values.append(value)
    if dtype == "int64" and None in values:
        dtype = "Int64"
    return pd.Series(values, index=cells.index, dtype=dtype)


def _check_constraints(frame: "DataFrame", passport: Passport) -> None:
    """Refuse the first line that breaks a constraint, and say how many more do."""
    broken: list[tuple[int, str, str]] = []
    for field in passport.fields:
        name = field["name"]
        try:
            for said, mask in _breaches(frame[name], field):
                broken += [(line, name, said) for line in frame.index[mask]]
        except (ValueError, TypeError, re.error) as error:
            message = f"table {passport.name}, column {name}: the passport's constraint does not work"
            raise DataError(f"{message} ({error})") from None
    if broken:
        line, column, said = min(broken, key=lambda breach: breach[0])
        lines = len({line for line, *_ in broken})
        value = "" if said.startswith("is blank") else f"{_plain(frame.at[line, column])!r} "
        more = f" (and {lines - 1} more lines with failures)" if lines > 1 else ""
        raise DataError(f"{place(passport.name, line, column)}: {value}{said}{more}")


def _breaches(values: "Series", field: dict[str, Any]) -> "Iterator[tuple[str, Series]]":
    """Each constraint of the field as what is said of a breach, and where it is broken."""
    import pandas as pd

    constraints, known = field.get("constraints", {}), values.notna()
    as_bound = {"date": pd.Timestamp, "yearmonth": lambda text: pd.Period(text, freq="M")}
    make = as_bound.get(field["type"], _TYPES[field["type"]][1])
    if constraints.get("required"):
        yield "is blank but required", ~known
    if "minimum" in constraints:
        low = constraints["minimum"]
        yield f"is below the minimum {low}", known & (values < make(str(low)))
    if "maximum" in constraints:
        high = constraints["maximum"]
        yield f"is above the maximum {high}", known & (values > make(str(high)))
    if "enum" in constraints:
        allowed = constraints["enum"]
        yield f"is none of {', '.join(map(str, allowed))}", known & ~values.isin(allowed)
    if "pattern" in constraints:
        if field["type"] != "string":
            raise TypeError("a pattern is for text")
        pattern = re.compile(constraints["pattern"])
        yield f"does not match {pattern.pattern}", known & values.map(lambda v: v is None or not pattern.fullmatch(v))


def _check_key(frame: "DataFrame", key: list[str], table: str) -> None:
    again = frame.index[frame.duplicated(key)] if key else []
    if len(again):
        values = frame.loc[again[0], key]
        first = frame.index[(frame[key] == values).all(axis=1)][0]
        named = ", ".join(f"{name}={_plain(value)}" for name, value in values.items())
        raise DataError(f"{place(table, again[0], ', '.join(key))}: the key {named} stands already in line {first}")


def _plain(value: Any) -> Any:
    """A value as it stood in the file, without the wrapping of numpy or pandas."""
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, (int, float, str)) else str(value)
