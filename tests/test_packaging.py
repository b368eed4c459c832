"""The lock, environment.yml and the files around them agree, and nothing names a machine or a registry."""

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

CARD = {"jupyterlab", "pandas", "matplotlib", "statsmodels", "papermill", "nbval"}
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)


def test_the_lock_has_a_hash_for_every_pin_and_all_that_environment_and_project_name(root: Path) -> None:
    lock = (root / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    assert [b.splitlines()[0] for b in blocks if "--hash=sha256:" not in b] == []
    pins = {(m[1], m[2], (m[3] or "").strip()) for m in PIN.finditer(lock)}
    environment = yaml.safe_load((root / "environment.yml").read_text())
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    conda = [re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)(?: ; (.+))?", line) for line in pip if line != "-e ."]
    assert {(m[1], m[2], m[3] or "") for m in conda} == pins
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.match(r"[A-Za-z0-9._-]+", d)[0].lower() for d in wanted} - {"kbio-analysis"}
    assert names | CARD <= {pin[0].lower() for pin in pins}


def test_no_file_names_a_registry_or_a_place_on_this_machine(root: Path) -> None:
    """No text file that git knows, this one left out."""
    registries = r"--(?:extra-)?index-url|pypi\.org|files\.pythonhosted|registry\.npmjs"
    pattern = f"{registries}|{re.escape(str(root))}/|{re.escape(str(Path.home()))}/"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
    texts = [p for name in names if name and (p := root / name).is_file() and p.suffix not in {".png", ".parquet"}]
    texts.remove(Path(__file__))
    assert [str(p) for p in texts if re.search(pattern, p.read_text("utf-8", errors="replace"))] == []


def test_the_make_targets_have_help_and_ci_runs_the_readmes_test_command(root: Path) -> None:
    done = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    for target in ("setup", "reports", "test", "bench", "lab", "lock", "clean", "data-package", "diff-setup", "readme"):
        assert f"make {target} " in done.stdout
    for name in (".ci/run", ".github/workflows/ci.yml", "README.md"):
        assert "make test" in (root / name).read_text()
