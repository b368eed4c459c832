"""Other forms of finished reports, beside their page: ``report.pdf`` and ``report.docx``.

The PDF is printed by the system's Chromium from the page itself; the Word document is written by pandoc from the same
content as plain HTML, its charts as pictures where a browser is there to draw them (else as SVG, which older word
processors omit). Publishing a report anew removes its forms, so that one that is there is never out of date.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError, UsageError, did_you_mean
from kbio_analysis.render.publish import FAILURE, explained, open_site, write_file
from kbio_analysis.render.results import OTHER_FORMS, PAGE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = ("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
PAPER_WIDTH = 665  # CSS pixels between the margins of the print style sheet: 210 mm less twice 17 mm
LOAD_SECONDS = 60.0

# A table keeps its lines and shrinks until it fits; so does code that has no place to break.
FIT = """(width) => {
  for (const element of document.querySelectorAll("main table, .colophon table, math")) {
    const room = element.closest(".scroll, main, footer").clientWidth || width;
    const excess = element.getBoundingClientRect().width / room;
    if (excess > 1.001) element.style.zoom = 1 / excess;
  }
}"""
_MACHINE = re.compile(rb"/(?:CreationDate|ModDate|Creator) ?\((?:[^()\\]|\\.){0,500}\)")
_CLOCK = re.compile(r"<dcterms:(created|modified)\b[^>]*>[^<]*</dcterms:\1>")
_REPEATED_PICTURE = re.compile(r'descr="data:[^"]*"')
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_A4 = (
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1304" w:right="1304" w:bottom="1304" w:left="1304" w:header="709" w:footer="709" w:gutter="0"/>'
    "</w:sectPr>"
)


class MissingProgramError(KbioError):
    """There is no Chromium to print with, or no pandoc to write with."""


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
            hint = did_you_mean(form, known) or "; write html, pdf or docx"
            raise UsageError(f"--to {form!r}{hint}")
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
    made, problems, notes, browser = 0, [], [], None
    due = [(folder, form) for folder in folders for form in dict.fromkeys(forms) if (folder / PAGE).is_file()]
    due = [(folder, form) for folder, form in due if anew or not (folder / OTHER_FORMS[form]).is_file()]
    pandoc = "" if shutil.which("pandoc") else "pandoc is not installed; install it (its package is called pandoc)"
    lacking = {"docx": pandoc} if pandoc else {}
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(opened_browser()) if due else None
        except MissingProgramError as missing:
            lacking["pdf"] = str(missing)
            if any(form == "docx" for _, form in due):
                notes.append(f"charts in {OTHER_FORMS['docx']} are SVG, which older word processors omit: {missing}")
        for folder, form in due:
            try:
                if form in lacking:
                    problems.append(f"no {OTHER_FORMS[form]} was made: {lacking[form]}")
                    continue
                content = docx_of(folder, browser) if form == "docx" else pdf_of(folder / PAGE, browser)
                write_file(folder / OTHER_FORMS[form], content)
                made += 1
            except (KbioError, OSError) as problem:
                problems.append(f"{folder.parent.name}/{folder.name}: {problem}")
    return Converted(made=made, problems=tuple(dict.fromkeys(problems)), notes=tuple(notes))


def find_browser() -> str | None:
    """The Chromium to use: KBIO_CHROMIUM if that is set, else the first of the usual names and places; None if none."""
    named = os.environ.get("KBIO_CHROMIUM")
    candidates = [named] if named else list(filter(None, map(shutil.which, BROWSERS)))
    return next((path for path in candidates if Path(path).is_file()), None)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """A headless Chromium without network. Raises MissingProgramError saying what is missing and how to get it."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise MissingProgramError("playwright is not installed; install kbio-analysis with its extra 'pdf'") from None
    path = find_browser()
    if path is None:
        raise MissingProgramError("no Chromium found; install chromium, or set KBIO_CHROMIUM to the path of one")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as problem:
            reason = str(problem).strip().splitlines()[0]
            raise MissingProgramError(f"{path} does not start: {reason}") from None
        try:
            yield browser
        finally:
            browser.close()


def pdf_of(page_file: Path, browser: Browser) -> bytes:
    """The report page as a PDF, without clock and machine. Raises KbioError if the browser cannot print it."""
    from playwright.sync_api import Error

    view = {"viewport": {"width": PAPER_WIDTH, "height": 1000}, "service_workers": "block"}
    with closing(browser.new_context(offline=True, color_scheme="light", **view)) as context:
        try:
            page = context.new_page()
            page.set_default_timeout(LOAD_SECONDS * 1000)
            page.emulate_media(media="print", color_scheme="light")
            page.goto(page_file.resolve().as_uri(), wait_until="load")
            page.evaluate(FIT, PAPER_WIDTH)
            printed = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
        except Error as problem:
            raise KbioError(f"{page_file} could not be printed: {str(problem).strip().splitlines()[0]}") from None
    return _MACHINE.sub(lambda match: b" " * len(match[0]), printed)


def docx_of(folder: Path, browser: Browser | None) -> bytes:
    """The document of the report in ``folder``. Raises KbioError if pandoc fails."""
    import nbformat

    from kbio_analysis.render.page import document_html
    from kbio_analysis.render.parameters import read_source

    source = (folder / "executed.ipynb").read_bytes()
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    spec = read_source(folder.parent.name, source)
    pictures = _pictures(folder / PAGE, browser) if browser else {}
    html = document_html(nbformat.reads(source.decode("utf-8"), as_version=4), result, spec, pictures)
    return _without_clock(translated(html.encode(), f"{folder.parent.name}/{folder.name}"))


def _pictures(page_file: Path, browser: Browser) -> dict[str, str]:
    """Every chart of the page as it looks on a light screen, as data: address by its id."""
    view = {"device_scale_factor": 2, "viewport": {"width": 1100, "height": 900}}
    with closing(browser.new_context(offline=True, color_scheme="light", **view)) as context:
        page = context.new_page()
        page.goto(page_file.resolve().as_uri(), wait_until="load")
        charts = page.locator("figure.chart:has(svg)").all()
        shots = {str(chart.get_attribute("id")): chart.locator("svg").first.screenshot() for chart in charts}
    return {name: f"data:image/png;base64,{base64.b64encode(shot).decode()}" for name, shot in shots.items()}


def translated(html: bytes, report: str) -> bytes:
    """The document that pandoc makes of HTML, as it comes. Raises KbioError naming the report if pandoc fails."""
    command = ["pandoc", "--from=html", "--to=docx", "--standalone", "--output=-"]
    with tempfile.TemporaryDirectory(prefix="kbio-docx-") as empty:
        how = {"input": html, "cwd": empty, "capture_output": True, "timeout": 120, "check": False}
        try:
            # Older pandocs and some builds know no sandbox; what they are given refers to nothing, so it may go.
            done = subprocess.run([*command, "--sandbox"], **how)
            done = subprocess.run(command, **how) if done.returncode else done
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise KbioError(f"pandoc could not write the document of {report}: {problem}") from None
    if done.returncode:
        reason = [*done.stderr.decode(errors="replace").strip().splitlines(), str(done.returncode)][0]
        raise KbioError(f"pandoc could not write the document of {report}: {reason}")
    return done.stdout


def _without_clock(document: bytes) -> bytes:
    """The document on A4, without clock, and without the copy of each picture that pandoc keeps as a description."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                text = _REPEATED_PICTURE.sub('descr=""', content.decode("utf-8"))
                content = text.replace("<w:sectPr />", _A4).encode()
            elif name == "docProps/core.xml":
                content = _CLOCK.sub("", content.decode("utf-8")).encode()
            new.writestr(zipfile.ZipInfo(name, _NO_DATE), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()
