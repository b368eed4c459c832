"""The report page: what it says, what it never lets through, and that its bytes depend on its inputs only."""

import base64
import csv
import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes

import nbformat
import pytest
from browser.specimen import HOSTILE, book, chart, display, result, table
from nbformat.v4 import new_markdown_cell, new_output
from render.fixtures.built import notebook

from kbio_analysis.notebooks import MOST_PICTURE_BYTES, read_notebook
from kbio_analysis.render.formats import format_value, plain
from kbio_analysis.render.page import report_html
from kbio_analysis.render.provenance import code_hash

PIXEL = base64.b64encode(b"\x89PNG").decode()
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 5">'
    '<defs><path id="m" d="M 0 0 L 1 1"/><clipPath id="c"><rect width="9" height="4"/></clipPath></defs>'
    '<g id="unused" style="fill: none; stroke: #123456"><use xlink:href="#m" x="3"/>'
    '<path d="M 0 0 L 9 4" clip-path="url(#c)" style="stroke-width: 0.8"/></g></svg>'
)
FORBIDDEN_TAGS = {"script", "iframe", "object", "embed", "form", "base", "foreignobject", "animate", "set", "input"}
URL_ATTRIBUTES = {"href", "src", "xlink:href", "action", "formaction", "srcset", "poster", "data"}


class Reading(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.tags = html, []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def other(kind: str, data: str):
    """An output of another origin."""
    return new_output("display_data", data={"text/plain": HOSTILE, kind: data})


def said(text: str) -> list:
    return [display({"kind": "sentence", "text": text})]


BARE = {"notebook": "10_record", "set": "default", "question": "", "answer": None, "parameters": {}, "results": {}}
BARE["inputs"] = {"tables": {"exports": "ab" * 32}, "code": "cd" * 32}


def page(*cells, spec=None, **changes) -> str:
    return report_html(book("# A question?", *cells), result(**BARE | changes), spec)


def download(html: str, name: str) -> str:
    """The text of a data: address, as a browser saves it."""
    address = next(attrs["href"] for tag, attrs in Reading(html).tags if attrs.get("download") == name)
    return unquote_to_bytes(address.partition(",")[2]).decode()


def hostile_page() -> str:
    """A page with hostile text in every slot that a notebook, a table or an analyst can fill."""
    svg = SVG.replace("<g ", '<script>alert(3)</script><foreignObject><b>x</b></foreignObject><g onload="alert(4)" ')
    svg = svg.replace("</svg>", '<image href="https://evil.example/x.png"/><a href="javascript:alert(5)"/></svg>')
    svg = svg.replace("<defs>", "<defs><style>@import url(https://evil.example/x.css)</style>")
    return page(
        f"## {HOSTILE}\n\n{HOSTILE}\n\n[run](javascript:alert(6)) [file](file:///etc/passwd) <b onclick=alert(7)>x</b>",
        "![beacon](https://evil.example/p.gif) ![d](data:text/html;base64,PHNjcmlwdD4=) $<script>x</script>$",
        "$\\text{<img src=x onerror=alert(8)>}$ $\\href{javascript:alert(9)}{x}$",
        [display({"kind": kind, "text": HOSTILE}) for kind in ("answer", "answer", "sentence")],
        [display(chart(svg=svg, id=HOSTILE, alt=HOSTILE, caption=HOSTILE, source=HOSTILE, csv_name=HOSTILE))],
        [display(table(id=HOSTILE, columns=[{"label": HOSTILE, "align": HOSTILE}], rows=[[HOSTILE] * 2]))],
        [display(table(id="named", source=HOSTILE, csv=HOSTILE, csv_name=f"../../{HOSTILE}"))],
        [
            new_output("stream", name="stdout", text=HOSTILE),
            other("text/html", f"<p onclick=alert(1)>{HOSTILE}</p><iframe src=//e></iframe>"),
            other("text/markdown", HOSTILE),
            other("image/svg+xml", "<svg onload=alert(1)/>"),
            other("image/png", f'x" onerror="alert(1){HOSTILE}'),
            other("application/javascript", "alert(10)"),
            other("text/plain", HOSTILE),
            new_output("error", ename=HOSTILE, evalue=HOSTILE, traceback=[HOSTILE]),
        ],
        spec=SimpleNamespace(parameters=[SimpleNamespace(name=HOSTILE, default="d", meaning=HOSTILE, unit=HOSTILE)]),
        notebook=HOSTILE,
        set=HOSTILE,
        status=HOSTILE,
        parameters={HOSTILE: HOSTILE},
        results={HOSTILE: {"value": HOSTILE, "unit": HOSTILE, "meaning": HOSTILE}},
        inputs={"tables": {HOSTILE: HOSTILE}, "code": HOSTILE, "lock": HOSTILE, "versions": {HOSTILE: HOSTILE}},
        error={"cell": HOSTILE, "type": HOSTILE, "message": HOSTILE},
    )


@pytest.fixture(scope="module")
def hostile() -> Reading:
    return Reading(hostile_page())


def test_hostile_text_makes_no_active_element_and_no_address_but_web_links_and_data(hostile: Reading) -> None:
    assert not {tag for tag, _ in hostile.tags} & FORBIDDEN_TAGS
    assert not [name for _, attrs in hostile.tags for name in attrs if name.startswith("on") or name == "style"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile.html
    allowed = {"img": ("data:image/",), "link": ("data:,",)}
    allowed["a"] = ("#", "https://", "../../index.html", "../../go/", "data:text/csv")
    for tag, attrs in hostile.tags:
        for name in URL_ATTRIBUTES & attrs.keys():
            assert (attrs[name] or "").startswith(allowed.get(tag, "#")), (tag, attrs)
            assert "download" in attrs or tag != "a" or not attrs[name].startswith("data:")


def test_hostile_names_become_harmless_file_names_and_unique_ids(hostile: Reading) -> None:
    files = [attrs["download"] for _, attrs in hostile.tags if "download" in attrs]
    assert len(files) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.csv", name) for name in files)
    ids = [attrs["id"] for _, attrs in hostile.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name) for name in ids)
    assert "\x1b" not in hostile.html
    assert "[31m" not in plain(HOSTILE)
    assert plain("10%\r50%\rdone\r\nnext\x07") == "done\nnext"


def test_headings_skip_no_level_and_fill_the_contents() -> None:
    html = page("## Data\n\n#### Deep", "# A second top", "## Data\n\n## Results")
    levels = [int(tag[1]) for tag, _ in Reading(html).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    found = re.findall(r'<a href="#(data|deep|a-second-top|data-2|results-2)">', html)
    assert found == ["data", "deep", "a-second-top", "data-2", "results-2"]


def test_figures_and_tables_are_numbered_each_in_their_own_row() -> None:
    html = page("Text.", [display(chart(id="a")), display(table(id="x")), display(chart(id="b"))])
    assert re.findall(r'class="number">([^<]+)<', html) == ["Figure 1", "Table 1", "Figure 2"]
    assert re.findall(r'<figure class="chart" id="([^"]+)"', html) == ["fig-a", "fig-b"]


def test_result_downloads_hold_exact_values() -> None:
    results = {"growth_pct": {"value": 12.246204830937302, "unit": "%", "meaning": "Growth, required"}}
    html = page("Text.", results=results, set="low case")
    expected = 'name,value,unit,meaning\ngrowth_pct,12.246204830937302,%,"Growth, required"\n'
    assert download(html, "10_record-low-case-results.csv") == expected
    assert ">12.246</td>" in html


def test_changed_parameters_are_marked_with_their_default() -> None:
    declared = [SimpleNamespace(name="year", default=2030, meaning="Target year", unit=None)]
    declared += [SimpleNamespace(name="seed", default=20260831, meaning="Seed", unit=None)]
    parameters = {"year": 2032, "seed": 20260831}
    html = page("Text.", spec=SimpleNamespace(parameters=declared), parameters=parameters, changed={"year": 2032})
    assert html.count('<span class="chip">changed</span>') == 1
    assert "default 2030" in html
    assert ">20260831</td>" in html
    assert "1 of 2 parameters changed" in html


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (11386.98, "US$ million", "11,387"), (12.246204830937302, "% a year", "12.246"), (2031, "year", "2031"),
        (-2.5, "%", "\N{MINUS SIGN}2.5"), (3.2e-7, "p-value", "3.2e-07"), (True, "", "yes"), (None, "", "none"),
    ],
)  # fmt: skip
def test_results_are_written_for_readers(value: object, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


def test_layout_language_and_the_records_that_were_read_reach_the_page() -> None:
    spec = SimpleNamespace(parameters=(), layout="brief", lang="ko")
    html = page("글.", spec=spec, inputs={"tables": {}, "reports": {"11_other": "a" * 64}})
    assert '<body class="report brief">' in html
    assert '<html lang="ko">' in html
    assert re.search(r"Record of <a[^>]*>11_(?:<wbr>)?other</a></dt><dd><code>a{12}</code>", html)


# ---- prose in cells, folded code, anchors, and outputs without our payload


def test_the_code_of_a_section_is_one_fold_behind_what_its_cells_show() -> None:
    html = page("## Data", [], said("First."), [display(chart())], said("Last."), "More prose.", [], "## Next", [])
    assert html.count("<details") == 2
    body = html[html.index("<main") :]
    places = [body.index(words) for words in ("First.", "<img", "Last.", "More prose.", "<details", "Next</h2>")]
    assert places == sorted(places)
    assert '<summary>Code<span class="quiet">, cells 1 to 5</span></summary>' in body


FILES_BESIDE = {
    "at/in/fig.png": b"\x89PNG\r\n\x1a\none",
    "at/in/그림.svg": SVG.encode(),
    "at/in/big.png": b"\x89PNG\r\n\x1a\n" + b"0" * MOST_PICTURE_BYTES,
    "at/in/note.txt": b"no picture",
    "out.png": b"\x89PNG\r\n\x1a\nout",
}


ANSWERED = [display({"kind": "answer", "text": "It **will**."}), display({"kind": "record", "name": "n", "value": 1})]
LINKED = [{"label": "Report", "reports": True}, {"label": "Where"}, {"label": "Named", "links": True}]
ROWS = [["11_other", "https://example.org/a", "The office https://example.org/b"], ["none", "", "no address"]]
WEB = 'rel="noopener noreferrer external"'


@pytest.mark.parametrize(
    ("cells", "has", "lacks"),
    [
        (["Text.", ANSWERED, said("Later.")], ['<div class="lead">It <strong>will</strong>.', "Later."], ["<p>It <st"]),
        (["## Answer", ANSWERED, "## Data", [display(chart())]], ['id="data"'], ['id="answer"']),
        (["## Answer", ANSWERED], [], ['id="answer"']),
        (["## Answer\n\nIn words.", ANSWERED, "## Data"], ['id="answer"'], []),
        (["## Answer", [*ANSWERED, display(chart())]], ['id="answer"'], []),
        (["Let $x_0 < 1$."], ["<math ", "<msub><mi>x</mi><mn>0</mn></msub>", "<mo>&lt;</mo>"], []),
        (["$$g = m$$"], ['<math display="block"'], []),
        (["- item\n\n  $$z$$"], ['<math display="block"'], []),
        (["from $5.8bn to $11.6bn", "US$ a and US$ b"], ["from $5.8bn to $11.6bn", "US$ a and US$ b"], ["<math"]),
        (["a \\$x\\$ b", said("US\\$5bn, not \\*US\\$9bn.")], ["a $x$ b", "US$5bn, not *US$9bn."], ["<math"]),
        ([said("A.\n\n- one")], ["<p>A.</p>", "<li>one</li>"], []),
        (["## Main result\n\n[a](#Main-Result)"], ['id="main-result"', '<a href="#main-result">a</a>'], []),
        (
            ["## 수출 전망\n\n[a](#수출-전망) [b](#gone)"],
            ['id="수출-전망"', '<a href="#수출-전망">a<', '"#gone">b'],
            [],
        ),
        (["Text <!-- aside --> a <b>b</b>"], ["a &lt;b&gt;b&lt;/b&gt;"], ["aside"]),
        ([[other("text/html", "<style>td{}</style><table><td onclick=x>1</td></table>")]], ["<td>1</td>"], ["td{}"]),
        ([[display(chart(svg=SVG))]], ['alt="Exports rise from', ' width="15" height="8">'], []),
        ([[display(chart(svg=["x"]))]], ["<pre"], ["<img"]),
        ([[other("image/png", PIXEL)]], [f'<img src="data:image/png;base64,{PIXEL}" alt="Figure 1">'], []),
        ([[other("image/png", PIXEL)]], ["This figure has no caption, no text for readers who cannot see it"], []),
        ([[display(table(columns=LINKED, rows=ROWS))]], ['<a href="../../go/11_other.html">11_<wbr>other</a>'], []),
        ([[display(table(columns=LINKED, rows=ROWS))]], [f'<a href="https://example.org/a" {WEB}>https://example'], []),
        ([[display(table(columns=LINKED, rows=ROWS))]], [f'<a href="https://example.org/b" {WEB}>The office</a>'], []),
        ([[display(table(columns=LINKED, rows=ROWS))]], ["none</th><td></td><td>no address</td>"], []),
    ],
)
def test_cells_are_set_as_they_should(cells: list, has: list[str], lacks: list[str]) -> None:
    html = page(*cells)
    assert [part for part in has if part not in html] == []
    assert [part for part in lacks if part in html] == []


def test_a_picture_in_or_beside_the_notebook_travels_and_no_other_file_does(tmp_path: Path) -> None:
    for name, content in FILES_BESIDE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(content)
    names = ["in/fig.png", "in/%EA%B7%B8%EB%A6%BC.svg", "../out.png", "in/big.png", "in/note.txt", "in/none.png"]
    (tmp_path / "at" / "10_a.ipynb").write_bytes(notebook(prose=" ".join(f"![{name}]({name})" for name in names)))
    source = read_notebook(tmp_path / "at" / "10_a.ipynb")
    executed = nbformat.reads(source, 4)
    executed.cells.append(new_markdown_cell("![a](attachment:a.png)", attachments={"a.png": {"image/png": PIXEL}}))
    html = report_html(executed, result(**BARE))
    assert re.findall(r"The picture (\S+) is not shown", html) == names[2:]
    shown = re.findall(r'<img src="data:image/([a-z+]+);base64,([^"]*)"', html)
    files = [("png", FILES_BESIDE["at/in/fig.png"]), ("svg+xml", SVG.encode()), ("png", b"\x89PNG")]
    assert [(kind, base64.b64decode(coded)) for kind, coded in shown] == files
    (tmp_path / "at/in/fig.png").write_bytes(b"\x89PNG\r\n\x1a\nother")
    assert code_hash("", read_notebook(tmp_path / "at" / "10_a.ipynb")) != code_hash("", source)


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", name="stdout", text="x" * 400_000),
        new_output("stream", name="stdout", text="10%\r" * 100_000),
        new_output("stream", name="stdout", text="\x1b]\x1b[" * 100_000),
        other("text/html", "<style" * 60_000 + "<div>" * 10_000),
        other("text/html", "<a " + "x=1 " * 50_000 + ">" + "<!--" * 50_000),
        other("text/html", "<div>" * 15_000),
        other("text/html", f"<p {' '.join(f'a{i}=b' for i in range(60_000))}>"),
        other("text/markdown", "[" * 50_000 + "$a " * 20_000),
        display(chart(svg='<svg viewBox="0 0 1' * 100_000)),
        display(table(source="http://a.. " * 20_000, caption="<" * 200_000)),
    ],
)
def test_no_output_takes_more_than_its_length(output, alarm) -> None:
    page("Text.", [output])


def test_a_csv_from_a_notebook_holds_no_formula_and_no_bare_carriage_return() -> None:
    text = 'name,value\n"=cmd|\' /C calc\'!A0",-1.5\n"a\rb",2\n@x,\n"Côte d\'Ivoire, 한국",5%25+#&<>\n'
    html = page("T.", [display(chart(csv=text))], [display(table(csv="a,b\r\n1,2\r\n"))])
    rows = list(csv.reader(io.StringIO(download(html, "fan.csv"), newline="")))
    assert rows[:4] == [["name", "value"], ["'=cmd|' /C calc'!A0", "-1.5"], ["a b", "2"], ["'@x", ""]]
    assert rows[4:] == [["Côte d'Ivoire, 한국", "5%25+#&<>"]]
    assert download(html, "scores.csv") == "a,b\n1,2\n"


def test_every_figure_and_table_says_where_its_code_and_tables_are() -> None:
    executed = book("# A question?", [], [display(chart())], [display(table())])
    executed.cells[1]["metadata"]["tags"] = ["injected-parameters"]
    executed.cells[2]["metadata"]["kbio"] = {"tables": ["exports"]}
    executed.cells[3]["metadata"]["kbio"] = {"tables": list("abcdef")}
    html = report_html(executed, result(**BARE))
    found = re.findall(r'<span class="origin">Code: notebooks/10_<wbr>record.ipynb, cell (.*?)</span>', html)
    assert found == ["1; table data/tables/exports", "2; tables data/tables/a, b, c, d and 2 more"]
    assert ">data/tables/exports</span>" in html  # under Provenance, with its hash
