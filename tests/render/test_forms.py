"""Other forms of a report: what is missing is said once and clearly, the page stays, and the content is the page's."""

import json
import re
import shutil
import zipfile
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from browser.specimen import HOSTILE, QUESTION, chart, display, notebook, result
from nbformat import writes
from nbformat.v4 import new_code_cell

from kbio_analysis.errors import UsageError
from kbio_analysis.render import forms
from kbio_analysis.render.forms import add_forms, docx_of, opened_browser, other_forms
from kbio_analysis.render.page import report_html
from kbio_analysis.render.publish import open_site


def finished(site: Path, *cells) -> Path:
    """A finished report as the renderer leaves it."""
    with open_site(site):
        pass
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
    made, problems = add_forms(report.parents[1], [report, report], ["pdf", "docx"])
    assert made == {"pdf": 0, "docx": 0}
    assert sorted(p.split(";")[0] for p in problems) == [
        "no report.docx was made: pandoc is not installed",
        "no report.pdf was made: no Chromium found",
    ]
    assert (report / "index.html").read_bytes() == page
    assert sorted(p.name for p in report.iterdir()) == ["executed.ipynb", "index.html", "result.json"]


def test_only_what_is_lacking_is_made_and_the_index_lists_it(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(forms, "docx_of", lambda page: made.append(page.parent.name) or b"document")
    site = report.parents[1]
    for anew, total in ((False, 1), (False, 1), (True, 2)):
        _, problems = add_forms(site, [report, site / "11_export_forecast" / "none"], ["docx"], anew=anew)
        assert len(made) == total
        assert problems == []
    assert "11_export_forecast/late_target/report.docx" in (site / "index.html").read_text()
    (report / "failure.json").write_text("{}")
    add_forms(site, [report], ["docx"], anew=True)
    assert len(made) == 2


@pytest.fixture
def fake_pandoc(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hands back what it is given, and the date it was told."""
    program = tmp_path_factory.mktemp("bin") / "pandoc"
    program.write_text('#!/bin/sh\ncat; echo "$SOURCE_DATE_EPOCH"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.usefixtures("fake_pandoc")
def test_document_is_the_page_without_code_and_downloads(tmp_path: Path) -> None:
    hostile = display(chart(id="hostile", alt=HOSTILE, caption=HOSTILE, source=HOSTILE))
    folder = finished(tmp_path, new_code_cell("hostile()", outputs=[hostile]))
    html, page = docx_of(folder / "index.html").decode(), (folder / "index.html").read_text()
    headings = [re.findall(r"<h[23][^>]*>([^<]*)<", text) for text in (html, page)]
    assert headings[0] == [text for text in headings[1] if text != "Contents"]
    assert html.count("<img ") == 3
    assert "<svg" not in html
    assert html.count('src="data:image/svg+xml;charset=utf-8,%3Csvg%20xmlns=%22http') == 3
    assert "model_table(scores)" not in html
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!data:|https?:|#)', html)
    assert "var(--" not in html
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


@pytest.mark.usefixtures("fake_pandoc")
@pytest.mark.skipif(shutil.which("pandoc") is None, reason="pandoc is not installed here")
def test_document_is_written_by_pandoc(report: Path) -> None:
    assert add_forms(report.parents[1], [report], ["docx"]) == ({"docx": 1}, [])
    first = (report / "report.docx").read_bytes()
    add_forms(report.parents[1], [report], ["docx"], anew=True)
    assert (report / "report.docx").read_bytes() == first
    with zipfile.ZipFile(report / "report.docx") as file:
        text = re.sub(r"<[^>]*>", "", file.read("word/document.xml").decode())
    for words in (QUESTION, "The definitions side by side.", "Every model", "Recorded results"):
        assert words in text
