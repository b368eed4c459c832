"""Being told to stop: a signal is noted where it comes and acted upon where that is safe.

A handler that raises can be lost: its exception may fall into a finaliser or a callback, which swallow it, and it does
not wake a wait that is just about to begin. So the handlers here set a flag only, and every wait of a run is short and
looks at it.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TICK_SECONDS = 0.2
_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class OutOfTimeError(KeyboardInterrupt):
    """The time for all reports is over."""


class Stop:
    """Whether this process has been told to stop."""

    def __init__(self) -> None:
        self.told = False

    def check(self, until: float | None = None) -> None:
        """Raise KeyboardInterrupt if told to stop, OutOfTimeError if the monotonic clock is past ``until``."""
        if self.told:
            raise KeyboardInterrupt
        if until is not None and time.monotonic() >= until:
            raise OutOfTimeError

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.told = True


_current: Stop | None = None


@contextmanager
def stopping() -> Iterator[Stop]:
    """Note SIGINT, SIGTERM and SIGHUP to the end of the block; inside another such block, that one's.

    A signal that this process was started to ignore stays ignored. Outside the main thread nothing is noted.
    """
    global _current
    if threading.current_thread() is not threading.main_thread():
        yield Stop()
    elif _current is not None:
        yield _current
    else:
        _current = Stop()
        before = {number: signal.getsignal(number) for number in _NUMBERS}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, _current._note)
        try:
            yield _current
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            _current = None
