"""Processes: whatever happens in one is told, and nothing of it or of what it started is left behind."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from render.fixtures.built import job, made, notebook
from render.fixtures.room import SLEEP, Room, at_work, running, wait_for

from kbio_analysis.render import child, forks
from kbio_analysis.render.child import Here
from kbio_analysis.render.forks import Work, answers
from kbio_analysis.render.job import reports, run

NOTICED_SECONDS = 3.0  # a dead process is reported within this time
FLAT = 0.05  # memory in the last quarter of a batch against the second: the same within 5%
TINY_REPORTS = 40


def server() -> psutil.Process:
    (found,) = running("multiprocessing.forkserver", os.getpid())
    return found


@pytest.fixture(scope="module", autouse=True)
def warmed_up() -> None:
    """What is opened once and kept (the fork server) is open before anything is counted."""
    assert made("1").status == "ok"


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Every test here leaves no process, no open file and no folder."""
    here = psutil.Process()
    files = here.num_fds()
    yield
    wait_for(lambda: at_work(os.getpid()) == [])
    assert [name for name in os.listdir(forks.own_folder()) if name.startswith("run-")] == []
    assert here.num_fds() <= files


# ---- how it ends


ENDLESS = "while True:\n    try: print('y' * 1000)\n    except Exception: pass"
DEAF = "import signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass"


@pytest.mark.parametrize(
    ("cell", "status", "kind", "words"),
    [
        ("def f():\n    raise KeyError('gone')\nf()", "failed", "KeyError", "'gone'"),
        ("input('who?')", "failed", "StdinNotImplementedError", "nobody to ask"),
        ("import sys; sys.exit(3)", "failed", "SystemExit", "(status 3)"),
        ("quit()", "failed", "SystemExit", "before the notebook's end"),
        ("def (", "failed", "SyntaxError", "invalid syntax"),
        ("%nosuch", "failed", "UsageError", "`%nosuch` not found"),
        (ENDLESS, "failed", "OutputLimit", "20 MB printed or shown"),
        ("import subprocess; subprocess.run('yes')", "failed", "OutputLimit", "20 MB printed or shown in cell 3"),
        (DEAF, "timed_out", "TimeOut", "not finished after 1.5 s, in cell 3"),
        ("import os; os._exit(3)", "killed", "ProcessExit", "ended by itself in cell 3 (exit status 3)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed", "SIGSEGV", "killed by SIGSEGV in cell 3"),
        ("import os; os.kill(os.getpid(), 9)", "killed", "SIGKILL", "in cell 3, likely for want of memory"),
        ("import os; os.closerange(3, 100)", "killed", "ProcessExit", "ended by itself"),
    ],
)
def test_how_a_notebook_ends_is_told_with_what_it_had_printed(cell: str, status: str, kind: str, words: str) -> None:
    source = notebook("print('told before')", cell, "raise RuntimeError('never run')")
    source = source.replace(b'"tags": []', b'"tags": ["raises-exception", "skip-execution"]')  # which let no cell off
    report = run(job(source, limit_seconds=1.5 if status == "timed_out" else 60))
    assert (report.status, report.result["error"]["cell"], report.result["error"]["type"]) == (status, 3, kind)
    assert words in report.failure
    assert set(report.files) == {"result.json", "log.txt"}
    log = report.files["log.txt"].decode()
    assert "\x1b" not in log
    assert cell == ENDLESS or "told before" in log
    assert len(log) < 300_000


@pytest.mark.parametrize(
    "cell",
    [
        f"import subprocess; subprocess.Popen(['sleep', '{SLEEP}'], start_new_session=True)",
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
        "    os.execve('/bin/sleep', ['sleep', '" + SLEEP + "'], {})",
        "import threading, time; threading.Thread(target=time.sleep, args=(3012,)).start()",
        "import os, time\nif os.fork() == 0:\n    time.sleep(3012)",
    ],
    ids=["session", "daemon", "thread", "fork"],  # the number of seconds is another in each process of a run
)
@pytest.mark.parametrize("ending", ["1 / 0", "import os; os.kill(os.getpid(), 9)", "while True: pass"])
def test_nothing_a_notebook_starts_outlives_it(cell: str, ending: str) -> None:
    began = time.monotonic()
    report = made(cell, ending, limit_seconds=1.5 if "while" in ending else 60)
    assert report.status == {"1": "failed", "w": "timed_out", "i": "killed"}[ending[0]]
    assert time.monotonic() - began < 1.5 + NOTICED_SECONDS
    assert running(SLEEP) == []


def test_a_daemon_of_one_report_is_left_alone_while_another_ends() -> None:
    daemon = (
        "import os, subprocess, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
        f"    os.execv('/bin/sleep', ['sleep', '{SLEEP}'])\nos.wait()"
    )
    look = f"time.sleep(2)\nprint(subprocess.run(['pgrep', '-fc', 'sleep {SLEEP}'], capture_output=True).stdout)"
    work = [job(notebook(daemon, look), set_name="long"), *(job(notebook("1"), set_name=str(n)) for n in range(3))]
    found = {report.set_name: report for report in reports(work, workers=2)}
    assert b"b'1\\\\n'" in found["long"].files["executed.ipynb"]
    assert running(SLEEP) == []


def test_time_is_up_for_a_page_without_end() -> None:
    ((_, how),) = answers([Work(key=None, call=endless_page, limit_seconds=1.5)], workers=1)
    assert (how.status, how.reason) == ("timed_out", "not finished after 1.5 s, while its page was made")


def endless_page(here: child.Here) -> None:
    here.tell(child.AFTER)
    while True:
        time.sleep(0.1)


# ---- many


def asked(here: Here, what: str = "") -> object:
    if what == "kill the server":
        os.kill(child.PID, signal.SIGKILL)
        time.sleep(60)
    if what == "leave":
        os._exit(255)
    if what == "sleep":
        time.sleep(300)
    return os.getpid(), os.getppid()


def works(*what: str) -> list[Work]:
    return [Work(key=f"{number} {one}", call=partial(asked, what=one)) for number, one in enumerate(what)]


def test_every_work_has_a_process_of_its_own_and_when_the_caller_leaves_nothing_runs_on() -> None:
    loop = answers(works("", "", "", "sleep", "sleep"), workers=2)
    found = dict(next(loop) for _ in range(3))
    assert {parent for _, parent in found.values()} == {server().pid}
    assert len({own for own, _ in found.values()} - {os.getpid()}) == 3
    wait_for(lambda: at_work(os.getpid()))
    loop.close()
    assert at_work(os.getpid()) == []


def test_work_that_kills_its_server_each_time_is_told_and_others_are_done() -> None:
    found = dict(answers(works("kill the server", ""), workers=1))
    assert (found["0 kill the server"].status, found["0 kill the server"].kind) == ("killed", "ProcessExit")
    assert found["1 "][0] != os.getpid()


def test_work_that_leaves_with_the_status_of_a_dead_server_is_done_once() -> None:
    (work,) = works("leave")
    ((_, answer),) = answers([work])
    assert (answer.kind, work.tries) == ("ProcessExit", 1)


def test_a_long_batch_leaves_memory_files_and_processes_as_they_were() -> None:
    here, memory = psutil.Process(), {"ours": [], "server": []}
    batch = [job(notebook("print(size)"), {"size": 1 + i % 9}, set_name=f"set-{i}") for i in range(TINY_REPORTS)]
    for report in reports(batch, workers=2):
        assert report.status == "ok"
        memory["ours"].append(here.memory_info().rss)
        memory["server"].append(server().memory_info().rss)
    quarter = TINY_REPORTS // 4
    for values in memory.values():
        assert abs(sum(values[-quarter:]) / sum(values[quarter : 2 * quarter]) - 1) < FLAT


@pytest.mark.parametrize("there", [True, False], ids=["long", "missing"])
def test_reports_are_made_where_the_folder_for_temporary_files_will_not_do_and_there_is_no_home(
    tmp_path: Path, there: bool
) -> None:
    room, folder = (
        Room(tmp_path),
        tmp_path / ("é" * 25),
    )  # fewer characters than bytes, of which a socket's path has few
    if there:
        folder.mkdir()
    room.environment |= {"TMPDIR": str(folder), "HOME": "/dev/null"}
    room.add("12_top_five", "import os; assert os.stat('../..').st_mode & 0o777 == 0o700")
    done = room("render", "12")
    assert (done.returncode, done.stderr) == (0, "")
    assert not there or list(folder.iterdir()) == []
