"""Batch files: named sets of parameters, or every combination of some values, for one notebook or several.

A document of a file is one batch for one notebook; docs/batches.md shows one with all its parts.
A value is the text in the file, read by the type that the notebook declares. A file is judged as a whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from kbio_analysis.errors import KbioError, ParameterError, UsageError, did_you_mean
from kbio_analysis.reading import DocumentError, read_json, read_yaml
from kbio_analysis.render.notebooks import notebooks_dir, select
from kbio_analysis.render.parameters import NotebookSpec, coerce, read, to_text
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, slug
from kbio_analysis.render.references import known_results
from kbio_analysis.render.results import RESULT, Ranking

MOST_SETS = 10_000
# Part of a batch -> what it has to be.
PARTS = {"notebook": str, "sets": dict, "matrix": dict, "exclude": list, "include": list}
PARTS |= {"rank_by": str, "columns": list}
_EXPECTED = {str: "a name is needed here", dict: "a mapping is needed here", list: "a list is needed here"}

Specs = Callable[[str], NotebookSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """One report to make: ``values`` are complete and typed, ``batch`` is its file's stem, ``place`` where in it."""

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
    of all files, each with file, set and parameter.
    """
    found, mistakes = _read(files, specs, given, results or (lambda name: known_results(notebooks_dir(), name)))
    sets = [one for document in found for one in document.sets]
    used = {name for document in found for name in document.overridden}
    if not mistakes:
        mistakes += [f"-p {name}: no notebook of the batch has such a parameter" for name in given if name not in used]
        if len(sets) > MOST_SETS:
            mistakes.append(f"{len(sets):,} sets in one run; the most is {MOST_SETS:,}: split the batch")
    taken: dict[tuple[str, str], str] = {}
    for one in sets:
        # File systems that ignore case count too.
        place = taken.setdefault((one.notebook, one.set_name.casefold()), one.place)
        if place is not one.place:
            mistakes.append(f"{one.place}: would be written to {one.notebook}/{one.set_name}, as {place}; rename one")
    if mistakes:
        raise UsageError("\n".join(dict.fromkeys(mistakes)))
    return sets


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


def rankings(files: Sequence[Path], specs: Specs | None = None) -> dict[str, dict[str, Ranking]]:
    """Batch -> notebook -> ranking, of files that ``read_batches`` has found right."""
    read_spec = specs or (lambda name: read(select(notebooks_dir(), [name]).popitem()[1]))
    found: dict[str, dict[str, Ranking]] = {file.stem: {} for file in files}
    for document in _read(files, read_spec, {}, lambda _: ())[0]:
        if document.ranking:
            found[document.batch][document.spec.name] = document.ranking
    return found


def _read(
    files: Sequence[Path], specs: Specs, given: Mapping[str, object], results: Callable[[str], Collection[str]]
) -> tuple[list[_Document], list[str]]:
    """The documents of the files that name a notebook, and everything that is wrong."""
    found: list[_Document] = []
    mistakes: list[str] = []
    for file in files:
        twice: list[str] = []
        try:
            documents = [content for content in read_yaml(file.read_bytes(), twice) if content is not None]
        except OSError as problem:
            mistakes.append(f"{file}: cannot be read: {problem.strerror or problem}")
            continue
        except DocumentError as problem:
            mistakes.append(f"{file}, {problem}")
            continue
        mistakes += [f"{file}, {problem}" for problem in twice]
        if not documents:
            mistakes.append(f"{file}: holds no batch; it needs `notebook:` and `sets:` or `matrix:`")
        for content in documents:
            try:
                found.append(_Document(file, content, specs, given, results, mistakes))
            except KbioError as problem:
                mistakes.append(f"{file}, {problem}")
    return found, mistakes


class _Document:
    """One document: its notebook, sets and ranking. Raises KbioError if it is for none; ``mistakes`` takes the rest."""

    def __init__(
        self,
        file: Path,
        content: Any,
        specs: Specs,
        given: Mapping[str, object],
        results: Callable[[str], Collection[str]],
        mistakes: list[str],
    ) -> None:
        self.batch, self._file, self._mistakes = file.stem, file, mistakes
        if not isinstance(content, dict):
            raise UsageError(f"line {content.line}, a batch is a mapping: notebook: NAME, then sets: or matrix:")
        parts = {key: self._checked(key, part) for key, part in content.items()}
        if not parts.get("notebook"):
            raise UsageError(f"line {content.line}, say which notebook: NAME this batch is for")
        try:
            self.spec = specs(str(parts["notebook"]))
        except KbioError as problem:
            raise UsageError(f"line {parts['notebook'].line}, {problem}") from None
        self.overridden = given.keys() & self.spec.defaults().keys()
        self._overrides = self._typed({name: given[name] for name in given if name in self.overridden})
        self.ranking = self._ranking(parts, results(self.spec.name))
        before = len(mistakes)
        matrix = self._matrix(parts.get("matrix") or {}, parts.get("exclude") or [])
        self.sets = [*self._named(parts.get("sets") or {}), *matrix, *self._included(parts.get("include") or [])]
        if not self.sets and len(mistakes) == before:
            self._wrong("gives no set; add sets: or matrix:", content)

    def _checked(self, key: str, part: Any) -> Any:
        """The part as it has to be; None, and the mistake noted, if it is something else."""
        if key not in PARTS:
            known = f"; known are {', '.join(PARTS)}"
            self._wrong(f"{key}: no such part of a batch{did_you_mean(key, PARTS) or known}", part)
        elif part is not None and not isinstance(part, PARTS[key]):
            self._wrong(f"{key}: {_EXPECTED[PARTS[key]]}", part)
        else:
            return part
        return None

    def _ranking(self, parts: Mapping[str, Any], recorded: Collection[str]) -> Ranking | None:
        by, columns = parts.get("rank_by"), parts.get("columns") or []
        if not by:
            if columns:
                self._wrong("columns: they stand in the ranking; say rank_by: RESULT too", columns)
            return None
        names = [by, *columns]
        for i, name in enumerate(names):
            part = "columns" if i else "rank_by"
            if not isinstance(name, str):
                self._wrong(f"{part}: the names of results are needed here", columns)
            elif i and names.count(name) > 1:
                self._wrong(f"columns: {name} is shown already; leave it out", name)
            elif recorded and name not in recorded:
                self._wrong(f"{part}: {self.spec.name} records no {name}{did_you_mean(name, recorded)}", name)
        return tuple(map(str, names))

    def _named(self, sets: Mapping[str, Any]) -> Iterator[ParameterSet]:
        for name, given in sets.items():
            yield from self._set(name, self._typed(given or {}, f"set {name}"), f"set {name}", given)

    def _matrix(self, matrix: Mapping[str, Any], exclude: Sequence[Any]) -> Iterator[ParameterSet]:
        axes = {name: self._axis(name, values) for name, values in matrix.items()}
        for name in self._overrides.keys() & axes.keys():
            self._wrong(f"matrix: -p {name} is given, but the matrix varies it; leave one of them out", matrix)
        count = prod(map(len, axes.values()))
        if count > MOST_SETS:
            self._wrong(f"matrix: {count:,} combinations; the most is {MOST_SETS:,}: split the batch", matrix)
            return
        combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
        for given in exclude:
            left_out = self._typed(given, "exclude")
            kept = [c for c in combinations if not left_out.items() <= c.items()]
            if len(kept) == len(combinations) or not left_out:
                self._wrong(f"exclude: no combination has {_shown(left_out) or 'nothing'}", given)
            combinations = kept
        for combination in combinations:
            yield from self._set(_brief(combination), combination, _shown(combination), matrix)

    def _axis(self, name: str, given: Any) -> list[object]:
        if not isinstance(given, list) or not given:
            self._wrong(f"matrix: {name}: write a list of values", given)
            return []
        values: list[object] = []
        for one in given:
            for value in self._typed({name: one}, "matrix").values():
                if value in values:
                    self._wrong(f"matrix: {name}: {to_text(value)} is given twice", one)
                else:
                    values.append(value)
        return values

    def _included(self, include: Sequence[Any]) -> Iterator[ParameterSet]:
        for given in include:
            if values := self._typed(given, "include"):
                yield from self._set(_brief(values), values, _shown(values), given)
            elif not given:
                self._wrong("include: an entry needs a parameter; name a set of the defaults under sets:", given)

    def _set(self, name: str, values: Mapping[str, object], label: str, at: Any) -> list[ParameterSet]:
        try:
            name = slug(name)
        except UsageError as problem:
            self._wrong(str(problem), at)
            return []
        if name == DEFAULT_SET and self.spec.changed(values):
            self._wrong("set default: that name is kept for the notebook's own values; choose another", at)
        whole, place = self.spec.defaults() | dict(values) | self._overrides, f"{self._place(at)}, {label}"
        return [ParameterSet(notebook=self.spec.name, set_name=name, values=whole, batch=self.batch, place=place)]

    def _typed(self, given: Any, label: str = "") -> dict[str, object]:
        """Parameters by their declared types, wrong ones left out and said; without a label, the command line's."""
        if not isinstance(given, dict):
            self._wrong(f"{label}: a mapping is needed here, name: value", given)
            return {}
        values: dict[str, object] = {}
        for name, value in given.items():
            try:
                typed = coerce(self.spec, {name: _unmarked(value)})
            except ParameterError as problem:
                if label:
                    self._wrong(f"{label}: {problem}", value if value is not None else given)
                else:
                    self._mistakes.append(f"-p {problem}")
                continue
            key = unicodedata.normalize("NFC", name)
            values[key] = typed[key]
        return values

    def _place(self, at: Any) -> str:
        return f"{self._file}, line {at.line}" if hasattr(at, "line") else str(self._file)

    def _wrong(self, what: str, at: Any) -> None:
        self._mistakes.append(f"{self._place(at)}, {what}")


def set_name_for(spec: NotebookSpec, values: Mapping[str, object]) -> str:
    """``default``, or e.g. ``target_year-2031-target_multiple-3`` from the values that differ from the defaults."""
    changed = spec.changed(values)
    return slug("-".join(f"{name}-{_in_a_name(value)}" for name, value in changed.items())) if changed else DEFAULT_SET


def values_named(spec: NotebookSpec, name: str) -> dict[str, str]:
    """The values, as they are typed, after which ``set_name_for`` names a set so; empty if none do."""
    names = "|".join(sorted((re.escape(one) for one in spec.defaults()), key=len, reverse=True))
    first, *rest = re.split(rf"(?:^|-)({names})-", name) if names else [name]
    given = dict(zip(rest[::2], rest[1::2], strict=True))
    for key, value in given.items():
        given[key] = value.upper() if str(spec.defaults()[key]).isupper() else value
    try:
        return given if not first and set_name_for(spec, coerce(spec, given)) == name else {}
    except UsageError:
        return {}


def _brief(values: Mapping[str, object]) -> str:
    """A set's name from its parameters; a word stands for itself: ``mfds_biopharma-target_year-2031``."""
    speaks = {name: isinstance(value, str) and value[:1].isalpha() for name, value in values.items()}
    return "-".join(_in_a_name(v) if speaks[name] else f"{name}-{_in_a_name(v)}" for name, v in values.items())


def _in_a_name(value: object) -> str:
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    text = "-".join(to_text(item) for item in value) if isinstance(value, list) else to_text(value)
    return re.sub(r"[/\\\0]", "-", text) or "empty"


def _unmarked(value: Any) -> Any:
    """A value without its place in the file."""
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _shown(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={to_text(value)}" for name, value in values.items())
