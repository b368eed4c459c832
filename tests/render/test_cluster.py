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
from render.fixtures.cluster import CERTIFICATE, started

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render import cluster
from kbio_analysis.render.cluster import check_address
from kbio_analysis.render.job import Job, Report, reports

Cluster = tuple[str, list[psutil.Popen]]

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


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


def test_a_cluster_makes_the_same_bytes_and_needs_no_shared_disk(two_workers: Cluster, tmp_path: Path) -> None:
    tables = tmp_path / "tables-of-the-caller"
    (tables / "tables").mkdir(parents=True)
    (tables / "datapackage.json").write_text("{}")
    (tables / "tables" / "a.csv").write_text("year\n2024\n")
    (tables / ".hidden").write_text("not sent")
    cells = [recording("growth_pct", "size / 8"), emitting(kind="answer", text="It does."), PORTRAIT, "print(tables)"]
    work = batch(4, *cells, data=str(tables))
    here = {report.label: report.files for report in reports(work)}
    for report in cluster.reports(work, scheduler=two_workers[0]):
        executed = report.files["executed.ipynb"]
        assert (executed, report.files["index.html"]) == tuple(
            here[report.label][name] for name in ("executed.ipynb", "index.html")
        )
        printed = "".join(json.loads(executed)["cells"][-2]["outputs"][0]["text"])
        assert json.loads(printed) == [[], ["datapackage.json", "tables"]]
        assert str(tables).encode() not in executed
        assert b"/tables-" not in executed


def test_a_cluster_with_other_code_is_refused(two_workers: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "package_hash", lambda: "f" * 64)
    with pytest.raises(ExecutionError, match=r"has other code: its kbio_analysis is .* yours is ffff"):
        list(cluster.reports(batch(1, "1"), scheduler=two_workers[0]))


def test_a_worker_killed_half_way_loses_nothing(two_workers: Cluster) -> None:
    # The last test on this cluster: one worker is left after it.
    victim, found = two_workers[1][0], {}
    for report in cluster.reports(batch(8, "import time; time.sleep(0.5)\nprint(size)"), scheduler=two_workers[0]):
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
    with started(tmp_path, workers=1, tls=True, nanny=True, **allowed) as (address, _), dask.config.set(ours):
        assert address.startswith("tls://")
        found = {r.set_name: r for r in cluster.reports(batch(3, deadly), scheduler=address)}
    assert {name: report.status for name, report in found.items()} == {"set-0": "ok", "set-1": "killed", "set-2": "ok"}
    assert "its worker was killed each time" in found["set-1"].failure


# ---- what travels


def test_files_that_no_report_has_do_not_come_in() -> None:
    (work,) = batch(1, "1")
    good = pretended(set_name="set-0").files
    assert Report.of(work, good).status == "ok"
    strange = [(work, good | {name: b"x"}) for name in ("../index.html", "/etc/passwd", "stamp.json")]
    for asked, files in [*strange, (replace(work, set_name="another"), good)]:
        with pytest.raises(ExecutionError, match="what came back is no report of it"):
            Report.of(asked, files)


# ---- requests that cannot be met


@pytest.mark.parametrize("scheduler", ["10.0.0.5", "tcp://10.0.0.5:99999", "http://localhost:1", "tcp://10.0.0.5:8786"])
def test_a_scheduler_that_is_none_or_open_elsewhere_is_refused_at_once(scheduler: str) -> None:
    with pytest.raises(UsageError, match=r"write tls://HOST:PORT; tcp:// is for this machine"):
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
