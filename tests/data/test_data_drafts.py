"""A new table and a new claim: everything that must be written is, and nothing where one thing is wrong."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kbio_analysis.data import drafts
from kbio_analysis.data.package import read_package
from kbio_analysis.data.tables import load, verify
from kbio_analysis.errors import DataError, UsageError

ROWS = "iso3,Year,Sales US$m\r\nKOR,2023,10.5\r\nKOR,2024,11\r\nJPN,2024,30.1\r\nJPN,2023,29\r\n"
TABLE = {"title": "Sales of medicines", "trap": ["Ex-factory prices, not retail"], "available_from": "source"}
TABLE |= {"meaning": ["sales_us_m=Sales at ex-factory prices"], "unit": ["sales_us_m=US$ million"]}
TABLE |= {"licence": "Single published figures, cited with their source; texts stay their publishers'"}
TABLE |= {"source": "WHO_2026", "publisher": "WHO", "source_title": "Sales report", "published": "2026-03"}
TABLE |= {"address": "none", "how_read": "the report's second table"}
CLAIM = {"quantity": "sales of medicines in Korea", "value": "11.0", "unit": "US$ million", "period": "2024"}
CLAIM |= {"source_id": "ARTICLE", "topic": "K-Bio", "label": "Medicine sales 2024", "rule": "equals"}
FIGURE = {"found_value": "10.9", "found_period": "2024", "found_source_id": "ARTICLE"}
NAME = "medicine_sales_2024"


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "drug sales.csv"
    path.write_text(ROWS, encoding="utf-8-sig", newline="")
    return path


@pytest.fixture
def project(root, tmp_path, monkeypatch) -> Path:
    """What a fresh clone has that the two commands touch."""
    made = tmp_path / "project"
    for name in ("data", "notebooks"):
        shutil.copytree(root / name, made / name, ignore=shutil.ignore_patterns("candidates"))
    monkeypatch.setenv("KBIO_DATA", str(made / "data"))
    return made


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pairs(given: dict[str, str]) -> list[str]:
    return [f"{name}={text}" for name, text in given.items()]


def test_a_table_is_read_from_the_file_and_the_answers(copy, file):
    drafts.new_table(file, **TABLE)
    frame, passport = load("drug_sales"), read_package().passport("drug_sales")
    assert frame.astype(str).to_numpy().tolist()[0] == ["JPN", "2023", "29.0", "2026-03-31", "WHO_2026"]
    assert [f["type"] for f in passport.fields] == ["string", "integer", "number", "date", "string"]
    assert passport.primary_key == ["iso3", "year"]
    checks = [{"check": "order"}, {"check": "calendar", "column": "year", "by": ["iso3"]}]
    assert passport.kbio == {"available_from": [{"source_published": True}], "traps": TABLE["trap"], "checks": checks}
    assert verify() == []


def test_what_is_not_given_is_asked_at_a_terminal_and_else_named_all_at_once(copy, file, monkeypatch):
    before = state(copy.root)
    with pytest.raises(UsageError) as refused:
        drafts.new_table(file)
    columns = ["--meaning sales_us_m=...", "--unit sales_us_m=..."]
    named = ["--title", "--licence", "--source", "--available-from", *columns, "--trap"]
    assert str(refused.value).splitlines()[1:] == named
    assert state(copy.root) == before
    said = [
        "Sal|es",
        "Sales",
        "CC0",
        "who",
        "S_YNA_KBIO",
        "later",
        "1/15",
        "Sales at the factory",
        "US$ million",
        "Not retail",
    ]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(drafts.typer, "prompt", lambda _: said.pop(0))
    drafts.new_table(file)
    assert load("drug_sales")["available_from"].astype(str).tolist()[:2] == ["2024-01-15", "2025-01-15"]
    assert verify() == []


UNDATED = {"available_from": "1/15", "meaning": ["name=who", "value=how much"], "unit": ["value=kg"]}


@pytest.mark.parametrize(
    ("rows", "changes", "said"),
    [
        (ROWS, {"name": "sources"}, "there is one already"),
        (ROWS, {"name": "Drug Sales"}, "small letters, digits"),
        (ROWS, {"meaning": ["sale=x"]}, "a column being iso3, year"),
        (ROWS, {"key": ["iso3", "yaer"]}, "'yaer' is no column"),
        (ROWS, {"key": ["iso3"]}, "the key iso3=JPN stands already"),
        (ROWS, {"source": "S_YNA_KBOI", "publisher": None}, "did you mean S_YNA_KBIO?"),
        (ROWS, {"source": "NEW_1", "publisher": None}, "--publisher"),
        (ROWS, {"published": "March"}, "'March': write Date of publication"),
        (ROWS, {"address": "who.int"}, "'who.int': write Where to find it"),
        (ROWS, {"available_from": "later"}, "write source (its day), a day, MONTHS/DAY"),
        (ROWS, {"available_from": "2026-02-30"}, "neither rows nor source give a day"),
        (ROWS, {"available_from": "1/32"}, "day must be smaller"),
        (ROWS.replace("Year", "Season"), {}, "--key"),
        ("name,value\na,1\nb,2\n", UNDATED, "neither rows nor source give a day"),
        ("name,value\n=a,1\n", UNDATED | {"available_from": "source"}, "run as a formula"),
        ("name,value\na,1\nb,2,3\n", {}, "row 3: more cells than the 2 columns"),
        ("name;value\na;1\n", {}, "commas part them"),
        ("name,name\na,1\n", {}, "every column needs a name of its own"),
        ("name,값\na,1\n", {}, "a name of its own in plain letters"),
        ("name\n", {}, "no rows below a header"),
    ],
)
def test_a_table_that_would_not_hold_leaves_everything_as_it_was(copy, file, rows, changes, said):
    file.write_text(rows, encoding="utf-8")
    before = state(copy.root)
    with pytest.raises((UsageError, DataError)) as refused:
        drafts.new_table(file, **TABLE | changes)
    assert said in str(refused.value)
    assert state(copy.root) == before


def test_a_table_that_is_interrupted_or_cannot_be_written_leaves_everything_as_it_was(copy, file, monkeypatch):
    before, numbers = state(copy.root), [signal.SIGINT, signal.SIGTERM]
    monkeypatch.setattr("kbio_analysis.data.package.write_package", lambda _: os.kill(os.getpid(), numbers.pop()))
    while numbers:
        with pytest.raises(KeyboardInterrupt):
            drafts.new_table(file, **TABLE)
        assert state(copy.root) == before
    (copy.root / "tables" / "drug_sales.csv").mkdir()
    with pytest.raises(DataError, match=r"drug_sales\.csv cannot be written: Is a directory"):
        drafts.new_table(file, **TABLE)
    assert state(copy.root) == before


def test_a_claim_is_written_with_its_test_its_figure_and_its_results(project, capsys):
    drafts.new_claim(NAME, pairs(CLAIM | FIGURE))
    assert "kbio check 13_reform_clock 40_claims_ledger --accept" in capsys.readouterr().out
    tests = load("claim_tests").set_index("claim").loc[NAME]
    assert (tests["step"], tests["tolerance"], tests["measure"]) == (0.1, "printed", NAME)
    assert load("claim_figures").set_index("figure").at[NAME, "value"] == 10.9
    topics = load("claim_tests")["topic"].replace("", None).ffill()
    assert topics.ne(topics.shift()).sum() == topics.nunique()
    book = (project / "notebooks" / "results.csv").read_text()
    assert f"\n40_claims_ledger,verdict_{NAME},verdict,,Verdict: Medicine sales 2024\n40_claims_ledger,measured" in book
    assert f"measured_{NAME},US$ million,0.005,Measured: Medicine sales 2024\n" in book
    with pytest.raises(UsageError, match="there is one already"):
        drafts.new_claim(NAME, pairs(CLAIM | FIGURE))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "measure=..."),
        ({"rule": "equal"}, "did you mean equals?"),
        ({"rule": "untestable"}, "note=..."),
        ({"tolerance": "wide"} | FIGURE, "(printed, about"),
        ({"unit": "US$ bilion"}, "did you mean US$ billion"),
        ({"label": "Export rank 2024", "measure": "no_such"}, "40_claims_ledger has no 'no_such'"),
        ({"notebook": "12_top_five", "measure": "rank_lates"}, "did you mean rank_latest"),
        ({"notebook": "12_top_fiev", "measure": "rank_latest"}, "did you mean 12_top_five"),
        ({"source_id": "NOBODY"} | FIGURE, "'NOBODY' is not in the table sources"),
        ({"valeu": "3"}, "'valeu': write COLUMN=TEXT"),
        # What it stands beside is not as it should be.
        (("notebooks/results.csv", None), "cannot be read"),
        (("notebooks/results.csv", "notebook,name\n"), "has no result measured_listing_days_after"),
        (("notebooks/40_claims_ledger.ipynb", "{}"), "cannot be read ('metadata')"),
        (("data/tables/claim_tests.csv", "claim\n"), "table claim_tests is not the one"),
    ],
)
def test_a_claim_that_would_not_hold_leaves_everything_as_it_was(project, changes, said):
    if isinstance(changes, tuple):
        (damaged, content), changes = changes, FIGURE
        (project / damaged).unlink() if content is None else (project / damaged).write_text(content)
    before = state(project)
    with pytest.raises((UsageError, DataError)) as refused:
        drafts.new_claim(NAME, pairs(CLAIM | changes))
    assert said in str(refused.value)
    assert state(project) == before


def test_the_way_of_a_new_user_ends_with_tables_and_lists_that_agree(root, tmp_path, file):
    """The two commands on a copy of the whole project."""
    made = tmp_path / "copy"
    shutil.copytree(root, made, ignore=shutil.ignore_patterns(".git", ".venv", "site", "candidates", "__pycache__"))
    environment = {k: v for k, v in os.environ.items() if k != "KBIO_DATA"} | {"PYTHONPATH": str(made)}

    def run(*command: str) -> str:
        how = {"cwd": made, "env": environment, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        done = subprocess.run([sys.executable, "-m", *command], **how, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    given = [(name, text) for name, texts in TABLE.items() for text in (texts if isinstance(texts, list) else [texts])]
    options = [word for name, text in given for word in (f"--{name.replace('_', '-')}", text)]
    run("kbio_analysis", "new", "table", str(file), *options)
    run("kbio_analysis", "new", "claim", NAME, *pairs(CLAIM | FIGURE))
    assert "every table agrees" in run("kbio_analysis", "data", "verify")
    assert run("tools.readme", "--check") == ""
    assert "| drug_sales | Sales of medicines | WHO |" in (made / "data" / "README.md").read_text()
