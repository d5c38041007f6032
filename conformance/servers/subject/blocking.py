"""An application in this process that blocks the event loop: what no time-out of asyncio can end."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Coroutine, Generator
from functools import partial
from types import FrameType
from typing import Any

__all__ = ["BlockedError", "unblocked"]


class BlockedError(Exception):
    """An application has not given way to the event loop for too long."""


class unblocked:  # noqa: N801 - used like a function
    """`coroutine`, of which no step may take more than `seconds`: BlockedError is raised in it then.

    Only in the main thread, where the system has such timers and nobody else uses them; never under a debugger.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> None:
        self._coroutine, self._seconds = coroutine, seconds

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._coroutine.__await__()
        step: partial[Any] = partial(next, steps)
        while True:
            armed = _arm(self._seconds)
            try:
                awaited = step()
            except StopIteration as end:
                return end.value
            finally:
                if armed:
                    _disarm()
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - the coroutine decides
                step = partial(steps.throw, error)
            else:
                step = partial(next, steps)


def _arm(seconds: float) -> bool:
    """Set the timer, if it may be used."""
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
    ):
        return False
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # and each second after, for an application that goes on
    return True


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _on_alarm(_: int, __: FrameType | None) -> None:
    if sys.gettrace() is None:
        raise BlockedError
