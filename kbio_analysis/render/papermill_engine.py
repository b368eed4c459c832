"""The class that papermill finds as its engine ``kbio``.

Import papermill before this module: it loads its engines while it is itself half imported.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import nbformat
from nbformat import NotebookNode
from papermill.engines import Engine, NotebookExecutionManager

from kbio_analysis.render.child import Here
from kbio_analysis.render.engine import Findings, execute, run_cells
from kbio_analysis.render.forks import Ended, Work, answers
from kbio_analysis.render.shell import StoppedError


class KbioEngine(Engine):
    """Runs a notebook to its end or raises; a dead process and a time-out never pass for completed."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        here: Here | None = None,
        findings: Findings | None = None,
        execution_timeout: float | None = None,
        **_papermills_own: Any,
    ) -> None:
        """Run the cells in this process, if it is one made for them (``here``), else in one forked for them.

        Raises StoppedError if the notebook does not get to its end; in a forked process a failing cell is left to
        papermill, which finds the error among its outputs.
        """
        if here is not None:
            run_cells(nb_man, here, findings or Findings())
            return
        call = partial(_executed, nbformat.writes(nb_man.nb))
        ((_, answer),) = answers([Work(key=None, call=call, limit_seconds=execution_timeout)], workers=1)
        if isinstance(answer, Ended):
            raise StoppedError(answer.status, answer.cell, answer.kind, answer.reason, answer.log)
        for index, (cell, done) in enumerate(zip(nb_man.nb.cells, answer.cells, strict=True)):
            nb_man.cell_start(cell, index)
            cell.update(done)
            nb_man.cell_complete(cell, cell_index=index)
            cell.metadata.papermill = done.metadata.papermill


def _executed(source: str, here: Here) -> NotebookNode:
    notebook = nbformat.reads(source, as_version=4)
    with suppress(StoppedError):  # the error stands among the cell's outputs
        execute(notebook, here, None, Findings())
    return notebook
