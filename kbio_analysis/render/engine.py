"""``kbio`` among papermill's engines: a notebook's cells run in a process forked for it, without a Jupyter kernel; our
own reports have their process already. Who asks for a real Jupyter kernel gets papermill's own engine."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import Any

import nbformat
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.child import PRINTED, Ended, Here
from kbio_analysis.render.forks import Work, answers
from kbio_analysis.render.provenance import inputs_read
from kbio_analysis.render.shell import StoppedError, plain, shell

ENGINE = "kbio"

# In a Jupyter kernel the same is asked by a last cell, which is taken out again.
_ASKING = """
import json
try:
    from kbio_analysis.render.provenance import inputs_read
except ImportError:
    print("{}")
else:
    print(json.dumps(inputs_read()))
"""


class KbioEngine(Engine):
    """Runs a notebook to its end or raises; a dead process and a time-out never pass for completed."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        here: Here | None = None,
        execution_timeout: float | None = None,
        **_papermills_own: Any,
    ) -> None:
        """Run the cells in this process, if it is one made for them (``here``), else in one forked for them.

        Raises StoppedError short of the end, but leaves a failing cell in a forked process to papermill.
        """
        if here is not None:
            _run_cells(nb_man, here)
            return
        call = partial(_executed, nbformat.writes(nb_man.nb))
        ((_, answer),) = answers([Work(key=None, call=call, limit_seconds=execution_timeout)], workers=1)
        if isinstance(answer, Ended):
            raise StoppedError(answer)
        for index, (cell, done) in enumerate(zip(nb_man.nb.cells, answer.cells, strict=True)):
            nb_man.cell_start(cell, index)
            cell.update(done)
            nb_man.cell_complete(cell, cell_index=index)
            cell.metadata.papermill = done.metadata.papermill


papermill_engines.register(ENGINE, KbioEngine)


def execute(notebook: NotebookNode, here: Here, kernel: str | None) -> dict[str, Any]:
    """Run the notebook in place, in this process or in the Jupyter kernel of that name; what ``inputs_read`` says then.

    Raises StoppedError when it does not get to its end.
    """
    for part in (notebook, *notebook.cells):
        part.metadata.setdefault("papermill", {})
    quietly = {"output_path": None, "progress_bar": False, "autosave_cell_every": 0}
    if kernel is not None:
        return _in_a_kernel(notebook, here, kernel, quietly)
    papermill_engines.execute_notebook_with_engine(ENGINE, notebook, "python3", here=here, **quietly)
    return inputs_read()


def _executed(source: str, here: Here) -> NotebookNode:
    notebook = nbformat.reads(source, as_version=4)
    with suppress(StoppedError):  # the error stands among the cell's outputs
        execute(notebook, here, None)
    return notebook


def _run_cells(manager: NotebookExecutionManager, here: Here) -> None:
    number = 0
    with shell(here.folder / PRINTED) as running:
        for index, cell in enumerate(manager.nb.cells):
            manager.cell_start(cell, index)
            try:
                if cell.cell_type == "code":
                    number += 1
                    here.tell(number)
                    running.run(cell, number)
            except StoppedError as stopped:
                manager.cell_exception(cell, cell_index=index, exception=stopped)
                raise
            finally:
                manager.cell_complete(cell, cell_index=index)
        if running.outputs.elsewhere[0]:
            raise ExecutionError(
                "a process that a cell started shows or records something, which no report receives; "
                "let it return the value, and show that in the cell"
            )


def _in_a_kernel(notebook: NotebookNode, here: Here, kernel: str, quietly: dict[str, Any]) -> dict[str, Any]:
    from jupyter_client.kernelspec import KernelSpecManager

    number = 0

    def begun(cell: NotebookNode, cell_index: int) -> None:
        nonlocal number
        number = sum(c.cell_type == "code" for c in notebook.cells[: cell_index + 1])
        here.tell(number)

    asks = KernelSpecManager().get_kernel_spec(kernel).language.lower() == "python"
    if asks:
        notebook.cells.append(nbformat.v4.new_code_cell(_ASKING, metadata={"papermill": {}}))
    # A cell tagged to be skipped or allowed to fail would leave a report that is not whole.
    strictly = {"skip_cells_with_tag": "", "force_raise_errors": True, "record_timing": False, "on_cell_execute": begun}
    try:
        papermill_engines.execute_notebook_with_engine(None, notebook, kernel, start_timeout=120, **strictly, **quietly)
    except DeadKernelError:
        reason = f"the kernel died in cell {number}"
        raise StoppedError(Ended(status="killed", cell=number or None, kind="DeadKernel", reason=reason)) from None
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        for error in (output for output in cell.outputs if output.output_type == "error"):
            log = plain("\n".join(error.traceback))
            raise StoppedError(Ended(status="failed", cell=count, kind=error.ename, reason=error.evalue, log=log))
    return json.loads(notebook.cells.pop().outputs[0].text) if asks else {}
