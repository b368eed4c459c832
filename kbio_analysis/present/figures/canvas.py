"""Where every chart is drawn: one theme, two widths, repeatable SVG with the data and the words beside it.

A chart is a function ``draw(ax, compact)`` of a matplotlib Axes. It is drawn twice, for a wide page and for a
phone, because text that is scaled down with its chart cannot be read there. Only this package imports matplotlib.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kbio_analysis.present.outputs import DEFAULT_RTOL, show

INK, MUTED, GRID, PAPER = "#1f2328", "#57606b", "#d8dde3", "#fdfdfc"
BLUE, AMBER, GREEN, PURPLE, RED, SLATE = "#0b5394", "#b45309", "#2e7d4f", "#7b3fa0", "#b3261e", "#5b6770"
CYCLE = (BLUE, AMBER, GREEN, PURPLE, RED, SLATE)

_VARIABLES = {INK: "--chart-ink", MUTED: "--chart-muted", GRID: "--chart-grid", PAPER: "--chart-paper"}
_VARIABLES |= {colour: f"--chart-{i}" for i, colour in enumerate(CYCLE, start=1)}

WIDE_INCHES, NARROW_INCHES = (7.2, 3.9), (3.5, 3.6)

_THEME = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "kbio",
    "path.simplify_threshold": 0.5,
}

Draw = Callable[[Axes, bool], None]


def chart(
    draw: Draw,
    *,
    id: str,
    alt: str,
    caption: str,
    source: str,
    data: pd.DataFrame,
    spark: Sequence[float] | None = None,
    height: float = 1.0,
    rtol: float = DEFAULT_RTOL,
) -> None:
    """Draw a chart at both widths and show it with its alt text, caption, source line and data.

    ``data`` holds every plotted figure unrounded; it becomes the chart's CSV and what regression checks compare.
    ``rtol`` is the relative tolerance of that comparison. ``height`` scales the default height. ``spark`` is the
    short series the index draws beside the report's answer.
    """
    wide = _svg(draw, (WIDE_INCHES[0], WIDE_INCHES[1] * height), compact=False, prefix=f"{id}-w-")
    narrow = _svg(draw, (NARROW_INCHES[0], NARROW_INCHES[1] * height), compact=True, prefix=f"{id}-n-")
    payload = {"kind": "chart", "id": id, "svg": wide, "svg_narrow": narrow, "alt": alt, "caption": caption}
    payload |= {
        "source": source,
        "csv": data.to_csv(index=False, lineterminator="\n"),
        "csv_name": f"{id}.csv",
    }
    payload["rtol"] = rtol
    payload["spark"] = None if spark is None else [float(v) for v in spark]
    show(payload, {"image/svg+xml": wide, "text/plain": alt})


@contextmanager
def theme() -> Iterator[None]:
    """The project's look, for the length of one chart: an analyst's own matplotlib settings stay untouched."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_THEME)
        yield


def _svg(draw: Draw, inches: tuple[float, float], *, compact: bool, prefix: str) -> str:
    with theme():
        figure = Figure(figsize=inches, layout="constrained")
        draw(figure.subplots(), compact)
        buffer = StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _tidy(buffer.getvalue(), prefix)


def _tidy(svg: str, prefix: str) -> str:
    """Inline-ready SVG: no prolog or metadata, ids unique on the page, lines to a hundredth of a point, theme colours
    as CSS variables."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'<svg([^>]*?) height="[^"]*"([^>]*?) width="[^"]*"', r"<svg\1\2", svg, count=1)
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", svg)
    svg = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable}, {colour})")
    return re.sub(r"\n\s*", "\n", svg).strip()


def direct_label(ax: Axes, x: float, y: float, text: str, colour: str, **kwargs: object) -> None:
    """A label at a line's end, in the line's colour: charts here need no legend to be read."""
    options = {
        "xytext": (4, 0),
        "textcoords": "offset points",
        "va": "center",
        "ha": "left",
        "fontsize": 8,
    } | kwargs
    ax.annotate(text, (x, y), color=colour, annotation_clip=False, **options)


def spread(levels: Sequence[float], least: float) -> list[float]:
    """Label positions near ``levels`` but at least ``least`` apart, lowest first in, order kept."""
    order = np.argsort(levels, kind="stable")
    placed = np.asarray(levels, dtype=float)[order]
    for _ in range(200):
        gaps = np.diff(placed)
        tight = np.flatnonzero(gaps < least - 1e-9)
        if not len(tight):
            break
        for i in tight:
            push = (least - (placed[i + 1] - placed[i])) / 2
            placed[i] -= push
            placed[i + 1] += push
    result = np.empty(len(placed))
    result[order] = placed
    return list(result)
