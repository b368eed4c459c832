"""``kbio`` among papermill's engines: a notebook's cells run in a process forked for it, without a Jupyter kernel.

``papermill in.ipynb out.ipynb --engine kbio`` finds it by its entry point. Our own reports have their process already;
they go through the same registry and run the cells in it. A notebook that asks for a real Jupyter kernel is run by
papermill's own engine.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from kbio_analysis.render.child import Here
from kbio_analysis.render.provenance import inputs_read
from kbio_analysis.render.shell import StoppedError, plain, shell

if TYPE_CHECKING:
    from nbformat import NotebookNode

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


@dataclass(slots=True)
class Findings:
    """What became known beside the outputs: the inputs read (see ``inputs_read``), and CPU seconds by their use."""

    read: dict[str, Any] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)


def execute(notebook: NotebookNode, here: Here, kernel: str | None, findings: Findings) -> None:
    """Run the notebook in place, in this process, or in the Jupyter kernel of that name.

    Raises StoppedError when it does not get to its end.
    """
    from papermill.engines import papermill_engines

    from kbio_analysis.render.papermill_engine import KbioEngine

    papermill_engines.register(ENGINE, KbioEngine)
    for part in (notebook, *notebook.cells):
        part.metadata.setdefault("papermill", {})
    quietly = {"output_path": None, "progress_bar": False, "autosave_cell_every": 0}
    if kernel is None:
        run = partial(papermill_engines.execute_notebook_with_engine, ENGINE, here=here, findings=findings)
        run(notebook, "python3", **quietly)
    else:
        _in_a_kernel(notebook, here, kernel, findings, quietly)


def run_cells(manager: Any, here: Here, findings: Findings) -> None:
    """Run the cells of papermill's notebook manager in this process."""
    number = 0
    with shell(here.printed) as running:
        findings.cpu["start"] = began = time.process_time()
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
        findings.read = inputs_read()
    findings.cpu["cells"] = time.process_time() - began


def _in_a_kernel(notebook: NotebookNode, here: Here, kernel: str, findings: Findings, quietly: dict[str, Any]) -> None:
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient.exceptions import DeadKernelError
    from nbformat.v4 import new_code_cell
    from papermill.engines import papermill_engines

    number = 0

    def begun(cell: NotebookNode, cell_index: int) -> None:
        nonlocal number
        number = sum(c.cell_type == "code" for c in notebook.cells[: cell_index + 1])
        here.tell(number)

    asks = KernelSpecManager().get_kernel_spec(kernel).language.lower() == "python"
    if asks:
        notebook.cells.append(new_code_cell(_ASKING, metadata={"papermill": {}}))
    # A cell tagged to be skipped or allowed to fail would leave a report that is not whole.
    strictly = {"skip_cells_with_tag": "", "force_raise_errors": True, "record_timing": False, "on_cell_execute": begun}
    try:
        papermill_engines.execute_notebook_with_engine(None, notebook, kernel, start_timeout=120, **strictly, **quietly)
    except DeadKernelError:
        raise StoppedError("killed", number or None, "DeadKernel", f"the kernel died in cell {number}") from None
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        for error in (output for output in cell.outputs if output.output_type == "error"):
            raise StoppedError("failed", count, error.ename, error.evalue, plain("\n".join(error.traceback)))
    if asks:
        findings.read = json.loads(notebook.cells.pop().outputs[0].text)
