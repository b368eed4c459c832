"""One headless Chromium for all browser tests; where there is none, they fail and say how to get one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from kbio_analysis.render.pdf import NoBrowserError, opened_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with opened_browser() as chromium:
            yield chromium
    except NoBrowserError as missing:
        pytest.fail(f"the browser tests cannot run: {missing}")
