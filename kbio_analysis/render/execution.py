"""Run a notebook's cells in a kernel of its own: papermill's engine and nbclient's client, our kernel and our end.

What differs from papermill alone: the kernel is reached over Unix sockets, nothing is saved between cells, and the
end is read from the process. A killed kernel, a time-out or a failing cell raises ``StoppedError``; a notebook has
ended well only when its kernel still answers after the last cell. Then, and on every other way out, the kernel's
whole process group is killed: nothing it could still do belongs to the report.
"""

from __future__ import annotations

import ast
import asyncio
import io
import json
import logging
import os
import re
import signal
from collections.abc import Mapping
from queue import Empty

from kbio_analysis.errors import ExecutionError
from kbio_analysis.render.sandbox import Room, cpu_seconds, environment, manager, room
from kbio_analysis.render.stack import (
    CellExecutionError,
    DeadKernelError,
    NotebookNode,
    PapermillNotebookClient,
    papermill_engines,
)

STARTUP_SECONDS = 60.0
END_SECONDS = 10.0

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")

# Asked after the last cell, without a cell of its own: which tables and whose records were read. Two empty mappings
# if the data room was not used.
_INPUTS_READ = (
    "(lambda data: __import__('json').dumps([data.tables_read(), data.recorded_read()] if data else [{}, {}]))"
    "(__import__('sys').modules.get('kbio_analysis.data'))"
)


class StoppedError(ExecutionError):
    """A notebook did not get to its end.

    ``status`` is failed, killed or timed_out; ``cell`` the number of the code cell, counted from 1 in the notebook as
    it is executed, or None before the first; ``kind`` and ``reason`` are the error's type and message.
    """

    def __init__(self, status: str, cell: int | None, kind: str, reason: str, traceback: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.cell = cell
        self.kind = kind
        self.reason = reason
        self.traceback = traceback


def execute(
    notebook: NotebookNode,
    *,
    kernel: str,
    limit_seconds: float | None,
    environment: Mapping[str, str],
    findings: dict[str, object],
    recorded: bytes | None = None,
) -> None:
    """Run the notebook in place through papermill's engine registry; see ``ReportEngine`` for the arguments."""
    from kbio_analysis.render.engine import ENGINE

    for part in (notebook, *notebook.cells):
        part.metadata.setdefault("papermill", {})
    papermill_engines.execute_notebook_with_engine(
        ENGINE,
        notebook,
        kernel,
        output_path=None,
        progress_bar=False,
        autosave_cell_every=0,
        limit_seconds=limit_seconds,
        environment=environment,
        findings=findings,
        recorded=recorded,
    )


class ReportClient(PapermillNotebookClient):
    """nbclient's client under one event loop, from the start of the kernel to its end."""

    def __init__(self, nb_man: object, kernel_name: str) -> None:
        self.journal = io.StringIO()
        super().__init__(
            nb_man,
            kernel_name=kernel_name,
            log=_logger(self.journal),
            # A cell tagged to be skipped or allowed to fail would leave a report that is not whole.
            skip_cells_with_tag="",
            force_raise_errors=True,
            record_timing=False,
            # The report's own limit governs; nbclient's four seconds are short on a busy machine.
            iopub_timeout=3600,
            ipython_hist_file="",
        )
        self.number: int | None = None
        self.cpu: dict[str, float] = {}

    def execute(
        self,
        *,
        limit_seconds: float | None,
        environment: Mapping[str, str],
        findings: dict[str, object],
        recorded: bytes | None,
    ) -> NotebookNode:
        """Run all cells; raise StoppedError unless they all ran and the kernel answered afterwards."""
        self.reset_execution_trackers()
        with room() as place:
            extra = dict(environment) | ({} if recorded is None else place.put(recorded))
            try:
                findings["tables"], findings["reports"] = asyncio.run(self._within(limit_seconds, place, extra))
            finally:
                findings["log"] = self.journal.getvalue() + _written(place)
                findings["cpu"] = self.cpu
        return self.nb

    async def _within(self, limit: float | None, place: Room, extra: Mapping[str, str]) -> list[dict[str, str]]:
        try:
            async with asyncio.timeout(limit):
                return await self._whole(place, extra)
        except TimeoutError:
            where = f"in cell {self.number}" if self.number else "while the kernel started"
            raise StoppedError(
                "timed_out", self.number, "TimeOut", f"not finished after {limit:g} s, {where}"
            ) from None

    async def _whole(self, place: Room, extra: Mapping[str, str]) -> list[dict[str, str]]:
        self.km = manager(place, self.kernel_name, self.log)
        try:
            await self._start(place, extra)
            self.cpu["start"] = cpu_seconds(self.km.provisioner.pid)
            for index, cell in enumerate(self.nb.cells):
                await self._run_cell(index, cell)
            read = await self._inputs_read()
            self.cpu["cells"] = cpu_seconds(self.km.provisioner.pid) - self.cpu["start"]
            return read
        except DeadKernelError:
            # nbclient reports a cancelled wait as a dead kernel: a time-out or Ctrl-C must pass as what it is.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from None
            raise await self._death() from None
        finally:
            await self._end()

    async def _start(self, place: Room, extra: Mapping[str, str]) -> None:
        with place.output.open("wb") as output:
            await self.async_start_new_kernel(
                cwd=str(place.work), env=environment(place, extra), stdout=output, stderr=output
            )
        await self.async_start_new_kernel_client()
        if getattr(self.km.provisioner, "cold_reason", None):
            self.log.warning("An ordinary kernel, as no warm one is to be had: %s", self.km.provisioner.cold_reason)

    async def async_start_new_kernel_client(self) -> object:
        """Connect and wait for the first answer; faster than nbclient's own, which waits for silence on iopub."""
        async with asyncio.timeout(STARTUP_SECONDS):
            info = self.km.get_connection_info()
            while not all(os.path.exists(f"{info['ip']}-{info[port]}") for port in ("shell_port", "iopub_port")):
                await self._require_alive()
                await asyncio.sleep(0.01)
            self.kc = self.km.client()
            self.kc.start_channels(stdin=False, hb=False, control=False)
            self.kc.allow_stdin = False
            while not await self._answers():
                await self._require_alive()
        return self.kc

    async def _require_alive(self) -> None:
        if not await self.km.is_alive():
            raise DeadKernelError("Kernel died")

    async def _answers(self) -> bool:
        """Whether a request was answered and its echo seen on iopub, so that no output can be missed from here on."""
        self.kc.kernel_info()
        try:
            await self.kc.shell_channel.get_msg(timeout=0.5)
            await self.kc.iopub_channel.get_msg(timeout=0.2)
        except Empty:
            return False
        return True

    async def _run_cell(self, index: int, cell: NotebookNode) -> None:
        if cell.cell_type == "code":
            self.number = (self.number or 0) + 1
        self.nb_man.cell_start(cell, index)
        try:
            await self.async_execute_cell(cell, index)
        except CellExecutionError as error:
            self.nb_man.cell_exception(cell, cell_index=index, exception=error)
            raise StoppedError("failed", self.number, error.ename, error.evalue, plain(error.traceback)) from None
        finally:
            self.nb_man.cell_complete(cell, cell_index=index)

    async def _inputs_read(self) -> list[dict[str, str]]:
        """Ask the kernel which tables and records it read; its answer also proves that it outlived the last cell."""
        asked = self.kc.execute("", silent=True, store_history=False, user_expressions={"read": _INPUTS_READ})
        while True:
            try:
                message = await self.kc.shell_channel.get_msg(timeout=0.25)
            except Empty:
                await self._require_alive()
                continue
            if message["parent_header"].get("msg_id") == asked:
                break
        content = message["content"]
        answer = content.get("user_expressions", {}).get("read", {})
        if content["status"] != "ok" or answer.get("status") != "ok":
            reason = answer.get("evalue") or content.get("evalue") or content["status"]
            raise StoppedError("failed", None, "Provenance", f"the tables it read could not be listed: {reason}")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    async def _death(self) -> StoppedError:
        code = await self.km.provisioner.poll() if self.km.provisioner else None
        where = f"in cell {self.number}" if self.number else "before the first cell"
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = ", likely for want of memory" if -code == signal.SIGKILL else ""
            return StoppedError("killed", self.number, name, f"the kernel was killed by {name} {where}{hint}")
        return StoppedError(
            "killed", self.number, "KernelExit", f"the kernel ended by itself {where} (exit status {code})"
        )

    async def _end(self) -> None:
        """Kill the kernel and whatever it started, wait for it, and close every socket."""
        if self.kc is not None:
            self.kc.stop_channels()
            self.kc = None
        provisioner = self.km.provisioner
        if provisioner is not None and provisioner.has_process:
            await provisioner.kill()
            await asyncio.wait_for(_gone(provisioner), END_SECONDS)
            await provisioner.wait()
        await self.km.cleanup_resources()
        self.km = None


async def _gone(provisioner: object) -> None:
    while await provisioner.poll() is None:
        await asyncio.sleep(0.005)


def plain(text: str) -> str:
    """Without the escape sequences that colour a terminal."""
    return _ANSI.sub("", text)


def _logger(stream: io.StringIO) -> logging.Logger:
    """A logger of this run alone: the libraries' notes go to the report's log, not to the terminal."""
    logger = logging.Logger("kbio.kernel", logging.WARNING)
    logger.addHandler(logging.StreamHandler(stream))
    return logger


def _written(place: Room) -> str:
    """What the kernel process itself wrote (a crash report, a library's own printing)."""
    return place.output.read_text("utf-8", "replace") if place.output.exists() else ""
