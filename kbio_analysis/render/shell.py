"""IPython in this process: the cells of a notebook run one by one, and what they print, display and leave as a last
value becomes their outputs, in the order of a Jupyter front end. Nothing here talks to a kernel."""

from __future__ import annotations

import builtins
import contextlib
import getpass
import io
import json
import mmap
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.jsonutil import json_default
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets import Type
from traitlets.config import Config

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.child import Ended

MOST_A_CELL, MOST_A_REPORT = 10_000_000, 40_000_000  # characters shown

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class StoppedError(ExecutionError):
    """A notebook did not get to its end; ``how`` says why."""

    def __init__(self, how: Ended) -> None:
        super().__init__(how.reason)
        self.how = how


class OutputLimitError(BaseException):
    """A cell shows more than any reader would read; no ``except Exception`` of its own keeps it going."""


def plain(text: str) -> str:
    """Without the escape sequences that colour a terminal."""
    return _ANSI.sub("", text)


class Outputs:
    """The outputs of the cell that runs, as nbformat has them."""

    def __init__(self, printed: Path) -> None:
        self._cell: list[NotebookNode] = []
        self.number = 0
        self._sizes = [0, 0]  # of the cell, of the report
        self._clear = False
        self._pieces: list[str] = []  # of the text at the end of the cell so far
        self._by_id: dict[str, list[NotebookNode]] = {}
        self._lock = Lock()
        self._journal = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.excess = ""
        self._process = os.getpid()
        # One byte shared with the processes that a cell forks: whether one displayed something, which cannot arrive.
        self.elsewhere = mmap.mmap(-1, 1)

    def begin(self, cell: NotebookNode, number: int) -> None:
        cell.outputs = self._cell = []
        self.number, self._sizes[0], self._clear = number, 0, False

    def end(self) -> None:
        with self._lock:
            self._join()

    def write(self, name: str, text: str) -> None:
        """Text printed to stdout or stderr."""
        if os.getpid() != self._process:
            os.write(1, text.encode("utf-8", "replace"))  # as any program's printing, to the log
            return
        self._count(len(text))
        os.write(self._journal, text.encode("utf-8", "replace"))
        with self._lock:
            self._cleared()
            if not self._pieces or self._cell[-1].name != name:
                self._join()
                self._cell.append(new_output("stream", name=name))
            self._pieces.append(text)

    def add(
        self, kind: str, data: Mapping[str, Any], metadata: Mapping[str, Any], name: str | None = None, **more: Any
    ):
        """Something displayed; ``name`` is the id by which it can be updated."""
        if os.getpid() != self._process:
            self.elsewhere[0] = 1
        output = new_output(kind, data=self._kept(data), metadata=self._kept(metadata), **more)
        with self._lock:
            self._cleared()
            self._join()
            self._cell.append(output)
        if name is not None:
            self._by_id.setdefault(name, []).append(output)

    def update(self, name: str | None, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        for output in self._by_id.get(name or "", []):
            output.data, output.metadata = self._kept(data), self._kept(metadata)

    def clear(self, wait: bool) -> None:
        self._clear = True
        if not wait:
            self._cleared()

    def _cleared(self) -> None:
        if self._clear:
            self._cell.clear()
            self._pieces.clear()
            self._clear = False

    def _join(self) -> None:
        if self._pieces:
            self._cell[-1].text = "".join(self._pieces)
            self._pieces.clear()

    def _kept(self, data: Mapping[str, Any]) -> NotebookNode:
        """A copy that can be written to a file, pictures as base64."""
        text = json.dumps(dict(data), default=_as_json)
        self._count(len(text))
        return json.loads(text, object_hook=NotebookNode)

    def _count(self, size: int) -> None:
        for which, most in enumerate((MOST_A_CELL, MOST_A_REPORT)):
            self._sizes[which] += size
            if self._sizes[which] > most:
                what = "in this cell alone" if which == 0 else "in all cells together"
                self.excess = f"more than {most // 1_000_000} million characters are shown {what}; show less"
                raise OutputLimitError(self.excess)


def _as_json(value: Any) -> Any:
    """What a kernel would have sent for a value that JSON does not know, or its text."""
    try:
        return json_default(value)
    except TypeError:
        return str(value)


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of the cells; its file number is the process's own, for programs that they start."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, outputs: Outputs, name: str) -> None:
        self._outputs, self._name = outputs, name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._outputs.write(self._name, text)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self._name == "stdout" else 2


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        """Numbers are the notebook's affair."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        outputs = self.shell.outputs
        outputs.add("execute_result", format_dict, md_dict or {}, execution_count=outputs.number)

    def log_output(self, format_dict: dict[str, Any]) -> None:
        """Nothing is kept twice."""


class _Publisher(DisplayPublisher):
    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *_: Any,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **_more: Any,
    ) -> None:
        name = (transient or {}).get("display_id")
        if update:
            self.shell.outputs.update(name, data, metadata or {})
        else:
            self.shell.outputs.add("display_data", data, metadata or {}, name)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear(wait)


class _Compiler(CachingCompiler):
    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return f"<cell {number}>"


class NotebookShell(InteractiveShell):
    """The IPython of one notebook; there is one a process, ever."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    compiler_class = Type(_Compiler)

    @classmethod
    def begin(cls) -> NotebookShell:
        settings = Config()
        settings.HistoryManager.enabled = False
        settings.HistoryManager.hist_file = ":memory:"
        settings.InteractiveShell.colors = "nocolor"
        settings.InteractiveShell.warn_venv = False
        return cls.instance(config=settings)

    def run(self, cell: NotebookNode, number: int) -> None:
        """Run one code cell, its outputs put in place. Raises StoppedError if it fails."""
        self.outputs.begin(cell, number)
        self.trace, self.exit_now = "", False
        self.execution_count = number
        done = self.run_cell(cell.source, store_history=True)
        self.outputs.end()
        cell.execution_count = number if cell.source.strip() else None
        error = done.error_before_exec or done.error_in_exec
        kind, reason = type(error).__name__, str(error)
        if self.outputs.excess:
            kind, reason = "OutputLimit", self.outputs.excess
        elif self.exit_now or isinstance(error, SystemExit):
            code = f" (status {reason})" if isinstance(error, SystemExit) else ""
            kind, reason = "SystemExit", f"the cell leaves before the notebook's end{code}; take the exit out"
        elif error is None:
            if not self.trace:
                return
            kind, reason = "DisplayError", self.trace.strip().splitlines()[-1]
        cell.outputs.append(new_output("error", ename=kind, evalue=reason, traceback=self.trace.splitlines()))
        raise StoppedError(Ended(status="failed", cell=number, kind=kind, reason=reason, log=self.trace))

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.trace += plain(self.InteractiveTB.stb2text(stb)) + "\n"

    def ask_exit(self) -> None:
        """What ``quit`` and ``exit`` do."""
        self.exit_now = True

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no window to open."""


@contextlib.contextmanager
def shell(printed: Path) -> Iterator[NotebookShell]:
    """The shell of this process; to the end of the block what it prints goes to the cell, and to ``printed``."""
    made = NotebookShell.begin()
    made.outputs = outputs = Outputs(printed)
    if "matplotlib.pyplot" in sys.modules:
        made.enable_matplotlib("inline")
    if prose := sys.modules.get("kbio_analysis.present.prose"):
        prose.register()
    builtins.input = getpass.getpass = _refused
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream(outputs, "stdout"), _Stream(outputs, "stderr")
    try:
        yield made
    finally:
        sys.stdout, sys.stderr = before


def _refused(*_: object, **_more: object) -> str:
    raise StdinNotImplementedError("a report has nobody to ask; make the answer a parameter")
