"""One run on a site: what is due is made, published as it comes, shown in a line and indexed, to the end or a signal.

The site is locked for the whole run and whole at every moment of it; what a run that was cut off has made stays.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbio_analysis.errors import KbioError
from kbio_analysis.render.batches import keep_apart
from kbio_analysis.render.composed import in_stages, site_entry, supplied, with_upstream
from kbio_analysis.render.forks import check_stop, stopping
from kbio_analysis.render.provenance import Cache
from kbio_analysis.render.publish import LOG, explained, open_site, publish
from kbio_analysis.render.results import Rankings, remember

if TYPE_CHECKING:
    from rich.progress import Progress

    from kbio_analysis.render.job import Job, Report

MOST_LOGS = 10
UNCHANGED, NOT_RUN = "unchanged", "not run"

Make = Callable[[list["Job"]], Iterator["Report"]]
"""Gives the reports of jobs as they are done."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the ``total`` reports asked for: ``made`` and ``unchanged`` are good, ``failed`` the folders of
    others, ``not_run`` the names of those that got no turn when the run was stopped; ``remarks`` tell what else
    is wrong."""

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

    def summary(self, index: Path) -> str:
        """What became of the run, for standard output."""
        parts = [f"{self.made} made", f"{self.unchanged} unchanged", f"{len(self.failed)} failed"]
        parts += [f"{len(self.not_run)} not run"] if self.not_run else []
        good = f"{self.made + self.unchanged} of {self.total} reports are good: {index}"
        return f"{good}\n{', '.join(parts)} in {self.seconds:.1f} s"

    def complaint(self) -> str:
        """What went wrong and how to go on, for standard error; empty if all is well."""
        parts = []
        if self.failed:
            logs = [str(folder / LOG) for folder in self.failed]
            parts += [f"{len(logs)} failed; what was published before stays. Logs:", *logs[:MOST_LOGS]]
            parts += [f"and {len(logs) - MOST_LOGS} more"] if len(logs) > MOST_LOGS else []
            parts.append("Run the failed ones again: the same command with --failed")
        if self.not_run:
            parts.append(f"stopped: {len(self.not_run)} not run. Go on, without what is done: the same command")
        return "\n".join([*parts, *self.remarks])


def build(
    jobs: Sequence[Job],
    site: Path,
    make: Make,
    *,
    workers: int,
    force: bool = False,
    on_wait: Callable[[], None] = lambda: None,
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
    outcome, waiting = Outcome(total=len(jobs)), {job.label: job for job in jobs}
    with stopping(), open_site(site, on_wait=on_wait, check=check_stop):
        keep_apart(jobs, site)
        began = time.monotonic()
        if rankings is not None:
            with explained(site):
                remember(site, rankings)
        cache, entry = Cache(site, jobs), site_entry(site)
        with Display(len(jobs), workers) as shown:
            try:
                for group in in_stages(jobs):
                    due = {}
                    for job in (supplied(job, entry) for job in group):
                        if job.label in forced or not cache.current(job):
                            due[job.label] = job
                        else:
                            del waiting[job.label]
                            outcome.unchanged += 1
                            shown.passed_over(job.label, UNCHANGED)
                    check_stop()
                    with closing(make([*due.values()]) if due else (_ for _ in ())) as reports:
                        for report in reports:
                            folder = publish(cache.stamped(due[report.label], report), site)
                            del waiting[report.label]
                            outcome.made += report.status == "ok"
                            outcome.failed += [folder] if report.status != "ok" else []
                            shown.done(report)
                            check_stop()
            except KeyboardInterrupt:
                outcome.interrupted, outcome.not_run = True, list(waiting)
                for label in waiting:
                    shown.passed_over(label, NOT_RUN)
            except BaseException:
                with suppress(KbioError):
                    _index(site, outcome)
                raise
        if outcome.made or outcome.failed or not outcome.interrupted:  # else it is as it was, and a stop is to be quick
            _index(site, outcome)
        outcome.seconds = time.monotonic() - began
    return outcome


def _index(site: Path, outcome: Outcome) -> None:
    from kbio_analysis.render.site import write_site

    with explained(site):
        outcome.remarks += write_site(site)


# ---- how it shows itself: a live line on a terminal, one line a report on a pipe


def line(report: Report, note: str = "") -> str:
    """One report in one line: status, name, seconds, and why if it failed."""
    seconds = report.result.get("seconds")
    took = f"  {seconds:.1f} s" if seconds is not None else ""
    why = " ".join(["", "", *report.failure.split()]) if report.failure else ""
    return f"{report.status:<9} {report.label}{took}{why}{note}"


def say(text: str) -> None:
    """Print a line at once; a reader who has gone (a closed pipe, a full disk) does not end the work."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115


class Display:
    """Told of each report as it is done, and of those that need no doing or got no turn: a line each. On a terminal
    a bar below them shows counts, reports at work and pace, and what is passed over is only counted."""

    def __init__(self, total: int, workers: int) -> None:
        self._made, self._left, self._workers = 0, total, workers
        self._counts: Counter[str] = Counter()
        self._bar: Progress | None = None

    def __enter__(self) -> Display:
        if sys.stdout.isatty() and self._left:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            columns = BarColumn(20), MofNCompleteColumn(), "{task.description}", TimeRemainingColumn()
            self._bar = Progress(*columns, transient=True).__enter__()
            self._bar.add_task("", total=self._left)  # its number is 0
        return self

    def __exit__(self, *problem: Any) -> None:
        if self._bar:
            self._bar.__exit__(*problem)

    def done(self, report: Report) -> None:
        self._made += 1
        self._counted(report.status)
        if self._bar is None:
            say(line(report))
        else:
            style = "green" if report.status == "ok" else "red"
            self._bar.console.print(line(report), style=style, markup=False, highlight=False, soft_wrap=True)

    def passed_over(self, label: str, why: str) -> None:
        self._counted(why)
        if self._bar is None:
            say(f"{why:<9} {label}")

    def _counted(self, what: str) -> None:
        self._left -= 1
        self._counts[what] += 1
        if self._bar:
            counts = [f"{count} {what}" for what, count in self._counts.items()]
            shown = ", ".join([*counts, f"{min(self._workers, self._left)} running"])
            self._bar.update(0, completed=self._made, total=self._made + self._left, description=shown)
