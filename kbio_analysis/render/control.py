"""One run on a site: what is due is made, published as it comes and indexed, until all is done, time is up or we stop.

The site is locked for the whole run and whole at every moment of it. A run that was cut off, however rudely, leaves
reports that are up to date; the next run passes them over and makes the rest.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError
from kbio_analysis.render.cache import Cache
from kbio_analysis.render.leftovers import sweep
from kbio_analysis.render.progress import NOT_RUN, UNCHANGED, Display, display
from kbio_analysis.render.publish import LOCK_WAIT_SECONDS, explained, open_site, publish

if TYPE_CHECKING:
    from kbio_analysis.render.job import Job, Report

Make = Callable[[list["Job"]], Iterator["Report"]]


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
) -> Outcome:
    """Bring the reports of ``jobs`` up to date with what ``make`` gives for those that are due; all with ``force``.

    ``time_limit`` in seconds counts from when the site is ours; it needs the main thread. SIGINT, and what is raised
    as KeyboardInterrupt, stops the run in order. Raises PublishError if the site is held longer than
    ``wait_seconds`` or cannot be written; what was published stays.
    """
    outcome = Outcome(total=len(jobs))
    with open_site(site, wait_seconds=wait_seconds, on_wait=on_wait):
        began = time.monotonic()
        cache = Cache(site, jobs)
        due = [job for job in jobs if force or not cache.current(job)]
        labels = {job.label for job in due}
        outcome.unchanged = len(jobs) - len(due)
        if due:
            sweep()
        with display(len(due), workers) as shown:
            for job in jobs:
                if job.label not in labels:
                    shown.passed_over(job.label, UNCHANGED)
            try:
                _work_through(due, site, make, cache, outcome, shown, time_limit)
            except BaseException:
                with suppress(KbioError):
                    _index(site)
                raise
        _index(site)
        outcome.seconds = time.monotonic() - began
    return outcome


def _work_through(
    due: list[Job],
    site: Path,
    make: Make,
    cache: Cache,
    outcome: Outcome,
    shown: Display,
    time_limit: float | None,
) -> None:
    if not due:
        return
    waiting = {job.label: job for job in due}
    try:
        with _signals(time_limit) as signals, closing(make(due)) as made:
            for report in made:
                with signals.held():
                    folder = publish(cache.stamped(waiting[report.label], report), site)
                    del waiting[report.label]
                    if report.status == "ok":
                        outcome.made += 1
                    else:
                        outcome.failed.append(folder)
                shown.done(report)
    except OutOfTimeError:
        pass
    except KeyboardInterrupt:
        outcome.interrupted = True
    outcome.not_run = list(waiting)
    for label in waiting:
        shown.passed_over(label, NOT_RUN)


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
