"""Every way in which a table can be wrong is refused by name: table, line, column."""

import re

import pytest

from kbio_analysis.data.package import data_root
from kbio_analysis.data.tables import load
from kbio_analysis.data.verification import verify
from kbio_analysis.errors import DataError

ANNUAL = "biopharma_exports_annual"
HEADLINE = "gov_biopharma_headline,2024,5800,quoted,2025-09-05,S_YNA_KBIO,"
OUTSIDE = '{"resources": [{"name": "x", "path": "../x.csv", "schema": {"fields": [{"name": "a", "type": "date"}]}}]}'
KHIDI_2023 = "khidi_biopharma_hs2022,2023,3900,actual,2024-04-04,S_KHIDI_2023FY,"


def line_of(copy, text):
    lines = copy.table(ANNUAL).read_text(encoding="utf-8").split("\n")
    return next(n for n, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"5800", b"5900", r" is not the one .*expected [0-9a-f]{12}, found [0-9a-f]{12}.*make data-package"),
        (b"\n", b"\r\n", ": its line endings were turned into CRLF"),
    ],
)
def test_altered_table_is_refused_before_it_is_parsed(copy, old, new, said):
    copy.alter(ANNUAL, lambda raw: raw.replace(old, new), vouch=False)
    with pytest.raises(DataError, match=f"table {ANNUAL}{said}"):
        load(ANNUAL)


@pytest.mark.parametrize(
    ("old", "new", "column", "said"),
    [
        ("2024,5800", "2024,abc", "exports_usd_m", "'abc' is not a plain decimal number"),
        ("2024,5800", "2024,nan", "exports_usd_m", "'nan' is not a plain decimal number"),
        ("2024,5800", f"2024,1{'0' * 400}", "exports_usd_m", "not a plain decimal number"),
        ("2024,5800", "2024, 5800", "exports_usd_m", "' 5800' is not a plain decimal"),
        ("2024,5800", "2024,-5800", "exports_usd_m", "'-5800' is below the minimum 0.001"),
        ("2024,5800", "2024,5800000", "exports_usd_m", "is above the maximum 100000"),
        ("2024,5800", ",5800", "year", "is blank but required"),
        ("quoted", "rumoured", "status", "'rumoured' is none of actual, computed, quoted"),
        ("2025-09-05", "05/09/2025", "available_from", "not a date YYYY-MM-DD"),
        ("S_YNA_KBIO", "S_NOBODY", "source_id", "'S_NOBODY' is not in the table sources"),
        ("S_YNA_KBIO,", "S_YNA_KBIO,=1+1 ", "note", "would be run as a formula"),
        ("S_YNA_KBIO,", "S_YNA_KBIO,a\x00", "note", "has a hidden character"),
        ("S_YNA_KBIO,", "S_YNA_KBIO,a, b ", "note", "the row has 8 cells, the header 7"),
    ],
)
def test_bad_cell_is_named_by_table_line_and_column(copy, old, new, column, said):
    line = line_of(copy, HEADLINE)
    copy.replace(ANNUAL, HEADLINE, HEADLINE.replace(old, new, 1))
    with pytest.raises(DataError, match=f"^table {ANNUAL}, line {line}, column {column}: .*{re.escape(said)}"):
        load(ANNUAL)


def test_doubled_key_names_both_lines_and_several_failures_are_counted(copy):
    copy.replace(ANNUAL, KHIDI_2023, KHIDI_2023.replace("2023,3900", "2022,3900"))
    line = line_of(copy, "khidi_biopharma_hs2022,2022,3900")
    key = "the key definition=khidi_biopharma_hs2022, year=2022 stands already in"
    with pytest.raises(DataError, match=rf"line {line}, column definition, year: {key} line {line - 1}"):
        load(ANNUAL)
    copy.alter(ANNUAL, lambda raw: raw.replace(b",actual,", b",guess,"))
    with pytest.raises(DataError, match=r"column status: 'guess' is none of .* \(and \d+ more lines"):
        load(ANNUAL)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: b"\xef\xbb\xbf" + raw, "byte order mark"),
        (lambda raw: raw.replace(b",", b";"), "separated by ';'; a comma is expected"),
        (lambda raw: raw.replace(b",note\n", b"\n", 1), "missing column note"),
        (lambda raw: raw.replace(b"definition,year", b"year,definition", 1), "out of order"),
        (lambda raw: b"", "is empty"),
        (lambda raw: raw[: raw.index(b"\n") + 1], "has a header but no rows"),
        (lambda raw: raw.replace(b"nomenclature", b"nom\xe9nclature", 1), "line 3: not UTF-8"),
        (lambda raw: raw.replace(b"headline of", b'"headline\nof', 1), "CSV"),
        (lambda raw: raw.rstrip(b"\n"), "the last line has no end"),
    ],
)
def test_bad_file_is_named(copy, change, said):
    copy.alter(ANNUAL, change)
    with pytest.raises(DataError, match=f"table {ANNUAL}.*{re.escape(said)}"):
        load(ANNUAL)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not valid JSON"),
        ("{}", "lists no resources"),
        ('{"resources": [{"name": "x"}]}', "the passport of x, must contain ['path', 'schema']"),
        ('{"resources": [5]}', "the passport of resource 1"),
        (OUTSIDE, "lies outside the data folder"),
    ],
)
def test_unusable_package_is_refused(copy, content, said):
    (copy.root / "datapackage.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(said)):
        load(ANNUAL)
    assert len(verify()) == 1


def test_unknown_table_gets_a_suggestion_and_no_package_is_said_plainly(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="did you mean biopharma_exports_annual"):
        load("biopharma_export_annual")
    monkeypatch.setenv("KBIO_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"no datapackage.json found \(KBIO_DATA="):
        data_root()
