"""Fixtures shared by all tests."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RENDER_SECONDS = 600
ALARM_SECONDS = 5.0  # a quadratic pattern takes minutes


def pytest_configure() -> None:
    """A run started in the background ignores Ctrl-C and hang-ups, and so would what the tests stop by them."""
    with contextlib.suppress(ValueError):  # only the main thread may say so
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def alarm() -> Iterator[None]:
    """Ends a test that takes more processor time than anything but a pattern worse than linear could take."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"more than {ALARM_SECONDS} s of processor time")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, ALARM_SECONDS)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def rendered_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every notebook with its defaults, rendered once by the command itself."""
    site = tmp_path_factory.mktemp("rendered") / "site"
    command = [str(Path(sys.executable).parent / "kbio"), "render", "--out", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=RENDER_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return site
