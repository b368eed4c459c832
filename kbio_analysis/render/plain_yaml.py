"""YAML in which a scalar is the text that was written, and nothing else: no guessed types, no tags, no surprises.

Read from the parser's events with a stack of our own, so that depth and size are bounded before anything is built:
an alias counts as much as what it stands for, and a file of aliases to aliases is refused by arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_BYTES = 5_000_000
MOST_VALUES = 300_000
DEEPEST = 10


class PlainYamlError(ValueError):
    """A file that is not plain YAML; ``line`` counts from 1, None if it is not known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True, eq=False)
class Node:
    """A value with the line it starts on. ``value`` is a str, a list of nodes, or a dict of str to nodes.

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


def read_documents(raw: bytes) -> list[Node]:
    """The documents of a file, in order. Raises PlainYamlError for the first thing that is not plain YAML."""
    import yaml

    if len(raw) > MOST_BYTES:
        raise PlainYamlError(f"larger than {MOST_BYTES // 1_000_000} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PlainYamlError("not UTF-8 text") from None
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as mistake:
        mark = mistake.problem_mark or mistake.context_mark
        raise PlainYamlError(f"not YAML: {mistake.problem or mistake}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as mistake:
        raise PlainYamlError(f"not YAML: {' '.join(str(mistake).split())}") from None
    return builder.documents


class _Builder:
    """Puts nodes together from events, keeping a stack of the lists and mappings that are not closed yet."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self._open: list[Node] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: object) -> None:
        kind, line = type(event).__name__, event.start_mark.line + 1  # type: ignore[attr-defined]
        if kind == "DocumentStartEvent":
            self._anchors = {}
        elif kind == "AliasEvent":
            self._place(self._known(event.anchor, line), line)  # type: ignore[attr-defined]
        elif kind in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent"):
            self._start(kind, event, line)
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            closed = self._open.pop()
            self._place(closed, closed.line)

    def _start(self, kind: str, event: object, line: int) -> None:
        if event.tag is not None:  # type: ignore[attr-defined]
            raise PlainYamlError(f"tag {event.tag!r}: tags are not read here", line)  # type: ignore[attr-defined]
        if kind == "ScalarEvent":
            node = Node(event.value, line, plain=not event.style)  # type: ignore[attr-defined]
        else:
            node = Node([] if kind == "SequenceStartEvent" else {}, line)
        if event.anchor is not None:  # type: ignore[attr-defined]
            self._anchors[event.anchor] = node  # type: ignore[attr-defined]
        if kind == "ScalarEvent":
            self._place(node, line)
        elif len(self._open) >= DEEPEST:
            raise PlainYamlError(f"nested more than {DEEPEST} deep", line)
        else:
            self._open.append(node)

    def _known(self, anchor: str, line: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None or any(node is other for other in self._open):
            raise PlainYamlError(f"*{anchor} stands for nothing that is complete before it", line)
        return node

    def _place(self, node: Node, line: int) -> None:
        """Put a finished value where it belongs: a document, an item, a key or the value of the key before it."""
        if not self._open:
            self.documents.append(node)
            return
        parent = self._open[-1]
        parent.size += node.size
        if parent.size > MOST_VALUES:
            raise PlainYamlError(f"more than {MOST_VALUES:,} values once aliases are written out", line)
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif parent.key is None:
            parent.key = self._as_key(node, parent.value, line)
        else:
            parent.value[parent.key.value], parent.key = node, None  # type: ignore[index]

    @staticmethod
    def _as_key(node: Node, mapping: dict[str, Node], line: int) -> Node:
        if not isinstance(node.value, str):
            raise PlainYamlError("a key must be a word", line)
        if node.value == "<<":
            raise PlainYamlError("merging (<<) is not read here: write the parameters out", line)
        if node.value in mapping:
            raise PlainYamlError(f"{node.value!r} is given twice", line)
        return node
