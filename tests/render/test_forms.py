"""Other forms of a report: what is missing is said once and clearly, the page stays, and the content is the page's."""

import json
import re
import shutil
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser.specimen import ANSWER, HOSTILE, QUESTION, chart, display, notebook, result
from nbformat import writes
from nbformat.v4 import new_code_cell

from kbio_analysis.errors import UsageError
from kbio_analysis.render import forms
from kbio_analysis.render.forms import add_forms, convert, other_forms
from kbio_analysis.render.page import document_html, report_html

WORD = {"w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main"}


def finished(site: Path, *cells) -> Path:
    """A finished report as the renderer leaves it."""
    folder = site / "11_export_forecast" / "late_target"
    folder.mkdir(parents=True)
    executed, content = notebook(*cells), result()
    (folder / "executed.ipynb").write_text(writes(executed), encoding="utf-8")
    (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "index.html").write_text(report_html(executed, content), encoding="utf-8")
    return folder


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return finished(tmp_path)


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without pandoc and without a browser."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("KBIO_CHROMIUM", str(tmp_path / "nothing"))


def test_forms_are_named_or_refused() -> None:
    assert other_forms(["html", "pdf", "docx", "pdf"]) == ["pdf", "docx"]
    with pytest.raises(UsageError, match="--to 'docs'; did you mean docx"):
        other_forms(["docs"])


@pytest.mark.usefixtures("bare_machine")
def test_what_is_missing_is_one_clear_problem_and_the_page_stays(report: Path) -> None:
    page = (report / "index.html").read_bytes()
    done = convert([report, report], ["pdf", "docx"])
    assert done.made == 0
    assert sorted(p.split(";")[0] for p in done.problems) == [
        "no report.docx was made: pandoc is not installed",
        "no report.pdf was made: no Chromium found",
    ]
    assert (report / "index.html").read_bytes() == page
    assert sorted(p.name for p in report.iterdir()) == ["executed.ipynb", "index.html", "result.json"]


def test_only_what_is_lacking_is_made_and_the_index_lists_it(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(forms.shutil, "which", lambda name: f"/nowhere/{name}")
    monkeypatch.setattr(forms, "docx_of", lambda folder, browser: made.append(folder.name) or b"document")
    monkeypatch.setenv("KBIO_CHROMIUM", "/nowhere")
    site = report.parents[1]
    for anew, total in ((False, 1), (False, 1), (True, 2)):
        done = add_forms(site, [report, site / "11_export_forecast" / "none"], ["docx"], anew=anew, wait_seconds=1)
        assert len(made) == total
        assert not done.problems
    assert "11_export_forecast/late_target/report.docx" in (site / "index.html").read_text()
    (report / "failure.json").write_text("{}")
    add_forms(site, [report], ["docx"], anew=True, wait_seconds=1)
    assert len(made) == 2


def test_document_has_the_content_of_the_page_without_code_and_downloads() -> None:
    hostile = display(chart(id="hostile", alt=HOSTILE, caption=HOSTILE, source=HOSTILE))
    executed = notebook(new_code_cell("hostile()", outputs=[hostile]))
    html = document_html(executed, result(), pictures={"fig-fan": "data:image/png;base64,AAAA"})
    page = report_html(executed, result())
    assert re.findall(r"<h[23][^>]*>([^<]*)<", html) == [
        t for t in re.findall(r"<h[23][^>]*>([^<]*)<", page) if t != "Contents"
    ]
    for label in ("Figure 1. ", "Figure 2. ", "Table 1. "):
        assert label in html
    assert html.count("<img ") == 3
    assert re.findall(r'<img[^>]*src="(data:image/[a-z+]+)', html).count("data:image/png") == 1
    assert "model_table(scores)" not in html
    assert "required_growth_pct  12.25" not in html
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!data:|https?:|#)', html)
    assert "var(--" not in html


def test_document_is_written_by_pandoc_where_there_is_one(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KBIO_CHROMIUM", "/nowhere")
    done = convert([report], ["docx"])
    if shutil.which("pandoc") is None:
        assert done.problems[0].startswith("no report.docx was made: pandoc is not installed")
        return
    assert done.problems == ()
    assert done.notes[0].startswith("charts in report.docx are SVG")
    first = (report / "report.docx").read_bytes()
    convert([report], ["docx"], anew=True)
    assert (report / "report.docx").read_bytes() == first
    with zipfile.ZipFile(report / "report.docx") as file:
        document = ElementTree.fromstring(file.read("word/document.xml"))
        core = file.read("docProps/core.xml").decode()
    text = "".join(document.itertext())
    for words in (QUESTION, "Figure 1. The definitions side by side.", "Table 1. Every model", "Recorded results"):
        assert words in text
    assert ANSWER.replace("**", "") in text
    described = [e.get("descr", "") for e in document.iter() if e.tag.endswith("}docPr")]
    assert described == [chart()["alt"]] * 2
    assert document.find(".//w:pgSz", WORD).get(f"{{{WORD['w']}}}w") == "11906"
    assert "data:image" not in ElementTree.tostring(document, encoding="unicode")
    assert "dcterms:created" not in core
