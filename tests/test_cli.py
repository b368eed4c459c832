"""The command as a person or a CI job runs it: in a process of its own, by its exit code and what it prints."""

import resource
import subprocess
from pathlib import Path

import psutil
import pytest
from render.fixtures.built import emitting, recording
from render.fixtures.room import CHART, Room

# Processor seconds, which a busy machine does not stretch much; the aims are 0.3 s for --help and 0.5 s for list.
HELP_SECONDS = 0.6
REFUSAL_SECONDS = 1.0
GONE_SECONDS = 10.0  # helpers of a pool notice the end of their parent within this time


def processor_seconds(room: Room, *arguments: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = room(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


@pytest.fixture
def kbio(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_help_and_version_come_at_once(kbio: Room) -> None:
    kbio("--help")
    took, done = processor_seconds(kbio, "--help")
    assert took < HELP_SECONDS
    assert all(command in done.stdout for command in ("list", "render", "check", "data"))
    assert kbio("--version").stdout.startswith("kbio 0.")


def test_nothing_heavy_is_imported_to_list_or_refuse(kbio: Room) -> None:
    script = (
        "import atexit, sys\nfrom kbio_analysis.cli import main\nsys.argv = ['kbio', *sys.argv[1:]]\n"
        "heavy = {'papermill', 'nbclient', 'nbformat', 'nbconvert', 'pandas', 'numpy', 'zmq', 'matplotlib'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))\nmain()\n"
    )
    for arguments in (["list"], ["render", "11_export_forecast", "-p", "base_valu=5800"]):
        assert kbio.script(script, *arguments).stderr.splitlines()[-1] == "[]"


def test_list_shows_questions_and_parameters_and_refuses_a_broken_notebook(kbio: Room) -> None:
    order = "low: int = 1  # least, years [0..9]\nhigh: int = 2  # most, years [0..9] [> low]"
    kbio.add("13_clock", "1", parameters=order)
    done = kbio("list")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == ["11_export_forecast", "11_export_forecast?"]
    assert "high  int = 2 [0..9] [> low]  most, years" in done.stdout
    assert "base_value_usd_m  float = 5800.0 [0..]  exports in the base year, US$ million" in done.stdout
    assert "series            Literal['biopharma', 'bio_health'] = biopharma  which definition" in done.stdout
    kbio.add("13_clock", "1", parameters="x = 1")
    (kbio.notebooks / "14_folder.ipynb").mkdir()
    broken = kbio("list")
    assert broken.returncode == 2
    assert "12_top_five" in broken.stdout
    assert "kbio: 13_clock, parameters cell, line 1: 'x = 1' is no line" in broken.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("11 -p base_valu=5800", "base_valu: no such name; did you mean base_value_usd_m?"),
        ("11 -p target_year=soon", "target_year: 'soon': Input should be a valid integer"),
        ("11 -p target_year", "write each as -p NAME=VALUE"),
        ("11 --set ../up", "is a path"),
        ("11 --jobs 0", "--jobs"),
        ("11 --failed --out typo", "--failed: there is no site in typo"),
        ("11 --kernel pyton3", "no kernel 'pyton3' (installed: "),
        ("11 --scheduler 127.0.0.1", "write tls://HOST:PORT"),
        ("65_Upper", "names are like 31_services"),
        ("gone/x.ipynb", "there is no notebook file gone/x.ipynb"),
        ("11_export_forecast.ipynb", "the name 11_export_forecast is taken; rename"),
        ("notebooks/batches.ipynb", "the name batches is taken"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_starts(kbio: Room, arguments: str, words: str) -> None:
    for name in ("65_Upper", "../11_export_forecast", "batches"):
        kbio.add(name, "1", parameters="size: int = 1  # how many, count")
    took, done = processor_seconds(kbio, "render", *arguments.split())
    assert took < REFUSAL_SECONDS
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not kbio.site.exists()


def test_render_publishes_every_notebook_and_says_so_in_lines(kbio: Room) -> None:
    done = kbio("render", "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    *made, summary, _ = done.stdout.splitlines()
    assert sorted(" ".join(line.split()[:2]) for line in made) == [
        "ok 11_export_forecast/default",
        "ok 12_top_five/default",
    ]
    assert summary.startswith("2 of 2 reports are good: ")
    assert kbio.result("11_export_forecast/default")["results"]["required_growth_pct"]["value"] == 58.0
    assert "11_export_forecast" in (kbio.site / "index.json").read_text()
    assert (kbio.site / "index.html").stat().st_size > 0
    _, alive = psutil.wait_procs(kbio.strays(), timeout=GONE_SECONDS)
    assert alive == []


def test_a_notebook_anywhere_is_rendered_by_its_path(kbio: Room, tmp_path: Path) -> None:
    away = tmp_path / "somewhere else" / "My Study.ipynb"
    away.parent.mkdir()
    (kbio.notebooks / "12_top_five.ipynb").rename(away)
    done = kbio("render", str(away), "-p", "size=2")
    assert (done.returncode, done.stderr) == (0, "")
    made = kbio.result("my-study/size-2")
    assert made["parameters"] == made["changed"] == {"size": 2}
    for path in (kbio.site / "my-study" / "size-2").iterdir():
        assert b"somewhere" not in path.read_bytes(), path.name
    assert "my-study" in (kbio.site / "index.html").read_text()
    done = kbio("check", str(away))
    assert done.returncode == 2
    assert "a check is for the notebooks in" in done.stderr


def test_a_failure_keeps_the_good_page_and_names_its_log(kbio: Room) -> None:
    assert kbio("render", "12").returncode == 0
    page = (kbio.site / "12_top_five/default/index.html").read_bytes()
    kbio.add("12_top_five", "print(size)", "1 / 0", parameters="size: int = 1  # how many, count")
    done = kbio("render", "12")
    assert done.returncode == 1
    assert "cell 3, ZeroDivisionError: division by zero" in done.stdout
    log = kbio.site / "12_top_five/default/log.txt"
    assert str(log.relative_to(kbio.path)) in done.stderr
    assert "1 / 0" in log.read_text()
    assert "Traceback" not in done.stdout + done.stderr
    assert (kbio.site / "12_top_five/default/index.html").read_bytes() == page


def test_check_names_what_moved_and_accepts_it_only_when_told(kbio: Room) -> None:
    reference = kbio.notebooks / "references" / "11_export_forecast.json"
    done = kbio("check", "11")
    assert (done.returncode, "no reference yet" in done.stdout) == (1, True)
    assert kbio("check", "11", "--accept").returncode == 0
    assert kbio("check", "11").returncode == 0
    moved = emitting(**CHART | {"csv": "year,v\n2024,2\n"})
    kbio.add("11_export_forecast", recording("required_growth_pct", "12.0"), moved)
    done = kbio("check", "11")
    assert done.returncode == 1
    assert "required_growth_pct: 58.0 -> 12.0 (relative difference 0.793)" in done.stdout
    assert "chart fan, row 1 (2024), column v: 1.0 -> 2.0" in done.stdout
    before = reference.read_bytes()
    kbio.add("11_export_forecast", "1 / 0")
    assert kbio("check", "11", "--accept").returncode == 1
    assert reference.read_bytes() == before
    for path in kbio.notebooks.glob("*.ipynb"):
        path.unlink()
    kbio.environment["KBIO_NOTEBOOKS"] = str(kbio.notebooks)
    assert kbio("check").returncode == 2, "a check that could not fail fails"


def test_a_defect_is_one_line_with_the_path_of_its_traceback(kbio: Room) -> None:
    script = "import kbio_analysis.notebooks as n; n.available = None; from kbio_analysis.cli import main; main()"
    done = kbio.script(script, "list")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    log = Path(line.split("traceback in ")[1].split(";")[0])
    assert "TypeError" in line
    assert "Traceback" in log.read_text()
