"""Who does the jobs: local workers with warm kernels, or a real Dask cluster; the reports are the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from distributed import Client
from render.fixtures.built import emitting, job, notebook, plain_page, pretended, recording
from render.fixtures.cluster import CERTIFICATE, Started, deadly, reading, started

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render import cluster
from kbio_analysis.render.carry import Packed, pack, perform, unpacked
from kbio_analysis.render.executors import Crew, Tls, crew
from kbio_analysis.render.job import Job, Report, run
from kbio_analysis.render.provenance import package_hash
from kbio_analysis.render.runner import reports, reports_by

FLAT = 0.05  # memory in the last quarter of a batch against the second: the same within 5%
TINY_REPORTS = 40
GONE_SECONDS = 10.0  # for processes of ours to leave on a busy machine

PORTRAIT = """
import json, os, sys, psutil
from pathlib import Path
known = "pandas" in sys.modules
listening = [c.laddr for c in psutil.Process().net_connections("tcp") if c.status == "LISTEN"]
tables = Path(os.environ.get("KBIO_DATA", "."))
names = sorted(p.name for p in tables.iterdir() if p.suffix or p.is_dir())
print(json.dumps([known, listening, names, os.environ["PYTHONHASHSEED"]]))
"""

plainly = partial(run, page=plain_page)


def batch(count: int, *cells: str, **more: object) -> list[Job]:
    more = {"kernel": "auto"} | more
    return [job(notebook(*cells), {"size": 1 + i % 9}, set_name=f"set-{i}", **more) for i in range(count)]


def printed(report: Report, cell: int = -1) -> object:
    assert report.status == "ok", report.failure
    return json.loads("".join(json.loads(report.files["executed.ipynb"])["cells"][cell]["outputs"][0]["text"]))


def pages(made: Iterator[Report]) -> dict[str, tuple[bytes, bytes]]:
    return {r.set_name: (r.files["index.html"], r.files["executed.ipynb"]) for r in made}


def servers() -> list[psutil.Process]:
    """Our own fork servers; kernels are their children."""
    running = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in running if "kbio_analysis.render.kernels.server" in child.cmdline()[:3]]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables-of-the-caller"
    (folder / "tables").mkdir(parents=True)
    (folder / "datapackage.json").write_text("{}")
    (folder / "tables" / "a.csv").write_text("year\n2024\n")
    (folder / ".hidden").write_text("not sent")
    return folder


# ---- this machine


def kernel_of(work: Job) -> Report:
    return pretended(set_name=work.set_name, page=work.kernel.encode())


@pytest.mark.parametrize(
    ("count", "asked", "used"), [(1, "auto", "python3"), (2, "auto", "kbio"), (2, "python3", "python3")]
)
def test_a_batch_has_warm_kernels_unless_told_otherwise(count: int, asked: str, used: str) -> None:
    made = reports(batch(count, "1", kernel=asked), workers=1, work=kernel_of)
    assert {report.files["index.html"] for report in made} == {used.encode()}


def test_warm_and_ordinary_kernels_make_the_same_report_and_open_no_port() -> None:
    cells = [recording("growth_pct", "size / 8"), emitting(kind="answer", text="It does."), PORTRAIT]
    by_kernel = {name: list(reports(batch(2, *cells, kernel=name), workers=2)) for name in ("auto", "python3")}
    for name, found in by_kernel.items():
        for report in found:
            known, listening, _, seed = printed(report)
            assert (known, listening, seed) == (name == "auto", [], "0")
            assert set(report.cpu_seconds) == {"start", "cells", "page"}
            assert b"cpu seconds: start " in report.files["log.txt"]
    # The portrait itself tells one kernel from the other; every other cell and the page's own text may not.
    same = {name: pages(map(without_portrait, found)) for name, found in by_kernel.items()}
    assert same["auto"] == same["python3"]
    assert servers() == []


def without_portrait(report: Report) -> Report:
    files = {name: content.replace(b"[true, ", b"[?, ").replace(b"[false, ", b"[?, ") for name, content in
             report.files.items()}  # fmt: skip
    return Report(notebook="n", set_name=report.set_name, status="ok", result=report.result, files=files)


def test_a_warm_kernel_that_is_killed_is_reported_at_once_with_its_signal() -> None:
    began = "import os, signal, time\nopen('{}', 'w').write(str(time.time()))\nos.kill(os.getpid(), signal.SIGKILL)"
    stamp = Path(os.environ.get("TMPDIR", "/tmp")) / f"kbio-test-{os.getpid()}"
    fine = batch(2, "1")[1]
    fatal = job(notebook(began.format(stamp)), set_name="deadly", kernel="auto")
    found = {}
    for report in reports([fatal, fine], workers=2, work=plainly):
        found[report.set_name] = (report.status, time.time())
        if report.set_name == "deadly":
            assert "killed by SIGKILL in cell 2, likely for want of memory" in report.failure
    assert {name: status for name, (status, _) in found.items()} == {"deadly": "killed", "set-1": "ok"}
    assert found["deadly"][1] - float(stamp.read_text()) < 2.0
    stamp.unlink()


def test_a_long_batch_leaves_memory_files_and_processes_as_they_were() -> None:
    here = psutil.Process()
    list(reports(batch(2, "1"), workers=2, work=plainly))  # what is opened once is open
    files, children = here.num_fds(), {child.pid for child in here.children()}
    parent, server = [], []
    for report in reports(batch(TINY_REPORTS, "import os; print(os.getppid())"), workers=2, work=plainly):
        (serving,) = servers()
        assert printed(report) == serving.pid
        parent.append(here.memory_info().rss)
        server.append(serving.memory_info().rss)
    for memory in (parent, server):
        quarter = TINY_REPORTS // 4
        middle, end = sum(memory[quarter : 2 * quarter]), sum(memory[-quarter:])
        assert abs(end / middle - 1) < FLAT
    assert here.num_fds() <= files
    left = [child for child in here.children() if child.pid not in children]
    assert psutil.wait_procs(left, timeout=GONE_SECONDS)[1] == []


def test_workers_are_forked_from_a_process_without_threads() -> None:
    program = "import kbio_analysis.render.rehearsal, psutil; print(psutil.Process().num_threads())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]


# ---- what travels


def test_a_folder_is_packed_and_unpacked_as_it_was(tables: Path, tmp_path: Path) -> None:
    packed = pack(tables)
    assert packed == pack(tables)
    folder = unpacked(packed, str(tmp_path))
    assert unpacked(packed) == folder
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert names == {"datapackage.json", "tables/a.csv"}
    assert (folder / "tables" / "a.csv").read_bytes() == (tables / "tables" / "a.csv").read_bytes()
    assert folder.stat().st_mode & 0o777 == 0o700
    (tables / "tables" / "a.csv").write_text("year\n2025\n")
    assert pack(tables).sha256 != packed.sha256


def test_no_job_is_done_with_other_code(tables: Path) -> None:
    with pytest.raises(ExecutionError, match=r"has other code: its kbio_analysis is .* yours is ffff"):
        perform(kernel_of, batch(1, "1")[0], "f" * 64, None)
    assert perform(kernel_of, batch(1, "1")[0], package_hash(), Packed("0", pack(tables).content)).status == "ok"


# ---- a cluster


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


def test_a_cluster_makes_the_same_bytes_and_needs_no_shared_disk(two_workers: Started, tables: Path) -> None:
    cells = [recording("growth_pct", "size / 8"), PORTRAIT, "print(tables)"]
    work = batch(4, *cells, kernel="kbio", data=str(tables))
    there = list(reports_by(crew(None, two_workers.address), work))
    for report in there:
        known, listening, found, _ = printed(report, -2)
        assert (known, listening, found) == (True, [], ["datapackage.json", "tables"])
    assert pages(iter(there)) == pages(reports(work, workers=2))


def test_the_worker_reads_its_own_copy_of_the_tables(two_workers: Started, tables: Path) -> None:
    with crew(None, two_workers.address) as hands:
        assert hands.workers == 2
        (report,) = reports(batch(1, "1", data=str(tables)), workers=2, executor=hands.make, work=reading)
    where, text = json.loads(report.files["index.html"])
    assert "kbio-tables-" in where
    assert where != str(tables)
    assert text == "year\n2024\n"


def test_a_cluster_with_other_code_is_refused(two_workers: Started) -> None:
    with (
        Client(two_workers.address, set_as_default=False) as client,
        pytest.raises(ExecutionError, match=r"tcp://127.0.0.1:\d+ has other code"),
    ):
        cluster.Cluster(client, two_workers.address, "f" * 64)


def test_a_worker_killed_half_way_loses_nothing(two_workers: Started) -> None:
    # The last test on this cluster: one worker is left after it.
    work = batch(8, "import time; time.sleep(0.5)\nprint(size)", kernel="kbio")
    victim, found = two_workers.workers[0], {}
    for report in reports_by(crew(None, two_workers.address), work):
        if not found:
            orphans = victim.children(recursive=True)
            victim.send_signal(signal.SIGKILL)
        found[report.set_name] = report.status
    assert found == {f"set-{i}": "ok" for i in range(8)}
    assert victim.wait(GONE_SECONDS) == -signal.SIGKILL
    assert psutil.wait_procs(orphans, timeout=GONE_SECONDS)[1] == []


def test_over_encrypted_links_a_job_that_kills_its_workers_is_told_and_the_others_done(tmp_path: Path) -> None:
    tls = Tls(ca=CERTIFICATE, cert=CERTIFICATE, key=CERTIFICATE)
    allowed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with started(tmp_path, workers=1, tls=True, nanny=True, **allowed) as running:
        assert running.address.startswith("tls://")
        work = partial(deadly, "set-1", os.getpid())
        with crew(None, running.address, tls) as hands:
            found = {r.set_name: r for r in reports(batch(3, "1"), workers=1, executor=hands.make, work=work)}
    assert {name: report.status for name, report in found.items()} == {"set-0": "ok", "set-1": "killed", "set-2": "ok"}
    assert "its worker was killed each time" in found["set-1"].failure


# ---- requests that cannot be met


def refused(kind: type[Exception], words: str, scheduler: str | None, tls: Tls | None = None) -> None:
    with pytest.raises(kind, match=words), crew(None, scheduler, tls):
        raise AssertionError("not refused")


def test_what_is_wrong_with_a_request_for_a_cluster_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Tls(ca=CERTIFICATE, cert=CERTIFICATE, key=CERTIFICATE)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    refused(ExecutionError, r"no Dask scheduler answers at tcp://127.0.0.1:1", "tcp://127.0.0.1:1")
    refused(UsageError, "none is given", None, whole)
    refused(UsageError, "no encrypted address", "tcp://127.0.0.1:1", whole)
    refused(UsageError, "--tls-key is missing", "tls://127.0.0.1:1", Tls(ca=CERTIFICATE, cert=CERTIFICATE))
    nowhere = Tls(ca=CERTIFICATE, cert=Path("/nowhere.pem"), key=CERTIFICATE)
    refused(UsageError, "--tls-cert: there is no file", "tls://127.0.0.1:1", nowhere)
    monkeypatch.setitem(sys.modules, "distributed", None)
    refused(UsageError, r"kbio-analysis\[cluster\]", "tcp://127.0.0.1:1")


def test_without_a_scheduler_the_crew_is_this_machine() -> None:
    with crew(3, None) as hands:
        assert hands == Crew(workers=3, make=None)


def test_tables_of_a_killed_worker_are_swept_by_the_next_and_those_of_a_living_one_are_not(
    tables: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom kbio_analysis.render.carry import pack, unpacked\n"
        "print(unpacked(pack(Path(sys.argv[1])), sys.argv[2]), flush=True)\n"
        "input()\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )

    def worker() -> tuple[subprocess.Popen[str], Path]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started = subprocess.Popen([sys.executable, "-c", script, str(tables), str(home)], **pipes)
        return started, Path(started.stdout.readline().strip()).parent

    first, left = worker()
    second, living = worker()
    assert left.is_dir()  # its owner lives while the second unpacks
    first.communicate("\n")
    assert left.is_dir()  # killed: nobody could clear up
    third, _ = worker()
    assert not left.exists()
    assert living.is_dir()
    for one in (second, third):
        one.kill()
        one.communicate()
