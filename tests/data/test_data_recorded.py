"""What other notebooks recorded, as a notebook reads it: from the renderer's bundle, else from the references."""

import json
import shutil
from pathlib import Path

import pytest

from kbio_analysis import data
from kbio_analysis.data.results import BUNDLE, entry_hash, missing_entry, reference_entry
from kbio_analysis.errors import DataError, UsageError

ENTRY = {
    "state": "fresh",
    "why": "",
    "source": "report",
    "question": "How much?",
    "answer": "Enough.",
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
    fruit = data.recorded("10_fruit")
    assert (fruit.state, fruit.why, fruit.source, fruit.question, fruit.answer) == (
        "fresh",
        "",
        "report",
        "How much?",
        "Enough.",
    )
    assert (fruit.value("total"), fruit.value("none"), fruit.value("other")) == (2.5, None, None)
    assert fruit.results["total"].meaning == "all of them"
    frame = fruit.charts["bars"].frame()
    assert frame["kg"].dtype == float
    assert frame["year"].tolist() == [2024, 2025]
    assert data.recorded_read()["10_fruit"] == entry_hash(ENTRY)


def test_what_is_missing_holds_nothing_and_raises_nothing(bundled: Path) -> None:
    gone = data.recorded("11_gone")
    assert (gone.state, gone.why, gone.answer) == ("missing", "not rendered yet", None)
    assert (gone.value("total"), dict(gone.charts), dict(gone.tables)) == (None, {}, {})


def test_a_notebook_that_is_not_in_the_bundle_is_a_mistake_of_the_reader(bundled: Path) -> None:
    with pytest.raises(UsageError, match="composed_from"):
        data.recorded("12_other")


def test_a_bundle_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUNDLE, str(tmp_path / "nothing.json"))
    with pytest.raises(DataError, match="cannot be read"):
        data.recorded("10_fruit")


def test_the_hash_of_a_record_holds_its_state(bundled: Path) -> None:
    assert entry_hash(ENTRY) != entry_hash(ENTRY | {"state": "stale"})
    assert entry_hash(ENTRY) == entry_hash(dict(reversed(ENTRY.items())))


def test_every_committed_reference_is_of_the_tables_as_they_are(root: Path) -> None:
    """Else JupyterLab and nbval would call it stale: `kbio check --accept` refreshes what is no result."""
    notebooks = root / "notebooks"
    for path in sorted(notebooks.glob("[0-9]*.ipynb")):
        entry = reference_entry(notebooks, path.stem)
        assert (entry["state"], entry["why"]) == ("fresh", ""), path.stem


def test_without_a_bundle_the_reference_beside_the_tables_is_read(checkout: Path) -> None:
    record = data.recorded("11_export_forecast")
    assert (record.state, record.source) == ("fresh", "reference")
    assert record.question.endswith("?")
    assert record.results["required_growth_pct"].meaning
    assert record.charts["definitions"].source


def rewrite(checkout: Path, table: str) -> None:
    """Another hash for this table."""
    package = checkout / "data" / "datapackage.json"
    content = json.loads(package.read_text())
    for resource in content["resources"]:
        if resource["name"] == table:
            resource["hash"] = "sha256:" + "0" * 64
    package.write_text(json.dumps(content))


def test_a_table_that_changed_makes_its_readers_stale_by_name(checkout: Path) -> None:
    rewrite(checkout, "sources")
    assert data.recorded("12_top_five").state == "fresh", "a source more changes no result"
    table = next(t for t in data.recorded("12_top_five").tables if t != "sources")
    rewrite(checkout, table)
    record = data.recorded("12_top_five")
    assert (record.state, record.why) == ("stale", f"table {table} has changed since")
    assert record.value("rank_latest") is not None


def test_one_composed_from_a_stale_record_is_stale(checkout: Path) -> None:
    folder = checkout / "notebooks" / "references"
    above = json.loads((folder / "12_top_five.json").read_text()) | {"tables": {}, "reports": ["13_reform_clock"]}
    (folder / "40_above.json").write_text(json.dumps(above))
    assert data.recorded("40_above").state == "fresh"
    below = json.loads((folder / "13_reform_clock.json").read_text())
    (folder / "13_reform_clock.json").write_text(json.dumps(below | {"tables": {"gone": "0" * 64}}))
    assert data.recorded("40_above").why == "13_reform_clock, which it is composed from, is stale"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"results": {}, "charts": {}}'])
def test_a_reference_that_is_none_is_missing(checkout: Path, text: str) -> None:
    (checkout / "notebooks" / "references" / "11_export_forecast.json").write_text(text)
    record = data.recorded("11_export_forecast")
    assert (record.state, record.why) == ("missing", "its reference 11_export_forecast.json cannot be read")


def test_a_notebook_without_a_reference_is_missing_and_no_notebook_is_a_mistake(checkout: Path) -> None:
    (checkout / "notebooks" / "50_new.ipynb").write_text("{}")
    assert data.recorded("50_new").why == "no reference yet"
    with pytest.raises(UsageError, match="did you mean '50_new'"):
        data.recorded("50_ne")
