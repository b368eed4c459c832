"""HTML, drawings and pictures that others made, cleaned for a page: nothing in them runs, fetches or points outside."""

from __future__ import annotations

import base64
import re
from html import unescape
from itertools import accumulate
from pathlib import Path
from urllib.parse import unquote

import nh3
from markupsafe import Markup

# Without pictures, headings and what would be a part of the page.
_HTML_TAGS = {tag for tag in nh3.ALLOWED_TAGS if not re.fullmatch("img|area|map|h[1-6]|hgroup|header|footer|nav", tag)}
_HTML_TAGS |= {"tfoot"}
_HTML_ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}
# A cleaner of HTML takes the square of the depth.
_LONGEST, _DEEPEST = 1_000_000, 2_000
_LEVEL = re.compile(r"<(/?)(?!br|hr|img|wbr|col\b)[a-zA-Z]")

# The vocabulary of drawings: tags, attributes, and first letters of further attributes.
_SVG_TAGS, _SVG_ATTRIBUTES, _SVG_FAMILIES = (
    set(words.split())
    for words in (
        "svg g defs path use rect circle ellipse line polyline polygon text tspan textPath clipPath mask pattern "
        "marker linearGradient radialGradient stop image symbol title desc",
        "id href d x x1 x2 y y1 y2 cx cy dx dy fx fy r rx ry width height points viewBox transform rotate offset "
        "opacity color display visibility overflow refX refY orient dominant-baseline paint-order vector-effect",
        "clip fill font gradient length letter marker mask pattern preserve spread start stop stroke text",
    )
)
_STYLE = re.compile(r"""\sstyle=(["'])(.*?)\1""", re.DOTALL)
_FONT = re.compile(
    r"(?:(?P<style>italic|oblique)\s+)?(?:(?P<weight>bold|\d00)\s+)?(?P<size>[\d.]+(?:px|pt|em|%)?)(?:/\S*)?\s+(?P<family>.+)"
)
_LOCAL_URL = re.compile(r"url\(\s*['\"]?#([^'\"()\s]+)['\"]?\s*\)")
# A backslash could spell "url" in a way that the pattern above does not see.
_SUSPECT = re.compile(r"url\s*\(|\\|script:", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]+")
# What matplotlib says for every mark in its style sheet, which is not taken over.
_STROKES = Markup('stroke-linejoin="round" stroke-linecap="butt"')
_SET_HERE = ("x", "y", "width", "height", "stroke-linejoin", "stroke-linecap")
_THEME_COLOUR = re.compile(r"var\(--[\w-]+,\s*([^()]*)\)")

_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp",
}  # fmt: skip
MOST_BYTES = 5_000_000


def clean_html(source: str) -> Markup:
    """HTML that a cell put out, down to harmless elements; what is very long stays out, for it would stop a reader."""
    depths = accumulate(-1 if tag[1] else 1 for tag in _LEVEL.finditer(source))
    if len(source) > _LONGEST or max(depths, default=0) > _DEEPEST:
        return Markup("<p>An output of {:,} characters is left out; the notebook has it.</p>").format(len(source))

    def kept(tag: str, name: str, value: str) -> str | None:
        return value if name != "href" or re.match(r"https?://|#", value, re.IGNORECASE) else None

    rel = "noopener noreferrer external"
    return Markup(nh3.clean(source, tags=_HTML_TAGS, attributes=_HTML_ATTRIBUTES, attribute_filter=kept, link_rel=rel))


def inline_svg(source: str, *, prefix: str, alt: str) -> Markup | None:
    """The drawing as inline SVG with role and label, its ids starting with ``prefix``; None if it is no drawing.

    Style attributes, which the page's policy forbids, become presentation attributes. The size comes from the view
    box: the style sheet makes the drawing as wide as its column.
    """
    names: dict[str, str] = {}

    def renamed(name: str) -> str:
        return names.setdefault(name, f"{prefix}{len(names)}")

    def kept(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return renamed(value)
        if name == "href" and value.startswith("#"):
            return f"#{renamed(value[1:])}"
        if name == "href":
            return value if tag == "image" and _IMAGE.fullmatch(value) else None
        outside = _SUSPECT.search(_LOCAL_URL.sub("", value))
        if outside or (tag == "svg" and name in _SET_HERE):
            return None
        return " ".join(_LOCAL_URL.sub(lambda url: f"url(#{renamed(url[1])})", value).split())

    drawing = nh3.clean(
        _STYLE.sub(_presented, source),
        tags=_SVG_TAGS,
        clean_content_tags={"style", "script", "foreignObject"},
        attributes={"*": _SVG_ATTRIBUTES},
        generic_attribute_prefixes=_SVG_FAMILIES,
        attribute_filter=kept,
        url_schemes={"data"},
        link_rel=None,
    ).strip()
    if not drawing.startswith("<svg"):
        return None
    root = Markup('<svg role="img" aria-label="{}" {}').format(alt, _STROKES)
    return root + Markup(drawing.removeprefix("<svg").replace(" xlink:href=", " href="))


def _presented(style: re.Match[str]) -> str:
    """A style attribute as presentation attributes; ``font`` is spelt out."""
    found: dict[str, str] = {}
    for declaration in unescape(style[2]).split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font" and (font := _FONT.fullmatch(value)):
            found |= {f"font-{part}": said for part, said in font.groupdict().items() if said}
        elif re.fullmatch("[a-z-]+", name):
            found[name] = value.replace("!important", "")
    return "".join(Markup(' {}="{}"').format(*setting) for setting in found.items())


def standalone_svg(drawing: str) -> str:
    """An inline drawing of ``inline_svg`` as a file of its own: named as SVG, its theme colours spelt out."""
    named = str(drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return _THEME_COLOUR.sub(r"\1", named.replace("&nbsp;", "\N{NO-BREAK SPACE}"))


def picture(folder: Path, address: str) -> dict[str, str] | None:
    """A picture in the notebook's own ``folder`` as a cell's attachment, an SVG cleaned; None if it may not travel."""
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
