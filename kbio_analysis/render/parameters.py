"""A notebook's parameters as its author declared them, and values checked against them before any kernel starts.

The ``parameters`` cell is the first code cell; a line of it is ``name: type = default  # meaning, unit [low..high]``.
It is read with ``ast`` and ``tokenize``: nothing of it is run.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from kbio_analysis.errors import ParameterError
from kbio_analysis.render.provenance import own_metadata
from kbio_analysis.render.values import Kind, convert, parse_kind

TAG = "parameters"
LAYOUTS = ("brief",)

_BOUNDS = re.compile(r"\[\s*([^\[\]]*?)\s*\.\.\s*([^\[\]]*?)\s*\]\s*$")
_UNIT = re.compile(r",\s+([^,()]+(?:\([^()]*\)[^,()]*)*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared line. ``default``, ``low`` and ``high`` are of the declared type (dates as ISO strings)."""

    name: str
    type_text: str
    kind: Kind
    default: object
    meaning: str
    unit: str | None
    low: object
    high: object
    line: int

    @property
    def choices(self) -> tuple[str | int, ...]:
        """What a Literal allows; empty for every other type."""
        return self.kind.scalar.choices

    def accept(self, value: object) -> object:
        """The value as the declared type and within the bounds. Raises ValueError saying what was expected."""
        typed = convert(self.kind, value)
        for item in typed if isinstance(typed, list) else [typed]:
            if item is not None:
                self._refuse_out_of_bounds(item)
        return typed

    def _refuse_out_of_bounds(self, item: object) -> None:
        below = self.low is not None and item < self.low  # type: ignore[operator]
        above = self.high is not None and item > self.high  # type: ignore[operator]
        if below or above:
            side = f"below the least allowed, {self.low}" if below else f"above the most allowed, {self.high}"
            raise ValueError(f"{item} is {side}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookSpec:
    """What a notebook says of itself: its question (first H1), a first sentence or two, and its parameters.

    ``composed_from`` are the notebooks whose recorded results it shows, ``layout`` how its page is set; both are in
    its metadata under ``kbio``.
    """

    name: str
    question: str
    summary: str
    parameters: tuple[Parameter, ...]
    composed_from: tuple[str, ...] = ()
    layout: str | None = None

    def defaults(self) -> dict[str, object]:
        """Every parameter with its default, in the order of the notebook."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def changed(self, values: Mapping[str, object]) -> dict[str, object]:
        """The part of ``values`` that differs from the defaults, in the order of the notebook."""
        return {p.name: values[p.name] for p in self.parameters if p.name in values and values[p.name] != p.default}


def read(path: Path) -> NotebookSpec:
    """Read a notebook file's specification. Raises ParameterError naming notebook and line."""
    return read_source(path.stem, path.read_bytes())


def read_source(name: str, source: bytes) -> NotebookSpec:
    """As ``read``, from the file's bytes."""
    try:
        cells = json.loads(source)["cells"]
        texts = [(cell["cell_type"], "".join(cell["source"]), _tags(cell)) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ParameterError(f"{name}: not a notebook file (nbformat 4 JSON expected)") from None
    question, summary = _question(next((text for kind, text, _ in texts if kind == "markdown"), ""))
    code = [(text, tags) for kind, text, tags in texts if kind == "code"]
    tagged = [index for index, (_, tags) in enumerate(code) if TAG in tags]
    if tagged and tagged != [0]:
        raise ParameterError(f"{name}: exactly one cell, the first code cell, may be tagged '{TAG}'")
    parameters = _read_cell(name, code[0][0]) if tagged else ()
    own = own_metadata(source)
    names, layout = own.get("composed_from", []), own.get("layout")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ParameterError(f"{name}: composed_from in its metadata is no list of notebook names")
    if layout not in (None, *LAYOUTS):
        raise ParameterError(f"{name}: layout {layout!r} in its metadata; known are {', '.join(LAYOUTS)}")
    return NotebookSpec(
        name=name, question=question, summary=summary, parameters=parameters, composed_from=tuple(names), layout=layout
    )


def coerce(spec: NotebookSpec, given: Mapping[str, object]) -> dict[str, object]:
    """Every parameter of the notebook with its value: the given ones by their declared type, else the default.

    Raises ParameterError listing every mistake at once, an unknown name with the nearest known one.
    """
    values, mistakes = spec.defaults(), []
    known = {parameter.name: parameter for parameter in spec.parameters}
    for name, value in given.items():
        if name not in known:
            mistakes.append(f"{name}: no such parameter{_nearest(name, list(known))}")
            continue
        try:
            values[name] = known[name].accept(value)
        except ValueError as mistake:
            mistakes.append(f"{name}: {mistake}")
    if mistakes:
        raise ParameterError("\n".join(f"{spec.name}: {mistake}" for mistake in mistakes))
    return values


def _nearest(name: str, known: list[str]) -> str:
    starts = [other for other in known if name and other.startswith(name)]
    near = starts or get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; it has {', '.join(known)}" if known else "; it has none"


def _tags(cell: Mapping[str, object]) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])  # type: ignore[attr-defined]


def _question(markdown: str) -> tuple[str, str]:
    """First H1 and the first paragraph after it (headings, quotes and lists passed over)."""
    question, rest = "", markdown
    found = re.search(r"^#\s+(.+?)\s*#*\s*$", markdown, re.MULTILINE)
    if found:
        question, rest = found.group(1), markdown[found.end() :]
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", rest)]
    prose = [part for part in paragraphs if part and not re.match(r"[#>|\-*`$!]", part)]
    return question, " ".join(prose[0].split()) if prose else ""


def _read_cell(notebook: str, source: str) -> tuple[Parameter, ...]:
    where = f"{notebook}, parameters cell, line"
    try:
        body = ast.parse(source).body
        comments = dict(_comments(source))
    except (SyntaxError, tokenize.TokenError) as mistake:
        line = mistake.lineno if isinstance(mistake, SyntaxError) else 1
        raise ParameterError(f"{where} {line}: not Python: {mistake.args[0]}") from None
    found: dict[str, Parameter] = {}
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
    return tuple(found.values())


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#").strip()


def _declaration(statement: ast.stmt, comment: str) -> Parameter:
    if isinstance(statement, ast.Assign):
        raise ValueError(f"{ast.unparse(statement.targets[0])} has no type; write name: type = default  # meaning")
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
        raise ValueError("only lines 'name: type = default  # meaning' and imports belong here; nothing is computed")
    name = statement.target.id
    if statement.value is None:
        raise ValueError(f"{name} has no default")
    type_text = ast.unparse(statement.annotation)
    kind = parse_kind(type_text)
    bounds = _BOUNDS.search(comment)
    meaning, unit = _meaning(kind, comment[: bounds.start()] if bounds else comment)
    if not meaning:
        raise ValueError(f"{name} has no meaning; add '# meaning, unit' at the end of the line")
    low, high = _limits(name, kind, bounds)
    blank = Parameter(name=name, type_text=type_text, kind=kind, default=None, meaning=meaning, unit=unit,
                      low=low, high=high, line=statement.lineno)  # fmt: skip
    return replace(blank, default=_default(blank, statement.value))


def _default(declared: Parameter, node: ast.expr) -> object:
    """The default, which must itself be acceptable and, unlike a value typed later, already of the type."""
    try:
        default = _literal(node)
    except ValueError:
        raise ValueError(f"{declared.name}: its default is computed; write a plain value") from None
    try:
        accepted = declared.accept(default)
    except ValueError as mistake:
        raise ValueError(f"{declared.name}: its default {mistake}") from None
    if accepted != default:
        raise ValueError(f"{declared.name}: its default {default!r} is not of type {declared.type_text}")
    return accepted


def _literal(node: ast.expr) -> object:
    """A literal, or ``date(year, month, day)`` as its ISO string."""
    if isinstance(node, ast.Call) and not node.keywords and len(node.args) == 3:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        parts = [ast.literal_eval(argument) for argument in node.args]
        if name == "date" and all(type(part) is int for part in parts):
            return "{:04d}-{:02d}-{:02d}".format(*parts)
    return ast.literal_eval(node)


def _meaning(kind: Kind, text: str) -> tuple[str, str | None]:
    """Split ``meaning, unit``; only a number has a unit, so other meanings may hold commas."""
    found = _UNIT.search(text.strip()) if kind.scalar.name in ("int", "float") else None
    if not found:
        return text.strip(), None
    return text.strip()[: found.start()].strip(), found.group(1).strip()


def _limits(name: str, kind: Kind, bounds: re.Match[str] | None) -> tuple[object, object]:
    if bounds is None:
        return None, None
    if not kind.ordered:
        raise ValueError(f"{name}: bounds belong to an int, float or date, or to a list of them")
    scalar = Kind(name=kind.scalar.name)
    try:
        low, high = (convert(scalar, text) if text else None for text in bounds.groups())
    except ValueError as mistake:
        raise ValueError(f"{name}: its bound {mistake}") from None
    if low is None and high is None:
        raise ValueError(f"{name}: the bounds [..] say nothing; leave them out")
    if low is not None and high is not None and low > high:
        raise ValueError(f"{name}: its bounds [{low}..{high}] are the wrong way round")
    return low, high
