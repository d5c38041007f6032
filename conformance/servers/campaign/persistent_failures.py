"""Writes that fail for as long as one waits are sent again between others that succeed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from conformance.http.exchange import Exchange
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, WriteRequest, write_requests
from conformance.servers.subject.retries import RETRIES, failed, retry_interleaved
from conformance.servers.subject.transport import Transport

__all__ = ["PersistentFailureCheck", "control_request"]

#: Attempts where the same kind of write was seen to fail every time.
_HOPELESS = 1


@dataclass(slots=True)
class PersistentFailureCheck:
    """Sends the writes of scenarios, and insists on those that fail; `exhausted_kinds` are kinds that failed every time."""

    transport: Transport
    journal: Journal
    run: RunContext
    exhausted_kinds: set[Step] = field(default_factory=set)

    async def send(self, scenario: Scenario, write: WriteRequest, *, reserve: bool) -> Exchange:
        """The last answer to a write."""
        kind = replace(write.step, changed_fields=(), profile=0, immediate=False)
        attempts = _HOPELESS if kind in self.exhausted_kinds else None
        exchange = await self._send(write, scenario.account, reserve, attempts)
        if not failed(exchange) or kind in self.exhausted_kinds:
            return exchange
        probes = iter(range(1, RETRIES + 1))
        last = await retry_interleaved(
            exchange,
            lambda: self._send(write, scenario.account, False, 1),
            lambda: control_request(self.transport, self.journal, self.run, scenario, next(probes)),
        )
        if failed(last) and last is not exchange:
            self.exhausted_kinds.add(kind)
        return last

    async def _send(self, write: WriteRequest, account: str, reserve: bool, attempts: int | None) -> Exchange:
        return await self.transport.send(
            write.method, write.path, account=account, document=write.body, reserve=reserve, attempts=attempts
        )


async def control_request(
    transport: Transport, journal: Journal, run: RunContext, scenario: Scenario, number: int
) -> Exchange:
    """A plain write to the calendar of a scenario, the `number`th of an event of its own."""
    plain = Scenario(
        f"beside-{scenario.id}", scenario.account, scenario.calendar_id, (Step("omitted"),) * number, "beside"
    )
    write = write_requests(plain, run)[-1]
    entry = JournalEntry(plain.account, plain.calendar_id, run.event_id(plain))
    journal.open(entry)
    return await transport.send(
        write.method, write.path, account=scenario.account, document=write.body, reserve=number == 1
    )
