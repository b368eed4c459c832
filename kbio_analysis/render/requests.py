"""From a request (which notebooks, which values, which batch files) to jobs; everything wrong with it is said before
anything starts.

A document of a batch file is one batch for one notebook; docs/batches.md shows one with all its parts. A value is the
text in the file, read by the type that the notebook declares. A file is judged as a whole.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from typing_extensions import TypedDict

from kbio_analysis.data.package import data_root
from kbio_analysis.errors import DataError, KbioError, UsageError, did_you_mean, mistakes_in
from kbio_analysis.notebooks import available, known_results, notebooks_dir, read_notebook, select, slug
from kbio_analysis.reading import DocumentError, read_yaml
from kbio_analysis.render.job import Job
from kbio_analysis.render.parameters import NotebookSpec, coerce, judged, member, read_source, to_text
from kbio_analysis.render.provenance import provenance
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, MARK
from kbio_analysis.render.results import Ranking, Rankings, read_report, read_reports

AUTO = "auto"
MOST_SETS = 10_000


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
    shelf, mistakes = _Shelf(notebooks, kernel, limit_seconds), []
    sets: list[ParameterSet] = []
    name, rankings = slug(set_name) if set_name is not None else "", {}
    asked = [ParameterSet(notebook=notebook, set_name=name, values=dict(given)) for notebook in shelf.paths]
    failing = [report for report in read_reports(failed_in) if not report.good] if failed_in else []
    if batches:
        found, rankings = read_batches(batches, shelf.spec)
        asked = [one for one in found if one.notebook in shelf.paths]
        if not asked:
            mistakes.append(f"no batch of {', '.join(map(str, batches))} is for {', '.join(sorted(shelf.paths))}")
        for name in given:
            if not any(name in one.values for one in asked):
                mistakes.append(f"-p {name}: no notebook of the batch has such a parameter")
            fixed = [one.batch for one in asked if name in one.named_by]
            mistakes += [f"-p {name}: sets of the batch {batch} are named by values of it" for batch in fixed]
        asked = [replace(one, values={name: given.get(name, one.values[name]) for name in one.values}) for one in asked]
    elif failed_in and not given and set_name is None:
        asked = []
        for report in (report for report in failing if not notebooks or report.notebook in shelf.paths):
            if report.status == "broken":
                what = f"{report.error['message']}; delete that folder, or render the set by its own name"
                mistakes.append(f"{report.folder}: {what}")
            about = {"values": report.parameters, "batch": report.batch, "place": f"{report.folder / FAILURE}"}
            asked.append(ParameterSet(notebook=report.notebook, set_name=report.set, **about))
    for one in asked:
        try:
            spec = shelf.spec(one.notebook)
            values = one.values if batches and not given else coerce(spec, one.values)  # a batch's are judged already
            name = one.set_name or slug(named_after(spec.changed(values)) or DEFAULT_SET)
            sets.append(replace(one, set_name=name, values=values))
        except UsageError as mistake:
            mistakes.append(f"{one.place}: {mistake}" if one.place else str(mistake))
    if mistakes:
        raise UsageError("\n".join(dict.fromkeys(mistakes)))
    if failed_in:
        sets = [one for one in sets if f"{one.notebook}/{one.set_name}" in {report.label for report in failing}]
    return [shelf.job(one) for one in sets], rankings


class _Shelf:
    """The notebooks to choose from, each read once, and how their jobs are done."""

    def __init__(self, wanted: Sequence[str], kernel: str, limit_seconds: float | None) -> None:
        self._folder, self._kernel, self._limit = notebooks_dir(), kernel, limit_seconds
        self.paths = select(self._folder, list(wanted))
        self._all = available(self._folder) | self.paths
        self._source = cache(lambda notebook: read_notebook(self._all[notebook]))

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
        return read_source(notebook, self._source(notebook))

    def job(self, one: ParameterSet, above: tuple[str, ...] = ()) -> Job:
        """The job of a set, with the default jobs of what its notebook is composed from; ``above`` asked for it."""
        if one.notebook in above:
            circle = " -> ".join([*above[above.index(one.notebook) :], one.notebook])
            raise UsageError(f"composed in a circle: {circle}; take a name out of composed_from in one's metadata")
        spec, upstream = self.spec(one.notebook), []
        for name in spec.composed_from:
            if name not in self._all:
                hint = did_you_mean(name, self._all)
                raise UsageError(f"{one.notebook} is composed from {name!r}, which no notebook is{hint}")
            default = ParameterSet(notebook=name, set_name=DEFAULT_SET, values=self.spec(name).defaults())
            upstream.append(self.job(default, (*above, one.notebook)))
        wanted = spec.kernel if self._kernel == AUTO else self._kernel
        return Job(
            notebook=one.notebook,
            set_name=one.set_name,
            source=self._source(one.notebook),
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
    from jupyter_client.kernelspec import KernelSpecManager

    if wanted in (installed := KernelSpecManager().find_kernel_specs()):
        return wanted
    listed = ", ".join(sorted(installed)) or "none"
    what = f"no kernel {wanted!r}" if wanted else f"{notebook} is written in {language} and names no kernel"
    raise UsageError(f"{what} (installed: {listed}); name one with --kernel, or for Python leave it out")


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
    Raises UsageError listing the mistakes of all files, each with file, line and place.
    """
    sets: list[ParameterSet] = []
    mistakes: list[str] = []
    rankings: dict[str, dict[str, Ranking]] = {file.stem: {} for file in files}
    for file in files:
        try:
            documents = [content for content in read_yaml(file.read_bytes()) if content is not None] or [{}]
        except (OSError, DocumentError) as problem:
            mistakes.append(f"{file}, {getattr(problem, 'strerror', None) or problem}")
            continue
        for document in (_Document(file, content, mistakes) for content in documents):
            try:
                notebook, own, ranking = document.read(specs)
            except KbioError as problem:
                document.wrong((), str(problem))
                continue
            sets += own
            rankings[file.stem] |= {notebook: ranking} if ranking else {}
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
    mistakes = [
        f"{one.batch}: {one.notebook}/{one.set_name} is a set of the batch {batch}; rename one"
        for one in sets
        if one.batch and (batch := read_report(site / one.notebook / one.set_name).batch) not in (None, one.batch)
    ]
    if mistakes:
        raise UsageError("\n".join([*mistakes, f"or give another --out (or delete what {site} holds)"]))


class _Document:
    """One document of a batch file; ``mistakes`` takes what is wrong with it, with its place."""

    def __init__(self, file: Path, content: Any, mistakes: list[str]) -> None:
        self._file, self._content, self._mistakes, self._parts = file, content, mistakes, {}

    def read(self, specs: Callable[[str], NotebookSpec]) -> tuple[str, list[ParameterSet], Ranking]:
        """Its notebook, every set that it gives (none if a value in it is wrong), and what its page is ranked by with
        the results shown beside that. Raises KbioError if it is for no notebook."""
        if not isinstance(self._content, dict) or not self._content.get("notebook"):
            raise UsageError("a batch is a mapping: notebook: NAME, then sets: or matrix:")
        spec, found = specs(str(self._content["notebook"])), []
        values, axis = spec.typed(), spec.typed(lambda one: Annotated[list[one], Field(min_length=1)])
        recorded = partial(member, partial(known_results, notebooks_dir(), spec.name), f"recorded by {spec.name}")
        result = Annotated[str, AfterValidator(recorded)]
        form = {"notebook": str, "sets": dict[str, values | None], "matrix": axis, "include": list[values]}
        form |= {"exclude": list[values], "rank_by": result, "columns": list[result]}
        given = {part: value for part, value in self._content.items() if value is not None}
        try:
            self._parts = judged(TypedDict("Batch", form, total=False), given)
        except ValidationError as problem:
            for place, why in mistakes_in(problem, [*form, *(p.name for p in spec.parameters)]):
                self.wrong(place, why)
            return spec.name, [], ()
        by, columns = self._parts.get("rank_by"), self._parts.get("columns", [])
        if columns and not by:
            self.wrong(("columns",), "they stand in the ranking; say rank_by: RESULT too")
        for place, name, own in self._entries():
            complete = spec.defaults() | own
            try:
                set_name = slug(name or named_after(own, briefly=True))
                if set_name == DEFAULT_SET and spec.changed(own):
                    raise UsageError("that name is kept for the notebook's own values; choose another")
            except UsageError as problem:
                self.wrong(place, str(problem))
                continue
            for conflict in spec.conflicts(complete):
                self.wrong(place, conflict)
            about = {"place": self._at(place), "named_by": frozenset() if name else frozenset(own)}
            about |= {"batch": self._file.stem, "values": complete}
            found.append(ParameterSet(notebook=spec.name, set_name=set_name, **about))
        return spec.name, found, tuple(dict.fromkeys([by, *columns])) if by else ()

    def _entries(self) -> Iterator[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
        """Place, name (none if its values are to name it) and values of every set."""
        parts = self._parts
        if not any(parts.get(part) for part in ("sets", "matrix", "include")):
            self.wrong((), "gives no set; add sets: or matrix:")
        for name, own in parts.get("sets", {}).items():
            yield ("sets", name), name, own or {}
        axes = {name: parts["matrix"][name] for name in self._content.get("matrix") or ()}
        if (count := prod(map(len, axes.values()))) > MOST_SETS:
            self.wrong(("matrix",), f"{count:,} combinations; the most is {MOST_SETS:,}: split the batch")
            return
        combined = [dict(zip(axes, own, strict=True)) for own in product(*axes.values())] if axes else []
        for number, left_out in enumerate(parts.get("exclude", ())):
            kept = [own for own in combined if not left_out.items() <= own.items()]
            if len(kept) == len(combined):
                self.wrong(("exclude", number), f"no combination has {left_out}")
            combined = kept
        yield from ((("matrix",), "", own) for own in combined)
        for number, own in enumerate(parts.get("include", ())):
            yield ("include", number), "", {name: own[name] for name in self._content["include"][number]}

    def wrong(self, place: Sequence[str | int], what: str) -> None:
        """Note a mistake there."""
        self._mistakes.append(f"{self._at(place)}: {what}")

    def _at(self, place: Sequence[str | int]) -> str:
        """Where that is in the file: the line of the last word on the way there."""
        at, line = self._content, getattr(next(iter(self._content), ""), "line", 1)
        for step in place:
            if isinstance(at, dict):
                line = next((key.line for key in at if key == step), line)
                at = at.get(step)
            elif isinstance(at, list):
                at = at[step]
        return f"{self._file}, line {line}, {'.'.join(map(str, place))}".removesuffix(", ")
