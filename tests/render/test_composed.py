"""Notebooks composed from others' records: run after them, given what they said, and told what state it is in."""

import json
import shutil
import time
from pathlib import Path

import pytest
from render.fixtures.built import emitting, lay_tables, recording
from render.fixtures.room import CHART, Room

UNCHANGED_SECONDS = 3.0  # the whole command with nothing to do; the aim is well under one, a busy machine takes more
READ = "from kbio_analysis.data.tables import load\nweight = float(load('apples')['weight'].sum())"
TELL = (
    "from kbio_analysis.data.results import recorded\nbelow = [recorded(n) for n in names]\n"
    "said = '; '.join(' '.join([r.notebook, r.state, *[f'({why})' for why in [r.why] if why]]) for r in below)"
)
SAY = "from IPython.display import publish_display_data as show\nshow({'%s': {'kind': 'answer', 'text': said}})"


def composed(room: Room, name: str, below: list[str], *cells: str) -> None:
    say = SAY % "application/vnd.kbio.v1+json"
    more = {"parameters": "size: int = 1  # how many, count", "own": {"composed_from": below}}
    room.add(name, f"names = {below!r}", TELL, *cells, say, **more)


def pears(room: Room, number: int = 2, cell: str = recording("pears", "float(n)")) -> None:
    room.add("11_pears", cell, parameters=f"n: int = {number}  # how many, count")


def furnished(path: Path) -> Room:
    """Two notebooks, one composed from both, and one composed from that and the first."""
    room = Room(path)
    for kept in room.notebooks.iterdir():
        kept.unlink()
    lay_tables(path / "data", apples=3)
    room.add("10_apples", READ, recording("apples", "weight"), emitting(**CHART), parameters="n: int = 1  # n, count")
    pears(room)
    total = "total = sum(r.value(r.notebook[3:]) or 0.0 for r in below)"
    composed(room, "40_basket", ["10_apples", "11_pears"], total, recording("basket", "total"))
    doubled = "twice = 2 * (below[1].value('basket') or 0.0)"
    composed(room, "00_page", ["10_apples", "40_basket"], doubled, recording("twice", "twice"))
    return room


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a room with its site rendered and its references accepted."""
    room = furnished(tmp_path_factory.mktemp("finished"))
    for command in (("render",), ("check", "--accept")):
        done = room(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    return room.path


@pytest.fixture
def kbio(tmp_path: Path, finished: Path) -> Room:
    """The same, to be changed."""
    room = furnished(tmp_path)
    for kept in ("reports", "notebooks/references"):
        shutil.copytree(finished / kept, tmp_path / kept)
    return room


def answer(room: Room, notebook: str) -> str:
    return str(room.result(f"{notebook}/default")["answer"])


def value(room: Room, notebook: str, name: str) -> float:
    return room.result(f"{notebook}/default")["results"][name]["value"]


def made(output: str) -> list[str]:
    return [line.split()[1].split("/")[0] for line in output.splitlines() if line.startswith("ok ")]


def test_a_composed_notebook_reads_those_it_is_made_of_fresh(kbio: Room) -> None:
    assert answer(kbio, "40_basket") == "10_apples fresh; 11_pears fresh"
    assert (value(kbio, "40_basket", "basket"), value(kbio, "00_page", "twice")) == (5.0, 10.0)
    inputs = kbio.result("00_page/default")["inputs"]
    assert (set(inputs["reports"]), inputs["tables"]) == ({"10_apples", "40_basket"}, {})
    assert "Record of" in (kbio.site / "00_page" / "default" / "index.html").read_text()


def test_an_unchanged_second_run_makes_nothing_and_a_changed_record_makes_all_above_it(kbio: Room) -> None:
    began = time.monotonic()
    done = kbio("render")
    assert time.monotonic() - began < UNCHANGED_SECONDS
    assert "0 made, 4 unchanged" in done.stdout
    lay_tables(kbio.path / "data", apples=4)
    done = kbio("render")
    assert made(done.stdout) == ["10_apples", "40_basket", "00_page"]
    assert value(kbio, "00_page", "twice") == 12.0
    page = kbio.site / "40_basket" / "default" / "index.html"
    before = page.read_bytes()
    (kbio.site / "11_pears" / "default" / "index.html").write_text("damaged")
    done = kbio("render", "--jobs", "1")
    assert "1 made, 3 unchanged" in done.stdout, "what says the same as before makes nothing above it due"
    kbio("render", "--force")
    assert page.read_bytes() == before


def test_what_a_composed_notebook_rests_on_is_made_first_where_it_is_missing_or_out_of_date(kbio: Room) -> None:
    shutil.rmtree(kbio.site)
    done = kbio("render", "00", "--jobs", "2")
    first, second, *rest = made(done.stdout)
    assert ({first, second}, rest) == ({"10_apples", "11_pears"}, ["40_basket", "00_page"])
    assert "4 of 4 reports are good" in done.stdout
    lay_tables(kbio.path / "data", apples=7)
    assert made(kbio("render", "40").stdout) == ["10_apples", "40_basket"]
    assert value(kbio, "40_basket", "basket") == 9.0
    pears(kbio, 6)
    assert made(kbio("render", "00").stdout) == ["11_pears", "40_basket", "00_page"]
    (kbio.site / "10_apples" / "default" / "executed.ipynb").write_text("{}")
    assert made(kbio("render", "40", "--force").stdout) == ["10_apples", "40_basket"]
    assert answer(kbio, "40_basket") == "10_apples fresh; 11_pears fresh"
    assert value(kbio, "00_page", "twice") == 26.0


def test_one_that_fails_is_told_of_and_its_old_report_stays(kbio: Room) -> None:
    pears(kbio, cell="1 / 0")
    done = kbio("render")
    assert done.returncode == 1
    assert made(done.stdout) == ["40_basket", "00_page"]
    failed = "11_pears failed (the last run failed)"
    assert answer(kbio, "40_basket") == f"10_apples fresh; {failed}"
    assert value(kbio, "40_basket", "basket") == 5.0
    assert "0 made, 3 unchanged, 1 failed" in kbio("render").stdout
    pears(kbio)
    assert "1 of 1 reports are good" in kbio("render", "--failed").stdout
    assert kbio("render", "40", "-p", "size=5", "--set", "five").returncode == 0
    assert kbio.result("40_basket/five")["answer"] == "10_apples fresh; 11_pears fresh"


@pytest.mark.parametrize(
    ("below", "words"),
    [
        (["10_aples"], "40_basket is composed from '10_aples', which no notebook is; did you mean 10_apples?"),
        (["00_page"], "composed in a circle: "),
        (["40_basket"], "composed in a circle: 40_basket -> 40_basket"),
        ("10_apples", "its metadata: composed_from: '10_apples': Input should be a valid list"),
    ],
)
def test_what_cannot_be_composed_is_refused_before_anything_starts(kbio: Room, below: list[str], words: str) -> None:
    kbio.add("40_basket", "1", own={"composed_from": below})
    shutil.rmtree(kbio.site)
    for command in (("render", "40"), ("check",)):
        done = kbio(*command)
        assert done.returncode == 2
        assert words in done.stderr
    assert not kbio.site.exists()


# ---- kbio check


def reference(room: Room, notebook: str) -> dict:
    return json.loads((room.notebooks / "references" / f"{notebook}.json").read_text())


def test_a_doctored_table_is_named_by_the_results_that_move_below_and_above(kbio: Room) -> None:
    assert kbio("check").returncode == 0
    lay_tables(kbio.path / "data", apples=8)
    done = kbio("check")
    assert done.returncode == 1
    for words in ("apples: 3.0 -> 8.0", "basket: 5.0 -> 10.0", "twice: 10.0 -> 20.0", "ok        11_pears"):
        assert words in done.stdout
    # Alone it reads the references, and makes those that are out of date; only what was asked for is kbio.
    done = kbio("check", "40", "00", "--accept")
    assert done.returncode == 0
    for words in ("10_apples/default", "its reference is out of date", "basket: 5.0 -> 10.0"):
        assert words in done.stdout
    assert "stale" not in done.stdout
    assert reference(kbio, "00_page")["results"]["twice"]["value"] == 20.0
    assert reference(kbio, "10_apples")["results"]["apples"]["value"] == 3.0


def test_one_that_fails_in_the_check_is_not_replaced_by_its_reference(kbio: Room) -> None:
    pears(kbio, cell="1 / 0")
    done = kbio("check")
    assert done.returncode == 1
    assert "11_pears failed (failed in this run (ZeroDivisionError))" in done.stdout
    assert "basket: 5.0 -> 3.0" in done.stdout
