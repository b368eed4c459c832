"""How a run shows itself: a live line on a terminal, one line a report on a pipe."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

    from kbio_analysis.render.job import Report

UNCHANGED, NOT_RUN = "unchanged", "not run"


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
    """Told of each report as it is done, and of those that need no doing or got no turn: a line each.

    On a terminal a bar below them shows counts, reports at work and pace, and what is passed over is only counted.
    """

    def __init__(self, total: int, workers: int) -> None:
        self._left, self._workers = total, workers
        self._counts: Counter[str] = Counter()
        self._bar: Progress | None = None

    def __enter__(self) -> Display:
        if sys.stdout.isatty() and self._left:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            columns = BarColumn(20), MofNCompleteColumn(), "{task.description}", TimeRemainingColumn()
            self._bar = Progress(*columns, transient=True).__enter__()
            self._bar.add_task("", total=self._left)
        return self

    def __exit__(self, *problem: Any) -> None:
        if self._bar:
            self._bar.__exit__(*problem)

    def done(self, report: Report) -> None:
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
            self._bar.update(self._bar.task_ids[0], advance=1, description=shown)
