"""Small multiples of a headline series: one bare panel a report, drawn to one scale so that they can be compared.

The series is the one that the index draws (``spark``). Where the report's notebook is at hand, the CSV of the chart it
comes from adds where the line begins and ends, and a band: by convention the columns ``lo_NN`` and ``hi_NN``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kbio_analysis.render.outputs import MIME
from kbio_analysis.render.page_values import format_value

WIDTH, HEIGHT, EDGE = 220, 110, 6
# A panel whose line would use less than this share of the common height shows nothing: then each has its own scale.
LEAST_SHARE = 0.04
_BAND = re.compile(r"(lo|hi)_(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line and, if known, its band. ``x`` has its length; ``low`` and ``high`` do too or are empty (None: no band).

    ``ends`` are the words for the first and the last x, '' if unknown; ``level`` is the band's per cent.
    """

    x: tuple[float, ...]
    line: tuple[float, ...]
    ends: tuple[str, str] = ("", "")
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    level: str = ""
    caption: str = ""

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest value that is drawn."""
        drawn = [*self.line, *(v for v in (*self.low, *self.high) if v is not None)]
        return min(drawn), max(drawn)

    def words(self) -> str:
        """What the panel shows, for readers who cannot see it."""
        first, last = (format_value(v) for v in (self.line[0], self.line[-1]))
        begin, end = (f" ({word})" if word else "" for word in self.ends)
        text = f"from {first}{begin} to {last}{end}"
        if self.low and self.low[-1] is not None and self.high[-1] is not None:
            text += f", {self.level}% interval at the end {format_value(self.low[-1])} to {format_value(self.high[-1])}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """Drawings in the order of the series, None where there is none; ``scale`` says in words how they are drawn."""

    drawings: tuple[Markup | None, ...]
    words: tuple[str, ...]
    scale: str


def bare_series(spark: Sequence[float]) -> Series | None:
    """The series of an entry as result.json has it: no words, no band. None if there is none."""
    if len(spark) < 2:
        return None
    return Series(x=tuple(map(float, range(len(spark)))), line=tuple(spark))


def headline_series(folder: Path, spark: Sequence[float]) -> Series | None:
    """The series of the report in ``folder``, with the words and the band of its chart where those can be read."""
    bare = bare_series(spark)
    if bare is None:
        return None
    try:
        notebook = json.loads((folder / "executed.ipynb").read_text(encoding="utf-8"))
        payload = next((p for p in _charts(notebook) if p.get("spark")), None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # The drawing is an extra: a report whose notebook cannot be read keeps its bare line.
        return bare
    return _with_chart(bare, payload) if payload else bare


def panels(series: Sequence[Series | None], height: int = HEIGHT) -> Panels:
    """Draw every series, the first one faintly behind the others."""
    known = [s for s in series if s is not None]
    if not known:
        return Panels(drawings=tuple(None for _ in series), words=tuple("" for _ in series), scale="")
    low, high = min(s.span[0] for s in known), max(s.span[1] for s in known)
    spans = [s.span[1] - s.span[0] for s in known]
    common = all(span == 0 or span >= LEAST_SHARE * (high - low) for span in spans)
    across = (min(s.x[0] for s in known), max(s.x[-1] for s in known)) if _one_axis(known) else None
    base = series[0] if common and len(known) > 1 else None
    drawings = []
    for i, s in enumerate(series):
        scale = (low, high) if common else (s.span if s else (0.0, 1.0))
        drawings.append(None if s is None else _panel(s, scale, across, base if i else None, height))
    ends = f"from {format_value(low)} to {format_value(high)}"
    scale = (
        f"The vertical scale of every panel runs {ends}."
        if common
        else "The series are too far apart for one scale; each has its own."
    )
    scale += " The grey line repeats the first panel's." if base is not None else ""
    return Panels(drawings=tuple(drawings), words=tuple(s.words() if s else "" for s in series), scale=scale)


# ---- reading a chart


def _charts(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", ()))
    payloads = (output.get("data", {}).get(MIME) for output in outputs)
    return [p for p in payloads if isinstance(p, dict) and p.get("kind") == "chart"]


def _with_chart(bare: Series, payload: Mapping[str, Any]) -> Series:
    """The series with what the chart's CSV adds, if its rows are the points of the series."""
    header, *rows = list(csv.reader(io.StringIO(str(payload.get("csv") or "")))) or [[]]
    caption = str(payload.get("caption") or "")
    if len(rows) != len(bare.line) or any(len(row) != len(header) for row in rows) or not header:
        return Series(x=bare.x, line=bare.line, caption=caption)
    labels = [row[0] for row in rows]
    numbers = [_number(label) for label in labels]
    rising = None not in numbers and all(a < b for a, b in pairwise(numbers))
    low, high, level = _band(header, rows)
    return Series(
        x=tuple(numbers) if rising else bare.x,
        line=bare.line,
        ends=(labels[0], labels[-1]),
        low=low,
        high=high,
        level=level,
        caption=caption,
    )


def _band(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[tuple, tuple, str]:
    """The narrowest band of the table, or nothing."""
    places = {match.groups(): i for i, name in enumerate(header) if (match := _BAND.fullmatch(name))}
    levels = sorted((level for side, level in places if side == "lo" and ("hi", level) in places), key=int)
    if not levels:
        return (), (), ""
    low, high = (tuple(_number(row[places[side, levels[0]]]) for row in rows) for side in ("lo", "hi"))
    return low, high, levels[0]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


# ---- drawing


def _one_axis(known: Sequence[Series]) -> bool:
    """Whether the panels can share their x: all of them carry figures (years) and not just an order."""
    return all(_number(s.ends[0]) == s.x[0] for s in known)


def _panel(
    series: Series, scale: tuple[float, float], across: tuple[float, float] | None, base: Series | None, height: int
) -> Markup:
    def points(s: Series, values: Sequence[float | None]) -> list[str]:
        left, right = across or (s.x[0], s.x[-1])
        found = []
        for x, value in zip(s.x, values, strict=True):
            if value is not None:
                along = (x - left) / ((right - left) or 1.0)
                up = (value - scale[0]) / ((scale[1] - scale[0]) or 1.0) if scale[1] > scale[0] else 0.5
                found.append(f"{EDGE + (WIDTH - 2 * EDGE) * along:.4g},{height - EDGE - (height - 2 * EDGE) * up:.4g}")
        return found

    parts = [Markup('<path class="frame" d="M0 0.5H{0}M0 {1}H{0}"/>').format(WIDTH, height - 0.5)]
    if series.low:
        both = [None not in pair for pair in zip(series.low, series.high, strict=True)]
        low, high = ([v if b else None for v, b in zip(side, both, strict=True)] for side in (series.low, series.high))
        outline = points(series, low) + points(series, high)[::-1]
        parts.append(Markup('<polygon class="band" points="{}"/>').format(" ".join(outline)))
    if base is not None:
        parts.append(Markup('<polyline class="base" points="{}"/>').format(" ".join(points(base, base.line))))
    line = points(series, series.line)
    parts.append(Markup('<polyline points="{}"/>').format(" ".join(line)))
    x, y = line[-1].split(",")
    parts.append(Markup('<circle cx="{}" cy="{}" r="3"/>').format(x, y))
    return Markup('<svg class="panel" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, series.words(), Markup("").join(parts)
    )
