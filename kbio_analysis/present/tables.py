"""Frames as tables: formatted cells to read, the full-precision frame beside them to download."""

from collections.abc import Callable, Mapping
from html import escape

import pandas as pd

from kbio_analysis.present.outputs import show


def table(
    frame: pd.DataFrame,
    *,
    id: str,
    caption: str,
    source: str,
    formats: Mapping[str, str | Callable[[object], str]] | None = None,
    missing: str = "–",
    reports: str | None = None,
) -> None:
    """Show ``frame`` as a table whose first column heads its rows.

    Column names are shown as they are. ``formats`` maps a column to a format specification (``",.0f"``) or to a
    function; numeric columns are right-aligned. The CSV beside the table holds the frame unrounded. ``reports`` is the
    column whose cells name notebooks: the page links each to that notebook's default report.
    """
    formats = formats or {}
    columns = [
        {
            "label": str(c),
            "align": "right" if pd.api.types.is_numeric_dtype(frame[c]) or c in formats else "left",
        }
        | ({"reports": True} if c == reports else {})
        for c in frame.columns
    ]
    cells = [[_cell(v, formats.get(c), missing) for v in frame[c]] for c in frame.columns]
    rows = [list(r) for r in zip(*cells, strict=True)]
    payload = {
        "kind": "table",
        "id": id,
        "caption": caption,
        "columns": columns,
        "rows": rows,
        "row_header": True,
    }
    payload |= {
        "source": source,
        "csv": frame.to_csv(index=False, lineterminator="\n"),
        "csv_name": f"{id}.csv",
    }
    show(payload, {"text/html": _html(columns, rows, caption), "text/plain": frame.to_string(index=False)})


def _cell(value: object, spec: str | Callable[[object], str] | None, missing: str) -> str:
    if pd.isna(value):
        return missing
    if callable(spec):
        return spec(value)
    text = format(value, spec) if spec else str(value)
    return text.replace("-", "−", 1) if spec and text.startswith("-") else text


def _html(columns: list[dict[str, str]], rows: list[list[str]], caption: str) -> str:
    """The plain HTML that JupyterLab shows; the page builds its own table from the structured form."""
    head = "".join(f'<th scope="col">{escape(c["label"])}</th>' for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(v)}</td>" for v in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
