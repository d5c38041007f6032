"""Probing: malformed requests are sent once, and insisted on where the server does not survive them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from conformance.campaign.insistence import beside
from conformance.campaign.ledger import Entry, Ledger
from conformance.campaign.lives import together
from conformance.exchange import Exchange
from conformance.scenarios.malformed import Malformed
from conformance.scenarios.model import Run
from conformance.subject.insisting import failed, insist
from conformance.subject.readings import Flags, reading
from conformance.subject.transport import Transport

__all__ = ["probe"]


async def probe(transport: Transport, ledger: Ledger, run: Run, flags: Flags, requests: Iterable[Malformed]) -> None:
    """Send malformed requests; what may have come of them is left to the ledger."""
    await together(_probe(transport, ledger, run, flags, request) for request in requests)


async def _probe(transport: Transport, ledger: Ledger, run: Run, flags: Flags, request: Malformed) -> None:
    entry = Entry(request.account, request.calendar_id, run.event_id(request.life))
    if request.names_event:
        ledger.open(entry)
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
        return await beside(transport, ledger, run, request.life, next(numbers))

    last = await insist(await send(None), send, another)
    if request.names_event and last.response is not None and not failed(last) and last.response.status >= 400:
        ledger.settle(entry)
