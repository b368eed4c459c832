"""Reports by processes of this machine: one process a report, as many at a time as asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial

from kbio_analysis.render.child import Ended
from kbio_analysis.render.forks import Work, answers, usable_cores
from kbio_analysis.render.job import Job, PageMaker, Report, ended, make

_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+([\w.]+)", re.MULTILINE)


def reports(jobs: Iterable[Job], *, workers: int | None = None, page: PageMaker | None = None) -> Iterator[Report]:
    """Yield a report for every job, in the order in which they are done; whatever happens to its process, one each.

    By default there are as many at a time as cores. Raises what :func:`~kbio_analysis.render.forks.answers` does.
    """
    jobs = list(jobs)
    works = [Work(key=job, call=partial(make, job, page), limit_seconds=job.limit_seconds) for job in jobs]
    for job, answer in answers(works, workers=workers or usable_cores(), imports=_imports(jobs)):
        yield ended(job, answer) if isinstance(answer, Ended) else answer


def _imports(jobs: list[Job]) -> set[str]:
    """The modules that the notebooks' cells name in their imports."""
    found: set[str] = set()
    for source in {job.source for job in jobs}:
        with suppress(ValueError, KeyError):
            for cell in json.loads(source)["cells"]:
                found.update(_IMPORT.findall("".join(cell["source"])))
    return found


def run(job: Job, page: PageMaker | None = None) -> Report:
    """The report of one job."""
    (report,) = reports([job], workers=1, page=page)
    return report
