"""How a run shows itself: a live line on a terminal, one line a report on a pipe."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from kbio_analysis.render.job import Report


class Display(Protocol):
    """Told of each report as it is done."""

    def done(self, report: Report, note: str = "") -> None: ...


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

    def done(self, report: Report, note: str = "") -> None:
        say(line(report, note))


class Live:
    """For terminals: a bar, what has failed so far above it, and the pace."""

    def __init__(self, progress: object, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total, counts="")
        self._counts: Counter[str] = Counter()
        self._began = time.monotonic()

    def done(self, report: Report, note: str = "") -> None:
        self._counts[report.status] += 1
        pace = sum(self._counts.values()) / max(time.monotonic() - self._began, 1e-3)
        counts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        style = "green" if report.status == "ok" else "red"
        self._progress.console.print(line(report, note), style=style, markup=False, highlight=False, soft_wrap=True)
        self._progress.update(self._task, advance=1, counts=f"{counts}  {pace:.1f}/s")


@contextmanager
def display(total: int) -> Iterator[Display]:
    """The display that fits where standard output goes."""
    if not sys.stdout.isatty():
        yield Lines()
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
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        yield Live(progress, total)
