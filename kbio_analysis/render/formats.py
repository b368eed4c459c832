"""What pages are made of, from untrusted values: figures as readers write them, plain text, Markdown and HTML of
others, the templates.

Markdown is that of notebooks (tables, strikethrough, definition lists, formulas between dollar signs). Nothing raw
passes: every tag is written here or by mistune, none by an author; links are plain web links, formulas MathML.
"""

import base64
import hashlib
import html
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.etree.ElementTree import tostring

import jinja2
import mistune
import nh3
from markupsafe import Markup, escape
from mistune.plugins.math import math_in_list

TEMPLATES = Path(__file__).parent / "templates"
STATUS_WORDS = {"ok": "Complete", "failed": "Failed", "killed": "Killed", "timed_out": "Timed out", "broken": "Broken"}
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Outside these sizes a figure is written with a power of ten; inside, five digits are enough for a reader.
_SMALL, _LARGE, _DIGITS = 1e-4, 1e15, 5
_WEB_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_BARE_LINK = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}])")
SVG = "image/svg+xml"
INLINE_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
_REL = "noopener noreferrer external"
_NO_MATHML = re.compile(r"on|href|src|style|class|id|xlink|xmlns|actiontype", re.IGNORECASE)


def format_value(value: Any, unit: str = "") -> str:
    """A recorded result as a reader wants it: grouped thousands, five digits, words for truth.

    Years keep their four digits together. The exact value stays in the page's downloads.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return format_setting(value)
    size = abs(value)
    if isinstance(value, float) and value and not _SMALL <= size < _LARGE:
        text = f"{value:.4g}"
    else:
        whole = len(str(int(size)))
        text = f"{round(value, max(0, _DIGITS - whole)):,}".removesuffix(".0")
    text = text.replace(",", "") if size < 10_000 or "year" in unit.lower() else text
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text


def format_setting(value: Any) -> str:
    """A parameter's value as an analyst would type it; lists by their items."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _LARGE else repr(value)
    if isinstance(value, list | tuple):
        return ", ".join(format_setting(v) for v in value) or "none listed"
    return str(value)


def plain(text: str) -> str:
    """Terminal text without colour codes and control characters; a carriage return starts its line anew."""
    text = _CONTROL.sub("", _ANSI.sub("", text).replace("\r\n", "\n"))
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))


def anchor(text: str) -> str:
    """Words of any script joined by hyphens, lower case, fit for an id; never empty."""
    folded = unicodedata.normalize("NFC", text).lower()
    return re.sub(r"[^\w]+", "-", folded).strip("-_")[:60] or "section"


def file_name(text: str, extension: str) -> str:
    """A harmless download name: letters, digits, dots, hyphens and underscores, with the given extension."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", text.removesuffix(f".{extension}")).strip(".-")[:80]
    return f"{stem or 'data'}.{extension}"


def data_uri(text: str, media_type: str) -> str:
    """``text`` as a data: address of UTF-8, a drawing in Base64."""
    if media_type == SVG:
        return f"data:{SVG};base64,{base64.b64encode(text.encode()).decode()}"
    return f"data:{media_type};charset=utf-8,{quote(text, safe='!$()*,-./:;=?@_~')}"


# ---- Markdown


def mathml(latex: str, display: str = "inline") -> Markup:
    """MathML of a formula; LaTeX that cannot be read is shown as it was typed."""
    from latex2mathml.converter import convert_to_element

    try:
        tree = convert_to_element(latex.strip().replace("{aligned}", "{align*}"), display=display)
    except Exception:  # latex2mathml raises one class a mistake, without a common parent, and stumbles over some input
        return Markup('<code class="latex">{}</code>').format(latex.strip())
    for element in tree.iter():
        element.attrib = {name: said for name, said in element.attrib.items() if not _NO_MATHML.match(name)}
        element.text = html.unescape(element.text or "")
    tree.set("alttext", latex.strip())
    return Markup(tostring(tree, encoding="unicode"))


def link(text: str | Markup, url: str) -> Markup:
    """A web link, or one within the page, whatever its author made of the target's capitals and spaces; any other
    address leaves the text alone."""
    if url.startswith("#") and len(url) > 1:
        return Markup('<a href="#{}">{}</a>').format(anchor(unquote(url[1:])), text)
    if not _WEB_LINK.fullmatch(url):
        return escape(text)
    return Markup('<a href="{}" rel="{}">{}</a>').format(url, _REL, text)


def linkify(text: str) -> Markup:
    """Plain text with its web addresses made into links."""
    return Markup("").join(link(part, part) if i % 2 else part for i, part in enumerate(_BARE_LINK.split(text)))


def breakable(name: str) -> Markup:
    """An identifier that may break after its underscores, so that a narrow column need not cut it."""
    return Markup("_<wbr>").join(escape(part) for part in str(name).split("_"))


class _Renderer(mistune.HTMLRenderer):
    """Writes only what readers may get; headings are handed to the page."""

    on_heading: Callable[[str, int], str]
    attachments: Mapping[str, Mapping[str, str]]

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return self.on_heading(text, level)

    def inline_html(self, html: str) -> str:
        return "" if html.lstrip().startswith("<!--") else str(escape(html.strip("\n")))

    block_html = inline_html

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
        if INLINE_IMAGE.fullmatch(source):
            return str(Markup('<img src="{}" alt="{}">').format(source, alt))
        if _WEB_LINK.fullmatch(address):
            return str(link(alt or address, address))
        return rendered("report/missing.html.j2", address=unquote(address)).rstrip()

    def block_math(self, text: str) -> str:
        equation = '<span class="equation" tabindex="0" role="group" aria-label="Equation">'
        return f"<p>{equation}{mathml(text, 'block')}</span></p>\n"

    def inline_math(self, text: str) -> str:
        return str(mathml(text))


_markdown = mistune.create_markdown(
    renderer=_Renderer(), plugins=["strikethrough", "table", "url", "def_list", "math", math_in_list]
)


def markdown(
    source: str,
    on_heading: Callable[[str, int], str] = lambda text, level: f"<p><strong>{text}</strong></p>\n",
    attachments: Mapping[str, Mapping[str, str]] | None = None,
) -> Markup:
    """HTML of Markdown text. ``on_heading`` takes a heading's inner HTML and its level and gives what stands for it on
    the page; ``attachments`` are the cell's own images."""
    _markdown.renderer.on_heading, _markdown.renderer.attachments = on_heading, attachments or {}
    return Markup(_markdown(source))


def paragraph(source: str) -> Markup:
    """Markdown of one sentence or paragraph as inline HTML, without its enclosing tag."""
    html = str(markdown(source)).strip()
    return Markup(re.sub(r"\A<p>((?:(?!<p>).)*)</p>\Z", r"\1", html, flags=re.DOTALL))


# ---- HTML and pictures that others made: nothing in HTML runs, fetches or points outside, nor does an SVG in an img

# Without pictures, headings and what would be a part of the page.
_NO_TAG = re.compile("img|area|map|h[1-6]|hgroup|header|footer|nav")
_HTML_TAGS = {"tfoot", *(tag for tag in nh3.ALLOWED_TAGS if not _NO_TAG.fullmatch(tag))}
_WEB_ONLY = {"url_schemes": {"http", "https"}, "url_relative": lambda url: url if url.startswith("#") else None}
# A cleaner of HTML takes the square of the depth.
_LONGEST, _DEEPEST = 1_000_000, 2_000
_LEVEL = re.compile(r"<(/?)(?!br|hr|img|wbr|col\b)[a-zA-Z]")


def clean_html(source: str) -> Markup:
    """HTML that a cell put out, down to harmless elements; what is very long stays out, for it would stop a reader."""
    depths = accumulate(-1 if tag[1] else 1 for tag in _LEVEL.finditer(source))
    if len(source) > _LONGEST or max(depths, default=0) > _DEEPEST:
        return Markup("<p>An output of {:,} characters is left out; the notebook has it.</p>").format(len(source))

    return Markup(nh3.clean(source, tags=_HTML_TAGS, link_rel=_REL, **_WEB_ONLY))


# ---- templates


class _Compiled(jinja2.FileSystemBytecodeCache):
    """Templates stay compiled between runs, as Python's modules do, where their folder can be written to."""

    def get_source_checksum(self, source: str) -> str:
        # What this module says of the environment is compiled in.
        return super().get_source_checksum(f"{jinja2.__version__}{Path(__file__).read_text()}{source}")

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


_compiled = None if sys.dont_write_bytecode else _Compiled(str(TEMPLATES / "__pycache__"))
_from = {"loader": jinja2.FileSystemLoader(TEMPLATES), "bytecode_cache": _compiled}
_environment = jinja2.Environment(**_from, autoescape=True, trim_blocks=True, lstrip_blocks=True)
_filters = (breakable, data_uri, file_name, link, linkify, paragraph, plain)
_environment.filters |= {one.__name__: one for one in _filters} | {
    # The Content-Security-Policy source that admits exactly this inline style sheet or script.
    "csp_hash": lambda text: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'",
    "raw": Markup,
    "setting": format_setting,
    "status": lambda status: STATUS_WORDS.get(status, status),
    "value": format_value,
}


def rendered(template: str, **shown: Any) -> str:
    """A template, by its name below ``templates``, as text without control characters, which no HTML may hold."""
    return _CONTROL.sub("", _environment.get_template(template).render(shown)).strip() + "\n"
