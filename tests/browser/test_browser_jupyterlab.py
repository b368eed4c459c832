"""A notebook opened in the real JupyterLab, run through, and read: is its prose there as the page has it?"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Browser, TimeoutError

SECONDS = 90
TOKEN = "a-token-of-this-test"

CELLS = [
    new_markdown_cell("# What does it read like?"),
    new_code_cell(
        "import pandas as pd\n"
        "from kbio_analysis.present.lines import lines\n"
        "from kbio_analysis.present.tables import table\n"
        'frame = pd.DataFrame({"year": [2023, 2024, 2025], "exports_usd_m": [3900.0, 5510.0, 6520.0]})\n'
        'low, high, name = -1200.0, 4600.0, "A *starred* name_with_marks"'
    ),
    new_code_cell(
        "%%say\n"
        "Trade moves from {{ usd(low) }} to {{ usd(high) }}, a change of {{ pct(-3.04) }}, for {{ name }}.\n\n"
        "A second paragraph on US$5m and US$6m."
    ),
    new_code_cell(
        'lines(frame, {"Exports": "exports_usd_m"}, x="year", id="c",\n'
        '      caption="From US$4bn to US$7bn", source="Customs")'
    ),
    new_code_cell(
        'table(frame, {"Year": "year", "US$ million": ("exports_usd_m", ",.0f")}, id="t",\n'
        '      caption="The same as a table", source="Customs again")'
    ),
]


@pytest.fixture
def lab(tmp_path: Path, root: Path) -> Iterator[str]:
    """The address of a JupyterLab of this test's own, on a notebook of prose, a chart and a table."""
    notebook = new_notebook(cells=CELLS)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "read.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "PYTHONPATH": str(root)}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        environment[name] = str(home / name.lower())
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path}", "--LabApp.news_url=None"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end, told = time.monotonic() + SECONDS, home / "jupyter_runtime_dir" / f"jpserver-{server.pid}.json"
        while not told.exists():  # written once it listens
            assert server.poll() is None, "JupyterLab ended before it answered"
            assert time.monotonic() < end, f"JupyterLab did not answer within {SECONDS} s"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def test_prose_charts_and_tables_read_in_jupyterlab_as_on_the_page(browser: Browser, lab: str) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1600})
    page = context.new_page()
    page.goto(f"{lab}/doc/tree/read.ipynb?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=SECONDS * 1000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=SECONDS * 1000)
    for number in range(1, len(CELLS)):
        cell = page.locator(".jp-CodeCell").nth(number - 1)
        # A key pressed while the kernel is still coming up may be lost.
        for _ in range(SECONDS // 5):
            for dialog in page.locator(".jp-Dialog .jp-mod-accept").all():  # a word of welcome, or a slow start told
                dialog.click()
            cell.locator(".jp-InputArea-prompt").click()
            page.keyboard.press("Control+Enter")
            with suppress(TimeoutError):
                page.wait_for_selector(f".jp-InputArea-prompt:has-text('[{number}]:')", timeout=5000)
                break
    page.wait_for_selector(".jp-OutputArea-output table", timeout=SECONDS * 1000)
    outputs = page.locator(".jp-OutputArea-output")
    text = re.sub(r"\s+", " ", " ".join(outputs.all_inner_texts()))
    assert "Trade moves from −US$1.2bn to US$4.6bn, a change of −3.0%, for A *starred* name_with_marks." in text
    assert "A second paragraph on US$5m and US$6m." in text
    assert page.locator(".jp-OutputArea-output mjx-container, .jp-OutputArea-output .MathJax").count() == 0
    assert page.locator(".jp-OutputArea-output p").count() == 2
    for words in ("From US$4bn to US$7bn", "Source: Customs", "The same as a table", "Source: Customs again"):
        assert words in text
    drawn = page.locator(".jp-OutputArea-output figure svg, .jp-OutputArea-output img").first.bounding_box()
    assert 200 < drawn["width"] < 800
    assert drawn["height"] > 80
    assert "Error" not in text
    context.close()
