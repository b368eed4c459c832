"""The machine around a run is odd, and the notebook does what it should not: a good report, or a sentence."""

import errno
import os
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import pytest
from render.fixtures.built import made
from render.fixtures.room import LONGEST_SECONDS, Room

from kbio_analysis.render import outputs


@pytest.fixture
def kbio(tmp_path: Path) -> Room:
    return Room(tmp_path)


PIPED = "kbio render 12 | true; test -f reports/site/12_top_five/default/result.json"
LEFT = "{ kbio list; echo $? >code; } | true; test $(cat code) = 0"


@pytest.mark.parametrize(
    "line",
    ["kbio list >&-", "kbio render 12 >&-", "kbio list 2>&-", "kbio render 12 >/dev/full", PIPED, LEFT],
)
def test_an_output_that_is_closed_or_full_does_not_stop_the_work(kbio: Room, line: str) -> None:
    command = line.replace("kbio", f"{sys.executable} -m kbio_analysis")
    how = {"cwd": kbio.path, "env": kbio.environment, "capture_output": True, "text": True, "timeout": LONGEST_SECONDS}
    done = subprocess.run(command, shell=True, **how)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_terminal_cannot_show_is_replaced_in_every_command(kbio: Room) -> None:
    kbio.environment["PYTHONIOENCODING"] = "ascii"
    kbio.add("13_arrow", "print('→')", parameters="size: int = 1  # how many → count")
    assert "13_arrow" in kbio("list").stdout
    assert kbio("render", "13").returncode == 0
    assert kbio("check", "13").returncode == 1
    for command in ("render", "check", "compare"):
        assert "??" in kbio(command, "수출", "수출").stderr


def test_no_page_names_a_folder_for_temporary_files_of_one_s_own(kbio: Room) -> None:
    kbio.add("12_top_five", "import os, tempfile\nprint(os.getcwd(), tempfile.mkdtemp(prefix='mine'))", "1 / 0")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="own") as folder:
        kbio.environment["TMPDIR"] = folder
        assert kbio("render", "12").returncode == 1
        log = (kbio.site / "12_top_five" / "default" / "log.txt").read_text()
    assert ". ./mine" in log
    assert folder not in log


def test_without_shared_memory_reports_are_made(kbio: Room) -> None:
    refuse = "import _multiprocessing\ndef SemLock(*_, **__): raise OSError(30, 'read-only')\n"
    (kbio.path / "sitecustomize.py").write_text(refuse + "_multiprocessing.SemLock = SemLock\n")
    kbio.environment["PYTHONPATH"] += os.pathsep + str(kbio.path)
    done = kbio("render", "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, "")


def test_names_typed_with_combining_characters_are_the_same_names(kbio: Room) -> None:
    kbio.add("12_top_five", "1", parameters="größe: int = 1  # how many, count")
    typed = unicodedata.normalize("NFD", "größe=2")
    assert kbio("render", "12", "-p", typed, "--set", unicodedata.normalize("NFD", "é")).returncode == 0
    assert kbio.result("12_top_five/é")["parameters"] == {"größe": 2}


REFUSING = """
import os, sys
real = os.replace
def refused(source, target, *a, **k):
    if {place!r} in str(target): raise OSError({code}, os.strerror({code}), str(target))
    return real(source, target, *a, **k)
os.replace = refused
from kbio_analysis.cli import main
main()
"""


@pytest.mark.parametrize(
    ("arguments", "place", "code"),
    [
        (("check", "11", "--accept"), "references", errno.EACCES),
        (("new", "notebook", "31_services", "Do services follow?"), "31_services", errno.ENOSPC),
        (("render", "12"), "site", errno.EROFS),
    ],
)
def test_a_place_that_cannot_be_written_is_a_sentence(kbio: Room, arguments: tuple, place: str, code: int) -> None:
    done = kbio.script(REFUSING.format(place=place, code=code), *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("kbio: cannot write ")
    assert "unexpected" not in done.stderr
    assert "--out" not in done.stderr


# ---- what a notebook does


def test_a_widget_is_refused_and_never_waited_for() -> None:
    report = made("from ipywidgets import interact\n@interact(x=3)\ndef f(x): print(x)", limit_seconds=30)
    assert report.status == "failed"
    assert "cell 2 shows a widget" in report.failure


@pytest.mark.parametrize("harm", ["path.write_text('x')", "path.unlink()", "path.with_name('new.csv').write_text('')"])
def test_a_cell_that_writes_into_the_tables_gets_no_good_report(tmp_path: Path, harm: str) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "apples.csv").write_text("key,weight\n")
    path = f"from pathlib import Path\npath = Path({str(tmp_path / 'tables' / 'apples.csv')!r})\n"
    assert made(path + "path.read_text()", data=str(tmp_path)).status == "ok"
    report = made(path + harm, data=str(tmp_path))
    assert report.status == "failed"
    assert "written to while the notebook ran: tables/" in report.failure


def test_a_line_without_end_is_settled_at_once() -> None:
    for text in ("x" * 2_000_000, "\r" * 500_000, "\x1b[" * 300_000, " at 0x" * 300_000, "/tmp/kbio-" * 200_000):
        cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": []}
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
        outputs.make_reproducible({"cells": [cell], "metadata": {}}, None)
