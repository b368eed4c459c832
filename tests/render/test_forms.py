"""Other forms of a report: what is missing is said once and clearly, the page stays, and the content is the page's."""

import re
import shutil
import zipfile
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from browser.specimen import HOSTILE, QUESTION, chart, display, notebook, result
from render.test_site import report as lay

from kbio_analysis.render import forms
from kbio_analysis.render.forms import add_forms, docx_of, opened_browser
from kbio_analysis.render.page import report_html
from kbio_analysis.render.publish import open_site


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A finished report as the renderer leaves it, with hostile text in a chart."""
    hostile = display(chart(id="hostile", alt=HOSTILE, caption=HOSTILE, source=HOSTILE))
    with open_site(tmp_path):
        page = report_html(notebook(("hostile()", [hostile])), result())
        return lay(tmp_path, "11_export_forecast", "late_target", page=page)


def test_what_is_missing_is_one_clear_problem_and_the_page_stays(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(report / "nothing"))
    monkeypatch.setenv("KBIO_CHROMIUM", str(report / "nothing"))
    before = {path: path.read_bytes() for path in report.iterdir()}
    made, problems = add_forms(report.parents[1], [report, report], ["pdf", "docx"])
    assert made == {"pdf": 0, "docx": 0}
    assert [p.split(";")[0] for p in problems] == ["no pdf: no Chromium found", "no docx: pandoc is not installed"]
    assert {path: path.read_bytes() for path in report.iterdir()} == before


def test_only_what_is_lacking_is_made_and_the_index_lists_it(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(forms, "docx_of", lambda page: made.append(page.parent.name) or b"document")
    site = report.parents[1]
    for _ in range(2):
        _, problems = add_forms(site, [report, site / "11_export_forecast" / "none"], ["docx"])
        assert (len(made), problems) == (1, [])
    assert "11_export_forecast/late_target/report.docx" in (site / "index.html").read_text()
    (report / "report.docx").unlink()
    (report / "failure.json").write_text("{}")
    add_forms(site, [report], ["docx"])
    assert len(made) == 1


def test_document_is_the_page_without_code_and_downloads(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = report / "pandoc"
    program.write_text('#!/bin/sh\ncat; echo "$SOURCE_DATE_EPOCH"\n')  # hands back what it is given
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    html, page = docx_of(report / "index.html").decode(), (report / "index.html").read_text()
    headings = [re.findall(r"<h[23][^>]*>([^<]*)<", text) for text in (html, page)]
    assert headings[0] == [text for text in headings[1] if text != "Contents"]
    assert html.count("<img ") == html.count('src="data:image/svg+xml;base64,') == 3
    assert not re.search(r'(?:src|href)="(?!data:|https?:|#)|<svg|<script|model_table\(scores\)', html)
    assert html.endswith("315532800\n")


def test_the_browser_keeps_its_sandbox_where_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api, asked, able = pytest.importorskip("playwright.sync_api"), [], [True]

    def launch(*, chromium_sandbox: bool = False, **_: object) -> object:
        asked.append(chromium_sandbox)
        if chromium_sandbox and not able:
            raise api.Error("no usable sandbox")
        return SimpleNamespace(close=lambda: None)

    (tmp_path / "chromium").write_text("")
    monkeypatch.setenv("KBIO_CHROMIUM", str(tmp_path / "chromium"))
    started = nullcontext(SimpleNamespace(chromium=SimpleNamespace(launch=launch)))
    monkeypatch.setattr(api, "sync_playwright", lambda: started)
    for expected in ([True], [True, True, False]):
        with opened_browser():
            assert asked == expected
        able.clear()


@pytest.mark.skipif(shutil.which("pandoc") is None, reason="pandoc is not installed here")
def test_document_is_written_by_pandoc(report: Path) -> None:
    assert add_forms(report.parents[1], [report], ["docx"]) == ({"docx": 1}, [])
    assert (report / "report.docx").read_bytes() == docx_of(report / "index.html")
    with zipfile.ZipFile(report / "report.docx") as file:
        text = re.sub(r"<[^>]*>", "", file.read("word/document.xml").decode())
    for words in (QUESTION, "The definitions side by side.", "Every model", "Recorded results"):
        assert words in text
