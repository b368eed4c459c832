"""A report is made again exactly when something it depends on has changed, or its files are not whole."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from render.fixtures.built import STATE, job, notebook, pretended

from kbio_analysis.data.package import rebuild_passports
from kbio_analysis.render import provenance as module
from kbio_analysis.render.job import Job, Report
from kbio_analysis.render.provenance import STAMP, Cache, table_states
from kbio_analysis.render.publish import open_site, publish

SOURCE = notebook("print(size)")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A package of two tables, each with a correction."""
    root = tmp_path / "data"
    (root / "tables").mkdir(parents=True)
    resources = []
    for name in ("apples", "pears"):
        (root / "tables" / f"{name}.csv").write_text("key,weight\na,1\n")
        fields = [{"name": "key", "type": "string"}, {"name": "weight", "type": "number"}]
        schema = {"fields": fields, "primaryKey": "key"}
        resources.append({"name": name, "path": f"tables/{name}.csv", "schema": schema})
    (root / "datapackage.json").write_text(json.dumps({"name": "x", "resources": resources}))
    entry = "- {table: %s, row: {key: a}, column: weight, expect: '1', replace: '%s', reason: r, source_id: s}\n"
    (root / "corrections.yml").write_text(entry % ("apples", "2") + entry % ("pears", "2"))
    rebuild_passports(root)
    return root


def reading(data: Path, *tables: str) -> Job:
    return job(SOURCE, set_name="-".join(tables) or "none", data=str(data))


def report(work: Job, **tables: str) -> Report:
    return pretended(set_name=work.set_name, tables=tables)


def digests(data: Path) -> dict[str, str]:
    return dict(table_states(str(data)).keys())


@pytest.fixture
def site(tmp_path: Path, data: Path) -> Path:
    """A site with a report that reads no table, one that reads apples, and one that reads both."""
    folder = tmp_path / "site"
    jobs = [reading(data, *tables) for tables in ((), ("apples",), ("apples", "pears"))]
    cache, known = Cache(folder, jobs), digests(data)
    with open_site(folder):
        for work in jobs:
            read = {name: known[name] for name in work.set_name.split("-") if name in known}
            publish(cache.stamped(work, report(work, **read)), folder)
    return folder


def current(site: Path, data: Path) -> list[str]:
    jobs = [reading(data, *tables) for tables in ((), ("apples",), ("apples", "pears"))]
    cache = Cache(site, jobs)
    return [work.set_name for work in jobs if cache.current(work)]


ALL = ["none", "apples", "apples-pears"]


def test_nothing_changed_nothing_due(site: Path, data: Path) -> None:
    assert current(site, data) == ALL


def test_a_touched_time_stamp_changes_nothing(site: Path, data: Path) -> None:
    for path in [*data.rglob("*"), *site.rglob("*")]:
        os.utime(path, (1, 1))
    assert current(site, data) == ALL


@pytest.mark.parametrize(
    ("table", "kept"), [("apples", ["none"]), ("pears", ["none", "apples"])], ids=["apples", "pears"]
)
def test_a_changed_digit_is_for_the_reports_that_read_it_and_no_others(
    site: Path, data: Path, table: str, kept: list[str]
) -> None:
    path = data / "tables" / f"{table}.csv"
    path.write_text(path.read_text().replace(",1", ",3"))
    assert current(site, data) == kept
    rebuild_passports(data)
    assert current(site, data) == kept
    path.write_text(path.read_text().replace(",3", ",1"))
    rebuild_passports(data)
    assert current(site, data) == ALL


def test_a_passport_and_a_correction_count_as_the_table_does(site: Path, data: Path) -> None:
    package, corrections = data / "datapackage.json", data / "corrections.yml"
    before = package.read_text()
    changed = json.loads(before)
    changed["resources"][1]["schema"]["fields"][1]["type"] = "integer"
    package.write_text(json.dumps(changed))
    assert current(site, data) == ["none", "apples"]
    package.write_text(before)
    lines = corrections.read_text().splitlines(keepends=True)
    corrections.write_text(lines[0] + lines[1].replace("replace: '2'", "replace: '5'"))
    assert current(site, data) == ["none"]
    corrections.write_text("".join(lines))
    package.write_text("broken")
    assert current(site, data) == ["none"]


def test_a_table_that_changed_while_the_report_was_made_leaves_it_due(tmp_path: Path, data: Path) -> None:
    work = reading(data, "apples")
    cache = Cache(tmp_path / "site", [work])
    path = data / "tables" / "apples.csv"
    path.write_text(path.read_text().replace(",1", ",4"))
    rebuild_passports(data)
    with open_site(tmp_path / "site") as folder:
        publish(cache.stamped(work, report(work, apples=digests(data)["apples"])), folder)
    assert not Cache(folder, [work]).current(work)


def test_an_input_that_nobody_can_vouch_for_leaves_the_report_due(tmp_path: Path, data: Path) -> None:
    work = reading(data)
    cache = Cache(tmp_path, [work])
    publish(cache.stamped(work, report(work, something_else="0" * 64)), tmp_path)
    assert not cache.current(work)


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"size": 4, "name": "a"}},
        {"parameters": {"size": 3.0, "name": "a"}},
        {"source": notebook("print(size )")},
        {"source": notebook("print(size)", prose="# Does it walk?")},
        {
            "source": notebook(
                "print(size)", parameters="size: int = 3  # how many, count [1..11]\nname: str = 'a'  # w"
            )
        },
        {"provenance": replace(STATE, package="q" * 64)},
        {"provenance": replace(STATE, lock="l" * 64)},
        {"batch": "another"},
    ],
)
def test_what_shapes_a_report_makes_it_due(site: Path, data: Path, change: dict[str, object]) -> None:
    work = reading(data)
    assert Cache(site, [work]).current(work)
    changed = replace(work, **change)
    assert not Cache(site, [changed]).current(changed)


def test_another_python_makes_it_due(site: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.platform, "python_version", lambda: "3.99.0")
    assert current(site, data) == []


@pytest.mark.parametrize(
    "change",
    [
        {"kernel": "kbio"},
        {"limit_seconds": 1.0},
        {"provenance": replace(STATE, commit="c" * 40, dirty=True)},
        {"source": SOURCE.replace(b'"execution_count": 7', b'"execution_count": 8')},
    ],
)
def test_what_does_not_shape_a_report_leaves_it(site: Path, data: Path, change: dict[str, object]) -> None:
    changed = replace(reading(data), **change)
    assert Cache(site, [changed]).current(changed)


@pytest.mark.parametrize("name", ["index.html", "executed.ipynb", "result.json", "log.txt", STAMP])
@pytest.mark.parametrize("harm", ["missing", "cut", "empty", "bit", "folder"])
def test_a_missing_or_damaged_file_makes_it_due(site: Path, data: Path, name: str, harm: str) -> None:
    path = site / "10_sample" / "none" / name
    content = path.read_bytes()
    path.unlink()
    if harm == "folder":
        path.mkdir()
    elif harm != "missing":
        path.write_bytes({"cut": content[:-2], "empty": b"", "bit": bytes([content[0] ^ 1]) + content[1:]}[harm])
    assert current(site, data) == ["apples", "apples-pears"]


@pytest.mark.parametrize("stamp", [b"[]", b"{}", b'{"key": 1, "tables": [], "files": 3}', b"\xff"])
def test_a_stamp_that_is_none_makes_it_due(site: Path, data: Path, stamp: bytes) -> None:
    (site / "10_sample" / "none" / STAMP).write_bytes(stamp)
    assert current(site, data) == ["apples", "apples-pears"]


def test_a_failure_makes_it_due_and_carries_no_stamp(site: Path, data: Path) -> None:
    work = reading(data)
    failed = Cache(site, [work]).stamped(work, pretended("failed", set_name="none"))
    assert STAMP not in failed.files
    publish(failed, site)
    assert current(site, data) == ["apples", "apples-pears"]


def test_a_copied_report_is_not_taken_for_another(site: Path, data: Path) -> None:
    shutil.copytree(site / "10_sample" / "none", site / "10_sample" / "copy")
    work = replace(reading(data), set_name="copy")
    assert not Cache(site, [work]).current(work)
