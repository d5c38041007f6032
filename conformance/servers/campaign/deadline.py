"""The end of a run's time: it cancels the run once, which ends as it does at Ctrl-C."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["Deadline"]


class Deadline:
    """Cancels the current task after `seconds`, unless it is set again or the block ends; `passed` says that it did."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._began = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Deadline:
        self._task = asyncio.current_task()
        self._began = asyncio.get_running_loop().time()
        self.set(self.seconds)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def set(self, seconds: float) -> None:
        """From now on the deadline is `seconds` after the block began."""
        self._schedule(seconds, self._began + seconds)

    def restart(self, seconds: float) -> None:
        """From now on the deadline is `seconds` from now."""
        self._schedule(seconds, asyncio.get_running_loop().time() + seconds)

    def _schedule(self, seconds: float, moment: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self.seconds, self.passed = seconds, False
        self._handle = asyncio.get_running_loop().call_at(moment, self._end)

    def _end(self) -> None:
        self.passed = True
        if self._task is not None:
            self._task.cancel()
