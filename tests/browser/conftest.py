"""One headless Chromium a module of browser tests; where there is none, they fail and say how to get one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from kbio_analysis.errors import KbioError
from kbio_analysis.render.forms import opened_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of one test module: while playwright is up its event loop counts as running, and nothing else that
    runs a loop (a kernel) may start in this process."""
    try:
        with opened_browser() as chromium:
            yield chromium
    except KbioError as missing:
        pytest.fail(f"the browser tests cannot run: {missing}")
