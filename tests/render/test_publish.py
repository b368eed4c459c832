"""The site is whole at every moment: the old report or the new one, and never a place outside of it."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render.fixtures.built import pretended

from kbio_analysis.errors import UsageError
from kbio_analysis.notebooks import slug
from kbio_analysis.render import publish as module
from kbio_analysis.render.publish import PublishError, open_site, publish

PATIENT = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def files(site: Path) -> set[str]:
    found = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    return found - {".kbio/lock", ".kbio/site.json"}


def test_modes_follow_the_umask_and_the_group_of_the_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    before = os.umask(0o027)
    try:
        with open_site(tmp_path) as site:
            folder = publish(pretended(), site)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o7777 == 0o2750
    assert (folder / "index.html").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("exchange", [True, False])
def test_a_good_report_is_published_whole_and_replaced_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:  # where the system cannot, two renames do
        monkeypatch.setattr(module, "_EXCHANGE", ("", 0, 0))
    with open_site(tmp_path / "new" / "site") as site:
        folder = publish(pretended(page=b"one"), site)
        (folder / "notes").mkdir()
        (folder / "notes" / "mine.txt").write_text("a reader's own")
        (folder / "report.pdf").write_text("of the old page")
        publish(pretended(page=b"two"), site)
    assert folder == site / "10_sample" / "default"
    assert (folder / "index.html").read_bytes() == b"two"
    names = ("index.html", "executed.ipynb", "result.json", "log.txt", "notes/mine.txt")
    assert files(site) == {f"10_sample/default/{name}" for name in names}


def test_a_reader_never_sees_half_a_report(tmp_path: Path) -> None:
    pages = [b"a" * 2000, b"b" * 3000]
    seen, stop = set(), threading.Event()
    with open_site(tmp_path) as site:
        folder = publish(pretended(page=pages[0]), site)

        def read() -> None:
            while not stop.is_set():
                try:
                    seen.add((folder / "index.html").read_bytes())
                except FileNotFoundError:
                    seen.add(b"nothing: this file system cannot exchange")

        reader = threading.Thread(target=read)
        reader.start()
        for turn in range(100):
            publish(pretended(page=pages[turn % 2]), site)
        stop.set()
        reader.join()
    assert seen == set(pages)


def test_a_report_left_aside_by_a_crash_comes_back(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        folder = publish(pretended(page=b"one"), site)
    old = site / ".kbio" / "aside" / "old" / "10_sample@default"
    old.parent.mkdir(parents=True)
    folder.rename(old)
    half = site / ".kbio" / "aside" / "new" / "10_sample@default@x"
    half.mkdir(parents=True)
    (half / "index.html").write_text("half")
    (site / ".index.json.kbio-new").write_text("half")
    (folder.parent / ".log.txt.kbio-new").write_text("half")
    with open_site(tmp_path):
        assert (folder / "index.html").read_bytes() == b"one"
        assert not half.exists()
    assert len(files(site)) == 4


def test_a_run_that_holds_the_site_for_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_SECONDS", 0.5)
    refused = pytest.raises(PublishError, match="another kbio run is writing")
    with open_site(tmp_path), refused, open_site(tmp_path):
        pytest.fail("two runs in one site")


def test_a_folder_that_is_no_site_is_refused_and_nothing_in_it_touched(tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    for name in ("index.html", "batches/mine.html"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match="is no site of kbio"), open_site(tmp_path):
        pytest.fail("a foreign folder was opened")
    assert {path.name for path in tmp_path.rglob("*")} == {"batches", "index.html", "mine.html"}


LINKS = [".kbio", ".kbio/aside", ".kbio/lock", ".kbio/site.json", "batches", "10_sample", "10_sample/default"]


@pytest.mark.parametrize("name", LINKS)
def test_a_link_to_another_place_is_never_followed(tmp_path: Path, name: str) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    with open_site(site):
        (elsewhere / "new").mkdir(parents=True)
    if name == ".kbio":
        (site / ".kbio").rename(site / "moved")
    (site / name).unlink(missing_ok=True)
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).symlink_to(elsewhere)
    with pytest.raises(UsageError, match="remove it"), open_site(site):
        publish(pretended(), site)
    assert [path.name for path in elsewhere.iterdir()] == ["new"]


PLAIN = {"High growth": "high-growth", "a:b*c?": "a-b-c", "한국 2030": "한국-2030", "..a..": "a", "A": "a"}


def test_set_names_become_plain_folders_unless_they_are_paths_or_nothing() -> None:
    assert {name: slug(name) for name in PLAIN} == PLAIN
    for name in ("../x", "/etc", "a/b", "a\\b", "..", ".", "", "  ", "***", "a\0b"):
        with pytest.raises(UsageError, match="set name"):
            slug(name)


@PATIENT
@given(st.text(min_size=1, max_size=120))
def test_no_name_leaves_its_folder(name: str) -> None:
    try:
        folder = slug(name)
    except UsageError:
        return
    assert slug(folder) == folder
    assert Path(folder).name == folder
    assert not folder.startswith((".", "-"))
    assert len(slug("한" * 200 + name).encode()) <= 80
    assert slug("한" * 200 + name) != slug("한" * 200 + name + "a"), "long names are cut and stay apart"
