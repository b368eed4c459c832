"""Reports by the workers of a Dask cluster: pure jobs and the tables go there, files as plain bytes come back.

The cluster needs the same kbio_analysis on scheduler and workers, and no shared disk. A job whose worker dies is done
by another one; Dask itself sees to that. How to start a cluster is told in docs/cluster.md.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import multiprocessing
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import weakref
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render.folders import PREFIX, claim, sweep
from kbio_analysis.render.job import Job, Report, ended
from kbio_analysis.render.provenance import package_hash
from kbio_analysis.render.signals import TICK_SECONDS, stopping
from kbio_analysis.render.workers import run

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

CONNECT_SECONDS = 15
FIRST_WORKER_SECONDS = 30
NO_WORKER_SECONDS = 60.0
_LOOK_SECONDS = 2.0
_TRIES = 3  # of a job that its workers do not survive, the last ones alone
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can hold: the same tables give the same bytes


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


def reports(
    jobs: Iterable[Job], *, scheduler: str, tls: Tls | None = None, until: float | None = None
) -> Iterator[Report]:
    """Yield a report for every job from the cluster of the scheduler at ``tcp://host:port`` or ``tls://host:port``.

    Without ``tls`` Dask's own configuration (``distributed.comm.tls``) says which certificates to show. Raises
    UsageError without the package ``distributed``, ExecutionError when the scheduler cannot be reached, has no worker
    or has one with other code than ours; on a signal and at ``until`` as :func:`~kbio_analysis.render.forks.answers`.
    """
    with stopping() as stop, _connected(scheduler, tls or Tls()) as client:
        _require_our_code(client, scheduler)
        run_ = _Round(client, scheduler)
        run_.send(jobs)
        while run_.pending:
            report = run_.next()
            stop.check(until)
            if report is not None:
                yield report


@contextmanager
def _connected(scheduler: str, tls: Tls) -> Iterator[Client]:
    try:
        from distributed import Client, Security
    except ImportError:
        raise UsageError(
            "--scheduler needs the package distributed; install kbio-analysis with its extra: kbio-analysis[cluster]"
        ) from None
    files = {"tls_ca_file": str(tls.ca), "tls_client_cert": str(tls.cert), "tls_client_key": str(tls.key)}
    security = Security(**files, require_encryption=True) if tls else None
    try:
        client = Client(scheduler, security=security, timeout=CONNECT_SECONDS, set_as_default=False, name="kbio")
    except (OSError, TimeoutError, ValueError, TypeError) as problem:
        first = next(iter(str(problem).splitlines()), type(problem).__name__)
        raise ExecutionError(f"no Dask scheduler answers at {scheduler}: {first}") from problem
    with client:
        yield client


def _require_our_code(client: Client, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)
    except TimeoutError:
        raise ExecutionError(f"the scheduler at {scheduler} has no worker; start some: dask worker") from None
    try:
        found = {scheduler: client.run_on_scheduler(package_hash)} | client.run(package_hash)
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


class _Round:
    """The jobs that are with the cluster, and what has come back."""

    def __init__(self, client: Client, scheduler: str) -> None:
        self.pending: dict[DaskFuture, tuple[Job, int]] = {}
        self._client, self._scheduler = client, scheduler
        self._done: SimpleQueue[DaskFuture] = SimpleQueue()
        self._alone: deque[tuple[Job, int]] = deque()
        self._tables: dict[str, DaskFuture] = {}
        self._seen = self._looked = time.monotonic()

    def send(self, jobs: Iterable[Job], tries: int = 1) -> None:
        jobs = list(jobs)
        tables = [self._packed(job.data) for job in jobs]
        sent = self._client.map(perform, jobs, tables, code=package_hash(), pure=False, key="kbio-report")
        for job, future in zip(jobs, sent, strict=True):
            self.pending[future] = job, tries
            future.add_done_callback(self._done.put)

    def next(self) -> Report | None:
        """A report that has come back, if one does within a moment."""
        from distributed import CancelledError, KilledWorker

        self._require_workers()
        try:
            future = self._done.get(timeout=TICK_SECONDS)
        except Empty:
            return None
        job, tries = self.pending.pop(future)
        try:
            return Report.of(job, future.result())
        except KilledWorker:
            # Dask blames every job that was on the worker; which one it was is found by trying each alone.
            if tries == _TRIES:
                reason = "its worker was killed each time, likely for want of memory; try larger workers"
                return ended(job, "killed", None, "WorkerDied", reason)
            self._alone.append((job, tries + 1))
            return None
        except CancelledError:
            raise ExecutionError(f"the link to the scheduler at {self._scheduler} is lost; run again") from None
        finally:
            future.release()
            if self._alone and not self.pending:
                again, so_far = self._alone.popleft()
                self.send([again], so_far)

    def _packed(self, folder: str | None) -> DaskFuture | None:
        """The tables, sent to the cluster once: the result of a task, made anew should every worker that has it die."""
        if folder is not None and folder not in self._tables:
            packed = pack(Path(folder))
            self._tables[folder] = self._client.submit(_as_it_is, packed, key=f"kbio-tables-{packed.sha256}")
        return self._tables.get(folder or "")

    def _require_workers(self) -> None:
        """A cluster that has lost all its workers keeps its jobs waiting for ever: say so instead."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        with suppress(OSError, TimeoutError, ValueError):
            if self._client.nthreads():
                self._seen = now
        if now - self._seen > NO_WORKER_SECONDS:
            raise ExecutionError(f"the cluster at {self._scheduler} has had no worker for {now - self._seen:.0f} s")


# ---- what travels, and what is done with it on a worker


@dataclass(frozen=True, slots=True)
class Packed:
    """A folder's files as one compressed archive, and the hash that names it."""

    sha256: str
    content: bytes = field(repr=False)


def pack(folder: Path) -> Packed:
    """Every file below a folder, but hidden ones."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                file.writestr(zipfile.ZipInfo(name.as_posix(), _NO_DATE), path.read_bytes(), zipfile.ZIP_DEFLATED)
    content = archive.getvalue()
    return Packed(hashlib.sha256(content).hexdigest(), content)


def _as_it_is(packed: Packed) -> Packed:
    return packed


def perform(job: Job, tables: Packed | None, code: str, work: Callable[[Job], Report] = run) -> dict[str, bytes]:
    """On a worker: the files of the job's report, made with the tables that came along.

    Raises ExecutionError, which ends the run, if the worker's package is not the one with the hash ``code``.
    """
    require_same_code(code, package_hash(), socket.gethostname())
    with suppress(AssertionError):  # a worker below Dask's nanny may otherwise start no process
        multiprocessing.current_process().daemon = False
    if tables is not None:
        job = replace(job, data=str(unpacked(tables, _worker_folder())))
    return work(job).files


def _worker_folder() -> str | None:
    """The worker's own folder, which Dask clears also after one that was killed."""
    try:
        from distributed import get_worker

        return get_worker().local_directory
    except (ImportError, ValueError):
        return None


_lock = threading.Lock()
_unpacked: dict[str, Path] = {}


def unpacked(packed: Packed, home: str | None = None) -> Path:
    """The folder with these files, the same for every call in this process; below ``home``, if given."""
    with _lock:
        known = _unpacked.get(packed.sha256)
        if known is None or not known.is_dir():
            _unpacked[packed.sha256] = known = _unpack(packed, home or tempfile.gettempdir())
        return known


def _unpack(packed: Packed, place: str) -> Path:
    sweep((place,))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}tables-{packed.sha256[:12]}-", dir=place)).resolve()
    # Held until the folder is gone: a lock without its process tells the next worker to clear up.
    weakref.finalize(packed.__class__, _given_up, folder, claim(folder))
    (tables := folder / "data").mkdir(mode=0o700)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as file:
        file.extractall(tables)
    return tables


def _given_up(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)
