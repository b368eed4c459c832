"""A notebook as the repository keeps it: what running and saving it leaves behind is taken out, what was written stays.

    python tools/settled.py NOTEBOOK ...        rewrites the files (the hook does so before a commit)
    python tools/settled.py < IN > OUT          the filter of `make diff-setup`: git itself sees no more than this

Outputs and counts go, but those of cells tagged ``keep_output``, counted by their place; so does what names the machine
(kernel, version of Python, times). The form is that in which Jupyter saves, so that one sentence is one line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
PASSING = {"ExecuteTime", "collapsed", "editable", "execution", "jupyter", "papermill", "scrolled", "slideshow"}
PASSING |= {"signature", "trusted", "widgets"}


def settled(source: str) -> str:
    """The text of a notebook file, settled; settling it again changes nothing."""
    notebook = json.loads(source)
    about = notebook["metadata"]
    kept = {name: value for name, value in about.items() if name not in PASSING}
    if about.get("kernelspec", KERNEL).get("language", "python") == "python":
        kept |= {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook["metadata"] = kept
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        keeps = "keep_output" in cell["metadata"].get("tags", [])
        cell |= {"execution_count": number if keeps else None, "outputs": cell["outputs"] if keeps else []}
        for output in cell["outputs"]:
            output |= {"text": _lines(output["text"])} if "text" in output else {}
    for cell in notebook["cells"]:
        cell["metadata"] = {name: value for name, value in cell["metadata"].items() if name not in PASSING}
        cell["source"] = _lines(cell["source"])
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _lines(text: Any) -> list[str]:
    return "".join(text).splitlines(keepends=True)


def main(names: list[str]) -> int:
    """Settle the files named, or standard input; 1 if a file was changed, as a hook says it."""
    if not names:
        sys.stdout.buffer.write(settled(sys.stdin.buffer.read().decode()).encode())
        return 0
    changed = 0
    for path in map(Path, names):
        before = path.read_text(encoding="utf-8")
        after = settled(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed = 1
    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
