"""The report page in a real browser: a made-up report that holds everything a page can hold."""

import pytest
from pages import SCREENS, check_page, listen, problems_of
from playwright.sync_api import Browser, Page
from render.test_page import hostile_page
from specimen import notebook, result, spec

from kbio_analysis.render.page import report_html


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = {}
    for name, html in (("report", report_html(notebook(), result(), spec())), ("hostile", hostile_page())):
        path = tmp_path_factory.mktemp(name) / "index.html"
        path.write_text(html, encoding="utf-8")
        found[name] = path.as_uri()
    return found


@pytest.fixture
def page(browser: Browser, urls: dict[str, str]) -> Page:
    """The report on a desktop screen, in light colours."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    opened.goto(urls["report"])
    return opened


def test_report_is_sound(browser: Browser, urls: dict[str, str]) -> None:
    check_page(urls["report"], browser, SCREENS)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 375)])
def test_hostile_text_stays_text(browser: Browser, urls: dict[str, str], scheme: str, width: int) -> None:
    found = problems_of(urls["hostile"], browser, scheme, width)
    assert [problem for problem in found if not problem.startswith("scrolls sideways")] == []  # words without end


def test_policy_stops_scripts_styles_and_requests(page: Page, urls: dict[str, str]) -> None:
    heard, stopped = listen(page, urls["report"]), []
    page.on("requestfailed", lambda request: stopped.append((request.url, request.failure)))
    page.evaluate("""async () => {
      const add = (tag, fields) => document.body.append(Object.assign(document.createElement(tag), fields));
      add("script", { textContent: "window.ran = true" });
      add("style", { textContent: "body { color: rgb(1, 2, 3) }" });
      add("img", { src: "https://example.invalid/x.png" });
      await fetch("https://example.invalid/").catch(() => null);
    }""")
    assert page.evaluate("window.ran") is None
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(1, 2, 3)"
    # The browser reports an image as asked for, and in the same breath as stopped by the policy.
    asked = [line.removeprefix("request: ") for line in heard if line.startswith("request:")]
    assert asked == [url for url, failure in stopped if failure == "csp"]
    assert len([line for line in heard if "Content Security Policy" in line]) >= 4


def test_wide_table_scrolls_in_itself_by_keyboard(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    region = page.get_by_role("region", name="Table 1")
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#table-scores .scroll').scrollLeft > 0")
    assert page.evaluate("window.scrollX") == 0
    caption = page.locator("#table-scores .held").bounding_box()
    assert caption["x"] >= 0
    assert caption["x"] + caption["width"] <= 375


def test_code_opens_and_contents_lead_to_their_sections(page: Page) -> None:
    code = page.locator("details.code").first
    assert not code.locator("pre").first.is_visible()
    code.locator("summary").click()
    assert code.locator("pre").first.is_visible()
    page.locator(".contents a", has_text="Limits").click()
    assert page.evaluate("document.querySelector('#limits').getBoundingClientRect().top") < 900


def test_dark_readers_get_a_dark_page(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
    assert "invert" in page.evaluate("getComputedStyle(document.querySelector('figure img')).filter")
