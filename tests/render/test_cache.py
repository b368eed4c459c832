"""A report is made again exactly when something it depends on has changed, or its files are not whole."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from render.fixtures.built import STATE, job, lay_tables, notebook, pretended

from kbio_analysis.data.package import rebuild_passports
from kbio_analysis.render import provenance as module
from kbio_analysis.render.job import Job
from kbio_analysis.render.provenance import STAMP, Cache, table_states
from kbio_analysis.render.publish import open_site, publish

SOURCE = notebook("print(size)")
ALL = ["none", "apples", "apples-pears"]  # the sets, by the tables they read


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A package of two tables, each with a correction."""
    root, entry = tmp_path / "data", "- {table: %s, row: {key: a}, column: weight, expect: '1', replace: '2', reason: r"
    lay_tables(root, apples=1, pears=1)
    (root / "corrections.yml").write_text("".join(f"{entry % name}, source_id: s}}\n" for name in ("apples", "pears")))
    return root


def reading(data: Path, set_name: str = "none") -> Job:
    return job(SOURCE, set_name=set_name, data=str(data))


def published(cache: Cache, work: Job, site: Path, *tables: str) -> None:
    """As if the job's report had been made now, having read these tables."""
    now = dict(table_states(work.data).keys())
    report = pretended(set_name=work.set_name, tables={name: now.get(name, "0" * 64) for name in tables})
    with open_site(site):
        publish(cache.stamped(work, report), site)


@pytest.fixture
def site(tmp_path: Path, data: Path) -> Path:
    """A site with a report that reads no table, one that reads apples, and one that reads both."""
    jobs = [reading(data, name) for name in ALL]
    cache = Cache(tmp_path / "site", jobs)
    for work in jobs:
        published(cache, work, tmp_path / "site", *(name for name in work.set_name.split("-") if name != "none"))
    return tmp_path / "site"


def current(site: Path, data: Path) -> list[str]:
    jobs = [reading(data, name) for name in ALL]
    cache = Cache(site, jobs)
    return [work.set_name for work in jobs if cache.current(work)]


def test_nothing_changed_nothing_due_whatever_the_time_stamps_say(site: Path, data: Path) -> None:
    for path in [*data.rglob("*"), *site.rglob("*")]:
        os.utime(path, (1, 1))
    assert current(site, data) == ALL


@pytest.mark.parametrize(("table", "kept"), [("apples", ALL[:1]), ("pears", ALL[:2])])
def test_a_changed_digit_is_for_the_reports_that_read_it_and_no_others(
    site: Path, data: Path, table: str, kept: list[str]
) -> None:
    path = data / "tables" / f"{table}.csv"
    path.write_text("key,weight\na,3\n")
    assert current(site, data) == kept
    rebuild_passports(data)
    assert current(site, data) == kept
    lay_tables(data, apples=1, pears=1)
    assert current(site, data) == ALL


def test_a_passport_and_a_correction_count_as_the_table_does(site: Path, data: Path) -> None:
    package, corrections = data / "datapackage.json", data / "corrections.yml"
    before = package.read_text()
    other = json.loads(before)
    other["resources"][1]["schema"]["fields"][1]["type"] = "integer"
    package.write_text(json.dumps(other))
    assert current(site, data) == ["none", "apples"]
    package.write_text("broken")
    assert current(site, data) == ["none"]
    package.write_text(before)
    corrections.write_text(corrections.read_text().replace("replace: '2'", "replace: '5'", 1))
    assert current(site, data) == ["none"]


def test_a_table_that_changed_while_the_report_was_made_or_is_unknown_leaves_it_due(tmp_path: Path, data: Path) -> None:
    work = reading(data)
    cache = Cache(tmp_path / "site", [work])
    published(cache, work, tmp_path / "site", "something_else")
    assert not cache.current(work)
    lay_tables(data, apples=4, pears=1)
    published(cache, work, tmp_path / "site", "apples")
    assert not Cache(tmp_path / "site", [work]).current(work)


@pytest.mark.parametrize(
    ("change", "shapes"),
    [
        ({"parameters": {"size": 4, "name": "a"}}, True),
        ({"parameters": {"size": 3.0, "name": "a"}}, True),
        ({"source": notebook("print(size )")}, True),
        ({"source": notebook("print(size)", prose="# Does it walk?")}, True),
        ({"source": SOURCE.replace(b"[1..10]", b"[1..11]")}, True),
        ({"provenance": STATE | {"code": "q" * 64}}, True),
        ({"provenance": STATE | {"lock": "l" * 64}}, True),
        ({"batch": "another"}, True),
        ({"kernel": "kbio"}, False),
        ({"limit_seconds": 1.0}, False),
        ({"provenance": STATE | {"commit": "c" * 40, "dirty": True}}, False),
        ({"source": SOURCE.replace(b'"execution_count": 7', b'"execution_count": 8')}, False),
    ],
)
def test_what_shapes_a_report_makes_it_due_and_nothing_else(site: Path, data: Path, change: dict, shapes: bool) -> None:
    work = replace(reading(data), **change)
    assert Cache(site, [work]).current(work) is not shapes


def test_another_python_makes_it_due(site: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.platform, "python_version", lambda: "3.99.0")
    assert current(site, data) == []


@pytest.mark.parametrize("name", ["index.html", "executed.ipynb", "result.json", "log.txt", STAMP])
def test_a_missing_or_damaged_file_makes_it_due(site: Path, data: Path, name: str) -> None:
    path = site / "10_sample" / "none" / name
    content = path.read_bytes()
    path.unlink()
    assert current(site, data) == ALL[1:]
    for harmed in (content[:-2], b"", bytes([content[0] ^ 1]) + content[1:], b"[]", b'{"key": 1, "files": 3}', b"\xff"):
        path.write_bytes(harmed)
        assert current(site, data) == ALL[1:], harmed
    path.unlink()
    path.mkdir()
    assert current(site, data) == ALL[1:]


def test_a_failure_makes_it_due_and_carries_no_stamp_and_a_copy_is_not_taken_for_another(
    site: Path, data: Path
) -> None:
    shutil.copytree(site / "10_sample" / "none", site / "10_sample" / "copy")
    work = reading(data, "copy")
    assert not Cache(site, [work]).current(work)
    failed = Cache(site, [work]).stamped(work, pretended("failed", set_name="none"))
    assert STAMP not in failed.files
    publish(failed, site)
    assert current(site, data) == ALL[1:]
