"""What a notebook parameter may hold: the types a person can write, and a value read by its declared type.

A value arrives either as text (command line, batch file) or already typed (a default, JSON). Text is read by the
declared type and never guessed: ``00123`` stays text for a ``str``, ``NO`` is no boolean, ``1e6`` is no ``int``.
Dates travel as ISO strings, so that every value is JSON, picklable and a Python literal.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches

SCALARS = ("int", "float", "bool", "str", "date")
ORDERED = ("int", "float", "date")

_INT = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOTHING = ("", "none", "null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A declared type: ``name`` is one of SCALARS, ``literal`` (then ``choices``) or ``list`` (then ``item``)."""

    name: str
    item: Kind | None = None
    choices: tuple[str | int, ...] = ()
    optional: bool = False

    @property
    def scalar(self) -> Kind:
        """The kind of one value: the item of a list, otherwise itself."""
        return self.item if self.item is not None else self

    @property
    def ordered(self) -> bool:
        """Whether bounds make sense."""
        return self.scalar.name in ORDERED


def parse_kind(text: str) -> Kind:
    """Read a type as written (``float``, ``list[int]``, ``Literal["a", "b"]``, ``date | None``).

    Raises ValueError with what is allowed when it is none of these.
    """
    try:
        return _kind(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        raise ValueError(_unknown_type(text)) from None


def _unknown_type(text: str) -> str:
    return f"type {text!r} is not one of int, float, bool, str, date, list[...], Literal[...] or T | None"


def _kind(node: ast.expr) -> Kind:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [side for side in (node.left, node.right) if not _is_none(side)]
        if len(sides) == 1 and not isinstance(sides[0], ast.BinOp):
            inner = _kind(sides[0])
            return Kind(name=inner.name, item=inner.item, choices=inner.choices, optional=True)
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
    if name in SCALARS:
        return Kind(name=name)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        if node.value.id == "Literal":
            return _literal_kind(node)
        if node.value.id == "list":
            item = _kind(node.slice)
            if item.name != "list" and not item.optional:
                return Kind(name="list", item=item)
    raise ValueError(_unknown_type(ast.unparse(node)))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _literal_kind(node: ast.Subscript) -> Kind:
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    try:
        values = [ast.literal_eval(part) for part in parts]
    except ValueError:
        raise ValueError(f"{ast.unparse(node)} may only list plain strings and whole numbers") from None
    choices = tuple(value for value in values if value is not None)
    if not choices or any(type(value) not in (str, int) for value in choices):
        raise ValueError(f"{ast.unparse(node)} may only list plain strings and whole numbers")
    return Kind(name="literal", choices=choices, optional=len(choices) < len(values))


def convert(kind: Kind, value: object) -> object:
    """The value as its declared type: int, float, bool, str, ISO date string, choice, list of these, or None.

    Raises ValueError saying what was expected.
    """
    if kind.optional and (value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING)):
        return None
    if value is None:
        raise ValueError(f"None is not {_expected(kind)}")
    if kind.name == "list":
        return [convert(kind.scalar, item) for item in _items(value)]
    if kind.name == "literal":
        return _choice(kind, value)
    return _READERS[kind.name](value)


def to_text(value: object) -> str:
    """The value as it could be typed on the command line; ``convert`` reads it back unchanged."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return repr(value) if isinstance(value, float) else str(value)


def _expected(kind: Kind) -> str:
    words = {"int": "an int", "float": "a float", "bool": "a bool", "str": "a str", "date": "a date", "list": "a list"}
    return words.get(kind.name, "one of the choices")


def _items(value: object) -> list[object]:
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a list; write a,b,c or a JSON list")
    text = value.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(f"{value!r} is not a JSON list; write a,b,c or e.g. [1, 2]") from None
    if not text:
        return []
    items: list[object] = [item.strip() for item in text.split(",")]
    if "" in items:
        raise ValueError(f"{value!r} holds an empty item; write a,b,c or a JSON list")
    return items


def _choice(kind: Kind, value: object) -> str | int:
    for choice in kind.choices:
        if type(choice) is type(value) and choice == value:
            return choice
    if isinstance(value, str) and _INT.fullmatch(value.strip()):
        for choice in kind.choices:
            if isinstance(choice, int) and _read_int(value) == choice:
                return choice
    names = [str(choice) for choice in kind.choices]
    near = get_close_matches(str(value), names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"{value!r} is not one of {', '.join(names)}{hint}")


def _read_int(value: object) -> int:
    if isinstance(value, str) and _INT.fullmatch(value.strip()):
        try:
            return int(value)
        except ValueError:
            raise ValueError(f"a whole number of {len(value)} digits is more than any parameter needs") from None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not an int: expected a whole number such as 2030")


def _read_float(value: object) -> float:
    if isinstance(value, str) and _FLOAT.fullmatch(value.strip()):
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = _as_float(value)
    else:
        raise ValueError(f"{value!r} is not a float: expected a number such as 11.9")
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _as_float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _read_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError(f"{value!r} is not a bool: write true or false")


def _read_str(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not a str: expected text")


def _read_date(value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    text = value.strip() if isinstance(value, str) else ""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise ValueError(f"{value!r} is not a day of the calendar") from None
    raise ValueError(f"{value!r} is not a date: write YYYY-MM-DD")


_READERS: dict[str, Callable[[object], object]] = {
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "str": _read_str,
    "date": _read_date,
}
