"""A real Dask cluster: the same bytes as here, no shared disk, and what goes wrong is said."""

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dask
import psutil
import pytest
from render.fixtures.built import emitting, job, notebook, pretended, recording
from render.fixtures.cluster import CERTIFICATE, Started, started

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render import cluster
from kbio_analysis.render.cluster import check_address
from kbio_analysis.render.job import Job, Report, reports

GONE_SECONDS = 10.0  # for processes of ours to leave on a busy machine

PORTRAIT = """
import json, os, psutil
from pathlib import Path
tables = Path(os.environ.get("KBIO_DATA", "."))
listening = [c.laddr for c in psutil.Process().net_connections("tcp") if c.status == "LISTEN"]
print(json.dumps([listening, sorted(p.name for p in tables.iterdir() if p.suffix or p.is_dir())]))
"""


def batch(count: int, *cells: str, **more: object) -> list[Job]:
    return [job(notebook(*cells), {"size": 1 + i % 9}, set_name=f"set-{i}", **more) for i in range(count)]


def printed(report: Report, cell: int = -1) -> object:
    assert report.status == "ok", report.failure
    return json.loads("".join(json.loads(report.files["executed.ipynb"])["cells"][cell]["outputs"][0]["text"]))


def pages(made: Iterator[Report]) -> dict[str, tuple[bytes, bytes]]:
    return {r.set_name: (r.files["index.html"], r.files["executed.ipynb"]) for r in made}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables-of-the-caller"
    (folder / "tables").mkdir(parents=True)
    (folder / "datapackage.json").write_text("{}")
    (folder / "tables" / "a.csv").write_text("year\n2024\n")
    (folder / ".hidden").write_text("not sent")
    return folder


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


def test_a_cluster_makes_the_same_bytes_and_needs_no_shared_disk(two_workers: Started, tables: Path) -> None:
    cells = [recording("growth_pct", "size / 8"), emitting(kind="answer", text="It does."), PORTRAIT, "print(tables)"]
    work = batch(4, *cells, data=str(tables))
    there = list(cluster.reports(work, scheduler=two_workers.address))
    for report in there:
        assert printed(report, -2) == [[], ["datapackage.json", "tables"]]
        assert str(tables).encode() not in report.files["executed.ipynb"]
        assert b"kbio-tables-" not in report.files["executed.ipynb"]
    assert pages(iter(there)) == pages(reports(work))


def test_a_cluster_with_other_code_is_refused(two_workers: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "package_hash", lambda: "f" * 64)
    with pytest.raises(ExecutionError, match=r"has other code: its kbio_analysis is .* yours is ffff"):
        list(cluster.reports(batch(1, "1"), scheduler=two_workers.address))


def test_a_worker_killed_half_way_loses_nothing(two_workers: Started) -> None:
    # The last test on this cluster: one worker is left after it.
    victim, found = two_workers.workers[0], {}
    for report in cluster.reports(batch(8, "import time; time.sleep(0.5)\nprint(size)"), scheduler=two_workers.address):
        if not found:
            orphans = victim.children(recursive=True)
            victim.send_signal(signal.SIGKILL)
        found[report.set_name] = report.status
    assert found == {f"set-{i}": "ok" for i in range(8)}
    assert victim.wait(GONE_SECONDS) == -signal.SIGKILL
    assert psutil.wait_procs(orphans, timeout=GONE_SECONDS)[1] == []


def test_over_encrypted_links_a_job_that_kills_its_workers_is_told_and_the_others_done(tmp_path: Path) -> None:
    ours = {f"distributed.comm.tls.{name}": str(CERTIFICATE) for name in ("ca-file", "client.cert", "client.key")}
    allowed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    deadly = "import psutil, time\nif size == 2:\n    psutil.Process().parent().parent().kill()\n    time.sleep(60)"
    with started(tmp_path, workers=1, tls=True, nanny=True, **allowed) as running, dask.config.set(ours):
        assert running.address.startswith("tls://")
        found = {r.set_name: r for r in cluster.reports(batch(3, deadly), scheduler=running.address)}
    assert {name: report.status for name, report in found.items()} == {"set-0": "ok", "set-1": "killed", "set-2": "ok"}
    assert "its worker was killed each time" in found["set-1"].failure


# ---- what travels


@pytest.mark.parametrize("name", ["../index.html", "/etc/passwd", "stamp.json"])
def test_files_that_no_report_has_do_not_come_in(name: str) -> None:
    (work,) = batch(1, "1")
    good = pretended(set_name="set-0").files
    assert Report.of(work, good).status == "ok"
    for asked, files in ((work, good | {name: b"x"}), (replace(work, set_name="another"), good)):
        with pytest.raises(ExecutionError, match="what came back is no report of it"):
            Report.of(asked, files)


# ---- requests that cannot be met


@pytest.mark.parametrize(
    ("scheduler", "words"),
    [
        ("10.0.0.5", r"write tls://HOST:PORT"),
        ("tcp://10.0.0.5:99999", r"write tls://HOST:PORT"),
        ("http://localhost:1", r"write tls://HOST:PORT"),
        ("tcp://10.0.0.5:8786", "tcp:// is for this machine"),
    ],
)
def test_what_is_wrong_with_a_request_for_a_cluster_is_said_at_once(scheduler: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_address(scheduler)


def test_addresses_that_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:8786", "tls://10.0.0.5:8786"):
        check_address(address)
    check_address("tcp://10.0.0.5:8786", unencrypted=True)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ExecutionError, match=r"no Dask scheduler answers at tcp://127.0.0.1:1"):
        list(cluster.reports(batch(1, "1"), scheduler="tcp://127.0.0.1:1"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"kbio-analysis\[cluster\]"):
        list(cluster.reports(batch(1, "1"), scheduler="tcp://127.0.0.1:1"))
