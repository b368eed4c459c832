"""A notebook's parameters as its author declared them, and values checked against them before anything starts.

The ``parameters`` cell is the first code cell; a line of it is ``name: type = default  # meaning, unit [low..high]``.
Further marks may follow: ``[> other]`` asks for more than the parameter ``other`` (``[>= other]``: no less; a year is
held against the year of a date), ``[3 rising]`` for a list of three values in rising order, ``[1+]`` for at least one,
``[in table.column]`` for what stands in a column of ``data/tables``. The cell is read with ``ast`` and ``tokenize``:
nothing of it is run. Values are judged by pydantic in strict mode; text (from the command line or a batch file) is read
by the declared type and never guessed: ``00123`` stays text for a ``str``, ``NO`` is no boolean, ``1e6`` is no ``int``.
Dates travel as ISO strings, so that every value is JSON.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any

from kbio_analysis.errors import DataError, ParameterError, did_you_mean
from kbio_analysis.reading import rows_of
from kbio_analysis.render.notebooks import completed, read_notebook
from kbio_analysis.render.provenance import own_metadata

TAG, INJECTED = "parameters", "injected-parameters"
LAYOUTS = ("brief",)

# No pattern here takes more than one way through a text: a long comment or value would take minutes.
_ORDER = re.compile(r"(>=?)\s*(\w+)")
_ITEMS = re.compile(r"(\d+)(\+?)( rising)?")
_COLUMN = re.compile(r"in (\w+)\.(\w+)")
_UNIT = re.compile(r",\s([^,()]+(?:\([^()]*\)[^,()]*)*)$")
_TYPE = re.compile(r"(list\[)?(?:(?:\w+\.)?(int|float|bool|str|date)|Literal\[(.*)\])(?(1)\])( \| None)?", re.DOTALL)
_TYPES = "int, float, bool, str, date, list[...], Literal[...] or T | None"
# Scalar -> how its text looks, how it is read, and what is said of anything else.
_SCALARS = {
    "int": (r"[+-]?\d{1,400}", int, "an int: expected a whole number such as 2030"),
    "float": (r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", float, "a float: expected a number such as 11.9"),
    "bool": (r"(?i:true|false)", lambda text: text.lower() == "true", "a bool: write true or false"),
    "date": (r"\d{4}-\d{2}-\d{2}", date.fromisoformat, "a date: write a day of the calendar as YYYY-MM-DD"),
    "str": (None, None, "a str: expected text"),
    "literal": (r"[+-]?\d{1,400}", int, "one of the choices"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared line. ``scalar`` is the type of a value, of each item if it is a list (``many``); ``choices`` are
    those of a Literal. ``default``, ``low`` and ``high`` are of the declared type (dates as ISO strings). ``orders``:
    ``>`` or ``>=`` and the parameter that it is held against; ``items``: least and most values of a list, and whether
    they must rise; ``column``: the table and the column that holds every value."""

    name: str
    type_text: str
    scalar: str
    choices: tuple[str | int, ...] = ()
    many: bool = False
    optional: bool = False
    default: object = None
    meaning: str = ""
    unit: str | None = None
    low: object = None
    high: object = None
    orders: tuple[tuple[str, str], ...] = ()
    items: tuple[int, float, bool] = (0, inf, False)
    column: tuple[str, str] | None = None

    def accept(self, value: object) -> object:
        """The value as the declared type and within the bounds. Raises ValueError saying what was expected."""
        from pydantic import ValidationError

        adapter = _adapter(self.scalar, self.choices, self.many, self.optional, self.low, self.high)
        try:
            accepted = adapter.validate_python(value, strict=True)
        except ValidationError as problem:
            raise ValueError("; ".join(self._complaint(error) for error in problem.errors(include_url=False))) from None
        least, most, rising = self.items
        if self.many and accepted is not None:
            if not least <= len(accepted) <= most:
                raise ValueError(f"{accepted} holds {len(accepted)}; give {'at least ' * (most > least)}{least}")
            if rising and accepted != sorted(accepted):
                raise ValueError(f"{accepted} is not in rising order")
        for one in (accepted if self.many else [accepted]) if self.column and accepted is not None else ():
            if (known := _held(*self.column)) and one not in known:
                near = did_you_mean(str(one).upper() if one == str(one).lower() else str(one), sorted(known))
                raise ValueError(f"{one!r} is not in {self.column[1]} of data/tables/{self.column[0]}{near}")
        return accepted

    def _complaint(self, error: Mapping[str, Any]) -> str:
        value, context, kind = error["input"], error.get("ctx", {}), error["type"]
        shown = repr(value) if len(str(value)[:90]) <= 80 else f"{str(value)[:80]}..."
        if kind in ("greater_than_equal", "less_than_equal"):
            side = "below the least" if "ge" in context else "above the most"
            return f"{value} is {side} allowed, {context.get('ge', context.get('le'))}"
        if kind == "value_error":
            return str(context["error"])
        if kind == "literal_error":
            names = [str(choice) for choice in self.choices]
            return f"{shown} is not one of {', '.join(names)}{did_you_mean(str(value), names)}"
        expected = {
            "finite_number": "a finite number",
            "list_type": "a list; write a,b,c or a JSON list such as [1, 2]",
        }
        return f"{shown} is not {expected.get(kind, _SCALARS[self.scalar][2])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookSpec:
    """What a notebook says of itself: its question (first H1) and its parameters.

    ``composed_from`` are the notebooks whose recorded results it shows, ``layout`` how its page is set, ``lang`` the
    language of its prose (``ko``); all are in its metadata under ``kbio``.
    """

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    composed_from: tuple[str, ...] = ()
    layout: str | None = None
    lang: str = "en"

    def defaults(self) -> dict[str, object]:
        """Every parameter with its default, in the order of the notebook."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def changed(self, values: Mapping[str, object]) -> dict[str, object]:
        """The part of ``values`` that differs from the defaults, in the order of the notebook."""
        return {p.name: values[p.name] for p in self.parameters if p.name in values and values[p.name] != p.default}


def read(path: Path) -> NotebookSpec:
    """Read a notebook file's specification. Raises ParameterError naming notebook and line."""
    return read_source(path.stem, read_notebook(path))


def read_source(name: str, source: bytes) -> NotebookSpec:
    """As ``read``, from the file's bytes."""
    cells = completed(name, source)["cells"]
    texts = [(cell["cell_type"], cell["source"], cell["metadata"].get("tags", [])) for cell in cells]
    prose = next((text for kind, text, _ in texts if kind == "markdown"), "")
    question = next((line[1:].strip(" \t#") for line in prose.splitlines() if re.match(r"#\s", line)), "")
    code = [(text, TAG in tags) for kind, text, tags in texts if kind == "code"]
    own = own_metadata(source)
    names, layout, lang = own.get("composed_from", []), own.get("layout"), own.get("lang", "en")
    if any(tagged for _, tagged in code[1:]):
        raise ParameterError(f"{name}: exactly one cell, the first code cell, may be tagged '{TAG}'")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ParameterError(f"{name}: composed_from in its metadata is no list of notebook names")
    if layout not in (None, *LAYOUTS):
        raise ParameterError(f"{name}: layout {layout!r} in its metadata; known are {', '.join(LAYOUTS)}")
    if not isinstance(lang, str) or not re.fullmatch(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}", lang):
        raise ParameterError(f"{name}: lang {lang!r} in its metadata is no language, such as en, ko or pt-BR")
    parameters = _read_cell(name, code[0][0]) if code and code[0][1] else ()
    said = {"composed_from": tuple(names), "layout": layout, "lang": lang}
    return NotebookSpec(name=name, question=question, parameters=parameters, **said)


def coerce(spec: NotebookSpec, given: Mapping[str, object]) -> dict[str, object]:
    """Every parameter of the notebook with its value: the given ones by their declared type, else the default.

    Raises ParameterError listing every mistake at once, an unknown name with the nearest known one.
    """
    values, mistakes = spec.defaults(), []
    known = {parameter.name: parameter for parameter in spec.parameters}
    for typed, value in given.items():
        name = unicodedata.normalize("NFC", typed)
        if name not in known:
            has = f"; it has {', '.join(known)}" if known else "; it has none"
            mistakes.append(f"{name}: no such parameter{did_you_mean(name, known) or has}")
            continue
        try:
            values[name] = known[name].accept(value)
        except ValueError as mistake:
            mistakes.append(f"{name}: {mistake}")
    mistakes = mistakes or _out_of_order(spec.parameters, values)
    if mistakes:
        raise ParameterError("\n".join(f"{spec.name}: {mistake}" for mistake in mistakes))
    return values


def _out_of_order(parameters: Iterable[Parameter], values: Mapping[str, object]) -> list[str]:
    """What two parameters together make impossible, in words."""
    found = []
    for one in parameters:
        for sign, other in one.orders:
            pair = [values[one.name], values[other]]
            if None in pair:
                continue
            mine, theirs = (int(v[:4]) if type(pair[0]) is int and isinstance(v, str) else v for v in pair)
            if not (mine > theirs if sign == ">" else mine >= theirs):
                wanted = "more than" if sign == ">" else "at least"
                found.append(f"{one.name}: {pair[0]} must be {wanted} {other}, {pair[1]}")
    return found


def to_text(value: object) -> str:
    """The value as it could be typed on the command line; ``Parameter.accept`` reads it back unchanged."""
    if isinstance(value, str):
        return value
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


# ---- what pydantic is asked


@lru_cache(maxsize=1024)
def _adapter(scalar: str, choices: tuple, many: bool, optional: bool, low: object, high: object) -> Any:
    from typing import Annotated, Literal

    from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

    if scalar == "literal":
        typed: Any = Annotated[Literal[choices], BeforeValidator(lambda value: _as_choice(value, choices))]
    else:
        python = {"int": int, "float": float, "bool": bool, "date": date, "str": str}[scalar]
        ends = [date.fromisoformat(str(end)) if end is not None and scalar == "date" else end for end in (low, high)]
        limits = Field(ge=ends[0], le=ends[1], allow_inf_nan=False if scalar == "float" else None)
        typed = Annotated[python, limits, BeforeValidator(lambda value: _from_text(scalar, value))]
        typed = Annotated[typed, AfterValidator(str)] if scalar == "date" else typed
    if many:
        typed = Annotated[list[typed], BeforeValidator(_items)]
    if optional:
        words = ("", "none", "null")
        none = BeforeValidator(lambda given: None if str(given).strip().lower() in words else given)
        typed = Annotated[typed | None, none]
    return TypeAdapter(typed)


def _from_text(scalar: str, value: object) -> object:
    pattern, read, _ = _SCALARS[scalar]
    if pattern and isinstance(value, str) and re.fullmatch(pattern, value.strip(), re.ASCII):
        with suppress(ValueError):
            return read(value.strip())
    return value


def _as_choice(value: object, choices: tuple) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{value} is not one of {', '.join(map(str, choices))}")
    text = unicodedata.normalize("NFC", value) if isinstance(value, str) else value
    number = _from_text("literal", text)
    return number if text not in choices and number in choices else text


@lru_cache(maxsize=64)
def _held(table: str, column: str) -> frozenset[str]:
    """What stands in the column; nothing if the table cannot be read, which the notebook will say itself."""
    from kbio_analysis.data.package import data_root

    with suppress(OSError, DataError):
        rows = rows_of((data_root() / "tables" / f"{table}.csv").read_bytes())
        return frozenset(row[column] for row in rows if column in row)
    return frozenset()


def _items(value: object) -> object:
    """A list written as text, ``a,b,c`` or JSON, as a list; everything else as it is."""
    if not isinstance(value, str):
        return list(value) if isinstance(value, tuple) else value
    text = value.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(f"{value[:80]!r} is not a JSON list; write a,b,c or e.g. [1, 2]") from None
    items = [item.strip() for item in text.split(",")] if text else []
    if "" in items:
        raise ValueError(f"{value[:80]!r} holds an empty item; write a,b,c or a JSON list")
    return items


# ---- the parameters cell


def _read_cell(notebook: str, source: str) -> tuple[Parameter, ...]:
    where, found = f"{notebook}, parameters cell, line", {}
    try:
        body = ast.parse(source).body
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        comments = {t.start[0]: t.string.lstrip("#").strip() for t in tokens if t.type == tokenize.COMMENT}
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError) as mistake:
        line = mistake.lineno if isinstance(mistake, SyntaxError) else 1
        raise ParameterError(f"{where} {line}: not Python: {mistake.args[0]}") from None
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        try:
            parameter = _declaration(statement, comments.get(statement.end_lineno or 0, ""))
            if parameter.name in found:
                raise ValueError(f"{parameter.name} is declared twice")
        except ValueError as mistake:
            raise ParameterError(f"{where} {statement.lineno}: {mistake}") from None
        found[parameter.name] = parameter
    defaults = {name: parameter.default for name, parameter in found.items()}
    for parameter, (_, name) in ((p, order) for p in found.values() for order in p.orders):
        other = found.get(name)
        alike = other and (other.scalar == parameter.scalar or (parameter.scalar, other.scalar) == ("int", "date"))
        if not alike or other.many or parameter.many:
            raise ParameterError(f"{where} of {parameter.name}: {name} cannot be held against it")
    if mistakes := _out_of_order(found.values(), defaults):
        raise ParameterError(f"{where} of the defaults: {mistakes[0]}")
    return tuple(found.values())


def _declaration(statement: ast.stmt, comment: str) -> Parameter:
    if isinstance(statement, ast.Assign):
        raise ValueError(f"{ast.unparse(statement.targets[0])} has no type; write name: type = default  # meaning")
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
        raise ValueError("only lines 'name: type = default  # meaning' and imports belong here; nothing is computed")
    name, comment, marks = statement.target.id, *_marks(comment)
    if statement.value is None:
        raise ValueError(f"{name} has no default")
    declared = _typed(name, statement.annotation)
    meaning, unit = comment, None
    # Only a number has a unit, so that other meanings may hold commas.
    if declared.scalar in ("int", "float") and (found := _UNIT.search(meaning)):
        meaning, unit = meaning[: found.start()].strip(), found[1].strip()
    if not meaning:
        raise ValueError(f"{name} has no meaning; add '# meaning, unit' at the end of the line")
    if "low" in marks:
        marks |= _limits(declared, marks)
    if "items" in marks and not declared.many:
        raise ValueError(f"{name}: a number of values belongs to a list")
    if "column" in marks and declared.scalar != "str":
        raise ValueError(f"{name}: a column of a table belongs to a str, or to a list of them")
    declared = replace(declared, meaning=meaning, unit=unit, **marks)
    try:
        default = ast.literal_eval(statement.value)
    except (ValueError, TypeError):
        raise ValueError(f"{name}: its default is computed; write a plain value") from None
    try:
        accepted = declared.accept(default)
    except ValueError as mistake:
        raise ValueError(f"{name}: its default {mistake}") from None
    if accepted != default:
        raise ValueError(f"{name}: its default {default!r} is not of type {declared.type_text}")
    return replace(declared, default=accepted)


def _marks(comment: str) -> tuple[str, dict[str, Any]]:
    """The comment without the marks in brackets at its end, and these."""
    marks: dict[str, Any] = {"orders": ()}
    while comment.endswith("]") and "[" in comment:
        before, _, inner = comment[:-1].rpartition("[")
        low, bounds, high = inner.partition("..")
        if bounds:
            marks |= {"low": low.strip(), "high": high.strip()}
        elif order := _ORDER.fullmatch(inner.strip()):
            marks["orders"] = (order.groups(), *marks["orders"])
        elif items := _ITEMS.fullmatch(inner.strip()):
            least, more, rising = items.groups()
            marks["items"] = (int(least), inf if more else int(least), bool(rising))
        elif column := _COLUMN.fullmatch(inner.strip()):
            marks["column"] = column.groups()
        else:
            break
        comment = before.rstrip()
    return comment.strip(), marks


def _typed(name: str, annotation: ast.expr) -> Parameter:
    """The type of a declaration: a scalar, a Literal, a list of one of them, each perhaps ``| None``."""
    text = ast.unparse(annotation)
    if not (found := _TYPE.fullmatch(text)):
        raise ValueError(f"type {text!r} is not one of {_TYPES}")
    many, scalar, listed, optional = found.groups()
    try:
        values = ast.literal_eval(f"({listed},)") if listed else ()
    except (ValueError, SyntaxError):
        values = (...,)
    choices = tuple(value for value in values if value is not None)
    if any(type(value) not in (str, int) for value in choices) or (scalar is None and not choices):
        raise ValueError(f"{text} may only list plain strings and whole numbers")
    parts = {"many": bool(many), "optional": bool(optional) or None in values, "choices": choices}
    return Parameter(name=name, type_text=text, scalar=scalar or "literal", **parts)


def _limits(declared: Parameter, marks: Mapping[str, Any]) -> dict[str, Any]:
    if declared.scalar not in ("int", "float", "date"):
        raise ValueError(f"{declared.name}: bounds belong to an int, float or date, or to a list of them")
    one = replace(declared, many=False, optional=False)
    try:
        ends = {end: one.accept(marks[end]) if marks[end] else None for end in ("low", "high")}
    except ValueError as mistake:
        raise ValueError(f"{declared.name}: its bound {mistake}") from None
    if None not in ends.values() and ends["low"] > ends["high"]:
        raise ValueError(f"{declared.name}: its bounds [{ends['low']}..{ends['high']}] are the wrong way round")
    return ends
