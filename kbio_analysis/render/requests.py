"""From a request (which notebooks, which values) to jobs; everything wrong with it is said before anything starts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from kbio_analysis.data.package import data_root
from kbio_analysis.errors import DataError, ParameterError, UsageError, did_you_mean
from kbio_analysis.reading import DocumentError, read_json
from kbio_analysis.render.batches import ParameterSet, read_batches, set_name_for
from kbio_analysis.render.job import Job
from kbio_analysis.render.notebooks import available, notebooks_dir, read_notebook, select
from kbio_analysis.render.parameters import NotebookSpec, coerce, read_source
from kbio_analysis.render.provenance import own_metadata, provenance
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, MARK, folder_of, slug

AUTO = "auto"


def given_parameters(requests: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping. Raises UsageError for one without ``=`` or given twice."""
    given: dict[str, str] = {}
    for request in requests:
        name, equals, value = request.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"-p {request!r}: write -p NAME=VALUE")
        if name.strip() in given:
            raise UsageError(f"-p {name.strip()} is given twice")
        given[name.strip()] = value
    return given


def requested(
    notebooks: list[str],
    given: Mapping[str, object],
    *,
    set_name: str | None = None,
    batches: Sequence[Path] = (),
    failed_in: Path | None = None,
    **how: Any,
) -> list[Job]:
    """The jobs of one request: batch files if any, else a set a notebook; with ``failed_in`` only those failed there.

    Without parameters, name and batch, ``failed_in`` alone means every report of that site whose last run failed.
    ``how`` they are done: ``kernel`` (auto, or a Jupyter kernel's name) and ``limit_seconds`` a report. Raises
    UsageError or ParameterError listing every mistake.
    """
    if batches and set_name is not None:
        raise UsageError("--set names one set, but the sets of a batch have their own names; leave it out")
    if failed_in and not (failed_in / MARK).is_file():
        raise UsageError(f"--failed: there is no site in {failed_in}; look at --out")
    if failed_in and not (batches or given or set_name is not None):
        return planned_failures(failed_in, notebooks, **how)
    jobs = planned_batches(batches, notebooks, given, **how) if batches else planned(notebooks, given, set_name, **how)
    if failed_in:
        return [job for job in jobs if (folder_of(failed_in, job.notebook, job.set_name) / FAILURE).exists()]
    return jobs


def planned(wanted: list[str], given: Mapping[str, object], set_name: str | None, **how: Any) -> list[Job]:
    """A job for each notebook wanted (all if none is named) with the given values; without a name they name its set.

    Raises UsageError or ParameterError listing every mistake.
    """
    shelf = _Shelf(wanted)
    name = slug(set_name) if set_name is not None else None
    sets, mistakes = [], []
    for notebook in shelf.paths:
        try:
            spec = shelf.spec(notebook)
            values = coerce(spec, given)
        except ParameterError as mistake:
            mistakes.append(str(mistake))
        else:
            sets.append(ParameterSet(notebook=notebook, set_name=name or set_name_for(spec, values), values=values))
    if mistakes:
        raise ParameterError("\n".join(mistakes))
    return shelf.jobs(sets, **how)


def planned_batches(files: Sequence[Path], wanted: list[str], given: Mapping[str, object], **how: Any) -> list[Job]:
    """A job for each set of the batch files, of the notebooks wanted only if any is named. Raises UsageError."""
    shelf = _Shelf([])
    names = set(select(shelf.folder, wanted)) if wanted else set(shelf.paths)
    sets = [one for one in read_batches(files, shelf.spec, given) if one.notebook in names]
    if not sets:
        raise UsageError(f"no batch of {', '.join(map(str, files))} is for {', '.join(sorted(names))}")
    return shelf.jobs(sets, **how)


def planned_failures(site: Path, wanted: list[str], **how: Any) -> list[Job]:
    """A job for each report of the site whose last run failed, with the parameters it had then."""
    shelf = _Shelf(wanted)
    sets, mistakes = [], []
    for record in sorted(site.glob(f"*/*/{FAILURE}")):
        notebook, set_name = record.parts[-3:-1]
        if wanted and notebook not in shelf.paths:
            continue
        try:
            failure = read_json(record.read_bytes())
            values = coerce(shelf.spec(notebook), failure.get("parameters") or {})
        except (OSError, DocumentError, UsageError, AttributeError) as mistake:
            mistakes.append(f"{record}: {mistake}; delete that folder, or render the set by its own name or batch")
            continue
        batch = failure.get("batch")
        sets.append(ParameterSet(notebook=notebook, set_name=set_name, values=values, batch=batch))
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return shelf.jobs(sets, **how)


class _Shelf:
    """The notebooks to choose from, each read once."""

    def __init__(self, wanted: list[str]) -> None:
        self.folder = notebooks_dir()
        self.paths = select(self.folder, wanted)
        self._all = available(self.folder) | self.paths
        self._read: dict[str, tuple[NotebookSpec, bytes]] = {}
        self._defaults: dict[str, Job] = {}

    def spec(self, notebook: str) -> NotebookSpec:
        """The specification of a notebook by its name or its unique beginning. Raises UsageError, ParameterError."""
        if notebook not in self._all:
            (notebook,) = select(self.folder, [notebook])
        if notebook not in self._read:
            source = read_notebook(self._all[notebook])
            self._read[notebook] = (read_source(notebook, source), source)
        return self._read[notebook][0]

    def jobs(self, sets: list[ParameterSet], kernel: str = AUTO, limit_seconds: float | None = None) -> list[Job]:
        common = {"provenance": provenance(self.folder), "limit_seconds": limit_seconds}
        common["data"], self._kernel = _data_folder(self.folder), kernel
        return [self._job(one, common, above=()) for one in sets]

    def _job(self, one: ParameterSet, common: Mapping[str, Any], above: tuple[str, ...]) -> Job:
        """The job of a set, with the default jobs of what its notebook is composed from; ``above`` asked for it."""
        if one.notebook in above:
            circle = " -> ".join([*above[above.index(one.notebook) :], one.notebook])
            raise UsageError(f"composed in a circle: {circle}; take a name out of composed_from in one's metadata")
        upstream = []
        for name in self.spec(one.notebook).composed_from:
            if name not in self._all:
                hint = did_you_mean(name, self._all)
                raise UsageError(f"{one.notebook} is composed from {name!r}, which no notebook is{hint}")
            if name not in self._defaults or name in above:
                values = self.spec(name).defaults()
                default = ParameterSet(notebook=name, set_name=DEFAULT_SET, values=values)
                self._defaults[name] = self._job(default, common, (*above, one.notebook))
            upstream.append(self._defaults[name])
        return Job(
            notebook=one.notebook,
            set_name=one.set_name,
            source=self._read[one.notebook][1],
            parameters=one.values,
            batch=one.batch,
            upstream=tuple(upstream),
            kernel=_kernel_of(one.notebook, self._read[one.notebook][1], self._kernel),
            **common,
        )


@cache
def _kernel_of(notebook: str, source: bytes, asked: str) -> str | None:
    """The Jupyter kernel asked for, or else named by the notebook's metadata under ``kbio``; None if none is needed."""
    wanted = own_metadata(source).get("kernel") if asked == AUTO else asked
    if wanted is None:
        about = json.loads(source).get("metadata") or {}
        language = (about.get("kernelspec") or {}).get("language") or (about.get("language_info") or {}).get("name")
        if str(language or "python").lower() != "python":
            raise UsageError(f"{notebook} is written in {language}; name a Jupyter kernel for it with --kernel")
        return None
    from jupyter_client.kernelspec import KernelSpecManager

    installed = KernelSpecManager().find_kernel_specs()
    if wanted not in installed:
        listed = ", ".join(sorted(installed)) or "none"
        raise UsageError(f"no kernel {wanted!r} (installed: {listed}); leave --kernel out to need none")
    return str(wanted)


def _data_folder(notebooks: Path) -> str | None:
    """Where the kernel finds the tables: KBIO_DATA, else beside the notebooks, else as the data room finds them."""
    beside = notebooks.parent / "data"
    if "KBIO_DATA" not in os.environ and (beside / "datapackage.json").is_file():
        return str(beside)
    try:
        return str(data_root().resolve())
    except DataError:
        if "KBIO_DATA" in os.environ:
            raise
        return None
