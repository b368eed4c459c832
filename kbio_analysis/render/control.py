"""One run on a site: what is due is made, published as it comes and indexed, until all is done, time is up or we stop.

The site is locked for the whole run and whole at every moment of it. A run that was cut off, however rudely, leaves
reports that are up to date; the next run passes them over and makes the rest.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError
from kbio_analysis.render.cache import Cache
from kbio_analysis.render.composition import SiteRecords, beneath, in_stages
from kbio_analysis.render.leftovers import sweep
from kbio_analysis.render.progress import NOT_RUN, UNCHANGED, Display, display
from kbio_analysis.render.publish import LOCK_WAIT_SECONDS, explained, open_site, publish
from kbio_analysis.render.ranking import Rankings, remember

if TYPE_CHECKING:
    from kbio_analysis.render.job import Job, Report

Make = Callable[[list["Job"]], Iterator["Report"]]
Around = Callable[[list["Job"]], AbstractContextManager[object]]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the ``total`` reports asked for.

    ``made`` and ``unchanged`` are good; ``failed`` are the folders of those that failed, ``not_run`` the names of
    those that got no turn because time was up or, if ``interrupted``, because the run was stopped.
    """

    total: int
    made: int = 0
    unchanged: int = 0
    failed: list[Path] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 all well, 1 something failed or was not run, 130 stopped by a signal."""
        return 130 if self.interrupted else int(bool(self.failed or self.not_run))


def carry_out(
    jobs: Sequence[Job],
    site: Path,
    make: Make,
    *,
    workers: int,
    force: bool = False,
    wait_seconds: float = LOCK_WAIT_SECONDS,
    time_limit: float | None = None,
    on_wait: Callable[[], None] | None = None,
    rankings: Rankings | None = None,
    around: Around = nullcontext,
) -> Outcome:
    """Bring the reports of ``jobs`` up to date with what ``make`` gives for those that are due; all with ``force``.

    ``time_limit`` in seconds counts from when the site is ours; it needs the main thread. SIGINT, and what is raised
    as KeyboardInterrupt, stops the run in order. Raises PublishError if the site is held longer than
    ``wait_seconds`` or cannot be written; what was published stays. ``rankings`` is what the pages of their batches
    are to be ranked by; ``around`` is entered with all that is due and left when the last stage is done.
    """
    outcome = Outcome(total=len(jobs))
    with open_site(site, wait_seconds=wait_seconds, on_wait=on_wait):
        began = time.monotonic()
        if rankings is not None:
            with explained(site):
                remember(site, rankings)
        cache = Cache(site, jobs)
        due = _due(jobs, site, cache, force)
        labels = {job.label for job in due}
        outcome.unchanged = len(jobs) - len(due)
        if due:
            sweep()
        with display(len(due), workers) as shown:
            for job in jobs:
                if job.label not in labels:
                    shown.passed_over(job.label, UNCHANGED)
            run = _Run(site=site, make=make, cache=cache, force=force, outcome=outcome, shown=shown, around=around)
            try:
                run.through(due, time_limit)
            except BaseException:
                with suppress(KbioError):
                    _index(site)
                raise
        _index(site)
        outcome.seconds = time.monotonic() - began
    return outcome


def _due(jobs: Sequence[Job], site: Path, cache: Cache, force: bool) -> list[Job]:
    """What has to be made, and what may have to be because something it is composed from is made first."""
    if force:
        return list(jobs)
    records, due = SiteRecords(site, cache), []
    labels: set[str] = set()
    for group in in_stages(jobs):
        for job in group:
            if not labels.isdisjoint(beneath(job)) or not cache.current(records.supplied(job)):
                due.append(job)
        labels |= {job.label for job in due}
    return due


@dataclass(slots=True, kw_only=True)
class _Run:
    """The making of what is due, stage by stage."""

    site: Path
    make: Make
    around: Around
    cache: Cache
    force: bool
    outcome: Outcome
    shown: Display
    waiting: dict[str, Job] = field(default_factory=dict)

    def through(self, due: list[Job], time_limit: float | None) -> None:
        if not due:
            return
        self.waiting = {job.label: job for job in due}
        try:
            with _signals(time_limit) as signals, self.around(due):
                for group in in_stages(due):
                    self._stage(group, signals)
        except OutOfTimeError:
            pass
        except KeyboardInterrupt:
            self.outcome.interrupted = True
        self.outcome.not_run = list(self.waiting)
        for label in self.waiting:
            self.shown.passed_over(label, NOT_RUN)

    def _stage(self, group: list[Job], signals: _Signals) -> None:
        records, due = SiteRecords(self.site, self.cache), []
        for job in map(records.supplied, group):
            # What a composed report rests on may have been made anew and say the same as before.
            if job.recorded is not None and not self.force and self.cache.current(job):
                del self.waiting[job.label]
                self.outcome.unchanged += 1
                self.shown.passed_over(job.label, UNCHANGED)
            else:
                self.waiting[job.label] = job
                due.append(job)
        if not due:
            return
        with closing(self.make(due)) as made:
            for report in made:
                with signals.held():
                    folder = publish(self.cache.stamped(self.waiting[report.label], report), self.site)
                    del self.waiting[report.label]
                    if report.status == "ok":
                        self.outcome.made += 1
                    else:
                        self.outcome.failed.append(folder)
                self.shown.done(report)


def _index(site: Path) -> None:
    from kbio_analysis.render.site import write_site

    with explained(site):
        write_site(site)


# ---- stopping


class OutOfTimeError(KeyboardInterrupt):
    """The time for all reports is over; raised wherever the run happens to be, and passed on by event loops."""


class _Signals:
    """Turns what tells a run to stop into exceptions, but never while ``held``: what is being published, is."""

    def __init__(self) -> None:
        self._held = False
        self._due: type[KeyboardInterrupt] | None = None

    def take(self, number: int, _frame: FrameType | None) -> None:
        what = OutOfTimeError if number == signal.SIGALRM else KeyboardInterrupt
        if not self._held:
            raise what
        self._due = what

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put off what comes to the end of the block, and raise it there."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._due is not None:
            raise self._due


@contextmanager
def _signals(seconds: float | None) -> Iterator[_Signals]:
    """SIGINT, SIGTERM and the end of ``seconds`` for the length of the block; outside the main thread, nothing."""
    signals = _Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.signal(number, signals.take) for number in numbers]
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        yield signals
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
