"""SVG for a page: an untrusted drawing rebuilt from what drawings need, so that the strictest policy holds.

Style attributes become presentation attributes (a policy without 'unsafe-inline' forbids the former), style sheets,
scripts, foreign content and outside references are left out, and every id that is used is renamed to be unique.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from markupsafe import Markup

from kbio_analysis.render.page_values import words

_TAGS = words(
    "svg g defs path use rect circle ellipse line polyline polygon text tspan textPath clipPath mask pattern marker "
    "linearGradient radialGradient stop image symbol title desc"
)
_PROPERTIES = words(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset opacity color display visibility overflow clip-path clip-rule mask "
    "marker-start marker-mid marker-end stop-color stop-opacity font-family font-size font-style font-weight "
    "font-variant font-stretch text-anchor dominant-baseline alignment-baseline baseline-shift letter-spacing "
    "word-spacing text-decoration writing-mode paint-order vector-effect shape-rendering text-rendering "
    "image-rendering"
)
_ATTRIBUTES = _PROPERTIES | words(
    "x y x1 y1 x2 y2 cx cy r rx ry dx dy d points width height viewBox preserveAspectRatio transform rotate "
    "textLength lengthAdjust pathLength offset gradientUnits gradientTransform spreadMethod fx fy patternUnits "
    "patternContentUnits patternTransform clipPathUnits maskUnits maskContentUnits markerWidth markerHeight "
    "markerUnits orient refX refY"
)
_NAMESPACE = re.compile(r"^\{[^}]*\}")
_LOCAL_URL = re.compile(r"url\(\s*['\"]?#([^'\")\s]+)['\"]?\s*\)")
# A backslash could spell "url" in a way that the pattern above does not see.
_SUSPECT = re.compile(r"url\s*\(|\\", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]+")
_FONT = re.compile(r"^(?P<words>.*?)\s*(?P<size>[\d.]+(?:px|pt|em|%)?)(?:/\S+)?\s+(?P<family>.+)$")
_THEME_COLOUR = re.compile(r"var\(--[\w-]+,\s*([^()]*)\)")
# What matplotlib says for every mark in its style sheet, which is not taken over.
_ROOT = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def inline_svg(source: str, *, prefix: str, alt: str, css_class: str) -> Markup | None:
    """The drawing as inline SVG with role, label and class, its ids starting with ``prefix``; None if unreadable.

    The size comes from the view box: the style sheet makes the drawing as wide as its column.
    """
    if "<!ENTITY" in source:
        return None
    try:
        root = fromstring(source)
    except (ParseError, ValueError):
        return None
    if _local(root.tag) != "svg":
        return None
    view_box = root.get("viewBox") or f"0 0 {_length(root.get('width'))} {_length(root.get('height'))}"
    names = {name: f"{prefix}{i}" for i, name in enumerate(_referenced(root))}
    _rebuild(root, names)
    kept = {k: v for k, v in root.attrib.items() if k not in ("width", "height", "x", "y")}
    root.attrib.clear()
    root.attrib.update({"class": css_class, "role": "img", "aria-label": alt, "viewBox": view_box} | _ROOT | kept)
    return Markup(tostring(root, encoding="unicode"))


def standalone_svg(drawing: str) -> str:
    """An inline drawing of ``inline_svg`` as a file of its own: named as SVG, its theme colours spelt out."""
    named = drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return _THEME_COLOUR.sub(r"\1", named)


def sparkline(values: Sequence[float], width: int = 96, height: int = 24) -> Markup:
    """A bare line of the series with a dot at its end; decoration only, the words beside it carry the figure."""
    low, high = min(values), max(values)
    span, steps = (high - low) or 1.0, max(len(values) - 1, 1)
    points = [
        (2 + (width - 4) * i / steps, height - 3 - (height - 6) * ((v - low) / span if high > low else 0.5))
        for i, v in enumerate(values)
    ]
    line = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" aria-hidden="true"><polyline points="{}"/>'
        '<circle cx="{:.4g}" cy="{:.4g}" r="2"/></svg>'
    ).format(width, height, line, *points[-1])


def _local(tag: object) -> str:
    return _NAMESPACE.sub("", tag) if isinstance(tag, str) else ""


def _length(text: str | None) -> str:
    match = re.match(r"[\d.]+", text or "")
    return match[0] if match else "100"


def _referenced(root: Element) -> list[str]:
    """The ids that something in the drawing points at, in document order, each once."""
    used = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            if _local(name) == "href" and value.startswith("#"):
                used[value[1:]] = None
            elif "url(" in value:
                used |= dict.fromkeys(_LOCAL_URL.findall(value))
    return list(used)


def _rebuild(element: Element, names: dict[str, str]) -> None:
    """Strip ``element`` in place to the known vocabulary, without namespaces or white space between tags."""
    element.tag = _local(element.tag)
    attributes = dict(_attributes(element, names))
    element.attrib.clear()
    element.attrib.update(attributes)
    if element.tag not in ("text", "tspan", "textPath", "title", "desc"):
        element.text = None
    for child in list(element):
        if _local(child.tag) not in _TAGS:
            element.remove(child)
            continue
        _rebuild(child, names)
        if element.tag not in ("text", "tspan", "textPath"):
            child.tail = None


def _attributes(element: Element, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for full_name, value in element.attrib.items():
        name = _local(full_name)
        if name == "id" and value in names:
            yield "id", names[value]
        elif name == "href":
            yield from _href(element.tag, value, names)
        elif name == "style":
            for declared, setting in _declarations(value):
                yield from _safe(declared, setting, names)
        elif name in _ATTRIBUTES and full_name == name:
            yield from _safe(name, value, names)


def _href(tag: str, value: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    if value.startswith("#") and value[1:] in names:
        yield "href", f"#{names[value[1:]]}"
    elif tag == "image" and _IMAGE.fullmatch(value):
        yield "href", "".join(value.split())


@lru_cache(maxsize=4096)
def _declarations(style: str) -> tuple[tuple[str, str], ...]:
    """The declarations of a style attribute as presentation attributes; ``font`` is spelt out."""
    found = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font" and (match := _FONT.match(value)):
            size = match["size"] if match["size"][-1].isalpha() else f"{match['size']}px"
            found += [("font-size", size), ("font-family", match["family"])]
            found += [("font-style", w) for w in ("italic", "oblique") if w in match["words"]]
            found += [("font-weight", w) for w in re.findall(r"bold|\d00", match["words"])]
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
