"""The report page in a real browser: a made-up report that holds everything a page can hold."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from pages import SCREENS, check_page, listen, problems_of
from playwright.sync_api import Browser, Page
from specimen import HOSTILE, chart, display, notebook, result, spec, table

from kbio_analysis.render.page import report_html

A4_WIDTH = 794  # CSS pixels of 210 mm
HOSTILE_DRAWING = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 720 390'><script>alert(1)</script>"
    "<rect width='9' height='9' onclick='alert(2)'/><image href='https://evil.example/x.png'/></svg>"
)


@pytest.fixture(scope="module")
def report_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _saved(tmp_path_factory.mktemp("report"), report_html(notebook(), result(), spec()))


@pytest.fixture(scope="module")
def hostile_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    payloads = [
        chart(
            id=HOSTILE, alt=HOSTILE, caption=HOSTILE, source=HOSTILE, svg=HOSTILE_DRAWING, svg_narrow=HOSTILE_DRAWING
        ),
        table(id=HOSTILE, caption=HOSTILE, source=HOSTILE, rows=[[HOSTILE] * 6]),
        {"kind": "sentence", "text": HOSTILE},
    ]
    outputs = [display(p) for p in payloads]
    outputs += [
        new_output("display_data", data={"text/html": HOSTILE}),
        new_output("stream", name="stdout", text=HOSTILE),
    ]
    outputs.append(new_output("error", ename="Error", evalue=HOSTILE, traceback=[HOSTILE]))
    text = f"## {HOSTILE}\n\n{HOSTILE} [x](javascript:alert(3)) ![x](https://evil.example/x.png)"
    cells = [new_markdown_cell(text), new_code_cell("hostile()", outputs=outputs)]
    parameters = {"series": HOSTILE, "target_year": 2030}
    results = {"name": {"value": HOSTILE, "unit": HOSTILE, "meaning": HOSTILE}}
    content = result(parameters=parameters, results=results, set=HOSTILE)
    return _saved(tmp_path_factory.mktemp("hostile"), report_html(notebook(*cells), content, spec()))


@pytest.fixture
def page(browser: Browser, report_url: str):
    """The report on a desktop screen, in light colours."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.goto(report_url)
    yield opened
    context.close()


def _saved(folder: Path, html: str) -> str:
    path = folder / "index.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
def test_report_is_sound(browser: Browser, report_url: str, scheme: str, width: int) -> None:
    check_page(report_url, browser, ((scheme, width),))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 375)])
def test_hostile_text_stays_text(browser: Browser, hostile_url: str, scheme: str, width: int) -> None:
    assert not problems_of(hostile_url, browser, scheme, width)


def test_policy_stops_scripts_styles_and_requests(page: Page, report_url: str) -> None:
    heard, stopped = listen(page, report_url), []
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print_has_no_navigation_light_colours_and_wide_charts(page: Page, scheme: str) -> None:
    page.emulate_media(media="print", color_scheme=scheme)
    page.set_viewport_size({"width": A4_WIDTH - 128, "height": 1000})
    assert not page.locator(".contents").is_visible()
    assert not page.locator("details.code").first.is_visible()
    assert page.locator("figure svg").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 33, 38)"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_dark_readers_get_a_dark_page(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
    assert page.evaluate("getComputedStyle(document.querySelector('figure svg')).fill") == "rgb(229, 227, 222)"
