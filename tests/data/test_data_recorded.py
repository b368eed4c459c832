"""What other notebooks recorded, as a notebook reads it: from the renderer's bundle, else from the references."""

import json
import shutil
from pathlib import Path

import pytest

from kbio_analysis.data.results import BUNDLE, recorded, recorded_read, reference_entry
from kbio_analysis.errors import DataError, UsageError

ENTRY = {
    "state": "fresh",
    "why": "",
    "parameters": {"n": 1},
    "tables": {"apples": "a" * 64},
    "results": {"total": {"value": 2.5, "unit": "kg", "meaning": "all of them"}, "none": {"value": None}},
    "charts": {"bars": {"csv": ["year,kg,who", "2024,1.5,a", "2025,,b"], "caption": "c", "alt": "a", "source": "s"}},
}


@pytest.fixture
def checkout(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tables and the references in a folder of their own."""
    monkeypatch.delenv(BUNDLE, raising=False)
    shutil.copytree(root / "data", tmp_path / "data")
    shutil.copytree(root / "notebooks" / "references", tmp_path / "notebooks" / "references")
    monkeypatch.setenv("KBIO_DATA", str(tmp_path / "data"))
    return tmp_path


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_bundle_is_read_by_name_and_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps({"10_fruit": ENTRY, "11_gone": {"state": "missing", "why": "not rendered yet"}}))
    monkeypatch.setenv(BUNDLE, str(path))
    fruit, gone = recorded("10_fruit"), recorded("11_gone")
    assert (fruit.state, fruit.number) == ("fresh", "10")
    assert (fruit.value("total"), fruit.value("none"), fruit.value("other")) == (2.5, None, None)
    assert fruit.chart("bars")["kg"].dtype == float
    assert fruit.chart("pies") is None
    assert recorded_read()["10_fruit"] != recorded_read()["11_gone"]
    assert (gone.state, gone.why, gone.number) == ("missing", "not rendered yet", "11, missing")
    assert (gone.value("total"), dict(gone.charts), dict(gone.tables)) == (None, {}, {})
    with pytest.raises(UsageError, match="composed_from"):
        recorded("12_other")
    monkeypatch.setenv(BUNDLE, str(tmp_path / "nothing.json"))
    with pytest.raises(DataError, match="cannot be read"):
        recorded("10_fruit")


def test_every_committed_reference_is_of_the_tables_as_they_are(root: Path) -> None:
    """Else JupyterLab and nbval would call it stale: `kbio check --accept` refreshes what is no result."""
    entries = {
        path.stem: reference_entry(root / "notebooks", path.stem) for path in root.glob("notebooks/[0-9]*.ipynb")
    }
    assert {name: entry["why"] for name, entry in entries.items() if entry["state"] != "fresh"} == {}


def test_a_table_or_a_record_that_changed_makes_its_readers_stale_by_name(checkout: Path) -> None:
    package, folder = checkout / "data" / "datapackage.json", checkout / "notebooks" / "references"
    record = recorded("12_top_five")
    table = next(t for t in record.tables if t != "sources")
    for changed, state, why in (("sources", "fresh", ""), (table, "stale", f"table {table} has changed since")):
        resources = json.loads(package.read_text())["resources"]
        edit(package, resources=[r | ({"hash": "sha256:0"} if r["name"] == changed else {}) for r in resources])
        assert (recorded("12_top_five").state, recorded("12_top_five").why) == (state, why)
    assert recorded("12_top_five").value("rank_latest") == record.value("rank_latest")
    shutil.copy(folder / "12_top_five.json", folder / "40_above.json")
    edit(folder / "40_above.json", tables={}, reports=["13_reform_clock"])
    edit(folder / "13_reform_clock.json", tables={})
    assert recorded("40_above").state == "fresh"
    edit(folder / "13_reform_clock.json", tables={"gone": "0" * 64})
    assert recorded("40_above").why == "13_reform_clock, which it is composed from, is stale"


HALF = '{"tables": {}, "reports": [], "results": {"a": 5}, "charts": {}}'


def test_a_reference_that_is_none_is_missing_and_no_notebook_is_a_mistake(checkout: Path) -> None:
    path = checkout / "notebooks" / "references" / "11_export_forecast.json"
    for text in ("{", "{}", HALF, HALF.replace("5", "[]")):
        path.write_text(text)
        record = recorded("11_export_forecast")
        assert (record.state, record.why) == ("missing", "its reference 11_export_forecast.json cannot be read")
    (checkout / "notebooks" / "50_new.ipynb").write_text("{}")
    assert recorded("50_new").why == "no reference yet"
    with pytest.raises(UsageError, match="did you mean 50_new"):
        recorded("50_ne")
