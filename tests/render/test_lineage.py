"""The tables behind each cell: by the lines that asked for them and the names made from them."""

from nbformat.v4 import new_code_cell, new_markdown_cell

from kbio_analysis.render.outputs import mark_tables

CELLS = (
    "import tables\nannual = tables.load('annual')\nmonthly = [\n    tables.load('monthly')\n]",
    "%%say\nWords about {{ annual }}.",
    "lines(annual, look := {'x': 1})\nsources.cite()",
    "both = {'a': annual}\nboth['b'] = monthly\nannual = 1",
    "bars(both)",
    "plain(annual)",
    "total = 0\nfor one in both:\n    total += one\ntotal",
)
LINES = [("<cell 1>", 2, "annual"), ("<cell 1>", 4, "monthly"), ("<cell 3>", 2, "sources"), ("<cell 9>", 1, "other")]


def test_tables_follow_the_names_they_were_given() -> None:
    cells = [new_markdown_cell("# Q?"), *(new_code_cell(source) for source in CELLS)]
    mark_tables(cells, LINES)
    found = [cell["metadata"].get("kbio", {}).get("tables", []) for cell in cells[1:]]
    both = ["annual", "monthly"]
    assert found == [both, [], ["annual"], both, both, [], both]


def test_a_reading_is_known_by_the_line_of_the_cell_that_asked() -> None:
    from kbio_analysis.data import tables

    exec(compile("\n\ntables.load('us_gdp')", "<cell 7>", "exec"), {"tables": tables})
    assert ("<cell 7>", 3, "us_gdp") in tables.lines_read()
