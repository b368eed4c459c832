"""What a series must be before any model touches it; each refusal says what is wrong and what to do about it."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.vocabulary import MAX_POINTS, MIN_POINTS, MIN_TREND_POINTS, Frequency

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
    """Validate a period-indexed annual or monthly series of ``minimum`` to 400 points.

    Raises :class:`ModelInputError` for several definitions, an index that is not periods, unsorted or repeated
    periods, gaps, missing or infinite values, and too few or too many points.
    """
    _refuse_mixed_definitions(y)
    label = str(y.name) if y.name is not None else "series"
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

    Raises :class:`ModelInputError` if it is not period-indexed, is empty, or repeats a period or a series.
    """
    if not isinstance(panel, pd.DataFrame) or panel.empty:
        raise ModelInputError(f"{label}: give a non-empty frame, one row a period and one column a series")
    frequency_of(panel.index, label)
    if panel.index.has_duplicates or panel.columns.has_duplicates:
        raise ModelInputError(f"{label}: a period or a series occurs twice; keep one definition and one vintage")
    span = pd.period_range(panel.index.min(), panel.index.max(), freq=panel.index.freq)
    return panel.astype(float).reindex(span)


def require_positive(values: np.ndarray, label: str, why: str) -> None:
    """Refuse values that have no logarithm, naming what needs it."""
    if not (values > 0).all():
        raise ModelInputError(
            f"{label}: {int((values <= 0).sum())} values are zero or negative and {why} takes logs; "
            "drop that model, or start after the last such value"
        )


def check_names(names: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """The names as a list without repeats; an unknown one is refused with the nearest known name."""
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names))
    if not chosen:
        raise ModelInputError(f"no model named; choose among {', '.join(known)}")
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(str(name), list(known), n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"choose among {', '.join(known)}"
            raise ModelInputError(f"unknown model '{name}'; {hint}")
    return chosen


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Interval levels in per cent, rising, each strictly between 0 and 100."""
    chosen = tuple(sorted(set(levels)))
    bad = [level for level in chosen if not 0 < level < 100]
    if bad or not chosen:
        raise ModelInputError(f"interval levels {list(levels)}: give per cents between 0 and 100, such as (80, 95)")
    return chosen


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
