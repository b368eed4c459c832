"""Every way in which a table can be wrong is refused by name: table, line, column."""

import re

import pytest

from kbio_analysis.data.package import data_root
from kbio_analysis.data.tables import load
from kbio_analysis.data.verification import verify
from kbio_analysis.errors import DataError

ANNUAL = "biopharma_exports_annual"
MONTHLY = "biohealth_exports_monthly"
HEADLINE = "gov_biopharma_headline,2024,5800,quoted,2025-09-05,S_YNA_KBIO,"
OUTSIDE = '{"resources": [{"name": "x", "path": "../x.csv", "schema": {"fields": [{"name": "a", "type": "date"}]}}]}'
KHIDI_2023 = "khidi_biopharma_hs2022,2023,3900,actual,2024-04-04,S_KHIDI_2023FY,"


def line_of(copy, table, text):
    lines = copy.table(table).read_text(encoding="utf-8").split("\n")
    return next(n for n, line in enumerate(lines, start=1) if text in line)


def test_altered_table_is_refused_before_it_is_parsed(copy):
    copy.replace(ANNUAL, HEADLINE, HEADLINE.replace("5800", "5900"), vouch=False)
    with pytest.raises(
        DataError, match=rf"table {ANNUAL} .*expected [0-9a-f]{{12}}, found [0-9a-f]{{12}}.*make data-package"
    ):
        load(ANNUAL)


def test_turned_line_endings_are_recognised(copy):
    copy.alter(ANNUAL, lambda raw: raw.replace(b"\n", b"\r\n"), vouch=False)
    with pytest.raises(DataError, match=f"table {ANNUAL}: its line endings were turned into CRLF"):
        load(ANNUAL)


@pytest.mark.parametrize(
    ("old", "new", "column", "said"),
    [
        pytest.param("2024,5800", "2024,abc", "exports_usd_m", "'abc' is not a plain decimal number", id="words"),
        pytest.param("2024,5800", "2024,nan", "exports_usd_m", "'nan' is not a plain decimal number", id="nan"),
        pytest.param("2024,5800", f"2024,1{'0' * 400}", "exports_usd_m", "not a plain decimal number", id="overflow"),
        pytest.param("2024,5800", "2024, 5800", "exports_usd_m", "' 5800' is not a plain decimal", id="space"),
        pytest.param("2024,5800", "2024,-5800", "exports_usd_m", "-5800.0 is below the minimum 0.001", id="negative"),
        pytest.param("2024,5800", "2024,5800000", "exports_usd_m", "is above the maximum 100000", id="too large"),
        pytest.param("2024,5800", ",5800", "year", "is blank but required", id="blank year"),
        pytest.param(
            "quoted", "rumoured", "status", "'rumoured' is none of actual, computed, quoted", id="unknown status"
        ),
        pytest.param("2025-09-05", "05/09/2025", "available_from", "not a date YYYY-MM-DD", id="date form"),
        pytest.param("S_YNA_KBIO", "S_NOBODY", "source_id", "'S_NOBODY' is not in the table sources", id="source"),
        pytest.param("S_YNA_KBIO,", "S_YNA_KBIO,=1+1 ", "note", "would be run as a formula", id="formula"),
        pytest.param("S_YNA_KBIO,", "S_YNA_KBIO,a\x00", "note", "hidden character U+0000", id="control"),
        pytest.param("S_YNA_KBIO,", "S_YNA_KBIO,a, b ", "note", "the row has 8 cells, the header 7", id="loose comma"),
    ],
)
def test_bad_cell_is_named_by_table_line_and_column(copy, old, new, column, said):
    line = line_of(copy, ANNUAL, HEADLINE)
    copy.replace(ANNUAL, HEADLINE, HEADLINE.replace(old, new, 1))
    with pytest.raises(DataError) as refused:
        load(ANNUAL)
    message = str(refused.value)
    assert message.startswith(f"table {ANNUAL}, line {line}, column {column}: ")
    assert said in message
    assert verify()


def test_doubled_key_names_both_lines(copy):
    copy.replace(ANNUAL, KHIDI_2023, KHIDI_2023.replace("2023,3900", "2022,3900"))
    line = line_of(copy, ANNUAL, "khidi_biopharma_hs2022,2022,3900")
    key = "the key definition=khidi_biopharma_hs2022, year=2022 stands already in"
    with pytest.raises(DataError, match=rf"line {line}, column definition, year: {key} line {line - 1}"):
        load(ANNUAL)


def test_several_failures_are_counted(copy):
    copy.alter(ANNUAL, lambda raw: raw.replace(b",actual,", b",guess,"))
    with pytest.raises(DataError, match=r"column status: 'guess' is none of .* \(and \d+ more lines"):
        load(ANNUAL)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda raw: b"\xef\xbb\xbf" + raw, "byte order mark", id="bom"),
        pytest.param(lambda raw: raw.replace(b",", b";"), "separated by ';'; a comma is expected", id="semicolon"),
        pytest.param(lambda raw: raw.replace(b",note\n", b"\n", 1), "missing column note", id="missing column"),
        pytest.param(lambda raw: raw.replace(b"definition,year", b"year,definition", 1), "out of order", id="order"),
        pytest.param(lambda raw: b"", "is empty", id="empty"),
        pytest.param(lambda raw: raw[: raw.index(b"\n") + 1], "has a header but no rows", id="header only"),
        pytest.param(
            lambda raw: raw.replace(b"nomenclature", b"nom\xe9nclature", 1), "line 3: not UTF-8", id="latin-1"
        ),
        pytest.param(lambda raw: raw.replace(b"headline of", b'"headline\nof', 1), "CSV", id="open quote"),
        pytest.param(lambda raw: raw.rstrip(b"\n"), "the last line has no end", id="cut off"),
    ],
)
def test_bad_file_is_named(copy, change, said):
    copy.alter(ANNUAL, change)
    with pytest.raises(DataError) as refused:
        load(ANNUAL)
    assert f"table {ANNUAL}" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not valid JSON"),
        ("[]", "not a JSON object"),
        ("{}", "lists no resources"),
        ("[" * 100_000, "nested too deep"),
        ('{"resources": [{"name": "x"}]}', "the passport of x, path: field required"),
        ('{"resources": [5]}', "the passport of resource 1"),
        (OUTSIDE, "lies outside the data folder"),
    ],
)
def test_unusable_package_is_refused(copy, content, said):
    (copy.root / "datapackage.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(said)):
        load(ANNUAL)
    assert len(verify()) == 1


def test_unknown_table_gets_a_suggestion():
    with pytest.raises(DataError, match="did you mean biopharma_exports_annual"):
        load("biopharma_export_annual")


def test_no_package_anywhere_is_said_plainly(tmp_path, monkeypatch):
    monkeypatch.setenv("KBIO_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"no datapackage.json found \(KBIO_DATA="):
        data_root()
