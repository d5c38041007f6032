"""Subscriptions of a run: one write that shows whether they are accepted, and the wait for what they bring."""

from __future__ import annotations

from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, write_requests
from conformance.servers.subject.transport import Transport

__all__ = ["subscriptions_are_accepted"]


async def subscriptions_are_accepted(transport: Transport, journal: Journal, run: RunContext) -> bool:
    """Create an explicit event with subscriptions on the first calendar: whether that is accepted."""
    for account, calendar in run.inventory.targets[:1]:
        step = Step("explicit", subscriptions="both")
        scenario = Scenario("subscribed", account.name, calendar.calendar_id, (step,), "subscriptions")
        entry = JournalEntry(account.name, calendar.calendar_id, run.event_id(scenario))
        journal.open(entry)
        [write] = write_requests(scenario, run)
        exchange = await transport.send("POST", write.path, account=account.name, document=write.body, reserve=1)
        status = exchange.response.status if exchange.response is not None else None
        if status is not None and 400 <= status < 500:
            journal.settle(entry)
        return status is not None and status < 300
    return False
