"""The index in a real browser: sound and usable by keyboard and without scripts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import SCREENS, check_page
from playwright.sync_api import Browser, Page
from specimen import lay_site

from kbio_analysis.render.site import write_site

FEW = 60


def _site(folder: Path, count: int) -> str:
    lay_site(folder, count)
    write_site(folder)
    return (folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def few_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _site(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture
def index(browser: Browser, few_url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(few_url)
    yield page
    context.close()


def _shown(page: Page) -> int:
    return page.locator(".entry:visible").count()


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
def test_index_is_sound(browser: Browser, few_url: str, scheme: str, width: int) -> None:
    check_page(few_url, browser, ((scheme, width),))


def test_search_by_keyboard_alone(index: Page) -> None:
    links = index.locator("header a").count()
    for _ in range(1 + links + 1):  # the link that skips them comes first
        index.keyboard.press("Tab")
    assert index.evaluate("document.activeElement.id") == "words"
    index.keyboard.type("AGREEMENT alv")
    assert index.locator("#count").inner_text() == f"1 of {FEW} reports"
    assert _shown(index) == 1
    assert index.locator(".group:visible").count() == 1
    index.keyboard.type(" no such thing")
    assert index.locator("#nothing").is_visible()
    index.get_by_role("button", name="Clear").press("Enter")
    index.wait_for_function(f"document.getElementById('count').textContent === '{FEW} reports'")
    assert _shown(index) == FEW


def test_filter_by_notebook_status_and_parameter(index: Page) -> None:
    index.get_by_label("Notebook").select_option("30_diversification")
    assert _shown(index) == FEW // 3
    index.get_by_label("Notebook").select_option("")
    index.get_by_label("Status").select_option("failed")
    assert _shown(index) == 2
    assert index.locator(".entry:visible .error").count() == 2
    index.get_by_label("Status").select_option("")
    assert index.get_by_label("Value").is_disabled()
    index.get_by_label("Changed parameter").select_option("partner")
    assert _shown(index) == FEW - 3
    index.get_by_label("Value").select_option("ALV")
    assert _shown(index) == 1
