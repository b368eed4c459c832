"""The package: found, read, vouched for; passports are rebuilt on purpose only, repairs expire, verify gathers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from frictionless import validate

from kbio_analysis.data.package import cell_changes, data_root, read_package, rebuild_passports
from kbio_analysis.data.series import annual, catalogue, classes
from kbio_analysis.data.tables import keep, load, newest_read, preloaded, tables_read, verify
from kbio_analysis.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "data"
PASSPORTS = read_package(SHIPPED).passports
ANNUAL, MARKET = "biopharma_exports_annual", "world_pharma_market"
REPAIRED = "khidi_biopharma_old,2020,49100"


def test_shipped_package_has_no_problem_and_frictionless_agrees():
    assert verify() == []
    report = validate(str(SHIPPED / "datapackage.json"))
    assert report.valid, report.flatten(["name", "type", "note"])
    assert len(report.tasks) == len(PASSPORTS)


def test_tables_typed_ahead_are_kept_for_others_and_a_broken_one_speaks_when_it_is_loaded(copy):
    copy.replace(ANNUAL, "2024,5800", "2024,abc")
    package, frames = preloaded(copy.root, [ANNUAL, MARKET, "none"])
    keep(package, {state: frame.assign(kept=True) for state, frame in frames.items()})
    with pytest.raises(DataError, match="'abc' is not a plain decimal number"):
        load("biopharma_exports_annual")
    assert load("world_pharma_market")["kept"].all()
    copy.replace("world_pharma_market", "KHIDI", "khidi", vouch=False)
    with pytest.raises(DataError, match="not the one its passport vouches for"):
        load("world_pharma_market")


def test_tables_read_names_what_was_loaded_and_a_caller_may_change_its_frame():
    mine, read = load("world_pharma_market"), tables_read()
    assert [mine[column].dtype.kind for column in ("year", "market_usd_bn", "available_from")] == ["i", "f", "M"]
    assert all(read[name] == PASSPORTS[name].sha256 for name in ("world_pharma_market", "sources"))
    assert list(read) == sorted(read)
    assert newest_read() >= str(mine["available_from"].max())[:10] > "2024"
    mine["market_usd_bn"] = 0.0
    assert load("world_pharma_market")["market_usd_bn"].min() > 0


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


def write_corrections(copy, **changes):
    entry = yaml.safe_load((copy.root / "corrections.yml").read_text(encoding="utf-8"))[0]
    entry = {key: value for key, value in (entry | changes).items() if value is not None}
    (copy.root / "corrections.yml").write_text(yaml.safe_dump([entry]), encoding="utf-8")


def test_rebuild_says_what_changed_and_keeps_the_written_part(copy, capsys):
    assert rebuild_passports() == []
    before = json.loads((copy.root / "datapackage.json").read_text(encoding="utf-8"))
    copy.replace("sources", "Yonhap", "The Yonhap", vouch=False)
    (change,) = rebuild_passports()
    assert re.fullmatch(r"sources: \d+ -> \d+ rows; what it held before is not in git, so no cell is compared", change)
    assert change in capsys.readouterr().out
    after = json.loads((copy.root / "datapackage.json").read_text(encoding="utf-8"))
    for old, new in zip(before["resources"], after["resources"], strict=True):
        assert old | {key: new[key] for key in ("hash", "bytes", "rows")} == new
    assert verify() == []


def test_rebuild_runs_as_a_command_and_a_missing_table_is_a_message(copy):
    command = [sys.executable, "-m", "kbio_analysis.data.package"]
    copy.table(MARKET).unlink()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert re.fullmatch(rf"kbio: table {MARKET}: .*\n", done.stderr)


def test_cells_that_differ_are_told_with_their_size():
    passport = read_package().passport("us_gdp")
    rows = "measure,year,value\na,1990,{}\n{},1991,5\n"
    before, after = rows.format(100, "a").encode(), rows.format(150, "b").encode()
    assert cell_changes(before, after, passport) == [
        "  gone     measure=a, year=1991",
        "  new      measure=b, year=1991",
        "  revised  measure=a, year=1990: value 100 -> 150 (+50.0%)",
    ]
    many = before + b"".join(b"c,%d,1\n" % year for year in range(1900, 2000))
    assert cell_changes(before, many, passport)[-1] == "  and 60 new more"


def test_repair_takes_effect_in_a_running_process_and_expires_when_the_table_is_mended(copy):
    assert annual("khidi_biopharma_old")["2020"] == 4910.0
    write_corrections(copy, replace="4911")
    assert annual("khidi_biopharma_old")["2020"] == 4911.0
    write_corrections(copy)
    copy.replace(ANNUAL, REPAIRED, REPAIRED.replace("49100", "4910"))
    expired = r"corrections.yml, entry 1 .*holds '4910', not the expected '49100'.*delete it"
    with pytest.raises(DataError, match=expired):
        load(ANNUAL)
    (problem,) = verify()
    assert re.search(expired, problem)
    (copy.root / "corrections.yml").unlink()
    assert annual("khidi_biopharma_old")["2020"] == 4910.0


def test_verify_gathers_problems_of_several_kinds(copy):
    copy.alter("sources", lambda raw: raw + b"ZZ_IDLE,nobody,nothing,2025,,none,not read\n")
    copy.table("stray").write_text("a\n1\n", encoding="utf-8")
    write_corrections(copy, table="biopharma", source_id="S_NOBODY")
    stray, *repair, idle = verify()
    assert stray == "tables/stray.csv has no passport; add one or remove the file"
    assert idle == "table sources: ZZ_IDLE is cited by no table; remove the row"
    assert [said.split("): ")[1] for said in repair] == [
        "there is no such table",
        "source_id 'S_NOBODY' is not in the table sources",
    ]
    copy.replace(ANNUAL, "quoted", "qouted", vouch=False)
    copy.table(MARKET).unlink()
    assert [said.split(" is ")[0].split(":")[0] for said in verify()][:2] == [f"table {ANNUAL}", f"table {MARKET}"]


def test_verify_finds_gaps_of_a_passport(copy):
    package = json.loads((copy.root / "datapackage.json").read_text(encoding="utf-8"))
    market = next(resource for resource in package["resources"] if resource["name"] == MARKET)
    del market["licenses"], market["kbio"]
    market["schema"]["fields"][3].pop("unit")
    market["schema"]["fields"][0]["description"] = ""
    (copy.root / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert [problem.removeprefix(f"passport of {MARKET}: ") for problem in verify()] == [
        "licenses is missing",
        "kbio.traps, what a reader may get wrong, is missing",
        "kbio.available_from, the release rules, is missing",
        "the description of field segment is missing",
        "the unit of field market_usd_bn is missing",
    ]


@pytest.mark.parametrize(
    ("table", "old", "new", "due"),
    [
        (ANNUAL, "quoted,2025-09-05", "quoted,2025-09-04", "2025-09-05"),
        ("biohealth_exports_monthly", "2022-02-15", "2022-01-31", "2022-02-15"),
        ("korea_exports_by_partner", "1996-01-31", "1995-01-31", "1996-01-31"),
        ("pharma_exporters_panel", "2012-12-31", "2011-12-31", "2012-12-31"),
        ("sources", "2025-09-05,https://investmentguruindia", ",https://investmentguruindia", None),
    ],
)
def test_verify_holds_release_dates_against_their_rule(copy, table, old, new, due):
    copy.replace(table, old, new)
    (problem,) = verify()
    rule = rf"table {table}, line \d+, column available_from: {new[-10:]}, but the release rule gives {due}"
    undated = "table sources: S_YNA_KBIO has no date of publication, yet a figure's release rests on it"
    assert re.match(rule if due else undated, problem), problem
