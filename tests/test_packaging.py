"""The lock, environment.yml and the files around them agree, and nothing names a machine or a registry."""

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

CARD = {"jupyterlab", "pandas", "matplotlib", "statsmodels", "papermill", "nbval"}
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
    assert {pin[0] for pin in pins} >= CARD


def test_every_pin_has_a_hash(root: Path) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (root / "requirements.lock").read_text().strip())
    assert [b.splitlines()[0] for b in blocks if "--hash=sha256:" not in b] == []


def test_every_declared_dependency_is_locked(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.match(r"[A-Za-z0-9._-]+", d)[0].lower() for d in wanted} - {"kbio-analysis"}
    locked = {m[1].lower() for m in PIN.finditer((root / "requirements.lock").read_text())}
    assert names - locked == set()


def _mentions(root: Path, pattern: str) -> list[str]:
    """Tracked text files in which the pattern occurs, this one left out."""
    texts = [p for p in _tracked(root) if p.is_file() and p.suffix not in {".png", ".parquet"} and p != Path(__file__)]
    return [str(p.relative_to(root)) for p in texts if re.search(pattern, p.read_text("utf-8", errors="replace"))]


def test_no_file_names_a_registry_or_a_place_on_this_machine(root: Path) -> None:
    registries = r"--(?:extra-)?index-url|pypi\.org|files\.pythonhosted|registry\.npmjs"
    assert _mentions(root, f"{registries}|{re.escape(str(root))}/|{re.escape(str(Path.home()))}/") == []


def test_the_make_targets_have_help(root: Path) -> None:
    done = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    for target in ("setup", "reports", "test", "bench", "lab", "lock", "clean", "data-package", "diff-setup", "readme"):
        assert f"make {target} " in done.stdout


def test_ci_runs_the_readmes_test_command(root: Path) -> None:
    assert "make test" in (root / ".ci" / "run").read_text()
    assert "make test" in (root / ".github" / "workflows" / "ci.yml").read_text()
    assert "make test" in (root / "README.md").read_text()
