"""A column that names notebooks leads from one report to the other, and nowhere else."""

import re

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from kbio_analysis.render.outputs import MIME
from kbio_analysis.render.page import report_html

HOSTILE = '../../x"><script>alert(1)</script>'


def _page(cells: list[str], *, marked: bool = True) -> str:
    columns = [
        {"label": "Claim", "align": "left"},
        {"label": "In", "align": "left"} | ({"reports": True} if marked else {}),
    ]
    payload = {"kind": "table", "id": "t", "caption": "c", "columns": columns, "row_header": True, "source": "s"}
    payload |= {"rows": [["a", cell] for cell in cells], "csv": "a,b\n", "csv_name": "t.csv"}
    output = new_output("display_data", data={MIME: payload, "text/plain": "t"})
    body = [new_markdown_cell("# Why?\n"), new_code_cell("t()", outputs=[output])]
    return report_html(new_notebook(cells=body), {"notebook": "40_b", "set": "default", "status": "ok"}, None)


def _links(html: str) -> list[str]:
    return [a for a in re.findall(r'<a [^>]*href="([^"]*)"', html) if "../../" in a and "index.html" in a]


def test_a_named_notebook_is_a_link_to_its_default_report() -> None:
    assert "../../12_top_five/default/index.html" in _links(_page(["12_top_five"]))


def test_other_words_and_other_columns_are_no_links() -> None:
    plain = _links(_page([]))
    assert _links(_page(["here", "12_top_five (missing)", HOSTILE, "https://evil.example"])) == plain
    assert _links(_page(["12_top_five"], marked=False)) == plain
    assert "<script>alert" not in _page([HOSTILE])
