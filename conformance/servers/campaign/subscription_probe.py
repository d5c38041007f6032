"""Subscriptions of a run: one event that shows whether they are accepted."""

from __future__ import annotations

from collections.abc import Collection

from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, write_requests
from conformance.servers.subject.transport import Transport

__all__ = ["subscriptions_are_accepted"]


async def subscriptions_are_accepted(
    transport: Transport, journal: Journal, run: RunContext, accounts: Collection[str]
) -> bool:
    """Create an explicit event on the first calendar, and update it with subscriptions: whether both are accepted.

    The first of `accounts`, if there is one: they are read throughout, and what is read late seems to settle late.
    Where the event itself is refused, nothing is learnt of subscriptions, and none are sent.
    """
    targets = sorted(run.inventory.targets, key=lambda target: target.account.name not in accounts)
    for account, calendar in targets[:1]:
        steps = Step("explicit"), Step("explicit", subscriptions="both")
        scenario = Scenario("subscribed", account.name, calendar.calendar_id, steps, "subscriptions")
        entry = JournalEntry(account.name, calendar.calendar_id, run.event_id(scenario))
        journal.open(entry)
        for number, write in enumerate(write_requests(scenario, run)):
            exchange = await transport.send(
                "POST", write.path, account=account.name, document=write.body, reserve=number == 0
            )
            status = exchange.response.status if exchange.response is not None else None
            if number == 0 and status is not None and 400 <= status < 500:
                journal.settle(entry)
            if status is None or status >= 300:
                return False
        return True
    return False
