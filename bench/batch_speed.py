"""Batches of 24 reports: against a loop of papermill and nbconvert, and against the time the cells themselves take.

Paired: every round runs each kind once, in turns, start-up included. The loop is measured on a part of the batch and
scaled: it starts every report from nothing, so that its time is proportional to their number.

    python -m bench speed --rounds 3
"""

import os
import shutil
import statistics
import tempfile
from pathlib import Path

from bench.workshop import (
    LIGHT,
    REAL,
    Place,
    alternating,
    batch_file,
    costs,
    kbio,
    loop,
    place,
    ratio,
    verdict,
)

REPORTS = 24
LOOP_REPORTS = 8
HELP_SECONDS = 0.3
LIST_SECONDS = 0.4
UNCHANGED_SECONDS = 0.5
TIMES_A_LOOP = 20.0
TIMES_TWO_AT_A_TIME = 9.0
OVER_THE_FLOOR = 1.35


def fresh(where: Place, batch: Path) -> float:
    """Seconds of the batch into an empty site."""
    shutil.rmtree(where.site, ignore_errors=True)
    return kbio(where, "render", "--batch", str(batch), "--out", str(where.site))


def again(where: Place, batch: Path) -> float:
    """Seconds of the batch when nothing has changed."""
    return kbio(where, "render", "--batch", str(batch), "--out", str(where.site))


def split(where: Place, count: int) -> str:
    """CPU seconds a report, by what they were used for."""
    return ", ".join(f"{part} {value / count:.2f}" for part, value in costs(where.site).items())


def command_speed(where: Place, rounds: int) -> int:
    """How long the command takes to say anything at all."""
    seconds = alternating(rounds + 2, {"--help": lambda: kbio(where, "--help"), "list": lambda: kbio(where, "list")})
    helped, listed = (statistics.median(seconds[kind]) for kind in ("--help", "list"))
    missed = verdict(helped < HELP_SECONDS, f"kbio --help: {helped:.2f} s (under {HELP_SECONDS} s)")
    return missed + verdict(listed < LIST_SECONDS, f"kbio list: {listed:.2f} s (under {LIST_SECONDS} s)")


def light_batch(where: Place, rounds: int) -> int:
    """The light notebook against both loops; then once more with nothing changed."""
    batch, scale = batch_file(where, LIGHT, REPORTS), REPORTS / LOOP_REPORTS
    kinds = {
        "kbio": lambda: fresh(where, batch),
        "loop": lambda: loop(where, LIGHT, LOOP_REPORTS, 1) * scale,
        "two at a time": lambda: loop(where, LIGHT, LOOP_REPORTS, 2) * scale,
    }
    fresh(where, batch)  # files and byte code are in the system's memory for all of them
    seconds = alternating(rounds, kinds)
    print(f"  {REPORTS} light reports, {rounds} rounds (loops: {LOOP_REPORTS} reports, times {scale:g}):")
    for kind, values in seconds.items():
        print(f"    {kind:<14} {statistics.median(values):7.1f} s   ({', '.join(f'{v:.1f}' for v in values)})")
    print(f"    CPU seconds a report: {split(where, REPORTS)}")
    missed = 0
    for kind, target in (("loop", TIMES_A_LOOP), ("two at a time", TIMES_TWO_AT_A_TIME)):
        times = ratio(seconds[kind], seconds["kbio"])
        missed += verdict(times >= target, f"{times:.1f} times as fast as the loop, {kind} (at least {target:g})")
    unchanged = statistics.median(again(where, batch) for _ in range(rounds))
    words = f"unchanged batch: {unchanged:.2f} s (under {UNCHANGED_SECONDS:g} s)"
    return missed + verdict(unchanged < UNCHANGED_SECONDS, words)


def real_batch(where: Place, rounds: int) -> int:
    """A real notebook against the floor: the CPU time of its cells, in this very run, divided by the cores."""
    batch, cores = batch_file(where, REAL, REPORTS), len(os.sched_getaffinity(0))
    walls, floors = [], []
    for _ in range(rounds):
        walls.append(fresh(where, batch))
        floors.append(costs(where.site)["cells"] / cores)
    print(f"  {REPORTS} real reports ({REAL}), {rounds} rounds on {cores} cores:")
    print(f"    kbio {statistics.median(walls):.1f} s, floor {statistics.median(floors):.1f} s")
    print(f"    CPU seconds a report: {split(where, REPORTS)}")
    over = ratio(walls, floors)
    return verdict(over <= OVER_THE_FLOOR, f"{over:.2f} times the floor (at most {OVER_THE_FLOOR})")


def main(rounds: int = 3) -> int:
    """Measure and print; returns how many targets were missed."""
    missed = 0
    for notebook, measures in ((LIGHT, (light_batch,)), (REAL, (command_speed, real_batch))):
        with tempfile.TemporaryDirectory() as folder:
            where = place(Path(folder), notebook)
            for measure in measures:
                missed += measure(where, rounds)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
