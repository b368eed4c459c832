"""Bars: one or several a row, beside or on one another, lying or upright; and tornadoes of one input at a time."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.present.canvas import FILLED, TALL, WIDTH, Axis, Chart, Note, Plot
from kbio_analysis.present.frames import Asked, Format, Framed, colour, set_ticks, told, wording
from kbio_analysis.present.look import INK, LINE, MUTED, PAPER, fold, measure

LABEL_ROOM = 128.0
"""Points for the names of lying bars."""


def bars(
    frame: Framed,
    *,
    label: str,
    value: str | Mapping[str, str],
    stacked: bool = False,
    upright: bool = False,
    by: str | None = None,
    points: Mapping[Any, Sequence[float]] | None = None,
    values: bool | Format = None,
    scale: float = 1.0,
    x_format: Format = None,
    x_ticks: Any = None,
    x_range: tuple[float | None, float | None] = (None, None),
    **shared: Any,
) -> Chart:
    """A bar for every row of ``frame``, named by ``label``; the first on top, or at the left when ``upright``.

    ``value`` is a column, or label -> column for several bars a row, ``stacked`` or side by side. A single one takes
    its colour from the row (``colours`` by label), or from the column ``by``.
    ``points``: row -> values, dots over it; ``values`` writes the
    figures. ``x_format``, ``x_ticks`` and ``x_range`` are of the value axis, whichever way it runs.
    """
    look = SimpleNamespace(**{k: v for k, v in locals().items() if k not in ("frame", "shared")})
    asked = Asked(bars, frame, shared)
    if asked.frame.empty:
        return asked.nothing()
    found = Bars(asked, look)
    return asked.finish([found.plot()], found.said()) if found.numbers.notna().to_numpy().any() else asked.nothing()


class Bars:
    """The bars of one chart, and the plot they make."""

    def __init__(self, asked: Asked, look: SimpleNamespace):
        self.asked, self.look = asked, look
        series = dict(look.value) if isinstance(look.value, Mapping) else {"": look.value}
        names = asked.column(look.label, "label").astype(str)
        self.names = names.tolist()
        self.numbers = look.scale * pd.DataFrame({k: asked.column(c, "value").astype(float) for k, c in series.items()})
        group = asked.column(look.by, "by").tolist() if look.by is not None else None
        self.keys = list(series) if len(series) > 1 else list(dict.fromkeys(group or []))
        hues = asked.hues(self.keys or self.names) if self.keys or asked.colours else {}
        self.hues = {name: hue for name, (hue, _) in hues.items()}
        self.row_keys = group or self.names
        asked.known(map(str, look.points or {}), self.names, "points")

    def _hue(self, k: int, i: int) -> str:
        if len(self.numbers.columns) > 1:
            return self.hues[self.numbers.columns[k]]
        return self.hues.get(self.row_keys[i], colour("blue"))

    def _spots(self) -> list[tuple[int, int, float, float, float, float]]:
        """Row, series, place across, thickness, start and length of every bar with a value."""
        several, found = len(self.numbers.columns), []
        thick = 0.66 / (1 if self.look.stacked else several)
        for i in range(len(self.names)):
            ends = {True: 0.0, False: 0.0}
            for k in range(several):
                length = float(self.numbers.iloc[i, k])
                if not np.isfinite(length):
                    continue
                start = ends[length >= 0] if self.look.stacked else 0.0
                ends[length >= 0] += length
                shift = 0.0 if self.look.stacked else thick * (k - (several - 1) / 2)
                found.append((i, k, i + shift, thick, start, length))
        return found

    def plot(self) -> Plot:
        """The panel, its rows from the top or its bars from the left."""
        look, spots = self.look, self._spots()
        ends = [v for *_, start, length in spots for v in (start, start + length)]
        ends += [v * look.scale for dots in (look.points or {}).values() for v in dots]
        low, high = min(0.0, *ends), max(0.0, *ends)
        room = (high - low) or 1.0
        limits = (low - 0.05 * room if low < 0 else 0.0), (high + 0.05 * room if high > 0 else 0.0)
        limits = self.asked.span(*limits, look.x_range, look.scale)
        whole = bool((self.numbers.fillna(0) % 1 == 0).all(axis=None)) and look.scale == 1
        along = Axis(low=limits[0], high=limits[1], whole=whole, say=wording(look.x_format, look.scale), grid=True)
        set_ticks(along, look.x_ticks, look.scale)
        texts = {float(i): n if look.upright else fold(n, LABEL_ROOM) for i, n in enumerate(self.names)}
        size = len(self.names) - 0.5
        across = Axis(low=-0.5 if look.upright else size, high=size if look.upright else -0.5, given=texts, line=False)
        each = max(
            18.0 if look.stacked else 9.0 * len(self.numbers.columns) + 8,
            12 * max(text.count("\n") + 1 for text in texts.values()) + 6,
        )
        tall = TALL if look.upright else each * len(self.names) + 6
        x, y = (across, along) if look.upright else (along, across)
        plot = Plot(x=x, y=y, title=self.asked.title, tall=tall * self.asked.height)
        if look.values is not None and look.values is not False:
            self._figures(plot, spots)
            if look.stacked:
                along.given, along.line = {}, False
        self._draw(plot, spots)
        named = [name for name in self.keys if name]
        plot.keys = [(str(name), FILLED | {"color": self.hues[name]}) for name in named]
        return plot

    def _draw(self, plot: Plot, spots: list[tuple[int, int, float, float, float, float]]) -> None:
        pale = 0.4 if self.look.points else 1.0
        for i, k, at, thick, start, length in spots:
            sides, ends = (at - thick / 2, at + thick / 2), (start, start + length)
            corners = (sides, ends) if self.look.upright else (ends, sides)
            plot.box(*corners, fc=self._hue(k, i), alpha=pale)
        plot.line(*((None, [0, 0]) if self.look.upright else ([0, 0], None)), color=MUTED, lw=0.9)
        for name, dots in (self.look.points or {}).items():
            at, values = [self.names.index(str(name))] * len(dots), np.array(dots) * self.look.scale
            at, values = (at, values) if self.look.upright else (values, at)
            plot.line(at, values, ls="none", marker="o", ms=4, color=INK, alpha=0.6, mew=0)

    def _figures(self, plot: Plot, spots: list[tuple[int, int, float, float, float, float]]) -> None:
        word = wording(None if self.look.values is True else self.look.values, self.look.scale)
        for i, k, at, _, start, length in spots:
            text, upright = word(length), self.look.upright
            if self.look.stacked:
                if length:
                    middle = start + length / 2
                    place = (at, middle) if upright else (middle, at)
                    plot.notes.append(Note(x=place[0], y=place[1], text=text, colour=PAPER, ha="center"))
                continue
            end, out = start + length, 1 if length >= 0 else -1
            place = {"x": at, "y": end, "shift": (0, 4 * out), "ha": "center", "va": "bottom" if out > 0 else "top"}
            if not upright:
                place = {"x": end, "y": at, "shift": (5 * out, -0.5), "ha": "left" if out > 0 else "right"}
                plot.right = max(plot.right, measure(text) - 12)
            plot.notes.append(Note(text=text, colour=self._hue(k, i), **place))

    def said(self) -> str:
        """The alt text: every bar with its values."""
        own = (None if self.look.values is True else self.look.values) or self.look.x_format
        word, parts = wording(self.asked.alt_format or own, self.look.scale), []
        several = len(self.numbers.columns) > 1
        for name, (_, row) in zip(self.names, self.numbers.iterrows(), strict=True):
            texts = [f"{k} {word(v)}".strip() for k, v in row.items() if v or not several]
            parts.append(f"{name} {', '.join(texts)}")
        return told(self.asked.begin("Bars"), parts)


def tornado(
    frame: Framed,
    *,
    label: str,
    low: str,
    high: str,
    ends: tuple[Any, ...] | None = None,
    centre: float | None = None,
    by: str | None = None,
    scale: float = 1.0,
    x_format: Format = None,
    x_ticks: Any = None,
    x_range: tuple[float | None, float | None] = (None, None),
    **shared: Any,
) -> Chart:
    """What one input at a time does: a bar from the value at its low end to that at its high end, a row an input.

    With ``centre`` the two sides of each bar start there and have a colour each (``colours``: Low end, High end);
    without, the bars of one value of ``by`` share theirs. ``ends`` names two columns that say what the ends are, and
    may add their format.
    """
    asked = Asked(tornado, frame, shared)
    found = asked.frame
    if found.empty:
        return asked.nothing()
    names = asked.column(label, "label").astype(str)
    lows, highs = (asked.column(c, w).astype(float) * scale for c, w in ((low, "low"), (high, "high")))
    texts = {i: f"{names[i]}{text}" for i, text in _ends(asked, ends).items()}
    seen = [*lows, *highs, 0.0 if centre is None else centre * scale]
    room = (max(seen) - min(seen)) or 1.0
    limits = [min(seen) - (0.03 * room if min(seen) else 0), max(seen) + (0.03 * room if max(seen) else 0)]
    limits = asked.span(limits[0], limits[1], x_range, scale)
    x = set_ticks(Axis(low=limits[0], high=limits[1], say=wording(x_format, scale), grid=True), x_ticks, scale)
    plot = Plot(x=x, y=Axis(low=0, high=2, given={}, line=False), title=asked.title)
    if centre is None:
        groups = asked.column(by, "by") if by is not None else names.map(lambda _: "")
        hues = {name: hue for name, (hue, _) in asked.hues(groups).items()}
        pieces = {i: [(lows[i], highs[i], hues[groups[i]])] for i in found.index}
    else:
        hues = {side: hue for side, (hue, _) in asked.hues(["Low end", "High end"]).items()}
        under, over = hues.values()
        pieces = {i: [(centre * scale, lows[i], under), (centre * scale, highs[i], over)] for i in found.index}
    plot.keys = [(str(name), FILLED | {"color": hue}) for name, hue in hues.items() if len(hues) > 1]
    _rows(plot, texts, pieces)
    if centre is not None:
        plot.line([centre * scale] * 2, None, color=INK, lw=1)
    plot.tall *= asked.height
    word = wording(asked.alt_format or x_format, scale)
    widest = (highs - lows).abs().sort_values(ascending=False).index
    if centre is None and len(hues) > 1:
        names = names + " (" + groups.astype(str) + ")"
    said = [f"{names[i]} {word(lows[i])} to {word(highs[i])}" for i in widest]
    return asked.finish([plot], told(asked.begin("Bars, the widest first"), said))


def _ends(asked: Asked, ends: tuple[Any, ...] | None) -> dict[Any, str]:
    """What stands behind the name of each row: the two ends of its input."""
    if ends is None:
        return dict.fromkeys(asked.frame.index, "")
    word = wording(ends[2] if len(ends) > 2 else None)
    pair = [asked.column(c, "ends").map(lambda v: v if isinstance(v, str) else word(v)) for c in ends[:2]]
    return {i: f": {pair[0][i]} to {pair[1][i]}" for i in asked.frame.index}


def _rows(plot: Plot, texts: Mapping[Any, str], pieces: Mapping[Any, list[tuple[float, float, str]]]) -> None:
    """Rows from the top: each its text, and its bar below."""
    at = 0.0
    for i, text in texts.items():
        folded = fold(text, WIDTH - 24)
        at -= LINE * (folded.count("\n") + 1) + 3
        plot.notes.append(Note(x=0.0, y=at + 2, text=folded, edge=True, va="bottom", shift=(2, 0), halo=True))
        for start, end, hue in pieces[i]:
            plot.box((start, end), (at - 10, at - 1), fc=hue, ec=hue, lw=0.8)  # the edge shows where both ends are one
        at -= 15
    plot.y.low, plot.tall = at, 2.0 - at
