"""A copy of the data package that a test may damage, and the means to damage it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kbio_analysis import data

SHIPPED = Path(__file__).resolve().parents[2] / "data"


@dataclass(frozen=True)
class Copy:
    """A private data package at ``root``, found by the library through KBIO_DATA."""

    root: Path

    def table(self, name: str) -> Path:
        return self.root / "tables" / f"{name}.csv"

    def alter(self, name: str, change: Callable[[bytes], bytes], *, vouch: bool = True) -> None:
        """Rewrite a table; with ``vouch`` its passport is rebuilt too, so that what comes after the checksum is met."""
        path = self.table(name)
        before = path.read_bytes()
        after = change(before)
        assert after != before, "the damage did nothing"
        path.write_bytes(after)
        if vouch:
            data.rebuild_passports()

    def replace(self, name: str, old: str, new: str, *, vouch: bool = True) -> None:
        """Replace the first occurrence of ``old``."""
        self.alter(name, lambda raw: raw.replace(old.encode(), new.encode(), 1), vouch=vouch)


@pytest.fixture
def copy(tmp_path, monkeypatch) -> Copy:
    root = tmp_path / "data"
    shutil.copytree(SHIPPED, root)
    monkeypatch.setenv("KBIO_DATA", str(root))
    return Copy(root)


@pytest.fixture(autouse=True)
def _shipped_package(monkeypatch):
    monkeypatch.setenv("KBIO_DATA", str(SHIPPED))
