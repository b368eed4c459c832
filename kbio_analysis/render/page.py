"""The report page: an executed notebook and its result as one self-contained HTML file.

nbconvert walks the notebook and cleans what cells emit; the template in ``templates/kbio`` sets it as a paper. Nothing
in the page runs or fetches: the policy in its head forbids scripts and every request, and admits one style sheet by
its hash. The page is a function of its two inputs only; it names no clock, commit, machine or path.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, ClassVar

import jinja2
from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from kbio_analysis.render import page_prose as prose
from kbio_analysis.render.outputs import MIME
from kbio_analysis.render.page_charts import standalone_svg
from kbio_analysis.render.page_model import Page
from kbio_analysis.render.page_values import (
    breakable,
    csp_hash,
    data_uri,
    format_setting,
    format_value,
    plain,
    printable,
    stylesheet,
    template_folder,
    words,
)

# Tokens that the style sheet leaves in the colour of the text need no element of their own.
_UNSTYLED = re.compile(r'<span class="(?:n|p|o|w|nn|x)">([^<]*)</span>')
_DROPPED_ELEMENTS = re.compile(r"<(style|script)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_HTML_TAGS = words(
    "a abbr b blockquote br caption code col colgroup dd del div dl dt em i ins kbd li ol p pre q s samp small span "
    "strong sub sup table tbody td tfoot th thead tr u ul var"
)
_HTML_ATTRIBUTES = {"a": ["href"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan", "scope"]}


def report_html(executed: NotebookNode, result: Mapping[str, Any], spec: Any = None) -> str:
    """The report page of an executed notebook.

    ``result`` is the content of result.json; ``spec`` the notebook's declared parameters (default, meaning and unit
    of each), without which the page shows their values only. The same inputs give the same bytes.
    """
    return _written("kbio", executed, page=Page(executed, result, spec), style=report_style())


def document_html(
    executed: NotebookNode, result: Mapping[str, Any], spec: Any = None, pictures: Mapping[str, str] | None = None
) -> str:
    """The same content as plain HTML for a word processor to read: no look, no code, charts as pictures.

    ``pictures`` are data: addresses by chart id (``fig-...``, as on the page); a chart without one is drawn as SVG.
    """
    return _written("word", executed, page=Page(executed, result, spec), pictures=pictures or {})


def report_style() -> str:
    """The style sheet of report pages, as it stands in each of them."""
    return stylesheet("base.css", "table.css", "report.css", "brief.css")


def _written(template: str, executed: NotebookNode, **resources: Any) -> str:
    html, _ = _exporter(template).from_notebook_node(executed, resources=resources)
    return printable(html).strip() + "\n"


class _Sanitizer(SanitizeHTML):
    """nbconvert's cleaning of what cells emit. Markdown is left to the page, which passes no tag at all."""

    def preprocess_cell(self, cell: NotebookNode, resources: dict, cell_index: int) -> tuple[NotebookNode, dict]:
        if cell.cell_type == "code":
            for output in cell.outputs:
                if "text/html" in output.get("data", {}):
                    output.data["text/html"] = _DROPPED_ELEMENTS.sub("", output.data["text/html"])
            cell.outputs = self.sanitize_code_outputs(cell.outputs)
        return cell, resources


class _Exporter(TemplateExporter):
    """nbconvert's template exporter with our template, escaping by default, and the cleaning on."""

    output_mimetype = "text/html"
    preprocessors: ClassVar[list] = []

    def _file_extension_default(self) -> str:
        return ".html"

    def _create_environment(self) -> jinja2.Environment:
        environment = super()._create_environment()
        environment.autoescape = environment.trim_blocks = environment.lstrip_blocks = True
        return environment


@cache
def _exporter(template: str) -> _Exporter:
    """One exporter a template and process: building its environment costs more than writing a page."""
    exporter = _Exporter(
        template_name=template,
        default_preprocessors=[],
        optimistic_validation=True,
        extra_template_basedirs=[str(template_folder())],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    safe = {MIME, "text/plain", "text/markdown", "text/latex", "image/svg+xml", "image/png", "image/jpeg"}
    exporter.register_preprocessor(
        _Sanitizer(
            tags=sorted(_HTML_TAGS),
            attributes=_HTML_ATTRIBUTES,
            strip=True,
            safe_output_keys=safe,
            sanitized_output_types={"text/html"},
        ),
        enabled=True,
    )
    exporter.environment.filters |= {
        "python": _highlighted,
        "value": format_value,
        "setting": format_setting,
        "breakable": breakable,
        "linkify": prose.linkify,
        "report_link": prose.report_link,
        "data_uri": data_uri,
        "picture": standalone_svg,
        "csp_hash": csp_hash,
        "plain": plain,
    }
    return exporter


@lru_cache(maxsize=512)
def _highlighted(code: str) -> Markup:
    marked = highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")
    return Markup(_UNSTYLED.sub(r"\1", marked))
