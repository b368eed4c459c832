"""The analyst's desk: JupyterLab, notebooks compared by cell, and a guide whose every step exists."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from kbio_analysis.render.notebooks import select
from kbio_analysis.render.parameters import coerce, read

BIN = Path(sys.executable).parent
SECONDS = 120
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
    for name in ("Makefile", ".gitattributes", "tools/settled.py", "tools/diff.sh", "notebooks/12_top_five.ipynb"):
        shutil.copy(root / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BIN)
    done("git", "init", "-q", cwd=folder, home=home)
    done("git", "add", "-A", "notebooks", ".gitattributes", cwd=folder, home=home)
    done("make", "-s", "-o", "setup", "diff-setup", cwd=folder, home=home)
    return folder


def test_the_attributes_name_the_drivers_that_the_command_sets_up(repository: Path) -> None:
    attributes = done("git", "check-attr", "diff", "merge", "--", "notebooks/12_top_five.ipynb", cwd=repository)
    drivers = {line.split(": ")[1]: line.split(": ")[2] for line in attributes.splitlines()}
    config = done("git", "config", "--local", "--list", cwd=repository)
    assert f"diff.{drivers['diff']}.command=tools/diff.sh" in config
    assert f"merge.{drivers['merge']}.driver=.venv/bin/git-nbmergedriver merge %O %A %B %L %P" in config
    for name in ("git-nbdiffdriver", "git-nbmergedriver"):
        assert (BIN / name).is_file()
    assert list((repository.parent / "home").iterdir()) == [], "only this repository is set up"


def test_git_shows_the_changed_cell_and_not_its_count(repository: Path) -> None:
    path = repository / "notebooks" / "12_top_five.ipynb"
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
    path = repository / "notebooks" / "12_top_five.ipynb"

    def change(code: list[dict]) -> None:
        said = next(cell for cell in code if cell["source"][0].startswith("%%say"))
        said["source"][-1] += " Truly."

    saved(path, change)
    if settled_by == "hook":
        done("git", "config", "--local", "--unset", "filter.notebook.clean", cwd=repository)
        ran = subprocess.run([sys.executable, "tools/settled.py", str(path)], cwd=repository, timeout=SECONDS)
        assert ran.returncode == 1  # a hook that changes a file says so
    shown = done("git", "--no-pager", "diff", "--no-ext-diff", "--numstat", cwd=repository)
    assert shown.split() == ["1", "1", "notebooks/12_top_five.ipynb"]


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


def test_a_word_a_colour_and_a_title_changed_in_a_cell_change_the_page(tmp_path: Path, root: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    text = (root / "notebooks" / "30_diversification.ipynb").read_text(encoding="utf-8")
    for old, new in CHANGES.items():
        old, new = (json.dumps(part)[1:-1] for part in (old, new))
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "notebooks" / "30_diversification.ipynb").write_text(text, encoding="utf-8")
    environment = os.environ | {"KBIO_DATA": str(root / "data"), "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "kbio_analysis", "render", "30", "--out", str(tmp_path / "site")]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    page = (tmp_path / "site" / "30_diversification" / "default" / "index.html").read_text(encoding="utf-8")
    assert "Not of late: the United States and China" in page
    assert "Shares of exports, in all" in "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL)), "in the chart itself"
    assert "#a1b2c3" in "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))


# ---- CONTRIBUTING


@pytest.fixture(scope="module")
def guide() -> str:
    return (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


def commands(guide: str) -> list[str]:
    """Every command of the guide: its indented lines and what stands in backticks."""
    lines = re.findall(r"^    (\S.*)$", guide, re.MULTILINE) + re.findall(r"`([^`]+)`", guide.replace("\n", " "))
    names = ("kbio ", "make ", ".venv/bin/", "UPGRADE=1 make ")
    return [line for line in lines if line.startswith(names)]


def test_every_make_target_and_program_of_the_guide_exists(guide: str, root: Path) -> None:
    targets = {m[1] for c in commands(guide) if (m := re.search(r"make ([\w-]+)", c))}
    known = set(re.findall(r"^([\w-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert {"setup", "lab", "diff-setup", "data-package", "lock", "test"} <= targets <= known
    named = {m[1] for c in commands(guide) if (m := re.match(r"\.venv/bin/([\w-]+)", c))}
    assert {"kbio", "pre-commit", "python"} <= named <= {path.name for path in BIN.iterdir()}


def test_every_kbio_command_of_the_guide_exists(guide: str, root: Path) -> None:
    """Asked for its help with the options it is given: an unknown command or option is refused before that."""
    wanted = [command.split() for command in commands(guide) if command.startswith("kbio ")]
    assert {words[1] for words in wanted} >= {"list", "render", "compare", "check", "data", "new"}
    for words in wanted:
        verbs = words[1:3] if words[1] in ("data", "new") else words[1:2]
        shown = done(str(BIN / "kbio"), *verbs, "--help", cwd=root)
        assert [word for word in words if word.startswith("-") and f" {word}" not in shown and word != "-p"] == []
        assert "-p" not in words or "--parameter" in shown


def test_every_path_of_the_guide_exists(guide: str, root: Path) -> None:
    text = " ".join([*re.findall(r"`([^`]+)`", guide), *commands(guide)])
    folders = "|".join(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    paths = {p for p in re.findall(rf"(?<![\w/.])((?:{folders})/[\w./-]*)", text) if "NAME" not in p}
    paths |= set(re.findall(r"`(\w+\.(?:toml|yml|md))`", guide))
    assert {"data/datapackage.json", "data/tables/sources.csv", "tests/test_notebooks.py"} <= paths
    assert [p for p in paths - ADDED if not (root / p).exists()] == []


def test_every_notebook_and_parameter_of_the_guide_exists(guide: str, root: Path) -> None:
    for command in commands(guide):
        if match := re.match(r"kbio (?:render|check) (\w+)((?: -p \S+)*)", command):
            if f"notebooks/{match[1]}.ipynb" in ADDED:
                continue
            (path,) = select(root / "notebooks", [match[1]]).values()
            given = dict(re.findall(r"-p (\w+)=(\S+)", match[2]))
            assert coerce(read(path), given).keys() >= given.keys()


def test_the_guide_s_sections_are_there(guide: str) -> None:
    steps = re.findall(r"^\*\*\d\. An? (\w+)", guide, re.MULTILINE)
    assert steps == ["sentence", "scenario", "parameter", "table", "notebook", "claim"]
    assert "<!-- claim -->" not in guide
