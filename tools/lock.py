"""Write requirements.lock (exact pins with hashes) and environment.yml (the same pins for conda users).

Run through ``make lock``; ``UPGRADE=1 make lock`` also takes newer releases. Neither file names a registry.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"
PYTHON = "3.11"
PIN = re.compile(r"^(?P<pin>[A-Za-z0-9._-]+==[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")
CARD = ("jupyterlab", "pandas", "matplotlib", "statsmodels", "papermill", "nbval")


def resolve() -> None:
    """Resolve pyproject.toml for every supported Python and platform into requirements.lock."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "pyproject.toml",
        "--extra",
        "dev",
        "--universal",
    ]
    command += ["--python-version", PYTHON, "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
    command += ["--no-header", "--quiet", "--output-file", str(LOCK)]
    if os.environ.get("UPGRADE"):
        command.append("--upgrade")
    subprocess.run(command, cwd=ROOT, check=True)


def pins(lock_text: str) -> list[str]:
    """The lock's requirements without hashes, each ``name==version`` with its marker if it has one."""
    found = [PIN.match(line) for line in lock_text.splitlines() if line and line[0].isalnum()]
    return [m["pin"] + (f" ; {m['marker']}" if m["marker"] else "") for m in found if m]


def environment(lock_text: str) -> str:
    """environment.yml: conda brings Python, pip brings the lock's pins, the card's six named first."""
    lines = pins(lock_text)
    named = [p for p in lines if p.split("==")[0] in CARD]
    rest = [p for p in lines if p not in named]
    head = [
        "# Made by `make lock` from requirements.lock; do not edit.",
        "name: kbio",
        "channels:",
        "  - conda-forge",
    ]
    head += ["dependencies:", f"  - python={PYTHON}", "  - pip", "  - pip:"]
    return "\n".join([*head, *(f'      - "{p}"' for p in named + rest), "      - -e .", ""])


if __name__ == "__main__":
    if "--environment-only" not in sys.argv:
        resolve()
    ENVIRONMENT.write_text(environment(LOCK.read_text()))
    print(f"{LOCK.name}: {len(pins(LOCK.read_text()))} pins; {ENVIRONMENT.name} rewritten")
