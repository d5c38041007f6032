"""Calendars that answer 423 for a while: writes to one of them take turns, and wait until it passes."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["LOCKED", "LockedCalendar", "Turn"]

#: What is answered to writes while an account or a calendar is in no state to take them.
LOCKED = 423

#: So many writes may wait in vain, one after the other; then 423 is what the calendar answers.
_IN_VAIN = 3


class LockedCalendar:
    """A calendar as the writes to it found it: whether one of them met a lock, and how many waited in vain."""

    def __init__(self) -> None:
        self.was_met = False
        self.in_vain = 0
        self.waiting = asyncio.Lock()


class Turn:
    """One write to a calendar, which waits for the others' turns as soon as one of them met a lock."""

    def __init__(self, calendar: LockedCalendar) -> None:
        self._calendar = calendar
        self._taken = self._waited = self._met = False

    async def __aenter__(self) -> Turn:
        if self._calendar.was_met:
            await self._take()
        return self

    async def _take(self) -> None:
        if not self._taken:
            await self._calendar.waiting.acquire()
            self._taken = True

    async def passes(self, status: int | None) -> bool:
        """Whether the answer is a lock that may pass; what is sent next is alone then."""
        self._met = status == LOCKED
        if not self._met or self._calendar.in_vain >= _IN_VAIN:
            return False
        self._calendar.was_met = self._waited = True
        await self._take()
        return True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waited and kind is None:
            self._calendar.in_vain = self._calendar.in_vain + 1 if self._met else 0
        if self._taken:
            self._calendar.waiting.release()
