"""A report on paper: A4, tagged, nothing wider than the page, and the same bytes from the same page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from render.test_site import report as lay
from specimen import display, notebook, result, table

from kbio_analysis.render.forms import FIT, PAPER_WIDTH, pdf_of
from kbio_analysis.render.page import report_html

PAGE_BREAK_SLACK = 1  # CSS pixel


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    heads = [{"label": f"Column {i}", "align": "right"} for i in range(24)]
    wide = table(id="wide", caption="Wider than paper.", columns=heads, rows=[["1,234,567.8"] * 24] * 3)
    page = report_html(notebook(("wide()", [display(wide)])), result())
    return lay(tmp_path_factory.mktemp("site"), "11_export_forecast", "default", page=page)


def sheets(printed: bytes) -> int:
    """How many there are, all of them A4."""
    boxes = set(re.findall(rb"/MediaBox \[([^\]]*)\]", printed))
    assert {tuple(round(float(n)) for n in box.split()) for box in boxes} == {(0, 0, 595, 842)}
    return len(re.findall(rb"/Type /Page\b", printed))


def test_pdf_is_tagged_a4_and_names_neither_clock_nor_machine(browser: Browser, report: Path) -> None:
    printed = pdf_of(report / "index.html", browser)
    for sign in (b"%PDF-", b"/StructTreeRoot", b"/Marked true", b"/Outlines", b"/S /Figure"):
        assert sign in printed
    assert sheets(printed) > 2
    for sign in (b"CreationDate", b"ModDate", b"Linux", b"file://", str(report).encode()):
        assert sign not in printed
    assert printed == pdf_of(report / "index.html", browser)


def test_nothing_is_wider_than_the_paper_and_all_is_dark_on_light(browser: Browser, report: Path) -> None:
    context = browser.new_context(viewport={"width": PAPER_WIDTH, "height": 1000})
    page = context.new_page()
    page.emulate_media(media="print", color_scheme="dark")
    page.goto((report / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") > PAPER_WIDTH
    page.evaluate(FIT, PAPER_WIDTH)
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER_WIDTH
    for shown in page.locator("figure img:visible, main table").all():
        box = shown.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PAPER_WIDTH + PAGE_BREAK_SLACK
    assert page.locator(".download:visible, details.code:visible, .contents:visible").count() == 0
    assert page.locator("figure img:visible").count() > 0
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 33, 38)", "as on white, whoever reads"
    context.close()


def test_the_briefing_prints_on_two_sheets(browser: Browser, rendered_site: Path) -> None:
    assert sheets(pdf_of(rendered_site / "00_briefing" / "default" / "index.html", browser)) == 2
