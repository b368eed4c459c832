"""Many jobs through one road: submitted to an executor, handed back as they are done, none lost to a dead worker."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

from kbio_analysis.render.executors import Crew, ExecutorMaker, processes, usable_cores
from kbio_analysis.render.job import Job, Report, lost, run
from kbio_analysis.render.kernels import ADDRESS_VARIABLE, Ahead, shared_server
from kbio_analysis.render.surroundings import AUTO_KERNEL, OWN_KERNEL, WARM_KERNEL, common_environment

__all__ = ["SHARED_ROUNDS", "reports", "reports_by", "served", "usable_cores"]

Work = Callable[[Job], Report]

# A job that takes its worker down is found by running it alone; its innocent neighbours are tried together first.
SHARED_ROUNDS = 2
# Two tries alone: a neighbour may have broken every shared round before this job had begun in any of them.
ALONE_ROUNDS = 2
# So many jobs a worker are with the executor: none waits for us, and no more results than that wait for our reader.
AHEAD = 2
_KILLED = "its worker was killed each time, likely for want of memory; try fewer --jobs or larger workers"


def reports(
    jobs: Iterable[Job], *, workers: int, executor: ExecutorMaker | None = None, work: Work = run
) -> Iterator[Report]:
    """Yield a report for every job, in the order in which they are done.

    One job or one worker runs in this process unless an executor is given. ``executor(n)`` makes one with n workers.
    When a worker dies its jobs are run again; one that dies alone too gives a report with status ``killed``.
    The kernel ``auto`` is the warm one; for a single report here, and without a server already ``served``, the ordinary
    one, which needs no server first.
    """
    waiting = _with_kernel(list(jobs), executor)
    with _server_for(waiting, executor):
        if executor is None and (workers == 1 or len(waiting) <= 1):
            yield from map(work, waiting)
            return
        make, work = (executor, work) if executor else (processes, partial(_attended, work))
        for _ in range(SHARED_ROUNDS):
            if waiting:
                broken: list[Job] = []
                yield from _round(waiting, make, workers, work, broken)
                waiting = broken
        for job in waiting:
            for _ in range(ALONE_ROUNDS):
                broken = []
                yield from _round([job], make, 1, work, broken)
                if not broken:
                    break
            else:
                yield lost(job, _KILLED)


def reports_by(hands: AbstractContextManager[Crew], jobs: Iterable[Job]) -> Iterator[Report]:
    """The same, by a crew that is called together for these jobs and sent home after them."""
    with hands as crew:
        yield from reports(jobs, workers=crew.workers, executor=crew.make)


def served(jobs: list[Job]) -> AbstractContextManager[object]:
    """One fork server for all stages of a run on this machine; none for a single report."""
    return _server_for(_with_kernel(jobs, None), None)


def _with_kernel(jobs: list[Job], executor: ExecutorMaker | None) -> list[Job]:
    warm = executor or len(jobs) > 1 or ADDRESS_VARIABLE in os.environ
    chosen = WARM_KERNEL if warm else OWN_KERNEL
    return [replace(job, kernel=chosen) if job.kernel == AUTO_KERNEL else job for job in jobs]


def _server_for(jobs: list[Job], executor: ExecutorMaker | None) -> AbstractContextManager[object]:
    """One fork server for the workers of this machine. An executor's may be anywhere; each starts its own."""
    if ADDRESS_VARIABLE not in os.environ and executor is None and any(job.kernel == WARM_KERNEL for job in jobs):
        return shared_server(env=common_environment(), ahead=_ahead(jobs))
    return nullcontext()


def _ahead(jobs: list[Job]) -> Ahead | None:
    """The tables that these jobs are expected to read, for the server to have them ready; None if there are none."""
    folders, tables = {job.data for job in jobs}, {name for job in jobs for name in job.tables}
    if len(folders) != 1 or None in folders or not tables:
        return None
    return Ahead(*folders, tuple(sorted(tables)))


def _round(jobs: list[Job], make: ExecutorMaker, workers: int, work: Work, broken: list[Job]) -> Iterator[Report]:
    """One executor's life. Jobs whose worker died are added to ``broken``."""
    executor, queue, pending = make(min(workers, len(jobs))), deque(jobs), {}
    try:
        while queue or pending:
            _fill(executor, queue, pending, workers * AHEAD, work, broken)
            finished = wait(pending, return_when=FIRST_COMPLETED).done
            while finished:
                # Nothing here holds on to a report once it has been handed over.
                done = finished.pop()
                report = _outcome(done, pending.pop(done), broken)
                del done
                if report is not None:
                    yield report
        executor.shutdown()
    except BaseException:
        # Interrupted, or the caller went away: no worker and no kernel may outlive us.
        executor.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise


def _fill(
    executor: Executor, queue: deque[Job], pending: dict[Future, Job], most: int, work: Work, broken: list[Job]
) -> None:
    """Keep the executor supplied; if it is broken, all that is left goes to ``broken``."""
    while queue and len(pending) < most:
        try:
            pending[executor.submit(work, queue[0])] = queue[0]
        except BrokenExecutor:
            broken.extend(queue)
            queue.clear()
        else:
            queue.popleft()


def _outcome(done: Future, job: Job, broken: list[Job]) -> Report | None:
    try:
        return done.result()
    except BrokenExecutor:
        broken.append(job)
        return None


def _attended(work: Work, job: Job) -> Report:
    """A worker told to end must end: the pool would take the exit for one job's failure and go on with the next."""
    try:
        return work(job)
    except SystemExit as told:
        os._exit(int(told.code or 0))
