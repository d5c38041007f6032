"""Ctrl-C and SIGTERM as an ordinary end of long work."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, TypeVar

__all__ = ["Interruption", "absorb_cancellation", "until_interrupted"]

T = TypeVar("T")


def absorb_cancellation() -> None:
    """The cancellation of the current task is dealt with: the task goes on."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


def until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; Ctrl-C or SIGTERM cancels it once, so that it can clean up and return."""

    async def cancellable() -> T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    return asyncio.run(cancellable())


class Interruption:
    """Ctrl-C as a state instead of an exception: the first ends the work at hand, the second the program."""

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> Interruption:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, self._on_sigint)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)

    def _on_sigint(self, _: int, frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True

    def until(self, things: Iterable[T]) -> Iterator[T]:
        """The items of `things` up to Ctrl-C."""
        for thing in things:
            if self.came:
                return
            yield thing
