"""Deleting what a run created: at its end, when it is interrupted, and by `cleanup` after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from conformance.servers.campaign.journal import Journal, JournalEntry, left_behind
from conformance.servers.campaign.scenario_state import items_of
from conformance.servers.subject import Subject
from conformance.servers.subject.availability import SubjectGoneError
from conformance.servers.subject.rate_limit import BudgetExceededError
from conformance.servers.subject.readings import READING, WIDER_READING, read_all_managed
from conformance.servers.subject.reception import Limits
from conformance.servers.subject.transport import Transport

__all__ = ["clean", "cleanup"]

#: How many events are deleted at a time.
_AT_ONCE = 8

#: Answers to a DELETE after which nothing is left: deleted, or not there.
_GONE = frozenset({200, 202, 204, 404, 410})

#: Events by calendar and event id.
_Events = set[tuple[str, str]]


async def clean(
    transport: Transport, journal: Journal, surely_gone: Iterable[JournalEntry] = (), *, quiet: float = 0.0
) -> tuple[JournalEntry, ...]:
    """Delete the events in the journal, but for those `surely_gone`.

    Returns those that could not be deleted and are still listed; what two readings `quiet` seconds apart do not list
    is gone, whatever the DELETE was answered.  It ends when the subject stops answering.
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
        await transport.check_availability(patience=0.0)
        while left := journal.entries:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(delete(entry)) for entry in left]
            if not any(task.result() for task in tasks):
                break
        if journal.entries:
            listed = await _listed(transport, {entry.account for entry in journal.entries}, quiet)
            for entry in journal.entries:
                if _is_gone(entry, listed):
                    journal.settle(entry)
    except* (SubjectGoneError, BudgetExceededError):
        pass  # what is left is reported
    return journal.entries


async def cleanup(
    subject: Subject, limits: Limits | None = None, journal: Path | None = None
) -> tuple[int, tuple[JournalEntry, ...]]:
    """Delete what earlier runs against the subject left.  Returns how many events are gone, and which are not.

    `journal` is the folder of the journals, if it is not the usual one.  Entries of accounts without a token are left;
    runs that are still in progress are not touched.
    """
    limits = limits or Limits()
    deleted = 0
    remaining: list[JournalEntry] = []
    async with subject.open(limits) as client:
        transport = Transport(client, subject.base_url, subject.tokens, subject.clock, limits=limits)
        for left in left_behind(subject.base_url, journal):
            still = []
            for entry in left.entries:
                if entry.account in subject.tokens and await _delete(transport, entry):
                    deleted += 1
                else:
                    still.append(entry)
            accounts = {entry.account for entry in still if entry.account in subject.tokens}
            listed = await _listed(transport, accounts, subject.quiet) if accounts else {}
            remains = tuple(entry for entry in still if not _is_gone(entry, listed))
            deleted += len(still) - len(remains)
            left.close(remains)
            remaining += remains
    return deleted, tuple(remaining)


async def _listed(transport: Transport, accounts: Iterable[str], quiet: float) -> dict[str, _Events]:
    """By account, the events that one of two complete readings lists; accounts without such readings are left out."""
    names = sorted(accounts)
    first = {name: await _read(transport, name) for name in names}
    await transport.clock.sleep(quiet)
    second = {name: await _read(transport, name) for name in names}
    return {
        name: one | other for name in names if (one := first[name]) is not None and (other := second[name]) is not None
    }


async def _read(transport: Transport, account: str) -> _Events | None:
    """The events that a complete reading lists; None where there is none, or no request is left for it."""
    try:
        for flags in (READING, WIDER_READING):
            items = items_of(await read_all_managed(transport, account, flags))
            if items is not None:
                return {(str(calendar_id), str(event_id)) for calendar_id, event_id in items}
    except BudgetExceededError:
        pass
    return None


def _is_gone(entry: JournalEntry, listed: Mapping[str, _Events]) -> bool:
    return entry.account in listed and (entry.calendar_id, entry.event_id) not in listed[entry.account]


async def _delete(transport: Transport, entry: JournalEntry) -> bool:
    path = f"/v1/calendars/{quote(entry.calendar_id, safe='')}/events"
    try:
        exchange = await transport.send(
            "DELETE", path, account=entry.account, document={"event_id": entry.event_id}, reserved=True, attempts=4
        )
    except BudgetExceededError:
        return False
    return exchange.response is not None and exchange.response.status in _GONE
