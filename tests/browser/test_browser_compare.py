"""Pages that set scenarios side by side, in a real browser: sound on every screen, sortable, whole without scripts."""

import json

import pytest
from pages import check_page
from playwright.sync_api import Browser
from specimen import lay_site

from kbio_analysis.render.compare import Comparison, resolve
from kbio_analysis.render.results import read_reports, remember
from kbio_analysis.render.site import write_comparison

REPORTS = 96
PAGES = ("batches/all_partners.html", "batches/11_export_forecast.html", "compare/{comparison}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A site with a ranked batch, one of its sets without a number, one of few sets, and a comparison: page -> URL."""
    folder = tmp_path_factory.mktemp("side")
    lay_site(folder, REPORTS)
    for i, path in enumerate(sorted(folder.glob("22_*/*/result.json"))):
        content = json.loads(path.read_text())
        content["results"]["partner"] = {"value": f"Land of {i}, the longer name", "unit": "", "meaning": "partner"}
        if i == 5:
            content["results"]["required_growth_pct"]["value"] = None
        path.write_text(json.dumps(content))
    (folder / ".kbio").mkdir()
    ranking = ("required_growth_pct", "partner", "segment_path_2030_usd_m", "median_doubling_year", "no_such_result")
    remember(folder, {"all_partners": {"22_partner_agreement": ranking}})
    reports = read_reports(folder)
    sets = [e.label for e in reports if e.notebook == "11_export_forecast" and e.good][:3]
    comparison = write_comparison(folder, Comparison(resolve(reports, sets)))
    return {p: (folder / p.format(comparison=comparison.name)).as_uri() for p in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(browser: Browser, site: dict[str, str], name: str) -> None:
    check_page(site[name], browser)


def test_ranking_can_be_turned_and_put_back(browser: Browser, site: dict[str, str]) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800})
    page = context.new_page()
    page.goto(site["batches/all_partners.html"])
    read = "() => [...document.querySelectorAll('.ranking tbody tr')].map((r) => r.cells[0].textContent)"
    before = page.evaluate(read)
    assert before == [str(i + 1) for i in range(len(before))]
    page.get_by_role("button", name="Partner").click()
    assert page.evaluate(read) != before
    page.get_by_role("button", name="Rank").click()
    assert page.evaluate(read) == before
    assert page.get_by_text("Without a rank: 1").is_visible()
    assert page.get_by_text("no report records no_such_result").is_visible()
    context.close()
