"""Strings into the types of a passport, held against its pandera schema: both are written once, in the passport."""

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
    texts = [field["name"] for field in passport.fields if field["type"] == "string"]
    return frame.assign(**{name: frame[name].fillna("") for name in texts})


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
    _, make, dtype, misfit = _TYPES[kind]
    codes, texts = pd.factorize(cells)
    if wrong := [text for text in texts if text and not fits(kind, text)]:
        line = cells.index[cells.isin(wrong)][0]
        raise DataError(f"{place(passport.name, line, name)}: {cells[line][:40]!r} {misfit}")
    values = [make(text) if text else None for text in texts]
    dtype = "Int64" if kind == "integer" and None in values else dtype
    return pd.Series(values, dtype=dtype).take(codes).set_axis(cells.index)


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
