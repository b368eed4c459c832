"""What models accept: time, levels, counts, frames; each refusal says what is wrong and what to do about it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache, wraps
from inspect import signature
from numbers import Real
from types import UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")
Timed = TypeVar("Timed", pd.Series, pd.DataFrame)


def years_index(data: Timed, label: str = "series") -> Timed:
    """The series or frame on a PeriodIndex: whole years, dates, and text such as 2024 or 2024-06 become periods.

    Dates that all fall in the same month are years, others months. Raises :class:`ModelInputError` for anything else
    that was given, and for an index that is neither.
    """
    if not isinstance(data, (pd.Series, pd.DataFrame)):
        raise ModelInputError(
            f"{label}: {type(data).__name__} was given; pass a pandas Series or frame indexed by year"
        )
    index = data.index
    if isinstance(index, pd.PeriodIndex):
        return data
    if isinstance(index, pd.DatetimeIndex):
        return data.set_axis(index.to_period("Y" if len(set(index.month)) == 1 else "M"), axis=0)
    texts = [f"{v:.0f}" if isinstance(v, Real) and not isinstance(v, bool) and v % 1 == 0 else str(v) for v in index]
    for form, frequency in ((r"[12]\d{3}", "Y"), (r"[12]\d{3}-(0[1-9]|1[0-2])", "M")):
        if texts and all(re.fullmatch(form, text) for text in texts):
            return data.set_axis(pd.PeriodIndex(texts, freq=frequency, name=index.name), axis=0)
    held = f"holds {_some(texts[:2])}" if texts else "is empty"
    raise ModelInputError(
        f"{label}: the index is {type(index).__name__} and {held}; index it by year (2010), date or month (2010-06)"
    )


def whole_years(data: Timed, label: str = "series") -> Timed:
    """The same by calendar year, a whole number."""
    if isinstance(data, (pd.Series, pd.DataFrame)) and whole(data.index):
        return data
    data = years_index(data, label)
    return data.set_axis(data.index.year.rename(data.index.name), axis=0)


def whole(index: pd.Index) -> bool:
    """Whether an index holds calendar years as whole numbers (or nothing)."""
    return index.dtype.kind in "iu" and (not len(index) or 1000 <= index.min() <= index.max() < 3000)


def check_years(values: pd.Series, label: str) -> pd.Series:
    """A column of years as whole numbers: numbers, dates and periods are taken; anything else is refused."""
    if not isinstance(values, pd.Series):
        raise ModelInputError(f"{label}: {type(values).__name__} was given; pass a pandas Series of years")
    return pd.Series(whole_years(pd.Series(0, index=pd.Index(values)), label).index, index=values.index)


def moment(index: pd.Index, when: object, name: str = "start") -> object:
    """``when`` as a value of ``index``: a year of whole years, else a period or date that text and numbers may name."""
    try:
        if isinstance(index, pd.PeriodIndex):
            return when.asfreq(index.freq) if isinstance(when, pd.Period) else pd.Period(str(when), freq=index.freq)
        if isinstance(index, pd.DatetimeIndex):
            return when.to_timestamp() if isinstance(when, pd.Period) else pd.Timestamp(str(when))
        return int(getattr(when, "year", when))
    except (TypeError, ValueError):
        raise ModelInputError(
            f"{name} = {when!r}: give a time of the index, such as {index[len(index) // 2]}"
        ) from None


def checked_frame(frame: object, columns: Iterable[str], label: str) -> pd.DataFrame:
    """``frame`` if it is one and holds ``columns``; otherwise a refusal that names what is missing or was given."""
    if not isinstance(frame, pd.DataFrame):
        raise ModelInputError(f"{label}: {type(frame).__name__} was given; pass a pandas frame")
    if absent := [c for c in columns if c not in frame.columns]:
        hint = did_you_mean(absent[0], map(str, frame.columns)) or f"; it has {_some(frame.columns)}"
        raise ModelInputError(f"{label}: no column {', '.join(absent)}{hint}")
    return frame


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse, by its name, an argument that is plainly of another type than the signature says."""
    names = list(signature(function).parameters)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        hints = _hints(function)
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            if name in hints and not _fits(value, hints[name]):
                kind = getattr(hints[name], "__name__", str(hints[name]))
                raise ModelInputError(f"{name}: {type(value).__name__} was given; pass a {kind}")
        return function(*args, **kwargs)

    return checked


_hints = cache(get_type_hints)


def _fits(value: object, wanted: Any) -> bool:
    if get_origin(wanted) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(wanted))
    wanted = get_origin(wanted) or wanted
    if wanted in (float, int):
        return isinstance(value, Real) and not isinstance(value, bool)
    if wanted is np.ndarray:
        return isinstance(value, (np.ndarray, pd.Series, pd.DataFrame))
    known = wanted in (pd.DataFrame, pd.Series, str, Mapping, type(None)) or is_dataclass(wanted)
    return isinstance(value, wanted) if known else True


def check_names(names: Iterable[str], known: Iterable[str], what: str = "model") -> list[str]:
    """The names as a list without repeats; an unknown one is refused with the nearest known name."""
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names))
    unknown = [str(name) for name in chosen if name not in known]
    if unknown or not chosen:
        hint = did_you_mean(unknown[0], known) if unknown else ""
        said = f"unknown {what} {unknown[0]!r}" if unknown else f"no {what} named"
        raise ModelInputError(said + (hint or f"; choose among {', '.join(known)}"))
    return chosen


def checked_level(level: float, name: str = "level") -> float:
    """An interval level in per cent, between 1 and 100; a share is refused with the per cent it stands for."""
    real = isinstance(level, Real) and not isinstance(level, bool)
    if not real or not 1 < level < 100:
        meant = f"did you mean {100 * level:g}?" if real and 0.01 < level < 1 else "give one such as 80 or 95"
        raise ModelInputError(f"{name} = {level!r}: levels are per cents between 1 and 100; {meant}")
    return float(level) if level % 1 else int(level)


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Interval levels in per cent, rising, each once; refused as by :func:`checked_level`, and when there is none."""
    chosen = [levels] if isinstance(levels, Real) else list(levels)
    if not chosen:
        raise ModelInputError("no interval level given; give per cents such as (80, 95)")
    return tuple(sorted({checked_level(level) for level in chosen}))


def check_count(value: int, name: str, *, least: int = 1, most: int = 1_000_000) -> int:
    """A whole number within bounds, or a refusal that names it."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise ModelInputError(f"{name} = {value!r}: give a whole number from {least} to {most}")
    return int(value)


def _some(items: Iterable[object], limit: int = 4) -> str:
    shown = [str(item) for item in items]
    return ", ".join(shown[:limit]) + (f" and {len(shown) - limit} more" if len(shown) > limit else "")
