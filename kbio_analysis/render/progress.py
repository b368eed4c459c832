"""How a run shows itself: a live line on a terminal, one line a report on a pipe, and a summary at the end."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kbio_analysis.render.build import Outcome
    from kbio_analysis.render.job import Report

UNCHANGED, NOT_RUN = "unchanged", "not run"
MOST_LOGS = 10


class Display(Protocol):
    """Told of each report as it is done, and of those that need no doing or got no turn."""

    def done(self, report: Report) -> None: ...

    def passed_over(self, label: str, why: str) -> None: ...


def line(report: Report, note: str = "") -> str:
    """One report in one line: status, name, seconds, and why if it failed."""
    seconds = report.result.get("seconds")
    took = f"  {seconds:.1f} s" if seconds is not None else ""
    why = f"  {_one_line(report.failure)}" if report.failure else ""
    return f"{report.status:<9} {report.label}{took}{why}{note}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def say(text: str) -> None:
    """Print a line at once; a reader who has gone (a closed pipe) does not end the work."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115


class Lines:
    """For pipes and CI."""

    def done(self, report: Report) -> None:
        say(line(report))

    def passed_over(self, label: str, why: str) -> None:
        say(f"{why:<9} {label}")


class Live:
    """For terminals: the reports as they are done, below them a bar with counts, running reports and pace."""

    def __init__(self, progress: object, total: int, workers: int) -> None:
        self._progress, self._total, self._workers = progress, total, workers
        self._task = progress.add_task("", total=total, counts=self._counted(Counter(), 0.0))
        self._statuses: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._began = time.monotonic()

    def done(self, report: Report) -> None:
        self._statuses[report.status] += 1
        style = "green" if report.status == "ok" else "red"
        self._progress.console.print(line(report), style=style, markup=False, highlight=False, soft_wrap=True)
        self._show(1)

    def passed_over(self, label: str, why: str) -> None:
        self._passed[why] += 1
        self._show(0)

    def _show(self, advance: int) -> None:
        pace = self._statuses.total() / max(time.monotonic() - self._began, 1e-3)
        counts = self._counted(self._statuses, pace) + "".join(f", {n} {why}" for why, n in self._passed.items())
        self._progress.update(self._task, advance=advance, counts=counts)

    def _counted(self, statuses: Counter[str], pace: float) -> str:
        running = min(self._workers, self._total - statuses.total())
        parts = [f"{count} {status}" for status, count in statuses.items()] + [f"{running} running", f"{pace:.1f}/s"]
        return ", ".join(parts)


@contextmanager
def display(total: int, workers: int) -> Iterator[Display]:
    """The display that fits where standard output goes, for ``total`` reports to make, ``workers`` at a time."""
    if not sys.stdout.isatty() or not total:
        yield Lines() if not sys.stdout.isatty() else _Quiet()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        yield Live(progress, total, workers)


class _Quiet:
    """For a terminal when there is nothing to wait for: the summary says it all."""

    def done(self, report: Report) -> None:
        say(line(report))

    def passed_over(self, label: str, why: str) -> None:
        pass


# ---- at the end


def summary(outcome: Outcome, index: Path) -> str:
    """What became of the run, for standard output."""
    good = outcome.made + outcome.unchanged
    parts = [f"{outcome.made} made", f"{outcome.unchanged} unchanged", f"{len(outcome.failed)} failed"]
    parts += [f"{len(outcome.not_run)} not run"] if outcome.not_run else []
    return f"{good} of {outcome.total} reports are good: {index}\n{', '.join(parts)} in {outcome.seconds:.1f} s"


def complaint(outcome: Outcome, argv: Sequence[str]) -> str:
    """What went wrong and how to go on, for standard error; empty if all is well.

    ``argv`` is the command as it was given, from which the one that goes on is made.
    """
    parts = []
    if outcome.failed:
        logs = [str(folder / "log.txt") for folder in outcome.failed[:MOST_LOGS]]
        more = len(outcome.failed) - len(logs)
        parts += [f"{len(outcome.failed)} failed; what was published before stays. Logs:", *logs]
        parts += [f"and {more} more"] if more else []
        parts.append(f"Run the failed ones again: {again(argv, '--failed')}")
    if outcome.not_run:
        why = "stopped" if outcome.interrupted else "the time limit is over"
        parts.append(f"{why}: {len(outcome.not_run)} not run. Go on, without what is done: {again(argv)}")
    return "\n".join(parts)


def again(argv: Sequence[str], *more: str) -> str:
    """The command to type to run the same request with ``more``, quoted for a shell; never ``--force``."""
    program, command, *rest = argv
    kept = [word for word in rest if word not in ("--force", "--failed")]
    return shlex.join([*_program(program), command, *more, *kept])


def _program(path: str) -> list[str]:
    """How this program was called: by its name where the shell finds it, else by its path, or as a module."""
    name = Path(path).name
    if name == "__main__.py":
        return ["python", "-m", "kbio_analysis"]
    return [name if shutil.which(name) == path else path]
