"""The cells of a notebook, run one by one by IPython in this process: what they print, display and leave as a last
value becomes their outputs, in the order of a Jupyter front end. As papermill's engine ``kbio`` it forks a process for
them; our own reports have theirs already. Who asks for a real Jupyter kernel gets papermill's own engine."""

from __future__ import annotations

import builtins
import getpass
import io
import json
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.jsonutil import json_default
from nbclient.client import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from traitlets import Type
from traitlets.config import Config

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.child import PRINTED, SHOWN, Here, StoppedError
from kbio_analysis.render.forks import Work, answers
from kbio_analysis.render.provenance import inputs_read

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")

# In a Jupyter kernel ``inputs_read`` is asked by a last cell, which is taken out again.
_ASKING = """
import json
from kbio_analysis.render.provenance import inputs_read
print(json.dumps(inputs_read()))
"""


def execute(notebook: NotebookNode, here: Here, kernel: str | None) -> dict[str, Any]:
    """Run the notebook in place, in this process or in the Jupyter kernel of that name; what ``inputs_read`` says then.

    Raises StoppedError when it does not get to its end.
    """
    for part in (notebook, *notebook.cells):
        part.metadata.setdefault("papermill", {})
    run = partial(papermill_engines.execute_notebook_with_engine, progress_bar=False, autosave_cell_every=0)
    if kernel is not None:
        return _in_a_kernel(run, notebook, here, kernel)
    run("kbio", notebook, "python3", here=here)
    return inputs_read()


class KbioEngine(Engine):
    """Runs a notebook to its end or raises; a dead process and a time-out never pass for completed."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any) -> None:
        """Run the cells in this process, if it is one made for them (``here``), else in one forked for them.

        Raises StoppedError short of the end, but leaves a failing cell in a forked process to papermill.
        """
        if here := options.get("here"):
            _run_cells(nb_man, here)
            return
        call = partial(_executed, nb_man.nb)
        ((_, answer),) = answers([Work(key=None, call=call, limit_seconds=options.get("execution_timeout"))], workers=1)
        if isinstance(answer, StoppedError):
            raise answer
        nb_man.nb.cells = answer.cells


papermill_engines.register("kbio", KbioEngine)


def _executed(notebook: NotebookNode, here: Here) -> NotebookNode:
    with suppress(StoppedError):  # the error stands among the cell's outputs
        execute(notebook, here, None)
    return notebook


def _run_cells(manager: NotebookExecutionManager, here: Here) -> None:
    shell = NotebookShell.begin()
    shell.outputs.open(manager.nb, here.folder)
    if "matplotlib.pyplot" in sys.modules:
        shell.enable_matplotlib("inline")
    if prose := sys.modules.get("kbio_analysis.present.prose"):
        prose.register()
    builtins.input = getpass.getpass = _refused
    with redirect_stdout(_Stream(shell.outputs, 1)), redirect_stderr(_Stream(shell.outputs, 2)):
        for index, cell in enumerate(manager.nb.cells):
            manager.cell_start(cell, index)
            try:
                if cell.cell_type == "code":
                    here.tell(here.cell + 1)
                    shell.run(cell, index, here.cell)
            except StoppedError as stopped:
                manager.cell_exception(cell, cell_index=index, exception=stopped)
                raise
            finally:
                manager.cell_complete(cell, cell_index=index)
    if shell.outputs.elsewhere.exists():
        raise ExecutionError(
            "a process that a cell started shows or records something, which no report receives; "
            "let it return the value, and show that in the cell"
        )


def _refused(*_: object, **_more: object) -> str:
    raise StdinNotImplementedError("a report has nobody to ask; make the answer a parameter")


# ---- in this process


class Outputs(DisplayPublisher):
    """The outputs of the cell that runs, put together by nbclient, to which it is told as a kernel would tell it."""

    def open(self, notebook: NotebookNode, folder: Path) -> None:
        """Begin a report; what its cells print and display goes to files in the folder too, whose size is watched."""
        self._client = NotebookClient(notebook)
        self._process, self.elsewhere = os.getpid(), folder / "elsewhere"
        self._printed, self._shown = (os.open(folder / name, os.O_WRONLY | os.O_APPEND) for name in (PRINTED, SHOWN))

    def begin(self, cell: NotebookNode, index: int) -> None:
        """What comes is this cell's."""
        cell.outputs, self._client.clear_before_next_output = [], False
        self._cell, self._index = cell, index

    def _tell(self, kind: str, **content: Any) -> None:
        message = {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {}, "content": content}
        self._client.process_message(message, self._cell, self._index)

    def write(self, name: str, text: str) -> int:
        """Text printed to stdout or stderr."""
        if os.getpid() != self._process:
            return os.write(1, text.encode("utf-8", "replace"))  # as any program's printing, to the log
        os.write(self._printed, text.encode("utf-8", "replace"))
        if self._client.clear_before_next_output or not any(o.get("name") == name for o in self._cell.outputs[-1:]):
            self._tell("stream", name=name, text="")
            self._cell.outputs[-1].text = io.StringIO()
        return self._cell.outputs[-1].text.write(text)

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *_: Any,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **result: Any,
    ) -> None:
        """Something displayed, or, by its id, displayed anew; ``result`` says that it is a cell's last value."""
        if os.getpid() != self._process:
            self.elsewhere.touch()  # what a process forked by a cell displays cannot arrive
        text = json.dumps({"data": data, "metadata": metadata or {}} | result, default=json_default)
        os.write(self._shown, text.encode())
        kind = "update_display_data" if update else "execute_result" if result else "display_data"
        self._tell(kind, transient=transient, **json.loads(text))

    def clear_output(self, wait: bool = False) -> None:
        self._tell("clear_output", wait=wait)


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of the cells; its file number is the process's own, for programs that they start."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, outputs: Outputs, number: int) -> None:
        self.write = partial(outputs.write, {1: "stdout", 2: "stderr"}[number])
        self.fileno = lambda: number

    def writable(self) -> bool:
        return True


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        """Numbers are the notebook's affair."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        self.shell.outputs.publish(format_dict, md_dict, execution_count=self.shell.number)


class NotebookShell(InteractiveShell):
    """The IPython of one notebook; there is one a process, ever."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(Outputs)

    @classmethod
    def begin(cls) -> NotebookShell:
        history, plain = {"enabled": False, "hist_file": ":memory:"}, {"colors": "nocolor", "warn_venv": False}
        shell = cls.instance(config=Config({"HistoryManager": history, "InteractiveShell": plain}))
        shell.outputs = shell.display_pub  # which a cell may exchange
        shell.compile.get_code_name = lambda _source, _code, number: f"<cell {number}>"
        return shell

    def run(self, cell: NotebookNode, index: int, number: int) -> None:
        """Run one code cell, its outputs put in place. Raises StoppedError if it fails."""
        self.outputs.begin(cell, index)
        self.trace, self.number, self.execution_count = "", number, number
        done = self.run_cell(cell.source, store_history=True)
        self.outputs.begin(NotebookNode(), index)  # a thread may print still
        for stream in (output for output in cell.outputs if output.output_type == "stream"):
            stream.text = stream.text.getvalue()
        cell.execution_count = number if cell.source.strip() else None
        error = done.error_before_exec or done.error_in_exec
        if error is None and not self.trace:
            return
        kind, reason = type(error).__name__, str(error)
        if isinstance(error, SystemExit):
            reason = f"the cell leaves before the notebook's end (status {reason or 0}); take the exit out"
        elif error is None:
            kind, reason = "DisplayError", self.trace.strip().splitlines()[-1]
        error = {"ename": kind, "evalue": reason, "traceback": self.trace.splitlines()}
        cell.outputs.append(nbformat.v4.new_output("error", **error))
        raise StoppedError(cell=number, kind=kind, reason=reason, log=self.trace)

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.trace += _ANSI.sub("", self.InteractiveTB.stb2text(stb)) + "\n"

    def ask_exit(self) -> None:
        """What ``quit`` and ``exit`` do."""
        raise SystemExit

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no window to open."""


# ---- in a Jupyter kernel


def _in_a_kernel(run: partial[Any], notebook: NotebookNode, here: Here, kernel: str) -> dict[str, Any]:
    from jupyter_client.kernelspec import KernelSpecManager

    def begun(cell: NotebookNode, cell_index: int) -> None:
        here.tell(sum(c.cell_type == "code" for c in notebook.cells[: cell_index + 1]))

    asks = KernelSpecManager().get_kernel_spec(kernel).language.lower() == "python"
    notebook.cells += [nbformat.v4.new_code_cell(_ASKING, metadata={"papermill": {}})] if asks else []
    # A cell tagged to be skipped or allowed to fail would leave a report that is not whole.
    strictly = {"skip_cells_with_tag": "", "force_raise_errors": True, "record_timing": False, "start_timeout": 120}
    try:
        run(None, notebook, kernel, on_cell_execute=begun, **strictly)
    except DeadKernelError:
        reason = f"the kernel died in cell {here.cell}"
        raise StoppedError(status="killed", cell=here.cell or None, kind="DeadKernel", reason=reason) from None
    told = notebook.cells.pop().outputs if asks else []
    for error in (output for cell in notebook.cells for output in cell.get("outputs", ()) if "ename" in output):
        log = _ANSI.sub("", "\n".join(error.traceback))
        raise StoppedError(cell=here.cell, kind=error.ename, reason=error.evalue, log=log)
    return json.loads(told[0].get("text", "{}")) if told else {}
