"""200 tiny reports in one batch: memory of the parent and of the fork server, open files and processes left over.

python -m bench memory
"""

import os
import tempfile
from pathlib import Path

import psutil

from bench.workshop import TINY, batch_file, place, verdict

REPORTS = 200
FLAT = 0.05
GONE_SECONDS = 10.0


def fork_server() -> psutil.Process:
    """Our fork server; the processes of the reports are its children."""
    running = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return next(child for child in running if "multiprocessing.forkserver" in " ".join(child.cmdline()))


def drift(memory: list[int]) -> float:
    """Mean of the last quarter over that of the second, less one."""
    quarter = len(memory) // 4
    return sum(memory[-quarter:]) / sum(memory[quarter : 2 * quarter]) - 1


def main(_rounds: int = 1) -> int:
    """Measure and print; returns how many targets were missed."""
    from kbio_analysis.render.job import reports
    from kbio_analysis.render.requests import requested

    here = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        where = place(Path(folder), TINY)
        os.environ |= {name: where.environment[name] for name in ("KBIO_NOTEBOOKS", "KBIO_DATA")}
        batch = batch_file(where, TINY, REPORTS)
        jobs, _ = requested([], {}, batches=[batch], limit_seconds=600)
        list(reports(jobs[:2], workers=2))  # what is opened once is open
        files, before = here.num_fds(), {child.pid for child in here.children()}
        memory: dict[str, list[int]] = {"parent": [], "fork server": []}
        good = 0
        for report in reports(jobs):
            good += report.status == "ok"
            memory["parent"].append(here.memory_info().rss)
            memory["fork server"].append(fork_server().memory_info().rss)
    missed = verdict(good == REPORTS, f"{good} of {REPORTS} reports are good")
    for who, values in memory.items():
        change, size = drift(values), values[-1] / 1e6
        words = f"memory of the {who}: {change:+.1%}, last quarter on second, {size:.0f} MB (within {FLAT:.0%})"
        missed += verdict(abs(change) <= FLAT, words)
    missed += verdict(here.num_fds() <= files, f"open files: {files} before, {here.num_fds()} after")
    left = [child for child in here.children() if child.pid not in before]
    _, alive = psutil.wait_procs(left, timeout=GONE_SECONDS)
    return missed + verdict(not alive, f"processes left over: {len(alive)}")


if __name__ == "__main__":
    raise SystemExit(main())
