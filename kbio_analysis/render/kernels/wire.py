"""How the client and the fork server talk: length-prefixed JSON over a unix socket, open files riding along."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Sequence

_HEADER = struct.Struct("!I")
_LONGEST = 16 * 1024 * 1024


def send(connection: socket.socket, message: dict, descriptors: Sequence[int] = ()) -> None:
    """Send one message, and duplicates of open file descriptors with it.

    Raises OSError when the other end is gone.
    """
    body = json.dumps(message).encode("ascii")
    header = _HEADER.pack(len(body))
    if descriptors:
        socket.send_fds(connection, [header], list(descriptors))
    else:
        connection.sendall(header)
    connection.sendall(body)


def receive(connection: socket.socket, most_descriptors: int = 0) -> tuple[dict, list[int]]:
    """Receive one message and the descriptors that came with it (the caller closes them).

    Raises EOFError when the other end has closed, TimeoutError or OSError as the socket does, and ValueError for
    anything that is not such a message.
    """
    descriptors: list[int] = []
    try:
        if most_descriptors:
            head, descriptors, _, _ = socket.recv_fds(connection, _HEADER.size, most_descriptors)
            head += _exactly(connection, _HEADER.size - len(head)) if head else b""
        else:
            head = _exactly(connection, _HEADER.size)
        if not head:
            raise EOFError("the other end closed the connection")
        (length,) = _HEADER.unpack(head)
        if length > _LONGEST:
            raise ValueError(f"a message of {length} bytes is longer than any that kbio sends")
        return json.loads(_exactly(connection, length)), descriptors
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(count)
        if not part:
            raise EOFError("the other end closed the connection")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
