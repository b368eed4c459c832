"""The world map: outlines on the Equal Earth projection, coloured by class, redrawn as two windows for a phone."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from kbio_analysis.present.figures.canvas import AMBER, BLUE, GRID, INK, PAPER, chart
from kbio_analysis.present.text import count, join

Outlines = Mapping[str, Sequence[np.ndarray]]
"""ISO3 -> rings of (longitude, latitude), degrees."""

_CLASSES = (
    (0.0, "under a third", AMBER, 0.9),
    (1 / 3, "a third to two thirds", AMBER, 0.55),
    (2 / 3, "two thirds to 1", AMBER, 0.25),
    (1.0, "1 to 1.5 times", BLUE, 0.25),
    (1.5, "1.5 to 3 times", BLUE, 0.55),
    (3.0, "3 times and more", BLUE, 0.9),
)
_NO_DATA = "not compared"
_GRID_DEGREES = 0.8  # vertices are rounded to this, alike on both sides of a border, so that no gap opens
_SOUTH = -57.0  # Antarctica is left off
_RTOL = 1e-6
_WINDOWS = {"old": ((-20, 180), (-48, 80)), "new": ((-170, -30), (-56, 82))}


def market_map(ratio: pd.Series, outlines: Outlines, names: pd.Series, *, home: str, source: str) -> None:
    """Colour every market by ``ratio`` (actual exports over expected, by ISO3); ``home`` is drawn in ink.

    Economies with an outline and no ratio are grey; those of the top class without an outline at this scale are named
    in the caption.
    """
    shapes = {iso3: kept for iso3, rings in outlines.items() if (kept := _projected(rings))}
    groups = {label: [] for _, label, _, _ in _CLASSES} | {_NO_DATA: [], "Korea": []}
    for iso3, rings in shapes.items():
        groups["Korea" if iso3 == home else _label(ratio.get(iso3))].extend(rings)
    styles = {label: (colour, alpha) for _, label, colour, alpha in _CLASSES}
    styles |= {_NO_DATA: (GRID, 1.0), "Korea": (INK, 1.0)}

    def paint(ax: Axes, window: tuple[tuple[float, float], tuple[float, float]] | None) -> None:
        for label, rings in groups.items():
            shown = [r for r in rings if window is None or _inside(r, window)]
            if shown:
                colour, alpha = styles[label]
                ax.add_patch(PathPatch(_compound(shown), fc=colour, alpha=alpha, ec=PAPER, lw=0.25))
        if window:
            (west, east), (south, north) = window
            corners = _equal_earth(np.array([[west, 0], [east, 0], [0, south], [0, north]], dtype=float))
            ax.set(xlim=corners[:2, 0], ylim=corners[2:, 1])
        else:
            points = np.vstack([r for rings in groups.values() for r in rings])
            ax.set(xlim=(points[:, 0].min(), points[:, 0].max()), ylim=(points[:, 1].min(), points[:, 1].max()))
        ax.set_aspect("equal")
        ax.axis("off")

    def draw(ax: Axes, compact: bool) -> None:
        keys = [Patch(fc=c, alpha=a, label=n) for n, (c, a) in styles.items()]
        options = {"handles": keys, "fontsize": 7.5, "handlelength": 1.2, "title": "Actual over expected"}
        options |= {"title_fontsize": 7.5, "labelspacing": 0.35}
        if not compact:
            paint(ax, None)
            ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 0.0), **options)
            return
        ax.axis("off")
        paint(ax.inset_axes([0, 0.47, 1, 0.53]), _WINDOWS["old"])
        paint(ax.inset_axes([0, 0, 0.55, 0.47]), _WINDOWS["new"])
        ax.legend(loc="lower right", bbox_to_anchor=(1.02, 0.04), **options)

    counted = {label: int(sum(_label(v) == label for v in ratio)) for _, label, _, _ in _CLASSES}
    classes = [f"{count(n, 'market')} {label}" for label, n in counted.items()]
    ends = ratio.sort_values()
    unseen = [names[i] for i in ratio.index if i not in shapes and (ratio[i] >= 3)]
    alt = (
        f"World map of Korea's exports over what size and distance suggest: {join(classes)}. Lowest: "
        f"{join([names[i] for i in ends.index[:5]])}. Highest: {join([names[i] for i in ends.index[::-1][:5]])}."
    )
    caption = (
        "Korea's exports over what size and distance suggest, by market; borders as drawn by Natural Earth at 1:110m."
    )
    if unseen:
        caption += f" Too small to draw, with 3 times and more: {join(unseen[:6])}."
    data = pd.DataFrame({"partner": names.reindex(ratio.index), "ratio": ratio}).rename_axis("iso3").reset_index()
    chart(draw, id="map", alt=alt, caption=caption, source=source, data=data, height=0.95, rtol=_RTOL)


def _label(value: float | None) -> str:
    if value is None or pd.isna(value):
        return _NO_DATA
    return [label for low, label, _, _ in _CLASSES if value >= low][-1]


def _projected(rings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Rings thinned to the grid and projected; specks and Antarctica dropped."""
    kept = []
    for ring in rings:
        ring = np.round(np.asarray(ring) / _GRID_DEGREES) * _GRID_DEGREES
        ring = ring[np.r_[True, (np.diff(ring, axis=0) != 0).any(axis=1)]]
        if len(ring) >= 4 and ring[:, 1].max() > _SOUTH:
            kept.append(_equal_earth(ring))
    return kept


def _equal_earth(points: np.ndarray) -> np.ndarray:
    """Equal Earth projection of (longitude, latitude) in degrees (Šavrič, Patterson & Jenny 2019)."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    lon, lat = np.radians(points).T
    t = np.arcsin(np.sqrt(3) / 2 * np.sin(lat))
    t2, t6 = t**2, t**6
    x = 2 * np.sqrt(3) * lon * np.cos(t) / (3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1))
    return np.column_stack([x, t * (a4 * t6 * t2 + a3 * t6 + a2 * t2 + a1)])


def _inside(ring: np.ndarray, window: tuple[tuple[float, float], tuple[float, float]]) -> bool:
    (west, east), _ = window
    edges = _equal_earth(np.array([[west, 0.0], [east, 0.0]]))[:, 0]
    return bool(edges[0] <= ring[:, 0].mean() <= edges[1])


def _compound(rings: Sequence[np.ndarray]) -> Path:
    codes = [c for r in rings for c in (Path.MOVETO, *[Path.LINETO] * (len(r) - 2), Path.CLOSEPOLY)]
    return Path(np.vstack(rings), codes)
