"""One batch of different writes, whose events the readings of the run then watch."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, write_requests
from conformance.servers.subject.transport import Transport

__all__ = ["BATCH_EVENTS", "send_batch"]

_STEPS = {
    "explicit": Step("explicit"),
    "plain": Step("omitted"),
    "invalid": Step("invalid", defect="explicit-without-url"),
}

#: How many events a batch may create.
BATCH_EVENTS = len(_STEPS)


def _scenarios(run: RunContext) -> Iterator[Scenario]:
    for account, calendar in run.inventory.targets[:1]:
        for name, step in _STEPS.items():
            yield Scenario(f"batch-{name}", account.name, calendar.calendar_id, (step,), "batch")


async def send_batch(transport: Transport, journal: Journal, run: RunContext) -> None:
    """Send one batch of writes to the first calendar; a subject that has no such endpoint refuses it as a whole."""
    scenarios = list(_scenarios(run))
    if not scenarios:
        return
    entries = []
    transport.max_requests.check(BATCH_EVENTS)
    for scenario in scenarios:
        journal.open(JournalEntry(scenario.account, scenario.calendar_id, run.event_id(scenario)))
        [write] = write_requests(scenario, run)
        entries.append({"method": write.method, "relative_url": write.path, "data": write.body})
    exchange = await transport.send(
        "POST", "/v1/batch", account=scenarios[0].account, document={"batch": entries}, reserve=BATCH_EVENTS, attempts=1
    )
    if exchange.response is not None and 400 <= exchange.response.status < 500:
        for scenario in scenarios:
            journal.settle(JournalEntry(scenario.account, scenario.calendar_id, run.event_id(scenario)))
