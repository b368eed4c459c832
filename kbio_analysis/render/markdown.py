"""Markdown to HTML for a page: nothing raw passes, links are plain web links, formulas become MathML.

The dialect is that of notebooks (tables, strikethrough, definition lists, formulas between dollar signs). Every tag is
written here or by mistune, none by an author. Light to import: the index uses it too.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import tostring

import mistune
from markupsafe import Markup, escape
from mistune.plugins.math import math_in_list

_WEB_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_BARE_LINK = re.compile(r"https?://[^\s<>\"']+")
_NOTEBOOK = re.compile(r"\d\d_[a-z0-9_]+")
_INLINE_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
_ENTITY = re.compile(r"&#x[0-9A-Fa-f]+;")

_NO_MATHML = re.compile(r"on|href|src|style|class|id|xlink|actiontype", re.IGNORECASE)
HeadingHook = Callable[[str, int], str]
"""Takes a heading's inner HTML and its level, returns what stands for it on the page."""


def mathml(latex: str, display: str = "inline") -> Markup:
    """MathML of a formula; LaTeX that cannot be read is shown as it was typed."""
    from latex2mathml.converter import convert_to_element

    try:
        tree = convert_to_element(latex.strip().replace("{aligned}", "{align*}"), display=display)
    except Exception:  # latex2mathml raises one class a mistake, without a common parent, and stumbles over some input
        return Markup('<code class="latex">{}</code>').format(latex.strip())
    for element in tree.iter():
        element.attrib.pop("xmlns", None)
        for name in [name for name in element.attrib if _NO_MATHML.match(name)]:
            del element.attrib[name]
        if element.text and _ENTITY.fullmatch(element.text):
            element.text = html.unescape(element.text)
    tree.set("alttext", latex.strip())
    return Markup(tostring(tree, encoding="unicode"))


def link(text: str | Markup, url: str) -> Markup:
    """A web or in-page link; any other address leaves the text alone."""
    if url.startswith("#") and len(url) > 1:
        return Markup('<a href="#{}">{}</a>').format(unquote(url[1:]), text)
    if not _WEB_LINK.fullmatch(url):
        return escape(text)
    return Markup('<a href="{}" rel="noopener noreferrer external">{}</a>').format(url, text)


def linkify(text: str) -> Markup:
    """Plain text with its web addresses made into links."""
    pieces, end = [], 0
    for match in _BARE_LINK.finditer(text):
        address = match[0].rstrip(".,;:!?)]}")
        pieces += [escape(text[end : match.start()]), link(address, address)]
        end = match.start() + len(address)
    return Markup("").join([*pieces, escape(text[end:])])


def breakable(name: str) -> Markup:
    """An identifier that may break after its underscores, so that a narrow column need not cut it."""
    return Markup("_<wbr>").join(escape(part) for part in str(name).split("_"))


def named_link(text: str) -> Markup:
    """A name followed by its address as a link of that name; other text as :func:`linkify` has it."""
    name, _, address = text.rpartition(" ")
    return link(name, address) if name and _BARE_LINK.fullmatch(address) else linkify(text)


def report_link(text: str) -> Markup:
    """A notebook's name as a link from a report to that notebook's default report, by way of the site; other text as
    it is."""
    if not _NOTEBOOK.fullmatch(text):
        return escape(text)
    return Markup('<a href="../../go/{}.html">{}</a>').format(text, breakable(text))


class _Renderer(mistune.HTMLRenderer):
    """Writes only what readers may get; headings are handed to the page."""

    def __init__(self) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False)
        self.on_heading: HeadingHook = _bold
        self.attachments: Mapping[str, Mapping[str, str]] = {}

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return self.on_heading(text, level)

    def inline_html(self, html: str) -> str:
        return "" if html.startswith("<!--") else str(escape(html))

    def block_html(self, html: str) -> str:
        return "" if html.lstrip().startswith("<!--") else f"<p>{escape(html.strip())}</p>\n"

    def block_code(self, code: str, info: str | None = None) -> str:
        return f'<pre tabindex="0"><code>{escape(code)}</code></pre>\n'

    def table(self, text: str) -> str:
        region = '<div class="scroll" tabindex="0" role="region" aria-label="Table in the text">'
        return f"{region}<table>{text}</table></div>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag = 'th scope="col"' if head else "td"
        number = ' class="num"' if align == "right" else ""
        return f"<{tag}{number}>{text}</{tag[:2]}>"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return str(link(Markup(text), html.unescape(url)))

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Images travel with the notebook; one on the web is linked, and of any other the page says so."""
        alt, address = Markup(text).striptags(), html.unescape(url)
        name = address.removeprefix("attachment:")
        bundle = self.attachments.get(name) or self.attachments.get(unquote(name)) or {}
        source = next((f"data:{kind};base64,{''.join(body)}" for kind, body in bundle.items()), address)
        if _INLINE_IMAGE.fullmatch(source):
            return str(Markup('<img src="{}" alt="{}">').format(source, alt))
        if _WEB_LINK.fullmatch(address):
            return str(link(alt or address, address))
        missing = "The picture {} is not shown: one pasted into a cell of text travels with the page, or one in the "
        missing += "notebook's folder (PNG, JPEG, GIF, WebP or SVG, at most 5 MB)."
        return str(Markup(f'<span class="missing">{missing}</span>').format(unquote(address)))

    def block_math(self, text: str) -> str:
        equation = '<span class="equation" tabindex="0" role="group" aria-label="Equation">'
        return f"<p>{equation}{mathml(text, 'block')}</span></p>\n"

    def inline_math(self, text: str) -> str:
        return str(mathml(text))


def _bold(text: str, level: int) -> str:
    """Headings inside computed text are not sections of the paper."""
    return f"<p><strong>{text}</strong></p>\n"


@cache
def _engine() -> tuple[mistune.Markdown, _Renderer]:
    renderer = _Renderer()
    plugins = ["strikethrough", "table", "url", "def_list", "math", math_in_list]
    return mistune.create_markdown(renderer=renderer, plugins=plugins), renderer


def markdown(
    source: str, on_heading: HeadingHook = _bold, attachments: Mapping[str, Mapping[str, str]] | None = None
) -> Markup:
    """HTML of Markdown text. Headings go through ``on_heading``; ``attachments`` are the cell's own images."""
    engine, renderer = _engine()
    renderer.on_heading = on_heading
    renderer.attachments = attachments or {}
    return Markup(engine(source))


def paragraph(source: str) -> Markup:
    """Markdown of one sentence or paragraph as inline HTML, without its enclosing tag."""
    markup = markdown(source).strip()
    if markup.count("<p>") == 1 and markup.startswith("<p>") and markup.endswith("</p>"):
        return Markup(markup[3:-4])
    return markup


def plain_text(source: str) -> str:
    """Markdown of a sentence or paragraphs as text alone: no escapes, no marks, one line."""
    return markdown(source).striptags()
