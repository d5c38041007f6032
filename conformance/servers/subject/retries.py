"""Insisting: what fails for as long as one waits is sent again, between others that succeed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from conformance.facts.repeated_failures import HUNG
from conformance.http.exchange import Exchange

__all__ = ["RETRIES", "failed", "retry_interleaved"]

#: How often a request that failed is sent once more, each time behind one that is to succeed.
RETRIES = 4


def failed(exchange: Exchange) -> bool:
    """Whether a request had no answer, or one of 5xx."""
    return exchange.response is None or exchange.response.status >= 500


def _hung(exchange: Exchange) -> bool:
    """Whether it took its time to fail: to insist would only take longer."""
    took = (exchange.answered_at or 0.0) - (exchange.sent_at or 0.0)
    return exchange.response is None and took >= HUNG


async def retry_interleaved(
    first: Exchange, again: Callable[[], Awaitable[Exchange]], control_request: Callable[[], Awaitable[Exchange]]
) -> Exchange:
    """The last answer to a request that was answered with `first`; `control_request` sends another that is to succeed."""
    last = first
    for _ in range(RETRIES):
        if not failed(last) or _hung(last) or failed(await control_request()):
            break
        last = await again()
    return last
