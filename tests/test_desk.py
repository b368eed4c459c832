"""The analyst's desk: JupyterLab, notebooks compared by cell, and a guide whose every step exists."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from kbio_analysis.notebooks import select
from kbio_analysis.render.parameters import coerce, read

BIN = Path(sys.executable).parent
SECONDS = 120
NOTEBOOK = "notebooks/12_top_five.ipynb"
ADDED = {"notebooks/31_services.ipynb"}  # what the guide's own steps make


def done(*command: str, cwd: Path, home: Path | None = None) -> str:
    environment = os.environ | ({"HOME": str(home), "XDG_CONFIG_HOME": str(home)} if home else {})
    ran = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_package_is_the_checkout_s_own(root: Path) -> None:
    """Editable: what an analyst changes in the library is what the kernel imports."""
    where = done(sys.executable, "-c", "import kbio_analysis; print(kbio_analysis.__file__)", cwd=root / "notebooks")
    assert Path(where.strip()) == root / "kbio_analysis" / "__init__.py"


@pytest.fixture
def repository(tmp_path: Path, root: Path) -> Path:
    """A repository with one of our notebooks in it, our attributes, and `make diff-setup` done."""
    folder, home = tmp_path / "repository", tmp_path / "home"
    (folder / "notebooks").mkdir(parents=True)
    home.mkdir()
    (folder / "tools").mkdir()
    for name in ("Makefile", ".gitattributes", "tools/settled.py", "tools/diff.sh", NOTEBOOK):
        shutil.copy(root / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BIN)
    done("git", "init", "-q", cwd=folder, home=home)
    done("git", "add", "-A", "notebooks", ".gitattributes", cwd=folder, home=home)
    done("make", "-s", "-o", "setup", "diff-setup", cwd=folder, home=home)
    return folder


def test_the_attributes_name_the_drivers_that_the_command_sets_up(repository: Path) -> None:
    attributes = done("git", "check-attr", "diff", "merge", "--", NOTEBOOK, cwd=repository)
    diff, merge = (line.split(": ")[2] for line in attributes.splitlines())
    config = done("git", "config", "--local", "--list", cwd=repository)
    assert f"diff.{diff}.command=tools/diff.sh" in config
    assert f"merge.{merge}.driver=.venv/bin/git-nbmergedriver merge %O %A %B %L %P" in config
    assert all((BIN / name).is_file() for name in ("git-nbdiffdriver", "git-nbmergedriver"))
    assert list((repository.parent / "home").iterdir()) == [], "only this repository is set up"


def test_git_shows_the_changed_cell_and_not_its_count(repository: Path) -> None:
    path = repository / NOTEBOOK
    saved(path, lambda code: code[1]["source"].append("\nlook = 1"))
    # From a folder below, where an analyst may be.
    shown = done("git", "--no-pager", "diff", cwd=repository / "notebooks", home=repository.parent / "home")
    assert "## modified /cells/2/source" in shown
    assert "look = 1" in shown
    assert "98765" not in shown


def saved(path: Path, change: Callable[[list[dict]], None]) -> None:
    """The notebook run and saved in JupyterLab by an analyst whose Python and kernel are others."""
    content = json.loads(path.read_text())
    content["metadata"]["kernelspec"]["display_name"] = "Python (warm)"
    content["metadata"]["language_info"] = {"name": "python", "version": "3.98.765"}
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    change(code)
    for cell in code:
        cell["execution_count"], cell["metadata"]["execution"] = 98765, {"iopub.execute_input": "now"}
        cell["outputs"] = cell["outputs"] or [{"output_type": "stream", "name": "stdout", "text": ["98765"]}]
    path.write_text(nbformat.writes(nbformat.from_dict(content)), encoding="utf-8")


@pytest.mark.parametrize("settled_by", ["filter", "hook"])
def test_saving_in_jupyterlab_leaves_no_difference_but_the_line_changed(repository: Path, settled_by: str) -> None:
    def change(code: list[dict]) -> None:
        said = next(cell for cell in code if cell["source"][0].startswith("%%say"))
        said["source"][-1] += " Truly."

    saved(repository / NOTEBOOK, change)
    if settled_by == "hook":
        done("git", "config", "--local", "--unset", "filter.notebook.clean", cwd=repository)
        ran = subprocess.run([sys.executable, "tools/settled.py", NOTEBOOK], cwd=repository, timeout=SECONDS)
        assert ran.returncode == 1  # a hook that changes a file says so
    shown = done("git", "--no-pager", "diff", "--no-ext-diff", "--numstat", cwd=repository)
    assert shown.split() == ["1", "1", NOTEBOOK]


def test_the_notebooks_are_as_the_hook_leaves_them(root: Path) -> None:
    for path in (root / "notebooks").glob("*.ipynb"):
        kept = path.read_bytes()
        ran = subprocess.run([sys.executable, "tools/settled.py"], input=kept, cwd=root, stdout=subprocess.PIPE)
        assert ran.stdout == kept, path.name


CHANGES = {
    "Not lately": "Not of late",  # a word of the answer
    '{"Both": "ink"}': '{"Both": "#a1b2c3"}',  # a colour
    '"title": "Per cent of Korea\'s exports"': '"title": "Shares of exports, in all"',
}


def test_a_word_a_colour_and_a_title_changed_in_a_cell_change_the_page(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    text = (root / "notebooks" / "30_diversification.ipynb").read_text(encoding="utf-8")
    for old, new in CHANGES.items():
        old, new = (json.dumps(part)[1:-1] for part in (old, new))
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "notebooks" / "30_diversification.ipynb").write_text(text, encoding="utf-8")
    monkeypatch.setenv("KBIO_DATA", str(root / "data"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    done(sys.executable, "-m", "kbio_analysis", "render", "30", "--out", "site", cwd=tmp_path)
    page = (tmp_path / "site" / "30_diversification" / "default" / "index.html").read_text(encoding="utf-8")
    drawn = b"".join(map(base64.b64decode, re.findall('svg.xml;base64,([^"]*)', page))).decode()
    assert "Not of late: the United States and China" in page
    assert "Shares of exports, in all" in drawn
    assert "#a1b2c3" in drawn


# ---- CONTRIBUTING


GUIDE = (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`]+)`", GUIDE.replace("\n", " "))
# Every command of the guide: its indented lines and what stands in backticks.
COMMANDS = [
    line
    for line in [*re.findall(r"^    (\S.*)$", GUIDE, re.MULTILINE), *QUOTED]
    if line.startswith(("kbio ", "make ", ".venv/bin/", "UPGRADE=1 make "))
]


def test_every_make_target_program_and_path_of_the_guide_exists(root: Path) -> None:
    targets = {m[1] for c in COMMANDS if (m := re.search(r"make ([\w-]+)", c))}
    known = set(re.findall(r"^([\w-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert {"setup", "lab", "diff-setup", "data-package", "lock", "test"} <= targets <= known
    named = {m[1] for c in COMMANDS if (m := re.match(r"\.venv/bin/([\w-]+)", c))}
    assert {"kbio", "pre-commit", "python"} <= named <= {path.name for path in BIN.iterdir()}
    folders = "|".join(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    found = re.findall(rf"(?<![\w/.])((?:{folders})/[\w./-]*)", " ".join([*QUOTED, *COMMANDS]))
    paths = {p for p in found if "NAME" not in p} | set(re.findall(r"`(\w+\.(?:toml|yml|md))`", GUIDE))
    assert {"data/datapackage.json", "data/tables/sources.csv", "tests/test_notebooks.py"} <= paths
    assert [p for p in paths - ADDED if not (root / p).exists()] == []


def test_every_kbio_command_notebook_and_parameter_of_the_guide_exists(root: Path) -> None:
    """Asked for its help with the options it is given: an unknown command or option is refused before that."""
    wanted = [command.split() for command in COMMANDS if command.startswith("kbio ")]
    assert {words[1] for words in wanted} >= {"list", "render", "compare", "check", "data", "new"}
    for words in wanted:
        shown = done(str(BIN / "kbio"), *words[1 : 3 if words[1] in ("data", "new") else 2], "--help", cwd=root)
        known = shown.replace("--parameter", "-p ")
        assert [word for word in words if word.startswith("-") and f"{word} " not in known] == []
        if words[1] in ("render", "check") and len(words) > 2 and words[2][0].isdigit():
            given = dict(after.split("=") for option, after in pairwise(words) if option == "-p")
            if f"notebooks/{words[2]}.ipynb" not in ADDED:
                (path,) = select(root / "notebooks", [words[2]]).values()
                assert coerce(read(path), given).keys() >= given.keys()
