"""Deleting what a run created: at its end, when it is interrupted, and by `cleanup` after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import quote

from conformance.servers.campaign.journal import Journal, JournalEntry, left_behind
from conformance.servers.subject import Subject
from conformance.servers.subject.availability import SubjectGoneError
from conformance.servers.subject.rate_limit import BudgetExceededError
from conformance.servers.subject.reception import Limits
from conformance.servers.subject.transport import Transport

__all__ = ["clean", "cleanup"]

#: How many events are deleted at a time.
_AT_ONCE = 8

#: Answers to a DELETE after which nothing is left: deleted, or not there.
_GONE = frozenset({200, 202, 204, 404, 410})


async def clean(
    transport: Transport, journal: Journal, surely_gone: Iterable[JournalEntry] = ()
) -> tuple[JournalEntry, ...]:
    """Delete the events in the journal, but for those `surely_gone`.  Returns those that could not be deleted.

    It ends when the subject stops answering.
    """
    for entry in surely_gone:
        journal.settle(entry)
    slots = asyncio.Semaphore(_AT_ONCE)

    async def delete(entry: JournalEntry) -> bool:
        async with slots:
            gone = await _delete(transport, entry)
        if gone:
            journal.settle(entry)
        return gone

    try:
        await transport.check_availability()
        while left := journal.entries:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(delete(entry)) for entry in left]
            if not any(task.result() for task in tasks):
                break
    except* (SubjectGoneError, BudgetExceededError):
        pass  # what is left is reported
    return journal.entries


async def cleanup(subject: Subject, limits: Limits | None = None) -> tuple[int, tuple[JournalEntry, ...]]:
    """Delete what earlier runs against the subject left.  Returns how many events are gone, and which are not.

    Entries of accounts without a token are left; runs that are still in progress are not touched.
    """
    limits = limits or Limits()
    deleted = 0
    remaining: list[JournalEntry] = []
    async with subject.open(limits) as client:
        transport = Transport(client, subject.base_url, subject.tokens, subject.clock, limits=limits)
        for left in left_behind(subject.base_url):
            still = []
            for entry in left.entries:
                if entry.account in subject.tokens and await _delete(transport, entry):
                    deleted += 1
                else:
                    still.append(entry)
            left.close(tuple(still))
            remaining += still
    return deleted, tuple(remaining)


async def _delete(transport: Transport, entry: JournalEntry) -> bool:
    path = f"/v1/calendars/{quote(entry.calendar_id, safe='')}/events"
    try:
        exchange = await transport.send(
            "DELETE", path, account=entry.account, document={"event_id": entry.event_id}, reserved=True, attempts=4
        )
    except BudgetExceededError:
        return False
    return exchange.response is not None and exchange.response.status in _GONE
