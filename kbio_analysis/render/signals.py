"""Being told to stop: a signal is noted where it comes and acted upon where that is safe.

What a handler raises may be swallowed by a finaliser or a callback, so it sets a flag; every wait is short and looks.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TICK_SECONDS = 0.2
_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Whether this process has been told to stop."""

    told = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if told to stop."""
        if self.told:
            raise KeyboardInterrupt

    def note(self, _number: int, _frame: FrameType | None) -> None:
        """A signal's handler."""
        self.told = True


_current: Stop | None = None


@contextmanager
def stopping() -> Iterator[Stop]:
    """Note SIGINT, SIGTERM and SIGHUP to the end of the block; inside another such block, that one's. What was
    ignored from the start stays so; outside the main thread nothing is noted."""
    global _current
    if _current is not None or threading.current_thread() is not threading.main_thread():
        yield _current or Stop()
        return
    _current = Stop()
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    for number, handler in before.items():
        signal.signal(number, handler if handler is signal.SIG_IGN else _current.note)
    try:
        yield _current
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _current = None
