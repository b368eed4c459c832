"""What other notebooks recorded, as a notebook reads it: from the renderer's bundle, else from the references."""

import json
import shutil
from pathlib import Path

import pytest

from kbio_analysis.data.results import BUNDLE, entry_hash, missing_entry, recorded, recorded_read, reference_entry
from kbio_analysis.errors import DataError, UsageError

ENTRY = {
    "state": "fresh",
    "why": "",
    "source": "report",
    "parameters": {"n": 1},
    "tables": {"apples": "a" * 64},
    "results": {"total": {"value": 2.5, "unit": "kg", "meaning": "all of them"}, "none": {"value": None}},
    "charts": {"bars": {"csv": ["year,kg,who", "2024,1.5,a", "2025,,b"], "caption": "c", "alt": "a", "source": "s"}},
}


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps({"10_fruit": ENTRY, "11_gone": missing_entry("not rendered yet", "report")}))
    monkeypatch.setenv(BUNDLE, str(path))
    return path


@pytest.fixture
def checkout(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tables and the references in a folder of their own."""
    monkeypatch.delenv(BUNDLE, raising=False)
    shutil.copytree(root / "data", tmp_path / "data")
    shutil.copytree(root / "notebooks" / "references", tmp_path / "notebooks" / "references")
    monkeypatch.setenv("KBIO_DATA", str(tmp_path / "data"))
    return tmp_path


def test_a_bundle_is_read_by_name(bundled: Path) -> None:
    fruit = recorded("10_fruit")
    assert (fruit.state, fruit.number) == ("fresh", "10")
    assert (fruit.value("total"), fruit.value("none"), fruit.value("other")) == (2.5, None, None)
    assert fruit.chart("bars")["kg"].dtype == float
    assert fruit.chart("pies") is None
    assert recorded_read()["10_fruit"] == entry_hash(ENTRY) != entry_hash(ENTRY | {"state": "stale"})
    gone = recorded("11_gone")
    assert (gone.state, gone.why, gone.number) == ("missing", "not rendered yet", "11, missing")
    assert (gone.value("total"), dict(gone.charts), dict(gone.tables)) == (None, {}, {})


def test_what_cannot_be_read_is_said(bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="composed_from"):
        recorded("12_other")
    monkeypatch.setenv(BUNDLE, str(tmp_path / "nothing.json"))
    with pytest.raises(DataError, match="cannot be read"):
        recorded("10_fruit")


def test_every_committed_reference_is_of_the_tables_as_they_are(root: Path) -> None:
    """Else JupyterLab and nbval would call it stale: `kbio check --accept` refreshes what is no result."""
    notebooks = root / "notebooks"
    for path in sorted(notebooks.glob("[0-9]*.ipynb")):
        entry = reference_entry(notebooks, path.stem)
        assert (entry["state"], entry["why"]) == ("fresh", ""), path.stem


def test_a_table_that_changed_makes_its_readers_stale_by_name(checkout: Path) -> None:
    record, package = recorded("12_top_five"), checkout / "data" / "datapackage.json"
    assert record.state == "fresh"
    table = next(t for t in record.tables if t != "sources")
    for changed, state, why in (("sources", "fresh", ""), (table, "stale", f"table {table} has changed since")):
        content = json.loads(package.read_text())
        for resource in content["resources"]:
            resource["hash"] = "sha256:" + "0" * 64 if resource["name"] == changed else resource["hash"]
        package.write_text(json.dumps(content))
        assert (recorded("12_top_five").state, recorded("12_top_five").why) == (state, why)
    assert recorded("12_top_five").value("rank_latest") is not None


def test_one_composed_from_a_stale_record_is_stale(checkout: Path) -> None:
    folder = checkout / "notebooks" / "references"
    above = json.loads((folder / "12_top_five.json").read_text()) | {"tables": {}, "reports": ["13_reform_clock"]}
    (folder / "40_above.json").write_text(json.dumps(above))
    assert recorded("40_above").state == "fresh"
    below = json.loads((folder / "13_reform_clock.json").read_text())
    (folder / "13_reform_clock.json").write_text(json.dumps(below | {"tables": {"gone": "0" * 64}}))
    assert recorded("40_above").why == "13_reform_clock, which it is composed from, is stale"


HALF = '{"tables": {}, "reports": [], "results": {"a": 5}, "charts": {}}'


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"results": {}, "charts": {}}', HALF, HALF.replace("5", "[]")])
def test_a_reference_that_is_none_is_missing(checkout: Path, text: str) -> None:
    (checkout / "notebooks" / "references" / "11_export_forecast.json").write_text(text)
    record = recorded("11_export_forecast")
    assert (record.state, record.why) == ("missing", "its reference 11_export_forecast.json cannot be read")


def test_a_notebook_without_a_reference_is_missing_and_no_notebook_is_a_mistake(checkout: Path) -> None:
    (checkout / "notebooks" / "50_new.ipynb").write_text("{}")
    assert recorded("50_new").why == "no reference yet"
    with pytest.raises(UsageError, match="did you mean 50_new"):
        recorded("50_ne")
