"""Drawings and pictures for a page.

An untrusted SVG is rebuilt from what drawings need, so that the strictest policy holds.

Style attributes become presentation attributes (a policy without 'unsafe-inline' forbids the former), ids are renamed
to be unique, and nothing points outside the drawing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from markupsafe import Markup

_TAGS = re.compile(
    "svg|g|defs|path|use|rect|circle|ellipse|line|polyline|polygon|text|tspan|textPath|clipPath|mask|pattern|marker|"
    "linearGradient|radialGradient|stop|image|symbol|title|desc"
)
_TEXTS = ("text", "tspan", "textPath")
_NO_ATTRIBUTE = re.compile(r"on|xmlns|class$|src|data|filter$|cursor$|font$|transform-origin$", re.IGNORECASE)
_LOCAL_URL = re.compile(r"url\(\s*['\"]?#([^'\"()\s]+)['\"]?\s*\)")
# A backslash could spell "url" in a way that the pattern above does not see.
_SUSPECT = re.compile(r"url\s*\(|\\|script:", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]+")
_FONT = re.compile(
    r"(?:(?P<style>italic|oblique)\s+)?(?:(?P<weight>bold|\d00)\s+)?(?P<size>[\d.]+(?:px|pt|em|%)?)(?:/\S*)?\s+(?P<family>.+)"
)
_DECLARATION = re.compile(r"(?:^|;)\s*([a-z-]+)\s*:([^;]*)")
_THEME_COLOUR = re.compile(r"var\(--[\w-]+,\s*([^()]*)\)")
# What matplotlib says for every mark in its style sheet, which is not taken over.
_ROOT = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp",
}  # fmt: skip
MOST_BYTES = 5_000_000


def picture(folder: Path, address: str) -> dict[str, str] | None:
    """A picture in the notebook's own ``folder`` as a cell's attachment, an SVG rebuilt; None if it may not travel."""
    try:
        path = (folder / unquote(address)).resolve()
        inside = path.is_relative_to(folder.resolve()) and path.is_file() and path.stat().st_size <= MOST_BYTES
        content = path.read_bytes() if inside else b""
    except (OSError, ValueError):
        return None
    kind = next((kind for head, kind in _PICTURES.items() if content.startswith(head)), None)
    if kind is None and path.suffix.lower() == ".svg":
        drawn = inline_svg(content.decode("utf-8", "replace"), prefix="p", alt=path.stem)
        kind, content = "image/svg+xml", standalone_svg(drawn or "").encode()
    return {kind: base64.b64encode(content).decode()} if kind and content else None


def inline_svg(source: str, *, prefix: str, alt: str) -> Markup | None:
    """The drawing as inline SVG with role and label, its ids starting with ``prefix``; None if unreadable.

    The size comes from the view box: the style sheet makes the drawing as wide as its column.
    """
    try:
        root = fromstring("" if "<!ENTITY" in source else source)
        if _local(root.tag) != "svg":
            return None
        sides = (re.match(r"[\d.]+", root.get(side) or "") for side in ("width", "height"))
        view_box = root.get("viewBox") or " ".join(["0 0", *(side[0] if side else "100" for side in sides)])
        used: dict[str, None] = {}
        for name, value in ((name, value) for element in root.iter() for name, value in element.attrib.items()):
            used |= dict.fromkeys(_LOCAL_URL.findall(value))
            used |= {value[1:]: None} if _local(name) == "href" and value.startswith("#") else {}
        _rebuild(root, {name: f"{prefix}{i}" for i, name in enumerate(used)})
        kept = {k: v for k, v in root.attrib.items() if k not in ("width", "height", "x", "y")}
        root.attrib.clear()
        root.attrib.update({"role": "img", "aria-label": alt, "viewBox": view_box} | _ROOT | kept)
        return Markup(tostring(root, encoding="unicode"))
    except (ParseError, ValueError, RecursionError):
        return None


def standalone_svg(drawing: str) -> str:
    """An inline drawing of ``inline_svg`` as a file of its own: named as SVG, its theme colours spelt out."""
    return _THEME_COLOUR.sub(r"\1", str(drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


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
    element[:] = [child for child in element if _TAGS.fullmatch(_local(child.tag))]
    for child in element:
        _rebuild(child, names)
        if element.tag not in _TEXTS:
            child.tail = None


def _attributes(element: Element, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The attributes that stay: their references renamed, none that points outside the drawing."""
    for full_name, value in element.attrib.items():
        name = _local(full_name)
        if name == "href" and value.startswith("#"):
            yield "href", f"#{names[value[1:]]}"
        elif name == "href" and element.tag == "image" and _IMAGE.fullmatch(value):
            yield "href", "".join(value.split())
        elif name == "id":
            yield from [("id", names[value])] if value in names else []
        elif name == full_name and name != "href":
            for declared, setting in _declarations(value) if name == "style" else ((name, value),):
                renamed = _LOCAL_URL.sub(lambda match: f"url(#{names[match[1]]})", setting)
                if not _NO_ATTRIBUTE.match(declared) and not _SUSPECT.search(_LOCAL_URL.sub("", renamed)):
                    yield declared, " ".join(renamed.split())


@lru_cache(maxsize=4096)
def _declarations(style: str) -> tuple[tuple[str, str], ...]:
    """The declarations of a style attribute as presentation attributes; ``font`` is spelt out."""
    found: list[tuple[str, str]] = []
    for name, value in _DECLARATION.findall(style):
        font = _FONT.fullmatch(value.strip()) if name == "font" else None
        parts = [(f"font-{part}", said) for part, said in font.groupdict().items() if said] if font else []
        found += parts or [(name, value.replace("!important", "").strip())]
    return tuple(found)
