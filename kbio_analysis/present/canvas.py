"""Where every chart is laid out and drawn: one SVG that reads on a phone and on a page, its data beside it.

A kind (``lines``, ``bars``, ...) says what is drawn, as one or more :class:`Plot`; the canvas gives it ticks, margins,
notes and a legend that fit, so that no text meets another.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator

from kbio_analysis.errors import UsageError
from kbio_analysis.present.look import (
    INK,
    KOREAN_FONTS,
    LINE,
    MUTED,
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
    bold: bool = False
    halo: bool = False


@dataclass(kw_only=True)
class Plot:
    """One panel: its axes, what draws on it, the notes in it, the keys of its legend, and room for texts outside."""

    x: Axis
    y: Axis
    draw: list[Callable[[Axes], Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    keys: list[tuple[str, Any]] = field(default_factory=list)
    title: str | None = None
    tall: float = TALL
    right: float = 0.0


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

    korean = has_hangul("".join(_texts(plots)))

    def drawn(to: Any, **how: Any) -> None:
        if korean and how["format"] == "png" and korean_font() is None:
            raise UsageError(f"chart {payload['id']!r}: a PNG file needs a Korean font, such as {KOREAN_FONTS[0]}")
        with theme(korean=korean):
            _figure(plots, columns).savefig(to, **how)

    buffer = BytesIO()
    drawn(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = _tidy(buffer.getvalue().decode())
    csv = data.to_csv(index=False, lineterminator="\n")
    whole = {"kind": "chart", "id": payload["id"], "svg": svg, "csv": csv, "csv_name": f"{payload['id']}.csv"}
    return Chart(data, whole | payload, drawn)


def spread(levels: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Places near ``levels`` for labels of these ``sizes``, so that none meets its neighbour; the order is kept."""
    order = np.argsort(levels, kind="stable")
    placed, tall = (np.asarray(v, dtype=float)[order] for v in (levels, sizes))
    apart = (tall[1:] + tall[:-1]) / 2
    for _ in range(20 * len(placed) ** 2):
        push = np.clip(apart - np.diff(placed), 0, None) / 2
        placed += np.append(0, push) - np.append(push, 0)
    for i in range(len(apart)):
        placed[i + 1] = max(placed[i + 1], placed[i] + apart[i])
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
    how = {"color": MUTED, "lw": 0.9, "ls": "-" if solid else ":", "zorder": 1.5}
    plot.draw.append(lambda ax: ax.axvline(at, **how))
    if text:
        top = {"shift": (3, 0), "va": "top", "halo": True}
        plot.notes.append(Note(x=at, y=plot.y.high, text=text, colour=MUTED, **top))


def _figure(plots: Sequence[Plot], columns: int) -> Figure:
    rows = [plots[i : i + columns] for i in range(0, len(plots), columns)]
    each = WIDTH / columns
    left = max(max((measure(text) + 6 for text in _down(p).values()), default=4.0) for p in plots)
    edges = {id(p): p.right + _overhang(p, each - left - p.right - EDGE) for p in plots}
    keys = list({text: (text, handle) for p in plots for text, handle in p.keys if text}.values())
    across, texts = _legend_shape([text for text, _ in keys])
    lines = max((sum(map(_lines, part)) for part in np.array_split(np.array(texts, dtype=object), across)), default=0)
    tops, bottoms = [], []
    for row in rows:
        tops.append(max(_lines(fold(p.title, each - 6)) if p.title else 0 for p in row) * LINE + 7)
        bottoms.append(max(_lines(*_along(p, each - left - edges[id(p)]).values()) for p in row) * LINE + 6)
    talls = [max(p.tall for p in row) for row in rows]
    total = sum(tops) + sum(talls) + sum(bottoms) + lines * LINE + (8 if lines else 2)
    figure = Figure(figsize=(WIDTH / 72, total / 72))
    y = total
    for row, top, tall, bottom in zip(rows, tops, talls, bottoms, strict=True):
        for i, plot in enumerate(row):
            wide = each - left - edges[id(plot)]
            box = [(i * each + left) / WIDTH, (y - top - tall) / total, wide / WIDTH, tall / total]
            _panel(figure.add_axes(box), plot, wide, left)
        y -= top + tall + bottom
    if keys:
        place = {"loc": "upper left", "bbox_to_anchor": (0, (y - 1) / total), "borderaxespad": 0.0, "borderpad": 0.2}
        handles = [handle for _, handle in keys]
        figure.legend(handles, texts, ncols=across, handlelength=1.7, handletextpad=0.6, columnspacing=1.3,
                      labelspacing=0.3, **place)  # fmt: skip
    return figure


def _panel(ax: Axes, plot: Plot, wide: float, left: float) -> None:
    for axis, mine, ticks in ((ax.xaxis, plot.x, _along(plot, wide)), (ax.yaxis, plot.y, _down(plot))):
        scale, limits, ruler = ("x", ax.set_xlim, "bottom") if axis is ax.xaxis else ("y", ax.set_ylim, "left")
        if mine.log:
            getattr(ax, f"set_{scale}scale")("log")
            axis.set_minor_locator(NullLocator())
            axis.set_minor_formatter(NullFormatter())
        limits(mine.low, mine.high)
        axis.set_ticks(list(ticks), list(ticks.values()))
        axis.set_tick_params(length=3 if mine.line else 0, pad=3)
        axis.grid(visible=mine.grid)
        ax.spines[ruler].set_visible(mine.line)
    for step in plot.draw:
        step(ax)
    for note in plot.notes:
        how = {"bbox": {"fc": PAPER, "ec": "none", "alpha": 0.75, "pad": 0.6}} if note.halo else {}
        ax.annotate(
            note.text,
            (note.x, note.y),
            xycoords=ax.get_yaxis_transform() if note.edge else "data",
            xytext=note.shift,
            textcoords="offset points",
            ha=note.ha,
            va=note.va,
            color=note.colour,
            weight="bold" if note.bold else "normal",
            linespacing=1.05,
            annotation_clip=False,
            **how,
        )
    if plot.title:
        ax.annotate(fold(plot.title, left + wide), (0, 1), xycoords="axes fraction", xytext=(2 - left, 6),
                    textcoords="offset points", color=MUTED, va="bottom", linespacing=1.1)  # fmt: skip


def _overhang(plot: Plot, wide: float) -> float:
    """Points kept free at the right: what the last label of the horizontal axis needs beyond the plot."""
    ticks = _along(plot, wide)
    beyond = [share(plot.x, v) * wide + measure(t) / 2 - wide - plot.right for v, t in ticks.items()]
    return max([EDGE, *(b + 2 for b in beyond)])


def share(axis: Axis, value: float) -> float:
    """Where a value stands on an axis, from 0 at its beginning to 1 at its end."""
    low, high, at = np.log10([axis.low, axis.high, value]) if axis.log else (axis.low, axis.high, value)
    return float((at - low) / ((high - low) or 1))


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


def _legend_shape(texts: Sequence[str]) -> tuple[int, list[str]]:
    """Columns of a legend that fits the width, and its texts, folded where they must be."""
    for columns in range(min(len(texts), 4), 1 if len(texts) > 4 else 0, -1):
        widths = [max(measure(t) for t in part) for part in np.array_split(np.array(texts, dtype=object), columns)]
        if sum(widths) + 22 * columns + 12.4 * (columns - 1) <= WIDTH - 6:
            return columns, list(texts)
    columns = 2 if len(texts) > 4 else 1
    return columns, [fold(t, (WIDTH - 12) / columns - 26) for t in texts]


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


def _texts(plots: Iterable[Plot]) -> Iterator[str]:
    for p in plots:
        yield from (p.title or "", *(n.text for n in p.notes), *(t for t, _ in p.keys))
        yield from (*(p.x.given or {}).values(), *(p.y.given or {}).values())


def _tidy(svg: str) -> str:
    """The drawing without prolog and line ends, its lines to a hundredth of a point."""
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg[svg.index("<svg") :], count=2)
    svg = re.sub(r' d="[^"]*', lambda d: " d" + re.sub(r"(\.\d\d)\d+|\s*([A-Za-z])\s*", r"\1\2", d[0][2:]), svg)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()
