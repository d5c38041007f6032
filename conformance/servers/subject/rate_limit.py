"""How many requests may be sent, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.clock import Clock

__all__ = ["BudgetExceededError", "RateLimiter", "RequestBudget"]


class BudgetExceededError(Exception):
    """The budget has no request left, but for those reserved to delete what was created."""


@dataclass(slots=True)
class RequestBudget:
    """A hard limit on requests (None: none), in which each creation reserves the DELETE that undoes it."""

    limit: int | None = None
    used: int = 0
    reserved: int = 0

    def spend(self, *, reserve: int = 0) -> None:
        """Count one request.  Raises BudgetExceededError where it, or its reservation, does not fit."""
        self.check(reserve)
        self.used += 1
        self.reserved += reserve

    def check(self, reserve: int = 0) -> None:
        """Raise BudgetExceededError where one request more, or its reservation, does not fit."""
        if self.limit is not None and self.committed + 1 + reserve > self.limit:
            raise BudgetExceededError(f"the limit of {self.limit} requests was reached")

    @property
    def committed(self) -> int:
        """The requests that were sent, and those that are reserved."""
        return self.used + self.reserved

    @contextmanager
    def narrowed(self, limit: int) -> Iterator[None]:
        """Within, a lower limit, if `limit` is lower."""
        usual = self.limit
        self.limit = limit if usual is None else min(usual, limit)
        try:
            yield
        finally:
            self.limit = usual

    def spend_reserved(self) -> None:
        """Count one request that an earlier creation reserved."""
        if self.reserved:
            self.reserved -= 1
            self.used += 1
        else:
            self.spend()


class RateLimiter:
    """A token bucket on a clock: `per_second` requests (None: any number), bursts of at most one second's worth."""

    def __init__(self, clock: Clock, per_second: float | None) -> None:
        self._clock = clock
        self._interval = 1.0 / per_second if per_second else 0.0
        self._next = clock.now()
        self._burst = 1.0

    async def acquire(self) -> None:
        """Wait until a request may be sent."""
        while True:
            now = self._clock.now()
            wait = self._next - self._burst - now if self._interval else self._next - now
            if wait <= 0:
                break
            await self._clock.sleep(wait)
        if self._interval:
            self._next = max(self._next, now) + self._interval

    def pause(self, seconds: float) -> None:
        """Hold all requests for `seconds`, as the subject asked."""
        self._next = max(self._next, self._clock.now() + seconds + (self._burst if self._interval else 0.0))
