"""The shipped package: found, read, typed, vouched for, and light to import."""

from pathlib import Path

from frictionless import validate

from kbio_analysis.data.package import data_root, read_package
from kbio_analysis.data.series import annual, catalogue, classes
from kbio_analysis.data.tables import load, newest_read, tables_read
from kbio_analysis.data.verification import verify

SHIPPED = Path(__file__).resolve().parents[2] / "data"
PASSPORTS = read_package(SHIPPED).passports


def test_shipped_package_has_no_problem_and_frictionless_agrees():
    assert verify() == []
    report = validate(str(SHIPPED / "datapackage.json"))
    assert report.valid, report.flatten(["name", "type", "note"])
    assert len(report.tasks) == len(PASSPORTS)


def test_tables_read_names_what_was_loaded_and_a_caller_may_change_its_frame():
    mine, read = load("world_pharma_market"), tables_read()
    assert [mine[column].dtype.kind for column in ("year", "market_usd_bn", "available_from")] == ["i", "f", "M"]
    assert all(read[name] == PASSPORTS[name].sha256 for name in ("world_pharma_market", "sources"))
    assert list(read) == sorted(read)
    assert newest_read() >= str(mine["available_from"].max())[:10] > "2024"
    load("biopharma_exports_annual")["exports_usd_m"] = 0.0
    assert annual("gov_biopharma_headline").tolist() == [5800.0]


def test_package_is_found_above_the_working_directory_and_beside_the_library(copy, tmp_path, monkeypatch):
    monkeypatch.delenv("KBIO_DATA")
    monkeypatch.chdir(tmp_path.parent)
    assert data_root() == SHIPPED
    below = copy.root.parent / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert data_root() == copy.root


def test_definitions_of_tables_and_their_list_are_the_same():
    panels = set(classes().query("held_in == 'pharma_exporters_panel'").index)
    named = {"pharma_exporters_panel": ("classification", panels)}
    for table, column in (("biopharma_exports_annual", "definition"), ("biohealth_exports_monthly", "series")):
        named[table] = column, set(catalogue().query("held_in == @table").index)
        assert set(load(table)[column]) == named[table][1]
    for table, (column, known) in named.items():
        (field,) = (field for field in PASSPORTS[table].fields if field["name"] == column)
        assert set(field["constraints"]["enum"]) == known


def test_every_table_that_is_sorted_by_its_key_says_so():
    for name, passport in PASSPORTS.items():
        assert ({"check": "order"} in passport.kbio.get("checks", [])) == ("rowOrder" not in passport.descriptor), name
