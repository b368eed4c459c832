"""A notebook's parameters as its author declared them, and values checked against them before anything starts.

The ``parameters`` cell is the first code cell; a line of it is ``name: type = default  # meaning, unit [low..high]``.
Further marks may follow: ``[> other]`` asks for more than the parameter ``other`` (``[>= other]``: no less; a year is
held against the year of a date), ``[3 rising]`` for a list of three values in rising order, ``[1+]`` for at least one,
``[in table.column]`` for what stands in a column of ``data/tables``. The cell is read with ``ast``: nothing of it is
run. Values are judged by pydantic in strict mode; text (from the command line or a batch file) is read by the declared
type and never guessed: ``00123`` stays text for a ``str``, ``NO`` is no boolean, ``1e6`` is no ``int``. Dates travel as
ISO strings, so that every value is JSON.
"""

import ast
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from kbio_analysis.errors import DataError, ParameterError, did_you_mean, mistakes_in
from kbio_analysis.notebooks import completed, read_notebook
from kbio_analysis.reading import DocumentError, read_as, rows_of

TAG, INJECTED = "parameters", "injected-parameters"

# No pattern here takes more than one way through a text: a long comment or value would take minutes.
_MARKS = {
    "bounds": re.compile(r"(.*?)\.\.(.*)"),
    "orders": re.compile(r"(>=?)\s*(\w+)"),
    "items": re.compile(r"(\d+)(\+?)( rising)?"),
    "column": re.compile(r"in (\w+)\.(\w+)"),
}
_UNIT = re.compile(r",\s([^,()]+(?:\([^()]*\)[^,()]*)*)$")
_TYPE = re.compile(r"(list\[)?(?:(?:\w+\.)?(int|float|bool|str|date)|Literal\[(.*)\])(?(1)\])( \| None)?", re.DOTALL)
_SCALARS = {"int": int, "float": float, "bool": bool, "str": str, "date": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared line: ``marks`` as written, and ``orders`` of them (``>`` or ``>=``, and the parameter that it is
    held against); ``declared`` is the type as pydantic takes it, with all else that a value must be. The ``default`` is
    of that type, dates as ISO strings."""

    name: str
    type_text: str
    declared: Any
    default: object
    meaning: str
    unit: str | None
    marks: str
    orders: tuple[tuple[str, str], ...]


class NotebookSpec(BaseModel, frozen=True):
    """What a notebook says of itself: its question (first H1), its parameters and the ``language`` of its code.

    ``composed_from`` are the notebooks whose recorded results it shows, ``layout`` how its page is set, ``lang`` the
    language of its prose (``ko``), ``kernel`` the one it needs; all are in its metadata under ``kbio``.
    """

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    language: str
    composed_from: list[str] = []
    kernel: str | None = None
    layout: Literal["brief"] | None = None
    lang: Annotated[str, Field(pattern=r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$")] = "en"

    def defaults(self) -> dict[str, object]:
        """Every parameter with its default, in the order of the notebook."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def changed(self, values: Mapping[str, object]) -> dict[str, object]:
        """The part of ``values`` that differs from the defaults, in the order of the notebook."""
        return {p.name: values[p.name] for p in self.parameters if p.name in values and values[p.name] != p.default}

    def typed(self, of: Callable[[Any], Any] = lambda declared: declared) -> Any:
        """Some parameters by name, as pydantic takes them: each of its declared type, or what is made ``of`` that."""
        return TypedDict("Values", {p.name: of(p.declared) for p in self.parameters}, total=False)

    def conflicts(self, values: Mapping[str, object]) -> list[str]:
        """What two of the values, complete and typed, make impossible together, in words."""
        found = []
        for one, sign, other in ((p, *order) for p in self.parameters for order in p.orders):
            mine, theirs = values[one.name], values.get(other, ...)
            if None in (mine, theirs):
                continue
            try:
                least = date.fromisoformat(theirs).year if type(mine) is int and isinstance(theirs, str) else theirs
                why = f"{mine} must be {'more than' if sign == '>' else 'at least'} {other}, {theirs}"
                wrong = mine < least or (mine == least and sign == ">")
            except (TypeError, ValueError):
                wrong, why = True, f"{other} cannot be held against it"
            found += [f"{self.name}: {one.name}: {why}"] * wrong
        return found


def judged(form: Any, given: object) -> Any:
    """What is given, if it is of that form to the letter. Raises pydantic's ValidationError."""
    return TypeAdapter(form).validate_python(given, strict=True, extra="forbid")


def read(path: Path) -> NotebookSpec:
    """Read a notebook file's specification. Raises ParameterError naming notebook and line."""
    return read_source(path.stem, read_notebook(path))


@lru_cache(maxsize=64)
def read_source(name: str, source: bytes) -> NotebookSpec:
    """As ``read``, from the file's bytes."""
    content = completed(name, source)
    prose = next((cell["source"] for cell in content["cells"] if cell["cell_type"] == "markdown"), "")
    question = next((line[1:].strip(" \t#") for line in prose.splitlines() if re.match(r"#\s", line)), "")
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    tagged = [number for number, cell in enumerate(code) if TAG in cell["metadata"].get("tags", [])]
    if tagged not in ([], [0]):
        raise ParameterError(f"{name}: exactly one cell, the first code cell, may be tagged '{TAG}'")
    parameters = _read_cell(name, code[0]["source"]) if tagged else ()
    own, about = content["metadata"].get("kbio"), content["metadata"]
    language = (about.get("kernelspec") or {}).get("language") or (about.get("language_info") or {}).get("name")
    said = {"name": name, "question": question, "parameters": parameters, "language": language or "python"}
    try:
        spec = read_as(NotebookSpec, {**own, **said} if isinstance(own, dict) else said)
    except DocumentError as problem:
        raise ParameterError(f"{name}: its metadata: {problem}") from None
    coerce(spec, {})
    return spec


def coerce(spec: NotebookSpec, given: Mapping[str, object]) -> dict[str, object]:
    """Every parameter of the notebook with its value: the given ones by their declared type, else the default.

    Raises ParameterError listing every mistake at once, an unknown name with the nearest known one.
    """
    try:
        typed = judged(spec.typed(), {unicodedata.normalize("NFC", name): given[name] for name in given})
    except ValidationError as problem:
        found = mistakes_in(problem, [parameter.name for parameter in spec.parameters])
        raise ParameterError("\n".join(f"{spec.name}: {name}: {why}" for (name, *_), why in found)) from None
    values = spec.defaults() | typed
    if mistakes := spec.conflicts(values):
        raise ParameterError("\n".join(mistakes))
    return values


def to_text(value: object) -> str:
    """The value as it could be typed on the command line; ``coerce`` reads it back unchanged."""
    if isinstance(value, str):
        return value
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


# ---- what pydantic is asked


def _from_text(scalar: str, value: object) -> object:
    """Text as JSON spells the value (``+1`` and ``.5`` too), a day as ISO does; pydantic judges what it is."""
    text = str(value).strip()
    if scalar == "date" and isinstance(value, str | date):
        try:
            return str(date.fromisoformat(text))
        except ValueError as problem:
            raise ValueError(f"{problem}; write a day as YYYY-MM-DD") from None
    if scalar in ("int", "float", "bool") and isinstance(value, str):
        with suppress(ValueError, RecursionError):
            return json.loads(re.sub(r"(?<!\d)\.", "0.", text.lower().removeprefix("+")))
    return value


def member(of: Callable[[], Collection[str | int]], where: str, value: object) -> str | int:
    """The one ``of`` a collection, if that is not empty, which the value is or spells; ValueError if there is none."""
    text, known = unicodedata.normalize("NFC", str(value)), {str(one): one for one in of()}
    if known and text not in known:
        raise ValueError(f"not {where}{did_you_mean(text, sorted(known))}")
    return known.get(text, text)


@lru_cache(maxsize=64)
def _held(table: str, column: str) -> frozenset[str]:
    """What stands in the column; nothing if the table cannot be read, which the notebook will say itself."""
    from kbio_analysis.data.package import data_root

    with suppress(OSError, DataError):
        rows = rows_of((data_root() / "tables" / f"{table}.csv").read_bytes())
        return frozenset(row[column] for row in rows if column in row)
    return frozenset()


def _listed(value: object) -> object:
    """A list written as text, ``a,b,c`` or JSON, as a list."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    with suppress(ValueError, RecursionError):
        items = json.loads(text) if text.startswith("[") else [item.strip() for item in text.split(",") if text]
        if text.startswith("[") or "" not in items:
            return items
    raise ValueError("write a,b,c or a JSON list such as [1, 2]")


def _rising(values: list) -> list:
    if values != sorted(values):
        raise ValueError("not in rising order")
    return values


# ---- the parameters cell


def _read_cell(notebook: str, source: str) -> tuple[Parameter, ...]:
    where, found = f"{notebook}, parameters cell, line", {}
    lines = [line.encode() for line in re.split(r"\r\n?|\n", source)]
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError) as mistake:
        raise ParameterError(f"{where} {getattr(mistake, 'lineno', 1)}: not Python: {mistake.args[0]}") from None
    for statement in (one for one in body if not isinstance(one, ast.Import | ast.ImportFrom)):
        _, _, comment = lines[statement.end_lineno - 1][statement.end_col_offset :].decode().partition("#")
        try:
            parameter = _declaration(statement, comment.strip())
            if parameter.name in found:
                raise ValueError(f"{parameter.name} is declared twice")
        except ValueError as mistake:
            why = next(mistakes_in(mistake))[1] if isinstance(mistake, ValidationError) else mistake
            raise ParameterError(f"{where} {statement.lineno}: {why}") from None
        found[parameter.name] = parameter
    return tuple(found.values())


def _declaration(statement: ast.stmt, comment: str) -> Parameter:
    if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value):
        shown = ast.unparse(statement)[:60]
        raise ValueError(f"{shown!r} is no line name: type = default  # meaning, unit; nothing is computed here")
    type_text, (meaning, marks) = ast.unparse(statement.annotation), _marks(comment)
    if not (found := _TYPE.fullmatch(type_text)):
        known = "int, float, bool, str, date, list[...], Literal[...] or T | None"
        raise ValueError(f"type {type_text!r} is not one of {known}")
    many, scalar, listed, optional = found.groups()
    try:
        values = ast.literal_eval(f"({listed},)") if listed else ()
        default = ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError):
        raise ValueError("a default or a choice is computed; write plain values") from None
    choices = tuple(value for value in values if value is not None)
    if any(type(value) not in (str, int) for value in choices) or not (scalar or choices):
        raise ValueError(f"{type_text} may only list plain strings and whole numbers")
    unit = None
    # Only a number has a unit, so that other meanings may hold commas.
    if scalar in ("int", "float") and (last := _UNIT.search(meaning)):
        meaning, unit = meaning[: last.start()].strip(), last[1].strip()
    if not meaning:
        raise ValueError("no meaning; add '# meaning, unit' at the end of the line")
    numeric = scalar in ("int", "float", "date")
    fits = {"bounds": numeric, "orders": numeric and not many, "items": many, "column": scalar == "str"}
    if wrong := [mark for mark in marks if not fits[mark]]:
        raise ValueError(f"a mark of {wrong[0]} does not fit the type {type_text}")
    declared: Any = Annotated[_SCALARS[scalar or "str"], BeforeValidator(partial(_from_text, scalar))]
    ends = [judged(declared, end) if end.strip() else None for end in marks.get("bounds", [("", "")])[0]]
    limits = Field(ge=ends[0], le=ends[1], allow_inf_nan=False if scalar == "float" else None)
    declared = Annotated[declared, limits]
    if choices or "column" in marks:
        table, column = marks.get("column", [("", "")])[0]
        where = f"in {column} of data/tables/{table}" if column else f"one of {', '.join(map(str, choices))}"
        held = partial(_held, table, column) if column else lambda: choices
        declared = Annotated[Any, AfterValidator(partial(member, held, where))]
    if many:
        least, more, rising = marks.get("items", [("0", "+", "")])[0]
        length = Field(min_length=int(least), max_length=None if more else int(least))
        order = AfterValidator(_rising if rising else list)
        declared = Annotated[list[declared], length, BeforeValidator(_listed), order]
    if optional or None in values:
        words = ("", "none", "null")
        none = BeforeValidator(lambda given: None if str(given).strip().lower() in words else given)
        declared = Annotated[declared | None, none]
    if (typed := judged(declared, default)) != default:
        raise ValueError(f"the default {default!r} is of another type")
    return Parameter(
        name=statement.target.id,
        type_text=type_text,
        declared=declared,
        default=typed,
        meaning=meaning,
        unit=unit,
        marks=comment[len(_marks(comment)[0]) :],
        orders=tuple(marks.get("orders", ())),
    )


def _marks(comment: str) -> tuple[str, dict[str, list[tuple[str, ...]]]]:
    """The comment without the marks in brackets at its end, and these by their kind."""
    marks: dict[str, list[tuple[str, ...]]] = {}
    while comment.endswith("]") and "[" in comment:
        before, _, inner = comment[:-1].rpartition("[")
        found = [(kind, match.groups()) for kind, form in _MARKS.items() if (match := form.fullmatch(inner.strip()))]
        if not found:
            break
        marks.setdefault(found[0][0], []).insert(0, found[0][1])
        comment = before.rstrip()
    return comment.strip(), marks
