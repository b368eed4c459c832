"""Rows of points with their intervals: odds by method, forests, dots on stems, ratios over their tolerances."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.present.canvas import FILLED, WIDTH, Axis, Chart, Note, Plot, upright
from kbio_analysis.present.frames import ALT_WORDS, Asked, Format, Framed, colour, set_ticks, told, wording
from kbio_analysis.present.look import INK, LINE, MUTED, PAPER, fold, measure

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "|")
LABEL_ROOM = 126.0
"""Points for the names of rows at the left; longer ones are folded, or stand above their marks."""


def intervals(
    frame: Framed,
    *,
    label: str | Sequence[str],
    point: str | Mapping[str, str] | None = None,
    low: str | float | None = None,
    high: str | float | None = None,
    by: str | None = None,
    dodge: bool | None = None,
    hollow: str | Mapping[Any, Sequence[float]] | None = None,
    bars: Sequence[tuple[Any, ...]] = (),
    summary: Mapping[str, Sequence[float]] | None = None,
    stems: bool = False,
    values: Format = None,
    markers: Mapping[Any, str] | None = None,
    verticals: Mapping[float, str] | None = None,
    log: bool = False,
    scale: float = 1.0,
    x_range: tuple[float | None, float | None] = (None, None),
    x_format: Format = None,
    x_ticks: Any = None,
    **shared: Any,
) -> Chart:
    """One row for every value of ``label`` (several columns are joined), the first on top.

    ``point`` is drawn as a mark, ``low`` to ``high`` as its interval; label -> column draws several marks a row. ``by``
    gives colours (``colours``) and marks (``markers``) by its values and, with several of them in a row, a place of its
    own to each (``dodge``). ``hollow`` is a column or row -> values of further small marks. Behind rows stand ``bars``:
    (low, high, label, {colour, alpha, of}); below a rule ``summary``: row -> (point, low, high, perhaps outer low and
    high). ``stems`` draws from 0 to the point, ``values`` writes it. What lies outside ``x_range`` stands at its edge.
    """
    look = SimpleNamespace(**{k: v for k, v in locals().items() if k not in ("frame", "shared")})
    asked = Asked(intervals, frame, shared)
    rows = Rows(asked, look) if len(asked.frame) or summary else None
    return asked.finish([rows.plot()], rows.said()) if rows is not None and rows.seen() else asked.nothing()


class Rows:
    """The rows of one chart, and the plot they make."""

    def __init__(self, asked: Asked, look: SimpleNamespace):
        self.asked, self.look, frame = asked, look, asked.frame
        names = [look.label] if isinstance(look.label, str) else list(look.label)
        texts = [asked.column(n, "label").astype(str) for n in names]
        self.row = pd.Series([", ".join(parts) for parts in zip(*texts, strict=True)], index=frame.index, dtype=object)
        point = {"": look.point} if isinstance(look.point, str) else dict(look.point or {})
        self.points = {name: self._numbers(column, "point") for name, column in point.items()}
        self.low, self.high = (self._numbers(v, what) for v, what in ((look.low, "low"), (look.high, "high")))
        self.group = self.row if look.by is None else asked.column(look.by, "by")
        self.rows, self.groups = (list(dict.fromkeys(c)) for c in (self.row, self.group))
        self.keyed = list(self.points) if len(self.points) > 1 else self.groups if look.by is not None else []
        self.hues = asked.hues(self.keyed or self.rows) if self.keyed or asked.colours else {}
        self.hollow = self._hollow()
        asked.known((look.markers or {}).values(), MARKERS, "markers")
        for bar in look.bars:
            asked.known(dict(*bar[3:]), ("colour", "alpha", "of"), "bars")
        several = bool((self.group.groupby(self.row).nunique() > 1).any())
        self.dodged = self.groups if (several if look.dodge is None else look.dodge and look.by is not None) else []
        self._place()

    def _numbers(self, given: Any, what: str) -> pd.Series | None:
        if given is None:
            return None
        fixed = isinstance(given, int | float)
        column = pd.Series(given, index=self.asked.frame.index) if fixed else self.asked.column(given, what)
        return column.astype(float) * self.look.scale

    def _hollow(self) -> dict[Any, list[float]]:
        """The further values of each row of the frame."""
        hollow = self.look.hollow
        if isinstance(hollow, Mapping):
            self.asked.known(map(str, hollow), self.rows, "hollow")
            named = {str(name): [v * self.look.scale for v in values] for name, values in hollow.items()}
            return {i: named.get(name, []) for i, name in self.row.items()}
        column = self._numbers(hollow, "hollow")
        return {} if column is None else {i: [v] for i, v in column.items()}

    def _place(self) -> None:
        """Rows one below the other, in points, each as tall as its name needs."""
        folded = [fold(name, LABEL_ROOM) for name in self.rows]
        self.above = any(text.count("\n") > 1 or measure(text) > LABEL_ROOM + 12 for text in folded)
        self.lift = LINE if self.above else 0.0
        self.pitch = max(13.0 if self.above else 16.5, 10.0 * len(self.dodged) + 7) + self.lift
        tall = {row: max(self.pitch, LINE * text.count("\n") + 17) for row, text in self._texts().items()}
        starts = np.cumsum([0.0, *tall.values()])
        self.middles = {row: -float(start) - tall[row] / 2 for row, start in zip(tall, starts, strict=False)}
        self.depth = -float(starts[-1])

    def _texts(self) -> dict[str, str]:
        return {name: name if self.above else fold(name, LABEL_ROOM) for name in self.rows}

    def seen(self) -> bool:
        """Is there any value to draw?"""
        columns = [*self.points.values(), self.low, self.high]
        return bool(self.look.summary) or any(c is not None and bool(c.notna().any()) for c in columns)

    def y(self, row: str, group: Any = None) -> float:
        """Where a row (or a group's place in it) stands, in points."""
        middle = self.middles[row] - self.lift / 2
        if not self.dodged or group is None:
            return middle
        step = (self.pitch - 7 - self.lift) / len(self.dodged)
        return middle + step * ((len(self.dodged) - 1) / 2 - self.dodged.index(group))

    def look_of(self, i: Any, key: str = "") -> tuple[str, str]:
        """Colour and marker of one row of the frame, or of one of its several marks."""
        name = key or self.group[i]
        hue = self.hues[name][0] if name in self.hues else colour("blue")
        return hue, (self.look.markers or {}).get(name, "o")

    def plot(self) -> Plot:
        """The panel: rows from the top, their names at the left or above."""
        look, axis = self.look, self._axis()
        tails = list(look.summary or {})
        bottom = self.depth - self.pitch * len(tails) - (6 if tails else 3)
        places = {name: self.y(name) for name in self.rows}
        places |= {name: bottom + self.pitch * (len(tails) - i - 0.5) for i, name in enumerate(tails)}
        texts = {places[n]: t for n, t in (self._texts() | {n: fold(n, LABEL_ROOM) for n in tails}).items()}
        given = {} if self.above else texts
        y = Axis(low=bottom, high=3.0, given=given, line=False)
        plot = Plot(x=axis, y=y, title=self.asked.title, tall=(y.high - y.low) * self.asked.height)
        if self.above:
            shift = {"edge": True, "va": "bottom"}
            for at, text in texts.items():
                drop = 5.0 * max(1, len(self.dodged))
                plot.notes.append(Note(x=0.0, y=at, text=fold(text, WIDTH - 20), shift=(2, drop), **shift))
        self._marks(plot)
        for value, text in (look.verticals or {}).items():
            upright(plot, value * look.scale, text, solid=value == 0)
        if tails:
            self._summary(plot, places)
        if look.values is not None:
            self._values(plot)
        self._keys(plot)
        return plot

    def _axis(self) -> Axis:
        look = self.look
        found = [c for c in (*self.points.values(), self.low, self.high) if c is not None]
        found += [self._numbers(b[k], "bars") for b in look.bars for k in (0, 1)]
        numbers = [pd.Series(v, dtype=float) for v in self.hollow.values()]
        numbers += [pd.Series(list(v), dtype=float) * look.scale for v in (look.summary or {}).values()]
        numbers.append(pd.Series([*(look.verticals or {}), *([0.0] if look.stems else [])], dtype=float) * look.scale)
        seen = pd.concat([*found, *numbers])
        low, high = float(seen.min()), float(seen.max())
        room = (high - low) or abs(high) or 1.0
        if log := look.log:
            low, high = low / 1.08, high * 1.08
        else:
            low, high = (0.0 if low == 0 else low - 0.04 * room), high + 0.04 * room
        self.ends = self.asked.span(low, high, look.x_range, look.scale)
        ends = list(self.ends)
        pad = 1.04 if log else 0.015 * (ends[1] - ends[0])
        if look.x_range[0] is not None:
            ends[0] = ends[0] / pad if log else ends[0] - (0 if ends[0] == 0 and look.stems else pad)
        if look.x_range[1] is not None:
            ends[1] = ends[1] * pad if log else ends[1] + pad
        axis = Axis(low=ends[0], high=ends[1], log=log, say=wording(look.x_format, look.scale), grid=True)
        return set_ticks(axis, look.x_ticks, look.scale)

    def _inside(self, values: Any) -> Any:
        return np.clip(values, *self.ends)

    def _each(self) -> list[tuple[Any, float]]:
        return [(i, self.y(self.row[i], self.group[i])) for i in self.row.index]

    def _bar_style(self, k: int, i: Any = None) -> tuple[str, float]:
        style = dict(*self.look.bars[k][3:])
        own = style.get("of") == "by" and i is not None
        hue = self.look_of(i)[0] if own else colour(style.get("colour", "muted"))
        return hue, style.get("alpha", 0.16 + 0.14 * k)

    def _marks(self, plot: Plot) -> None:
        """Row by row, one on the other: bars, the interval, the stem, hollow marks, points."""
        bars = [[self._numbers(b, "bars") for b in bar[:2]] for bar in self.look.bars]
        flat, small = {"solid_capstyle": "butt"}, {"ls": "none", "marker": "o", "mfc": "none", "mew": 1.0, "ms": 4.5}
        alpha = 0.6 if len(self.row) > 2 * len(self.rows) and not self.dodged else None  # crowded
        for i, y in self._each():
            own, level = self.look_of(i)[0], [y, y]
            for k, (low, high) in enumerate(bars):
                hue, pale = self._bar_style(k, i)
                ends = self._inside([low[i], high[i]])
                plot.line(ends, level, color=hue, alpha=pale, lw=5 if self.dodged else 7, **flat)
            if self.low is not None and self.high is not None:
                ends, hue = self._inside([self.low[i], self.high[i]]), MUTED if len(self.points) > 1 else own
                plot.line(ends, level, color=hue, lw=3, alpha=0.45, **flat)
            marks = [column[i] for column in self.points.values() if np.isfinite(column[i])]
            if self.look.stems and marks:
                plot.line(self._inside([0, max(marks)]), level, color=own, lw=1.4, alpha=0.5)
            if further := self.hollow.get(i):
                plot.line(self._inside(further), [y] * len(further), mec=own, **small)
            for key, column in self.points.items():
                hue, marker = self.look_of(i, key)
                how = {"color": hue, "marker": marker, "ms": 6, "ls": "none", "mec": PAPER, "mew": 0.6}
                plot.line(self._inside([column[i]]), [y], alpha=alpha, **how)

    def _summary(self, plot: Plot, places: Mapping[str, float]) -> None:
        plot.line(None, [self.depth - 2] * 2, color=MUTED, lw=0.7, ls=":")
        for name, numbers in (self.look.summary or {}).items():
            point, low, high, *outer = (v * self.look.scale for v in numbers)
            y = places[name]
            if outer:
                plot.line(self._inside(outer), [y, y], color=MUTED, lw=5, alpha=0.45, solid_capstyle="butt")
            plot.line(self._inside([low, high]), [y, y], color=INK, lw=1.8)
            plot.line(self._inside([point]), [y], ls="none", marker="D", color=INK, mec=PAPER, ms=7)

    def _values(self, plot: Plot) -> None:
        word, column = wording(self.look.values, self.look.scale), next(iter(self.points.values()))
        for i, y in self._each():
            if np.isfinite(column[i]):
                end = np.nanmax([column[i], np.nan if self.high is None else self.high[i]])
                text, at = word(column[i]), float(self._inside(end))
                plot.notes.append(Note(x=at, y=y, text=text, colour=self.look_of(i)[0], shift=(7, -0.5), halo=True))
                beyond = measure(text) - (plot.x.high - at) / (plot.x.high - plot.x.low) * (WIDTH - LABEL_ROOM) * 0.8
                plot.right = max(plot.right, beyond)

    def _keys(self, plot: Plot) -> None:
        for name in self.keyed:
            marker = (self.look.markers or {}).get(name, "o")
            plot.keys.append((str(name), {"color": self.hues[name][0], "marker": marker, "ms": 6, "ls": "none"}))
        for k, bar in enumerate(self.look.bars):
            hue, alpha = self._bar_style(k)
            plot.keys.append((bar[2] if len(bar) > 2 else "", FILLED | {"color": hue, "alpha": alpha}))

    def said(self) -> str:
        """The alt text: every row with its interval, or how many there are and which are the ends."""
        word = wording(self.asked.alt_format or self.look.values or self.look.x_format, self.look.scale)
        spans = [] if self.low is None or self.high is None else [self.low, self.high]
        parts, column = [], next(iter(self.points.values()), None)
        for name, (point, low, high, *_) in (self.look.summary or {}).items():
            point, low, high = (word(v * self.look.scale) for v in (point, low, high))
            parts.append(f"{name} {point} ({low} to {high})")
        begin, rows = self.asked.begin("Points"), []
        if column is None or len(self.row) <= 15:
            for i in self.row.index:
                marks = [f"{k} {word(c[i])}".strip() for k, c in self.points.items() if np.isfinite(c[i])]
                around = f"({' to '.join(word(c[i]) for c in spans)})" if spans and np.isfinite(spans[0][i]) else ""
                rows.append(" ".join([self._name(i), ", ".join(marks), around]).strip())
        if column is not None and (not rows or (len(rows) > 9 and len(" ".join(rows).split()) > ALT_WORDS)):
            known = column.dropna()
            least, most = known.idxmin(), known.idxmax()
            rows = [f"{what} {self._name(i)} {word(known[i])}" for what, i in (("lowest", least), ("highest", most))]
            begin = f"{begin}, {len(known)} values in {len(self.rows)} rows"
            rows.append(f"median {word(known.median())}")
        return told(begin, [*parts, *rows])

    def _name(self, i: Any) -> str:
        return f"{self.row[i]}, {self.group[i]}" if self.dodged else self.row[i]
