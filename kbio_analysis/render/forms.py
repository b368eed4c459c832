"""Other forms of finished reports, beside their page: ``report.pdf`` and ``report.docx``.

Both are made from the page itself: the PDF by the system's Chromium, the Word document by pandoc. Publishing a report
anew removes its forms, so that one that is there is never out of date.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError
from kbio_analysis.render.formats import TEMPLATES
from kbio_analysis.render.publish import FAILURE, explained, open_site, write_file
from kbio_analysis.render.results import OTHER_FORMS, PAGE
from kbio_analysis.render.site import write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = (TEMPLATES / "report" / "browsers.txt").read_text(encoding="utf-8").splitlines()
PAPER_WIDTH = 665  # CSS pixels between the margins of the print style sheet: 210 mm less twice 17 mm
LOAD_SECONDS = 60.0

FIT = (TEMPLATES / "report" / "fit.js").read_text(encoding="utf-8")
_MACHINE = re.compile(rb"/(?:CreationDate|ModDate|Creator) ?\((?:[^()\\]|\\.){0,500}\)")
# What of a page says nothing on paper: code, downloads, ways about the site, the look.
_SCREEN_ONLY = re.compile(
    r'<(nav|style)\b.*?</\1>|<details class="code">.*?\n</details>|<a class="(?:download|skip)".*?</a>'
    r'|<p class="below">Exact values.*?</p>',
    re.DOTALL,
)


def add_forms(site: Path, folders: Iterable[Path], forms: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Write the ``forms`` ("pdf", "docx") of the reports in ``folders`` that lack them, and list them in the site's
    index. A report without a page is passed over, and one whose last run failed.

    Returns how many files were made of each form, and what went wrong, each said once. Raises PublishError if another
    run holds the site for too long.
    """
    made, problems, browser = dict.fromkeys(forms, 0), [], None
    with open_site(site), explained(site), ExitStack() as stack:
        for folder, form in product(folders, forms):
            page, target = folder / PAGE, folder / OTHER_FORMS[form]
            if target.is_file() or not page.is_file() or (folder / FAILURE).exists():
                continue
            try:
                if form == "pdf":
                    browser = browser or stack.enter_context(opened_browser())
                write_file(target, docx_of(page) if form == "docx" else pdf_of(page, browser))
                made[form] += 1
            except (KbioError, OSError) as problem:
                problems.append(f"no {form}: {problem}")
        write_site(site)
    return made, list(dict.fromkeys(problems))


@contextmanager
def opened_browser() -> "Iterator[Browser]":
    """A headless Chromium without network. Raises KbioError saying what is missing and how to get it."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise KbioError("playwright is not installed; install kbio-analysis with its extra 'pdf'") from None
    named = os.environ.get("KBIO_CHROMIUM")
    path = next(filter(os.path.isfile, [named] if named else filter(None, map(shutil.which, BROWSERS))), None)
    if path is None:
        raise KbioError("no Chromium found; install chromium, or set KBIO_CHROMIUM to the path of one")
    with sync_playwright() as playwright:
        for sandbox in (True, False):  # as root, and in most containers, the browser has none
            try:
                browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=sandbox)
                break
            except Error as problem:
                reason = str(problem).strip().splitlines()[0]
        else:
            raise KbioError(f"{path} does not start: {reason}")
        with closing(browser):
            yield browser


def pdf_of(page_file: Path, browser: "Browser") -> bytes:
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


def docx_of(page_file: Path) -> bytes:
    """The report page as a Word document, without code and clock. Raises KbioError if pandoc cannot write it."""
    if shutil.which("pandoc") is None:
        raise KbioError("pandoc is not installed; install it (its package is called pandoc)")
    html = _SCREEN_ONLY.sub("", page_file.read_text(encoding="utf-8"))
    command = ["pandoc", "--from=html", "--to=docx", "--standalone", "--output=-"]
    how = {"input": html.encode(), "env": os.environ | {"SOURCE_DATE_EPOCH": "315532800"}, "timeout": 120}
    try:
        # Older pandocs and some builds know no sandbox; what they are given refers to nothing, so it may go.
        done = subprocess.run([*command, "--sandbox"], capture_output=True, check=False, **how)
        done = subprocess.run(command, capture_output=True, check=False, **how) if done.returncode else done
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise KbioError(f"pandoc could not write {page_file}: {problem}") from None
    if done.returncode:
        reason = [*done.stderr.decode(errors="replace").strip().splitlines(), str(done.returncode)][0]
        raise KbioError(f"pandoc could not write {page_file}: {reason}")
    return done.stdout
