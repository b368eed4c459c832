"""The light batch by a Dask cluster of two workers on this machine, against two local processes, start-up included.

The cluster is there before, as clusters are; it has rendered once, so that its workers have their fork server.

    python -m bench cluster --rounds 3
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.workshop import LIGHT, Place, alternating, batch_file, kbio, place, ratio, verdict

REPORTS = 24
WORKERS = 2
AS_FAST_AS = 1.15
START_SECONDS = 60.0
END_SECONDS = 20.0


@contextmanager
def cluster(where: Place) -> Iterator[str]:
    """A scheduler and its workers; yields the scheduler's address."""
    note = where.folder / "scheduler.json"
    shared = ["--scheduler-file", str(note), "--host", "127.0.0.1", "--no-dashboard"]
    one = ["dask_worker", *shared, "--nthreads", "1", "--no-nanny", "--local-directory", str(where.folder)]
    running = []
    try:
        for command in (["dask_scheduler", *shared, "--port", "0"], *[one] * WORKERS):
            program = [sys.executable, "-m", f"distributed.cli.{command[0]}", *command[1:]]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            running.append(subprocess.Popen(program, cwd=where.folder, env=where.environment, **quiet))
            limit = time.monotonic() + START_SECONDS
            while not (note.exists() and note.read_text()):
                if time.monotonic() > limit:
                    raise SystemExit("the Dask scheduler did not start")
                time.sleep(0.05)
        yield json.loads(note.read_text())["address"]
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            with suppress(subprocess.TimeoutExpired):  # a worker of Dask's may hang as it closes
                process.wait(END_SECONDS)
            process.kill()


def main(rounds: int = 3) -> int:
    """Measure and print; returns how many targets were missed."""
    with tempfile.TemporaryDirectory() as folder:
        where = place(Path(folder), LIGHT)
        batch = batch_file(where, LIGHT, REPORTS)

        def rendered(*how: str) -> float:
            shutil.rmtree(where.site, ignore_errors=True)
            return kbio(where, "render", "--batch", str(batch), "--out", str(where.site), *how)

        with cluster(where) as address:
            by = {
                "local": lambda: rendered("--jobs", str(WORKERS)),
                "cluster": lambda: rendered("--scheduler", address),
            }
            for warm_up in by.values():
                warm_up()
            seconds = alternating(rounds, by)
    for kind, values in seconds.items():
        print(f"    {kind:<8} {statistics.median(values):6.1f} s   ({', '.join(f'{v:.1f}' for v in values)})")
    times = ratio(seconds["cluster"], seconds["local"])
    words = f"the cluster takes {times:.2f} times as long as two processes (at most {AS_FAST_AS})"
    return verdict(times <= AS_FAST_AS, words)


if __name__ == "__main__":
    raise SystemExit(main())
