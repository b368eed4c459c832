"""One run on a site: what is due is made, published as it comes and indexed, to the end or a signal.

The site is locked for the whole run and whole at every moment of it. A run that was cut off, however rudely, leaves
reports that are up to date; the next run passes them over and makes the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError
from kbio_analysis.render.batches import keep_apart
from kbio_analysis.render.cache import Cache
from kbio_analysis.render.composed import SiteRecords, beneath, in_stages, with_upstream
from kbio_analysis.render.progress import NOT_RUN, UNCHANGED, Display
from kbio_analysis.render.publish import explained, open_site, publish
from kbio_analysis.render.ranking import Rankings, remember
from kbio_analysis.render.signals import stopping

if TYPE_CHECKING:
    from kbio_analysis.render.job import Job, Report
    from kbio_analysis.render.signals import Stop

Make = Callable[[list["Job"]], Iterator["Report"]]
"""Gives the reports of jobs as they are done."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the ``total`` reports asked for.

    ``made`` and ``unchanged`` are good; ``failed`` are the folders of those that failed, ``not_run`` the names of
    those that got no turn because the run was stopped (``interrupted``). ``remarks`` are
    sentences about what else is wrong with the site.
    """

    total: int
    made: int = 0
    unchanged: int = 0
    failed: list[Path] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 all well, 1 something failed, 130 stopped by a signal."""
        return 130 if self.interrupted else int(bool(self.failed))


def build(
    jobs: Sequence[Job],
    site: Path,
    make: Make,
    *,
    workers: int,
    force: bool = False,
    on_wait: Callable[[], None] | None = None,
    rankings: Rankings | None = None,
) -> Outcome:
    """Bring the reports of ``jobs``, and those that they are composed from, up to date with what ``make`` gives.

    Made are those that are due; with ``force`` all of ``jobs``.

    SIGINT, SIGTERM and SIGHUP stop the run in order, at whatever moment they come. Raises PublishError if the site is
    held by another run for too long or cannot be written; what was published stays. ``rankings`` is what the pages of
    their batches are to be ranked by.
    """
    forced = {job.label for job in jobs} if force else set()
    jobs = with_upstream(jobs)
    outcome = Outcome(total=len(jobs))
    with stopping() as stop, open_site(site, on_wait=on_wait, check=stop.check):
        keep_apart(jobs, site)
        began = time.monotonic()
        if rankings is not None:
            with explained(site):
                remember(site, rankings)
        cache = Cache(site, jobs)
        due = _due(jobs, site, cache, forced)
        labels = {job.label for job in due}
        outcome.unchanged = len(jobs) - len(due)
        with Display(len(due), workers) as shown:
            for job in jobs:
                if job.label not in labels:
                    shown.passed_over(job.label, UNCHANGED)
            run = _Run(site=site, make=make, cache=cache, forced=forced, outcome=outcome, shown=shown)
            try:
                run.through(due, stop)
            except BaseException:
                with suppress(KbioError):
                    _index(site, outcome)
                raise
        if outcome.made or outcome.failed or not outcome.interrupted:  # else it is as it was, and a stop is to be quick
            _index(site, outcome)
        outcome.seconds = time.monotonic() - began
    return outcome


def _due(jobs: Sequence[Job], site: Path, cache: Cache, forced: set[str]) -> list[Job]:
    """What has to be made, and what may have to be because something it is composed from is made first."""
    records, due = SiteRecords(site), []
    labels: set[str] = set()
    for group in in_stages(jobs):
        for job in group:
            again = job.label in forced or not labels.isdisjoint(beneath(job))
            if again or not cache.current(records.supplied(job)):
                due.append(job)
        labels |= {job.label for job in due}
    return due


@dataclass(slots=True, kw_only=True)
class _Run:
    """The making of what is due, stage by stage."""

    site: Path
    make: Make
    cache: Cache
    forced: set[str]
    outcome: Outcome
    shown: Display
    waiting: dict[str, Job] = field(default_factory=dict)

    def through(self, due: list[Job], stop: Stop) -> None:
        self.waiting = {job.label: job for job in due}
        try:
            for group in in_stages(due):
                self._stage(group, stop)
        except KeyboardInterrupt:
            self.outcome.interrupted = True
        self.outcome.not_run = list(self.waiting)
        for label in self.waiting:
            self.shown.passed_over(label, NOT_RUN)

    def _stage(self, group: list[Job], stop: Stop) -> None:
        records, due = SiteRecords(self.site), []
        for job in map(records.supplied, group):
            # What a composed report rests on may have been made anew and say the same as before.
            if job.recorded is not None and job.label not in self.forced and self.cache.current(job):
                del self.waiting[job.label]
                self.outcome.unchanged += 1
                self.shown.passed_over(job.label, UNCHANGED)
            else:
                self.waiting[job.label] = job
                due.append(job)
        if not due:
            return
        stop.check()
        with closing(self.make(due)) as made:
            for report in made:
                folder = publish(self.cache.stamped(self.waiting[report.label], report), self.site)
                del self.waiting[report.label]
                if report.status == "ok":
                    self.outcome.made += 1
                else:
                    self.outcome.failed.append(folder)
                self.shown.done(report)
                stop.check()


def _index(site: Path, outcome: Outcome) -> None:
    from kbio_analysis.render.site import write_site

    with explained(site):
        outcome.remarks += write_site(site)
