"""Many coroutines at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from conformance.servers.campaign.scheduler import T

__all__ = ["together"]


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, each run to its end; then the first exception, if there was one."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
