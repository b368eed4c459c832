"""Batch files: named sets of parameters, or every combination of some values, for one notebook or several.

A document of a file is one batch for one notebook; docs/batches.md shows one with all its parts.
A value is the text in the file, read by the type that the notebook declares. A file is judged as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from kbio_analysis.errors import KbioError, ParameterError, UsageError, did_you_mean
from kbio_analysis.reading import DocumentError, read_json, read_yaml
from kbio_analysis.render.notebooks import notebooks_dir
from kbio_analysis.render.parameters import NotebookSpec, to_text
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, slug
from kbio_analysis.render.references import known_results
from kbio_analysis.render.results import RESULT, Ranking, Rankings

MOST_SETS = 10_000
# Part of a batch -> what it has to be.
PARTS = {"notebook": str, "sets": dict, "matrix": dict, "exclude": list, "include": list}
PARTS |= {"rank_by": str, "columns": list}
_EXPECTED = {str: "a name", dict: "a mapping", list: "a list"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """One report to make: ``values`` are complete and typed, ``batch`` is its file's stem, ``place`` where in it."""

    notebook: str
    set_name: str
    values: dict[str, object]
    batch: str | None = None
    place: str = ""


def read_batches(
    files: Sequence[Path], specs: Callable[[str], NotebookSpec], given: Mapping[str, object]
) -> tuple[list[ParameterSet], Rankings]:
    """Every set of the files, in order, and batch -> notebook -> ranking; ``given`` overrides the parameter in all sets
    of notebooks that have it.

    ``specs`` gives a notebook's specification by name, or raises KbioError; what it records is known by the codebook.
    Raises UsageError listing every mistake of all files, each with file, set and parameter.
    """
    sets: list[ParameterSet] = []
    mistakes: list[str] = []
    rankings: dict[str, dict[str, Ranking]] = {file.stem: {} for file in files}
    unused = dict(given)
    for file in files:
        twice: list[str] = []
        try:
            documents = [content for content in read_yaml(file.read_bytes(), twice) if content is not None]
            if not documents:
                raise DocumentError("it holds no batch; it needs `notebook:` and `sets:` or `matrix:`")
        except (OSError, DocumentError) as problem:
            mistakes.append(f"{file}, {getattr(problem, 'strerror', None) or problem}")
            continue
        mistakes += [f"{file}, {problem}" for problem in twice]
        for content in documents:
            try:
                document = _Document(file, content, specs, given, mistakes)
            except KbioError as problem:
                mistakes.append(f"{file}, line {_line(content)}, {problem}")
                continue
            unused = {name: value for name, value in unused.items() if name not in document.spec.defaults()}
            sets += document.sets()
            if ranking := document.ranking(known_results(notebooks_dir(), document.spec.name)):
                rankings[file.stem][document.spec.name] = ranking
    if not mistakes:
        mistakes += [f"-p {name}: no notebook of the batch has such a parameter" for name in unused]
    taken: dict[tuple[str, str], str] = {}
    for one in sets:
        # File systems that ignore case count too.
        place = taken.setdefault((one.notebook, one.set_name.casefold()), one.place)
        if place is not one.place:
            mistakes.append(f"{one.place}: would be written to {one.notebook}/{one.set_name}, as {place}; rename one")
    if mistakes:
        raise UsageError("\n".join(dict.fromkeys(mistakes)))
    return sets, rankings


def keep_apart(sets: Sequence[Any], site: Path) -> None:
    """Raises UsageError for sets (of notebook, set_name, batch) that would take another batch's place on a site."""
    mistakes = []
    for one in sets:
        for record in (RESULT, FAILURE) if one.batch else ():
            try:
                kept = read_json((site / one.notebook / one.set_name / record).read_bytes()).get("batch")
            except (OSError, DocumentError):
                continue
            if kept not in (None, one.batch):
                mistakes.append(f"{one.batch}: {one.notebook}/{one.set_name} is a set of the batch {kept}; rename one")
    if mistakes:
        raise UsageError("\n".join([*dict.fromkeys(mistakes), f"or give another --out (or delete what {site} holds)"]))


class _Document:
    """One document and its notebook. Raises KbioError if it is for none; ``mistakes`` takes the rest."""

    def __init__(
        self,
        file: Path,
        content: Any,
        specs: Callable[[str], NotebookSpec],
        given: Mapping[str, object],
        mistakes: list[str],
    ) -> None:
        self._file, self._mistakes, self._parts = file, mistakes, {name: kind() for name, kind in PARTS.items()}
        if not isinstance(content, dict):
            raise UsageError("a batch is a mapping: notebook: NAME, then sets: or matrix:")
        for key, part in content.items():
            if key not in PARTS:
                known = f"; known are {', '.join(PARTS)}"
                self._wrong(f"{key}: no such part of a batch{did_you_mean(key, PARTS) or known}", key)
            elif part is not None and not isinstance(part, PARTS[key]):
                self._wrong(f"{key}: {_EXPECTED[PARTS[key]]} is needed here", key)
            elif part is not None:
                self._parts[key] = part
        if not self._parts["notebook"]:
            raise UsageError("say which notebook: NAME this batch is for")
        self.spec = specs(str(self._parts["notebook"]))
        overriding = {name: value for name, value in given.items() if name in self.spec.defaults()}
        self._overrides = self._typed(overriding, "-p") or {}

    def ranking(self, recorded: Collection[str]) -> Ranking:
        """What the batch's page is ranked by, and the results shown beside it; empty if it is not ranked."""
        by, columns = self._parts["rank_by"], self._parts["columns"]
        if columns and not by:
            self._wrong("columns: they stand in the ranking; say rank_by: RESULT too", columns)
        names = dict.fromkeys(map(str, [by, *columns] if by else []))
        for name in names if recorded else ():
            if name not in recorded:
                self._wrong(f"rank_by: {self.spec.name} records no {name}{did_you_mean(name, recorded)}", by)
        return tuple(names)

    def sets(self) -> list[ParameterSet]:
        """Every set that the document gives."""
        before, found = len(self._mistakes), []
        typed = [self._typed(given, "exclude") for given in self._parts["exclude"]]
        left_out, used = [one for one in typed if one is not None], []
        for name, given, label, at in self._entries():
            values = self._typed(given, label)
            if values is None:
                continue
            if label == "matrix" and (out := [one for one in left_out if one.items() <= values.items()]):
                used += out
                continue
            try:
                name = slug(name or _brief(values))
            except UsageError as problem:
                self._wrong(f"{label}: {problem}", at)
            if name == DEFAULT_SET and self.spec.changed(values):
                self._wrong("set default: that name is kept for the notebook's own values; choose another", at)
            whole, place = self.spec.defaults() | values | self._overrides, f"{self._place(at)}, {label}"
            for conflict in self.spec.conflicts(whole):
                self._wrong(f"{label}: {conflict}", at)
            about = {"batch": self._file.stem, "place": place}
            found.append(ParameterSet(notebook=self.spec.name, set_name=name, values=whole, **about))
        for one in (one for one in left_out if one not in used):
            self._wrong(f"exclude: no combination has {one}", self._parts["exclude"])
        if not found and len(self._mistakes) == before:
            self._wrong("gives no set; add sets: or matrix:", self._parts["notebook"])
        return found

    def _entries(self) -> Iterator[tuple[str, Any, str, Any]]:
        """Name (none if its values are to name it), values as written, label and place of every set."""
        for name, given in self._parts["sets"].items():
            yield name, given or {}, f"set {name}", name
        matrix = self._parts["matrix"]
        for name, values in matrix.items():
            if not isinstance(values, list) or not values:
                self._wrong(f"matrix: {name}: write a list of values", name)
            elif name in self._overrides:
                self._wrong(f"matrix: -p {name} is given, but the matrix varies it; leave one of them out", name)
        axes = {name: values for name, values in matrix.items() if isinstance(values, list)}
        count = prod(map(len, axes.values()))
        if count > MOST_SETS:
            self._wrong(f"matrix: {count:,} combinations; the most is {MOST_SETS:,}: split the batch", matrix)
        elif axes:
            for values in product(*axes.values()):
                yield "", dict(zip(axes, values, strict=True)), "matrix", matrix
        for given in self._parts["include"]:
            yield "", given, "include", given

    def _typed(self, given: Any, label: str) -> dict[str, object] | None:
        """Parameters by their declared types; None if something is wrong with them, which is said."""
        before, values = len(self._mistakes), {}
        if not isinstance(given, dict):
            self._wrong(f"{label}: a mapping is needed here, name: value", given)
        for name, value in given.items() if isinstance(given, dict) else ():
            try:
                values |= self.spec.accept({name: value})
            except ParameterError as problem:
                self._wrong(f"{label}: {problem}", value or name)
        return values if len(self._mistakes) == before else None

    def _place(self, at: Any) -> str:
        return f"{self._file}, line {_line(at)}" if _line(at) else str(self._file)

    def _wrong(self, what: str, at: Any) -> None:
        self._mistakes.append(f"{self._place(at)}, {what}")


def _line(at: Any) -> int:
    """Where the first word of a part of the file stands; 0 if it has none."""
    while at and isinstance(at, list | dict):
        at = next(iter(at))
    return getattr(at, "line", 0)


def set_name_for(spec: NotebookSpec, values: Mapping[str, object]) -> str:
    """``default``, or e.g. ``target_year-2031-target_multiple-3`` from the values that differ from the defaults."""
    changed = spec.changed(values)
    return slug("-".join(f"{name}-{_in_a_name(value)}" for name, value in changed.items())) if changed else DEFAULT_SET


def _brief(values: Mapping[str, object]) -> str:
    """A set's name from its parameters; a word stands for itself: ``mfds_biopharma-target_year-2031``."""
    speaks = {name: isinstance(value, str) and value[:1].isalpha() for name, value in values.items()}
    return "-".join(_in_a_name(v) if speaks[name] else f"{name}-{_in_a_name(v)}" for name, v in values.items())


def _in_a_name(value: object) -> str:
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    text = "-".join(to_text(item) for item in value) if isinstance(value, list) else to_text(value)
    return re.sub(r"[/\\\0]", "-", text) or "empty"
