"""Reports by the workers of a Dask cluster: pure jobs and the tables go there, files as plain bytes come back.

The cluster needs the same kbio_analysis on scheduler and workers, and no shared disk. A job whose worker dies is done
by another one; Dask itself sees to that. How to start a cluster is told in docs/cluster.md.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import multiprocessing
import re
import socket
import tempfile
import time
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render.job import Job, Report, ended
from kbio_analysis.render.provenance import package_hash
from kbio_analysis.render.signals import stopping
from kbio_analysis.render.workers import run

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

    from kbio_analysis.render.signals import Stop

CONNECT_SECONDS = 15
FIRST_WORKER_SECONDS = 30
NO_WORKER_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_TRIES = 3  # of a job that its workers do not survive, the last ones alone
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files (PEM) for encrypted links to a cluster: the authority's certificate, ours, and our private key."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def __bool__(self) -> bool:
        return any((self.ca, self.cert, self.key))


def check_address(scheduler: str | None, tls: Tls, *, unencrypted: bool = False) -> None:
    """Raise UsageError for an address that is none, half a certificate, and an open link to another machine."""
    if scheduler is None:
        if tls:
            raise UsageError("--tls-ca, --tls-cert and --tls-key are for the link to a --scheduler; none is given")
        return
    found = _ADDRESS.fullmatch(scheduler)
    if found is None or not 0 < int(found[3]) < 65536:
        raise UsageError(f"--scheduler {scheduler!r}: write tls://HOST:PORT, or tcp://HOST:PORT on this machine")
    if tls and found[1] != "tls":
        raise UsageError(f"certificates are given but {scheduler} is no encrypted address; write tls://HOST:PORT")
    if found[1] == "tcp" and not unencrypted and not _loopback(found[2].strip("[]")):
        raise UsageError(
            f"{scheduler} is another machine without encryption: whoever reaches it can run programs there; "
            "use tls://, or say --unencrypted if the network is yours alone"
        )
    for option, path in (("--tls-ca", tls.ca), ("--tls-cert", tls.cert), ("--tls-key", tls.key)):
        if tls and path is None:
            raise UsageError(f"{option} is missing; a link needs --tls-ca, --tls-cert and --tls-key")
        if path is not None and not path.is_file():
            raise UsageError(f"{option}: there is no file {path}")


def _loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def reports(jobs: Iterable[Job], *, scheduler: str, tls: Tls | None = None) -> Iterator[Report]:
    """Yield a report for every job from the cluster of the scheduler at ``tcp://host:port`` or ``tls://host:port``.

    Without ``tls`` Dask's own configuration (``distributed.comm.tls``) says which certificates to show. Raises
    UsageError without the package ``distributed``, ExecutionError when the scheduler cannot be reached, has no worker
    or has one with other code than ours; on a signal as :func:`~kbio_analysis.render.forks.answers`.
    """
    with stopping() as stop, _connected(scheduler, tls or Tls()) as client:
        _require_our_code(client, scheduler)
        rounds, killed = deque([list(jobs)]), Counter[str]()
        tables = {folder: _sent_tables(client, folder) for folder in {job.data for job in rounds[0]}}
        while rounds:
            together = rounds.popleft()
            for job, files in _answers(client, together, [tables[job.data] for job in together], stop):
                killed[job.label] += files is None
                if files is not None:
                    yield Report.of(job, files)
                elif killed[job.label] < _TRIES:
                    # Dask blames every job that was on the worker; which one it was is found by trying each alone.
                    rounds.append([job])
                else:
                    reason = "its worker was killed each time, likely for want of memory; try larger workers"
                    yield ended(job, "killed", None, "WorkerDied", reason)


@contextmanager
def _connected(scheduler: str, tls: Tls) -> Iterator[Client]:
    try:
        from distributed import Client, Security
    except ImportError:
        raise UsageError(
            "--scheduler needs the package distributed; install kbio-analysis with its extra: kbio-analysis[cluster]"
        ) from None
    files = {"tls_ca_file": str(tls.ca), "tls_client_cert": str(tls.cert), "tls_client_key": str(tls.key)}
    # What comes back is not unpickled here.
    how = {"timeout": CONNECT_SECONDS, "set_as_default": False, "deserializers": ["dask", "msgpack"]}
    try:
        client = Client(scheduler, security=Security(**files, require_encryption=True) if tls else None, **how)
    except (OSError, TimeoutError, ValueError, TypeError) as problem:
        first = next(iter(str(problem).splitlines()), type(problem).__name__)
        raise ExecutionError(f"no Dask scheduler answers at {scheduler}: {first}") from problem
    with client:
        yield client


def _require_our_code(client: Client, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)
        found = {scheduler: client.run_on_scheduler(package_hash)} | client.run(package_hash)
    except TimeoutError:
        raise ExecutionError(f"the scheduler at {scheduler} has no worker; start some: dask worker") from None
    except ImportError as missing:
        message = f"the cluster at {scheduler} cannot import kbio_analysis ({missing}); install it there"
        raise ExecutionError(message) from missing
    for where, code in found.items():
        require_same_code(package_hash(), code, where)


def require_same_code(wanted: str, found: str, where: str) -> None:
    """Raise ExecutionError if a worker has other code than the caller: its reports would not be the caller's."""
    if found != wanted:
        raise ExecutionError(
            f"{where} has other code: its kbio_analysis is {found[:12]}, yours is {wanted[:12]}; "
            "install the same version there and start the worker again"
        )


def _sent_tables(client: Client, folder: str | None) -> DaskFuture | None:
    """The tables, sent to the cluster once: the result of a task, made anew should every worker that has it die."""
    if folder is None:
        return None
    packed = pack(Path(folder))
    return client.submit(bytes, packed, key=f"kbio-tables-{hashlib.sha256(packed).hexdigest()}")


def _answers(
    client: Client, jobs: list[Job], tables: list[DaskFuture | None], stop: Stop
) -> Iterator[tuple[Job, dict[str, bytes] | None]]:
    """Each job and the files of its report, as they come back; None where its worker was killed too often."""
    from distributed import CancelledError, KilledWorker

    done: SimpleQueue[DaskFuture] = SimpleQueue()
    sent = client.map(perform, jobs, tables, code=package_hash(), pure=False, key="kbio-report")
    pending, seen = dict(zip(sent, jobs, strict=True)), time.monotonic()
    for future in sent:
        future.add_done_callback(done.put)
    while pending:
        stop.check()
        try:
            future = done.get(timeout=_LOOK_SECONDS)
        except Empty:
            # A cluster that has lost all its workers keeps its jobs waiting for ever.
            with suppress(OSError, TimeoutError, ValueError):
                seen = time.monotonic() if client.nthreads() else seen
            if (alone := time.monotonic() - seen) > NO_WORKER_SECONDS:
                raise ExecutionError(f"the cluster has had no worker for {alone:.0f} s") from None
            continue
        try:
            files = future.result()
        except KilledWorker:
            files = None
        except CancelledError:
            raise ExecutionError("the link to the scheduler is lost; run again") from None
        future.release()
        yield pending.pop(future), files


# ---- what travels, and what is done with it on a worker


def pack(folder: Path) -> bytes:
    """Every file below a folder, but hidden ones, as one archive; the same files give the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                file.writestr(zipfile.ZipInfo(name.as_posix(), _NO_DATE), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def perform(job: Job, tables: bytes | None, code: str, work: Callable[[Job], Report] = run) -> dict[str, bytes]:
    """On a worker: the files of the job's report, made with the tables that came along.

    Raises ExecutionError, which ends the run, if the worker's package is not the one with the hash ``code``.
    """
    require_same_code(code, package_hash(), socket.gethostname())
    with suppress(AssertionError):  # a worker below Dask's nanny may otherwise start no process
        multiprocessing.current_process().daemon = False
    if tables is not None:
        job = replace(job, data=str(Path(unpacked(tables).name, "data")))
    return work(job).files


@cache
def unpacked(tables: bytes) -> tempfile.TemporaryDirectory:
    """A folder with these files in ``data``, private and as long as this process; Dask clears it after a killed one."""
    try:
        from distributed import get_worker

        home = get_worker().local_directory
    except (ImportError, ValueError):
        home = None
    folder = tempfile.TemporaryDirectory(prefix="kbio-tables-", dir=home)
    with zipfile.ZipFile(io.BytesIO(tables)) as file:
        file.extractall(Path(folder.name, "data"))
    return folder
