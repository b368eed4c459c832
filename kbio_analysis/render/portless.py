"""ipykernel opens one TCP port on the loopback interface even when its channels are Unix sockets: the way home for
what forked children print. A report has none, and a renderer should open no port at all."""

from typing import Any

from ipykernel.iostream import IOPubThread


class Portless(IOPubThread):
    """The thread that publishes a kernel's output, without the pipe for forked children."""

    def __init__(self, socket: Any, pipe: bool = False, session: Any = False) -> None:
        super().__init__(socket, pipe=False, session=session)
