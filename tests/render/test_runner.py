"""Many jobs: every one gives a report, whatever happens to its worker."""

import os
import signal
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest
from render.fixtures.built import job, notebook, pretended

from kbio_analysis.render.job import Job, Report
from kbio_analysis.render.runner import reports, usable_cores


def jobs(*names: str) -> list[Job]:
    return [job(notebook("1"), set_name=name) for name in names]


def done(work: Job) -> Report:
    return pretended(set_name=work.set_name)


def in_a_worker(work: Job) -> Report:
    return pretended(set_name=work.set_name, page=str(os.getpid()).encode())


def deadly(marks: str, work: Job) -> Report:
    """``once`` takes its worker down the first time, ``always`` every time."""
    first = not (Path(marks) / work.set_name).exists()
    (Path(marks) / work.set_name).touch()
    if work.set_name == "always" or (work.set_name == "once" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    return pretended(set_name=work.set_name)


def test_one_job_or_one_worker_stays_in_this_process() -> None:
    here = str(os.getpid()).encode()
    assert [r.files["index.html"] for r in reports(jobs("a"), workers=4, work=in_a_worker)] == [here]
    assert [r.files["index.html"] for r in reports(jobs("a", "b"), workers=1, work=in_a_worker)] == [here, here]
    assert list(reports([], workers=2, work=done)) == []


def test_any_executor_will_do() -> None:
    made: list[int] = []

    def threads(workers: int) -> Executor:
        made.append(workers)
        return ThreadPoolExecutor(workers)

    found = list(reports(jobs("a", "b", "c"), workers=2, executor=threads, work=done))
    assert sorted(report.set_name for report in found) == ["a", "b", "c"]
    assert made == [2]


def test_jobs_of_a_dead_worker_are_run_again_and_only_the_culprit_is_lost(tmp_path: Path) -> None:
    work = partial(deadly, str(tmp_path))
    found = {r.set_name: r.status for r in reports(jobs("a", "once", "always", "b", "c"), workers=2, work=work)}
    assert found == {"a": "ok", "b": "ok", "c": "ok", "once": "ok", "always": "killed"}


def sleeping(marks: str, work: Job) -> Report:
    (Path(marks) / str(os.getpid())).touch()
    threading.Event().wait(300)
    return pretended()


@pytest.mark.parametrize("leave", ["close", "interrupt"])
def test_when_the_caller_leaves_no_worker_stays(tmp_path: Path, leave: str) -> None:
    loop = reports(jobs("quick", "slow", "slower"), workers=2, work=partial(one_quick, str(tmp_path)))
    assert next(loop).set_name == "quick"
    while not (workers := [int(path.name) for path in tmp_path.iterdir()]):
        threading.Event().wait(0.02)
    if leave == "close":
        loop.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            loop.throw(KeyboardInterrupt)
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in workers if psutil.pid_exists(pid)], timeout=20)
    assert alive == []


def one_quick(marks: str, work: Job) -> Report:
    return pretended(set_name="quick") if work.set_name == "quick" else sleeping(marks, work)


def test_cores_are_those_we_may_use() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
