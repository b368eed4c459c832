"""What a report page is made of, before it is set: title, lead, numbered charts and tables, results, parameters."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape
from nbformat import NotebookNode

from kbio_analysis.render import page_prose as prose
from kbio_analysis.render.outputs import MIME
from kbio_analysis.render.page_charts import inline_svg
from kbio_analysis.render.page_values import as_csv, data_uri, file_name, is_base64, plain, slug

STATUS_WORDS = {"ok": "Complete", "failed": "Failed", "killed": "Killed", "timed_out": "Timed out"}

_RESERVED_IDS = ("main", "contents", "results", "parameters", "provenance")


def _hollow_heading(cells: Sequence[NotebookNode]) -> str | None:
    """The id of the heading that has nothing to stand over once the first answer has moved up to lead the page."""
    heading, shown, leads, answered = None, 0, False, False
    for cell in cells:
        if cell.cell_type == "markdown":
            if leads and not shown:
                return heading
            lone = re.fullmatch(r"#{2,6} [^\n]+", cell.source.strip())
            heading, shown, leads = (cell.get("id") if lone else None), 0, False
        for output in cell.get("outputs", ()):
            payload = output.get("data", {}).get(MIME)
            kind = payload.get("kind") if isinstance(payload, Mapping) else None
            first = kind == "answer" and not answered
            leads, answered = leads or first, answered or first
            shown += not first and kind != "record"
    return heading if leads and not shown else None


class Page:
    """What the template asks for while it walks the notebook: numbering, headings, and views of outputs."""

    def __init__(self, executed: NotebookNode, result: Mapping[str, Any], spec: Any) -> None:
        self.result = result
        self.spec = spec
        self.layout = getattr(spec, "layout", None)
        self.headings: list[dict[str, Any]] = []
        self.title: Markup | None = None
        self.lead: Markup | None = None
        self._records: dict[str, dict[str, Any]] = {}
        self._ids = set(_RESERVED_IDS)
        self._counts = {"Figure": 0, "Table": 0, "Output": 0}
        self._hollow = _hollow_heading(executed.cells)
        self._level = 1
        self._code_cells = 0
        self.status = STATUS_WORDS.get(str(result.get("status")), str(result.get("status", "unknown")))

    # ---- prose

    def prose(self, cell: NotebookNode) -> Markup:
        """A Markdown cell; its headings enter the contents and its first H1 becomes the page's title."""
        if self._hollow is not None and cell.get("id") == self._hollow:
            return Markup("")
        return prose.markdown(cell.source, self._heading, cell.get("attachments"))

    def _heading(self, text: str, level: int) -> str:
        if level == 1 and self.title is None:
            self.title = Markup(text)
            return ""
        self._level = max(2, min(level, self._level + 1))
        words = prose.strip_tags(text)
        anchor = self._id(slug(words))
        self.headings.append({"level": self._level, "id": anchor, "text": words})
        return f'<h{self._level} id="{anchor}">{text}</h{self._level}>\n'

    def heading_text(self) -> Markup:
        """The page's title: the notebook's H1, else the question or name on record."""
        fallback = self.result.get("question") or self.result.get("title") or self.result.get("notebook") or "Report"
        return self.title if self.title is not None else escape(fallback)

    def title_text(self) -> str:
        return prose.strip_tags(str(self.heading_text()))

    def lead_text(self) -> Markup | None:
        if self.lead is None and self.result.get("answer"):
            return prose.paragraph(str(self.result["answer"]))
        return self.lead

    def _id(self, wanted: str) -> str:
        anchor, n = wanted, 1
        while anchor in self._ids:
            n += 1
            anchor = f"{wanted}-{n}"
        self._ids.add(anchor)
        return anchor

    # ---- code cells and their outputs

    def next_code_cell(self) -> int:
        """The number of the code cell that is being set, as error messages and logs count them."""
        self._code_cells += 1
        return self._code_cells

    def view(self, output: NotebookNode) -> dict[str, Any]:
        """What the template shows for one output: ``{"as": macro name, ...}``."""
        kind = output.output_type
        if kind == "stream":
            return {"as": "stream", "text": plain(output.text), "name": output.name}
        if kind == "error":
            trace = plain("\n".join(output.traceback))
            message = plain(output.evalue)
            return {"as": "error", "type": output.ename, "message": message, "trace": trace}
        payload = output.data.get(MIME)
        if isinstance(payload, Mapping) and (view := self._structured(payload)):
            return view
        return self._ordinary(output.data)

    def _structured(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The view of a kbio output; None when it is not one that this page knows, so that its fallback is shown."""
        kind, words = payload.get("kind"), payload.get("text")
        if kind == "record" and isinstance(payload.get("name"), str):
            self._records[payload["name"]] = dict(payload)
            return {"as": "nothing"}
        if kind == "answer" and isinstance(words, str) and self.lead is None:
            self.lead = prose.paragraph(words)
            return {"as": "nothing"}
        if kind in ("answer", "sentence") and isinstance(words, str):
            return {"as": "words", "html": prose.markdown(words)}
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
            "id": self._id(f"{'fig' if label == 'Figure' else 'table'}-{slug(name)}"),
            "caption": str(payload.get("caption") or ""),
            "source": str(payload.get("source") or ""),
        }
        if isinstance(payload.get("csv"), str):
            view["csv"] = {"name": file_name(str(payload.get("csv_name") or name), "csv"), "text": payload["csv"]}
        return view

    def _chart(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        view = self._numbered("Figure", payload)
        alt, n = str(payload.get("alt") or view["caption"] or view["label"]), self._counts["Figure"]
        narrow = payload.get("svg_narrow")
        narrow = narrow if isinstance(narrow, str) else None
        wide_class = "wide" if narrow else "only"
        view["wide"] = inline_svg(payload["svg"], prefix=f"f{n}w", alt=alt, css_class=wide_class)
        view["narrow"] = narrow and inline_svg(narrow, prefix=f"f{n}n", alt=alt, css_class="narrow")
        return view | {"as": "chart", "alt": alt}

    def _table(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        columns = [
            {"label": str(c.get("label", "")), "number": c.get("align") == "right", "reports": bool(c.get("reports"))}
            for c in payload["columns"]
            if isinstance(c, Mapping)
        ]
        rows = [[str(cell) for cell in row] for row in payload.get("rows", ()) if isinstance(row, Sequence)]
        view = self._numbered("Table", payload)
        return view | {"as": "table", "columns": columns, "rows": rows, "row_header": bool(payload.get("row_header"))}

    def _ordinary(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """An output of any other origin, richest harmless form first."""
        if "text/html" in data:
            self._counts["Output"] += 1
            return {"as": "html", "html": Markup(data["text/html"]), "label": f"Output {self._counts['Output']}"}
        if "text/markdown" in data:
            return {"as": "words", "html": prose.markdown(data["text/markdown"])}
        alt = plain(str(data.get("text/plain", "")))
        if "image/svg+xml" in data:
            return {"as": "image", "src": data_uri(data["image/svg+xml"], "image/svg+xml"), "alt": alt}
        for kind in ("image/png", "image/jpeg"):
            if kind in data and is_base64(data[kind]):
                return {"as": "image", "src": f"data:{kind};base64,{''.join(data[kind].split())}", "alt": alt}
        if "text/latex" in data:
            return {"as": "words", "html": prose.markdown(data["text/latex"])}
        return {"as": "stream", "text": alt, "name": "stdout"} if alt else {"as": "nothing"}

    # ---- the record at the end

    def results(self) -> list[dict[str, Any]]:
        """The headline results: as recorded in ``result``, else as the cells emitted them."""
        recorded = self.result.get("results") or self._records
        return [{"name": name, **entry} for name, entry in recorded.items()]

    def results_json(self) -> str:
        entries = {r["name"]: {k: r.get(k) for k in ("value", "unit", "meaning")} for r in self.results()}
        return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"

    def results_csv(self) -> str:
        header = ("name", "value", "unit", "meaning")
        return as_csv(header, [[r.get(k) for k in header] for r in self.results()])

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

    def stem(self) -> str:
        return f"{self.result.get('notebook') or 'report'}-{self.result.get('set') or 'default'}"

    def results_names(self) -> dict[str, str]:
        return {kind: file_name(f"{self.stem()}-results", kind) for kind in ("json", "csv")}
