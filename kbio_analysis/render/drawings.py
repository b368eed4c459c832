"""SVG for a page: an untrusted drawing rebuilt from what drawings need, so that the strictest policy holds.

Style attributes become presentation attributes (a policy without 'unsafe-inline' forbids the former), style sheets,
scripts, foreign content and outside references are left out, and every id that is used is renamed to be unique.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from markupsafe import Markup

from kbio_analysis.render.formats import words

_TAGS = words(
    "svg g defs path use rect circle ellipse line polyline polygon text tspan textPath clipPath mask pattern marker "
    "linearGradient radialGradient stop image symbol title desc"
)
_PROPERTIES = words(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset opacity color display visibility overflow clip-path clip-rule mask "
    "marker-start marker-mid marker-end stop-color stop-opacity font-family font-size font-style font-weight "
    "font-variant font-stretch text-anchor dominant-baseline alignment-baseline baseline-shift letter-spacing "
    "word-spacing text-decoration writing-mode paint-order vector-effect shape-rendering text-rendering"
)
_ATTRIBUTES = _PROPERTIES | words(
    "x y x1 y1 x2 y2 cx cy r rx ry dx dy d points width height viewBox preserveAspectRatio transform rotate "
    "textLength lengthAdjust pathLength offset gradientUnits gradientTransform spreadMethod fx fy patternUnits "
    "patternContentUnits patternTransform clipPathUnits maskUnits maskContentUnits markerWidth markerHeight "
    "markerUnits orient refX refY"
)
_TEXTS = ("text", "tspan", "textPath")
_LOCAL_URL = re.compile(r"url\(\s*['\"]?#([^'\")\s]+)['\"]?\s*\)")
# A backslash could spell "url" in a way that the pattern above does not see.
_SUSPECT = re.compile(r"url\s*\(|\\", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]+")
_FONT_SIZE = re.compile(r"(?<![\w.])([\d.]+)(px|pt|em|%)?(?:/\S+)?\s+")
_THEME_COLOUR = re.compile(r"var\(--[\w-]+,\s*([^()]*)\)")
# What matplotlib says for every mark in its style sheet, which is not taken over.
_ROOT = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def inline_svg(source: str, *, prefix: str, alt: str) -> Markup | None:
    """The drawing as inline SVG with role and label, its ids starting with ``prefix``; None if unreadable.

    The size comes from the view box: the style sheet makes the drawing as wide as its column.
    """
    try:
        root = None if "<!ENTITY" in source else fromstring(source)
    except (ParseError, ValueError):
        return None
    if root is None or _local(root.tag) != "svg":
        return None
    sides = (re.match(r"[\d.]+", root.get(side) or "") for side in ("width", "height"))
    view_box = root.get("viewBox") or " ".join(["0 0", *(side[0] if side else "100" for side in sides)])
    used = (_LOCAL_URL.findall(value) for element in root.iter() for value in element.attrib.values())
    hrefs = (v[1:] for e in root.iter() for k, v in e.attrib.items() if _local(k) == "href" and v.startswith("#"))
    names = dict.fromkeys([*(name for found in used for name in found), *hrefs])
    _rebuild(root, {name: f"{prefix}{i}" for i, name in enumerate(names)})
    kept = {k: v for k, v in root.attrib.items() if k not in ("width", "height", "x", "y")}
    root.attrib.clear()
    root.attrib.update({"role": "img", "aria-label": alt, "viewBox": view_box} | _ROOT | kept)
    return Markup(tostring(root, encoding="unicode"))


def standalone_svg(drawing: str) -> str:
    """An inline drawing of ``inline_svg`` as a file of its own: named as SVG, its theme colours spelt out."""
    named = drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return _THEME_COLOUR.sub(r"\1", named)


def sparkline(values: Sequence[float], width: int = 96, height: int = 24) -> Markup:
    """A bare line of the series with a dot at its end; decoration only, the words beside it carry the figure."""
    line = points(values, (min(values), max(values)), width, height, edge=3)
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" aria-hidden="true"><polyline points="{}"/>'
        '<circle cx="{}" cy="{}" r="2"/></svg>'
    ).format(width, height, " ".join(line), *line[-1].split(","))


def panel(values: Sequence[float], scale: tuple[float, float], base: Sequence[float] | None, label: str) -> Markup:
    """A small multiple: the series on a scale that panels share, the base faintly behind it; ``label`` names it."""
    width, height = 220, 110
    line = points(values, scale, width, height)
    behind = Markup("")
    if base is not None:
        behind = Markup('<polyline class="base" points="{}"/>').format(" ".join(points(base, scale, width, height)))
    return Markup(
        '<svg class="panel" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">'
        '<path class="frame" d="M0 0.5H{0}M0 {3}H{0}"/>'
        '{4}<polyline points="{5}"/><circle cx="{6}" cy="{7}" r="3"/></svg>'
    ).format(width, height, label, height - 0.5, behind, " ".join(line), *line[-1].split(","))


def points(values: Sequence[float], scale: tuple[float, float], width: int, height: int, edge: int = 6) -> list[str]:
    """The corners of a line of values at equal steps, ``x,y``."""
    low, span, steps = scale[0], (scale[1] - scale[0]), max(len(values) - 1, 1)
    ups = [(value - low) / span if span > 0 else 0.5 for value in values]
    across, along = width - 2 * edge, height - 2 * edge
    return [f"{edge + across * i / steps:.4g},{height - edge - along * up:.4g}" for i, up in enumerate(ups)]


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _rebuild(element: Element, names: dict[str, str]) -> None:
    """Strip ``element`` in place to the known vocabulary, without namespaces or white space between tags."""
    element.tag = _local(element.tag)
    attributes = dict(_attributes(element, names))
    element.attrib.clear()
    element.attrib.update(attributes)
    if element.tag not in (*_TEXTS, "title", "desc"):
        element.text = None
    for child in list(element):
        if _local(child.tag) not in _TAGS:
            element.remove(child)
            continue
        _rebuild(child, names)
        if element.tag not in _TEXTS:
            child.tail = None


def _attributes(element: Element, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for full_name, value in element.attrib.items():
        name = _local(full_name)
        if name == "id" and value in names:
            yield "id", names[value]
        elif name == "href":
            if value.startswith("#") and value[1:] in names:
                yield "href", f"#{names[value[1:]]}"
            elif element.tag == "image" and _IMAGE.fullmatch(value):
                yield "href", "".join(value.split())
        elif name == "style":
            for declared, setting in _declarations(value):
                yield from _safe(declared, setting, names)
        elif name in _ATTRIBUTES and full_name == name:
            yield from _safe(name, value, names)


@lru_cache(maxsize=4096)
def _declarations(style: str) -> tuple[tuple[str, str], ...]:
    """The declarations of a style attribute as presentation attributes; ``font`` is spelt out."""
    found = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font" and (size := _FONT_SIZE.search(value)):
            found += [("font-size", size[1] + (size[2] or "px")), ("font-family", value[size.end() :])]
            said = value[: size.start()].split()
            found += [("font-style", word) for word in said if word in ("italic", "oblique")]
            found += [("font-weight", word) for word in said if word == "bold" or re.fullmatch(r"\d00", word)]
        elif name in _PROPERTIES:
            found.append((name, value.replace("!important", "").strip()))
    return tuple(found)


def _safe(name: str, value: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The attribute with its references renamed, unless it points outside the drawing."""
    if "(" in value or "\\" in value:
        value = _LOCAL_URL.sub(lambda m: f"url(#{names[m[1]]})", value)
        if _SUSPECT.search(_LOCAL_URL.sub("", value)):
            return
    yield name, " ".join(value.split())
