"""What a notebook says: sentences, the one answer, and the headline results it puts on record."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from kbio_analysis.errors import UsageError

if TYPE_CHECKING:
    from pandas import DataFrame

MIME = "application/vnd.kbio.v1+json"
"""The structured form of every kbio output; its ``kind`` is answer, sentence, record, chart or table."""

DEFAULT_RTOL = 1e-9
"""Relative tolerance of a recorded result when ``kbio check`` compares it with its reference."""

SIMULATED_RTOL = 5e-3
"""Tolerance of what rests on fitted or simulated models: optimisers end a little apart on other machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One headline result. ``value`` is a finite number, a string, a bool or None; ``rtol`` is relative."""

    name: str
    value: float | int | str | bool | None
    unit: str
    meaning: str
    rtol: float = DEFAULT_RTOL


_records: dict[str, Record] = {}

_ENDINGS = {
    "US$ million": "usd_m",
    "US$ million a year": "usd_m",
    "per cent": "pct",
    "per cent a year": "pct",
    "rank": "rank",
}


def show(payload: Mapping[str, Any], fallback: Mapping[str, str]) -> None:
    """Emit one structured output; outside IPython print its plain form, so that scripts can use the room too."""
    from IPython import get_ipython
    from IPython.display import publish_display_data

    if get_ipython() is None:
        print(next(iter(fallback.values())))
        return
    publish_display_data({MIME: dict(payload), **fallback})


def say(*sentences: str) -> None:
    """Show computed sentences as one paragraph (Markdown, no HTML)."""
    text = " ".join(sentences)
    show({"kind": "sentence", "text": text}, {"text/markdown": text})


def answer(*sentences: str) -> None:
    """Show the report's computed answer; the first one of a notebook also stands in the index."""
    text = " ".join(sentences)
    show({"kind": "answer", "text": text}, {"text/markdown": f"**{text}**"})


def record(name: str, value: Any, *, unit: str, meaning: str, rtol: float = DEFAULT_RTOL) -> None:
    """Put one headline result on record.

    ``name`` is snake_case and stable; ``rtol`` is the relative tolerance for regression checks. Running the cell
    again with the same name replaces the record, as an analyst re-running a cell expects.

    Raises UsageError for a name that is not snake_case and for a number that is not finite: a result that cannot
    be computed is recorded as None and said so in words.
    """
    if not name.isidentifier() or name != name.lower():
        raise UsageError(f"record {name!r}: use a snake_case name")
    plain = _plain(name, value)
    entry = Record(name=name, value=plain, unit=unit, meaning=meaning, rtol=rtol)
    _records[name] = entry
    payload = {"kind": "record", "name": name, "value": plain, "unit": unit, "meaning": meaning, "rtol": rtol}
    show(payload, {"text/plain": f"{name} = {_rounded(plain)} ({unit})"})


def record_published(rows: "DataFrame") -> None:
    """Put published figures that stand beside ours on record, so that a change of one shows by name.

    Columns id, kind, value, unit and period. Raises KeyError for a unit that no name ends on.
    """
    for row in rows.itertuples():
        stem = f"published_{row.id}".removesuffix(f"_{_ENDINGS[row.unit]}")
        meaning = f"as published, {row.kind.replace('_', ' ')}, {row.period}"
        record(f"{stem}_{_ENDINGS[row.unit]}", row.value, unit=row.unit, meaning=meaning)


def _plain(name: str, value: Any) -> float | int | str | bool | None:
    """A JSON value for ``value``: numpy scalars become Python ones, a non-finite number is refused."""
    if value is None or isinstance(value, str):
        return value
    if type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        if not math.isfinite(value):
            raise UsageError(f"record {name!r}: {value} is not a finite number; record None and say why")
        return float(value)
    raise UsageError(f"record {name!r}: a result is a number, text, true/false or None, not {type(value).__name__}")


def _rounded(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def regression(digits: int = 4) -> None:
    """Print every recorded result, rounded to ``digits`` significant digits, for the notebook's regression cell."""
    width = max((len(n) for n in _records), default=0)
    for entry in _records.values():
        value = f"{entry.value:.{digits}g}" if isinstance(entry.value, float) else entry.value
        print(f"{entry.name:<{width}}  {value}  [{entry.unit}]")
