"""From a request (which notebooks, which values) to jobs; everything wrong with it is said before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kbio_analysis.data import data_root
from kbio_analysis.errors import DataError, ParameterError, UsageError
from kbio_analysis.render.job import Job
from kbio_analysis.render.notebooks import notebooks_dir, select
from kbio_analysis.render.parameters import NotebookSpec, coerce, read_source
from kbio_analysis.render.provenance import provenance
from kbio_analysis.render.publish import slug
from kbio_analysis.render.values import to_text

DEFAULT_SET = "default"


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


def planned(
    wanted: list[str], given: Mapping[str, object], set_name: str | None, *, kernel: str, limit_seconds: float | None
) -> list[Job]:
    """A job for each notebook wanted (all if none is named) with the given values.

    Without a name the set is called ``default``, or after the values that differ from the defaults.
    Raises UsageError or ParameterError listing every mistake.
    """
    folder = notebooks_dir()
    chosen, mistakes = [], []
    name = slug(set_name) if set_name is not None else None
    for notebook, path in select(folder, wanted).items():
        source = path.read_bytes()
        try:
            spec = read_source(notebook, source)
            chosen.append((spec, source, coerce(spec, given)))
        except ParameterError as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise ParameterError("\n".join(mistakes))
    state, data = provenance(folder), _data_folder(folder)
    return [
        Job(
            notebook=spec.name,
            set_name=name or set_name_for(spec, values),
            source=source,
            parameters=values,
            provenance=state,
            kernel=kernel,
            limit_seconds=limit_seconds,
            data=data,
        )
        for spec, source, values in chosen
    ]


def set_name_for(spec: NotebookSpec, values: Mapping[str, object]) -> str:
    """``default``, or e.g. ``target_year-2031-target_multiple-3`` from the values that differ from the defaults."""
    changed = spec.changed(values)
    return slug("-".join(f"{name}-{_in_a_name(value)}" for name, value in changed.items())) if changed else DEFAULT_SET


def _in_a_name(value: object) -> str:
    text = "-".join(to_text(item) for item in value) if isinstance(value, list) else to_text(value)
    return text.replace("/", "-").replace("\\", "-").replace("\0", "-") or "empty"


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
