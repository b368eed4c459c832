"""The briefing on two sheets of paper, its charts in pairs on a wide screen and one under the other on a phone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from kbio_analysis.render.forms import pdf_of

SHEETS = 2


@pytest.fixture
def briefing(rendered_site: Path) -> Path:
    return rendered_site / "00_briefing" / "default" / "index.html"


def test_it_prints_on_two_sheets_of_a4(browser: Browser, briefing: Path) -> None:
    printed = pdf_of(briefing, browser)
    boxes = {tuple(round(float(n)) for n in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", printed)}
    assert boxes == {(0, 0, 595, 842)}
    assert len(re.findall(rb"/Type /Page\b", printed)) == SHEETS
