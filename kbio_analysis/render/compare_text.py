"""A comparison for the terminal: aligned text on a pipe, the same as a table with weight and colour on a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from kbio_analysis.render.compare import Comparison
from kbio_analysis.render.page_values import plain
from kbio_analysis.render.progress import say

Row = tuple[str, ...]


def show(comparison: Comparison) -> None:
    """Print the comparison to standard output."""
    if sys.stdout.isatty():
        _show_rich(comparison)
    else:
        say(as_text(comparison))


def as_text(comparison: Comparison) -> str:
    """The comparison in columns of spaces, one line a parameter or result."""
    header, parameters, results = _header(comparison), list(_parameters(comparison)), list(_results(comparison))
    rows = [header, *parameters, *results]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [_aligned(header, widths)]
    if parameters:
        lines += ["", "parameters that differ", *(_aligned(row, widths) for row in parameters)]
    lines += ["", "results", *(_aligned(row, widths) for row in results)]
    lines += ["", *comparison.notes] if comparison.notes else []
    return "\n".join(lines)


def _aligned(row: Row, widths: Sequence[int]) -> str:
    first, unit, *values = row
    cells = [f"{first:<{widths[0]}}", f"{unit:<{widths[1]}}"]
    cells += [f"{value:>{width}}" for value, width in zip(values, widths[2:], strict=True)]
    return "  ".join(cells).rstrip()


def _header(comparison: Comparison) -> Row:
    first, *others = (_line(name) for name in comparison.names)
    return ("", "unit", first, *(cell for name in others for cell in (name, "difference")))


def _parameters(comparison: Comparison) -> Iterator[Row]:
    for line in comparison.parameters:
        values = [_line(line.text(column)) for column in range(len(line.values))]
        yield (_line(line.name), "", values[0], *(cell for value in values[1:] for cell in (value, "")))


def _results(comparison: Comparison) -> Iterator[Row]:
    for line in comparison.results:
        others = range(1, len(line.values))
        pairs = (cell for i in others for cell in (_line(line.text(i)), line.difference_text(i)))
        yield (_line(line.name), "" if line.unit is None else _line(line.unit), _line(line.text(0)), *pairs)


def _line(text: str) -> str:
    """Untrusted text on one line, without what a terminal would obey."""
    return " ".join(plain(text).split())


def _show_rich(comparison: Comparison) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False)
    for i, name in enumerate(_header(comparison)):
        numeric = i > 1
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in _parameters(comparison):
        table.add_row(*(Text(cell, style="cyan") for cell in row))
    if comparison.parameters:
        table.add_section()
    for row, line in zip(_results(comparison), comparison.results, strict=True):
        style = "" if line.differs else "dim"
        table.add_row(*(Text(cell, style=style) for cell in row))
    console = Console()
    console.print(table)
    for note in comparison.notes:
        console.print(Text(_line(note), style="dim"))
