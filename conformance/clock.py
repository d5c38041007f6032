"""Time as a value: a run reads one clock, real or virtual."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "MovableClock", "RealClock", "VirtualClock"]


class Clock(Protocol):
    """What tells the time and waits for it."""

    @property
    def virtual(self) -> bool:
        """Whether waiting costs no time."""

    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""


class RealClock:
    """The wall clock's start, carried on by the monotonic clock: it never goes back."""

    virtual = False

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class MovableClock(RealClock):
    """The real clock, which somebody may put forward."""

    def advance(self, seconds: float) -> None:
        """Put the clock forward by `seconds`, 0 or more."""
        self._offset += max(0.0, seconds)


class VirtualClock:
    """A clock that stands still until somebody sleeps."""

    virtual = True

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)
        await asyncio.sleep(0)
