"""A kernel manager for nbclient that starts the kernel ``kbio`` without idle waiting."""

from __future__ import annotations

import asyncio
import time
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import DottedObjectName

_ANSWER_SECONDS = 1.0


class PromptClient(AsyncKernelClient):
    """Knows that a kernel is ready when it says so, instead of listening for 0.2 s of silence.

    ipykernel welcomes a listener once it hears; what it says after that cannot be missed.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel answers and is heard; raises RuntimeError if it dies or takes too long."""
        started = time.monotonic()
        try:
            await self._heard("iopub_welcome")
        except Empty:  # a kernel without manners, or a slow one
            left = None if timeout is None else max(timeout - (time.monotonic() - started), 0.0)
            await super().wait_for_ready(timeout=left)
            return
        request = self.kernel_info()
        await asyncio.wait_for(self._introduced(request), timeout)

    async def _introduced(self, request: str) -> None:
        while True:
            try:
                reply = await self.get_shell_msg(timeout=_ANSWER_SECONDS)
                break
            except Empty:
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
        self._handle_kernel_info_reply(reply)
        while True:
            message = await self.get_iopub_msg()
            idle = message["content"].get("execution_state") == "idle"
            if idle and message["parent_header"].get("msg_id") == request:
                return

    async def _heard(self, kind: str) -> None:
        while (await self.get_iopub_msg(timeout=_ANSWER_SECONDS))["msg_type"] != kind:
            continue


class PromptManager(AsyncKernelManager):
    """Pass as ``kernel_manager_class`` to nbclient's NotebookClient or papermill's."""

    client_class = DottedObjectName(f"{__name__}.PromptClient")
