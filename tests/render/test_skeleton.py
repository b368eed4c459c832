"""`kbio new notebook` writes what runs and passes the notebooks' own tests; a wrong wish writes nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.render import skeleton

NAME, QUESTION = "97_services", "Do services follow, and by how much?"
SECONDS = 300


def copied(folder: Path, root: Path) -> Path:
    """A copy of the notebooks and the README below ``folder``; returns the copy's notebooks."""
    shutil.copytree(root / "notebooks", folder / "notebooks")
    shutil.copy(root / "README.md", folder)
    return folder / "notebooks"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a checkout's copy in which the command has written a notebook, and what it printed."""
    folder, root = tmp_path_factory.mktemp("copy"), Path(__file__).resolve().parents[2]
    copied(folder, root)
    return folder, kbio(folder, root, "new", "notebook", NAME, QUESTION)


def kbio(folder: Path, root: Path, *arguments: str) -> str:
    environment = os.environ | {"KBIO_DATA": str(root / "data"), "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "kbio_analysis", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_passes_the_tests_of_a_notebook_s_style(made: tuple[Path, str], root: Path) -> None:
    """The tests of the repository, moved beside the copy so that they judge the new notebook as any other."""
    folder, _ = made
    (folder / "tests").mkdir()
    for name in ("test_notebooks.py", "conftest.py"):
        shutil.copy(root / "tests" / name, folder / "tests")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--rootdir", str(folder), "tests"]
    chosen = ["-k", NAME]
    done = subprocess.run([*command, *chosen], cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout
    assert f"test_the_title_is_the_question[{NAME}] PASSED" in done.stdout


def test_it_renders_and_repeats_the_output_it_stored(made: tuple[Path, str], root: Path) -> None:
    folder, _ = made
    kbio(folder, root, "render", NAME)
    result = json.loads((folder / "reports" / "site" / NAME / "default" / "result.json").read_text())
    assert result["question"] == QUESTION
    assert result["status"] == "ok"
    assert result["answer"]
    stored = json.loads((folder / "notebooks" / f"{NAME}.ipynb").read_text())["cells"][-1]["outputs"]
    executed = json.loads((folder / "reports" / "site" / NAME / "default" / "executed.ipynb").read_text())
    assert "".join(stored[0]["text"]) == "".join(executed["cells"][-1]["outputs"][0]["text"])
    assert all(name in "".join(stored[0]["text"]) for name in result["results"])


@pytest.mark.parametrize(
    ("name", "question", "said"),
    [
        ("12_top_five", QUESTION, "12_top_five has that number already"),
        ("services", QUESTION, "two digits and small letters"),
        ("../97_services", QUESTION, "two digits and small letters"),
        (NAME, "Services follow.", "ends with a question mark"),
        (NAME, "This | that?", "has no | in it"),
    ],
)
def test_a_wrong_wish_is_refused_and_leaves_nothing(
    tmp_path: Path, root: Path, name: str, question: str, said: str
) -> None:
    notebooks = copied(tmp_path, root)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=said.replace("|", r"\|")):
        skeleton.create(notebooks, name, question)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
