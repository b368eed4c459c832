"""What the benchmarks share: a light notebook, batches of it and of a real one, and the commands that render them."""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
REAL = "11_export_forecast"
LIGHT = "90_light"
TINY = "91_tiny"

_COSTS = re.compile(r"^cpu seconds: start (\S+), cells (\S+), page (\S+)$", re.MULTILINE)
_SEED = "seed: int = 1  # a number that makes each report its own [0..100000]"
_CELLS = {
    LIGHT: (
        "import matplotlib.pyplot as plt\nimport pandas as pd\nimport statsmodels.api as sm\n\n"
        "from kbio_analysis.data import tables\nfrom kbio_analysis.present.results import record",
        'table = tables.load("biopharma_exports_annual")\ntable.tail(5)',
        'yearly = table.groupby("year")["exports_usd_m"].mean()\n'
        "line = sm.OLS(yearly.to_numpy(), sm.add_constant(yearly.index.to_numpy(float))).fit()\n"
        "print(seed, pd.Series(line.params).round(3).tolist())\n"
        'record("slope", line.params[1], unit="US$ million a year", meaning="of a straight line")',
        "yearly.plot()\nplt.show()",
    ),
    TINY: ("print(seed)",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder to work in, with the environment in which every command runs."""

    folder: Path
    environment: dict[str, str]

    @property
    def site(self) -> Path:
        return self.folder / "site"


def place(folder: Path, notebook: str) -> Place:
    """A workplace for that notebook: the light and the tiny one are written there, the real ones are the project's."""
    notebooks = ROOT / "notebooks"
    if notebook in _CELLS:
        notebooks = folder / "notebooks"
        notebooks.mkdir(exist_ok=True)
        (notebooks / f"{notebook}.ipynb").write_text(json.dumps(_notebook(_CELLS[notebook])))
    environment = os.environ | {"KBIO_NOTEBOOKS": str(notebooks), "KBIO_DATA": str(ROOT / "data")}
    return Place(folder=folder, environment=environment)


def batch_file(where: Place, notebook: str, count: int, **fixed: int) -> Path:
    """A batch of ``count`` sets that differ in their seed, or, of the real notebook, in the base value."""
    varied = "base_value_usd_m" if notebook == REAL else "seed"
    lists = {varied: [5000 + n if notebook == REAL else n for n in range(1, count + 1)]} | {
        name: [value] for name, value in fixed.items()
    }
    path = where.folder / f"{notebook}.yml"
    lines = [f"notebook: {notebook}", "matrix:", *(f"  {name}: {values}" for name, values in lists.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def kbio(where: Place, *arguments: str) -> float:
    """Seconds the command ``kbio`` takes from its start to its exit; ends the benchmark if it fails."""
    return timed([str(BIN / "kbio"), *arguments], where)


def timed(command: Sequence[str], where: Place) -> float:
    """Seconds a command takes; ends the benchmark with its output if it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, env=where.environment, cwd=where.folder, capture_output=True, text=True)
    taken = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return taken


def loop(where: Place, notebook: str, count: int, at_a_time: int) -> float:
    """Seconds of ``count`` reports by ``papermill`` and ``jupyter nbconvert``, one after the other or several."""
    source = f"{where.environment['KBIO_NOTEBOOKS']}/{notebook}.ipynb"

    def one(seed: int) -> None:
        executed = where.folder / f"loop-{seed}.ipynb"
        timed([str(BIN / "papermill"), source, str(executed), "-p", "seed", str(seed), "--no-progress-bar"], where)
        timed([str(BIN / "jupyter"), "nbconvert", "--to", "html", str(executed)], where)

    began = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(one, range(1, count + 1)))
    return time.perf_counter() - began


def costs(site: Path) -> dict[str, float]:
    """CPU seconds of all reports of a site together: ``start`` of the processes, their ``cells``, and the ``page``."""
    total = dict.fromkeys(("start", "cells", "page"), 0.0)
    for log in site.glob("*/*/log.txt"):
        for part, value in zip(total, _COSTS.search(log.read_text()).groups(), strict=True):
            total[part] += float(value)
    return total


def alternating(rounds: int, kinds: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Seconds of each kind in each round; every other round takes them in the opposite order."""
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(rounds):
        order = list(kinds) if number % 2 == 0 else list(reversed(kinds))
        for kind in order:
            seconds[kind].append(kinds[kind]())
    return seconds


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """Median of the paired ratios."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def verdict(met: bool, what: str) -> bool:
    """Print whether a target is met; returns whether it was missed."""
    print(f"  {'met   ' if met else 'MISSED'} {what}", flush=True)
    return not met


def _notebook(cells: Sequence[str]) -> dict:
    code = [(_SEED, ["parameters"]), *((cell, []) for cell in cells)]
    built = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {"tags": tags}, "source": text, "outputs": [],
         "execution_count": None}
        for i, (text, tags) in enumerate(code)
    ]  # fmt: skip
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# How fast is a report?"}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": [title, *built], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
