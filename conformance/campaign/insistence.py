"""Writes that fail for as long as one waits are sent again between others that succeed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from conformance.campaign.ledger import Entry, Ledger
from conformance.exchange import Exchange
from conformance.scenarios.model import Life, Move, Run, Write, writes
from conformance.subject.insisting import TIMES, failed, insist
from conformance.subject.transport import Transport

__all__ = ["Insistence", "beside"]

#: Attempts where the same kind of write was seen to fail every time.
_HOPELESS = 1


@dataclass(slots=True)
class Insistence:
    """Sends the writes of lives, and insists on those that fail; `hopeless` are kinds that failed every time."""

    transport: Transport
    ledger: Ledger
    run: Run
    hopeless: set[Move] = field(default_factory=set)

    async def send(self, life: Life, write: Write, *, reserve: bool) -> Exchange:
        """The last answer to a write."""
        kind = replace(write.move, changes=(), profile=0, hasty=False)
        attempts = _HOPELESS if kind in self.hopeless else None
        exchange = await self._send(write, life.account, reserve, attempts)
        if not failed(exchange) or kind in self.hopeless:
            return exchange
        probes = iter(range(1, TIMES + 1))
        last = await insist(
            exchange,
            lambda: self._send(write, life.account, False, 1),
            lambda: beside(self.transport, self.ledger, self.run, life, next(probes)),
        )
        if failed(last) and last is not exchange:
            self.hopeless.add(kind)
        return last

    async def _send(self, write: Write, account: str, reserve: bool, attempts: int | None) -> Exchange:
        return await self.transport.send(
            write.method, write.path, account=account, document=write.body, reserve=reserve, attempts=attempts
        )


async def beside(transport: Transport, ledger: Ledger, run: Run, life: Life, number: int) -> Exchange:
    """A plain write to the calendar of a life, the `number`th of an event of its own."""
    plain = Life(f"beside-{life.id}", life.account, life.calendar_id, (Move("nothing"),) * number, "beside")
    write = writes(plain, run)[-1]
    entry = Entry(plain.account, plain.calendar_id, run.event_id(plain))
    ledger.open(entry)
    return await transport.send(
        write.method, write.path, account=life.account, document=write.body, reserve=number == 1
    )
