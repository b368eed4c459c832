"""Whatever happens to a run, the site is whole, says the truth, and the next run makes what is missing."""

import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
from render.fixtures.room import LONGEST_SECONDS, ROOT, SLEEP, Room, at_work, running, wait_for

from kbio_analysis.render.provenance import STAMP

SEED = 20250905
SETS = ("a", "b", "c")
SMALL = "generation: int = 0  # which, count\nseconds: float = 0.0  # how long, s"
APART = f"import subprocess, time; subprocess.Popen(['sleep', '{SLEEP}'], start_new_session=True)\n"
SOURCE = APART + "time.sleep(seconds)\nprint('generation', generation)"
BATCH = "notebook: 12_top_five\nsets: {a: , b: , c: }\n"


@pytest.fixture
def kbio(tmp_path: Path) -> Room:
    """A room with one small notebook and a batch of three sets for it."""
    room = Room(tmp_path)
    (room.notebooks / "11_export_forecast.ipynb").unlink()
    room.add("12_top_five", SOURCE, parameters=SMALL)
    (tmp_path / "b.yml").write_text(BATCH)
    return room


def start(room: Room, *arguments: str, **more: object) -> psutil.Popen:
    return room.begun("render", "--batch", "b.yml", *arguments, **more)


def generation(folder: Path) -> int:
    """Which generation the report is, once every file of it is whole and of that one."""
    stamp = json.loads((folder / STAMP).read_bytes())
    files = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}
    assert {name: sha256(content).hexdigest() for name, content in files.items() if name != STAMP} == stamp["files"]
    return json.loads(files["result.json"])["parameters"]["generation"]


# ---- killed


DENSE = """
import sys
from pathlib import Path
from render.fixtures.built import pretended
from kbio_analysis.render.build import build
from kbio_analysis.render.requests import requested

def make(due):
    for job in due:
        about = {"set_name": job.set_name, "notebook": job.notebook, "batch": job.batch}
        yield pretended(page=b"x" * 300_000, given=job.parameters, **about)

work, _ = requested([], dict([sys.argv[1].split("=")]), batches=[Path("b.yml")], limit_seconds=None)
build(work, Path("reports/site"), make)
"""


REAL = ["-m", "kbio_analysis", "render", "--batch", "b.yml", "-p"]


@pytest.mark.parametrize(("program", "kills"), [(["-c", DENSE], 20), (REAL, 3)], ids=["publishing", "executing"])
def test_killed_at_any_moment_no_page_is_half_and_none_is_lost(kbio: Room, program: list[str], kills: int) -> None:
    """What a notebook has started in a session of its own goes too."""
    kbio.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    folders = [kbio.site / "12_top_five" / name for name in SETS]

    def run(number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, *program, f"generation={number}"]
        return subprocess.Popen(command, cwd=kbio.path, env=kbio.environment, stdout=subprocess.DEVNULL)

    began = time.monotonic()
    assert run(0).wait(LONGEST_SECONDS) == 0
    whole = time.monotonic() - began
    moments, seen = random.Random(SEED), [0, 0, 0]
    for number in range(1, kills + 1):
        child = run(number)
        # The first part of a run imports; what can go wrong comes after it.
        time.sleep(whole * moments.uniform(0.4, 1.0))
        child.kill()
        child.wait()
        now = [generation(folder) for folder in folders]
        assert all(before <= after <= number for before, after in zip(seen, now, strict=True))
        assert (kbio.site / "index.html").stat().st_size > 0
        json.loads((kbio.site / "index.json").read_bytes())
        seen = now
    wait_for(lambda: not kbio.strays() and not running(SLEEP))
    assert run(kills + 1).wait(LONGEST_SECONDS) == 0
    assert [generation(folder) for folder in folders] == [kills + 1] * 3
    assert list(kbio.path.glob("kbio-*")) == []
    assert not any((kbio.site / ".kbio" / "aside").rglob("*.*"))


@pytest.mark.parametrize("cell", ["", "from kbio_analysis.models import growth\n"], ids=["at work", "typing tables"])
def test_a_killed_fork_server_costs_no_report(kbio: Room, cell: str) -> None:
    kbio.add("12_top_five", cell + SOURCE, parameters=SMALL)
    child = start(kbio, "--jobs", "2", "-p", "seconds=0.5")
    wait_for(lambda: at_work(child.pid))
    at_work(child.pid)[0].parent().kill()
    output, errors = child.communicate(timeout=LONGEST_SECONDS)
    assert (child.returncode, errors) == (0, "")
    assert "3 made, 0 unchanged, 0 failed" in output
    assert not running(SLEEP)  # in a session of its own, and who knew of it is dead


def test_a_figure_is_shown_whatever_way_pyplot_comes_to_a_notebook_with_our_models(kbio: Room) -> None:
    kbio.add("12_top_five", "from kbio_analysis.models import growth\nimport pandas\npandas.Series([1, 2]).plot();")
    assert kbio("render", "12").returncode == 0
    assert "data:image/png" in (kbio.site / "12_top_five" / "default" / "index.html").read_text()


# ---- told to stop, out of time, no room


def test_stopped_in_the_middle_what_is_done_stays_and_the_rest_is_named(kbio: Room) -> None:
    kbio.add("12_top_five", "import time; time.sleep(seconds)", parameters=SMALL)
    (kbio.path / "b.yml").write_text("notebook: 12_top_five\nsets: {a: , b: {seconds: 300}, c: }\n")
    child = start(kbio, "--jobs", "1")
    wait_for((kbio.site / "12_top_five" / "a" / STAMP).exists)
    child.terminate()
    output, errors = child.communicate(timeout=LONGEST_SECONDS)
    assert child.returncode == 130
    assert output.splitlines()[1:3] == ["not run   12_top_five/b", "not run   12_top_five/c"]
    assert "1 made, 0 unchanged, 0 failed, 2 not run" in output
    assert "stopped: 2 not run. Go on, without what is done: the same command" in errors
    assert [r["set"] for r in json.loads((kbio.site / "index.json").read_bytes())["reports"]] == ["a"]
    (kbio.path / "b.yml").write_text(BATCH)
    done = kbio("render", "--batch", "b.yml")
    assert done.returncode == 0
    assert "2 made, 1 unchanged, 0 failed" in done.stdout


def test_failed_runs_only_what_failed_again_with_its_own_parameters(kbio: Room) -> None:
    kbio.add("12_top_five", "assert seconds == 0", parameters=SMALL)
    (kbio.path / "my batch.yml").write_text("notebook: 12_top_five\nsets: {a: , 'b ''quoted': {seconds: 300}}\n")
    done = kbio("render", "--force", "--batch", "my batch.yml")
    assert (done.returncode, "1 made, 0 unchanged, 1 failed" in done.stdout) == (1, True)
    assert "reports/site/12_top_five/b-quoted/log.txt" in done.stderr
    assert "the same command with --failed" in done.stderr
    kbio.add("12_top_five", "assert generation != 7", parameters=SMALL)
    again = kbio("render", "--force", "--batch", "my batch.yml", "--failed")
    assert (again.returncode, "1 made, 0 unchanged, 0 failed" in again.stdout) == (0, True)
    assert again.stdout.startswith("ok        12_top_five/b-quoted")
    assert kbio("render", "-p", "generation=7", "--set", "seven").returncode == 1
    failure = (kbio.site / "12_top_five" / "seven" / "failure.json").read_text()
    kbio.add("12_top_five", "print(generation)", parameters=SMALL)
    assert "1 of 1 reports are good" in kbio("render", "--failed").stdout
    assert kbio.result("12_top_five/seven")["parameters"]["generation"] == 7
    assert "nothing to do" in kbio("render", "--failed").stdout
    (kbio.site / "12_top_five" / "seven" / "failure.json").write_text(failure[:-3])
    refused = kbio("render", "--failed")
    assert (refused.returncode, "12_top_five/seven: not JSON" in refused.stderr) == (2, True)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], None] | None]:
    """A folder with room for 1 MB where we may mount one; elsewhere what makes a child's files end before."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "kbio-test", str(folder)]
    if sys.platform == "linux" and os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0:
        try:
            yield None
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
    else:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))


def test_on_a_full_disk_the_good_pages_stay_and_a_later_run_completes(kbio: Room) -> None:
    with small_disk(kbio.site) as limit:
        assert kbio("render", "--batch", "b.yml").returncode == 0
        before = {p: p.read_bytes() for p in kbio.site.rglob("*") if p.is_file() and ".kbio" not in p.parts}
        kbio.add("12_top_five", "print('long words\\n' * 60_000)", parameters=SMALL)
        child = start(kbio, preexec_fn=limit)
        output, errors = child.communicate(timeout=LONGEST_SECONDS)
        assert child.returncode == 1
        assert "what was published before is untouched" in errors
        assert "Traceback" not in output + errors
        assert {p: p.read_bytes() for p in before} == before
        assert not [p for p in kbio.site.rglob("*") if p.name.endswith(".new")]
        kbio.add("12_top_five", "print('short')", parameters=SMALL)
        done = kbio("render", "--batch", "b.yml")
        assert (done.returncode, done.stderr) == (0, "")
        assert "3 made, 0 unchanged" in done.stdout


# ---- two runs at once


def test_a_second_run_waits_and_finds_everything_done(kbio: Room) -> None:
    first = start(kbio, "--jobs", "1", "-p", "seconds=0.5")
    wait_for(lambda: at_work(first.pid))
    second = kbio("render", "--batch", "b.yml", "-p", "seconds=0.5")
    assert second.returncode == 0
    assert "waiting for it" in second.stderr
    assert "0 made, 3 unchanged, 0 failed" in second.stdout
    assert first.wait(LONGEST_SECONDS) == 0
    first.communicate()
