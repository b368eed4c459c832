"""Small pieces of a page, from untrusted values (figures as readers write them, plain text, anchors, downloads), and
the templates that are set with them."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import jinja2

STATUS_WORDS = {"ok": "Complete", "failed": "Failed", "killed": "Killed", "timed_out": "Timed out", "broken": "Broken"}

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Outside these sizes a figure is written with a power of ten; inside, five digits are enough for a reader.
_SMALL, _LARGE, _DIGITS = 1e-4, 1e15, 5


def format_value(value: Any, unit: str = "") -> str:
    """A recorded result as a reader wants it: grouped thousands, five digits, words for truth.

    Years keep their four digits together. The exact value stays in the page's downloads.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return format_setting(value)
    grouped, size = "year" not in unit.lower(), abs(value)
    if isinstance(value, int) or (value.is_integer() and size < _LARGE):
        text = f"{int(value):,}" if grouped and size >= 10_000 else str(int(value))
    elif not _SMALL <= size < _LARGE:
        text = f"{value:.4g}"
    else:
        decimals = max(0, _DIGITS - 1 - math.floor(math.log10(size))) if size >= 1 else _DIGITS - 1
        text = f"{value:,.{decimals}f}" if grouped and size >= 10_000 else f"{value:.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
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
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def plain(text: str) -> str:
    """Terminal text without colour codes and control characters; a carriage return starts its line anew."""
    text = _CONTROL.sub("", _ANSI.sub("", text).replace("\r\n", "\n"))
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))


def printable(text: str) -> str:
    """``text`` without control characters, which no HTML file may hold."""
    return _CONTROL.sub("", text)


def anchor(text: str) -> str:
    """Words of any script joined by hyphens, lower case, fit for an id; never empty."""
    folded = unicodedata.normalize("NFC", text).lower()
    return re.sub(r"[^\w]+", "-", folded).strip("-_")[:60] or "section"


def file_name(text: str, extension: str) -> str:
    """A harmless download name: letters, digits, dots, hyphens and underscores, with the given extension."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", text.removesuffix(f".{extension}")).strip(".-")[:80]
    return f"{stem or 'data'}.{extension}"


def data_uri(text: str, media_type: str) -> str:
    """``text`` as a data: address of UTF-8."""
    return f"data:{media_type};charset=utf-8,{quote(text, safe='!$()*,-./:;=?@_~')}"


def template_folder() -> Path:
    """Where the templates, style sheets and scripts of the pages lie."""
    return Path(__file__).parent / "templates"


@cache
def stylesheet(*names: str) -> str:
    """The named files of ``templates/look`` as one sheet, without comments and indentation: it travels in each page."""
    text = "".join((template_folder() / "look" / name).read_text(encoding="utf-8") for name in names)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


@cache
def _environment() -> jinja2.Environment:
    import jinja2
    from markupsafe import Markup

    from kbio_analysis.render import markdown

    folder = jinja2.FileSystemLoader(template_folder())
    environment = jinja2.Environment(loader=folder, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "breakable": markdown.breakable,
        # The Content-Security-Policy source that admits exactly this inline style sheet or script.
        "csp_hash": lambda text: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'",
        "data_uri": data_uri,
        "file_name": file_name,
        "linkify": markdown.linkify,
        "named": markdown.named_link,
        "plain": plain,
        "raw": Markup,
        "report": markdown.report_link,
        "sentence": markdown.paragraph,
        "setting": format_setting,
        "status": lambda status: STATUS_WORDS.get(status, status),
        "value": format_value,
    }
    return environment


def template(name: str) -> jinja2.Template:
    """A template by its name below ``templates``."""
    return _environment().get_template(name)
