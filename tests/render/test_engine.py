"""A notebook's cells in a process of their own: what they show, and what they may not do."""

import json
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from render.fixtures.built import emitting, job, made, notebook
from render.fixtures.room import ROOT

from kbio_analysis.errors import UsageError
from kbio_analysis.render.job import Report, reports
from kbio_analysis.render.requests import requested


def shown(report: Report) -> list[list[dict[str, Any]]]:
    """The outputs of every cell after the parameters."""
    assert report.status == "ok", report.files["log.txt"].decode()
    cells = [cell for cell in json.loads(report.files["executed.ipynb"])["cells"] if cell["cell_type"] == "code"]
    return [cell["outputs"] for cell in cells[1:]]


def text(output: dict[str, Any]) -> str:
    return "".join(output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"])


def test_cells_run_in_a_private_place_that_says_nothing_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "secret")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere.py")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    seen = made(
        "import json, os, stat, sys, psutil\n"
        "me = psutil.Process()\n"
        "print(json.dumps([os.environ.get('JUPYTER_TOKEN'), os.environ.get('PYTHONSTARTUP'), os.environ.get('GIT_DIR'),"
        " os.environ['PYTHONHASHSEED'], hash('a') == hash('a') and sys.flags.hash_randomization,"
        " os.environ['OMP_NUM_THREADS'], stat.S_IMODE(os.stat('..').st_mode), sys.stdin.read(), sys.argv,"
        " [c.laddr for c in me.net_connections('inet')], os.listdir('.'), os.getsid(0) == os.getpid()]))"
    )
    (((printed,),)) = shown(seen)
    assert json.loads(text(printed)) == [None, None, None, "0", 0, "1", 0o700, "", ["kbio"], [], [], True]


SHOWN = {
    "import sys; print('a'); print('b', file=sys.stderr); print('c')": ["a\nc\n", "b\n"],
    "from IPython.display import HTML, clear_output, display\n"
    "handle = display('first', display_id=True)\nprint('after')\nHTML('<b>x</b>')": [
        "'second'", "after\n", "<IPython.core.display.HTML object>"
    ],
    "handle.update('second')": [],
    "print('gone'); display('gone'); clear_output(wait=True); print('stays')": ["stays\n"],
    "class Own:\n    def _ipython_display_(self): print('mine')\nOwn()": ["mine\n"],
    "import asyncio\nawait asyncio.sleep(0)\n6 * 7": ["42"],
    "_ + 1;": [],
    "%%capture held\nprint('held')": [],
    "print(held.stdout); files = !echo listed\nfiles": ["held\n\n", "['listed']"],
    "!echo from the shell": ["from the shell\n"],
    "import subprocess; done = subprocess.run(['echo', 'a program'], stdout=sys.stdout)": [],  # to the log
}  # fmt: skip


def test_what_cells_show_is_shown_as_in_jupyter() -> None:
    report = made(
        *SHOWN,
        "class Rich:\n    def _repr_png_(self): return b'\\x89PNG'\nRich()",
        "%%time\n1 + 1",
        "import warnings; warnings.warn('careful')",
        "import traceback\ndef late():\n    return 1 / 0\n"
        "try:\n    late()\nexcept ZeroDivisionError:\n    traceback.print_exc()",
    )
    cells, log = shown(report), report.files["log.txt"]
    assert (b"a program" in log, b"stays" in log) == (True, False)
    assert [[text(output) for output in outputs] for outputs in cells[: len(SHOWN)]] == list(SHOWN.values())
    assert (cells[1][2]["data"]["text/html"], cells[1][2]["execution_count"]) == (["<b>x</b>"], 3)
    rich, timed, warned, traced = cells[len(SHOWN) :]
    assert rich[0]["data"]["image/png"].strip() == "iVBORw=="
    assert text(timed[0]).startswith("CPU times")
    assert text(warned[0]).startswith("<cell 15>:1: UserWarning: careful\n")
    assert 'File "<cell 16>", line 3, in late' in text(traced[0])


def test_plain_matplotlib_figures_arrive_and_are_closed() -> None:
    cells = shown(
        made(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('after')",
            "plt.plot([2, 1]);",
            "print(plt.get_fignums())",
            "fig, ax = plt.subplots(); ax.plot([1]); plt.close(fig)",
        )
    )
    assert [o["output_type"] for o in cells[0]] == ["display_data", "stream"]
    assert ["image/png" in o["data"] for o in cells[1]] == [True]
    assert [text(o) for o in cells[2]] == ["[]\n"]
    assert cells[3] == []


def test_what_is_on_record_arrives_or_the_report_fails() -> None:
    recording = "from kbio_analysis.present.results import record\nrecord('growth', 1.5, unit='%', meaning='m')"
    assert made(recording).result["results"] == {"growth": {"value": 1.5, "unit": "%", "meaning": "m"}}
    held_back = made(recording, "%%capture\nrecord('lost_growth', 2.5, unit='%', meaning='m')")
    assert held_back.status == "failed"
    assert "on record but not shown: lost_growth;" in held_back.failure
    forked = "from multiprocessing import get_context\nchild = get_context('fork').Process(target={})\n"
    forked += "child.start(); child.join()"
    elsewhere = made(recording, forked.format("lambda: record('forked', 1.0, unit='%', meaning='m')"))
    assert "a process that a cell started shows or records something" in elsewhere.failure
    assert b"from the child" in made(forked.format("lambda: print('from the child')")).files["log.txt"]


def test_sentences_can_be_written_though_the_words_were_imported_before_the_shell_was_there() -> None:
    _, (said,) = shown(made("from kbio_analysis.present.words import pct", "%%say\nSize is {{ size }}."))
    assert said["data"]["text/markdown"] == ["Size is 3."]


# ---- papermill


def test_papermill_finds_the_engine_even_where_ours_is_imported_first() -> None:
    code = "import kbio_analysis.render.engine, papermill.engines as p\np.papermill_engines.get_engine('kbio')"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["papermill.engine"]["kbio"]
    assert EntryPoint("kbio", named, "papermill.engine").load().nb_kernel_name


def test_papermill_itself_can_use_the_engine(tmp_path: Path) -> None:
    import papermill

    import_module("kbio_analysis.render.engine")  # as the entry point does where the package is installed
    from kbio_analysis.render.child import StoppedError

    def executed(*cells: str, **more: Any) -> Any:
        (tmp_path / "in.ipynb").write_bytes(notebook(*cells))
        options = {"engine_name": "kbio", "progress_bar": False, "parameters": {"size": 6}} | more
        return papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", **options)

    assert executed("print(size * 7)").cells[-1].outputs[0].text == "42\n"
    assert json.loads((tmp_path / "out.ipynb").read_text())["metadata"]["papermill"]["exception"] is None
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        executed("print('kept')", "1 / 0")
    assert "kept" in (tmp_path / "out.ipynb").read_text()
    with pytest.raises(StoppedError, match="ended by itself in cell"):
        executed("import os; os._exit(1)")
    with pytest.raises(StoppedError, match=r"not finished after 0\.5 s"):
        executed("while True: pass", execution_timeout=0.5)


# ---- a real Jupyter kernel, for who asks for one


def test_a_real_kernel_makes_the_same_outputs_and_its_failures_are_reported() -> None:
    shows = (
        "print(size)\nsize + 1",
        emitting(kind="answer", text="It does."),
        "import sys; 'ipykernel' in sys.modules",
    )
    cells = {"good": shows, "failing": ("1", "1 / 0"), "dying": ("1", "import os; os._exit(3)")}
    work = [job(notebook(*c), set_name=name, kernel="python3", limit_seconds=60) for name, c in cells.items()]
    found = {report.set_name: report for report in reports(work)}
    ours, theirs = shown(made(*shows)), shown(found["good"])
    assert theirs[:2] == ours[:2]
    assert (text(ours[2][0]), text(theirs[2][0])) == ("False", "True")
    assert found["failing"].failure == "cell 3, ZeroDivisionError: division by zero"
    assert (found["dying"].status, found["dying"].failure) == (
        "killed",
        "cell 3, DeadKernel: the kernel died in cell 3",
    )


def test_which_kernel_is_settled_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KBIO_NOTEBOOKS", str(tmp_path))

    def kernel(asked: str = "auto", **changes: Any) -> str | None:
        content = json.loads(notebook("1"))
        content["metadata"] |= changes
        (tmp_path / "10_sample.ipynb").write_text(json.dumps(content))
        return requested([], {}, kernel=asked)[0][0].kernel

    assert [kernel(), kernel("python3"), kernel(kbio={"kernel": "python3"})] == [None, "python3", "python3"]
    with pytest.raises(UsageError, match=r"no kernel 'nonesuch' \(installed: .*python3"):
        kernel("nonesuch")
    with pytest.raises(UsageError, match="10_sample is written in R and names no kernel"):
        kernel(kernelspec={"name": "ir", "language": "R", "display_name": "R"})
