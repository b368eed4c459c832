"""What a site holds: every report below a folder, and all their results as one tidy table.

A report is a folder ``<notebook>/<set>/`` with ``result.json``; ``failure.json`` beside it says that its last run
failed and that the page, if there is one, is from the run before. What cannot be read is listed as broken.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, Field

from kbio_analysis.notebooks import NAME
from kbio_analysis.reading import DocumentError, read_as, read_json
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, LOG

RESULT, PAGE = "result.json", "index.html"
OTHER_FORMS = {"pdf": "report.pdf", "docx": "report.docx"}
LISTED = (RESULT, FAILURE, PAGE, LOG, *OTHER_FORMS.values())  # what of a report's files the pages of a site tell
_LATEST = ("status", "batch", "parameters", "changed", "error")  # what is of the last run, whether it failed or not
ABSENT: Any = ...  # where a report has no such parameter or result; None is a value like any other
csv.field_size_limit(2**31 - 1)
COLUMNS = ("notebook", "set", "batch", "status", "name", "value", "text_value", "unit", "meaning", "parameters")

Ranking = Sequence[str]  # the result that ranks a notebook's sets, largest first, and those shown beside it
Rankings = Mapping[str, Mapping[str, Ranking]]  # batch -> notebook -> ranking; a batch without any has an empty one

Words = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
_Whole = Annotated[int, Field(ge=-(10**300), le=10**300)]  # JSON allows more digits than a float has room for
_Real = Annotated[float, Field(allow_inf_nan=False)]


class Recorded(BaseModel, frozen=True):
    """A result as it is on record."""

    value: bool | _Whole | _Real | str | None
    unit: Words = ""
    meaning: Words = ""


class SiteReport(BaseModel, frozen=True):
    """One report of the site, in ``folder``, as its ``result.json`` and ``failure.json`` have it.

    ``parameters`` are all of the last run's, ``changed`` those that differ from the notebook's own. ``results`` and
    ``made_with``, the parameters that gave them, are those of the page in place: after a failure, of the last good run.
    ``page``, ``log`` and ``forms`` (pdf, docx) are addresses relative to the site, absent where there is no file.
    """

    notebook: str
    set: str
    batch: str | None = None
    status: str = "failed"
    question: Words = ""
    answer: str | None = None
    parameters: dict[str, Any] = {}
    changed: dict[str, Any] = {}
    results: dict[str, Recorded] = {}
    error: dict[str, Any] | None = None
    page: str | None = None
    log: str | None = None
    forms: dict[str, str] = {}
    folder: Path
    made_with: dict[str, Any] = {}
    inputs: dict[str, Any] = {}

    @property
    def label(self) -> str:
        return f"{self.notebook}/{self.set}"

    @property
    def good(self) -> bool:
        """Whether the last run ended well."""
        return self.status == "ok"

    @property
    def rests_on(self) -> list[str]:
        """The notebooks whose records it read."""
        return sorted(name for name in self.inputs.get("reports") or () if NAME.fullmatch(name))

    def html(self) -> str:
        """Its page, empty if there is none."""
        return (self.folder / PAGE).read_text(encoding="utf-8", errors="replace") if self.page else ""


def is_number(value: Any) -> bool:
    """Whether the value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def report_folders(site: Path) -> list[Path]:
    """The folders of the reports below ``site``, in order; a name that starts with . or _ is no report."""
    return sorted({path.parent for name in (RESULT, FAILURE) for path in site.glob(f"[!._]*/[!._]*/{name}")})


def read_reports(site: Path) -> list[SiteReport]:
    """The reports below ``site``, by notebook, the default set first."""
    return sorted(map(read_report, report_folders(site)), key=lambda r: (r.notebook, r.set != DEFAULT_SET, r.set))


def read_report(folder: Path) -> SiteReport:
    """One folder's report; what cannot be read becomes one that says so."""
    notebook, set_name = folder.parts[-2:]
    there = {name: f"{quote(notebook)}/{quote(set_name)}/{name}" for name in LISTED if (folder / name).is_file()}
    files = {"notebook": notebook, "set": set_name, "folder": folder, "page": there.get(PAGE), "log": there.get(LOG)}
    files["forms"] = {kind: there[name] for kind, name in OTHER_FORMS.items() if name in there}
    try:
        good, failure = (read_json((folder / n).read_bytes()) if n in there else {} for n in (RESULT, FAILURE))
        told = {name: failure.get(name) for name in ("question", "answer")}
        told |= {name: value for name, value in good.items() if value is not None}
        told |= {name: value for name, value in failure.items() if name in _LATEST}
        return read_as(SiteReport, told | {"made_with": good.get("parameters", {})} | files)
    except (OSError, DocumentError) as problem:
        error = {"cell": None, "type": "Unreadable record", "message": str(problem)}
        return SiteReport(status="broken", error=error, **files)


# ---- the tidy frame


def results_files(reports: Iterable[SiteReport]) -> dict[str, bytes]:
    """The table as both files by name; the same reports give the same bytes, with the same pyarrow.

    ``value`` holds numbers, ``text_value`` words, with true and false spelt so; both are empty where a notebook
    recorded none. A report whose last run failed has one row without a result: its old results are no row.
    """
    import pyarrow as pa
    from pyarrow import json as lines
    from pyarrow import parquet

    rows = []
    for report in reports:
        head = {name: getattr(report, name) for name in COLUMNS[:4]}
        head["parameters"] = json.dumps(report.parameters, ensure_ascii=False, sort_keys=True)
        results = report.results if report.good else {}
        for name, record in (results or {None: Recorded(value=None)}).items():
            value = str(record.value).lower() if isinstance(record.value, bool) else record.value
            held = {"value": float(value)} if is_number(value) else {"text_value": value or None}
            rows.append(head | held | {"name": name, "unit": record.unit or None, "meaning": record.meaning or None})
    types = pa.schema([(name, pa.float64() if name == "value" else pa.string()) for name in COLUMNS])
    written = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    how = {"read_options": lines.ReadOptions(block_size=len(written) + 1)}
    # By way of text: Arrow asks pandas about objects, and that takes longer than all else here.
    how["parse_options"] = lines.ParseOptions(explicit_schema=types)
    table = lines.read_json(io.BytesIO(written), **how).select(list(COLUMNS)) if rows else types.empty_table()
    parquet.write_table(table, packed := io.BytesIO(), compression="zstd")
    text = csv_text([COLUMNS, *(map(row.get, COLUMNS) for row in rows)])
    return {"results.csv": text.encode(), "results.parquet": packed.getvalue()}


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """CSV with LF line ends that says all of every value and holds nothing that a spreadsheet takes for a formula."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(map(_field, row) for row in rows)
    return buffer.getvalue()


def harmless_csv(text: str) -> str:
    """A CSV that a notebook made, as ``csv_text`` would write it."""
    return csv_text(csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", " "), newline="")))


def _field(value: Any) -> Any:
    """Numbers as they are, true and false spelt so, lists as JSON, text without a bare carriage return."""
    if value is None or value is ABSENT or is_number(value):
        return "" if value is ABSENT else value
    value = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    formula = re.match(r"\s*[=@+-]", text) and not re.fullmatch(r"[+-][\d.,]+(?:[eE][+-]?\d+)?%?", text)
    return f"'{text}" if formula else text
