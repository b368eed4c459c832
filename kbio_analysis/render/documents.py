"""YAML and JSON that others wrote, read with bounds: size, depth and aliases are judged before anything is built.

In YAML a scalar is the text that was written and nothing else: no guessed types, no tags, no merging. What cannot be
read raises DocumentError, one sentence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
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
    if len(raw) > most_bytes:
        raise DocumentError(f"larger than {most_bytes / 1e6:g} MB")
    try:
        text = raw.decode("utf-8-sig")
        content = json.loads(text, parse_constant=_refuse_constant)
        if "\\ud" in text.lower():
            json.dumps(content, ensure_ascii=False).encode()
    except UnicodeError:
        raise DocumentError("not UTF-8 text") from None
    except RecursionError:
        raise DocumentError("nested too deep") from None
    except ValueError as problem:
        raise DocumentError(f"not JSON: {problem}") from None
    if not isinstance(content, dict):
        raise DocumentError("not a JSON object")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


@dataclass(slots=True, eq=False)
class Node:
    """A YAML value with the line it starts on: a str, a list of nodes, or a dict of str to nodes.

    ``plain`` tells an unquoted scalar; ``size`` is the number of values it stands for, aliases written out.
    """

    value: str | list[Node] | dict[str, Node]
    line: int
    plain: bool = False
    size: int = 1
    key: Node | None = field(default=None, repr=False)

    @property
    def empty(self) -> bool:
        """Nothing, ``~`` or ``null`` written without quotes."""
        return self.plain and self.value in ("", "~", "null")


def read_yaml(raw: bytes) -> list[Node]:
    """The documents of a file, in order. Raises DocumentError for the first thing that is not plain YAML."""
    import yaml

    if len(raw) > MOST_BYTES:
        raise DocumentError(f"larger than {MOST_BYTES // 1_000_000} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentError("not UTF-8 text") from None
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            builder.take(event)
    except yaml.MarkedYAMLError as mistake:
        mark = mistake.problem_mark or mistake.context_mark
        raise DocumentError(f"not YAML: {mistake.problem or mistake}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as mistake:
        raise DocumentError(f"not YAML: {' '.join(str(mistake).split())}") from None
    return builder.documents


class _Builder:
    """Puts nodes together from the parser's events, with a stack of the lists and mappings not closed yet."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self._open: list[Node] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: Any) -> None:
        kind, line = type(event).__name__, event.start_mark.line + 1
        if kind == "DocumentStartEvent":
            self._anchors = {}
        elif kind == "AliasEvent":
            node = self._anchors.get(event.anchor)
            if node is None or any(node is other for other in self._open):
                raise DocumentError(f"*{event.anchor} stands for nothing that is complete before it", line)
            self._place(node, line)
        elif kind in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent"):
            self._start(kind, event, line)
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            closed = self._open.pop()
            self._place(closed, closed.line)

    def _start(self, kind: str, event: Any, line: int) -> None:
        if event.tag is not None:
            raise DocumentError(f"tag {event.tag!r}: tags are not read here", line)
        value = event.value if kind == "ScalarEvent" else [] if kind == "SequenceStartEvent" else {}
        node = Node(value, line, plain=kind == "ScalarEvent" and not event.style)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if kind == "ScalarEvent":
            self._place(node, line)
        elif len(self._open) >= DEEPEST:
            raise DocumentError(f"nested more than {DEEPEST} deep", line)
        else:
            self._open.append(node)

    def _place(self, node: Node, line: int) -> None:
        """Put a finished value where it belongs: a document, an item, a key or the value of the key before it."""
        if not self._open:
            self.documents.append(node)
            return
        parent = self._open[-1]
        parent.size += node.size
        if parent.size > MOST_VALUES:
            raise DocumentError(f"more than {MOST_VALUES:,} values once aliases are written out", line)
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif parent.key is not None:
            parent.value[parent.key.value], parent.key = node, None
        elif not isinstance(node.value, str):
            raise DocumentError("a key must be a word", line)
        elif node.value == "<<":
            raise DocumentError("merging (<<) is not read here: write the parameters out", line)
        elif node.value in parent.value:
            raise DocumentError(f"{node.value!r} is given twice", line)
        else:
            parent.key = node
