"""The briefing on two sheets of paper, its charts in pairs on a wide screen and one under the other on a phone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from kbio_analysis.render.forms import pdf_of

SHEETS = 2
SLACK = 2.0  # CSS pixels


@pytest.fixture
def briefing(rendered_site: Path) -> Path:
    return rendered_site / "00_briefing" / "default" / "index.html"


def test_it_prints_on_two_sheets_of_a4(browser: Browser, briefing: Path) -> None:
    printed = pdf_of(briefing, browser)
    boxes = {tuple(round(float(n)) for n in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", printed)}
    assert boxes == {(0, 0, 595, 842)}
    assert len(re.findall(rb"/Type /Page\b", printed)) == SHEETS


@pytest.mark.parametrize(("width", "per_row"), [(1280, [1, 2, 2]), (375, [1, 1, 1, 1, 1])])
def test_charts_stand_in_pairs_or_stacked(browser: Browser, briefing: Path, width: int, per_row: list[int]) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(briefing.as_uri())
    tops = [figure.bounding_box()["y"] for figure in page.locator("figure.chart").all()]
    context.close()
    rows: list[list[float]] = []
    for top in tops:
        if rows and abs(rows[-1][0] - top) < SLACK:
            rows[-1].append(top)
        else:
            rows.append([top])
    assert [len(row) for row in rows] == per_row
