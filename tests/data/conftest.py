"""A small data package that a test may damage, and the means to damage it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kbio_analysis.data.package import read_package, rebuild_passports, write_package, written
from kbio_analysis.reading import rows_of

SHIPPED = Path(__file__).resolve().parents[2] / "data"
KEPT_ROWS = dict.fromkeys(("biopharma_exports_annual", "export_series", "world_pharma_market"))
KEPT_ROWS |= {"biohealth_exports_monthly": 5, "korea_exports_by_partner": 3, "pharma_exporters_panel": 3}
"""Tables of the small package, and how many of their rows it holds (None: all)."""


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
            rebuild_passports()

    def replace(self, name: str, old: str, new: str, *, vouch: bool = True) -> None:
        """Replace the first occurrence of ``old``."""
        self.alter(name, lambda raw: raw.replace(old.encode(), new.encode(), 1), vouch=vouch)


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """A few tables of the shipped package, cut short, with the sources they cite."""
    root, package = tmp_path_factory.mktemp("small") / "data", read_package(SHIPPED)
    (root / "tables").mkdir(parents=True)
    shutil.copy(SHIPPED / "corrections.yml", root)
    kept = {name: rows_of((SHIPPED / "tables" / f"{name}.csv").read_bytes())[:rows] for name, rows in KEPT_ROWS.items()}
    cited = {row.get("source_id") for rows in kept.values() for row in rows}
    kept["sources"] = [
        row for row in rows_of((SHIPPED / "tables/sources.csv").read_bytes()) if row["source_id"] in cited
    ]
    for name, rows in kept.items():
        (root / "tables" / f"{name}.csv").write_bytes(written(rows, package.passport(name).columns))
    package.descriptor["resources"][:] = [package.passport(name).descriptor for name in sorted(kept)]
    for resource in package.descriptor["resources"]:
        # Cut short, or with the tables it is held against left out, a table cannot pass its checks.
        resource["kbio"].pop("checks", None)
    write_package(replace(package, root=root))
    rebuild_passports(root)
    return root


@pytest.fixture
def copy(small, tmp_path, monkeypatch) -> Copy:
    root = tmp_path / "data"
    shutil.copytree(small, root)
    monkeypatch.setenv("KBIO_DATA", str(root))
    return Copy(root)


@pytest.fixture(autouse=True)
def _shipped_package(monkeypatch):
    monkeypatch.setenv("KBIO_DATA", str(SHIPPED))
