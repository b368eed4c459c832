"""The report page: an executed notebook and its result as one self-contained HTML file.

The notebook is walked once; the template in ``templates/report`` sets it as a paper. Nothing in the page runs or
fetches: the policy in its head forbids scripts and every request, and admits one style sheet by its hash. The page is
a function of its inputs only; it names no clock, commit, machine or path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import nh3
from markupsafe import Markup, escape

from kbio_analysis.render import formats
from kbio_analysis.render.drawings import inline_svg
from kbio_analysis.render.outputs import MIME
from kbio_analysis.render.parameters import INJECTED
from kbio_analysis.render.results import csv_text, harmless_csv

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from kbio_analysis.render.parameters import NotebookSpec

_RESERVED_IDS = ("main", "contents", "results", "parameters", "provenance")
# Without pictures, headings and what would be a part of the page.
_HTML_TAGS = {tag for tag in nh3.ALLOWED_TAGS if not re.fullmatch("img|area|map|h[1-6]|hgroup|header|footer|nav", tag)}
_HTML_TAGS |= {"tfoot"}
_HTML_ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}
# A cleaner of HTML takes the square of the depth and of the attributes of one tag.
_LONGEST_HTML, _MOST_TAGS, _LONGEST_PIECE, _DEEPEST = 1_000_000, 20_000, 100_000, 2_000
_LEVEL = re.compile(r"<(/?)(?!br|hr|img|wbr|col\b)[a-zA-Z]")
_HEADING = re.compile(r"^ {0,3}(?:#{1,6}\s|=+\s*$|-+\s*$)", re.MULTILINE)
_PAGE_LINK = re.compile(r'href="#([^"]+)"')
# Tokens that the style sheet leaves in the colour of the text need no element of their own.
_UNSTYLED = re.compile(r'<span class="(?:n|p|o|w|nn|x|err)">([^<]*)</span>')


def report_html(executed: NotebookNode, result: Mapping[str, Any], spec: NotebookSpec | None = None) -> str:
    """The report page of an executed notebook.

    ``result`` is the content of result.json; ``spec`` the notebook's declared parameters (default, meaning and unit
    of each), without which the page shows their values only. The same inputs give the same bytes.
    """
    style = formats.stylesheet("base.css", "table.css", "report.css", "brief.css")
    html = formats.template("report/page.html.j2").render(page=Page(executed, result, spec), style=style)
    return formats.printable(html).strip() + "\n"


class Page:
    """A report before it is set: title, lead, headings, and its ``blocks`` in the order of the notebook.

    A block is ``{"as": kind, ...}``. The code of neighbouring cells is one block, behind what the cells show.
    """

    def __init__(self, executed: NotebookNode, result: Mapping[str, Any], spec: NotebookSpec | None) -> None:
        self.result, self.spec = result, spec
        self.layout, self.lang = getattr(spec, "layout", None), getattr(spec, "lang", "en")
        self.status = formats.STATUS_WORDS.get(str(result.get("status")), str(result.get("status", "unknown")))
        self.results, self.headings, self.blocks = result.get("results") or {}, [], []
        asked = self.results.get("question", {}).get("value")
        self.title, self.lead = escape(asked) if asked else None, None
        self._has_title = False
        self._ids = set(_RESERVED_IDS)
        self._counts = {"Figure": 0, "Table": 0, "Output": 0}
        self._level = 1
        self._code: list[dict[str, Any]] = []
        self._bare_heading: dict[str, Any] | None = None
        self._walk(executed.cells)
        fallback = result.get("question") or result.get("title") or result.get("notebook") or "Report"
        self.title = escape(fallback) if self.title is None else self.title
        self.lead = escape(result["answer"]) if self.lead is None and result.get("answer") else self.lead
        for block in self.blocks:
            if block["as"] in ("prose", "words"):
                block["html"] = Markup(_PAGE_LINK.sub(self._page_link, block["html"]))

    # ---- the walk

    def _walk(self, cells: Sequence[NotebookNode]) -> None:
        number = own = 0
        for cell in cells:
            if cell.cell_type == "markdown":
                self._take_prose(cell)
            elif cell.cell_type == "code":
                number, tags = number + 1, cell.metadata.get("tags", [])
                own += INJECTED not in tags
                self._cell = {"cell": own, "tables": (cell.metadata.get("kbio") or {}).get("tables") or ()}
                code = {"number": number, "html": highlighted(cell.source)}
                views = [view for view in map(self._view, cell.outputs) if view.get("text", "x").strip() and view]
                if "nbval-check-output" in tags:
                    self._code.append(code | {"views": views})
                    continue
                self._code += [code] if cell.source.strip() else []
                self._show(*views)
        self._close_section()

    def _take_prose(self, cell: NotebookNode) -> None:
        if _HEADING.search(cell.source):
            self._close_section()
        headings = len(self.headings)
        html = formats.markdown(cell.source, self._heading, cell.get("attachments"))
        if html.strip():
            self._show({"as": "prose", "html": html})
        if len(self.headings) == headings + 1 and html.strip().count("\n") == 0:
            self._bare_heading = self.blocks[-1]

    def _close_section(self) -> None:
        """Before the next prose: a heading whose only content has moved up to lead the page goes, and the code of the
        section's cells becomes a block."""
        if self._bare_heading is not None and self._bare_heading.get("answered"):
            self.blocks.remove(self._bare_heading)
            self.headings.pop()
        self._bare_heading = None
        if self._code and self.blocks and self.blocks[-1]["as"] == "code":
            self.blocks[-1]["cells"] += self._code
        elif self._code:
            self.blocks.append({"as": "code", "cells": self._code})
        self._code = []

    def _show(self, *views: dict[str, Any]) -> None:
        self.blocks += views
        self._bare_heading = None if views else self._bare_heading

    # ---- prose

    def _heading(self, text: str, level: int) -> str:
        if level == 1 and not self._has_title:
            self._has_title = True
            self.title = Markup(text) if self.title is None else self.title
            return ""
        self._level = max(2, min(level, self._level + 1))
        title = Markup(text).striptags()
        name = self._id(formats.anchor(title))
        self.headings.append({"level": self._level, "id": name, "text": title})
        return f'<h{self._level} id="{name}">{text}</h{self._level}>\n'

    def _page_link(self, match: re.Match[str]) -> str:
        """A link within the page as its target is called, whatever its author made of capitals and spaces."""
        wanted = Markup(match[1]).striptags()
        found = wanted if wanted in self._ids else formats.anchor(wanted)
        return f'href="#{escape(found)}"' if found in self._ids else match[0]

    def _id(self, wanted: str) -> str:
        name, n = wanted, 1
        while name in self._ids:
            n += 1
            name = f"{wanted}-{n}"
        self._ids.add(name)
        return name

    # ---- outputs

    def _view(self, output: NotebookNode) -> dict[str, Any]:
        if output.output_type == "stream":
            text = formats.plain(output.text)
            return {"as": "stream", "text": text, "name": output.name}
        if output.output_type == "error":
            trace = formats.plain("\n".join(output.traceback))
            return {"as": "error", "type": output.ename, "message": formats.plain(output.evalue), "trace": trace}
        payload = output.data.get(MIME)
        if isinstance(payload, Mapping) and (view := self._structured(payload)) is not None:
            return view
        return self._ordinary(output.data, output.get("metadata") or {})

    def _structured(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The view of a kbio output; None when it is not one that this page knows, so that its fallback is shown."""
        kind, text = payload.get("kind"), payload.get("text")
        if kind == "record":
            return {}
        if kind == "answer" and isinstance(text, str) and self.lead is None:
            self.lead = formats.paragraph(text)
            if self._bare_heading is not None:
                self._bare_heading["answered"] = True
            return {}
        if kind in ("answer", "sentence") and isinstance(text, str):
            return {"as": "words", "html": formats.markdown(text)}
        if kind == "chart" and isinstance(payload.get("svg"), str):
            return self._chart(payload)
        if kind == "table" and isinstance(payload.get("columns"), list):
            return self._table(payload)
        return None

    def _numbered(self, label: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What charts and tables share: number, anchor, caption, source and the data to take away."""
        self._counts[label] += 1
        name = str(payload.get("id") or self._counts[label])
        view = {
            "label": f"{label} {self._counts[label]}",
            "id": self._id(f"{'fig' if label == 'Figure' else 'table'}-{formats.anchor(name)}"),
            "caption": str(payload.get("caption") or ""),
            "source": str(payload.get("source") or ""),
        } | self._cell
        if isinstance(payload.get("csv"), str):
            file = formats.file_name(str(payload.get("csv_name") or name), "csv")
            view["csv"] = {"name": file, "text": harmless_csv(payload["csv"])}
        return view

    def _chart(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        view = self._numbered("Figure", payload)
        alt = str(payload.get("alt") or view["caption"] or view["label"])
        drawing = inline_svg(payload["svg"], prefix=f"f{self._counts['Figure']}-", alt=alt)
        return view | {"as": "chart", "alt": alt, "drawing": drawing}

    def _table(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        columns = [column for column in payload["columns"] if isinstance(column, Mapping)]
        rows = [row for row in payload.get("rows", ()) if isinstance(row, Sequence)]
        shown = {key: bool(payload.get(key)) for key in ("row_header", "stack")}
        return self._numbered("Table", payload) | shown | {"as": "table", "columns": columns, "rows": rows}

    def _ordinary(self, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
        """An output of any other origin, richest harmless form first."""
        if "text/html" in data:
            self._counts["Output"] += 1
            return {"as": "html", "html": clean_html(data["text/html"]), "label": f"Output {self._counts['Output']}"}
        if "image/svg+xml" in data:
            return self._image(formats.data_uri(data["image/svg+xml"], "image/svg+xml"), metadata.get("image/svg+xml"))
        for kind in ("image/png", "image/jpeg"):
            if kind in data and re.fullmatch(r"[A-Za-z0-9+/=\s]+", data[kind]):
                return self._image(f"data:{kind};base64,{''.join(data[kind].split())}", metadata.get(kind))
        for kind in ("text/markdown", "text/latex"):
            if kind in data:
                return {"as": "words", "html": formats.markdown(data[kind])}
        return {"as": "stream", "text": formats.plain(str(data.get("text/plain", ""))), "name": "stdout"}

    def _image(self, source: str, told: Any) -> dict[str, Any]:
        """A figure that came without our payload: numbered like the others, with a note of what it lacks."""
        view = self._numbered("Figure", {})
        alt = str(told.get("alt") or "") if isinstance(told, Mapping) else ""
        lacks = "no caption" if alt else "no caption, no text for readers who cannot see it"
        return view | {"as": "image", "src": source, "alt": alt or view["label"], "lacks": lacks}

    # ---- the record at the end

    def download(self) -> dict[str, str]:
        """The exact results as a file to take away."""
        keys = ("name", "value", "unit", "meaning")
        rows = [[name, *map(entry.get, keys[1:])] for name, entry in self.results.items()]
        stem = f"{self.result.get('notebook') or 'report'}-{self.result.get('set') or 'default'}-results"
        return {"name": formats.file_name(stem, "csv"), "text": csv_text([keys, *rows])}

    def parameters(self) -> list[dict[str, Any]]:
        """Every parameter with its value, and from ``spec`` its default, meaning and unit."""
        declared = {p.name: p for p in getattr(self.spec, "parameters", ())}
        rows = []
        for name, value in (self.result.get("parameters") or {}).items():
            line = declared.get(name)
            default = getattr(line, "default", None)
            changed = line is not None and str(default) != str(value)
            row = {"name": name, "value": value, "default": default, "changed": changed}
            rows.append(row | {k: getattr(line, k, None) or "" for k in ("meaning", "unit")})
        return rows


def clean_html(source: str) -> Markup:
    """HTML that a cell put out, down to harmless elements; what is very long stays out, for it would stop a reader."""
    pieces, depths = source.split("<"), accumulate(-1 if tag[1] else 1 for tag in _LEVEL.finditer(source))
    too_large = len(source) > _LONGEST_HTML or len(pieces) > _MOST_TAGS or max(map(len, pieces)) > _LONGEST_PIECE
    if too_large or max(depths, default=0) > _DEEPEST:
        return Markup("<p>An output of {:,} characters is left out; the notebook has it.</p>").format(len(source))

    def kept(tag: str, name: str, value: str) -> str | None:
        return value if name != "href" or re.match(r"https?://|#", value, re.IGNORECASE) else None

    rel = "noopener noreferrer external"
    return Markup(nh3.clean(source, tags=_HTML_TAGS, attributes=_HTML_ATTRIBUTES, attribute_filter=kept, link_rel=rel))


@lru_cache(maxsize=512)
def highlighted(source: str) -> Markup:
    """The code of a cell: Python, coloured, or the text of a ``%%say`` cell as it is."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    first, _, text = source.partition("\n")
    if re.match(r"%%say\b", first):
        return Markup('<span class="k">{}</span>\n{}').format(first, text)
    return Markup(_UNSTYLED.sub(r"\1", highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")))
