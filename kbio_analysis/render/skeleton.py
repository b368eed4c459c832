"""A new notebook: a skeleton that runs and reads like the others. Its text lies in ``templates/skeleton``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kbio_analysis.errors import KbioError, UsageError
from kbio_analysis.render.formats import TEMPLATES
from kbio_analysis.render.job import run
from kbio_analysis.render.notebooks import NAME, available
from kbio_analysis.render.publish import explained, write_file
from kbio_analysis.render.references import store_printed
from kbio_analysis.render.requests import planned

LIMIT_SECONDS = 300.0
STEPS = """{path}: a skeleton that runs, with its regression output stored
What remains:
  1. add its row to the galleries, README.md and notebooks/README.md: | [{name}]({name}.ipynb) | {question} |
  2. make lab, and replace the skeleton cell by cell: the question's own model, words, tables and charts
  3. kbio render {name}, and read the page in reports/site/{name}/default
  4. give its results their rows in notebooks/results.csv, and record(name=value) in the notebook
  5. run it from the top, save, and python tools/settled.py on it: the last cell alone keeps its output
  6. kbio check {name} --accept writes notebooks/references/{name}.json
  7. tests/notebooks/test_notebook_{number}.py: its sentences at the ends of its parameters"""


def create(folder: Path, name: str, question: str) -> str:
    """Write ``NN_name.ipynb`` below ``folder``, run once; returns what remains to be done.

    Raises UsageError for a name or question that is none, KbioError if it does not run here; nothing is left then.
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
        write_file(path, _notebook(asked))
        try:
            (job,) = planned([stem], {}, None, limit_seconds=LIMIT_SECONDS)
            report = run(job)
            if report.status != "ok":
                raise KbioError(f"the skeleton does not run here: {report.failure}")
            store_printed(path, json.loads(report.files["executed.ipynb"]))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return STEPS.format(path=path, name=stem, number=stem[:2], question=asked)


def _notebook(question: str) -> bytes:
    text = (TEMPLATES / "skeleton" / "notebook.txt").read_text(encoding="utf-8").replace("{question}", question)
    cells: list[dict[str, Any]] = []
    for part in re.split(r"^%% ", text, flags=re.MULTILINE)[1:]:
        head, _, source = part.partition("\n")
        kind, *tags = head.split()
        cell = {"cell_type": kind, "id": str(len(cells)), "metadata": {"tags": tags} if tags else {}}
        cell["source"] = source.strip("\n").splitlines(keepends=True)
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
