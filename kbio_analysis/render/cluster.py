"""Reports by the workers of a Dask cluster: pure jobs and the tables go there, files as plain bytes come back.

It needs the same kbio_analysis on scheduler and workers, and no shared disk; docs/cluster.md tells how to start one.
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
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render.child import StoppedError
from kbio_analysis.render.forks import check_stop, stopping
from kbio_analysis.render.job import Job, Report, ended, run
from kbio_analysis.render.provenance import package_hash

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

CONNECT_SECONDS = 15
NO_WORKER_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_TRIES = 3  # of a job that its workers do not survive, the last ones alone
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can hold


def check_address(scheduler: str, *, unencrypted: bool = False) -> None:
    """Raise UsageError for an address that is none, and for an open link to another machine."""
    found = _ADDRESS.fullmatch(scheduler)
    if found is None or not 0 < int(found[3]) < 65536:
        raise UsageError(f"--scheduler {scheduler!r}: write tls://HOST:PORT, or tcp://HOST:PORT on this machine")
    loopback = found[2] == "localhost"
    with suppress(ValueError):
        loopback = ipaddress.ip_address(found[2].strip("[]")).is_loopback
    if found[1] == "tcp" and not unencrypted and not loopback:
        raise UsageError(
            f"{scheduler} is another machine without encryption: whoever reaches it can run programs there; "
            "use tls://, or say --unencrypted if the network is yours alone"
        )


def reports(jobs: Iterable[Job], *, scheduler: str) -> Iterator[Report]:
    """Yield a report for every job from the cluster of the scheduler at ``tcp://host:port`` or ``tls://host:port``.

    Dask's own configuration (``distributed.comm.tls``) says which certificates to show. Raises UsageError without the
    package ``distributed``, ExecutionError when the scheduler cannot be reached, has no worker or has one with other
    code than ours; on a signal as :func:`~kbio_analysis.render.forks.answers`.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "--scheduler needs the package distributed; install kbio-analysis with its extra: kbio-analysis[cluster]"
        ) from None
    # What comes back is not unpickled here.
    how = {"timeout": CONNECT_SECONDS, "set_as_default": False, "deserializers": ["dask", "msgpack"]}
    try:
        connected = Client(scheduler, **how)
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as problem:
        first = next(iter(str(problem).splitlines()), type(problem).__name__)
        raise ExecutionError(f"no Dask scheduler answers at {scheduler}: {first}") from problem
    with stopping(), connected as client:
        rounds, killed = deque([list(jobs)]), Counter[str]()
        tables: dict[str | None, DaskFuture | None] = {None: None}
        for folder in {job.data for job in rounds[0] if job.data}:
            # Sent to the cluster once: the result of a task, made anew should every worker that has it die.
            packed = pack(Path(folder))
            tables[folder] = client.submit(bytes, packed, key=f"kbio-tables-{hashlib.sha256(packed).hexdigest()}")
        while rounds:
            together = rounds.popleft()
            for job, files in _answers(client, together, [tables[job.data] for job in together]):
                killed[job.label] += files is None
                if files is not None:
                    yield Report.of(job, files)
                elif killed[job.label] < _TRIES:
                    # Dask blames every job that was on the worker; which one it was is found by trying each alone.
                    rounds.append([job])
                else:
                    reason = "its worker was killed each time, likely for want of memory; try larger workers"
                    yield ended(job, StoppedError(status="killed", kind="WorkerDied", reason=reason))


def _answers(
    client: Client, jobs: list[Job], tables: list[DaskFuture | None]
) -> Iterator[tuple[Job, dict[str, bytes] | None]]:
    """Each job and the files of its report, as they come back; None where its worker was killed too often."""
    from distributed import CancelledError, KilledWorker

    done: SimpleQueue[DaskFuture] = SimpleQueue()
    sent = client.map(perform, jobs, tables, code=package_hash(), pure=False, key="kbio-report")
    pending, seen = dict(zip(sent, jobs, strict=True)), time.monotonic()
    for future in sent:
        future.add_done_callback(done.put)
    while pending:
        check_stop()
        try:
            future = done.get(timeout=_LOOK_SECONDS)
        except Empty:
            # A cluster that has lost all its workers keeps its jobs waiting for ever.
            with suppress(OSError, TimeoutError, ValueError):
                seen = time.monotonic() if client.nthreads() else seen
            if (alone := time.monotonic() - seen) > NO_WORKER_SECONDS:
                raise ExecutionError(f"the cluster has had no worker for {alone:.0f} s: dask worker") from None
            continue
        try:
            files = future.result()
        except KilledWorker:
            files = None
        except CancelledError:
            raise ExecutionError("the link to the scheduler is lost; run again") from None
        except ImportError as missing:
            message = f"a worker cannot import what a report needs ({missing}); install kbio_analysis there"
            raise ExecutionError(message) from missing
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
    """On a worker: the files of the job's report, made with these tables; ExecutionError if its code is other."""
    if code != package_hash():
        raise ExecutionError(
            f"{socket.gethostname()} has other code: its kbio_analysis is {package_hash()[:12]}, yours is {code[:12]}; "
            "install the same version there and start the worker again"
        )
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
