"""Many jobs through one road: submitted to an executor, handed back as they are done, none lost to a dead worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from functools import partial
from types import FrameType

from kbio_analysis.render.job import Job, Report, lost, run

ExecutorMaker = Callable[[int], Executor]
Work = Callable[[Job], Report]

# A job that takes its worker down is found by running it alone; its innocent neighbours are tried together first.
SHARED_ROUNDS = 2


def usable_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reports(
    jobs: Iterable[Job], *, workers: int, executor: ExecutorMaker | None = None, work: Work = run
) -> Iterator[Report]:
    """Yield a report for every job, in the order in which they are done.

    One job or one worker runs in this process unless an executor is given. ``executor(n)`` makes one with n workers.
    When a worker dies its jobs are run again; one that dies alone too gives a report with status ``killed``.
    """
    waiting = list(jobs)
    if executor is None and (workers == 1 or len(waiting) <= 1):
        yield from map(work, waiting)
        return
    make, work = (executor, work) if executor else (processes, partial(_attended, work))
    for _ in range(SHARED_ROUNDS):
        if waiting:
            broken: list[Job] = []
            yield from _round(waiting, make(min(workers, len(waiting))), work, broken)
            waiting = broken
    for job in waiting:
        broken = []
        yield from _round([job], make(1), work, broken)
        if broken:
            yield lost(job, "the worker process was killed, likely for want of memory; try fewer --jobs")


def _round(jobs: list[Job], executor: Executor, work: Work, broken: list[Job]) -> Iterator[Report]:
    """One executor's life. Jobs whose worker died are added to ``broken``."""
    pending = {executor.submit(work, job): job for job in jobs}
    try:
        for done in as_completed(pending):
            try:
                yield done.result()
            except BrokenExecutor:
                broken.append(pending[done])
        executor.shutdown()
    except BaseException:
        # Interrupted, or the caller went away: no worker and no kernel may outlive us.
        executor.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise


def processes(workers: int) -> ProcessPoolExecutor:
    """Local worker processes, forked from a clean server that has imported the notebook libraries once."""
    # Workers only pass messages; a numerical library's threads would be in the server when it forks.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(["kbio_analysis.render.execution", "kbio_analysis.render.page"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_cleanly)


def _leave_cleanly() -> None:
    """In a worker: Ctrl-C is the parent's affair; its SIGTERM ends the kernel first, then the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)


def _attended(work: Work, job: Job) -> Report:
    """A worker told to end must end: the pool would take the exit for one job's failure and go on with the next."""
    try:
        return work(job)
    except SystemExit as told:
        os._exit(int(told.code or 0))


def _end(_signal: int, _frame: FrameType | None) -> None:
    # Once: the pool repeats itself when a sibling has gone, and must not disturb the clearing up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(143)
