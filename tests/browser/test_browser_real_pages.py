"""The real reports in a real browser: no violation, no request, nothing cut, in light and dark, desktop and phone."""

from pathlib import Path

from pages import check_page, cut_in_charts
from playwright.sync_api import Browser


def test_every_rendered_report_and_the_index(rendered_site: Path, browser: Browser) -> None:
    pages = sorted(rendered_site.glob("[0-9]*/*/index.html"))
    assert pages
    for page in [rendered_site / "index.html", *pages]:
        check_page(page.as_uri(), browser)
        assert cut_in_charts(page.as_uri(), browser) == []
