"""Lines over years, months, numbers or categories; with bands and stars; as a fan, ranks, stairs or small panels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.present.canvas import FILLED, TALL, Axis, Chart, Note, Plot, apart, upright
from kbio_analysis.present.frames import Asked, Format, Framed, colour, set_ticks, told, wording
from kbio_analysis.present.look import MUTED, PAPER, fold, measure
from kbio_analysis.present.rulers import Ruler
from kbio_analysis.present.words import listed

DASHES = {"solid": "-", "dashed": "--", "dotted": ":", "dashdot": "-.", "none": "none"}
STYLE = {"colour", "style", "width", "marker", "size", "alpha", "hollow", "start", "label_end"}
BAND = {"colour", "alpha", "start", "bars", "of"}
LABELS = ("legend", "end", "number", "none")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", ".")


def lines(
    frame: Framed,
    y: Any,
    *,
    x: str | None = None,
    by: str | None = None,
    styles: Mapping[Any, Mapping[str, Any]] | None = None,
    bands: Sequence[tuple[Any, ...]] = (),
    stars: Mapping[str, tuple[Any, ...]] | None = None,
    verticals: Mapping[Any, str] | None = None,
    horizontals: Mapping[float, str] | None = None,
    scale: float = 1.0,
    log: bool = False,
    zero: bool | None = None,
    invert: bool = False,
    whole: bool = False,
    breaks: Sequence[Any] = (),
    stairs: bool = False,
    labels: str = "legend",
    end_format: Format = None,
    x_format: Format = None,
    y_format: Format = None,
    x_ticks: Any = None,
    y_ticks: Any = None,
    x_range: tuple[Any, Any] = (None, None),
    y_range: tuple[float | None, float | None] = (None, None),
    **shared: Any,
) -> Chart:
    """Draw columns of ``frame`` as lines over ``x`` (a column; by default the index).

    ``y``: label -> column, or (column, style); a list of columns; or, with ``by``, the value column of a long frame,
    one line for each value of ``by``. ``(list of columns, style)`` draws many lines alike. A style holds colour, style
    (solid, dashed, dotted, dashdot, none), width, marker, size, alpha, hollow, start (a column at whose last value the
    line begins) and label_end; ``styles`` gives them by label. Years and months that are missing are gaps.

    ``bands``: (low column, high column, label, {colour, alpha, of, start, bars}), ``of`` a line whose colour and, with
    ``by``, whose rows are meant. ``stars``: label -> (x, y). ``verticals`` and ``horizontals``: position -> label,
    dotted. ``labels``: legend, end, number or none. ``scale`` multiplies what is drawn, never the data. On a ``log``
    axis zero and less are gaps. Nothing is drawn without a value. Raises UsageError for what is unknown.
    """
    look = SimpleNamespace(**{k: v for k, v in locals().items() if k in LOOK})
    asked = Asked(lines, frame, shared)
    drawing = Drawing(asked, asked.frame, y, look)
    return asked.finish([drawing.plot()], drawing.said()) if drawing.lines else asked.nothing()


LOOK = {n: p.default for n, p in signature(lines).parameters.items() if p.kind is Parameter.KEYWORD_ONLY}


def steps(frame: Framed, y: Any, **options: Any) -> Chart:
    """Lines as stairs: a value holds until the next one. Everything else as :func:`lines`."""
    return lines(frame, y, stairs=True, **options)


def ranks(frame: Framed, y: Any, **options: Any) -> Chart:
    """Ranks over time, the first place on top, names at the ends of their lines. Everything else as :func:`lines`."""
    return lines(frame, y, **{"invert": True, "whole": True, "labels": "end"} | options)


def fan(
    frame: Framed,
    *,
    record: str = "record",
    median: str | None = "median",
    levels: Sequence[int] = (80, 95),
    paths: Sequence[str] | Mapping[str, Any] = (),
    target: tuple[Any, float] | None = None,
    colour: str = "blue",
    record_label: str = "Record",
    target_label: str = "Target",
    **options: Any,
) -> Chart:
    """A record, the fan of what may follow (a median and intervals at ``levels``), other paths, and a target.

    All in columns of one frame, the ends of a level in lo_L and hi_L. ``paths`` lists columns, or label -> column, or
    (column, style). The fan opens at the last recorded value. Everything else as :func:`lines`.
    """
    drawn: dict[str, Any] = {}
    if median is not None:
        drawn["Median"] = (median, {"style": "dashed", "colour": colour, "start": record})
    drawn[record_label] = (record, {"colour": "ink", "marker": True})
    drawn |= dict(paths) if isinstance(paths, Mapping) else {path: (path, {"width": 1.5}) for path in paths}
    look = {"colour": colour, "start": record}
    bands = [(f"lo_{v}", f"hi_{v}", f"{v}% interval", look) for v in sorted(levels, reverse=True)]
    stars = ({target_label: target} if target is not None else {}) | dict(options.pop("stars", None) or {})
    return lines(frame, drawn, bands=[*bands, *options.pop("bands", ())], stars=stars, **options)


def multiples(frame: Framed, y: Any, *, panels: str, columns: int = 2, **options: Any) -> Chart:
    """One small panel of lines for each value of the column ``panels``, in order, ``columns`` beside one another.

    The rest is as for :func:`lines`; a label has one colour and one scale in all panels.
    """
    shared = {k: v for k, v in options.items() if k not in LOOK}
    asked = Asked(multiples, frame, shared)
    look = SimpleNamespace(**LOOK | {k: v for k, v in options.items() if k in LOOK})
    if asked.frame.empty:
        return asked.nothing()
    group = asked.column(panels, "panels")
    names = list(group.dropna().unique())
    whole = Drawing(asked, asked.frame, y, look)
    drawings = {name: Drawing(asked, asked.frame[group == name], y, look, hues=whole.hues) for name in names}
    drawings = {name: drawing for name, drawing in drawings.items() if drawing.lines}
    if not drawings:
        return asked.nothing()
    plots = [drawing.plot() for drawing in drawings.values()]
    common = whole.plot()
    for name, plot in zip(drawings, plots, strict=True):
        plot.title = f"{name}" + (f" ({asked.title})" if asked.title and name == next(iter(drawings)) else "")
        plot.tall *= 0.62
        plot.x.low, plot.x.high = common.x.low, common.x.high
        plot.y.low, plot.y.high = min(p.y.low for p in plots), max(p.y.high for p in plots)
    said = [f"{name}: {drawing.said().partition(': ')[2].rstrip('.')}" for name, drawing in drawings.items()]
    return asked.finish(plots, told(asked.begin(f"{len(plots)} panels of lines"), said), columns=columns)


@dataclass(kw_only=True)
class Line:
    """One line: positions, scaled values, and how it is drawn; ``rows`` holds x as it reads."""

    label: str
    x: np.ndarray
    y: np.ndarray
    rows: list[Any]
    hue: str
    style: dict[str, Any] = field(default_factory=dict)
    dash: str = "-"

    def draw(self, plot: Plot, *, stairs: bool) -> None:
        alone = np.isfinite(self.y) & ~np.isfinite(np.r_[np.nan, self.y[:-1]]) & ~np.isfinite(np.r_[self.y[1:], np.nan])
        how = {"color": self.hue, "alpha": self.style.get("alpha"), "lw": self.style.get("width", 1.8)}
        plot.line(self.x, self.y, ls=self.dash, drawstyle="steps-post" if stairs else "default", **how, **self.mark())
        if not self.mark() and alone.any():
            plot.line(self.x[alone], self.y[alone], ls="none", marker="o", ms=4, color=self.hue, alpha=how["alpha"])

    def mark(self) -> dict[str, Any]:
        marker = self.style.get("marker", self.dash == "none")
        if not marker:
            return {}
        hollow = self.style.get("hollow", np.isfinite(self.y).sum() == 1 and self.dash != "none")
        return {"marker": "o" if marker is True else marker, "ms": self.style.get("size", 4.5),
                "mfc": PAPER if hollow else self.hue, "mew": 1.2 if hollow else 0}  # fmt: skip

    def key(self) -> dict[str, Any]:
        how = {"color": self.hue, "alpha": self.style.get("alpha"), "lw": min(self.style.get("width", 1.8), 2.4)}
        return how | {"ls": self.dash} | self.mark()


class Drawing:
    """The lines of one panel, and the plot they make."""

    def __init__(self, asked: Asked, frame: pd.DataFrame, y: Any, look: SimpleNamespace, hues: Any = None):
        self.asked, self.frame, self.look = asked, frame, look
        self.lines: list[Line] = []
        self.bands: list[tuple[np.ndarray, np.ndarray, np.ndarray, str, dict[str, Any], str]] = []
        if frame.empty:
            return
        if look.x is None and not asked.indexed:
            raise asked.refuse(f"say which column is x=; there is {listed(map(str, frame.columns))}")
        self.over = self._own(asked.indexed[0] if look.x is None else look.x, "x")
        self.ruler = Ruler(self.over, look.x_format)
        wanted = self._wanted(y)
        self.hues = hues or asked.hues(wanted, {label: style.get("colour") for label, (_, style) in wanted.items()})
        for label, (columns, style) in wanted.items():
            self._add(label, columns, style)
        for band in look.bands:
            self._band(*band)

    def _own(self, name: Any, what: str) -> pd.Series:
        self.asked.column(name, what)
        return self.frame[name]

    def _wanted(self, y: Any) -> dict[str, tuple[list[pd.Series], dict[str, Any]]]:
        """Label -> the columns drawn under it, and their style."""
        styles = dict(self.look.styles or {})
        self.asked.known([self.look.labels], LABELS, "labels")
        if self.look.by is not None:
            values, group = self._own(y, "y"), self._own(self.look.by, "by")
            wanted = {str(name): (values[group == name], styles.get(name, {})) for name in group.dropna().unique()}
        else:
            pairs = y if isinstance(y, Mapping) else {str(c): c for c in ([y] if isinstance(y, str) else y)}
            wanted = {label: v if isinstance(v, tuple) else (v, {}) for label, v in pairs.items()}
            wanted = {label: (c, dict(style) | dict(styles.get(label, {}))) for label, (c, style) in wanted.items()}
        self.asked.meant(styles, wanted, wanted, "styles")
        found = {}
        for label, (columns, style) in wanted.items():
            self._known(style, STYLE, f"style of {label!r}")
            many = columns if isinstance(columns, list) else [columns]
            found[label] = (many if self.look.by else [self._own(c, f"y, {label!r}") for c in many], style)
        return found

    def _known(self, style: Mapping[str, Any], keys: set[str], what: str) -> None:
        self.asked.known(style, sorted(keys), what)
        self.asked.known([style.get("style", "solid")], DASHES, what)
        self.asked.known([style.get("marker", True)], (True, False, *MARKERS), what)

    def _add(self, label: str, columns: Sequence[pd.Series], style: dict[str, Any]) -> None:
        hue, round_ = self.hues[label]
        dash = DASHES[style.get("style", ("solid", "dashed", "dotted", "dashdot")[min(round_, 3)])]
        for column in columns:
            rows, x, values = self._values(self.over.loc[column.index], column, style.get("start"))
            if np.isfinite(values).any():
                self.lines.append(Line(label=label, x=x, y=values, rows=rows, hue=hue, style=style, dash=dash))

    def _values(self, over: pd.Series, column: pd.Series, start: str | None) -> tuple[list, np.ndarray, np.ndarray]:
        read, y = over.tolist(), column.astype(float).to_numpy()
        if start is not None:
            known, opening = np.flatnonzero(~np.isnan(y)), self._own(start, "start").dropna().astype(float)
            read, y = [read[i] for i in known], y[known]
            if len(opening) and read:
                read, y = [self.over[opening.index[-1]], *read], np.r_[opening.iloc[-1], y]
        x, y = self.ruler.all(read), y * self.look.scale
        y = np.where(y > 0, y, np.nan) if self.look.log else y
        order = np.arange(len(x)) if self.ruler.kind == "category" else np.argsort(x, kind="stable")
        x, y = x[order], y[order]
        rows = [read[i] for i, v in zip(order, y, strict=True) if np.isfinite(v)]
        first = int(np.argmax(np.isfinite(y)))
        x, y = x[first:], y[first:]
        gaps = [self.ruler.at(b) for b in self.look.breaks]
        gaps += [x[i] + 0.5 for i in np.flatnonzero(np.diff(x) > self.ruler.step)]
        for gap in gaps:
            place = int(np.searchsorted(x, gap))
            x, y = np.insert(x, place, gap), np.insert(y, place, np.nan)
        return rows, x, y

    def _band(self, low: Any, high: Any, label: str = "", style: Mapping[str, Any] | None = None) -> None:
        style = dict(style or {})
        self._known(style, BAND, f"band {label!r}")
        low, high = self._own(low, f"band {label!r}"), self._own(high, f"band {label!r}")
        known = low.notna() & high.notna() & ((low > 0) if self.look.log else True)
        if self.look.by and "of" in style:
            known &= self._own(self.look.by, "by").astype(str) == style["of"]
        low, high = (c[known] if self.look.by else c.where(known) for c in (low, high))
        of = style.get("of")
        self.asked.known([] if of is None else [of], self.hues, f"band {label!r}, of")
        hue = self.hues[next(iter(self.hues)) if of is None else of][0]
        hue = colour(style["colour"]) if "colour" in style else hue
        over = self.over.loc[low.index]
        _, x, bottom = self._values(over, low, style.get("start"))
        _, _, top = self._values(over, high, style.get("start"))
        if np.isfinite(bottom).any():
            self.bands.append((x, bottom, top, hue, style, label))

    def _strength(self) -> list[float]:
        """How dark each band is: the widest palest, a lone one in between."""
        wide = [float(np.nanmean(np.abs(top - bottom))) for _, bottom, top, *_ in self.bands]
        alone = [sum(b[3] == a[3] for b in self.bands) == 1 for a in self.bands]
        usual = [0.2 if one else 0.13 if w == max(wide) else 0.24 for one, w in zip(alone, wide, strict=True)]
        return [b[4].get("alpha", 0.35 if b[4].get("bars") else u) for b, u in zip(self.bands, usual, strict=True)]

    def plot(self) -> Plot:
        """The panel: its axes, what draws on it, and its texts."""
        look = self.look
        named = [line for i, line in enumerate(self.lines) if line.label not in {m.label for m in self.lines[:i]}]
        title = self.asked.title or (named[0].label if len(named) == 1 and not self.bands and not look.stars else None)
        plot = Plot(x=self._across(), y=self._up(), title=title, tall=TALL * self.asked.height)
        at_end = [line for line in named if look.labels in ("end", "number") and line.style.get("label_end", True)]
        at_end = [line for line in at_end if look.labels == "number" or "start" not in line.style]
        for (x, low, high, hue, style, label), alpha in zip(self.bands, self._strength(), strict=True):
            _band(plot, x, low, high, bars=style.get("bars", False), hue=hue, alpha=alpha)
            plot.keys.append((label, FILLED | {"color": hue, "alpha": alpha}))
        for line in self.lines:
            line.draw(plot, stairs=look.stairs)
        number = look.labels == "number"
        if look.labels != "none" and (len(named) > 1 or self.bands or look.stars):
            keyed = [(i, line) for i, line in enumerate(named, start=1) if number or line not in at_end]
            plot.keys = [(f"{i}  {m.label}" if number else m.label, m.key()) for i, m in keyed] + plot.keys
        for label, x, y, style in self._stars():
            plot.line([x], [y], **style)
            plot.keys.append((label, style))
        self._rules(plot)
        if at_end:
            numbers = {line.label: str(i) for i, line in enumerate(named, start=1)}
            self._ends(plot, [line.label for line in at_end], numbers)
        return plot

    def said(self) -> str:
        """The alt text: first and last value of every line, stars, and the ends of the bands."""
        word, parts = wording(self.asked.alt_format or self.look.y_format, self.look.scale), []
        labels = list(dict.fromkeys(line.label for line in self.lines))
        for label in labels:
            own = [line for line in self.lines if line.label == label]
            values = [line.y[np.isfinite(line.y)] for line in own]
            last = f"{word(values[0][-1])} in {self.ruler.say(own[0].rows[-1])}"
            if len(own) > 1:
                ends = [v[-1] for v in values]
                parts.append(f"{label} {len(own)} lines, at the end {word(min(ends))} to {word(max(ends))}")
            elif len(values[0]) == 1 or len(labels) > 5:
                parts.append(f"{label} {last}")
            else:
                parts.append(f"{label} {word(values[0][0])} in {self.ruler.say(own[0].rows[0])}, {last}")
        parts += [f"{label} {word(y)} in {self.ruler.say(x)}" for label, (x, y, *_) in self._given_stars()]
        for _, low, high, *_, label in self.bands:
            if label:
                ends = (float(v[np.isfinite(v)][-1]) for v in (low, high))
                parts.append(f"{label} at the end {' to '.join(word(v) for v in ends)}")
        return told(self.asked.begin("Lines"), parts)

    def _given_stars(self) -> list[tuple[str, tuple[Any, ...]]]:
        return [(label, (x, y * self.look.scale, *more)) for label, (x, y, *more) in (self.look.stars or {}).items()]

    def _stars(self) -> list[tuple[str, float, float, dict[str, Any]]]:
        found = []
        for i, (label, (x, y, *more)) in enumerate(self._given_stars()):
            style = {"marker": "*DsP^"[i % 5], "colour": ("red", "ink", "amber", "purple")[i % 4]} | dict(*more)
            self._known(style, {"marker", "colour", "size"}, f"star {label!r}")
            size = style.get("size", 13 if style["marker"] == "*" else 7)
            how = {"marker": style["marker"], "color": colour(style["colour"]), "ms": size, "mec": PAPER, "ls": "none"}
            found.append((label, self.ruler.at(x), y, how | {"zorder": 5}))
        return found

    def _across(self) -> Axis:
        look = self.look
        seen = np.concatenate([*(m.x for m in self.lines), *(b[0] for b in self.bands), [s[1] for s in self._stars()]])
        low, high = float(seen.min()), float(seen.max())
        at_end = look.labels == "end" and max(m.x[-1] for m in self.lines) == high and not look.stars
        pad = 0.3 if self.ruler.kind == "category" else 0.015 * (high - low)
        ends = (low - pad, high + (0 if at_end else pad)) if high > low else (low - 1, high + 1)
        low, high = (e if w is None else self.ruler.at(w) for e, w in zip(ends, look.x_range, strict=True))
        return self.ruler.axis(low, high, given=look.x_ticks)

    def _up(self) -> Axis:
        look = self.look
        seen = [m.y for m in self.lines] + [v for b in self.bands for v in b[1:3]]
        seen.append(np.array([s[2] for s in self._stars()] + [v * look.scale for v in look.horizontals or {}]))
        values = np.concatenate(seen)
        values = values[np.isfinite(values) & ((values > 0) | (not look.log))]
        low, high = float(values.min()), float(values.max())
        axis = Axis(
            low=low,
            high=high,
            log=look.log,
            whole=look.whole,
            say=wording(look.y_format, look.scale) if look.y_format else _tick,
            grid=True,
        )
        room = (high - low) or abs(high) or 1.0
        if look.log:
            axis.low, axis.high = low * 0.85, high * 1.2
        elif look.invert:
            axis.make = _places if look.whole else None
            axis.low, axis.high = (high + 0.6, low - 0.6) if look.whole else (high + 0.05 * room, low - 0.05 * room)
        else:
            at_zero = low >= 0 if look.zero is None else look.zero and low >= 0
            above = 0.12 if any((look.verticals or {}).values()) else 0.05  # their names stand at the top
            axis.low, axis.high = 0.0 if at_zero else low - 0.05 * room, high + above * room
        axis.low, axis.high = self.asked.span(axis.low, axis.high, look.y_range, look.scale)
        return set_ticks(axis, look.y_ticks, look.scale)

    def _rules(self, plot: Plot) -> None:
        for x, label in (self.look.verticals or {}).items():
            upright(plot, self.ruler.at(x), label)
        for value, label in (self.look.horizontals or {}).items():
            at = value * self.look.scale
            plot.line(None, [at, at], color=MUTED, lw=0.9, ls=":" if value else "-")
            if label:
                place = {"shift": (0, 2), "ha": "right", "va": "bottom", "edge": True, "halo": True}
                plot.notes.append(Note(x=1, y=at, text=label, colour=MUTED, **place))

    def _ends(self, plot: Plot, at_end: Sequence[str], numbers: Mapping[str, str]) -> None:
        """Names (or numbers) at the ends of the lines, moved apart where they would meet."""
        number, say = self.look.labels == "number", self.look.end_format
        groups: dict[float, list[tuple[Line, float, str]]] = {}
        for line in self.lines:
            if line.label in at_end:
                i = int(np.flatnonzero(np.isfinite(line.y))[-1])
                text = line.label if say is None else f"{line.label} {wording(say, self.look.scale)(line.y[i])}"
                text = numbers[line.label] if number else fold(text, 112)
                groups.setdefault(float(line.x[i]), []).append((line, float(line.y[i]), text))
        for x, group in groups.items():
            _, levels, texts = zip(*group, strict=True)
            for (line, y, text), up in zip(group, apart(plot.y, plot.tall, levels, texts), strict=True):
                place = {"shift": (5, up), "weight": "bold" if number else "normal", "halo": True}
                plot.notes.append(Note(x=x, y=y, text=text, colour=line.hue, **place))
            if x >= plot.x.high - 0.05 * (plot.x.high - plot.x.low):
                plot.right = max(plot.right, *map(measure, texts))


def _band(plot: Plot, x: np.ndarray, low: np.ndarray, high: np.ndarray, *, bars: bool, hue: str, alpha: float) -> None:
    if bars:
        ends = np.column_stack([low, high, np.full(len(x), np.nan)]).ravel()
        plot.line(np.repeat(x, 3), ends, color=hue, lw=4, alpha=alpha, solid_capstyle="butt")
        return
    for part in np.ma.clump_unmasked(np.ma.masked_invalid(low + high)):
        there, back, end = np.r_[part], np.r_[part][::-1], np.r_[part][:1]
        plot.area(x[np.r_[there, back, end]], np.r_[low[there], high[back], low[end]], fc=hue, alpha=alpha)


def _places(low: float, high: float, most: int) -> dict[float, str]:
    """Ticks of ranks: the first place is always one of them."""
    step = next((s for s in (1, 2, 5, 10, 25) if (high - low) / s <= most + 1), 50)
    return {float(max(v, 1)): f"{max(v, 1):.0f}" for v in range(1 if step == 2 else 0, int(high) + 1, step)}


def _tick(value: float) -> str:
    return f"{value:,.10g}".replace("-", "−")
