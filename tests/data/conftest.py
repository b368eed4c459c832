"""A small data package that a test may damage, and the means to damage it."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kbio_analysis.data.package import rebuild_passports

SHIPPED = Path(__file__).resolve().parents[2] / "data"
KEPT_LINES = {
    **dict.fromkeys(("biopharma_exports_annual", "export_series", "world_pharma_market")),
    **{"biohealth_exports_monthly": 6, "korea_exports_by_partner": 4, "pharma_exporters_panel": 4},
}
"""Tables of the small package, and how many of their lines it holds (None: all)."""


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
    root = tmp_path_factory.mktemp("small") / "data"
    (root / "tables").mkdir(parents=True)
    shutil.copy(SHIPPED / "corrections.yml", root)
    cited = set()
    for name, lines in KEPT_LINES.items():
        kept = (SHIPPED / "tables" / f"{name}.csv").read_text(encoding="utf-8").splitlines(keepends=True)[:lines]
        cited |= {row.get("source_id") for row in csv.DictReader(kept)}
        (root / "tables" / f"{name}.csv").write_text("".join(kept), encoding="utf-8", newline="\n")
    header, *rows = (SHIPPED / "tables/sources.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [header, *(row for row in rows if row.split(",")[0] in cited)]
    (root / "tables/sources.csv").write_text("".join(kept), encoding="utf-8", newline="\n")
    package = json.loads((SHIPPED / "datapackage.json").read_text(encoding="utf-8"))
    package["resources"] = [r for r in package["resources"] if r["name"] in {*KEPT_LINES, "sources"}]
    for resource in package["resources"]:
        # Cut short, or with the tables it is held against left out, a table cannot pass its checks.
        resource["kbio"].pop("checks", None)
    (root / "datapackage.json").write_text(json.dumps(package, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
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
