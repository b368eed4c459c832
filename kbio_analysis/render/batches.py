"""Batch files: named sets of parameters, or every combination of some values, for one notebook or several.

A document of a file is one batch for one notebook::

    notebook: 11_export_forecast
    sets:                                # named by hand; an empty set is the defaults
      slow_world: {segment_growth_pct: 5}
    matrix:                              # every combination, named after its values
      series: [mfds_biopharma, kita_biopharma]
      target_year: [2030, 2035]
    exclude:                             # combinations to leave out
      - {series: kita_biopharma, target_year: 2035}
    include:                             # one more set each, named after its values
      - {target_year: 2040}
    rank_by: probability_of_target       # a recorded number: the batch's page opens with the sets in this order
    columns: [required_growth_pct]       # more recorded results, shown beside it

A value is the text in the file, read by the type that the notebook declares. A file is judged as a whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path

from kbio_analysis.errors import KbioError, ParameterError, UsageError, did_you_mean
from kbio_analysis.render.documents import DocumentError, Node, read_yaml
from kbio_analysis.render.names import DEFAULT_SET, briefly_named
from kbio_analysis.render.notebooks import notebooks_dir, select
from kbio_analysis.render.parameters import NotebookSpec, coerce, read, to_text
from kbio_analysis.render.publish import slug
from kbio_analysis.render.ranking import Ranking
from kbio_analysis.render.references import known_results

MOST_SETS = 10_000
KEYS = ("notebook", "sets", "matrix", "include", "exclude", "rank_by", "columns")

Specs = Callable[[str], NotebookSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """One report to make: ``values`` are complete and typed.

    ``batch`` is the file's name without its ending, ``place`` says where in the file the set was written.
    """

    notebook: str
    set_name: str
    values: dict[str, object]
    batch: str | None = None
    place: str = ""


def read_batches(
    files: Sequence[Path],
    specs: Specs,
    given: Mapping[str, object],
    results: Callable[[str], Collection[str]] | None = None,
) -> list[ParameterSet]:
    """Every set of the files, in order; ``given`` overrides the parameter in all sets of notebooks that have it.

    ``specs`` gives a notebook's specification by name, or raises KbioError; ``results`` the names it is known to
    record (by default, from codebook and reference), none if it is not known. Raises UsageError listing every mistake
    of all files, each with file, line, set and parameter.
    """
    sets: list[ParameterSet] = []
    mistakes: list[str] = []
    used: set[str] = set()
    for file in files:
        documents = _documents(file, mistakes)
        for document in documents or []:
            reader = _Reader(file, mistakes, specs, given, results)
            sets += reader.sets(document)
            used |= reader.overridden
        if documents == []:
            mistakes.append(f"{file}: holds no batch; it needs `notebook:` and `sets:` or `matrix:`")
    if not mistakes:
        mistakes += [f"-p {name}: no notebook of the batch has such a parameter" for name in given if name not in used]
        if len(sets) > MOST_SETS:
            mistakes.append(f"{len(sets):,} sets in one run; the most is {MOST_SETS:,}: split the batch")
    mistakes += _collisions(sets)
    if mistakes:
        raise UsageError("\n".join(dict.fromkeys(mistakes)))
    return sets


def rankings(files: Sequence[Path], specs: Specs | None = None) -> dict[str, dict[str, Ranking]]:
    """Batch -> notebook -> ranking, of files that ``read_batches`` has found right."""
    found: dict[str, dict[str, Ranking]] = {}
    specs = specs or (lambda name: read(select(notebooks_dir(), [name]).popitem()[1]))
    for file in files:
        here = found.setdefault(file.stem, {})
        for document in _documents(file, []) or []:
            reader = _Reader(file, [], specs, {}, lambda _: ())
            if reader.heads(document) and reader.ranking:
                here[reader.spec.name] = reader.ranking
    return found


def _documents(file: Path, mistakes: list[str]) -> list[Node] | None:
    """The documents of a file that are not empty; None, and the reason among the mistakes, if it cannot be read."""
    try:
        return [node for node in read_yaml(file.read_bytes()) if not node.empty]
    except OSError as problem:
        mistakes.append(f"{file}: cannot be read: {problem.strerror or problem}")
    except DocumentError as problem:
        mistakes.append(f"{file}{f', line {problem.line}' if problem.line else ''}: {problem}")
    return None


def _collisions(sets: list[ParameterSet]) -> list[str]:
    """Sets that would be written to one folder; file systems that ignore case count too."""
    mistakes: list[str] = []
    taken: dict[tuple[str, str], str] = {}
    for one in sets:
        place = taken.setdefault((one.notebook, one.set_name.casefold()), one.place)
        if place is not one.place:
            mistakes.append(f"{one.place}: would be written to {one.notebook}/{one.set_name}, as {place}; rename one")
    return mistakes


def _shown(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={to_text(value)}" for name, value in values.items())


class _Reader:
    """Reads one document, adding what is wrong to ``mistakes``."""

    spec: NotebookSpec
    ranking: Ranking | None = None

    def __init__(
        self,
        file: Path,
        mistakes: list[str],
        specs: Specs,
        given: Mapping[str, object],
        results: Callable[[str], Collection[str]] | None,
    ) -> None:
        self.overridden: set[str] = set()
        self._file, self._mistakes, self._specs, self._given, self._results = file, mistakes, specs, given, results
        self._overrides: dict[str, object] = {}

    def sets(self, document: Node) -> list[ParameterSet]:
        if not self.heads(document):
            return []
        parts, before = document.value, len(self._mistakes)
        found = [*self._named(parts.get("sets")), *self._matrix(parts.get("matrix"), parts.get("exclude"))]
        found += self._included(parts.get("include"))
        if not found and len(self._mistakes) == before:
            self._wrong(document, "gives no set; add sets: or matrix:")
        return found

    def heads(self, document: Node) -> bool:
        """Read which notebook the document is for and its ranking; whether there is such a notebook."""
        if not isinstance(document.value, dict):
            self._wrong(document, "a batch is a mapping: notebook: NAME, then sets: or matrix:")
            return False
        parts = document.value
        for key, node in parts.items():
            if key not in KEYS:
                hint = did_you_mean(key, KEYS) or f"; known are {', '.join(KEYS)}"
                self._wrong(node, f"{key}: no such part of a batch{hint}")
        known = self._choose(document, parts.get("notebook"))
        self._read_ranking(parts.get("rank_by"), parts.get("columns"), known)
        return known

    def _choose(self, document: Node, name: Node | None) -> bool:
        if name is None or not isinstance(name.value, str) or name.empty:
            self._wrong(name or document, "say which notebook: NAME this batch is for")
            return False
        try:
            self.spec = self._specs(name.value)
        except KbioError as problem:
            self._wrong(name, str(problem))
            return False
        for parameter in self._given.keys() & self.spec.defaults().keys():
            self.overridden.add(parameter)
            try:
                self._overrides[parameter] = coerce(self.spec, {parameter: self._given[parameter]})[parameter]
            except ParameterError as problem:
                self._mistakes.append(f"-p {problem}")
        return True

    def _read_ranking(self, by: Node | None, columns: Node | None, known: bool) -> None:
        listed = [] if columns is None or columns.empty else columns.value
        if by is None and columns is None:
            return
        if by is None:
            self._wrong(columns, "columns: they stand in the ranking; say rank_by: RESULT too")
        elif by.empty or not isinstance(by.value, str):
            self._wrong(by, "rank_by: the name of a result is needed here")
        elif not isinstance(listed, list) or not all(isinstance(item.value, str) and item.value for item in listed):
            self._wrong(columns, "columns: a list of names of results is needed here")
        else:
            names = [by.value, *(str(item.value) for item in listed)]
            find = self._results or (lambda notebook: known_results(notebooks_dir(), notebook))
            recorded = find(self.spec.name) if known else ()
            for i, node in enumerate([by, *listed]):
                part = "columns" if i else "rank_by"
                if i and names.count(names[i]) > 1:
                    self._wrong(node, f"columns: {names[i]} is shown already; leave it out")
                if recorded and names[i] not in recorded:
                    hint = did_you_mean(names[i], recorded)
                    self._wrong(node, f"{part}: {self.spec.name} records no {names[i]}{hint}")
            self.ranking = Ranking(rank_by=by.value, columns=tuple(names[1:]))

    def _named(self, part: Node | None) -> Iterator[ParameterSet]:
        for name, node in self._mapping(part, "sets"):
            values = self._values(node, f"set {name}")
            try:
                folder = slug(name)
            except UsageError as problem:
                self._wrong(node, str(problem))
                continue
            if folder == DEFAULT_SET and self.spec.changed(values):
                self._wrong(node, "set default: that name is kept for the notebook's own values; choose another")
            yield self._set(folder, values, node, f"set {name}")

    def _matrix(self, part: Node | None, exclude: Node | None) -> Iterator[ParameterSet]:
        axes = {name: self._axis(name, node) for name, node in self._mapping(part, "matrix")}
        for name in self._overrides.keys() & axes.keys():
            self._wrong(part, f"matrix: -p {name} is given, but the matrix varies it; leave one of them out")
        count = prod(map(len, axes.values()))
        if count > MOST_SETS:
            self._wrong(part, f"matrix: {count:,} combinations; the most is {MOST_SETS:,}: split the batch")
            return
        combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
        for left_out, node in self._listed(exclude, "exclude"):
            kept = [c for c in combinations if not left_out.items() <= c.items()]
            if len(kept) == len(combinations) or not left_out:
                self._wrong(node, f"exclude: no combination has {_shown(left_out) or 'nothing'}")
            combinations = kept
        for combination in combinations:
            yield from self._unnamed(combination, part)

    def _included(self, part: Node | None) -> Iterator[ParameterSet]:
        for values, node in self._listed(part, "include"):
            if values:
                yield from self._unnamed(values, node)
            else:
                self._wrong(node, "include: an entry needs a parameter; name a set of the defaults under sets:")

    def _unnamed(self, values: dict[str, object], node: Node) -> Iterator[ParameterSet]:
        try:
            yield self._set(briefly_named(values), values, node, _shown(values))
        except UsageError as problem:
            self._wrong(node, str(problem))

    def _set(self, name: str, values: Mapping[str, object], node: Node, label: str) -> ParameterSet:
        whole = self.spec.defaults() | dict(values) | self._overrides
        place = f"{self._file}, line {node.line}, {label}"
        return ParameterSet(notebook=self.spec.name, set_name=name, values=whole, batch=self._file.stem, place=place)

    def _axis(self, name: str, node: Node) -> list[object]:
        if not isinstance(node.value, list) or not node.value:
            self._wrong(node, f"matrix: {name}: write a list of values")
            return []
        values: list[object] = []
        for item in node.value:
            for value in self._values(Node({name: item}, item.line), "matrix").values():
                if value in values:
                    self._wrong(item, f"matrix: {name}: {to_text(value)} is given twice")
                else:
                    values.append(value)
        return values

    def _values(self, node: Node, label: str) -> dict[str, object]:
        """A mapping of parameters, typed; a wrong one is left out and said."""
        values = {}
        for typed, child in self._mapping(node, label):
            name = unicodedata.normalize("NFC", typed)
            try:
                values[name] = coerce(self.spec, {name: self._raw(name, child)})[name]
            except ParameterError as problem:
                self._wrong(child, f"{label}: {problem}")
            except ValueError as problem:
                self._wrong(child, f"{label}: {name}: {problem}")
        return values

    def _raw(self, name: str, node: Node) -> object:
        if isinstance(node.value, str):
            optional = any(p.name == name and p.optional for p in self.spec.parameters)
            return None if optional and node.empty else node.value
        if isinstance(node.value, dict):
            raise ValueError("a value is needed here, not a mapping")
        if not all(isinstance(item.value, str) for item in node.value):
            raise ValueError("a list may hold plain values only")
        return [item.value for item in node.value]

    def _mapping(self, node: Node | None, label: str) -> list[tuple[str, Node]]:
        if node is None or node.empty:
            return []
        if not isinstance(node.value, dict):
            self._wrong(node, f"{label}: a mapping is needed here, name: value")
            return []
        return list(node.value.items())

    def _listed(self, node: Node | None, label: str) -> Iterator[tuple[dict[str, object], Node]]:
        if node is None or node.empty:
            return
        if not isinstance(node.value, list):
            self._wrong(node, f"{label}: a list of parameter mappings is needed here")
            return
        for item in node.value:
            before = len(self._mistakes)
            values = self._values(item, label)
            if len(self._mistakes) == before:
                yield values, item

    def _wrong(self, node: Node | None, what: str) -> None:
        line = f", line {node.line}" if node is not None else ""
        self._mistakes += [f"{self._file}{line}, {text}" for text in what.splitlines()]
