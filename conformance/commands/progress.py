"""What long work says of itself while it goes on: one line on standard error, and only on a terminal."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import TypeVar

from conformance.visible import visible

__all__ = ["Interruption", "Progress"]

T = TypeVar("T")

#: Seconds between two states of the line.
_PAUSE = 0.1


class Progress:
    """A line that is written over; nothing at all where `shown` is false or standard error is no terminal."""

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._due = 0.0

    def __call__(self, text: str) -> None:
        """Show `text`, at most ten times a second."""
        now = time.monotonic()
        if self._shown and now >= self._due:
            self._due = now + _PAUSE
            width = max(20, shutil.get_terminal_size().columns - 1)
            sys.stderr.write(f"\r\x1b[K{visible(text)[:width]}")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._due:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


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
