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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A copy of notebooks and README in which the command has written a notebook."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(root / "notebooks", folder / "notebooks")
    shutil.copy(root / "README.md", folder)
    kbio(folder, root, "new", "notebook", NAME, QUESTION)
    return folder


def kbio(folder: Path, root: Path, *arguments: str) -> None:
    environment = os.environ | {"KBIO_DATA": str(root / "data"), "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "kbio_analysis", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_passes_the_tests_of_a_notebook_s_style(made: Path, root: Path) -> None:
    """The tests of the repository, moved beside the copy so that they judge the new notebook as any other."""
    (made / "tests").mkdir()
    for name in ("test_notebooks.py", "conftest.py"):
        shutil.copy(root / "tests" / name, made / "tests")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--rootdir", str(made), "tests"]
    done = subprocess.run([*command, "-k", NAME], cwd=made, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout
    assert f"sections_of_a_paper_are_there[{NAME}] PASSED" in done.stdout


def test_it_renders_and_repeats_the_output_it_stored(made: Path, root: Path) -> None:
    kbio(made, root, "render", NAME)
    report = made / "reports" / "site" / NAME / "default"
    result = json.loads((report / "result.json").read_text())
    assert (result["question"], result["status"], bool(result["answer"])) == (QUESTION, "ok", True)
    stored, executed = (
        "".join(json.loads(path.read_text())["cells"][-1]["outputs"][0]["text"])
        for path in (made / "notebooks" / f"{NAME}.ipynb", report / "executed.ipynb")
    )
    assert stored == executed
    assert all(name in stored for name in result["results"])


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
def test_a_wrong_wish_is_refused_and_leaves_nothing(tmp_path: Path, name: str, question: str, said: str) -> None:
    (tmp_path / "12_top_five.ipynb").write_text("{}")
    with pytest.raises(UsageError, match=said.replace("|", r"\|")):
        skeleton.create(tmp_path, name, question)
    assert [path.name for path in tmp_path.iterdir()] == ["12_top_five.ipynb"]
