"""Requests that keep failing are retried between control requests: only a failure among successes accuses a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from conformance.http.exchange import Exchange
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.scenarios.malformed_requests import MalformedRequest
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, WriteRequest, write_requests
from conformance.servers.subject.readings import Flags, reading
from conformance.servers.subject.retries import failed, retry_interleaved
from conformance.servers.subject.transport import Transport

__all__ = ["PersistentFailureCheck"]


@dataclass(slots=True)
class PersistentFailureCheck:
    """Sends requests and retries those that fail; a kind of write that failed every time is sent once from then on."""

    transport: Transport
    journal: Journal
    run: RunContext
    exhausted_kinds: set[Step] = field(default_factory=set)

    async def send(self, scenario: Scenario, write: WriteRequest, *, reserve: int) -> Exchange:
        """The last answer to a write; `reserve` as in `Transport.send`."""
        send = partial(
            self.transport.send,
            write.method,
            write.path,
            account=scenario.account,
            document=write.body,
            content_type=write.media_type,
        )
        kind = replace(write.step, changed_fields=(), profile=0, timing="settled")
        if kind in self.exhausted_kinds:
            return await send(reserve=reserve, attempts=1)
        first = await send(reserve=reserve)
        last = await retry_interleaved(first, partial(send, attempts=1), self._control_writes(scenario))
        if failed(last) and last is not first:
            self.exhausted_kinds.add(kind)
        return last

    async def send_malformed(self, request: MalformedRequest, flags: Flags) -> None:
        """Send a malformed request; the journal keeps the event that it may have created."""
        entry = JournalEntry(request.account, request.calendar_id, self.run.event_id(request.scenario))
        if request.names_event:
            self.transport.max_requests.check(reserve=1)
            self.journal.open(entry)
        account = request.account
        send = partial(self.transport.send, request.method, request.target, account=account, content=request.content)
        control_read = partial(self.transport.send, "GET", reading(*flags[account]), account=account)
        control = control_read if request.method == "GET" else self._control_writes(request.scenario)
        first = await send(reserve=request.names_event)
        last = await retry_interleaved(first, partial(send, attempts=1), control)
        if request.names_event and last.response is not None and 400 <= last.response.status < 500:
            self.journal.settle(entry)

    def _control_writes(self, scenario: Scenario) -> Callable[[], Awaitable[Exchange]]:
        """Sends, at each call, one more plain write to an event of its own on the scenario's calendar."""
        numbers = count(1)

        async def send() -> Exchange:
            number = next(numbers)
            control = replace(scenario, id=f"control-{scenario.id}", steps=(Step("omitted"),) * number, event="")
            write = write_requests(control, self.run)[-1]
            self.transport.max_requests.check(reserve=number == 1)
            self.journal.open(JournalEntry(control.account, control.calendar_id, self.run.event_id(control)))
            return await self.transport.send(
                write.method, write.path, account=control.account, document=write.body, reserve=number == 1
            )

        return send
