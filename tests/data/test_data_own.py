"""Own figures stand in for a table in one run: by its schema, under their own name, and nowhere else."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from kbio_analysis.data.own import own_tables, package_with
from kbio_analysis.data.sources import cite
from kbio_analysis.data.tables import load, verify
from kbio_analysis.errors import DataError, UsageError

SHIPPED = Path(__file__).resolve().parents[2] / "data"
TODAY = date(2026, 12, 1)
ROWS = "measure,year,value\ngdp_current_usd_m,2025,30000000\nreal_growth_pct,2025,2.1\n"


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text(ROWS.replace("2025", "2022.0"), encoding="utf-8")
    return path


def test_figures_are_read_credited_and_dated_and_the_shipped_table_stays(file, monkeypatch):
    before = (SHIPPED / "tables" / "us_gdp.csv").read_bytes()
    folder = package_with([f"us_gdp={file}"], TODAY)
    monkeypatch.setenv("KBIO_DATA", str(folder))
    table = load("us_gdp")
    assert table["value"].tolist() == [30000000, 2.1]
    assert table["available_from"].astype(str).tolist() == ["2023-06-30"] * 2
    assert cite(table["source_id"]) == "own data, mine.csv, not vouched for"
    assert own_tables(folder) == {"us_gdp": "mine.csv"}
    assert own_tables(SHIPPED) == {}
    groups = package_with([f"country_groups={SHIPPED / 'tables' / 'country_groups.csv'}"], TODAY)  # it cites nothing
    shutil.rmtree(groups.parent)
    assert [problem for problem in verify() if "us_gdp" in problem] == [
        "passport of us_gdp: kbio.available_from, the release rules, is missing"
    ]
    assert (SHIPPED / "tables" / "us_gdp.csv").read_bytes() == before
    shutil.rmtree(folder.parent)


@pytest.mark.parametrize(
    ("given", "content", "said"),
    [
        ("us_gdp={file}", ROWS.replace("value", "worth"), "mine.csv: unknown column worth; missing column value; the"),
        ("us_gdp={file}", ROWS.replace("2.1", "two"), "table us_gdp, line 3, column value: 'two' is not a plain"),
        ("us_gdp={file}", ROWS.replace("real_growth_pct", "growth"), "'growth' is none of gdp_current_usd_m"),
        ("us_gdp={file}", "measure,year,value\n", "no rows"),
        ("us_gdp", ROWS, "write NAME=path.csv"),
        ("us_gpd={file}", ROWS, "did you mean us_gdp"),
        ("us_gdp=/nowhere.csv", ROWS, "no file /nowhere.csv"),
        ("us_gdp={file} us_gdp={file}", ROWS, "given twice"),
        ("sources={file}", ROWS, "sources cannot be replaced"),
    ],
)
def test_request_or_figures_that_cannot_be_used_are_refused(file, given, content, said):
    file.write_text(content.replace("2025", "2022"), encoding="utf-8")
    with pytest.raises((UsageError, DataError), match=said):
        package_with(given.format(file=file).split(), TODAY)
