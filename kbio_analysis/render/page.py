"""The report page: an executed notebook and its result as one self-contained HTML file.

The notebook is walked once; the template in ``templates/report`` sets it as a paper. Nothing in the page runs or
fetches: the policy in its head forbids scripts and every request, and admits one style sheet by its hash. The page is
a function of its inputs only; it names no clock, commit, machine or path.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import count, pairwise
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from kbio_analysis.render import formats
from kbio_analysis.render.outputs import MIME
from kbio_analysis.render.parameters import INJECTED, NotebookSpec
from kbio_analysis.render.results import csv_text, harmless_csv

_RESERVED_IDS = ("main", "contents", "results", "parameters", "provenance")
# The size of a drawing of ours, in points, as the page shows it.
_BOX = re.compile(r'<svg [^>]*?viewBox="0 0 (\d{1,4}(?:\.\d+)?) (\d{1,4}(?:\.\d+)?)"')
CSS_PIXELS = 1.5
_PYTHON = PythonLexer(), HtmlFormatter(nowrap=True)
# Tokens that the style sheet leaves in the colour of the text need no element of their own.
_UNSTYLED = re.compile(r'<span class="(?:n|p|o|w|nn|x|err)">([^<]*)</span>')


def report_html(executed: NotebookNode, result: Mapping[str, Any], spec: NotebookSpec | None = None) -> str:
    """The report page of an executed notebook.

    ``result`` is the content of result.json; ``spec`` the notebook's declared parameters (default, meaning and unit
    of each), without which the page shows their values only. The same inputs give the same bytes.
    """
    return formats.rendered("report/page.html.j2", page=Page(executed, result, spec))


class Page:
    """A report before it is set: title, lead, and its ``sections`` in the order of the notebook.

    A section has its ``headings``, its ``blocks`` and the ``code`` of its cells, which stands in one fold behind them.
    A block is a stream, an error or ``{"as": kind, ...}``.
    """

    def __init__(self, executed: NotebookNode, result: Mapping[str, Any], spec: NotebookSpec | None) -> None:
        self.result, self.spec = result, spec
        self.results, self.parameters = result.get("results") or {}, result.get("parameters") or {}
        self.declared = {line.name: line for line in getattr(spec, "parameters", ())}
        self.changed = result.get("changed") or {}
        self.title, self.lead = formats.paragraph(str(result.get("question") or "")), Markup("")
        self.sections: list[dict[str, Any]] = [{"headings": [], "blocks": [], "code": []}]
        self._has_title, self._level, self._ids = False, 1, set(_RESERVED_IDS)
        self._counts: Counter[str] = Counter()
        number = own = 0
        for cell in executed.cells:
            if cell.cell_type == "markdown":
                self._headings: list[dict[str, Any]] = []
                html = formats.markdown(cell.source, self._heading, cell.get("attachments")).strip()
                if self._headings:
                    self.sections.append({"headings": self._headings, "blocks": [], "code": []})
                self.sections[-1]["blocks"] += [{"as": "prose", "html": html}] if html else []
            elif cell.cell_type == "code":
                number, tags = number + 1, cell.metadata.get("tags", [])
                own += INJECTED not in tags
                self._cell = {"cell": own, "tables": (cell.metadata.get("kbio") or {}).get("tables") or ()}
                code = {"number": number, "html": highlighted(cell.source)}
                section, views = self.sections[-1], [view for output in cell.outputs if (view := self._view(output))]
                if "nbval-check-output" in tags:
                    code["views"] = views
                else:
                    section["blocks"] += views
                section["code"] += [code] if cell.source.strip() else []
        # A heading goes whose only content leads the page.
        for before, section in reversed([*pairwise(self.sections)]):
            html = [block.get("html") for block in section["blocks"]]
            if section.get("leads") and len(html) == 1 and re.fullmatch(r"<h[2-6] .*", html[0] or ""):
                before["code"] += section["code"]
                self.sections.remove(section)

    def _heading(self, text: str, level: int) -> str:
        if level == 1 and not self._has_title:
            self._has_title, self.title = True, self.title or Markup(text)
            return ""
        self._level = max(2, min(level, self._level + 1))
        title = Markup(text).striptags()
        name = self._id(formats.anchor(title))
        self._headings.append({"level": self._level, "id": name, "text": title})
        return f'<h{self._level} id="{name}">{text}</h{self._level}>\n'

    def _id(self, wanted: str) -> str:
        name = next(one for n in count(1) if (one := f"{wanted}-{n}" if n > 1 else wanted) not in self._ids)
        self._ids.add(name)
        return name

    def _view(self, output: NotebookNode) -> dict[str, Any]:
        """What the page shows of an output, empty for nothing; a payload that it does not know by its fallback."""
        if output.output_type in ("stream", "error"):
            return output
        match output.data.get(MIME):
            case {"kind": "record"}:
                return {}
            case {"kind": "answer", "text": str(text)} if not self.lead:
                self.lead, self.sections[-1]["leads"] = formats.paragraph(text), True
                return {}
            case {"kind": "answer" | "sentence", "text": str(text)}:
                return {"as": "words", "html": formats.markdown(text)}
            case {"kind": "chart", "svg": str(svg), **told}:
                view = self._numbered("Figure", told)
                size = [round(CSS_PIXELS * float(side)) for box in _BOX.findall(svg[:500])[:1] for side in box]
                return view | {"as": "figure", "lacks": False, "size": size, "src": formats.data_uri(svg, formats.SVG)}
            case {"kind": "table", "columns": list(columns), **told}:
                columns = [column for column in columns if isinstance(column, Mapping)]
                return self._numbered("Table", told) | {"as": "table", "columns": columns}
        return self._ordinary(output.data, output.get("metadata") or {})

    def _numbered(self, label: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """A chart or table as it was told, with its number, anchor, cell and the data to take away."""
        self._counts[label] += 1
        name = str(told.get("id") or self._counts[label])
        anchor = self._id(f"{'fig' if label == 'Figure' else 'table'}-{formats.anchor(name)}")
        csv = {"name": formats.file_name(str(told.get("csv_name") or name), "csv"), "text": told.get("csv")}
        csv = csv | {"text": harmless_csv(csv["text"])} if isinstance(csv["text"], str) else None
        return {**told, "label": f"{label} {self._counts[label]}", "id": anchor, "csv": csv, **self._cell}

    def _ordinary(self, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
        """An output of any other origin, richest harmless form first; a figure is numbered like ours, with a note of
        what it lacks."""
        if "text/html" in data:
            self._counts["Output"] += 1
            label = f"Output {self._counts['Output']}"
            return {"as": "html", "html": formats.clean_html(data["text/html"]), "label": label}
        for kind in (formats.SVG, "image/png", "image/jpeg"):
            image = data.get(kind, "")
            image = formats.data_uri(image, kind) if kind == formats.SVG else f"data:{kind};base64,{image}"
            if kind in data and formats.INLINE_IMAGE.fullmatch(image):
                told = metadata.get(kind)
                alt = told.get("alt") if isinstance(told, Mapping) else None
                view = {"as": "figure", "alt": alt, "lacks": True, "src": "".join(image.split())}
                return self._numbered("Figure", {}) | view
        for kind in ("text/markdown", "text/latex"):
            if kind in data:
                return {"as": "words", "html": formats.markdown(data[kind])}
        return {"output_type": "stream", "name": "stdout", "text": str(data.get("text/plain", ""))}

    def download(self) -> dict[str, str]:
        """The exact results as a file to take away."""
        keys = ("value", "unit", "meaning")
        rows = [[name, *map(entry.get, keys)] for name, entry in self.results.items()]
        stem = f"{self.result.get('notebook') or 'report'}-{self.result.get('set') or 'default'}-results"
        return {"name": formats.file_name(stem, "csv"), "text": csv_text([("name", *keys), *rows])}


@cache
def highlighted(source: str) -> Markup:
    """The code of a cell: Python, coloured, or the text of a ``%%say`` cell as it is."""
    first, _, text = source.partition("\n")
    if re.match(r"%%say\b", first):
        return Markup('<span class="k">{}</span>\n{}').format(first, text)
    return Markup(_UNSTYLED.sub(r"\1", highlight(source, *_PYTHON).rstrip("\n")))
