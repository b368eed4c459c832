"""From a request (which notebooks, which values) to jobs; everything wrong with it is said before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from kbio_analysis.data.package import data_root
from kbio_analysis.errors import DataError, UsageError, did_you_mean
from kbio_analysis.reading import DocumentError, read_json
from kbio_analysis.render.batches import ParameterSet, read_batches, set_name_for
from kbio_analysis.render.job import Job
from kbio_analysis.render.notebooks import available, notebooks_dir, read_notebook, select
from kbio_analysis.render.parameters import NotebookSpec, coerce, read_source
from kbio_analysis.render.provenance import provenance
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, MARK, folder_of, slug
from kbio_analysis.render.results import Rankings

AUTO = "auto"


def given_parameters(requests: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping. Raises UsageError for one without ``=`` or given twice."""
    pairs = [request.partition("=") for request in requests]
    given = {name.strip(): value for name, _, value in pairs}
    if len(given) < len(pairs) or not all(name.strip() and equals for name, equals, _ in pairs):
        raise UsageError(f"-p {' -p '.join(requests)}: write each as -p NAME=VALUE, and each once")
    return given


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
    asked: list[tuple[str, str | None, Path | None]] = []
    if batches:
        found, rankings = read_batches(batches, shelf.spec, given)
        sets = [one for one in found if one.notebook in shelf.paths]
        if not sets:
            mistakes.append(f"no batch of {', '.join(map(str, batches))} is for {', '.join(sorted(shelf.paths))}")
    elif failed_in and not given and set_name is None:
        asked = [(*record.parts[-3:-1], record) for record in sorted(failed_in.glob(f"*/*/{FAILURE}"))]
    else:
        asked = [(notebook, slug(set_name) if set_name is not None else None, None) for notebook in shelf.paths]
    for notebook, name, record in (one for one in asked if not notebooks or one[0] in shelf.paths):
        try:
            kept = read_json(record.read_bytes()) if record else {"parameters": given}
            spec = shelf.spec(notebook)
            values = coerce(spec, kept.get("parameters") or {})
            name = name or set_name_for(spec, values)
            sets.append(ParameterSet(notebook=notebook, set_name=name, values=values, batch=kept.get("batch")))
        except (OSError, DocumentError, UsageError, AttributeError) as mistake:
            hint = "delete that folder, or render the set by its own name or batch"
            mistakes.append(f"{record}: {mistake}; {hint}" if record else str(mistake))
    if mistakes:
        raise UsageError("\n".join(mistakes))
    if failed_in:
        sets = [one for one in sets if (folder_of(failed_in, one.notebook, one.set_name) / FAILURE).exists()]
    return [shelf.job(one) for one in sets], rankings


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
        data = _data_folder(self._folder)
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


def _data_folder(notebooks: Path) -> str | None:
    """Where the kernel finds the tables: KBIO_DATA, else beside the notebooks, else as the data room finds them."""
    beside = notebooks.parent / "data"
    if "KBIO_DATA" in os.environ:
        return str(data_root().resolve())
    if (beside / "datapackage.json").is_file():
        return str(beside)
    with suppress(DataError):
        return str(data_root().resolve())
    return None
