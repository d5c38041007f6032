"""Ctrl-C and SIGTERM as the ordinary end of long work."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, TypeVar

__all__ = ["Interruption", "until_interrupted"]

T = TypeVar("T")


def until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """Do asynchronous work to its end; Ctrl-C, or a polite kill, cancels it once and leaves the end to it."""

    async def whole() -> T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    return asyncio.run(whole())


class Interruption:
    """Ctrl-C as a fact rather than an exception: the first one ends the work in hand, the second one the program."""

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> Interruption:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, _: int, frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True

    def until(self, things: Iterable[T]) -> Iterator[T]:
        """Those of `things` that come before Ctrl-C does."""
        for thing in things:
            if self.came:
                return
            yield thing
