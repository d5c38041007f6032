"""Waiting for a server that is starting."""

from __future__ import annotations

import httpx

from conformance.clock import Clock

__all__ = ["wait_for_answer"]

#: Seconds between two attempts at first and at most, and that one attempt may take.
_FIRST_PAUSE, _LONGEST_PAUSE, _ATTEMPT = 0.1, 2.0, 5.0

#: What a gateway answers while the server behind it is starting.
_NOT_YET = frozenset({502, 503, 504})


async def wait_for_answer(client: httpx.AsyncClient, base_url: str, clock: Clock, seconds: float) -> bool:
    """Whether the server answers within `seconds`, be it with a refusal: the requests carry no token."""
    until, pause = clock.now() + seconds, _FIRST_PAUSE
    while not await _answers(client, f"{base_url.rstrip('/')}/v1/calendars"):
        left = until - clock.now()
        if left <= 0:
            return False
        await clock.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return True


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        async with client.stream("GET", url, timeout=_ATTEMPT) as response:
            return response.status_code not in _NOT_YET
    except (httpx.HTTPError, OSError):
        return False
