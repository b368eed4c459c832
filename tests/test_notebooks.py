"""Every notebook reads like a short paper, and its regression cell is a guard that bites."""

import ast
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("[0-9]*.ipynb"))
MAX_PYTHON_LINES = 180
MAX_CELL_LINES = 25
MEDIAN_CELL_LINES = 6
PYTHON_CELLS = range(9, 41)
FIGURE = re.compile(r"(?<![\w.–-])(?:US\$\s?\d|\d[\d,]*\.\d+|\d+(?:\.\d+)?\s?(?:%|per cent|bn|billion|million))")
NBVAL_SECONDS = 300


def _load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def _code(notebook: dict) -> list[dict]:
    return [c for c in notebook["cells"] if c["cell_type"] == "code"]


def _tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def _lines(cell: dict) -> list[str]:
    return [line for line in "".join(cell["source"]).splitlines() if line.strip() and not line.startswith("#")]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestStyle:
    def test_the_title_is_the_question(self, path: Path) -> None:
        markdown = ["".join(c["source"]) for c in _load(path)["cells"] if c["cell_type"] == "markdown"]
        titles = [line for text in markdown for line in text.splitlines() if line.startswith("# ")]
        assert len(titles) == 1
        assert titles[0].endswith("?")
        assert markdown[0].startswith("# ")

    def test_the_sections_of_a_paper_are_there(self, path: Path) -> None:
        text = "\n".join("".join(c["source"]) for c in _load(path)["cells"] if c["cell_type"] == "markdown")
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        for wanted in ("Answer", "Data", "Design", "Estimate", "Checks", "Limits", "Sources"):
            assert any(wanted in h for h in headings), wanted

    def test_code_is_short_and_names_nothing_of_its_own(self, path: Path) -> None:
        cells = [c for c in _code(_load(path)) if not "".join(c["source"]).startswith("%%say")]
        sizes = [len(_lines(c)) for c in cells]
        assert len(cells) in PYTHON_CELLS
        assert max(sizes) <= MAX_CELL_LINES
        assert sum(sizes) <= MAX_PYTHON_LINES
        assert statistics.median(sizes) <= MEDIAN_CELL_LINES
        tree = ast.parse("\n".join("".join(c["source"]) for c in cells))
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda)]

    def test_one_parameters_cell_comes_first(self, path: Path) -> None:
        cells = _code(_load(path))
        assert [i for i, c in enumerate(cells) if "parameters" in _tags(c)] == [0]

    def test_only_the_regression_cell_keeps_output(self, path: Path) -> None:
        cells = _code(_load(path))
        kept = [i for i, c in enumerate(cells) if c["outputs"]]
        assert kept == [len(cells) - 1]
        assert {"keep_output", "nbval-check-output"} <= set(_tags(cells[-1]))
        assert "".join(cells[-1]["outputs"][0]["text"]).count("\n") >= 3

    def test_no_result_is_typed_in_markdown(self, path: Path) -> None:
        for cell in _load(path)["cells"]:
            if cell["cell_type"] != "markdown":
                continue
            text = "".join(cell["source"])
            prose = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|^# .*$|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)
            assert FIGURE.findall(prose) == []


def _strip(notebook: dict) -> None:
    _code(notebook)[-1]["outputs"] = []


def _doctor_a_digit(notebook: dict) -> None:
    output = _code(notebook)[-1]["outputs"][0]
    text = "".join(output["text"])
    place = re.search(r"\d(?=\D*\n)", text).start()
    output["text"] = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]


def _drop_a_result(notebook: dict) -> None:
    output = _code(notebook)[-1]["outputs"][0]
    output["text"] = "".join("".join(output["text"]).splitlines(keepends=True)[1:])


def _nbval(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    return subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=NBVAL_SECONDS, check=False)


@pytest.fixture
def doctored(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[dict], None]], Path]:
    """Write a changed copy of the first notebook where it still finds its data."""
    monkeypatch.setenv("KBIO_DATA", str(root / "data"))

    def write(change: Callable[[dict], None]) -> Path:
        notebook = _load(NOTEBOOKS[0])
        change(notebook)
        copy = tmp_path / NOTEBOOKS[0].name
        copy.write_text(json.dumps(notebook), encoding="utf-8")
        return copy

    return write


@pytest.mark.parametrize("change", [_doctor_a_digit, _drop_a_result])
def test_nbval_catches_a_doctored_result(doctored: Callable, change: Callable[[dict], None]) -> None:
    done = _nbval(doctored(change))
    assert done.returncode == 1, done.stdout
    assert "Cell outputs differ" in done.stdout or "mismatch" in done.stdout


def test_nbval_alone_passes_a_stripped_notebook_so_the_style_test_must_not(doctored: Callable) -> None:
    """nbval compares what is stored: with nothing stored it has nothing to say, and the style test speaks instead."""
    stripped = doctored(_strip)
    with pytest.raises(AssertionError):
        TestStyle().test_only_the_regression_cell_keeps_output(stripped)


def test_pre_commit_stripping_keeps_the_regression_output(tmp_path: Path) -> None:
    copy = tmp_path / NOTEBOOKS[0].name
    copy.write_bytes(NOTEBOOKS[0].read_bytes())
    command = [str(Path(sys.executable).parent / "nbstripout"), "--keep-count", str(copy)]
    subprocess.run(command, check=True, timeout=60)
    before, after = _code(_load(NOTEBOOKS[0]))[-1], _code(_load(copy))[-1]
    assert after["outputs"] == before["outputs"]
    assert after["execution_count"] == before["execution_count"]
