"""Real kernels: what they are given, how their end is told, and that nothing of them is left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from render.fixtures.built import job, made, notebook, plain_page

from kbio_analysis.errors import UsageError
from kbio_analysis.render.execution import plain
from kbio_analysis.render.job import Report, run
from kbio_analysis.render.sandbox import LONGEST_SOCKET_PATH, OwnKernelSpecs, manager, room

NOTICED_SECONDS = 2.0  # a dead kernel is reported within this time
PATIENCE_SECONDS = 20.0  # for a process of ours to come up or go away on a busy machine


def wait_for(condition: object) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.02)


def kernels_below(process: psutil.Process) -> list[psutil.Process]:
    found = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "kbio_analysis.render.kernel_main" in child.cmdline():
                found.append(child)
    return found


def stdout(report: Report) -> list[object]:
    """What the last cell printed, as JSON."""
    cells = json.loads(report.files["executed.ipynb"])["cells"]
    return json.loads("".join(cells[-1]["outputs"][0]["text"]))


@pytest.fixture(scope="module", autouse=True)
def warmed_up() -> None:
    """What is opened once and kept (an import's files) is open before anything is counted."""
    assert made("1").status == "ok"


@pytest.fixture(autouse=True)
def nothing_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Every test here leaves no process, no open file and no folder."""
    short = tempfile.mkdtemp(prefix="t-", dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", short)
    here = psutil.Process()
    files = here.num_fds()
    yield
    assert kernels_below(here) == []
    assert os.listdir(short) == []
    assert here.num_fds() <= files
    os.rmdir(short)


def test_cells_run_in_a_clean_private_place_with_one_thread_and_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "secret")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere.py")
    seen = made(
        "import json, os, stat, sys, psutil\n"
        "me = psutil.Process()\n"
        "print(json.dumps([os.environ.get('JUPYTER_TOKEN'), os.environ.get('PYTHONSTARTUP'),"
        " os.environ['PYTHONHASHSEED'], os.environ['OMP_NUM_THREADS'], os.environ['MPLBACKEND'],"
        " stat.S_IMODE(os.stat('..').st_mode), sys.executable == me.exe() or sys.executable,"
        " [c.laddr for c in me.net_connections('inet')], os.listdir('.'), os.path.isdir(os.environ['HOME'])]))"
    )
    assert seen.status == "ok"
    printed = stdout(seen)
    assert printed[:6] == [None, None, "0", "1", "agg", 0o1700]
    assert printed[7:] == [[], [], True]


def test_the_kernel_is_the_python_that_runs_us() -> None:
    assert OwnKernelSpecs().get_kernel_spec("python3").argv[0] == sys.executable
    with room() as place, pytest.raises(UsageError, match="no kernel 'nonesuch'"):
        manager(place, "nonesuch", None)


def test_sockets_fit_even_below_a_long_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with room() as place:
        assert len(os.fsencode(f"{place.sockets}-5")) <= LONGEST_SOCKET_PATH
        assert place.path.stat().st_mode & 0o777 == 0o700
    assert not place.path.exists()


def test_the_changed_parameters_alone_are_injected_after_their_cell() -> None:
    report = made("print(f'[{size}, \"{name}\"]')", given={"size": "5"})
    assert stdout(report) == [5, "a"]
    assert b"name = " not in report.files["executed.ipynb"]
    assert b"injected-parameters" in report.files["executed.ipynb"]
    assert b"injected-parameters" not in made("1").files["executed.ipynb"]


def test_a_failing_cell_is_named_and_the_traceback_kept() -> None:
    report = made("def f():\n    raise KeyError('gone')", "f()", "open('/tmp/never-run', 'w')")
    assert report.status == "failed"
    assert report.result["error"] == {"cell": 3, "type": "KeyError", "message": "'gone'"}
    log = report.files["log.txt"].decode()
    assert "f()" in log
    assert "KeyError" in log
    assert "\x1b" not in log
    assert set(report.files) == {"result.json", "log.txt"}


@pytest.mark.parametrize("tag", ["raises-exception", "skip-execution"])
def test_no_tag_lets_a_cell_off(tag: str) -> None:
    source = notebook("1 / 0").replace(b'"metadata": {"tags": []}', f'"metadata": {{"tags": ["{tag}"]}}'.encode())
    assert tag.encode() in source
    assert run(job(source), page=plain_page).status == "failed"


def test_a_question_to_the_reader_fails_instead_of_waiting() -> None:
    report = made("input('who?')")
    assert (report.status, report.result["error"]["type"]) == ("failed", "StdinNotImplementedError")


def test_a_kernel_killed_in_a_cell_is_reported_at_once_with_its_signal() -> None:
    here, killed = psutil.Process(), []

    def sleepers() -> list[psutil.Process]:
        return [c for kernel in kernels_below(here) for c in kernel.children() if "sleep" in c.cmdline()]

    def kill() -> None:
        wait_for(sleepers)
        killed.append((time.monotonic(), sleepers()[0]))
        kernels_below(here)[0].send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    report = made("1", "import subprocess, time\nsubprocess.Popen(['sleep', '300'])\ntime.sleep(300)")
    noticed = time.monotonic()
    killer.join()
    assert noticed - killed[0][0] < NOTICED_SECONDS
    assert report.status == "killed"
    assert report.failure == "cell 3, SIGKILL: the kernel was killed by SIGKILL in cell 3, likely for want of memory"
    wait_for(lambda: not killed[0][1].is_running() or killed[0][1].status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize(
    ("cell", "kind", "words"),
    [
        ("import os; os._exit(3)", "KernelExit", "ended by itself in cell 2 (exit status 3)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV", "killed by SIGSEGV in cell 2"),
    ],
)
def test_a_kernel_that_ends_in_its_last_cell_is_no_good_end(cell: str, kind: str, words: str) -> None:
    report = made(cell)
    assert (report.status, report.result["error"]["type"]) == ("killed", kind)
    assert words in report.failure


def test_a_report_that_takes_too_long_is_stopped_even_if_it_ignores_interrupts() -> None:
    began = time.monotonic()
    report = made("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", limit_seconds=1.5)
    assert time.monotonic() - began < 1.5 + NOTICED_SECONDS
    assert report.status == "timed_out"
    assert report.failure == "cell 2, TimeOut: not finished after 1.5 s, in cell 2"


def test_a_kernel_that_never_comes_up_says_what_it_wrote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no interpreter here >&2\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    report = made("1")
    assert report.status == "killed"
    assert "before the first cell (exit status 7)" in report.failure
    assert b"no interpreter here" in report.files["log.txt"]


def test_the_tables_that_were_read_are_asked_of_the_kernel() -> None:
    pretend = "import sys, types\nroom = types.ModuleType('kbio_analysis.data')\nsys.modules[room.__name__] = room\n"
    read = "room.tables_read = lambda: {'b': 'f' * 64, 'a': \"it's\"}\nroom.recorded_read = lambda: {'11_x': 'e' * 64}"
    report = made(pretend + read)
    assert report.result["inputs"]["tables"] == {"a": "it's", "b": "f" * 64}
    assert report.result["inputs"]["reports"] == {"11_x": "e" * 64}
    assert made("1").result["inputs"]["tables"] == {}
    failing = made(pretend + "room.tables_read = lambda: 1 / 0")
    assert failing.status == "failed"
    assert "could not be listed: division by zero" in failing.failure


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_takes_its_kernel_with_it(stop: signal.Signals, tmp_path: Path) -> None:
    script = (
        "import signal, sys\n"
        "from render.fixtures.built import made\n"
        "def leave(*_): raise KeyboardInterrupt\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "made('import time; time.sleep(300)')\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parents[2])])
    child = psutil.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": paths, "TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(lambda: kernels_below(child))
    time.sleep(0.3)
    kernels = kernels_below(child)
    child.send_signal(stop)
    assert child.wait(PATIENCE_SECONDS) != 0
    wait_for(lambda: not any(kernel.is_running() for kernel in kernels))
    assert os.listdir(tmp_path) == []


def test_papermill_itself_can_use_the_engine(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import papermill

    from kbio_analysis.render.engine import ENGINE
    from kbio_analysis.render.execution import StoppedError

    (tmp_path / "in.ipynb").write_bytes(notebook("print(6 * 7)"))
    options = {"engine_name": ENGINE, "progress_bar": False}
    done = papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", **options)
    assert done.cells[-1].outputs[0].text == "42\n"
    (tmp_path / "in.ipynb").write_bytes(notebook("import os; os._exit(1)"))
    with pytest.raises(StoppedError, match="ended by itself"):
        papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", **options)


def test_colours_are_taken_out_of_a_traceback() -> None:
    assert plain("\x1b[0;31mError\x1b[0m: \x1b[1mno\x1b[22m") == "Error: no"
