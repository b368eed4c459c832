"""A report page as PDF: printed by the system's Chromium from the page itself, so that both always say the same.

The page's own print rules apply (A4, no navigation, charts kept whole). What would be wider than the paper is scaled
to fit first. The file is tagged for screen readers, has an outline, and names neither clock nor machine.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ON_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--headless --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PAPER_WIDTH = 665  # CSS pixels between the margins of the print style sheet: 210 mm less twice 17 mm
LOAD_SECONDS = 60.0

# A table keeps its lines and shrinks until it fits; so does code that has no place to break.
FIT = """(width) => {
  for (const element of document.querySelectorAll("main table, .colophon table, math")) {
    const room = element.closest(".scroll, main, footer").clientWidth || width;
    const excess = element.getBoundingClientRect().width / room;
    if (excess > 1.001) element.style.zoom = 1 / excess;
  }
}"""
_MACHINE = re.compile(rb"/(?:CreationDate|ModDate|Creator) ?\((?:[^()\\]|\\.)*\)")


class NoBrowserError(KbioError):
    """There is no Chromium to print with, or nothing to drive it."""


def find_browser() -> str | None:
    """The Chromium to use: KBIO_CHROMIUM if that is set, else the first of the usual names and places; None if none."""
    named = os.environ.get("KBIO_CHROMIUM")
    candidates = [named] if named else [*filter(None, map(shutil.which, BROWSERS)), *ON_MACOS]
    return next((path for path in candidates if Path(path).is_file()), None)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """A headless Chromium without network. Raises NoBrowserError saying what is missing and how to get it."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NoBrowserError("playwright is not installed; install kbio-analysis with its extra 'pdf'") from None
    path = find_browser()
    if path is None:
        raise NoBrowserError("no Chromium found; install chromium or Google Chrome, or set KBIO_CHROMIUM to its path")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        except Error as problem:
            reason = str(problem).strip().splitlines()[0]
            raise NoBrowserError(f"{path} does not start: {reason}") from None
        try:
            yield browser
        finally:
            browser.close()


def pdf_of(page_file: Path, browser: Browser) -> bytes:
    """The report page as a PDF. Raises KbioError if the browser cannot print it."""
    from playwright.sync_api import Error

    context = browser.new_context(
        offline=True, color_scheme="light", viewport={"width": PAPER_WIDTH, "height": 1000}, service_workers="block"
    )
    try:
        page = context.new_page()
        page.set_default_timeout(LOAD_SECONDS * 1000)
        page.emulate_media(media="print", color_scheme="light")
        page.goto(page_file.resolve().as_uri(), wait_until="load")
        page.evaluate(FIT, PAPER_WIDTH)
        printed = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
    except Error as problem:
        raise KbioError(f"{page_file} could not be printed: {str(problem).strip().splitlines()[0]}") from None
    finally:
        context.close()
    return _MACHINE.sub(lambda match: b" " * len(match[0]), printed)
