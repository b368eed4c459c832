"""The shipped package: found, read, typed, vouched for, and light to import."""

import json
from pathlib import Path

import pytest
from frictionless import validate

from kbio_analysis.data.package import data_root, read_package
from kbio_analysis.data.series import annual, catalogue, classes
from kbio_analysis.data.tables import load, newest_read, tables_read
from kbio_analysis.data.verification import verify

SHIPPED = Path(__file__).resolve().parents[2] / "data"

TABLES = [passport.name for passport in read_package(SHIPPED).passports.values()]


def test_shipped_package_has_no_problem():
    assert verify() == []


@pytest.mark.parametrize("table", TABLES)
def test_tables_load_typed(table):
    frame = load(table)
    passport = read_package(SHIPPED).passport(table)
    assert list(frame.columns) == [field["name"] for field in passport.fields]
    assert len(frame) == passport.descriptor["rows"]
    kinds = {"integer": "i", "number": "f", "date": "M", "yearmonth": "O"}
    for field in passport.fields:
        if field["type"] in kinds:
            assert frame[field["name"]].dtype.kind == kinds[field["type"]]


def test_tables_read_names_what_was_loaded():
    load("world_pharma_market")
    read = tables_read()
    assert read["world_pharma_market"] == read_package(SHIPPED).passport("world_pharma_market").sha256
    assert read["sources"] == read_package(SHIPPED).passport("sources").sha256
    assert list(read) == sorted(read)
    assert newest_read() >= str(load("world_pharma_market")["available_from"].max())[:10] > "2024"


def test_a_caller_may_change_its_frame_without_harm():
    mine = load("biopharma_exports_annual")
    mine["exports_usd_m"] = 0.0
    assert annual("gov_biopharma_headline").tolist() == [5800.0]


def test_frictionless_agrees_that_it_is_a_valid_package():
    report = validate(str(SHIPPED / "datapackage.json"))
    assert report.valid, report.flatten(["name", "type", "note"])
    assert len(report.tasks) == len(TABLES)


def test_package_is_found_above_the_working_directory_and_beside_the_library(copy, tmp_path, monkeypatch):
    monkeypatch.delenv("KBIO_DATA")
    monkeypatch.chdir(tmp_path.parent)
    assert data_root() == SHIPPED
    below = copy.root.parent / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert data_root() == copy.root


def test_definitions_of_tables_and_their_list_are_the_same():
    descriptor = json.loads((SHIPPED / "datapackage.json").read_text(encoding="utf-8"))
    fields = {(r["name"], f["name"]): f for r in descriptor["resources"] for f in r["schema"]["fields"]}

    def enum(table, column):
        return set(fields[table, column]["constraints"]["enum"])

    for table, column in (
        ("biopharma_exports_annual", "definition"),
        ("biohealth_exports_monthly", "series"),
    ):
        named = set(catalogue().query("held_in == @table").index)
        assert enum(table, column) == named == set(load(table)[column])
    panels = classes().query("held_in == 'pharma_exporters_panel'")
    assert enum("pharma_exporters_panel", "classification") == set(panels.index)


def test_readme_lists_every_table_as_its_passport_has_it():
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    listed = [line for line in readme.splitlines() if line.startswith("| ") and not line.startswith("| table |")]
    expected = []
    for passport in read_package(SHIPPED).passports.values():
        resource = passport.descriptor
        publishers = "; ".join(dict.fromkeys(source["publisher"] for source in resource["sources"]))
        terms = "; ".join(licence["title"] for licence in resource["licenses"])
        expected.append(f"| {passport.name} | {resource['title']} | {publishers} | {terms} |")
    assert listed == expected
