"""The site in a real browser: index, search, scenarios side by side, what-if page and the ways between reports are
sound and usable by keyboard, and whole without scripts."""

import json
from pathlib import Path

import pytest
from pages import SCREENS, check_page
from playwright.sync_api import Browser, Page
from render.test_site import report
from specimen import lay_site, notebook, result

from kbio_analysis.render.compare import Comparison, resolve
from kbio_analysis.render.page import report_html
from kbio_analysis.render.results import read_reports
from kbio_analysis.render.site import write_comparison, write_site

FEW = 60


def _opened(browser: Browser, url: str, *, scripts: bool = True) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=scripts).new_page()
    page.goto(url)
    return page


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a ranked batch, one of its sets without a number, one of few sets, and a comparison."""
    site = tmp_path_factory.mktemp("few")
    lay_site(site, FEW)
    for i, path in enumerate(sorted(site.glob("22_*/*/result.json"))):
        content = json.loads(path.read_text())
        content["results"]["partner"] = {"value": f"Land of {i}, the longer name", "unit": "", "meaning": "partner"}
        if i == 5:
            content["results"]["required_growth_pct"]["value"] = None
        path.write_text(json.dumps(content))
    ranking = ("required_growth_pct", "partner", "segment_path_2030_usd_m", "median_doubling_year", "no_such_result")
    write_site(site, {"all_partners": {"22_partner_agreement": ranking}})
    reports = read_reports(site)
    sets = [e.label for e in reports if e.notebook == "11_export_forecast" and e.good][:3]
    write_comparison(site, Comparison(resolve(reports, sets)))
    return site


@pytest.fixture
def index(browser: Browser, few: Path) -> Page:
    return _opened(browser, (few / "index.html").as_uri())


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of whole reports: two notebooks with their defaults, and a grid of one of them that lacks a set."""
    site = tmp_path_factory.mktemp("grid")
    values = [(year, multiple) for year in (2028, 2030, 2032) for multiple in (1.5, 2.0)]
    asked = {("11_export_forecast", "default", None): (2030, 2.0), ("22_partner", "default", None): (2030, 2.0)}
    asked |= {("11_export_forecast", f"{y}-{m}", "grid"): (y, m) for y, m in values[:-1]}
    for (name, set_name, batch), (year, multiple) in asked.items():
        told = {"parameters": {"target_year": year, "target_multiple": multiple}, "batch": batch}
        told |= {"answer": f"By {year} it is {multiple} times.", "results": result()["results"]}
        told["results"]["required_growth_pct"] = {"value": year / multiple, "unit": "%", "meaning": "growth"}
        page = report_html(notebook(), result(notebook=name, set=set_name, **told))
        report(site, name, set_name, page=page, **told)
    write_site(site)
    return site


def test_pages_are_sound(browser: Browser, grid: Path, few: Path) -> None:
    check_page((few / "index.html").as_uri(), browser, SCREENS)
    beside = [*few.glob("batches/*.html"), *few.glob("compare/*.html")]
    assert len(beside) == 4
    for page in (*beside, *grid.glob("whatif/*.html"), grid / "11_export_forecast/2030-2.0/index.html"):
        check_page(page.as_uri(), browser)


def test_ranking_can_be_turned_and_put_back(browser: Browser, few: Path) -> None:
    page = _opened(browser, (few / "batches/all_partners.html").as_uri())
    read = "() => [...document.querySelectorAll('.ranking tbody tr')].map((r) => r.cells[0].textContent)"
    before = page.evaluate(read)
    assert before == [str(i + 1) for i in range(len(before))]
    page.get_by_role("button", name="Partner").click()
    assert page.evaluate(read) != before
    page.get_by_role("button", name="Rank").click()
    assert page.evaluate(read) == before
    assert page.get_by_text("Without a rank: 1").is_visible()
    assert page.get_by_text("no report records no_such_result").is_visible()


def test_values_are_chosen_by_keyboard_and_kept_in_the_address(browser: Browser, grid: Path) -> None:
    page = _opened(browser, (grid / "whatif/grid-11_export_forecast.html").as_uri())
    shown = page.locator("#shown")
    assert "By 2028 it is 1.5 times." in shown.inner_text()
    page.locator("input[name=target_year]:checked").focus()
    page.keyboard.press("ArrowRight")
    assert "By 2030 it is 1.5 times." in shown.inner_text()
    assert page.locator("#said").inner_text() == "By 2030 it is 1.5 times."
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert "By 2030 it is 2.0 times." in shown.inner_text()
    assert "1015 %" in shown.inner_text()
    assert shown.locator("figure img").count() == 1
    again = _opened(browser, page.url)
    assert "By 2030 it is 2.0 times." in again.locator("#shown").inner_text()
    again.get_by_label("2032").check(force=True)
    assert "the batch leaves it out" in again.locator("#shown").inner_text()
    again.evaluate("location.hash = 'target_year=1999&target_multiple=1.5&other=1'")
    again.wait_for_function("document.getElementById('shown').textContent.includes('By 2032 it is 1.5 times.')")


def test_without_scripts_the_what_if_page_is_a_table_of_links(browser: Browser, grid: Path) -> None:
    page = _opened(browser, (grid / "whatif/grid-11_export_forecast.html").as_uri(), scripts=False)
    assert page.locator("tbody tr").count() == 5
    page.get_by_role("link", name="By 2032 it is 1.5 times.").click()
    assert page.url.endswith("/11_export_forecast/2032-1.5/index.html")


def test_the_text_of_reports_is_found_and_led_to(browser: Browser, grid: Path) -> None:
    page = _opened(browser, (grid / "index.html").as_uri())
    page.get_by_label("Search the reports").fill("FOUR definitions")
    assert page.locator("#passages").inner_text() == "2 passages of text"
    assert page.locator("#found mark").all_inner_texts() == ["Four", "definitions"] * 2
    page.locator("#found a").first.click()
    assert page.url.endswith("/11_export_forecast/default/index.html#data")
    page.go_back()
    page.get_by_label("Search the reports").fill("(no such [text")
    assert not page.locator("#found").is_visible()


def test_ways_lead_from_report_to_report_without_scripts(browser: Browser, grid: Path) -> None:
    page = _opened(browser, (grid / "11_export_forecast/2030-2.0/index.html").as_uri(), scripts=False)
    for link, end in (
        ("grid", "/batches/grid.html"),
        ("2030-2.0", "/11_export_forecast/2030-2.0/index.html"),
        ("Next", "/22_partner/default/index.html"),
        ("Previous", "/11_export_forecast/default/index.html"),
        ("Scenarios", "/whatif/grid-11_export_forecast.html"),
    ):
        page.get_by_role("link", name=link, exact=True).click()
        page.wait_for_url(f"**{end}")


def _shown(page: Page) -> int:
    return page.locator(".entry:visible").count()


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


def test_many_sets_are_folded_until_one_is_looked_for(browser: Browser, tmp_path: Path) -> None:
    lay_site(tmp_path, 3 * 30)
    write_site(tmp_path)
    page = _opened(browser, (tmp_path / "index.html").as_uri())
    assert _shown(page) == 3 + 2, "the map, and what failed"
    page.get_by_label("Search the reports").fill("partner_alv")
    assert _shown(page) == 1
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("document.querySelectorAll('details[open]').length === 0")


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
