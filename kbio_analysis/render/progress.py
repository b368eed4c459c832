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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from kbio_analysis.render.build import Outcome
    from kbio_analysis.render.job import Report

UNCHANGED, NOT_RUN = "unchanged", "not run"
MOST_LOGS = 10


def line(report: Report, note: str = "") -> str:
    """One report in one line: status, name, seconds, and why if it failed."""
    seconds = report.result.get("seconds")
    took = f"  {seconds:.1f} s" if seconds is not None else ""
    why = f"  {_one_line(report.failure)}" if report.failure else ""
    return f"{report.status:<9} {report.label}{took}{why}{note}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def say(text: str) -> None:
    """Print a line at once; a reader who has gone (a closed pipe, a full disk) does not end the work."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115


class Display:
    """Told of each report as it is done, and of those that need no doing or got no turn: a line each.

    On a terminal a bar below them shows counts, reports at work and pace, and what is passed over is only counted.
    """

    def __init__(self, progress: Progress | None, total: int, workers: int, *, terminal: bool) -> None:
        self._progress, self._total, self._workers, self._terminal = progress, total, workers, terminal
        self._statuses: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._began = time.monotonic()
        self._show()

    def done(self, report: Report) -> None:
        self._statuses[report.status] += 1
        if self._progress is None:
            say(line(report))
        else:
            style = "green" if report.status == "ok" else "red"
            self._progress.console.print(line(report), style=style, markup=False, highlight=False, soft_wrap=True)
        self._show()

    def passed_over(self, label: str, why: str) -> None:
        self._passed[why] += 1
        if not self._terminal:
            say(f"{why:<9} {label}")
        self._show()

    def _show(self) -> None:
        if self._progress is None:
            return
        made = self._statuses.total()
        parts = [f"{count} {status}" for status, count in self._statuses.items()]
        parts += [f"{min(self._workers, self._total - made)} running"]
        parts += [f"{made / max(time.monotonic() - self._began, 1e-3):.1f}/s"]
        parts += [f"{count} {why}" for why, count in self._passed.items()]
        for task in self._progress.task_ids:
            self._progress.update(task, completed=made, counts=", ".join(parts))


@contextmanager
def display(total: int, workers: int) -> Iterator[Display]:
    """The display that fits where standard output goes, for ``total`` reports to make, ``workers`` at a time."""
    if not sys.stdout.isatty() or not total:
        yield Display(None, total, workers, terminal=sys.stdout.isatty())
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    counts, left = TextColumn("{task.fields[counts]}"), TextColumn("left")
    columns = (BarColumn(bar_width=20), MofNCompleteColumn(), counts, TimeElapsedColumn(), left, TimeRemainingColumn())
    with Progress(*columns) as progress:
        progress.add_task("", total=total, counts="")
        yield Display(progress, total, workers, terminal=True)


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
    parts += outcome.remarks
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
