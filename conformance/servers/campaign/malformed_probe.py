"""Probing: malformed requests are sent once, and insisted on where the server does not survive them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from conformance.http.exchange import Exchange
from conformance.servers.campaign.concurrency import gather_all
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.campaign.persistent_failures import control_request
from conformance.servers.scenarios.malformed_requests import MalformedRequest
from conformance.servers.scenarios.scenario import RunContext
from conformance.servers.subject.readings import Flags, reading
from conformance.servers.subject.retries import failed, retry_interleaved
from conformance.servers.subject.transport import Transport

__all__ = ["probe"]


async def probe(
    transport: Transport, journal: Journal, run: RunContext, flags: Flags, requests: Iterable[MalformedRequest]
) -> None:
    """Send malformed requests; what may have come of them is left to the journal."""
    await gather_all(_probe(transport, journal, run, flags, request) for request in requests)


async def _probe(
    transport: Transport, journal: Journal, run: RunContext, flags: Flags, request: MalformedRequest
) -> None:
    entry = JournalEntry(request.account, request.calendar_id, run.event_id(request.scenario))
    if request.names_event:
        journal.open(entry)
    numbers = count(1)

    async def send(attempts: int | None = 1) -> Exchange:
        return await transport.send(
            request.method,
            request.target,
            account=request.account,
            content=request.content,
            reserve=request.names_event and attempts is None,
            attempts=attempts,
        )

    async def another() -> Exchange:
        if request.method == "GET":
            return await transport.send("GET", reading(*flags[request.account]), account=request.account)
        return await control_request(transport, journal, run, request.scenario, next(numbers))

    last = await retry_interleaved(await send(None), send, another)
    if request.names_event and last.response is not None and not failed(last) and last.response.status >= 400:
        journal.settle(entry)
