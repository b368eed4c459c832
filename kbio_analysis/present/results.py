"""The headline results a notebook puts on record, and the codebook that says what each of them is.

``notebooks/results.csv`` holds unit, tolerance and meaning of every result once, so that a notebook states names and
values only. A result that is not in it yet is recorded in the explicit form, with its unit and meaning beside it.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from kbio_analysis.errors import UsageError, did_you_mean
from kbio_analysis.present.outputs import DEFAULT_RTOL, show

CODEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "results.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One headline result. ``value`` is a finite number, a text, true/false or None; ``rtol`` is relative."""

    name: str
    value: float | int | str | bool | None
    unit: str
    meaning: str
    rtol: float = DEFAULT_RTOL


_recorded: dict[str, Result] = {}


def record(
    name: str | None = None,
    value: Any = None,
    /,
    *,
    unit: str | None = None,
    meaning: str | None = None,
    rtol: float = DEFAULT_RTOL,
    **values: Any,
) -> None:
    """Put results on record: ``record(probability_of_target=odds.p_target, ...)``, each described by the codebook.

    The explicit form ``record("name", value, unit=..., meaning=...)`` is for a result that is not in it. Recording a
    name again replaces the result, as an analyst who runs a cell again expects.

    Raises UsageError for a name that is in no codebook or not snake_case, and for a number that is not finite: what
    cannot be computed is recorded as None, and a sentence says why.
    """
    if name is not None:
        if unit is None or meaning is None:
            raise UsageError(
                f"record {name!r}: give its unit and meaning, or write record({name}=...) for the codebook"
            )
        _put(Result(name=name, value=_value(name, value), unit=unit, meaning=meaning, rtol=rtol))
        return
    if unit is not None:
        values["unit"] = unit
    if meaning is not None:
        values["meaning"] = meaning
    for key, given in values.items():
        entry = described(key)
        tolerance = float(entry["rtol"]) if entry["rtol"] else DEFAULT_RTOL
        _put(Result(name=key, value=_value(key, given), unit=entry["unit"], meaning=entry["meaning"], rtol=tolerance))


def described(name: str) -> dict[str, str]:
    """The codebook's row of a result: notebook, name, unit, rtol, meaning. Raises UsageError for an unknown name."""
    book = codebook()
    if name not in book:
        hint = did_you_mean(name, book) or "; add a row, or record it with unit= and meaning="
        raise UsageError(f"record {name!r}: not in the codebook {CODEBOOK.name}{hint}")
    return book[name]


@cache
def codebook() -> dict[str, dict[str, str]]:
    """Name -> row of the codebook; empty where there is none. Raises UsageError for a name that stands twice."""
    if not CODEBOOK.is_file():
        return {}
    with CODEBOOK.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    book = {row["name"]: row for row in rows}
    if len(book) < len(rows):
        twice = next(row["name"] for row in rows if sum(r["name"] == row["name"] for r in rows) > 1)
        raise UsageError(f"the codebook {CODEBOOK.name} describes {twice!r} twice")
    return book


def recorded_names() -> list[str]:
    """The names of every result this process has put on record, in order."""
    return list(_recorded)


def regression(digits: int = 4) -> None:
    """Print every recorded result, rounded to ``digits`` significant digits, for the notebook's regression cell."""
    width = max((len(name) for name in _recorded), default=0)
    for entry in _recorded.values():
        value = f"{entry.value:.{digits}g}" if isinstance(entry.value, float) else entry.value
        print(f"{entry.name:<{width}}  {value}  [{entry.unit}]")


def _put(entry: Result) -> None:
    if not entry.name.isidentifier() or entry.name != entry.name.lower():
        raise UsageError(f"record {entry.name!r}: use a snake_case name")
    if not 0 <= entry.rtol < 1:
        raise UsageError(f"record {entry.name!r}: the tolerance {entry.rtol!r} does not lie between 0 and 1")
    _recorded[entry.name] = entry
    payload = {"kind": "record"} | {key: getattr(entry, key) for key in ("name", "value", "unit", "meaning", "rtol")}
    shown = f"{entry.value:.6g}" if isinstance(entry.value, float) else str(entry.value)
    show(payload, {"text/plain": f"{entry.name} = {shown} ({entry.unit})"})


def _value(name: str, value: Any) -> float | int | str | bool | None:
    """A JSON value: numpy scalars become Python ones, a number that is not finite is refused."""
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
