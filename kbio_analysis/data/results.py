"""What other notebooks have recorded: their answer, results and chart data, each with the state it is in.

The renderer hands a composed notebook one JSON bundle, named by ``KBIO_RECORDED``, made from the reports of the site.
Without it (JupyterLab, nbval) the committed references stand in, and the table hashes they hold say which are stale.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import DataError, UsageError, did_you_mean
from ..notebooks import available, reference_file
from ..reading import read_json
from .package import data_root, package_in_use

if TYPE_CHECKING:
    from pandas import DataFrame

BUNDLE = "KBIO_RECORDED"  # the environment variable that names the bundle
MOST_BUNDLED = 200_000_000  # bytes of the bundle, which kbio itself has written
State = Literal["fresh", "stale", "failed", "missing"]

_read: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One notebook's record, made with its default parameters.

    ``state``: fresh (made from these tables by this code), stale, failed (its last run; the rest is of the run
    before, if there was one) or missing (nothing below is filled). ``why`` is one clause, empty when fresh.
    ``results`` name -> value, unit and meaning; ``charts`` id -> csv (lines), caption, alt and source; ``tables``
    table -> sha256 of what it read.
    """

    notebook: str
    state: State
    why: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    charts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> str:
        """The number the notebook is known by, its state beside it unless it is fresh: ``12``, ``12, stale``."""
        number = self.notebook.split("_")[0]
        return number if self.state == "fresh" else f"{number}, {self.state}"

    def value(self, name: str) -> float | int | str | bool | None:
        """The value of a result; None where it was recorded as None or is not there."""
        return self.results.get(name, {}).get("value")

    def chart(self, name: str) -> "DataFrame | None":
        """The data of a chart, numbers as numbers, columns as in the chart's file; None where it was not drawn."""
        from pandas import read_csv

        return read_csv(io.StringIO("\n".join(self.charts[name]["csv"]))) if name in self.charts else None


def recorded(notebook: str) -> Recorded:
    """The record of a notebook by its full name, in whatever state it is.

    Raises UsageError for a name that no notebook has, or that the reading notebook does not list in ``composed_from``.
    """
    entries = _bundle(named) if (named := os.environ.get(BUNDLE)) else None
    if entries is not None and notebook not in entries:
        listed = ", ".join(entries) or "none"
        raise UsageError(f"{notebook!r} is not in this notebook's composed_from ({listed}); add it to its metadata")
    entry = entries[notebook] if entries else reference_entry(notebooks_beside(), notebook)
    whole = json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()
    _read[notebook] = hashlib.sha256(whole).hexdigest()
    entry = entry | {"notebook": notebook}
    return Recorded(**{part.name: entry[part.name] for part in fields(Recorded) if part.name in entry})


def recorded_read() -> dict[str, str]:
    """Notebook -> sha256 of every record this process has read so far, with the state it was in, by name."""
    return dict(sorted(_read.items()))


def notebooks_beside() -> Path:
    """The notebooks beside the tables, else beside the library. Raises UsageError if there are none."""
    for root in (data_root().resolve().parent, Path(__file__).resolve().parents[2]):
        if (root / "notebooks").is_dir():
            return root / "notebooks"
    raise UsageError("no folder of notebooks beside the tables: their recorded results cannot be found")


def reference_entry(notebooks: Path, notebook: str) -> dict[str, Any]:
    """The entry made from a committed reference; stale when a table, or a record it rests on, has changed since.

    Raises UsageError for a name that no notebook has.
    """
    path = reference_file(notebooks, notebook)
    if not path.is_file():
        if notebook not in (known := available(notebooks)):
            raise UsageError(f"no notebook {notebook!r}{did_you_mean(notebook, known)}")
        return {"state": "missing", "why": "no reference yet"}
    try:
        content = read_json(path.read_bytes())
        tables, reports = dict(content["tables"]), list(content["reports"])
        [one["value"] for one in content["results"].values()], [one["csv"] for one in content["charts"].values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"state": "missing", "why": f"its reference {path.name} cannot be read"}
    now: dict[str, str] = {}
    with suppress(DataError):
        now = {name: passport.sha256 for name, passport in package_in_use().passports.items()}
    # That some table's source was added to the sources makes no result another.
    changed = [name for name in tables if name != "sources" and now.get(name) != tables[name]]
    why = [f"table {name} has changed since" for name in changed]
    for name in reports:
        state = reference_entry(notebooks, name)["state"] if name != notebook else "missing"
        why += [f"{name}, which it is composed from, is {state}"] * (state != "fresh")
    return content | {"state": "stale" if why else "fresh", "why": ", ".join(why)}


@lru_cache(maxsize=1)
def _bundle(path: str) -> dict[str, Any]:
    try:
        return read_json(Path(path).read_bytes(), most_bytes=MOST_BUNDLED)
    except (OSError, ValueError) as problem:
        raise DataError(f"the bundle that {BUNDLE} names cannot be read: {problem}") from None
