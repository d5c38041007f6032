"""Delivers the reference server's notifications, beside its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from conformance.clock import Clock
from conformance.reference.notices import Notice, Notifications

__all__ = ["Courier", "Deliver", "nobody", "post"]

#: Sends a body with headers to a URI; the status of the answer, 0 where none came.
Deliver = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]

#: Seconds before each attempt at a delivery that is not answered 2xx.
_PAUSES = (0.0, 1.0, 5.0, 25.0)

#: Seconds that a receiver has to answer, as documented for event triggers.
_PATIENCE = 7.0

#: Seconds after which it is looked at again what is due.
_STEP = 0.05

#: Deliveries under way at a time; what comes beyond these waits.
_AT_ONCE = 8


async def post(uri: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send a notification over HTTP."""
    import httpx  # slow to import, and most servers notify nobody

    try:
        # Certificates take long to load, and plain HTTP has none to verify.
        verify = not uri.lower().startswith("http://")
        async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False, verify=verify) as client:
            return (await client.post(uri, headers=dict(headers), content=body)).status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return 0


async def nobody(uri: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send nothing: on a virtual clock nobody listens unless a receiver is put in this place."""
    return 204


class Courier:
    """Delivers what is due: in the background, or between answers on a virtual clock, where nothing else runs."""

    def __init__(self, notifications: Notifications, clock: Clock) -> None:
        self.deliver: Deliver = nobody if clock.virtual else post
        self._notifications, self._clock = notifications, clock
        self._round: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def go(self) -> None:
        """Deliver what is due on a virtual clock; on a real one, see to it that it will be delivered."""
        if self._clock.virtual:
            for notice in self._notifications.take(self._clock.now()):
                await self._attempt(notice)
        elif self._notifications.next_at is not None and (self._round is None or self._round.done()):
            self._round = asyncio.create_task(self._rounds())

    async def stop(self) -> None:
        """Give up what is not delivered yet."""
        tasks = [task for task in (self._round, *self._under_way) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _rounds(self) -> None:
        while self._notifications.next_at is not None:
            while len(self._under_way) >= _AT_ONCE:
                await asyncio.sleep(_STEP)
            for notice in self._notifications.take(self._clock.now()):
                task = asyncio.create_task(self._insist(notice))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(_STEP)

    async def _insist(self, notice: Notice) -> None:
        for pause in _PAUSES:
            await self._clock.sleep(pause)
            if 200 <= await self._attempt(notice) < 300:
                return

    async def _attempt(self, notice: Notice) -> int:
        return await self.deliver(notice.uri, self._notifications.headers(notice), notice.body)
