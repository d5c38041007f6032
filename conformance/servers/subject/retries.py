"""Requests that keep failing: retried between control requests that succeed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from conformance.facts.repeated_failures import HUNG
from conformance.http.exchange import Exchange

__all__ = ["RETRIES", "failed", "retry_interleaved"]

#: How often a failed request is retried, each time after a control request.
RETRIES = 4


def failed(exchange: Exchange) -> bool:
    """Whether a request got no answer, or one of 5xx."""
    return exchange.response is None or exchange.response.status >= 500


def _hung(exchange: Exchange) -> bool:
    """Whether a request waited long for nothing: retries would only take longer."""
    took = (exchange.answered_at or 0.0) - (exchange.sent_at or 0.0)
    return exchange.response is None and took >= HUNG


async def retry_interleaved(
    first: Exchange, again: Callable[[], Awaitable[Exchange]], control_request: Callable[[], Awaitable[Exchange]]
) -> Exchange:
    """The last answer to a request whose first answer was `first`.

    `again` retries the request; `control_request` sends one that should succeed, and where it fails too, retries end.
    """
    last = first
    for _ in range(RETRIES):
        if not failed(last) or _hung(last) or failed(await control_request()):
            break
        last = await again()
    return last
