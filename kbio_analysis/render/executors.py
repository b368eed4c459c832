"""Who does the jobs: worker processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import FrameType

from kbio_analysis.errors import UsageError

ExecutorMaker = Callable[[int], Executor]

PATIENCE_SECONDS = 5.0  # that a worker whose caller has gone is given to clear up


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Those who do the jobs of a run: how many at a time, and what makes their executor (None: this machine)."""

    workers: int
    make: ExecutorMaker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files (PEM) for encrypted links to a cluster: the authority's certificate, ours, and our private key."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def __bool__(self) -> bool:
        return any((self.ca, self.cert, self.key))


def usable_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def crew(jobs: int | None, scheduler: str | None, tls: Tls | None = None) -> Iterator[Crew]:
    """The workers for one run: ``jobs`` of this machine (default: its cores), or all of a cluster given its scheduler.

    Raises UsageError for options that exclude each other, and what :func:`kbio_analysis.render.cluster.connected` does.
    """
    if scheduler is None:
        if tls:
            raise UsageError("--tls-ca, --tls-cert and --tls-key are for the link to a --scheduler; none is given")
        yield Crew(workers=jobs or usable_cores())
        return
    from kbio_analysis.render.cluster import connected

    with connected(scheduler, tls or Tls()) as cluster:
        yield Crew(workers=cluster.workers, make=cluster.executor)


def processes(workers: int) -> ProcessPoolExecutor:
    """Local worker processes, forked from a clean server that has imported the notebook libraries once."""
    # Workers only pass messages; a numerical library's threads would be in the server when it forks.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(["kbio_analysis.render.rehearsal"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(dict(os.environ),))


def _begin(environment: dict[str, str]) -> None:
    """In a worker: Ctrl-C is the parent's affair; its SIGTERM ends the kernel first, then the worker.

    The environment is the parent's as it is now: the server that forks workers has the one it was started with.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    Thread(target=_leave_with_the_caller, daemon=True).start()


def _leave_with_the_caller() -> None:
    """A caller that was killed could tell nobody: without this, its workers would wait for its next job for ever."""
    caller = multiprocessing.parent_process()
    if caller is not None:
        caller.join()
        os.kill(os.getpid(), signal.SIGTERM)
        # Where a library has swallowed the order to leave, the kernels still see this process go.
        time.sleep(PATIENCE_SECONDS)
        os._exit(1)


def _end(_signal: int, _frame: FrameType | None) -> None:
    # Once: the pool repeats itself when a sibling has gone, and must not disturb the clearing up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(143)
