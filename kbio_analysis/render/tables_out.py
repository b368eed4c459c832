"""All results of a site as one tidy table, a row for a report and a result: ``results.csv`` and ``results.parquet``.

``value`` holds numbers, ``text_value`` words, with true and false spelt so; both are empty where a notebook recorded
none. A report whose last run failed has one row without a result: its old page stays, its old results are no row.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kbio_analysis.render.entries import Entry
from kbio_analysis.render.page_values import as_csv
from kbio_analysis.render.publish import write_file

CSV_NAME, PARQUET_NAME = "results.csv", "results.parquet"
COLUMNS = (
    "notebook",
    "set",
    "batch",
    "status",
    "result",
    "value",
    "text_value",
    "unit",
    "meaning",
    "parameters",
)


def write_tables(site: Path, entries: Iterable[Entry]) -> None:
    """Write both files below ``site``, each whole or not at all; nothing is written that is there already.

    The same reports give the same bytes, with the same pyarrow.
    """
    rows = list(tidy(entries))
    text = as_csv(COLUMNS, rows).encode()
    csv_file, parquet_file = site / CSV_NAME, site / PARQUET_NAME
    if parquet_file.is_file() and csv_file.is_file() and csv_file.read_bytes() == text:
        return
    # The CSV comes last: where it is up to date, so is the other.
    write_file(parquet_file, _parquet(rows))
    write_file(csv_file, text)


def tidy(entries: Iterable[Entry]) -> Iterator[tuple[Any, ...]]:
    """The rows of the table, in the order of COLUMNS; None is an empty field."""
    for entry in entries:
        good = entry.good
        used = entry.made_with if good else entry.parameters
        parameters = json.dumps(used, ensure_ascii=False, sort_keys=True)
        results = entry.results if good and entry.results else {None: {"value": None, "unit": "", "meaning": ""}}
        for name, record in results.items():
            number, words = _split(record["value"])
            head = (entry.notebook, entry.set, entry.batch, entry.status, name, number, words)
            yield (*head, record["unit"] or None, record["meaning"] or None, parameters)


def _split(value: Any) -> tuple[float | None, str | None]:
    """The value as number or as words."""
    if isinstance(value, bool):
        return None, "true" if value else "false"
    if isinstance(value, int | float):
        return float(value), None
    return None, value or None


def _parquet(rows: list[tuple[Any, ...]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.float64() if name == "value" else pa.string()) for name in COLUMNS])
    columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()
