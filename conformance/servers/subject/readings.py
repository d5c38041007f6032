"""Readings: all pages of a list of events, and the flags with which all managed events are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from conformance.http.exchange import Exchange
from conformance.servers.subject.retries import failed, retry_interleaved
from conformance.servers.subject.transport import Transport

__all__ = [
    "READING",
    "WIDER_READING",
    "Flags",
    "NextPage",
    "answered_json",
    "next_page",
    "read_all_managed",
    "read_pages",
    "read_with_retry",
    "reading",
]

#: By account name: the query parameters with which its managed events are read.
Flags = Mapping[str, tuple[tuple[str, str], ...]]


class NextPage(NamedTuple):
    """The URL of a page after the first, and the account whose events are on it."""

    account: str
    url: str


#: Parameters of a complete reading: every managed event, whatever its time.
READING = (("tzid", "Etc/UTC"), ("only_managed", "true"))

#: The same for subjects that refuse READING: managed events among all others.
WIDER_READING = (("tzid", "Etc/UTC"), ("include_managed", "true"))

#: A reading ends after so many pages in a row without a new event.
_IDLE_PAGES = 3


def reading(*parameters: tuple[str, str]) -> str:
    """The target of a read with these query parameters.

    >>> reading(("tzid", "Etc/UTC"))
    '/v1/events?tzid=Etc%2FUTC'
    """
    return "/v1/events?" + urlencode(parameters)


async def read_pages(transport: Transport, account: str | None, target: str) -> list[Exchange]:
    """A read with all its pages.

    It ends at a page that fails, repeats, cannot be requested or is at another origin, after several pages without a
    new event, and at the limit of pages.
    """
    exchanges = [await transport.send("GET", target, account=account)]
    visited = {exchanges[0].request.url}
    listed = _events(exchanges[0])
    idle = 0
    transport.count_events(listed)
    while idle < _IDLE_PAGES:
        following = next_page(exchanges[-1])
        if following is None or following in visited or not transport.owns(following):
            break
        if len(exchanges) >= transport.limits.pages:
            transport.note(f"a reading has more than {transport.limits.pages} pages: the others were not read")
            break
        visited.add(following)
        page = await transport.send("GET", following, account=account)
        if failed(page):
            page = await _retried(transport, account, page, target)
        exchanges.append(page)
        new = _events(exchanges[-1]) - listed
        listed |= new
        transport.count_events(new)
        idle = 0 if new else idle + 1
    return exchanges


async def read_with_retry(transport: Transport, account: str, target: str, usual: str) -> list[Exchange]:
    """A read with all its pages; if the first one fails, it is retried between reads of `usual`.

    The pages are those of the first attempt.
    """
    pages = await read_pages(transport, account, target)
    await retry_interleaved(
        pages[0],
        lambda: transport.send("GET", target, account=account, attempts=1),
        lambda: transport.send("GET", usual, account=account),
    )
    return pages


async def _retried(transport: Transport, account: str | None, page: Exchange, target: str) -> Exchange:
    """A page that failed, retried between readings of the first page."""
    return await retry_interleaved(
        page,
        lambda: transport.send("GET", page.request.url, account=account, attempts=1),
        lambda: transport.send("GET", target, account=account),
    )


async def read_all_managed(transport: Transport, account: str, flags: tuple[tuple[str, str], ...]) -> list[Exchange]:
    """All managed events of an account, page by page."""
    return await read_pages(transport, account, reading(*flags))


def next_page(exchange: Exchange) -> str | None:
    """The URL of the page after this one; None if it is the last, or no page at all."""
    body = answered_json(exchange)
    pages = body.get("pages") if isinstance(body, dict) else None
    following = pages.get("next_page") if isinstance(pages, dict) else None
    return following if isinstance(following, str) and following else None


def _events(exchange: Exchange) -> set[str]:
    """The identities of the events on a page."""
    body = answered_json(exchange)
    events = body.get("events") if isinstance(body, dict) else None
    names = ("calendar_id", "event_id", "event_uid")
    return (
        {repr([event.get(name) for name in names]) for event in events or () if isinstance(event, dict)}
        if isinstance(events, list)
        else set()
    )


def answered_json(exchange: Exchange) -> Any:
    """The body of a 200 response, if it is JSON; else None."""
    if exchange.response is None or exchange.response.status != 200:
        return None
    try:
        return exchange.response.json()
    except ValueError:
        return None
