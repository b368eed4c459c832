"""What a series must be before any model touches it; each refusal says what is wrong and what to do about it."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache, wraps
from inspect import signature
from numbers import Real
from types import UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError, ParameterError
from kbio_analysis.vocabulary import MAX_POINTS, MIN_POINTS, MIN_TREND_POINTS, Frequency

P = ParamSpec("P")
R = TypeVar("R")
Timed = TypeVar("Timed", pd.Series, pd.DataFrame)

SEASON_LENGTH: dict[str, int] = {"annual": 1, "monthly": 12}
"""Observations in a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSeries:
    """A series that has passed :func:`check_series`.

    ``values`` float (n,), in the unit of the input; ``index`` PeriodIndex (n,) without gaps; ``frequency`` annual or
    monthly; ``positive`` whether logs may be taken; ``trend_allowed`` whether there are enough points for a trend.
    """

    name: str
    values: np.ndarray
    index: pd.PeriodIndex
    frequency: Frequency
    positive: bool
    trend_allowed: bool

    @property
    def season_length(self) -> int:
        return SEASON_LENGTH[self.frequency]


def check_series(y: pd.Series, *, minimum: int = MIN_POINTS) -> CheckedSeries:
    """Validate an annual or monthly series of ``minimum`` to 400 points, on any index :func:`years_index` takes.

    Raises :class:`ModelInputError` for several definitions, an index that is no time, unsorted or repeated
    periods, gaps, missing or infinite values, and too few or too many points.
    """
    _refuse_mixed_definitions(y)
    label = str(y.name) if y.name is not None else "series"
    y = years_index(y, label)
    frequency = frequency_of(y.index, label)
    if len(y) < minimum:
        raise ModelInputError(f"{label}: {len(y)} points, at least {minimum} are needed; use a longer series")
    if len(y) > MAX_POINTS:
        raise ModelInputError(
            f"{label}: {len(y)} points, at most {MAX_POINTS} are accepted; aggregate to months or years"
        )
    _refuse_disorder(y.index, label)
    values = _finite_values(y, label)
    return CheckedSeries(
        name=label,
        values=values,
        index=y.index,
        frequency=frequency,
        positive=bool((values > 0).all()),
        trend_allowed=len(y) >= MIN_TREND_POINTS[frequency],
    )


def years_index(data: Timed, label: str = "series") -> Timed:
    """The series or frame on a PeriodIndex: whole years, dates, and text such as 2024 or 2024-06 become periods.

    Dates that all fall in the same month are years, others months. Raises :class:`ModelInputError` for anything else
    that was given, and for an index that is neither.
    """
    if not isinstance(data, (pd.Series, pd.DataFrame)):
        raise ModelInputError(
            f"{label}: {type(data).__name__} was given; pass a pandas Series or frame indexed by year"
        )
    if isinstance(data.index, pd.PeriodIndex):
        return data
    return data.set_axis(_as_periods(data.index, label).rename(data.index.name), axis=0)


def whole_years(data: Timed, label: str = "series") -> Timed:
    """The same by calendar year, a whole number."""
    if not isinstance(data, (pd.Series, pd.DataFrame)) or not whole(data.index):
        data = years_index(data, label)
        return data.set_axis(data.index.year.rename(data.index.name), axis=0)
    return data


def whole(index: pd.Index) -> bool:
    """Whether an index holds calendar years as whole numbers (or nothing)."""
    return index.dtype.kind in "iu" and (not len(index) or 1000 <= index.min() <= index.max() < 3000)


def check_years(values: pd.Series, label: str) -> pd.Series:
    """A column of years as whole numbers: numbers, dates and periods are taken; anything else is refused."""
    if not isinstance(values, pd.Series):
        raise ModelInputError(f"{label}: {type(values).__name__} was given; pass a pandas Series of years")
    if isinstance(values.dtype, pd.PeriodDtype) or values.dtype.kind == "M":
        return values.dt.year
    years = pd.to_numeric(values, errors="coerce")
    if years.isna().any() or (years % 1 != 0).any():
        bad = values[years.isna() | (years % 1 != 0)]
        raise ModelInputError(f"{label}: {_some(bad, 2)} is no year; give whole years, dates or periods")
    return years.astype(int)


def _as_periods(index: pd.Index, label: str) -> pd.PeriodIndex:
    if isinstance(index, pd.DatetimeIndex):
        return index.to_period("Y" if len(set(index.month)) == 1 else "M")
    texts = [f"{v:.0f}" if isinstance(v, Real) and not isinstance(v, bool) and v % 1 == 0 else str(v) for v in index]
    for form, frequency in ((r"[12]\d{3}", "Y"), (r"[12]\d{3}-(0[1-9]|1[0-2])", "M")):
        if texts and all(re.fullmatch(form, text) for text in texts):
            return pd.PeriodIndex(texts, freq=frequency)
    held = f"holds {_some(texts[:2])}" if texts else "is empty"
    raise ModelInputError(
        f"{label}: the index is {type(index).__name__} and {held}; index it by year (2010), date or month (2010-06)"
    )


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


def frequency_of(index: pd.Index, label: str) -> Frequency:
    """``annual`` or ``monthly`` for a PeriodIndex; anything else is refused."""
    if not isinstance(index, pd.PeriodIndex):
        raise ModelInputError(
            f"{label}: the index is {type(index).__name__}, periods are needed; "
            "use pd.PeriodIndex(years, freq='Y') or freq='M'"
        )
    frequencies: dict[str, Frequency] = {"Y": "annual", "M": "monthly"}
    try:
        return frequencies[index.freqstr.split("-")[0]]
    except KeyError:
        raise ModelInputError(
            f"{label}: frequency {index.freqstr} is not supported; aggregate to years ('Y') or months ('M')"
        ) from None


def regular_panel(panel: pd.DataFrame, label: str = "reference panel") -> pd.DataFrame:
    """A wide panel (periods x series) as floats on every period of its span; periods it skips become missing.

    Raises :class:`ModelInputError` if it is not indexed by time, is empty, or repeats a period or a series.
    """
    if not isinstance(panel, pd.DataFrame) or panel.empty:
        raise ModelInputError(f"{label}: give a non-empty frame, one row a period and one column a series")
    panel = years_index(panel, label)
    frequency_of(panel.index, label)
    if panel.index.has_duplicates or panel.columns.has_duplicates:
        raise ModelInputError(f"{label}: a period or a series occurs twice; keep one definition and one vintage")
    span = pd.period_range(panel.index.min(), panel.index.max(), freq=panel.index.freq)
    return panel.astype(float).reindex(span)


def checked_frame(frame: object, columns: Iterable[str], label: str) -> pd.DataFrame:
    """``frame`` if it is one and holds ``columns``; otherwise a refusal that names what is missing or was given."""
    if not isinstance(frame, pd.DataFrame):
        raise ModelInputError(f"{label}: {type(frame).__name__} was given; pass a pandas frame")
    absent = [c for c in columns if c not in frame.columns]
    if absent:
        near = difflib.get_close_matches(absent[0], [str(c) for c in frame.columns], n=1)
        hint = f"is it {near[0]!r}?" if near else f"it has {_some(frame.columns)}"
        raise ModelInputError(f"{label}: no column {', '.join(absent)}; {hint}")
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


def require_positive(values: np.ndarray, label: str, why: str) -> None:
    """Refuse values that have no logarithm, naming what needs it."""
    if not (values > 0).all():
        raise ModelInputError(
            f"{label}: {int((values <= 0).sum())} values are zero or negative and {why} takes logs; "
            "drop that model, or start after the last such value"
        )


def check_names(names: Iterable[str], known: Iterable[str], what: str = "model") -> list[str]:
    """The names as a list without repeats; an unknown one is refused with the nearest known name."""
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names))
    if not chosen:
        raise ModelInputError(f"no {what} named; choose among {', '.join(known)}")
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(str(name), list(known), n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"choose among {', '.join(known)}"
            raise ModelInputError(f"unknown {what} '{name}'; {hint}")
    return chosen


def checked_level(level: float, name: str = "level") -> float:
    """An interval level in per cent, between 1 and 100; a share is refused with the per cent it stands for."""
    if not isinstance(level, Real) or isinstance(level, bool) or not 1 < level < 100:
        share = isinstance(level, Real) and not isinstance(level, bool) and 0.01 < level < 1
        meant = f"did you mean {100 * level:g}?" if share else "give one such as 80 or 95"
        raise ModelInputError(f"{name} = {level!r}: levels are per cents between 1 and 100; {meant}")
    return float(level) if level % 1 else int(level)


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Interval levels in per cent, rising, each once; refused as by :func:`checked_level`, and when there is none."""
    chosen = [levels] if isinstance(levels, Real) else list(levels)
    if not chosen:
        raise ModelInputError("no interval level given; give per cents such as (80, 95)")
    return tuple(sorted({checked_level(level) for level in chosen}))


def check_parameters(**rules: tuple[bool, str]) -> None:
    """Refuse a notebook's parameters that do not go together: ``name=(whether it holds, what to give)``."""
    wrong = [f"{name}: {advice}" for name, (holds, advice) in rules.items() if not holds]
    if wrong:
        raise ParameterError("; ".join(wrong))


def check_count(value: int, name: str, *, least: int = 1, most: int = 1_000_000) -> int:
    """A whole number within bounds, or a refusal that names it."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise ModelInputError(f"{name} = {value!r}: give a whole number from {least} to {most}")
    return int(value)


def _refuse_mixed_definitions(y: pd.Series | pd.DataFrame) -> None:
    if isinstance(y, pd.DataFrame):
        for column in ("definition", "series", "classification"):
            if column in y and y[column].nunique() > 1:
                raise ModelInputError(
                    f"{y[column].nunique()} definitions in one frame ({_some(y[column].unique())}); "
                    f"definitions are never joined: select one '{column}'"
                )
        raise ModelInputError(f"a frame with columns {_some(y.columns)} was given; pass one column as a Series")
    if not isinstance(y, pd.Series):
        raise ModelInputError(f"{type(y).__name__} was given; pass a pandas Series indexed by period")
    for key in ("definitions", "definition"):
        held = y.attrs.get(key)
        if held is not None and not isinstance(held, str) and len(set(held)) > 1:
            raise ModelInputError(
                f"{y.name}: mixes the definitions {_some(held)}; definitions are never joined: load one"
            )


def _refuse_disorder(index: pd.PeriodIndex, label: str) -> None:
    if index.has_duplicates:
        raise ModelInputError(f"{label}: {index[index.duplicated()][0]} occurs twice; keep one vintage per period")
    if not index.is_monotonic_increasing:
        raise ModelInputError(f"{label}: periods are not in order; use .sort_index()")
    missing = pd.period_range(index[0], index[-1], freq=index.freq).difference(index)
    if len(missing):
        raise ModelInputError(
            f"{label}: gap at {_some(missing)}; use the unbroken run after it, nothing is interpolated"
        )


def _finite_values(y: pd.Series, label: str) -> np.ndarray:
    try:
        values = y.to_numpy(dtype=float, copy=True)
    except (TypeError, ValueError):
        raise ModelInputError(f"{label}: values of type {y.dtype} are not numbers; convert them first") from None
    if not np.isfinite(values).all():
        where = y.index[~np.isfinite(values)]
        raise ModelInputError(f"{label}: missing or infinite at {_some(where)}; use the unbroken run after it")
    return values


def _some(items: Iterable[object], limit: int = 4) -> str:
    shown = [str(item) for item in items]
    return ", ".join(shown[:limit]) + (f" and {len(shown) - limit} more" if len(shown) > limit else "")
