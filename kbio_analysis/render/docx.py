"""A report as a Word document: the same content, written as plain HTML and translated by pandoc.

Charts become pictures with their alternative text: PNG where a browser is there to draw them, else SVG, which older
word processors do not show. The same report gives the same bytes, with the same pandoc and browser.
"""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from kbio_analysis.errors import KbioError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_SETTINGS = {"capture_output": True, "timeout": 120, "check": False}
SCREEN_WIDTH, SHARPNESS = 1100, 2  # CSS pixels; pixels of the picture a CSS pixel

# pandoc's codes for "no such option" (before 2.15) and for a build that cannot see its own files from the sandbox.
# What it is given is made here and refers to nothing, so that it may then be read without.
_NO_SANDBOX = (6, 97)
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_CLOCK = re.compile(r"<dcterms:(created|modified)\b[^>]*>[^<]*</dcterms:\1>")
_REPEATED_PICTURE = re.compile(r'descr="data:[^"]*"')
_A4 = (
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1304" w:right="1304" w:bottom="1304" w:left="1304" w:header="709" w:footer="709" w:gutter="0"/>'
    "</w:sectPr>"
)


class NoPandocError(KbioError):
    """There is no pandoc to write the document."""


def find_pandoc() -> str:
    """The pandoc on the path. Raises NoPandocError saying how to get one."""
    path = shutil.which("pandoc")
    if path is None:
        raise NoPandocError("pandoc is not installed; install it (your system's package is called pandoc)")
    return path


def docx_of(folder: Path, browser: Browser | None) -> bytes:
    """The document of the report in ``folder``. Raises NoPandocError, or KbioError if pandoc fails."""
    import nbformat

    from kbio_analysis.render.page import document_html
    from kbio_analysis.render.parameters import read_source

    pandoc = find_pandoc()
    source = (folder / "executed.ipynb").read_bytes()
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    spec = read_source(folder.parent.name, source)
    pictures = _pictures(folder / "index.html", browser) if browser else {}
    html = document_html(nbformat.reads(source.decode("utf-8"), as_version=4), result, spec, pictures)
    return _settled(translated(pandoc, html.encode(), f"{folder.parent.name}/{folder.name}"))


def _pictures(page_file: Path, browser: Browser) -> dict[str, str]:
    """Every chart of the page as it looks on a light screen, as data: address by its id."""
    context = browser.new_context(
        offline=True,
        color_scheme="light",
        device_scale_factor=SHARPNESS,
        viewport={"width": SCREEN_WIDTH, "height": 900},
    )
    try:
        page = context.new_page()
        page.goto(page_file.resolve().as_uri(), wait_until="load")
        found = {}
        for figure in page.locator("figure.chart").all():
            drawing = figure.locator("svg:visible")
            if drawing.count():
                image = base64.b64encode(drawing.first.screenshot()).decode()
                found[str(figure.get_attribute("id"))] = f"data:image/png;base64,{image}"
        return found
    finally:
        context.close()


def translated(pandoc: str, html: bytes, report: str) -> bytes:
    """The document that pandoc makes of HTML, as it comes. Raises KbioError naming the report if pandoc fails."""
    command = [pandoc, "--from=html", "--to=docx", "--standalone", "--output=-"]
    with tempfile.TemporaryDirectory(prefix="kbio-docx-") as empty:
        for sandbox in (["--sandbox"], []):
            try:
                done = subprocess.run([*command, *sandbox], input=html, cwd=empty, **_SETTINGS)
            except (OSError, subprocess.TimeoutExpired) as problem:
                raise KbioError(f"pandoc could not write the document of {report}: {problem}") from None
            if done.returncode not in _NO_SANDBOX:
                break
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise KbioError(f"pandoc could not write the document of {report}: {reason[0] if reason else done.returncode}")
    return done.stdout


def _settled(document: bytes) -> bytes:
    """The document on A4, without clock, and without the copy of each picture that pandoc keeps as a description."""
    settled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                text = _REPEATED_PICTURE.sub('descr=""', content.decode("utf-8"))
                content = text.replace("<w:sectPr />", _A4).encode()
            elif name == "docProps/core.xml":
                content = _CLOCK.sub("", content.decode("utf-8")).encode()
            new.writestr(zipfile.ZipInfo(name, _NO_DATE), content, zipfile.ZIP_DEFLATED)
    return settled.getvalue()
