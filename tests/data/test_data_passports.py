"""Passports are rebuilt on purpose only, repairs expire, and verify gathers every problem."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kbio_analysis.data.package import rebuild_passports
from kbio_analysis.data.series import annual
from kbio_analysis.data.tables import load
from kbio_analysis.data.verification import verify
from kbio_analysis.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
ANNUAL = "biopharma_exports_annual"
REPAIRED = "khidi_biopharma_old,2020,49100"


def edit_package(copy, change):
    path = copy.root / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    change({resource["name"]: resource for resource in descriptor["resources"]})
    path.write_text(json.dumps(descriptor), encoding="utf-8")


def field(resource, name):
    return next(one for one in resource["schema"]["fields"] if one["name"] == name)


def write_corrections(copy, **changes):
    entry = yaml.safe_load((copy.root / "corrections.yml").read_text(encoding="utf-8"))[0]
    entry = {key: value for key, value in (entry | changes).items() if value is not None}
    (copy.root / "corrections.yml").write_text(yaml.safe_dump([entry]), encoding="utf-8")


def test_rebuild_says_what_changed_and_keeps_the_written_part(copy, capsys):
    assert rebuild_passports() == []
    before = json.loads((copy.root / "datapackage.json").read_text(encoding="utf-8"))
    copy.replace("sources", "Yonhap", "The Yonhap", vouch=False)
    changes = rebuild_passports()
    assert [line.split(":")[0] for line in changes] == ["sources"]
    assert "is not in git, so no cell is compared" in changes[0]
    assert "\n".join(changes) in capsys.readouterr().out
    after = json.loads((copy.root / "datapackage.json").read_text(encoding="utf-8"))
    for old, new in zip(before["resources"], after["resources"], strict=True):
        counted = {"hash", "bytes", "rows"} if old["name"] == "sources" else set()
        assert {k: v for k, v in old.items() if k not in counted} == {k: v for k, v in new.items() if k not in counted}
    assert verify() == []


def test_rebuild_runs_as_a_command_and_a_missing_table_is_a_message(copy):
    command = [sys.executable, "-m", "kbio_analysis.data.package"]
    how = {"cwd": ROOT, "capture_output": True, "text": True, "check": False, "timeout": 60}
    done = subprocess.run(command, **how)
    assert (done.stdout, done.stderr) == ("passports: nothing changed\n", "")
    copy.table("world_pharma_market").unlink()
    done = subprocess.run(command, **how)
    assert done.returncode == 1
    assert re.fullmatch(r"kbio: table world_pharma_market: .*\n", done.stderr)


def test_repair_expires_when_the_table_is_mended(copy):
    copy.replace(ANNUAL, REPAIRED, REPAIRED.replace("49100", "4910"))
    with pytest.raises(
        DataError, match=r"corrections.yml, entry 1 .*holds '4910', not the expected '49100'.*delete it"
    ):
        load(ANNUAL)
    (problem,) = verify()
    assert "expired" in problem
    (copy.root / "corrections.yml").write_text("[]\n", encoding="utf-8")
    assert annual("khidi_biopharma_old")["2020"] == 4910.0


def test_repair_takes_effect_in_a_running_process(copy):
    assert annual("khidi_biopharma_old")["2020"] == 4910.0
    write_corrections(copy, replace="4911")
    assert annual("khidi_biopharma_old")["2020"] == 4911.0
    (copy.root / "corrections.yml").unlink()
    assert annual("khidi_biopharma_old")["2020"] == 49100.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replace": "-1"}, None),
        ({"reason": None}, "exactly these keys are needed"),
        ({"reason": " "}, "reason and source_id are not blank"),
        ({"expect": "49100.0"}, "holds '49100', not the expected '49100.0'"),
        ({"reason": ["a", "b"]}, "every value is one text"),
        ({"column": "exports"}, "a column of the table"),
        ({"row": {"year": "2020"}}, "needs the row key definition, year"),
        ({"row": {"definition": "khidi_biopharma_old", "year": 2019}}, "0 rows have this key"),
        ({"row": "2020"}, "row column by column"),
    ],
)
def test_bad_repair_is_refused(copy, changes, said):
    write_corrections(copy, **changes)
    broken = f"table {ANNUAL}, line .*column exports_usd_m: -1.0 is below the minimum"
    with pytest.raises(DataError, match=rf"corrections\.yml, entry 1.*{said}" if said else broken):
        load(ANNUAL)


BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "not valid YAML"),
        ("a: 1", "must be one list"),
        ("[]\n---\n[]", "one list of entries"),
        (BOMB, "too many values"),
        ("[" * 1000, "nested more than"),
        ("- !!python/name:os.system x", "is not read"),
    ],
)
def test_bad_corrections_file_is_refused(copy, content, said):
    (copy.root / "corrections.yml").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        load(ANNUAL)


def test_verify_finds_repairs_of_nothing_and_from_nowhere(copy):
    write_corrections(copy, table="biopharma", source_id="S_NOBODY")
    problems = "\n".join(verify())
    assert "there is no such table" in problems
    assert "'S_NOBODY' is not in the table sources" in problems


def test_verify_gathers_problems_of_several_tables(copy):
    copy.alter("sources", lambda raw: raw + b"ZZ_IDLE,nobody,nothing,2025,,none,not read\n")
    copy.table("stray").write_text("a\n1\n", encoding="utf-8")
    idle = "table sources: ZZ_IDLE is cited by no table; remove the row"
    assert verify() == ["tables/stray.csv has no passport; add one or remove the file", idle]
    copy.replace(ANNUAL, "quoted", "qouted", vouch=False)
    copy.table("world_pharma_market").unlink()
    problems = "\n".join(verify())
    assert f"table {ANNUAL} is not the one" in problems
    assert "table world_pharma_market" in problems


def test_verify_finds_gaps_of_a_passport(copy):
    def damage(resources):
        market = resources["world_pharma_market"]
        del market["licenses"], market["kbio"]
        market["schema"]["fields"][3].pop("unit")
        market["schema"]["fields"][0]["description"] = ""

    edit_package(copy, damage)
    problems = [problem.removeprefix("passport of world_pharma_market: ") for problem in verify()]
    assert problems == [
        "licenses is missing",
        "kbio.traps is missing (say what a reader may get wrong)",
        "kbio.available_from is missing (the release rules)",
        "field segment has no description",
        "field market_usd_bn has no unit",
    ]


def test_verify_finds_a_figure_whose_source_has_no_date(copy):
    copy.replace("sources", "2025-09-05,https://investmentguruindia", ",https://investmentguruindia")
    assert verify() == ["table sources: S_YNA_KBIO has no date of publication, yet a figure's release rests on it"]


@pytest.mark.parametrize(
    ("table", "old", "new", "due"),
    [
        (ANNUAL, "quoted,2025-09-05", "quoted,2025-09-04", "2025-09-05"),
        (ANNUAL, "sum_of_months,2026-01-15", "sum_of_months,2025-12-31", "2026-01-15"),
        ("biohealth_exports_monthly", "2022-02-15", "2022-01-31", "2022-02-15"),
        ("korea_exports_by_partner", "1996-01-31", "1995-01-31", "1996-01-31"),
        ("pharma_exporters_panel", "2012-12-31", "2011-12-31", "2012-12-31"),
    ],
)
def test_verify_holds_release_dates_against_their_rule(copy, table, old, new, due):
    copy.replace(table, old, new)
    (problem,) = verify()
    assert problem.startswith(f"table {table}, line ")
    assert f"column available_from: {new.rsplit(',')[-1]}, but the release rule gives {due}" in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: field(r, "year").update(type="yaer"), "column year: the passport's type 'yaer' is not known"),
        (lambda r: field(r, "definition")["constraints"].update(pattern="["), "definition: the passport's constraint"),
        (lambda r: field(r, "year")["constraints"].update(maximum="soon"), "column year: the passport's constraint"),
        (lambda r: field(r, "year")["constraints"].update(pattern="20.."), "column year: the passport's constraint"),
        (lambda r: r.update(kbio=5), "kbio: input should be"),
        (lambda r: r.update(sources="nobody"), "sources: input should be"),
        (lambda r: r["schema"].update(primaryKey={}), "schema.primaryKey"),
        (lambda r: r["schema"].update(primaryKey=["nothing"]), "no field 'nothing', which a key names"),
        (lambda r: r["schema"].update(foreignKeys=[{"fields": "source_id"}]), "schema.foreignKeys.0.reference"),
        (lambda r: r["schema"]["fields"][0]["constraints"].update(enum=5), "schema.fields.0.constraints.enum"),
        (lambda r: r["kbio"].update(available_from=[{"day": 1}]), "a rule of available_from says"),
        (lambda r: r["kbio"].update(available_from=[{"months_after": 1}]), "both months_after and day, counted from"),
        (
            lambda r: r["kbio"].update(available_from=[{"released": "2026-02-30"}]),
            "available_from.0.released: value error",
        ),
        (lambda r: r["kbio"].update(available_from=[{"months_after": 1, "day": 32}]), "day: input should be less than"),
        (lambda r: r["kbio"]["available_from"][0].update(where={"x": [1]}), "no field 'x', which a release rule names"),
    ],
)
def test_a_passport_of_another_form_is_named_with_the_part(copy, change, said):
    edit_package(copy, lambda resources: change(resources[ANNUAL]))
    with pytest.raises(DataError, match=f"(the passport of|table) {ANNUAL}.*{re.escape(said)}"):
        load(ANNUAL)
    assert len(verify()) == 1
