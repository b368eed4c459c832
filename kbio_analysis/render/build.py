"""One run: what is due is made, published as it comes, shown in a line and indexed, to the end or a signal.

The site is locked for the whole run and whole at every moment of it; what a run that was cut off has made stays.

A job whose notebook is composed from others' records carries their default jobs as its ``upstream``, which are brought
up to date with it. Jobs run in stages, each after all that it rests on; before a stage its bundles of records are made
from the default reports of the site (or, for ``kbio check``, from the reports of the same run and else from the
references). A record that failed says so.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import cache
from itertools import groupby
from pathlib import Path
from threading import Thread
from typing import Any

from kbio_analysis.data.results import reference_entry
from kbio_analysis.render.forks import check_stop, stopping
from kbio_analysis.render.job import Job, Report
from kbio_analysis.render.provenance import Cache
from kbio_analysis.render.publish import DEFAULT_SET, FAILURE, LOG, explained, folder_of, open_site, publish
from kbio_analysis.render.references import recorded
from kbio_analysis.render.requests import keep_apart
from kbio_analysis.render.results import RESULT, Rankings
from kbio_analysis.render.site import rehearse, write_site

MADE, UNCHANGED, NOT_RUN = "ok", "unchanged", "not run"

Make = Callable[[list[Job]], Iterator[Report]]  # gives the reports of jobs as they are done
Entries = Callable[[str], dict[str, Any]]  # gives what a notebook recorded with its defaults, and that record's state


def build(jobs: Sequence[Job], site: Path, make: Make, *, force: bool = False, rankings: Rankings | None = None) -> int:
    """Bring the reports of ``jobs``, and those that they are composed from, up to date with what ``make`` gives.

    Made are those that are due; with ``force`` all of ``jobs``. What became of them is said, and the exit code given: 0
    all well, 1 something failed, 130 stopped by a signal.

    SIGINT, SIGTERM and SIGHUP stop the run in order, at whatever moment they come. Raises PublishError if the site is
    held by another run for too long or cannot be written; what was published stays. ``rankings`` is what the pages of
    their batches are to be ranked by.
    """
    forced = {job.label for job in jobs} if force else set()
    jobs = with_upstream(jobs)
    became, stopped = {job.label: NOT_RUN for job in jobs}, False
    with stopping(), open_site(site, check_stop):
        keep_apart(jobs, site)
        began = time.monotonic()
        known = Cache(site, jobs)
        with display(len(jobs)) as tell:
            try:
                for group in stages(jobs, site_entries(site)):
                    due = {job.label: job for job in group if job.label in forced or not known.current(job)}
                    for label in (job.label for job in group if job.label not in due):
                        became[label] = UNCHANGED
                        tell(UNCHANGED, label)
                    check_stop()
                    if not due:  # no cluster is asked for nothing
                        continue
                    Thread(target=rehearse).start()  # the first report takes a while to come
                    with closing(make([*due.values()])) as reports:
                        for report in reports:
                            publish(known.stamped(due[report.label], report), site)
                            became[report.label] = report.status
                            tell(report.status, line(report))
                            check_stop()
            except KeyboardInterrupt:
                stopped = True
                for label in (label for label, status in became.items() if status == NOT_RUN):
                    tell(NOT_RUN, label)
            finally:
                # What is as it was needs no new index, and a stop is to be quick.
                if not stopped or {*became.values()} - {UNCHANGED, NOT_RUN}:
                    with explained(site):
                        write_site(site, rankings)
        failed = _concluded(site, became, time.monotonic() - began)
    return 130 if stopped else int(failed)


def _concluded(site: Path, became: dict[str, str], seconds: float) -> bool:
    """Say what became of a run, on standard error what went wrong and how to go on; whether anything failed."""
    counts = Counter(became.values())
    good, left = counts[MADE] + counts[UNCHANGED], counts[NOT_RUN]
    failed = [label for label, status in became.items() if status not in (MADE, UNCHANGED, NOT_RUN)]
    parts = [f"{counts[MADE]} made", f"{counts[UNCHANGED]} unchanged", f"{len(failed)} failed"]
    parts += [f"{left} not run"] * bool(left)
    say(f"{good} of {len(became)} reports are good: {site / 'index.html'}\n{', '.join(parts)} in {seconds:.1f} s")
    if failed:
        log = site / failed[0] / LOG
        print(f"kbio: {len(failed)} failed; what was published before stays. Logs stand beside: {log}", file=sys.stderr)
        print("      Run the failed ones again: the same command with --failed", file=sys.stderr)
    if left:
        print(f"kbio: stopped: {left} not run. Go on, without what is done: the same command", file=sys.stderr)
    return bool(failed)


def checked(jobs: Iterable[Job], notebooks: Path, make: Make) -> Iterator[Report]:
    """The reports of all jobs in their stages, apart from any site.

    A composed one is given the records of this run's reports, of others those of the committed references. Where such
    a reference is out of date, a report is made in its place, and given too.
    """
    made: dict[str, dict[str, Any]] = {}

    def entry(notebook: str) -> dict[str, Any]:
        return made.get(notebook) or reference_entry(notebooks, notebook)

    for group in stages(with_upstream(jobs, lambda job: entry(job.notebook)["state"] != "fresh"), entry):
        for report in make(group):
            if report.status == MADE:
                kept = recorded(report.result, report.files["executed.ipynb"])
                made[report.notebook] = kept | {"state": "fresh", "why": ""}
            else:
                why = f"failed in this run ({report.result['error']['type']})"
                made[report.notebook] = {"state": "failed", "why": why}
            yield report


# ---- what is composed from others' records


def with_upstream(jobs: Iterable[Job], wanted: Callable[[Job], bool] = lambda _: True) -> list[Job]:
    """The jobs, and those of the jobs below them that are wanted, each once."""
    found = {job.label: job for job in jobs}
    for job in list(found.values()):
        for one in with_upstream(filter(wanted, job.upstream), wanted):
            found.setdefault(one.label, one)
    return list(found.values())


def stages(jobs: Iterable[Job], entries: Entries) -> Iterator[list[Job]]:
    """The jobs, their order kept, in groups of which each rests on earlier ones only; when its turn comes, a composed
    one has its bundle."""

    def depth(job: Job) -> int:
        return max((1 + depth(one) for one in job.upstream), default=0)

    def supplied(job: Job) -> Job:
        records = {one.notebook: entries(one.notebook) for one in job.upstream}
        bundle = json.dumps(records, ensure_ascii=False, sort_keys=True).encode()
        return replace(job, upstream=(), recorded=bundle) if records else job

    for _, group in groupby(sorted(jobs, key=depth), key=depth):
        yield [supplied(job) for job in group]


def site_entries(site: Path) -> Entries:
    """What gives the record of a default report of the site, which is up to date or has just failed; each read once."""

    @cache
    def entry(notebook: str) -> dict[str, Any]:
        folder = folder_of(site, notebook, DEFAULT_SET)
        failed = {"state": "failed", "why": "the last run failed"}
        about = failed if (folder / FAILURE).exists() else {"state": "fresh", "why": ""}
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # beside a failure may be no good one
            result = json.loads((folder / RESULT).read_bytes())
            return recorded(result, (folder / "executed.ipynb").read_bytes()) | about
        return failed

    return entry


# ---- how a run shows itself: one line a report, on a terminal a live line too


def line(report: Report, note: str = "") -> str:
    """One report in one line: status, name, seconds, and why if it failed."""
    took = f"  {seconds:.1f} s" if (seconds := report.result.get("seconds")) else ""
    why = " ".join(["", "", *report.failure.split()]) if report.failure else ""
    return f"{report.status:<9} {report.label}{took}{why}{note}"


def say(text: str) -> None:
    """Print a line at once; a reader who has gone (a closed pipe, a full disk) does not end the work."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115


@contextmanager
def display(total: int) -> Iterator[Callable[[str, str], None]]:
    """Gives what is to be told of each report, as something becomes of it, its status and its line or name.

    On a terminal a bar below the lines shows how far the run is, and what is not made has no line.
    """
    if not (sys.stdout.isatty() and total):
        yield lambda status, text: say(text if status not in (UNCHANGED, NOT_RUN) else f"{status:<9} {text}")
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    with Progress(BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn(), transient=True) as bar:
        task = bar.add_task("", total=total)

        def tell(status: str, text: str) -> None:
            bar.advance(task)
            if status not in (UNCHANGED, NOT_RUN):
                style = "green" if status == MADE else "red"
                bar.console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

        yield tell
