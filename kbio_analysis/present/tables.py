"""Frames as tables: formatted cells to read, the full-precision frame beside them to take away."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kbio_analysis.errors import UsageError, did_you_mean
from kbio_analysis.present.outputs import as_html, caption_html, show
from kbio_analysis.present.words import MISSING, formatted

SOURCES = {"id": "sources", "caption": "Sources of every figure on this page", "source": "data/tables/sources.csv"}
SOURCES |= {"links": "Address", "stack": True}
"""How a paper shows its table of sources, the last one."""

Format = str | Callable[[Any], str]
Column = str | None | Sequence[Any] | tuple[str | Sequence[Any] | None, Format]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as shown: ``frame`` holds its columns at full precision, under their headers."""

    frame: pd.DataFrame

    def xlsx(self, path: str | Path) -> None:
        """Write the frame to an Excel file, numbers as numbers; text that looks like a formula stays text."""
        with pd.ExcelWriter(
            path, engine="xlsxwriter", engine_kwargs={"options": {"strings_to_formulas": False}}
        ) as book:
            self.frame.to_excel(book, index=False)

    def _ipython_display_(self) -> None:
        """Shown once, by the call that made it."""


def table(
    frame: pd.DataFrame,
    columns: Mapping[str, Column] | None = None,
    *,
    id: str,
    caption: str,
    source: str,
    formats: Mapping[str, Format] | None = None,
    missing: str = MISSING,
    reports: str | None = None,
    links: str | None = None,
    stack: bool = False,
) -> Table:
    """Show ``frame`` as a table whose first column heads its rows.

    ``columns``: header -> a column's name, ``None`` for the index, or values of the frame's length; with a format as
    ``(column, format)``, a format specification (``",.0f"``) or a word of :mod:`~kbio_analysis.present.words`.
    Without ``columns`` all of the frame's columns are shown under their names, with ``formats`` by name. Numeric and
    formatted columns are right-aligned. ``reports`` is the header whose cells name notebooks, ``links`` the one whose
    cells are addresses, or a name and its address: the page makes links of both. ``stack``: on a narrow screen every
    row becomes a block, each cell under its header, for tables of words.

    Raises UsageError for a column that is not in the frame.
    """
    shown, how = _laid_out(frame, columns) if columns is not None else (frame, dict(formats or {}))
    heads, roles = [], {h: {role: True} for role, h in (("links", links), ("reports", reports)) if h is not None}
    for c in shown.columns:
        right = c in how or pd.api.types.is_numeric_dtype(shown[c])
        heads.append({"label": str(c), "align": "right" if right else "left"} | roles.get(c, {}))
    cells = [[formatted(v, how.get(c), missing) for v in shown[c]] for c in shown.columns]
    rows = [list(row) for row in zip(*cells, strict=True)]
    payload = {"kind": "table", "id": id, "caption": caption, "columns": heads, "rows": rows, "row_header": True}
    payload |= {"stack": True} if stack else {}
    csv = shown.to_csv(index=False, lineterminator="\n")
    payload |= {"source": source, "csv": csv, "csv_name": f"{id}.csv"}
    # The plain HTML that JupyterLab shows; the page builds its own table from the structured form.
    head = "".join(f'<th scope="col">{as_html(c["label"])}</th>' for c in heads)
    body = "".join("<tr>" + "".join(f"<td>{as_html(v)}</td>" for v in row) + "</tr>" for row in rows)
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{caption_html(caption, source)}"
    html = f"<figure>{html}</figure>"
    plain = "\n".join("\t".join(row) for row in ([c["label"] for c in heads], *rows))
    show(payload, {"text/html": html, "text/plain": plain})
    return Table(frame=shown)


def _laid_out(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[pd.DataFrame, dict[str, Format]]:
    shown, formats = {}, {}
    for header, spec in columns.items():
        what, *how = spec if isinstance(spec, tuple) else (spec,)
        if isinstance(what, str) and what not in frame:
            hint = did_you_mean(what, map(str, frame.columns)) or f"; it has {', '.join(map(str, frame.columns))}"
            raise UsageError(f"table, column {header!r}: the frame has no {what!r}{hint}")
        values = frame.index if what is None else frame[what] if isinstance(what, str) else what
        if len(values) != len(frame):
            raise UsageError(f"table, column {header!r}: {len(values)} values for {len(frame)} rows")
        shown[header] = list(values)
        if how:
            formats[header] = how[0]
    return pd.DataFrame(shown), formats
