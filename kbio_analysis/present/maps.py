"""A world map of classes: outlines on the Equal Earth projection, the legend below."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.path import Path

from kbio_analysis.present.canvas import EDGE, FILLED, WIDTH, Axis, Chart, Plot
from kbio_analysis.present.frames import Asked, Framed, colour, told
from kbio_analysis.present.look import PALE, PAPER
from kbio_analysis.present.words import count, listed

Outlines = Mapping[str, Sequence[np.ndarray]]
"""Code of an economy -> rings of (longitude, latitude) in degrees."""

_GRID_DEGREES = 0.8  # vertices are rounded to this, alike on both sides of a border, so that no gap opens
_SOUTH = -57.0  # Antarctica is left off


def world_map(
    frame: Framed,
    *,
    outlines: Outlines,
    value: str,
    classes: Sequence[tuple[float, str, str, float]],
    code: str = "iso3",
    name: str | None = None,
    home: Mapping[str, str] | None = None,
    missing: str = "no value",
    **shared: Any,
) -> Chart:
    """Colour every outline by the class of its ``value``, found by ``code``.

    ``classes``: (from, label, colour, strength from 0 to 1), lowest first; what lies below the first belongs to it.
    ``home``: code -> label of the economies drawn in ink. Outlines without a value are pale and called ``missing``.
    """
    asked = Asked(world_map, frame, shared)
    if asked.frame.empty:
        return asked.nothing()
    values = asked.column(value, "value").set_axis(asked.column(code, "code")).dropna()
    names = asked.column(name or code, "name").set_axis(asked.column(code, "code"))
    home = dict(home or {})
    shapes = {key: kept for key, rings in outlines.items() if (kept := _projected(rings))}
    rings: dict[str, list[np.ndarray]] = {label: [] for _, label, *_ in classes} | {missing: []}
    rings |= {label: [] for label in home.values()}
    for key, kept in shapes.items():
        rings[home[key] if key in home else _class(values[key], classes) if key in values else missing] += kept
    looks = {label: (colour(hue), strength) for _, label, hue, strength in classes} | {missing: (PALE, 1.0)}
    looks |= {label: (colour("ink"), 1.0) for label in home.values()}
    points = np.vstack([ring for kept in shapes.values() for ring in kept])
    low, high = points.min(axis=0), points.max(axis=0)
    half = (high - low) / 2 * (max(1, 1 / asked.height), max(1, asked.height))  # a map keeps its shape
    x, y = (Axis(low=m - r, high=m + r, given={}, line=False) for m, r in zip((low + high) / 2, half, strict=True))
    plot = Plot(x=x, y=y, title=asked.title, tall=(WIDTH - EDGE - 4) * half[1] / half[0])
    _paint(plot, rings, looks)
    plot.keys = [(label, FILLED | {"color": hue, "alpha": alpha}) for label, (hue, alpha) in looks.items()]
    classed = [_class(v, classes) for v in values]
    counted = [f"{label} {count(classed.count(label), 'place')}" for _, label, *_ in classes]
    ends = values.sort_values().index
    said = [*counted, f"lowest {listed(names[ends[:5]])}", f"highest {listed(names[ends[::-1][:5]])}"]
    return asked.finish([plot], told(asked.begin("World map"), said))


def without_outline(codes: Iterable[str], outlines: Outlines) -> list[str]:
    """The codes that have no outline to colour: what a caption may name instead."""
    return [code for code in codes if not _projected(outlines.get(code, ()))]


def _class(value: float, classes: Sequence[tuple[float, str, str, float]]) -> str:
    return next((label for low, label, *_ in reversed(classes) if value >= low), classes[0][1])


def _paint(plot: Plot, rings: Mapping[str, list[np.ndarray]], looks: Mapping[str, tuple[str, float]]) -> None:
    for label, shown in rings.items():
        if shown:
            codes = [c for r in shown for c in (Path.MOVETO, *[Path.LINETO] * (len(r) - 2), Path.CLOSEPOLY)]
            hue, alpha = looks[label]
            plot.area(*np.vstack(shown).T, codes=codes, fc=hue, alpha=alpha, ec=PAPER, lw=0.2)


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
