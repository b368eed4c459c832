"""Where every chart is laid out and drawn: one SVG that reads on a phone and on a page, its data beside it.

A kind (``lines``, ``bars``, ...) says what is drawn, as one or more :class:`Plot`; the canvas gives it ticks, margins,
notes and a legend that fit, so that no text meets another.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import TICKDOWN, TICKLEFT, Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox

from kbio_analysis.errors import UsageError
from kbio_analysis.present.look import (
    INK,
    KOREAN_FONTS,
    LINE,
    MUTED,
    PALE,
    PAPER,
    fold,
    has_hangul,
    korean_font,
    measure,
    theme,
)
from kbio_analysis.present.outputs import caption_html, show
from kbio_analysis.present.words import plain

WIDTH = 340.0
"""Points; about the width of a phone's column, so that type is read there as it is set."""
TALL = 175.0
"""Height in points of a plot area of height 1."""
EDGE = 14.0
"""Points kept free at the right, for half of the last tick's label."""
FILLED: dict[str, Any] = {"lw": 7, "solid_capstyle": "butt"}
"""The key of what has an area: a line that looks like a box."""
_SPARE = re.compile(r"(?<=\.\d\d)\d+|\s+(?=[A-Za-z])|(?<=[A-Za-z])\s+")  # in the outline of a path


@dataclass(kw_only=True)
class Axis:
    """One axis: its range, and ticks that are given (position -> text) or made to fit."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    say: Callable[[float], str] = plain
    given: Mapping[float, str] | None = None
    make: Callable[[float, float, int], dict[float, str]] | None = None
    grid: bool = False
    line: bool = True

    def ticks(self, most: int) -> dict[float, str]:
        """At most about ``most`` labelled positions within the range, lowest first."""
        low, high = sorted((self.low, self.high))
        if self.given is not None:
            found = self.given
        elif self.make is not None:
            found = self.make(low, high, most)
        else:
            at = _log_ticks(low, high, most) if self.log else _round_ticks(low, high, most, whole=self.whole)
            found = {v: self.say(v) for v in at}
        slack = 1e-9 * (high - low)
        return {v: found[v] for v in sorted(found) if low - slack <= v <= high + slack}


@dataclass(kw_only=True)
class Note:
    """A text in the plot: at data coordinates, ``shift`` points away; ``edge`` takes x as a share of the plot."""

    x: float
    y: float
    text: str
    colour: str = INK
    shift: tuple[float, float] = (0.0, 0.0)
    ha: str = "left"
    va: str = "center"
    edge: bool = False
    weight: str = "normal"
    halo: bool = False


@dataclass(kw_only=True)
class Plot:
    """One panel: its axes, the marks and notes in it, the keys of its legend, and room for texts outside.

    A mark is at data coordinates, ``None`` from edge to edge; a key is a text and the look of its line.
    """

    x: Axis
    y: Axis
    marks: list[tuple[Callable[..., Artist], Any, Any, dict[str, Any]]] = field(default_factory=list, repr=False)
    notes: list[Note] = field(default_factory=list)
    keys: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    title: str | None = None
    tall: float = TALL
    right: float = 0.0

    def line(self, x: Any, y: Any, **how: Any) -> None:
        """Points and the line through them, with gaps at what is no number."""
        self.marks.append((Line2D, x, y, how))

    def box(self, x: tuple[float, float], y: tuple[float, float], **how: Any) -> None:
        """A box from one corner to the other."""
        self.area(np.take(x, [0, 1, 1, 0, 0]), np.take(y, [0, 0, 1, 1, 0]), **how)

    def area(self, x: Any, y: Any, **how: Any) -> None:
        """What an outline encloses, whose last point is its first; several have matplotlib's ``codes``."""
        self.marks.append((_area, x, y, how))


class Chart:
    """A chart as shown: ``frame`` is its data. An empty one was not drawn (``drawn`` is False) and shows nothing."""

    def __init__(self, frame: pd.DataFrame | None, payload: dict[str, Any], draw: Callable[..., None] | None):
        self.frame, self.alt, self.drawn = frame, payload.get("alt", ""), draw is not None
        self._payload, self._draw, self._cell = payload, draw, _cells_run()
        if self.drawn:
            self._show()

    def svg(self, path: str | Path) -> None:
        """Write the chart as an SVG file of its own, for slides."""
        Path(path).write_text(self.drawing, encoding="utf-8")

    def png(self, path: str | Path, *, dpi: int = 220) -> None:
        """Write the chart as a PNG file on white."""
        _ = self.drawing  # refused if there is none
        self._draw(path, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})

    @property
    def drawing(self) -> str:
        """The SVG."""
        if not self.drawn:
            raise UsageError(f"chart {self._payload['id']!r} was not drawn: there was no value to draw")
        return self._payload["svg"]

    def _show(self) -> None:
        coded = base64.b64encode(self.drawing.encode()).decode()
        look = f"display: block; width: 100%; padding: 4px; background: {PAPER}"  # read on a dark theme, too
        image = f'<img style="{look}" alt="{escape(self.alt)}" src="data:image/svg+xml;base64,{coded}">'
        under = caption_html(self._payload["caption"], self._payload["source"])
        html = f"<figure style='max-width: 32rem'>{image}{under}</figure>"
        show(self._payload, {"text/html": html, "image/svg+xml": self.drawing, "text/plain": self.alt})

    def _ipython_display_(self) -> None:
        """Shown again when asked for in a later cell, not when it is the last line of the cell that drew it."""
        if self.drawn and self._cell is not _cells_run():
            self._show()

    def __repr__(self) -> str:
        return self.alt if self.drawn else f"Chart {self._payload['id']!r}: nothing to draw"


def _cells_run() -> object:
    """What is the same throughout a cell, and another in the next: how the one before it ended."""
    from IPython import get_ipython

    return getattr(get_ipython(), "last_execution_result", None)


def finish(plots: Sequence[Plot], payload: dict[str, Any], data: pd.DataFrame, *, columns: int = 1) -> Chart:
    """Draw the panels, ``columns`` beside one another, and show them as the chart described by ``payload``."""

    korean = has_hangul(repr(plots))

    def drawn(to: Any, **how: Any) -> None:
        if korean and how["format"] == "png" and korean_font() is None:
            raise UsageError(f"chart {payload['id']!r}: a PNG file needs a Korean font, such as {KOREAN_FONTS[0]}")
        with theme(korean=korean):
            _figure(plots, columns).savefig(to, **how)

    buffer = StringIO()
    drawn(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = _tidy(buffer.getvalue())
    csv = data.to_csv(index=False, lineterminator="\n")
    whole = {"kind": "chart", "id": payload["id"], "svg": svg, "csv": csv, "csv_name": f"{payload['id']}.csv"}
    return Chart(data, whole | payload, drawn)


def spread(levels: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Places near ``levels`` for labels of these ``sizes``, so that none meets its neighbour; the order is kept."""
    order = np.argsort(levels, kind="stable")
    placed, tall = (np.asarray(v, dtype=float)[order] for v in (levels, sizes))
    apart = (tall[1:] + tall[:-1]) / 2
    for _ in range(20 * len(placed) ** 2):
        if not (push := np.clip(apart - np.diff(placed), 0, None) / 2).any():
            break
        placed += np.append(0, push) - np.append(push, 0)
    return placed[np.argsort(order)].tolist()


def apart(axis: Axis, tall: float, levels: Sequence[float], texts: Sequence[str]) -> list[float]:
    """Points by which texts at these levels of an upright axis move, so that none meets another or the foot."""
    natural = [share(axis, level) * tall for level in levels]
    sizes = [0.95 * LINE * _lines(text) for text in texts]
    placed, foot = spread(natural, sizes), 4.0 - sizes[0] / 2
    for i in np.argsort(placed):
        placed[i] = max(placed[i], foot + sizes[i] / 2)
        foot = placed[i] + sizes[i] / 2
    return [place - want for place, want in zip(placed, natural, strict=True)]


def upright(plot: Plot, at: float, text: str, *, solid: bool = False) -> None:
    """A line from foot to top of the panel, named at its top."""
    plot.line([at, at], None, color=MUTED, lw=0.9, ls="-" if solid else ":", zorder=1.5)
    if text:
        plot.notes.append(Note(x=at, y=plot.y.high, text=text, colour=MUTED, shift=(3, 0), va="top", halo=True))


def _figure(plots: Sequence[Plot], columns: int) -> Figure:
    rows = [plots[i : i + columns] for i in range(0, len(plots), columns)]
    each = WIDTH / columns
    left = max(max((measure(text) + 6 for text in _down(p).values()), default=4.0) for p in plots)
    edges = {id(p): p.right + _overhang(p, each - left - p.right - EDGE) for p in plots}
    keys = {text: how for p in plots for text, how in p.keys if text}
    legend = _legend_shape(list(keys))
    lines = max(sum(map(_lines, part)) for part in legend)
    heights = []
    for row in rows:
        top = max(_lines(fold(p.title, each - 6)) if p.title else 0 for p in row) * LINE + 7
        bottom = max(_lines(*_along(p, each - left - edges[id(p)]).values()) for p in row) * LINE + 6
        heights.append((top, max(p.tall for p in row), bottom))
    total = sum(map(sum, heights)) + lines * LINE + (8 if lines else 2)
    figure = Figure(figsize=(WIDTH / 72, total / 72))
    points, y = Affine2D().scale(1 / 72) + figure.dpi_scale_trans, total

    def put(artist: Artist, within: Bbox | None = None) -> None:
        artist.set_transform(points)
        artist.set_clip_box(within and TransformedBbox(within, points))
        figure.add_artist(artist)

    for row, (top, tall, bottom) in zip(rows, heights, strict=True):
        for i, plot in enumerate(row):
            wide = each - left - edges[id(plot)]
            _panel(plot, (i * each + left, y - top - tall), (wide, tall), put)
            title = fold(plot.title or "", left + wide)
            put(Text(i * each + 2, y - top + 6, title, color=MUTED, va="bottom", linespacing=1.1))
        y -= top + tall + bottom
    looks, x = iter(keys.values()), 2.0
    for part in legend:
        at = y - 3
        for text in part:
            tall, middle = (12.0 * _lines(text), -0.3) if "\n" in text else (10.0, 0.9)
            ends, level = [x, x + 8.5, x + 17], [at - tall / 2 + middle] * 3
            put(Line2D(ends, level, markevery=[1], **{"solid_capstyle": "projecting"} | next(looks)))
            put(Text(x + 23, at, text, va="top"))
            at -= tall + 3
        x += max(map(measure, part), default=0.0) + 36
    return figure


def _area(x: np.ndarray, y: np.ndarray, codes: Any = None, **how: Any) -> PathPatch:
    return PathPatch(Outline(np.column_stack([x, y]), codes, closed=True), **{"lw": 0} | how)


def _panel(plot: Plot, corner: tuple[float, float], size: tuple[float, float], put: Callable[..., None]) -> None:
    """A plot on the paper, in points: its rulers, its marks, cut off at its edges, and its notes."""
    (x0, y0), (wide, tall), within = corner, size, Bbox.from_bounds(*corner, *size)
    below, beside = {"ha": "center", "va": "top"}, {"ha": "right", "va": "center_baseline"}
    rulers = (plot.x, _along(plot, wide), TICKDOWN, below, 1), (plot.y, _down(plot), TICKLEFT, beside, -1)
    for axis, ticks, tick, text_at, turn in rulers:
        (start, foot), (long, top) = corner[::turn], size[::turn]
        at = start + share(axis, [*ticks]) * long
        if axis.grid:
            strokes = np.repeat(at, 3), np.tile([foot, foot + top, np.nan], len(at))
            put(Line2D(*strokes[::turn], color=PALE, lw=0.7, zorder=0.5), within)
        if axis.line:
            ruler, how = ([start, *at, start + long], [foot] * (len(at) + 2)), {"marker": tick, "ms": 3, "mew": 0.8}
            how |= {"color": MUTED, "lw": 0.8, "solid_capstyle": "projecting", "zorder": 2.5}
            put(Line2D(*ruler[::turn], markevery=slice(1, -1), **how))
        for place, text in zip(at, ticks.values(), strict=True):
            put(Text(*(place, foot - (6 if axis.line else 3))[::turn], text, **text_at))
    for kind, x, y, how in plot.marks:
        put(kind(x0 + share(plot.x, x) * wide, y0 + share(plot.y, y) * tall, **how), within)
    for note in plot.notes:
        x = x0 + wide * (note.x if note.edge else share(plot.x, note.x)) + note.shift[0]
        y = y0 + tall * share(plot.y, note.y) + note.shift[1]
        how = {"bbox": {"fc": PAPER, "ec": "none", "alpha": 0.75, "pad": 0.6}} if note.halo else {}
        how |= {"ha": note.ha, "va": note.va, "color": note.colour, "weight": note.weight, "linespacing": 1.05}
        put(Text(x, y, note.text, **how))


def _overhang(plot: Plot, wide: float) -> float:
    """Points kept free at the right: what the last label of the horizontal axis needs beyond the plot."""
    ticks = _along(plot, wide)
    beyond = [share(plot.x, v) * wide + measure(t) / 2 - wide - plot.right for v, t in ticks.items()]
    return max([EDGE, *(b + 2 for b in beyond)])


def share(axis: Axis, values: Any) -> Any:
    """Where values stand on an axis, from 0 at its beginning to 1 at its end; ``None`` is both."""
    values = (axis.low, axis.high) if values is None else values
    low, high, at = (np.log10(v) if axis.log else v for v in (axis.low, axis.high, np.asarray(values, dtype=float)))
    return (at - low) / ((high - low) or 1)


def _down(plot: Plot) -> dict[float, str]:
    return plot.y.ticks(max(3, min(7, int(plot.tall / 30))))


def _along(plot: Plot, wide: float) -> dict[float, str]:
    """Ticks of the horizontal axis as many as stand beside one another: given ones are folded, then thinned."""
    if plot.x.given is not None:
        ticks = plot.x.ticks(99)
        if not _fit(plot.x, ticks, wide) and ticks:
            ticks = {v: fold(t, wide / len(ticks) - 4) for v, t in ticks.items()}
        kept: dict[float, str] = {}
        for v in reversed(ticks):
            kept = more if _fit(plot.x, more := {v: ticks[v]} | kept, wide) else kept
        return kept
    for most in range(8, 1, -1):
        ticks = plot.x.ticks(most)
        if _fit(plot.x, ticks, wide):
            return ticks
    return ticks


def _fit(axis: Axis, ticks: Mapping[float, str], wide: float) -> bool:
    centres = np.array([share(axis, v) * wide for v in ticks])
    halves = np.array([measure(t) / 2 for t in ticks.values()])
    order = np.argsort(centres)
    centres, halves = centres[order], halves[order]
    return bool((np.diff(centres) >= halves[1:] + halves[:-1] + 3).all())


def _legend_shape(texts: list[str]) -> list[list[str]]:
    """The columns of a legend that fits the width, its texts folded where they must be."""
    fewest = 2 if len(texts) > 4 else 1
    for columns in (*range(min(len(texts), 4), fewest - 1, -1), 0):
        shown = texts if columns else [fold(t, (WIDTH - 12) / fewest - 26) for t in texts]
        parts = [part.tolist() for part in np.array_split(np.array(shown, dtype=object), columns or fewest)]
        wide = sum(max(map(measure, part), default=0) for part in parts)
        if wide + 22 * columns + 12.4 * (columns - 1) <= WIDTH - 6:
            break
    return parts


def _lines(*texts: str) -> int:
    return max((t.count("\n") + 1 for t in texts), default=0)


def _round_ticks(low: float, high: float, most: int, *, whole: bool) -> list[float]:
    found = MaxNLocator(nbins=most, integer=whole, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(f"{v:.10g}") for v in found if not whole or float(v).is_integer()]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    decades = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{m}e{d}") for d in decades for m in steps if low <= m * 10.0**d <= high]
        if len(found) <= most + 1:
            break
    return found


def _tidy(svg: str) -> str:
    """The drawing without prolog and line ends, its lines to a hundredth of a point."""
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg[svg.index("<svg") :], count=2)
    svg = re.sub(r'(?<= d=")[^"]*', lambda d: _SPARE.sub("", d[0]), svg)
    return "\n".join(map(str.strip, svg.split("\n"))).strip()
