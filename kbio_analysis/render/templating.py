"""How pages are set: one environment for all templates, and what they call a thing."""

from __future__ import annotations

from functools import cache

import jinja2
from markupsafe import Markup

from kbio_analysis.render import formats, markdown

STATUS_WORDS = {"ok": "Complete", "failed": "Failed", "killed": "Killed", "timed_out": "Timed out", "broken": "Broken"}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(formats.template_folder()),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "breakable": formats.breakable,
        "csp_hash": formats.csp_hash,
        "data_uri": formats.data_uri,
        "file_name": formats.file_name,
        "linkify": markdown.linkify,
        "named": markdown.named_link,
        "plain": formats.plain,
        "raw": Markup,
        "report": markdown.report_link,
        "sentence": markdown.paragraph,
        "setting": formats.format_setting,
        "status": lambda status: STATUS_WORDS.get(status, status),
        "value": formats.format_value,
    }
    return environment


def template(name: str) -> jinja2.Template:
    """A template by its name below ``templates``."""
    return _environment().get_template(name)
