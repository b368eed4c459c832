"""One headless Chromium a module of browser tests; where there is none, they fail and say how to get one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def find_chromium() -> str:
    """The browser to drive: KBIO_CHROMIUM, else the first of the usual names and places. Fails if there is none."""
    named = os.environ.get("KBIO_CHROMIUM")
    candidates = [named] if named else [*filter(None, map(shutil.which, NAMES)), *MACOS]
    for path in candidates:
        if Path(path).is_file():
            return path
    pytest.fail(
        "no Chromium found for the browser tests: install chromium or Google Chrome, or set KBIO_CHROMIUM to its path"
        + (f" (it is set to {named}, which is not a file)" if named else "")
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of one test module: while playwright is up its event loop counts as running, and nothing else that
    runs a loop (a kernel) may start in this process."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS.split())
        yield chromium
        chromium.close()
