"""The lock, environment.yml and the files around them agree, and nothing names a machine or a registry."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

CARD = ("jupyterlab", "pandas", "matplotlib", "statsmodels", "papermill", "nbval")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)


def _tracked(root: Path) -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True)
    return [root / name for name in done.stdout.decode().split("\0") if name]


def _conda_pins(root: Path) -> set[tuple[str, str, str]]:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    found = [re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)(?: ; (.+))?", line) for line in pip if line != "-e ."]
    assert all(found)
    return {(m[1], m[2], m[3] or "") for m in found}


def test_environment_resolves_to_the_pins_of_the_lock(root: Path) -> None:
    lock = (root / "requirements.lock").read_text()
    pins = {(m[1], m[2], (m[3] or "").strip()) for m in PIN.finditer(lock)}
    assert len(pins) > 100
    assert _conda_pins(root) == pins


@pytest.mark.parametrize("name", CARD)
def test_environment_names_the_card(root: Path, name: str) -> None:
    assert name in {pin[0] for pin in _conda_pins(root)}


def test_every_pin_has_a_hash(root: Path) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (root / "requirements.lock").read_text().strip())
    assert [b.splitlines()[0] for b in blocks if "--hash=sha256:" not in b] == []


def test_every_declared_dependency_is_locked(root: Path) -> None:
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.match(r"[A-Za-z0-9._-]+", d)[0].lower() for d in wanted} - {"kbio-analysis"}
    locked = {m[1].lower() for m in PIN.finditer((root / "requirements.lock").read_text())}
    assert names - locked == set()


@pytest.mark.parametrize(
    "pattern",
    [
        r"--(?:extra-)?index-url",
        r"pypi\.org",
        r"files\.pythonhosted",
        r"registry\.npmjs",
        r"/root/",
        r"/work/",
        r"/home/\w",
    ],
)
def test_no_file_names_a_registry_or_a_machine(root: Path, pattern: str) -> None:
    guilty = []
    for path in _tracked(root):
        if path.suffix in {".png", ".parquet"} or path == Path(__file__) or not path.is_file():
            continue
        if re.search(pattern, path.read_text(encoding="utf-8", errors="replace")):
            guilty.append(str(path.relative_to(root)))
    assert guilty == []


def test_the_make_targets_have_help(root: Path) -> None:
    done = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    for target in ("setup", "reports", "test", "bench", "lab", "lock", "clean", "data-package"):
        assert f"make {target} " in done.stdout


def test_ci_runs_the_readmes_test_command(root: Path) -> None:
    assert "make test" in (root / ".ci" / "run").read_text()
    assert "make test" in (root / ".github" / "workflows" / "ci.yml").read_text()
    assert "make test" in (root / "README.md").read_text()
