"""Every way in which a table, its passport or a repair can be wrong is refused by name: table, line, column, part."""

import json
from pathlib import Path

import pytest
import yaml

from kbio_analysis.data.package import data_root
from kbio_analysis.data.tables import load, verify
from kbio_analysis.errors import DataError

ANNUAL = "biopharma_exports_annual"
HEADLINE = "gov_biopharma_headline,2024,5800,quoted,2025-09-05,S_YNA_KBIO,"
LINES = (Path(__file__).resolve().parents[2] / "data" / "tables" / f"{ANNUAL}.csv").read_text().split("\n")
AT = f"table {ANNUAL}, line {next(n for n, line in enumerate(LINES, start=1) if HEADLINE in line)}, column"
KHIDI_2023, USD = "khidi_biopharma_hs2022,2023,3900", f"{AT} exports_usd_m"
ALTERED = f"table {ANNUAL} is not the one .*expected [0-9a-f]{{12}}, found [0-9a-f]{{12}}.*make data-package"
KEY = "column definition, year: the key definition=khidi_biopharma_hs2022, year=2022 stands already in line"
OUTSIDE = '{"resources": [{"name": "x", "path": "../x.csv", "schema": {"fields": [{"name": "a", "type": "date"}]}}]}'


def cell(old: str, new: str):
    return lambda copy: copy.replace(ANNUAL, HEADLINE, HEADLINE.replace(old, new, 1))


def raw(*change, vouch=True):
    turn = change[0] if len(change) == 1 else lambda content: content.replace(*change)
    return lambda copy: copy.alter(ANNUAL, turn, vouch=vouch)


def passport(change):
    def damage(copy):
        package = json.loads((copy.root / "datapackage.json").read_text(encoding="utf-8"))
        change(next(one for one in package["resources"] if one["name"] == ANNUAL))
        (copy.root / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")

    return damage


def released(**rule):
    return passport(lambda resource: resource["kbio"].update(available_from=[rule]))


def repair(**changes):
    def damage(copy):
        entry = yaml.safe_load((copy.root / "corrections.yml").read_text(encoding="utf-8"))[0] | changes
        kept = {key: value for key, value in entry.items() if value is not None}
        (copy.root / "corrections.yml").write_text(yaml.safe_dump([kept]), encoding="utf-8")

    return damage


def says(file, content):
    return lambda copy: (copy.root / file).write_text(content, encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        # A cell, by table, line and column.
        (cell("2024,5800", "2024,abc"), f"{USD}: 'abc' is not a plain decimal number"),
        (cell("2024,5800", "2024,nan"), f"{USD}: 'nan' is not a plain decimal number"),
        (cell("2024,5800", f"2024,1{'0' * 400}"), f"{USD}: .*not a plain decimal number"),
        (cell("2024,5800", "2024, 5800"), f"{USD}: ' 5800' is not a plain decimal"),
        (cell("2024,5800", "2024,-5800"), f"{USD}: '?-5800.* is below the minimum 0.001"),
        (cell("2024,5800", "2024,5800000"), f"{USD}: .* is above the maximum 100000"),
        (cell("2024,5800", ",5800"), f"{AT} year: .*is blank but required"),
        (cell("quoted", "rumoured"), f"{AT} status: 'rumoured' is none of actual, computed, quoted"),
        (cell("2025-09-05", "05/09/2025"), f"{AT} available_from: .*not a date YYYY-MM-DD"),
        (cell("S_YNA_KBIO", "S_NOBODY"), f"{AT} source_id: 'S_NOBODY' is not in the table sources"),
        (cell("S_YNA_KBIO,", "S_YNA_KBIO,=1+1 "), f"{AT} note: .*would be run as a formula"),
        (cell("S_YNA_KBIO,", "S_YNA_KBIO,a\x00"), f"{AT} note: .* has a hidden character"),
        (cell("S_YNA_KBIO,", "S_YNA_KBIO,a, b "), f"{AT} note: the row has 8 cells, the header 7"),
        (lambda copy: copy.replace(ANNUAL, KHIDI_2023, KHIDI_2023.replace("2023", "2022")), KEY),
        (raw(b",actual,", b",guess,"), r"column status: 'guess' is none of .* \(and \d+ more lines"),
        # A file.
        (raw(b"5800", b"5900", vouch=False), ALTERED),
        (raw(b"\n", b"\r\n", vouch=False), f"table {ANNUAL}: its line endings were turned into CRLF"),
        (raw(lambda content: b"\xef\xbb\xbf" + content), f"table {ANNUAL} begins with a byte order mark"),
        (raw(b",", b";"), "separated by ';'; a comma is expected"),
        (raw(b",note\n", b"\n", 1), f"table {ANNUAL}, line 1: missing column note"),
        (raw(b"definition,year", b"year,definition", 1), "out of order"),
        (raw(lambda content: b""), f"table {ANNUAL} is empty"),
        (raw(lambda content: content[: content.index(b"\n") + 1]), "has a header but no rows"),
        (raw(b"nomenclature", b"nom\xe9nclature", 1), "line 3: not UTF-8"),
        (raw(b"headline of", b'"headline\nof', 1), "CSV"),
        (raw(lambda content: content.rstrip(b"\n")), "the last line has no end"),
        # A package, and a passport by its part.
        (says("datapackage.json", "{"), "is not valid JSON"),
        (says("datapackage.json", "{}"), "lists no resources"),
        (says("datapackage.json", '{"resources": [{"name": "x"}]}'), "passport of x, must contain .'path', 'schema'."),
        (says("datapackage.json", '{"resources": [5]}'), "the passport of resource 1"),
        (says("datapackage.json", OUTSIDE), "lies outside the data folder"),
        (passport(lambda r: r["schema"]["fields"][1].update(type="yaer")), r"schema.fields\[1\].type must be one of"),
        (passport(lambda r: r["schema"]["fields"][0]["constraints"].update(pattern="[")), "column definition: "),
        (passport(lambda r: r.update(kbio=5)), f"the passport of {ANNUAL}, kbio must be object"),
        (passport(lambda r: r["schema"].update(primaryKey=["none"])), "no field 'none', which a key names"),
        (passport(lambda r: r["schema"].update(foreignKeys=[{"fields": "year"}])), r"foreignKeys\[0\] must contain"),
        (released(day=1), "a rule of available_from says"),
        (released(months_after=1), "both months_after and day, counted from"),
        (released(released="2026-02-30"), "released: day is out of range"),
        (released(months_after=1, day=32), r"available_from\[0\].day must be smaller"),
        (released(source_published=True, where={"x": [1]}), "no field 'x', which a release rule names"),
        # A repair.
        (repair(replace="-1"), f"table {ANNUAL}, line .*column exports_usd_m: '?-1.* is below the minimum"),
        (repair(reason=None), "corrections.yml, entry 1, must contain .'reason'."),
        (repair(reason=" "), "corrections.yml, entry 1, reason must match pattern"),
        (repair(reason=["a", "b"]), "corrections.yml, entry 1, reason must be string"),
        (repair(expect="49100.0"), "corrections.yml, entry 1 .* holds '49100', not the expected '49100.0'"),
        (repair(column="exports"), "a column of the table"),
        (repair(row={"year": "2020"}), "needs the row key definition, year"),
        (repair(row={"definition": "khidi_biopharma_old", "year": 2019}), "0 rows have this key"),
        (says("corrections.yml", "a: ["), "corrections.yml is not valid YAML"),
        (says("corrections.yml", "[]\n---\n[]"), "corrections.yml must be one list of entries"),
    ],
)
def test_what_is_wrong_is_named(copy, damage, said):
    damage(copy)
    with pytest.raises(DataError, match=said):
        load(ANNUAL)
    assert verify()


def test_unknown_table_gets_a_suggestion_and_no_package_is_said_plainly(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="did you mean biopharma_exports_annual"):
        load("biopharma_export_annual")
    monkeypatch.setenv("KBIO_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"no datapackage.json found \(KBIO_DATA="):
        data_root()
