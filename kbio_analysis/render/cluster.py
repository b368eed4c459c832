"""Reports by the workers of a Dask cluster: pure jobs and the tables go there, files as plain bytes come back.

It needs the same kbio_analysis on scheduler and workers, and no shared disk; docs/cluster.md tells how to start one.
"""

import multiprocessing
import re
import socket
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render.child import StoppedError
from kbio_analysis.render.forks import check_stop, own_folder
from kbio_analysis.render.job import Job, Report, failed, run
from kbio_analysis.render.provenance import package_hash

CONNECT_SECONDS = 15
NO_WORKER_SECONDS = 60.0
_LOOK_SECONDS = 1.0
Tables = tuple[tuple[str, bytes], ...]  # name and content of each file
_TRIES = 3  # of a job that its workers do not survive, the last ones alone
_ADDRESS = re.compile(r"(tcp|tls)://((localhost|127(?:\.\d+){3}|\[::1\])|\[[0-9a-fA-F:]+\]|[\w.-]+):([1-9]\d{0,4})")


def check_address(scheduler: str, *, unencrypted: bool = False) -> None:
    """Raise UsageError for an address that is none, and for an open link to another machine."""
    found = _ADDRESS.fullmatch(scheduler)
    if found is None or int(found[4]) > 65535 or (found[1] == "tcp" and not found[3] and not unencrypted):
        raise UsageError(
            f"--scheduler {scheduler!r}: write tls://HOST:PORT; tcp:// is for this machine, or with --unencrypted for "
            "a network of yours alone: whoever reaches such a scheduler can run programs there"
        )


def reports(jobs: Iterable[Job], *, scheduler: str) -> Iterator[Report]:
    """Yield a report for every job from the cluster of the scheduler at ``tcp://host:port`` or ``tls://host:port``.

    Dask's own configuration (``distributed.comm.tls``) says which certificates to show. Raises UsageError without the
    package ``distributed``, ExecutionError when the scheduler cannot be reached, has no worker or has one with other
    code than ours.
    """
    try:
        from distributed import CancelledError, Client, KilledWorker

        unread = ["dask", "msgpack"]  # what comes back is not unpickled here
        connected = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False, deserializers=unread)
    except ImportError:
        raise UsageError("--scheduler needs distributed; install kbio-analysis[cluster]") from None
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as problem:
        first = next(iter(str(problem).splitlines()), type(problem).__name__)
        raise ExecutionError(f"no Dask scheduler answers at {scheduler}: {first}") from problem
    done, pending, rounds, killed = SimpleQueue(), {}, deque([list(jobs)]), Counter()
    with connected as client:
        # Sent to the cluster once: the result of a task, made anew should every worker that has it die.
        folders = {job.data for job in rounds[0]} - {None}
        tables = {None: None} | {folder: client.submit(tuple, pack(folder)) for folder in folders}
        while pending or rounds:
            if not pending:
                together, seen = rounds.popleft(), time.monotonic()
                there = [tables[job.data] for job in together]
                sent = client.map(perform, together, there, code=package_hash(), pure=False, key="kbio-report")
                pending = dict(zip(sent, together, strict=True))
                del sent  # a report is let go by the cluster once it is here
                for future in pending:
                    future.add_done_callback(done.put)
            check_stop()
            try:
                future = done.get(timeout=_LOOK_SECONDS)
                job = pending.pop(future)
                yield Report.of(job, future.result())
            except Empty:
                # A cluster that has lost all its workers keeps its jobs waiting for ever.
                with suppress(OSError, TimeoutError, ValueError):
                    seen = time.monotonic() if client.nthreads() else seen
                if (alone := time.monotonic() - seen) > NO_WORKER_SECONDS:
                    raise ExecutionError(f"the cluster has had no worker for {alone:.0f} s: dask worker") from None
            except KilledWorker:
                # Dask blames every job that was on the worker; which one it was is found by trying each alone.
                killed[job.label] += 1
                if killed[job.label] < _TRIES:
                    rounds.append([job])
                else:
                    reason = "its worker was killed each time, likely for want of memory; try larger workers"
                    yield failed(job, StoppedError(status="killed", kind="WorkerDied", reason=reason))
            except CancelledError:
                raise ExecutionError("the link to the scheduler is lost; run again") from None
            except ImportError as missing:
                what = f"a worker lacks what a report needs ({missing}); install kbio-analysis there"
                raise ExecutionError(what) from missing


# ---- what travels, and what is done with it on a worker


def pack(folder: str) -> Tables:
    """Every file below a folder, but hidden ones: its name from there, and its bytes."""
    found = ((path.relative_to(folder).as_posix(), path) for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return tuple((name, path.read_bytes()) for name, path in found if "/." not in f"/{name}")


def perform(job: Job, tables: Tables | None, code: str) -> dict[str, bytes]:
    """On a worker: the files of the job's report, made with these tables; ExecutionError if its code is other."""
    if code != package_hash():
        raise ExecutionError(
            f"{socket.gethostname()} has other code: its kbio_analysis is {package_hash()[:12]}, yours is {code[:12]}; "
            "install the same version there and start the worker again"
        )
    multiprocessing.current_process().daemon = False  # below Dask's nanny it may otherwise start no process
    return run(replace(job, data=unpacked(tables)) if tables else job).files


@cache
def unpacked(tables: Tables) -> str:
    """A private folder with these files, as long as this process."""
    folder = Path(tempfile.mkdtemp(prefix="tables-", dir=own_folder()))
    for name, content in tables:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)
