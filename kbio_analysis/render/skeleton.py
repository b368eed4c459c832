"""A new notebook: a skeleton that runs and reads like the others. Its text lies in ``templates/skeleton``."""

import json
import re
from pathlib import Path

from kbio_analysis.errors import KbioError, UsageError
from kbio_analysis.notebooks import NAME, available
from kbio_analysis.render.formats import TEMPLATES
from kbio_analysis.render.job import run
from kbio_analysis.render.publish import explained, write_file
from kbio_analysis.render.references import store_printed
from kbio_analysis.render.requests import requested

LIMIT_SECONDS = 300.0
TEXTS = TEMPLATES / "skeleton"


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
        text = (TEXTS / "notebook.json").read_text(encoding="utf-8")
        write_file(path, text.replace("{question}", json.dumps(asked, ensure_ascii=False)[1:-1]).encode())
        try:
            ((job,), _) = requested([stem], {}, limit_seconds=LIMIT_SECONDS)
            report = run(job)
            if report.status != "ok":
                raise KbioError(f"the skeleton does not run here: {report.failure}")
            store_printed(path, report.files["executed.ipynb"])
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    steps = (TEXTS / "steps.txt").read_text(encoding="utf-8").rstrip()
    return steps.format(path=path, name=stem, number=stem[:2], question=asked)
