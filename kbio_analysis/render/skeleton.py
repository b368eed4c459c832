"""A new notebook: a skeleton that runs, reads like the others, and is listed where they are.

Its text lies in ``templates/skeleton``; nothing here knows what it is about.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kbio_analysis.errors import KbioError, UsageError
from kbio_analysis.render.formats import template_folder
from kbio_analysis.render.notebooks import NAME, available
from kbio_analysis.render.publish import explained, write_file

_ROW = re.compile(r"^\| \[(\d\d_\w+)\]\([^)]+\) \| .+ \|$")
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The new notebook's ``path``, the galleries that list it now, and those that have no list to put it in."""

    path: Path
    listed: tuple[Path, ...]
    unlisted: tuple[Path, ...]

    def text(self) -> str:
        """What was done and what remains to be done, for whoever asked for it."""
        name, folder = self.path.stem, self.path.parent
        lines = [f"{self.path}: a skeleton that runs, with its regression output stored"]
        lines += [f"{path}: its row is in the gallery" for path in self.listed]
        steps = [f"add its row to the gallery of {path}" for path in self.unlisted]
        steps += [
            "make lab, and replace the skeleton cell by cell: the question's own model, words, tables and charts",
            f"kbio render {name}, and read the page in reports/site/{name}/default",
            f"give its results their rows in {folder.name}/results.csv, and record(name=value) in the notebook",
            "run it from the top, save, and nbstripout --keep-count on it: the last cell alone keeps its output",
            f"kbio check {name} --accept writes {folder.name}/references/{name}.json",
            f"tests/notebooks/test_notebook_{name[:2]}.py: its sentences at the ends of its parameters",
        ]
        return "\n".join([*lines, "What remains:", *(f"  {i}. {step}" for i, step in enumerate(steps, start=1))])


def create(folder: Path, name: str, question: str) -> Created:
    """Write ``NN_name.ipynb`` below ``folder``, run once, and list it in the galleries there and one folder up.

    Raises UsageError for a name that is no notebook's, or taken, and for what is no question; KbioError if the
    skeleton does not run here. Nothing is left behind then.
    """
    stem, asked = name.removesuffix(".ipynb"), " ".join(question.split())
    if not NAME.fullmatch(stem):
        raise UsageError(f"name {name!r}: write two digits and small letters, such as 31_services")
    if taken := next((other for other in available(folder) if other[:3] == stem[:3]), None):
        raise UsageError(f"name {name!r}: {taken} has that number already; choose another")
    if not re.fullmatch(r"[^#|].*\w.*\?", asked) or "|" in asked:
        raise UsageError(f"question {question!r}: one sentence that ends with a question mark and has no | in it")
    path = folder / f"{stem}.ipynb"
    with explained(path):
        write_file(path, _written(_notebook(asked)))
        try:
            write_file(path, _written(_run(stem, json.loads(path.read_bytes()))))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        galleries = [folder / "README.md", folder.parent / "README.md"]
        listed = tuple(gallery for gallery in galleries if _listed(gallery, path, asked))
    return Created(path=path, listed=listed, unlisted=tuple(g for g in galleries if g not in listed))


def _notebook(question: str) -> dict[str, Any]:
    text = (template_folder() / "skeleton" / "notebook.txt").read_text(encoding="utf-8").replace("{question}", question)
    cells: list[dict[str, Any]] = []
    for part in re.split(r"^%% ", text, flags=re.MULTILINE)[1:]:
        head, _, source = part.partition("\n")
        kind, *tags = head.split()
        cell = {"cell_type": kind, "id": str(len(cells)), "metadata": {"tags": tags} if tags else {}}
        cell["source"] = source.strip("\n").splitlines(keepends=True)
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _run(name: str, notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with its cells counted and the output of its last cell, as a first run gives it."""
    from kbio_analysis.render.requests import planned
    from kbio_analysis.render.workers import run

    (job,) = planned([name], {}, None, limit_seconds=LIMIT_SECONDS)
    report = run(job)
    if report.status != "ok":
        raise KbioError(f"the skeleton does not run here: {report.failure}")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(code, start=1):
        cell["execution_count"] = count
    code[-1]["outputs"] = json.loads(report.files["executed.ipynb"])["cells"][-1]["outputs"]
    for output in code[-1]["outputs"]:
        output["text"] = "".join(output["text"]).splitlines(keepends=True)
    return notebook


def _written(notebook: dict[str, Any]) -> bytes:
    return (json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _listed(gallery: Path, path: Path, question: str) -> bool:
    """Put the notebook's row in its place among the others; False where there are none."""
    lines = gallery.read_text(encoding="utf-8").splitlines(keepends=True) if gallery.is_file() else []
    rows = {i: match[1] for i, line in enumerate(lines) if (match := _ROW.match(line.rstrip("\n")))}
    if rows:
        place = next((i for i, name in rows.items() if name > path.stem), max(rows) + 1)
        lines.insert(place, f"| [{path.stem}]({path.relative_to(gallery.parent).as_posix()}) | {question} |\n")
        write_file(gallery, "".join(lines).encode())
    return bool(rows)
