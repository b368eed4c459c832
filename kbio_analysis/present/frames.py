"""What every chart kind is asked with: columns by name, labels with colours, formats as words, and the text beside it.

Nothing is dropped: a name that is not there is refused, with the nearest one suggested.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import is_color_like, to_hex

from kbio_analysis.errors import UsageError, did_you_mean
from kbio_analysis.present.canvas import Axis, Chart, Plot, finish
from kbio_analysis.present.look import COLOURS, CYCLE
from kbio_analysis.present.outputs import DEFAULT_RTOL
from kbio_analysis.present.words import formatted, listed, sig, unsigned

Format = str | Callable[[Any], str] | None
Framed = pd.DataFrame | None
ALT_WORDS = 60


# What every kind takes beside ``id``, ``caption`` and ``source``. title: what the value axis counts, above the plot.
# data: the chart's CSV, a frame or columns; by default the frame drawn. alt: the text for readers who cannot see it, or
# alt_format: what spells its values. colours: label -> name or hexadecimal colour; the others take what the cycle has.
DEFAULTS: dict[str, Any] = {"title": None, "data": None, "alt": None, "alt_format": None}
DEFAULTS |= {"colours": None, "height": 1.0, "rtol": DEFAULT_RTOL, "legend": True}


class Asked:
    """One call of a kind: its frame with the index as columns, and the shared keywords, checked."""

    def __init__(self, kind: Callable[..., Chart], frame: Framed, shared: Mapping[str, Any]):
        required = ("id", "caption", "source")
        own = [name for name in signature(kind).parameters if name not in ("frame", "shared")]
        for name in shared:
            if name not in DEFAULTS and name not in required:
                raise UsageError(f"{kind.__name__}: no keyword {name!r}{hint(name, [*own, *DEFAULTS, *required])}")
        if lacking := [name for name in required if name not in shared]:
            raise UsageError(f"{kind.__name__}: give {listed(lacking)}")
        self.kind, self.given = kind.__name__, DEFAULTS | dict(shared)
        self.id: str = self.given["id"]
        plain = pd.DataFrame() if frame is None else frame
        if not isinstance(plain, pd.DataFrame):
            raise self.refuse(f"takes a DataFrame, not {type(frame).__name__}")
        names = [n for n in plain.index.names if n is not None and n not in plain.columns]
        self.indexed = names if len(names) == plain.index.nlevels else []
        self.frame = plain.reset_index(drop=not self.indexed)

    def __getattr__(self, name: str) -> Any:
        return self.given[name]

    def column(self, name: Any, what: str = "column") -> pd.Series:
        """A column of the frame; refuses a name that is not there."""
        if isinstance(name, pd.Series):
            raise self.refuse(f"{what}: name a column; a Series is assigned to the frame first, so that the CSV has it")
        if isinstance(name, str | int | float | bool | np.generic) and name in self.frame.columns:
            return self.frame[name]
        raise UsageError(f"{self.kind} {self.id!r}, {what}: the frame has no {name!r}{hint(name, self.frame.columns)}")

    def refuse(self, text: str) -> UsageError:
        return UsageError(f"{self.kind} {self.id!r}: {text}")

    def known(self, names: Iterable[Any], allowed: Iterable[Any], what: str) -> None:
        """Refuse a name that is not one of those allowed."""
        allowed = list(allowed)
        for name in names:
            if name not in allowed:
                raise self.refuse(f"{what}: there is no {name!r}{hint(name, allowed)}")

    def meant(self, names: Iterable[Any], labels: Iterable[Any], bare: Iterable[Any], what: str) -> None:
        """Refuse a name that is no label but reads like a bare one; others may belong to a class without a case."""
        labels, bare = list(labels), [str(label) for label in bare]
        for name in names:
            if name not in labels and (near := did_you_mean(str(name), bare)):
                raise self.refuse(f"{what}: nothing is called {name!r}{near}")

    def span(self, low: float, high: float, given: Sequence[float | None], scale: float) -> tuple[float, float]:
        """A value axis from ``low`` to ``high``, or to the ends that are given in units of the data."""
        first, last = (own if end is None else end * scale for own, end in zip((low, high), given, strict=True))
        return first, last

    def hues(self, labels: Iterable[Any], wished: Mapping[Any, str | None] | None = None) -> dict[Any, tuple[str, int]]:
        """A colour for every label, and how often the cycle had gone round when it took it (0: not yet)."""
        labels, given = list(dict.fromkeys(labels)), dict(self.given["colours"] or {})
        given |= {k: v for k, v in (wished or {}).items() if v}
        self.meant(given, labels, [label for label in labels if label not in given], "colours")
        found = {label: (colour(given[label]), 0) for label in labels if label in given}
        taken = {hue for hue, _ in found.values()}
        spare = [COLOURS[c] for c in CYCLE if COLOURS[c] not in taken] or [COLOURS[c] for c in CYCLE]
        rest = [label for label in labels if label not in found]
        found |= {label: (spare[i % len(spare)], i // len(spare)) for i, label in enumerate(rest)}
        return {label: found[label] for label in labels}

    def finish(self, plots: Sequence[Plot], said: str, *, columns: int = 1) -> Chart:
        """Draw and show; ``said`` is the alt text made from the data."""
        if not self.legend:
            for plot in plots:
                plot.keys = []
        payload = {"id": self.id, "alt": self.alt or said, "caption": self.caption, "source": self.source}
        payload |= {"rtol": self.rtol}
        return finish(plots, payload, self._data(), columns=columns)

    def nothing(self) -> Chart:
        """Not drawn: there is no value."""
        return Chart(self.frame, {"id": self.id}, None)

    def begin(self, text: str) -> str:
        """The beginning of the alt text: the kind, and what its axis counts."""
        return f"{text}, {self.title}" if self.title else text

    def _data(self) -> pd.DataFrame:
        given = self.given["data"]
        if given is None:
            return self.frame
        if isinstance(given, pd.DataFrame):
            names = [n for n in given.index.names if n is not None and n not in given.columns]
            return given.reset_index() if len(names) == given.index.nlevels else given
        return self.frame[[self.column(name, "data").name for name in given]]


def set_ticks(axis: Axis, given: Mapping[float, str] | Sequence[float] | None, scale: float) -> Axis:
    """The axis with the ticks asked for: positions, or position -> text, in units of the data."""
    if given is not None:
        pairs = given.items() if isinstance(given, Mapping) else [(v, None) for v in given]
        axis.given = {v * scale: axis.say(v * scale) if text is None else text for v, text in pairs}
    return axis


def hint(name: object, known: Iterable[Any]) -> str:
    """The nearest name, or all that there is."""
    texts = [str(k) for k in known]
    return did_you_mean(str(name), texts) or f"; there is {listed(texts)}"


def colour(name: str) -> str:
    """The hexadecimal form of a colour's name, ours or one of matplotlib's."""
    if name in COLOURS:
        return COLOURS[name]
    if not is_color_like(name):
        raise UsageError(f"no colour {name!r}{hint(name, COLOURS)} (or a hexadecimal one)")
    return to_hex(name)


def wording(how: Format, scale: float = 1.0) -> Callable[[float], str]:
    """What spells a drawn value: a format specification, a template such as ``{:.0f}%``, or a word.

    A word is given the value of the data, from before it was multiplied by ``scale``: ``usd`` takes US$ million.
    """
    if callable(how):
        return how if scale == 1 else lambda v: how(v / scale)
    if how and "{" in how:
        return lambda v: unsigned(how.format(v)).replace("-", "−")
    return (lambda v: formatted(v, how)) if how else figure


def figure(value: float) -> str:
    """A value of no known unit: three figures."""
    if not np.isfinite(value):
        return "none"
    text = sig(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def told(begin: str, parts: Iterable[str]) -> str:
    """``begin: part; part.`` in at most about sixty words; what did not fit is counted."""
    parts, kept = list(parts), []
    for part in parts:
        if kept and len(f"{begin} {' '.join(kept)} {part}".split()) > ALT_WORDS - 3:
            break
        kept.append(part)
    rest = len(parts) - len(kept)
    tail = f"; and {rest} more" if rest else ""
    return f"{begin}: {'; '.join(kept)}{tail}." if kept else f"{begin}."
