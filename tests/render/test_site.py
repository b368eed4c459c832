"""The index: every report listed truly, whatever lies in the folders, in files that are whole and repeatable."""

import json
import re
import shutil
from html import escape
from pathlib import Path

import pytest
from render.fixtures.built import HOSTILE, words_of

from kbio_analysis.errors import UsageError
from kbio_analysis.render.results import read_reports
from kbio_analysis.render.site import rehearse, search_index, write_site


def report(
    site: Path, notebook: str, set_name: str, *, page: str = "<p>page</p>", failure: dict | None = None, **changes
) -> Path:
    """Lay one report below ``site``; keyword arguments replace fields of its result. Without a page it never was."""
    folder = site / notebook / set_name
    folder.mkdir(parents=True)
    content = {"notebook": notebook, "set": set_name, "status": "ok", "question": f"Question of {notebook}?"}
    content |= {"answer": f"Answer of US$ {set_name}.", "parameters": {"year": 2030}}
    content |= {"seconds": 1.0, "error": None} | changes
    usual = content["parameters"] if set_name == "default" else {"year": 2030, "kept": 1}
    content["changed"] = {n: v for n, v in content["parameters"].items() if v != usual.get(n)}
    if page:
        (folder / "index.html").write_text(page, encoding="utf-8")
        (folder / "result.json").write_text(json.dumps(content))
    if failure is not None:
        (folder / "failure.json").write_text(json.dumps(content | {"status": "failed"} | failure))
        (folder / "log.txt").write_text("log")
    return folder


def index(site: Path) -> str:
    write_site(site)
    return (site / "index.html").read_text(encoding="utf-8")


def listing(site: Path) -> dict:
    return json.loads((site / "index.json").read_text(encoding="utf-8"))


def test_reports_are_grouped_by_question_with_the_default_set_first(tmp_path: Path) -> None:
    for name, set_name in (("b", "z"), ("b", "default"), ("a", "default"), ("b", "a")):
        report(tmp_path, name, set_name)
    html = index(tmp_path)
    order = [f"{place}/index.html" for place in ("a/default", "b/default", "b/a", "b/z")]
    assert re.findall(r'<a href="([^"]+/index.html)"', html) == order
    assert re.findall(r"<h3[^>]*><a[^>]*>(Question[^<]*)<", html) == ["Question of a?", "Question of b?"]
    assert re.findall(r"<h2[^>]*>(Question[^<]*)<", html) == ["Question of b?"]
    assert "Answer of US$ default." in html


def test_failures_come_first_and_keep_the_good_page(tmp_path: Path) -> None:
    error = {"cell": 4, "type": "DataError", "message": "table is missing"}
    report(tmp_path, "a", "default")
    report(tmp_path, "b", "late", failure={"error": error})
    report(tmp_path, "b", "never", page="", failure={"status": "timed_out", "error": error})
    html = index(tmp_path)
    late = listing(tmp_path)["reports"][1]
    assert (late["changed"], late["page"], late["log"]) == ({}, "b/late/index.html", "b/late/log.txt")
    assert html.index("Cell 4, DataError: table is missing") < html.index("Question of a?")
    assert '<a href="b/late/index.html">' in html
    assert '<a href="b/late/log.txt">' in html
    assert '<a href="b/never/index.html">' not in html
    assert listing(tmp_path)["totals"] == {"reports": 3, "notebooks": 2, "ok": 1, "failed": 1, "timed_out": 1}


UNREADABLE = (b"", b"{", b"[]", b"\xff\xfe", b'{"parameters": [1]}', b'{"error": "text"}', b'{"results": []}')
UNREADABLE += (b'{"parameters": {"a": NaN}}', b'{"answer": "\\ud800"}')


def test_unreadable_results_are_listed_as_broken(tmp_path: Path) -> None:
    report(tmp_path, "a", "default")
    for number, content in enumerate(UNREADABLE):
        (report(tmp_path, "a", f"bad-{number}") / "result.json").write_bytes(content)
    assert index(tmp_path).count("Unreadable record") >= len(UNREADABLE)
    assert listing(tmp_path)["totals"] == {"reports": 10, "notebooks": 1, "ok": 1, "broken": len(UNREADABLE)}


def test_same_reports_give_the_same_bytes_whatever_they_took(tmp_path: Path) -> None:
    names = [("b", "x"), ("a", "default"), ("b", "default"), ("a", "y")]
    for site, order, seconds in (("one", names, 1.0), ("two", names[::-1], 9.0)):
        for notebook, set_name in order:
            report(tmp_path / site, notebook, set_name, seconds=seconds)
        write_site(tmp_path / site)
    for name in ("index.html", "index.json", "results.csv", "results.parquet", "batches/a.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_hidden_folders_and_leftovers_are_no_reports(tmp_path: Path) -> None:
    report(tmp_path, "a", "default")
    report(tmp_path, ".kbio", "aside")
    report(tmp_path, "a", ".default.new")
    (tmp_path / "a" / "empty").mkdir()
    index(tmp_path)
    assert listing(tmp_path)["totals"]["reports"] == 1
    made = {"index.html", "index.json", "results.csv", "results.parquet"}
    assert {p.name for p in tmp_path.iterdir()} == {".kbio", "a", "go"} | made


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A site with two sets of a notebook, and all that is made of them."""
    for set_name in ("default", "late"):
        report(tmp_path / "site", "a", set_name, results={"n": {"value": 1, "unit": "", "meaning": ""}})
    write_site(tmp_path / "site")
    return tmp_path / "site"


def test_nothing_is_written_while_nothing_changes(whole: Path) -> None:
    made = {p: p.stat().st_mtime_ns for p in whole.rglob("*") if p.is_file()}
    write_site(whole)
    assert {p: p.stat().st_mtime_ns for p in whole.rglob("*") if p.is_file()} == made


@pytest.mark.parametrize(
    "name", ["index.html", "index.json", "results.csv", "results.parquet", "batches/a.html", ".kbio/site.json"]
)
def test_a_damaged_file_of_the_site_is_repaired(whole: Path, name: str) -> None:
    path, elsewhere = whole / name, whole.parent / "elsewhere"
    content = path.read_bytes()
    elsewhere.write_bytes(b"another's")
    for harm in ("cut", "emptied", "gone", "linked"):
        path.unlink()
        if harm == "linked":
            path.symlink_to(elsewhere)
        elif harm != "gone":
            path.write_bytes(content[: len(content) // 2 if harm == "cut" else 0])
        write_site(whole)
        assert path.read_bytes() == content, harm
        assert not path.is_symlink()
    assert elsewhere.read_bytes() == b"another's"


def test_pages_of_what_is_gone_go_too_and_what_is_not_on_the_site_s_list_is_left_alone(whole: Path) -> None:
    (whole / "batches" / "mine.html").write_text("mine")
    shutil.rmtree(whole / "a" / "late")
    assert "batches/" not in index(whole)
    assert [path.name for path in (whole / "batches").iterdir()] == ["mine.html"]


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site file of a made-up repository."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "reports").mkdir()
    monkeypatch.setenv("KBIO_NOTEBOOKS", str(tmp_path / "notebooks"))
    return tmp_path / "reports" / "site.yml"


def test_the_index_opens_with_question_answers_and_the_map_by_topic(front: Path, tmp_path: Path) -> None:
    front.write_text(
        "title: A </title> & B\nquestion: Will it?\nanswers: [20_b, 10_a, 99_gone]\ntopics: {1: First, 2: Then}"
    )
    site = tmp_path / "site"
    dated = {"inputs": {"newest": "2026-03-05"}}
    for name, more in (("10_a", {"parameters": {"as_of": "2026-08-31"}}), ("20_b", dated), ("21_c", {})):
        report(site, name, "default", answer=f"Answer {name}.", **more)
    report(site, "00_all", "default", inputs={"reports": {"10_a": "", "20_b": "", "77_gone": "", "../x": ""}})
    html = index(site)
    words = words_of(html)
    assert "<title>A &lt;/title&gt; &amp; B</title>" in html
    assert "Will it? Answer 20_b. Question of 20_b? Answer 10_a. Question of 10_a?" in words
    assert [m for m in re.findall(r"<h2[^>]*>([^<]*)<", html) if m != "In the text"] == ["Reports", "First", "Then"]
    assert "00_all as of 31 August 2026 Question of 00_all? Answer of US$ default. Rests on 10_a 20_b" in words
    assert "20_b figures to 5 March 2026 Question of 20_b? Answer 20_b. Read by 00_all" in words
    assert 'id="20_b"' in html


def test_a_wrong_site_file_is_named(front: Path, tmp_path: Path) -> None:
    for text in ("title: [a]", "- a", "titel: x", "topics: {1: [a]}", "title: 'open", "answers: x"):
        front.write_text(text)
        with pytest.raises(UsageError, match=r"site\.yml"):
            write_site(tmp_path)


def test_ways_lead_to_the_neighbours_and_never_nowhere(tmp_path: Path) -> None:
    def leads(name: str) -> str:
        return re.search(r'url=([^"]*)"', (tmp_path / "go" / f"{name}.html").read_text())[1]

    report(tmp_path, "10_a", "default", inputs={"reports": {"12_c": ""}})
    report(tmp_path, "10_a", "late", batch="Odd & name")
    write_site(tmp_path)
    assert leads("10_a-next") == leads("10_a-previous") == "../index.html#10_a"
    assert leads("12_c") == "../index.html#12_c", "a report that is not here"
    assert (
        leads("10_a-scenarios")
        == leads("batch-Odd-name")
        == f"../batches/{next((tmp_path / 'batches').iterdir()).name}"
    )
    report(tmp_path, "12_c", "default")
    report(tmp_path, "11_b", "only_a_set")
    write_site(tmp_path)
    assert leads("10_a-next") == leads("11_b-next") == leads("12_c") == "../12_c/default/index.html"
    assert leads("12_c-previous") == leads("11_b-previous") == "../10_a/default/index.html"
    shutil.rmtree(tmp_path / "11_b")
    write_site(tmp_path)
    assert not list((tmp_path / "go").glob("11_b*"))


PAPER = """<style>p {}</style><nav><p>Menu</p></nav><h1>A paper?</h1><p>Lead &amp; <b>more</b>.</p>
<h2 id="data">Data</h2><p>바이오 수출은 두 배.</p><details class="code"><summary>Code</summary><p>hidden</p>
</details><figure class="chart" id="fig-1"><img alt="drawn">
<figcaption>Figure 1 Sales.</figcaption></figure>
<table><caption>Table 1</caption><thead><tr><th>Head</th></tr></thead>
<tr><th>Name<code>id</code></th><td>5</td></tr></table><h2 id="provenance">Provenance</h2><p>hashes</p>"""


def test_the_search_index_has_what_a_reader_sees_once_and_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("default", "late", "later"):
        report(tmp_path, "a", name, page=PAPER.replace("Lead", f"Lead of {name}"))
    reports = read_reports(tmp_path)
    found = search_index(reports)
    assert ([name for name, _ in found["reports"]], found["left_out"]) == (["a", "a/late", "a/later"], 0)
    assert [p[1:] for p in found["passages"] if p[0] == 0] == [
        ("", "A paper?", ""),
        ("", "A paper?", "Lead of default & more."),
        ("data", "Data", ""),
        ("data", "Data", "바이오 수출은 두 배."),
        ("fig-1", "Data", "Figure 1 Sales."),
        ("fig-1", "Data", "Table 1"),
        ("fig-1", "Data", "Name id \N{MIDDLE DOT} 5"),
    ]
    assert [p[3] for p in found["passages"] if p[0]] == ["Lead of late & more.", "Lead of later & more."]
    monkeypatch.setattr("kbio_analysis.render.site.MOST_CHARACTERS", 100)
    assert search_index(reports) == {"reports": [], "passages": [], "left_out": 3}


def test_what_pages_need_is_made_ready_before_there_is_a_report() -> None:
    rehearse()


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    hostile = {"question": HOSTILE, "answer": HOSTILE, "parameters": {HOSTILE: HOSTILE}}
    report(tmp_path, "a", "default", page=f"<h1>x</h1><p>{escape(HOSTILE)}</p>", **hostile)
    failure = {"error": {"cell": HOSTILE, "type": HOSTILE, "message": HOSTILE}}
    report(tmp_path, "a", "b<i>'\"&", failure=failure, **hostile)
    html = index(tmp_path)
    assert (html.count("<script>"), html.count("</script>"), html.count("<img"), html.count("<i>")) == (1, 2, 0, 0)
    assert "&lt;script&gt;alert(1)" in html
    assert "a/b%3Ci%3E%27%22%26/index.html" in html
    assert HOSTILE in [p[3] for p in json.loads(re.search(r'id="texts">(.*?)</script>', html)[1])["passages"]]
