"""Put a report into the site so that a reader sees the old one or the new one, never half of either.

It is written aside, synced, and exchanged with the folder in place in one step, or, where the system cannot, by two
renames, of which ``open_site`` mends what a crash leaves. A failure is written beside the good report, until the next.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError, UsageError
from kbio_analysis.notebooks import RESERVED, slug

if TYPE_CHECKING:
    from kbio_analysis.render.job import Report

HIDDEN = ".kbio"
MARK = f"{HIDDEN}/site.json"
"""What makes a folder a site; it lists the files, with their hashes, that are made from all reports together."""

BATCHES, COMPARISONS, GO, WHAT_IF = MADE_FOLDERS = RESERVED
"""The folders of a site that hold no reports."""

DEFAULT_SET = "default"
FAILURE, LOG = "failure.json", "log.txt"
OURS = {"index.html", "executed.ipynb", "result.json", LOG, "stamp.json", FAILURE, "report.pdf", "report.docx"}
LOCK_WAIT_SECONDS = 60.0

# What swaps two folders in one step: the system's function, its word for "here", and the flag.
_EXCHANGE = {"linux": ("renameat2", -100, 2), "darwin": ("renameatx_np", -2, 2)}.get(sys.platform, ("", 0, 0))


class PublishError(KbioError):
    """The site could not be written: no space, no right, or another run at work."""


@contextmanager
def open_site(site: Path, check_stop: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Hold the site for one run: made if missing, what a crash left put right, other runs kept waiting.

    Says on standard error if another run holds it; ``check_stop``, asked while it waits, may raise. Raises UsageError
    for a folder with files that is no site and for links in one, PublishError after a minute of waiting or where it
    cannot write.
    """
    from filelock import FileLock, Timeout

    with explained(site):
        for name in (HIDDEN, f"{HIDDEN}/aside", f"{HIDDEN}/lock", MARK, *MADE_FOLDERS):
            if (site / name).is_symlink():
                raise UsageError(f"{site / name} is a link, and a site is written into no other place; remove it")
        if site.is_dir() and not (site / MARK).exists() and any(path.name != HIDDEN for path in site.iterdir()):
            raise UsageError(f"{site} holds files and is no site of kbio; give an empty or a new folder as --out")
        (site / HIDDEN).mkdir(parents=True, exist_ok=True)
        lock = FileLock(site / HIDDEN / "lock")
        try:
            try:
                held = lock.acquire(blocking=False)
            except Timeout:
                print(f"kbio: another run is writing to {site}; waiting for it, at most a minute", file=sys.stderr)
                held = lock.acquire(LOCK_WAIT_SECONDS, poll_interval=0.2, cancel_check=check_stop)
        except Timeout:
            raise PublishError(f"another kbio run is writing to {site}; wait for it, or give another --out") from None
    with held:
        with explained(site):
            if not (site / MARK).exists():
                write_file(site / MARK, b'{"files": {}}\n')
            _recover(site)
        yield site


def folder_of(site: Path, notebook: str, set_name: str) -> Path:
    """Where a report lives. Raises UsageError if that would be outside of the site."""
    for part in (notebook, set_name):
        if slug(part) != part:
            raise UsageError(f"{part!r} cannot name a report's folder; {slug(part)!r} can")
    folder = site / notebook / set_name
    for place in (folder.parent, folder):
        if place.is_symlink() or not place.resolve().is_relative_to(site.resolve()):
            raise UsageError(f"{place} is a link out of the site; remove it")
    return folder


def publish(report: Report, site: Path) -> Path:
    """Put the report (or, if it failed, its failure) in place and return its folder.

    Raises PublishError, with the old report untouched, if it cannot be written.
    """
    folder = folder_of(site, report.notebook, report.set_name)
    with explained(folder):
        if report.status == "ok":
            folder.parent.mkdir(exist_ok=True)
            _replace(folder, report.files, site)
        else:
            # The log first: who sees the failure finds its log.
            write_file(folder / LOG, report.files[LOG])
            write_file(folder / FAILURE, report.files["result.json"])
    return folder


def write_file(path: Path, content: bytes) -> None:
    """Replace or begin a file in one step: written beside, synced, renamed. Raises OSError with nothing left beside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.kbio-new")
    aside.unlink(missing_ok=True)  # a link there is not followed
    try:
        aside.write_bytes(content)
        _sync(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    _sync(path.parent)


def _replace(folder: Path, files: Mapping[str, bytes], site: Path) -> None:
    # Two levels down, where no search for */*/result.json finds it.
    aside = site / HIDDEN / "aside" / "new" / f"{folder.parent.name}@{folder.name}"
    aside.mkdir(parents=True)
    try:
        if folder.exists():  # what is somebody's own is taken along
            ours = {str(folder): OURS}
            shutil.copytree(folder, aside, symlinks=True, ignore=lambda at, _: ours.get(at, ()), dirs_exist_ok=True)
        for name, content in files.items():
            (aside / name).write_bytes(content)
            _sync(aside / name)
        _sync(aside)
        if not folder.exists():
            os.rename(aside, folder)
        elif not _exchange(aside, folder):
            old = site / HIDDEN / "aside" / "old" / aside.name
            old.parent.mkdir(exist_ok=True)
            os.rename(folder, old)
            os.rename(aside, folder)
            shutil.rmtree(old)
        _sync(folder.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where system or file system cannot."""
    name, here, flag = _EXCHANGE
    rename = getattr(ctypes.CDLL(None), name, None)
    return bool(rename) and rename(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(flag)) == 0


def _recover(site: Path) -> None:
    """Put back a folder that a crash left aside between two renames, and clear away what was never finished."""
    for old in (site / HIDDEN / "aside" / "old").glob("*@*"):
        folder = site.joinpath(*old.name.split("@", 1))
        if not folder.exists():
            os.rename(old, folder)
    shutil.rmtree(site / HIDDEN / "aside", ignore_errors=True)
    for draft in (draft for depth in ("", "*/", "*/*/") for draft in site.glob(f"{depth}.*.kbio-new")):
        if draft.parent.resolve().is_relative_to(site.resolve()):
            draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have the system keep a file, or a folder's list of names, through a crash."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE}
"""What a system refuses that is nobody's defect; its own words say what is to be mended."""


@contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turn the system's refusal to write into one message that says what to do."""
    try:
        yield
    except OSError as problem:
        what = f"{problem.strerror or problem}; mend that and run again, or choose another place"
        raise PublishError(f"cannot write {place}: {what} (what was published before is untouched)") from problem
