"""What the other exchanges of a recording say of one: whether headers are complete, which clock is right."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from urllib.parse import urlsplit

from msgspec.structs import replace

from conformance.http.exchange import Exchange
from conformance.recordings.parsing import FILTERED

__all__ = [
    "CLOCK_ERROR", "by_server_clock", "complete_where_authorized", "complete_where_authorized_anywhere",
    "without_filtered",
]  # fmt: skip

#: Exchanges that are held back until it is known whether ``Authorization`` is recorded for their origin.
_MOST_HELD = 1_000

#: Seconds; a clock with a larger error was moved, or is in another time zone.
CLOCK_ERROR = 1_800.0


def complete_where_authorized(exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """`exchanges`, with complete headers only where ``Authorization`` was recorded for the same origin, here or before.

    A recorder that filters it out does so everywhere; beside a request that has it, one without it had none.
    """
    authorized: set[str] = set()
    for exchange in exchanges:
        if _is_authorized(exchange):
            authorized.add(_origin(exchange))
        yield _complete_in(exchange, authorized)


def complete_where_authorized_anywhere(entries: Callable[[], Iterable[Exchange]]) -> Iterator[Exchange]:
    """The exchanges that `entries` gives, with complete headers only where ``Authorization`` was recorded for the same
    origin, here or anywhere.

    Exchanges are held back until that is known; where it takes too many, `entries` is called once more.
    """
    authorized: set[str] = set()
    held: deque[Exchange] = deque()
    rest = iter(entries())
    for exchange in rest:
        if _is_authorized(exchange):
            authorized.add(_origin(exchange))
        held.append(exchange)
        while held and (not held[0].headers_complete or _origin(held[0]) in authorized):
            yield held.popleft()
        if len(held) > _MOST_HELD:
            authorized |= {_origin(one) for one in entries() if _is_authorized(one)}
            break
    for exchange in chain(held, rest):
        yield _complete_in(exchange, authorized)


def _is_authorized(exchange: Exchange) -> bool:
    """Whether ``Authorization`` was recorded, redacted or not."""
    return exchange.request.header("authorization") is not None


def _complete_in(exchange: Exchange, authorized: set[str]) -> Exchange:
    if not exchange.headers_complete or _origin(exchange) in authorized:
        return exchange
    return replace(exchange, headers_complete=False)


def by_server_clock(exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """`exchanges`, with the server's ``Date`` as their time while the recorder's clock differs by hours (law clocks).

    Tests move their clocks.  Without a ``Date``, the time is unknown then.
    """
    moved = False
    for exchange in exchanges:
        recorded = exchange.answered_at if exchange.answered_at is not None else exchange.sent_at
        date = exchange.response.date if exchange.response is not None else None
        if date is not None and recorded is not None:
            moved = abs(recorded - date) > CLOCK_ERROR
        if moved:
            resolution = 0.0 if date is None else 1.0
            yield replace(exchange, sent_at=date, answered_at=date, time_resolution=resolution)
        else:
            yield exchange


def without_filtered(exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """`exchanges` without an ``Authorization`` that a filter replaced: one was sent, and nothing is known of it."""
    for exchange in exchanges:
        request = exchange.request
        if request.header("authorization") == FILTERED:
            headers = tuple(header for header in request.headers if header[1] != FILTERED)
            yield replace(exchange, request=replace(request, headers=headers), headers_complete=False)
        else:
            yield exchange


def _origin(exchange: Exchange) -> str:
    return _origin_of(exchange.request.url)


@lru_cache(maxsize=256)
def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
