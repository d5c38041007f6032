"""Readings: every page of what a subject lists, and the flags with which all events that are managed are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from conformance.http.exchange import Exchange
from conformance.servers.subject.retries import failed, retry_interleaved
from conformance.servers.subject.transport import Transport

__all__ = [
    "READING",
    "WIDER_READING",
    "Flags",
    "answered_json",
    "next_page",
    "read_all_managed",
    "read_pages",
    "read_with_retry",
    "reading",
]

#: By account: the flags with which its managed events are read.
Flags = Mapping[str, tuple[tuple[str, str], ...]]

#: Flags of a complete reading: every event that is managed, whenever it is.
READING = (("tzid", "Etc/UTC"), ("only_managed", "true"))

#: The same where a subject does not take the first: its own events among all others.
WIDER_READING = (("tzid", "Etc/UTC"), ("include_managed", "true"))

#: After so many pages in a row without an event that was not on an earlier one, more will not bring any.
_IDLE_PAGES = 3


def reading(*parameters: tuple[str, str]) -> str:
    """The target of a read with these query parameters.

    >>> reading(("tzid", "Etc/UTC"))
    '/v1/events?tzid=Etc%2FUTC'
    """
    return "/v1/events?" + urlencode(parameters)


async def read_pages(transport: Transport, account: str | None, target: str) -> list[Exchange]:
    """A read with all its pages.

    It ends at a page that fails, repeats, or lies at another origin, and where several in a row bring nothing new.
    """
    exchanges = [await transport.send("GET", target, account=account)]
    visited = {exchanges[0].request.url}
    seen = _events(exchanges[0])
    idle = 0
    while idle < _IDLE_PAGES:
        following = next_page(exchanges[-1])
        if following is None or following in visited or not transport.owns(following):
            break
        visited.add(following)
        page = await transport.send("GET", following, account=account)
        if failed(page):
            page = await _insisted(transport, account, page, target)
        exchanges.append(page)
        new = _events(exchanges[-1]) - seen
        seen |= new
        idle = 0 if new else idle + 1
    return exchanges


async def read_with_retry(transport: Transport, account: str, target: str, usual: str) -> list[Exchange]:
    """A read with all its pages; if the first one fails, it is sent again behind reads of `usual`."""
    pages = await read_pages(transport, account, target)
    await retry_interleaved(
        pages[0],
        lambda: transport.send("GET", target, account=account, attempts=1),
        lambda: transport.send("GET", usual, account=account),
    )
    return pages


async def _insisted(transport: Transport, account: str | None, page: Exchange, target: str) -> Exchange:
    """A page that failed, once more behind readings of the first one."""
    return await retry_interleaved(
        page,
        lambda: transport.send("GET", page.request.url, account=account, attempts=1),
        lambda: transport.send("GET", target, account=account),
    )


async def read_all_managed(transport: Transport, account: str, flags: tuple[tuple[str, str], ...]) -> list[Exchange]:
    """Every event managed in an account, page by page."""
    return await read_pages(transport, account, reading(*flags))


def next_page(exchange: Exchange) -> str | None:
    """The address of the page after this one; None if it is the last, or no page at all."""
    body = answered_json(exchange)
    pages = body.get("pages") if isinstance(body, dict) else None
    following = pages.get("next_page") if isinstance(pages, dict) else None
    return following if isinstance(following, str) and following else None


def _events(exchange: Exchange) -> set[str]:
    """What tells the events of a page apart."""
    body = answered_json(exchange)
    events = body.get("events") if isinstance(body, dict) else None
    names = ("calendar_id", "event_id", "event_uid")
    return (
        {repr([event.get(name) for name in names]) for event in events or () if isinstance(event, dict)}
        if isinstance(events, list)
        else set()
    )


def answered_json(exchange: Exchange) -> Any:
    """What a request was answered with 200, as far as it is JSON; else None."""
    if exchange.response is None or exchange.response.status != 200:
        return None
    try:
        return exchange.response.json()
    except ValueError:
        return None
