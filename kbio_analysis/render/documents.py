"""YAML and JSON that others wrote, read with bounds on size, depth and aliases; a failure is one sentence.

In YAML a scalar is the text that was written and nothing else: no guessed types, no tags, no merging.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 5_000_000
MOST_VALUES = 300_000
DEEPEST = 10


class DocumentError(ValueError):
    """What is wrong with a document, in one sentence; ``line`` counts from 1, None if it is not known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def read_json(raw: bytes, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """A JSON object. Raises DocumentError, also for what no page could hold: NaN, half a character."""
    text = _text(raw, most_bytes)
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
        if "\\ud" in text.lower():
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise DocumentError("nested too deep") from None
    except ValueError as problem:
        raise DocumentError(f"not JSON: {problem}") from None
    if not isinstance(content, dict):
        raise DocumentError("not a JSON object")
    return content


def _text(raw: bytes, most_bytes: int) -> str:
    if len(raw) > most_bytes:
        raise DocumentError(f"larger than {most_bytes / 1e6:g} MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentError("not UTF-8 text") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


@dataclass(slots=True, eq=False)
class Node:
    """A YAML value with the line it starts on: a str, a list of nodes, or a dict of str to nodes.

    ``plain`` tells an unquoted scalar.
    """

    value: str | list[Node] | dict[str, Node]
    line: int
    plain: bool = False

    @property
    def empty(self) -> bool:
        """Nothing, ``~`` or ``null`` written without quotes."""
        return self.plain and self.value in ("", "~", "null")


def read_yaml(raw: bytes) -> list[Node]:
    """The documents of a file, in order. Raises DocumentError for the first thing that is not plain YAML."""
    import yaml

    text, loader, depth = _text(raw, MOST_BYTES), getattr(yaml, "CBaseLoader", yaml.BaseLoader), 0
    try:
        # Composing nests as deep as the text does, so the depth is judged by the flat run of events first.
        for event in yaml.parse(text, Loader=loader):
            kind, line = type(event).__name__, event.start_mark.line + 1
            depth += kind.endswith(("SequenceStartEvent", "MappingStartEvent"))
            depth -= kind.endswith(("SequenceEndEvent", "MappingEndEvent"))
            if depth > DEEPEST:
                raise DocumentError(f"nested more than {DEEPEST} deep", line)
            if getattr(event, "tag", None) is not None:
                raise DocumentError(f"tag {event.tag!r}: tags are not read here", line)
        builder = _Builder()
        return [builder.node(composed, 0) for composed in yaml.compose_all(text, Loader=loader)]
    except yaml.MarkedYAMLError as mistake:
        mark = mistake.problem_mark or mistake.context_mark
        raise DocumentError(f"not YAML: {mistake.problem or mistake}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as mistake:
        raise DocumentError(f"not YAML: {' '.join(str(mistake).split())}") from None


class _Builder:
    """Writes aliases out, as long as that stays within bounds."""

    def __init__(self) -> None:
        self._values = 0

    def node(self, composed: Any, depth: int) -> Node:
        line, value = composed.start_mark.line + 1, composed.value
        self._values += 1
        if self._values > MOST_VALUES:
            raise DocumentError(f"more than {MOST_VALUES:,} values once aliases are written out", line)
        if depth > DEEPEST:
            raise DocumentError(f"nested more than {DEEPEST} deep once aliases are written out", line)
        if composed.id == "scalar":
            return Node(value, line, plain=not composed.style)
        if composed.id == "sequence":
            return Node([self.node(item, depth + 1) for item in value], line)
        mapping: dict[str, Node] = {}
        for key, item in value:
            if key.id != "scalar" or key.value == "<<":
                raise DocumentError("a key must be a plain word, and << is not read", key.start_mark.line + 1)
            if key.value in mapping:
                raise DocumentError(f"{key.value!r} is given twice", key.start_mark.line + 1)
            mapping[key.value] = self.node(item, depth + 1)
        return Node(mapping, line)
