"""From a request (which notebooks, which values, which batch files) to jobs; everything wrong with it is said before
anything starts.

A document of a batch file is one batch for one notebook; docs/batches.md shows one with all its parts. A value is the
text in the file, read by the type that the notebook declares. A file is judged as a whole.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from kbio_analysis.data.package import data_root
from kbio_analysis.errors import DataError, KbioError, ParameterError, UsageError, did_you_mean
from kbio_analysis.reading import DocumentError, read_json, read_yaml
from kbio_analysis.render.job import Job
from kbio_analysis.render.notebooks import available, notebooks_dir, read_notebook, select
from kbio_analysis.render.parameters import NotebookSpec, coerce, read_source, to_text
from kbio_analysis.render.provenance import provenance
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, MARK, folder_of, slug
from kbio_analysis.render.references import known_results
from kbio_analysis.render.results import RESULT, Ranking, Rankings

AUTO = "auto"
MOST_SETS = 10_000
# Part of a batch -> what it has to be.
PARTS = {"notebook": str, "sets": dict, "matrix": dict, "exclude": list, "include": list}
PARTS |= {"rank_by": str, "columns": list}
_EXPECTED = {str: "a name", dict: "a mapping", list: "a list"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """One report to make: ``values`` are complete and typed, ``batch`` is its file's stem, ``place`` where in it,
    ``named_by`` are the parameters whose values name it."""

    notebook: str
    set_name: str
    values: dict[str, object]
    batch: str | None = None
    place: str = ""
    named_by: frozenset[str] = frozenset()


def requested(
    notebooks: Sequence[str],
    given: Mapping[str, object],
    *,
    set_name: str | None = None,
    batches: Sequence[Path] = (),
    failed_in: Path | None = None,
    kernel: str = AUTO,
    limit_seconds: float | None = None,
) -> tuple[list[Job], Rankings]:
    """The jobs of one request, and by what its batches are ranked: the sets of batch files if any, else a set a
    notebook (all if none is named), which its values name unless ``set_name`` does.

    With ``failed_in`` only those that failed there; without parameters, name and batch that means every report of that
    site whose last run failed, with the parameters it had then. ``kernel`` is auto, or a Jupyter kernel's name;
    ``limit_seconds`` is for a report. Raises UsageError listing every mistake.
    """
    if batches and set_name is not None:
        raise UsageError("--set names one set, but the sets of a batch have their own names; leave it out")
    if failed_in and not (failed_in / MARK).is_file():
        raise UsageError(f"--failed: there is no site in {failed_in}; look at --out")
    shelf, rankings, mistakes = _Shelf(notebooks, kernel, limit_seconds), {}, []
    sets: list[ParameterSet] = []
    name = slug(set_name) if set_name is not None else ""
    asked = [ParameterSet(notebook=notebook, set_name=name, values=dict(given)) for notebook in shelf.paths]
    if batches:
        found, rankings = read_batches(batches, shelf.spec)
        fitting = [(one, given.keys() & one.values.keys()) for one in found if one.notebook in shelf.paths]
        asked = [replace(one, values=one.values | {name: given[name] for name in names}) for one, names in fitting]
        if not asked:
            mistakes.append(f"no batch of {', '.join(map(str, batches))} is for {', '.join(sorted(shelf.paths))}")
        fixed = sorted({(one.batch, name) for one, names in fitting for name in names & one.named_by})
        mistakes += [f"-p {name}: sets of the batch {batch} are named by values of it" for batch, name in fixed]
        unused = given.keys() - {name for _, names in fitting for name in names}
        mistakes += [f"-p {name}: no notebook of the batch has such a parameter" for name in unused]
    elif failed_in and not given and set_name is None:
        records = sorted(failed_in.glob(f"*/*/{FAILURE}"))
        asked = [_kept(path) for path in records if not notebooks or path.parts[-3] in shelf.paths]
    for one in asked:
        try:
            spec = shelf.spec(one.notebook)
            values = coerce(spec, one.values)
            name = one.set_name or slug(named_after(spec.changed(values)) or DEFAULT_SET)
            sets.append(replace(one, set_name=name, values=values))
        except UsageError as mistake:
            mistakes.append(f"{one.place}: {mistake}" if one.place else str(mistake))
    if mistakes:
        raise UsageError("\n".join(dict.fromkeys(mistakes)))
    if failed_in:
        sets = [one for one in sets if (folder_of(failed_in, one.notebook, one.set_name) / FAILURE).exists()]
    return [shelf.job(one) for one in sets], rankings


def _kept(record: Path) -> ParameterSet:
    """The set whose run failed, as ``failure.json`` has it."""
    try:
        kept = read_json(record.read_bytes())
        about = {"values": dict(kept.get("parameters") or {}), "batch": kept.get("batch"), "place": str(record)}
    except (OSError, DocumentError, TypeError, ValueError) as problem:
        raise UsageError(f"{record}: {problem}; delete that folder, or render the set by its own name") from None
    return ParameterSet(notebook=record.parts[-3], set_name=record.parts[-2], **about)


class _Shelf:
    """The notebooks to choose from, each read once, and how their jobs are done."""

    def __init__(self, wanted: Sequence[str], kernel: str, limit_seconds: float | None) -> None:
        self._folder, self._kernel, self._limit = notebooks_dir(), kernel, limit_seconds
        self.paths = select(self._folder, list(wanted))
        self._all = available(self._folder) | self.paths
        self._read: dict[str, tuple[NotebookSpec, bytes]] = {}
        self._defaults: dict[str, Job] = {}

    @cached_property
    def _common(self) -> dict[str, Any]:
        data = None
        try:
            data = str(data_root().resolve())
        except DataError:  # a notebook may do without tables
            if "KBIO_DATA" in os.environ:
                raise
        return {"provenance": provenance(self._folder), "limit_seconds": self._limit, "data": data}

    def spec(self, notebook: str) -> NotebookSpec:
        """The specification of a notebook by its name or its unique beginning. Raises UsageError, ParameterError."""
        if notebook not in self._all:
            (notebook,) = select(self._folder, [notebook])
        if notebook not in self._read:
            source = read_notebook(self._all[notebook])
            self._read[notebook] = (read_source(notebook, source), source)
        return self._read[notebook][0]

    def job(self, one: ParameterSet, above: tuple[str, ...] = ()) -> Job:
        """The job of a set, with the default jobs of what its notebook is composed from; ``above`` asked for it."""
        if one.notebook in above:
            circle = " -> ".join([*above[above.index(one.notebook) :], one.notebook])
            raise UsageError(f"composed in a circle: {circle}; take a name out of composed_from in one's metadata")
        upstream = []
        for name in self.spec(one.notebook).composed_from:
            if name not in self._all:
                hint = did_you_mean(name, self._all)
                raise UsageError(f"{one.notebook} is composed from {name!r}, which no notebook is{hint}")
            if name not in self._defaults:
                default = ParameterSet(notebook=name, set_name=DEFAULT_SET, values=self.spec(name).defaults())
                self._defaults[name] = self.job(default, (*above, one.notebook))
            upstream.append(self._defaults[name])
        spec, source = self._read[one.notebook]
        wanted = spec.kernel if self._kernel == AUTO else self._kernel
        return Job(
            notebook=one.notebook,
            set_name=one.set_name,
            source=source,
            parameters=one.values,
            batch=one.batch,
            upstream=tuple(upstream),
            kernel=_kernel_of(one.notebook, spec.language, wanted),
            **self._common,
        )


@cache
def _kernel_of(notebook: str, language: str, wanted: str | None) -> str | None:
    """The name of the Jupyter kernel wanted, which is installed; None if none is needed."""
    if wanted is None and language.lower() == "python":
        return None
    if wanted is None:
        raise UsageError(f"{notebook} is written in {language}; name a Jupyter kernel for it with --kernel")
    from jupyter_client.kernelspec import KernelSpecManager

    installed = KernelSpecManager().find_kernel_specs()
    if wanted not in installed:
        listed = ", ".join(sorted(installed)) or "none"
        raise UsageError(f"no kernel {wanted!r} (installed: {listed}); leave --kernel out to need none")
    return wanted


def named_after(values: Mapping[str, object], *, briefly: bool = False) -> str:
    """A set's name from its values: ``series-mfds-target_year-2031``; ``briefly``, where all sets are at hand to be
    held apart, a word stands for itself: ``mfds-target_year-2031``."""
    parts = []
    for name, value in values.items():
        value = int(value) if isinstance(value, float) and value.is_integer() else value
        text = "-".join(map(to_text, value if isinstance(value, list) else [value])) or "empty"
        parts.append(text if briefly and isinstance(value, str) and text[:1].isalpha() else f"{name}-{text}")
    return re.sub(r"[/\\\0]", "-", "-".join(parts))


# ---- batch files


def read_batches(
    files: Sequence[Path], specs: Callable[[str], NotebookSpec]
) -> tuple[list[ParameterSet], dict[str, dict[str, Ranking]]]:
    """Every set of the files, in order, and batch -> notebook -> ranking.

    ``specs`` gives a notebook's specification by name, or raises KbioError; what it records is known by the codebook.
    Raises UsageError listing every mistake of all files, each with file, set and parameter.
    """
    sets: list[ParameterSet] = []
    mistakes: list[str] = []
    rankings: dict[str, dict[str, Ranking]] = {file.stem: {} for file in files}
    for file in files:
        twice: list[str] = []
        try:
            documents = [content for content in read_yaml(file.read_bytes(), twice) if content is not None]
            if not documents:
                raise DocumentError("it holds no batch; it needs `notebook:` and `sets:` or `matrix:`")
        except (OSError, DocumentError) as problem:
            mistakes.append(f"{file}, {getattr(problem, 'strerror', None) or problem}")
            continue
        mistakes += [f"{file}, {key}" for key in twice]
        for content in documents:
            try:
                document = _Document(file, content, specs, mistakes)
            except KbioError as problem:
                mistakes.append(f"{file}, line {_line(content)}, {problem}")
                continue
            sets += document.sets()
            if ranking := document.ranking():
                rankings[file.stem][document.spec.name] = ranking
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

    def __init__(self, file: Path, content: Any, specs: Callable[[str], NotebookSpec], mistakes: list[str]) -> None:
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
        if not any(self._parts[key] for key in ("sets", "matrix", "include")):
            self._wrong("gives no set; add sets: or matrix:", content)

    def ranking(self) -> Ranking:
        """What the batch's page is ranked by, and the results shown beside it; empty if it is not ranked."""
        by, columns = self._parts["rank_by"], self._parts["columns"]
        if columns and not by:
            self._wrong("columns: they stand in the ranking; say rank_by: RESULT too", columns)
        names = dict.fromkeys(map(str, [by, *columns] if by else []))
        recorded = known_results(notebooks_dir(), self.spec.name) if by else []
        for name in names if recorded else ():
            if name not in recorded:
                self._wrong(f"rank_by: {self.spec.name} records no {name}{did_you_mean(name, recorded)}", by)
        return tuple(names)

    def sets(self) -> list[ParameterSet]:
        """Every set that the document gives."""
        typed, used, found = [self._typed(given, "exclude") for given in self._parts["exclude"]], [], []
        left_out = [one for one in typed if one is not None]
        for name, given, label, at in self._entries():
            values = self._typed(given, label)
            if values is None:
                continue
            if label == "matrix" and (out := [one for one in left_out if one.items() <= values.items()]):
                used += out
                continue
            named_by = frozenset() if name else frozenset(values)
            try:
                name = slug(name or named_after(values, briefly=True))
            except UsageError as problem:
                self._wrong(f"{label}: {problem}", at)
            if name == DEFAULT_SET and self.spec.changed(values):
                self._wrong("set default: that name is kept for the notebook's own values; choose another", at)
            values = self.spec.defaults() | values
            for conflict in self.spec.conflicts(values):
                self._wrong(f"{label}: {conflict}", at)
            about = {"batch": self._file.stem, "place": f"{self._place(at)}, {label}", "named_by": named_by}
            found.append(ParameterSet(notebook=self.spec.name, set_name=name, values=values, **about))
        for one in (one for one in left_out if one not in used):
            self._wrong(f"exclude: no combination has {one}", self._parts["exclude"])
        return found

    def _entries(self) -> Iterator[tuple[str, Any, str, Any]]:
        """Name (none if its values are to name it), values as written, label and place of every set."""
        for name, given in self._parts["sets"].items():
            yield name, given or {}, f"set {name}", name
        matrix = self._parts["matrix"]
        for name, values in matrix.items():
            if not isinstance(values, list) or not values:
                self._wrong(f"matrix: {name}: write a list of values", name)
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
        try:
            if not isinstance(given, dict):
                raise ParameterError("a mapping is needed here, name: value")
            return self.spec.accept(given)
        except ParameterError as problem:
            for mistake in str(problem).splitlines():
                self._wrong(f"{label}: {mistake}", given)
        return None

    def _place(self, at: Any) -> str:
        return f"{self._file}, line {_line(at)}" if _line(at) else str(self._file)

    def _wrong(self, what: str, at: Any) -> None:
        self._mistakes.append(f"{self._place(at)}, {what}")


def _line(at: Any) -> int:
    """Where the first word of a part of the file stands; 0 if it has none."""
    while at and isinstance(at, list | dict):
        at = next(iter(at))
    return getattr(at, "line", 0)
