"""How a run shows itself: a live line on a terminal, one line a report on a pipe, and a summary at the end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from kbio_analysis.render.build import Outcome
    from kbio_analysis.render.job import Report

UNCHANGED, NOT_RUN = "unchanged", "not run"
MOST_LOGS = 10


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
        self._total, self._workers, self._bar = total, workers, sys.stdout.isatty()
        self._counts: Counter[str] = Counter()
        self._made, self._began = 0, time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Display:
        if self._bar and self._total:
            from rich.live import Live

            self._live = Live(get_renderable=self._status, transient=True).__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        if self._live:
            self._live.__exit__(*problem)

    def done(self, report: Report) -> None:
        self._made += 1
        self._counts[report.status] += 1
        if self._live is None:
            say(line(report))
        else:
            style = "green" if report.status == "ok" else "red"
            self._live.console.print(line(report), style=style, markup=False, highlight=False, soft_wrap=True)

    def passed_over(self, label: str, why: str) -> None:
        self._counts[why] += 1
        if not self._bar:
            say(f"{why:<9} {label}")

    def _status(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        took, left = time.monotonic() - self._began, self._total - self._made
        parts = [f"{count} {what}" for what, count in self._counts.items()] + [f"{min(self._workers, left)} running"]
        if self._made:
            parts.append(f"about {took / self._made * left:.0f} s left")
        shown = Table.grid(padding=(0, 1))
        shown.add_row(ProgressBar(self._total, self._made, 20), f"{self._made}/{self._total}", ", ".join(parts))
        return shown


# ---- at the end


def summary(outcome: Outcome, index: Path) -> str:
    """What became of the run, for standard output."""
    good = outcome.made + outcome.unchanged
    parts = [f"{outcome.made} made", f"{outcome.unchanged} unchanged", f"{len(outcome.failed)} failed"]
    parts += [f"{len(outcome.not_run)} not run"] if outcome.not_run else []
    return f"{good} of {outcome.total} reports are good: {index}\n{', '.join(parts)} in {outcome.seconds:.1f} s"


def complaint(outcome: Outcome) -> str:
    """What went wrong and how to go on, for standard error; empty if all is well."""
    parts = []
    if outcome.failed:
        logs = [str(folder / "log.txt") for folder in outcome.failed]
        parts += [f"{len(logs)} failed; what was published before stays. Logs:", *logs[:MOST_LOGS]]
        parts += [f"and {len(logs) - MOST_LOGS} more"] if len(logs) > MOST_LOGS else []
        parts.append("Run the failed ones again: the same command with --failed")
    if outcome.not_run:
        parts.append(f"stopped: {len(outcome.not_run)} not run. Go on, without what is done: the same command")
    return "\n".join([*parts, *outcome.remarks])
