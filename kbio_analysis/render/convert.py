"""Other forms of finished reports, beside their page: ``report.pdf`` and ``report.docx``.

A form is made from the page in place and goes with it: publishing a report anew removes it, so that one that is there
is never out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError, UsageError
from kbio_analysis.render.docx import NoPandocError, docx_of, find_pandoc
from kbio_analysis.render.entries import OTHER_FORMS, PAGE
from kbio_analysis.render.pdf import NoBrowserError, opened_browser, pdf_of
from kbio_analysis.render.publish import FAILURE, explained, open_site, write_file

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """How many files were ``made``, and what went wrong in one line each (the page stays in every case)."""

    made: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def other_forms(wanted: Iterable[str]) -> list[str]:
    """The forms to make besides the page, which is always made. Raises UsageError for one that there is not."""
    known = ["html", *OTHER_FORMS]
    for form in wanted:
        if form not in known:
            near = get_close_matches(form, known, n=1)
            raise UsageError(f"--to {form!r}: " + (f"did you mean {near[0]}?" if near else f"write {', '.join(known)}"))
    return [form for form in dict.fromkeys(wanted) if form != "html"]


def add_forms(
    site: Path, folders: Iterable[Path], forms: Sequence[str], *, anew: bool, wait_seconds: float
) -> Converted:
    """Write the ``forms`` of the reports in ``folders`` whose last run went well, and list them in the site's index.

    Raises PublishError if another run holds the site for longer than ``wait_seconds``.
    """
    from kbio_analysis.render.site import write_site

    with open_site(site, wait_seconds=wait_seconds), explained(site):
        converted = convert([f for f in folders if not (f / FAILURE).exists()], forms, anew=anew)
        write_site(site)
    return converted


def convert(folders: Iterable[Path], forms: Sequence[str], *, anew: bool = False) -> Converted:
    """Write the ``forms`` ("pdf", "docx") of the reports in ``folders`` that lack them, all of them if ``anew``.

    A report without a page is passed over. What is missing on this machine is one problem, not one a report.
    """
    due = [
        (folder, form)
        for folder in folders
        for form in dict.fromkeys(forms)
        if (folder / PAGE).is_file() and (anew or not (folder / OTHER_FORMS[form]).is_file())
    ]
    if not due:
        return Converted(made=0)
    wanted, problems, notes = {form for _, form in due}, [], []
    if "docx" in wanted and (missing := _lack_of_pandoc()):
        problems.append(f"no {OTHER_FORMS['docx']} was made: {missing}")
        wanted.remove("docx")
    made = 0
    with ExitStack() as stack:
        browser = None
        try:
            browser = stack.enter_context(opened_browser()) if wanted else None
        except NoBrowserError as missing:
            if "pdf" in wanted:
                problems.append(f"no {OTHER_FORMS['pdf']} was made: {missing}")
                wanted.remove("pdf")
            if "docx" in wanted:
                notes.append(f"charts in {OTHER_FORMS['docx']} are SVG, which older word processors omit: {missing}")
        for folder, form in due:
            if form not in wanted:
                continue
            try:
                write_file(folder / OTHER_FORMS[form], _form(folder, form, browser))
                made += 1
            except (KbioError, OSError) as problem:
                problems.append(f"{folder.parent.name}/{folder.name}: {problem}")
    return Converted(made=made, problems=tuple(problems), notes=tuple(notes))


def _form(folder: Path, form: str, browser: Browser | None) -> bytes:
    if form == "docx":
        return docx_of(folder, browser)
    if browser is None:
        raise KbioError("no browser to print with")
    return pdf_of(folder / PAGE, browser)


def _lack_of_pandoc() -> str | None:
    try:
        find_pandoc()
    except NoPandocError as missing:
        return str(missing)
    return None
