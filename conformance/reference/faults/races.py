"""Events that get mixed up: equal ids, writes while pending, deletion and new creation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.conferencing import TIMELINE, VERSIONS
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import (
    PENDING,
    REMOVED,
    STORED,
    Key,
    Phase,
    Removal,
    StoredVersions,
    StoredWrite,
    Timeline,
    Version,
    value_at,
)
from conformance.reference.overrides import GENERATED, assigned, stored_too

__all__ = ["RACES"]


def _same_id(write: StoredWrite) -> tuple[Key, ...]:
    """The keys of existing events with the same event_id in the same account."""
    return tuple(
        key
        for key in write.store.records
        if key.event_id == write.event_id and key.account == write.account.name and write.store.existing(key, write.at)
    )


def _same_id_anywhere(write: StoredWrite) -> tuple[Key, ...]:
    return tuple(
        key for key in write.store.records if key.event_id == write.event_id and write.store.existing(key, write.at)
    )


def _shared(right: StoredVersions, write: StoredWrite) -> StoredVersions:
    """Other events with the same event_id get the conferencing of this write, and keep their fields."""
    if write.kind == "omitted":
        return right
    made = right[write.key][-1]
    more: dict[Key, tuple[Version, ...]] = {}
    for key in _same_id(write):
        existing = write.store.existing(key, write.at)
        if existing and key not in right:
            more[key] = (replace(existing, at=write.at, conferencing=made.conferencing, origin=made.origin),)
    return {**right, **more}


def _late(outcome_of: Callable[[StoredWrite], Any], when: Callable[[StoredWrite], bool]) -> Override:
    """The outcome of an earlier request arrives after this one has settled."""

    def alter(right: Timeline, write: StoredWrite) -> Timeline:
        outcome = outcome_of(write)
        if write.shown_before != PENDING or not assigned(outcome) or not when(write):
            return right
        return (*right, Phase(max(write.before[-1].since, right[-1].since) + write.settle, outcome))

    return at(TIMELINE, alter)


def _own_before(write: StoredWrite) -> Any:
    return write.settles_before


def _stale_fields(right: tuple[Version, ...], write: StoredWrite) -> tuple[Version, ...]:
    """The generation that an earlier write started writes the fields of that write back."""
    previous = write.previous
    if previous is None or write.shown_before != PENDING or write.kind != "omitted":
        return right
    due = previous.conferencing[-1].since
    return (*right, replace(right[-1], at=max(due, write.at), fields=previous.fields))


def _inherited(right: Timeline, write: StoredWrite) -> Timeline:
    """A new event without conferencing starts with that of the event written before it in the same calendar."""
    others = [
        each for each in write.store.writes if each.calendar == write.calendar and each.event_id != write.event_id
    ]
    if not (write.creates and write.kind == "omitted" and others):
        return right
    existing = write.store.existing(others[-1].key, write.at)
    return existing.conferencing if existing and existing.conferencing else right


def _reborn(right: Timeline, write: StoredWrite) -> Timeline:
    """An event that is created again after its deletion has the conferencing that it had before."""
    deleted = write.history[-1] if write.history and write.history[-1].deleted else None
    if deleted is None or write.kind != "omitted" or not deleted.conferencing:
        return right
    return deleted.conferencing


def _survives_deletion(right: Timeline, write: StoredWrite) -> Timeline:
    """What was pending when the event was deleted arrives at the event that is created again."""
    deleted = write.history[-1] if write.history and write.history[-1].deleted else None
    if deleted is None or not deleted.conferencing or value_at(deleted.conferencing, deleted.at) != PENDING:
        return right
    last = deleted.conferencing[-1]
    since = max([last.since, write.at, *(phase.since for phase in right)]) + write.settle
    return (*right, Phase(since, last.shows)) if assigned(last.shows) else right


def _removes(
    keys: Callable[[Removal], tuple[Key, ...]],
) -> Override:
    """More events are deleted than the one that was named."""

    def alter(right: Mapping[Key, tuple[Version, ...]], removal: Removal) -> Mapping[Key, tuple[Version, ...]]:
        more = {}
        for key in keys(removal):
            existing = removal.store.existing(key, removal.at)
            if right and existing and key not in right and removal.store.records[key].managed:
                more[key] = (replace(existing, at=removal.at, kind="delete", deleted=True),)
        return {**right, **more}

    return at(REMOVED, alter)


def _removed(change: Callable[[tuple[Version, ...], Removal], tuple[Version, ...]]) -> Override:
    return at(REMOVED, lambda right, removal: {key: change(versions, removal) for key, versions in right.items()})


def _back_later(versions: tuple[Version, ...], removal: Removal) -> tuple[Version, ...]:
    dead = versions[-1]
    return (*versions, replace(dead, at=removal.at + 2 * removal.store.settle, deleted=False))


def _instead(versions: tuple[Version, ...], removal: Removal) -> tuple[Version, ...]:
    dead = versions[-1]
    return (replace(dead, deleted=False, conferencing=(Phase(removal.at, None),), origin="none"),)


def _next_key(removal: Removal) -> tuple[Key, ...]:
    """The event that was created in the same calendar after the one to be deleted."""
    keys = [key for key in removal.store.records if key[:2] == removal.key[:2]]
    index = keys.index(removal.key) if removal.key in keys else len(keys)
    return tuple(keys[index + 1 : index + 2])


def _same_time(right: Mapping[Key, tuple[Version, ...]], removal: Removal) -> Mapping[Key, tuple[Version, ...]]:
    """The events of the account that begin with the one that is deleted lose their conferencing."""
    gone = removal.store.records[removal.key].at(removal.at) if right else None
    more = {}
    for record in tuple(removal.store.of_account(removal.account.name)):
        existing = removal.store.existing(record.key, removal.at)
        other = record.managed and record.key != removal.key
        if gone and existing and other and existing.fields["start"] == gone.fields["start"]:
            cleared = (Phase(removal.at, None),)
            more[record.key] = (replace(existing, at=removal.at, conferencing=cleared, origin="none"),)
    return {**more, **right}


RACES = (
    fault(
        "same-id-shared-by-calendars",
        "2.1",
        "sequence",
        "A write changes the event with the same event_id on other calendars",
        stored_too(_same_id),
    ),
    fault(
        "same-id-shares-conferencing",
        "2.1 D3",
        "sequence",
        "Conferencing is set on the events with the same event_id on other calendars too",
        at(STORED, _shared),
    ),
    fault(
        "same-id-shared-by-accounts",
        "2.1",
        "sequence",
        "A write changes the event with the same event_id in other accounts",
        stored_too(_same_id_anywhere),
    ),
    fault(
        "new-event-inherits-conferencing",
        "D3",
        "sequence",
        "An event created without conferencing has that of the event written before it",
        at(TIMELINE, _inherited),
    ),
    fault(
        "late-generation-overwrites-none",
        "B7",
        "sequence",
        "A conference that was pending at `none` is still assigned later",
        _late(_own_before, lambda write: write.kind == "none"),
    ),
    fault(
        "late-generation-overwrites-explicit",
        "B8",
        "sequence",
        "A conference that was pending at `explicit` replaces it later",
        _late(_own_before, lambda write: write.kind == "explicit" and write.origin in GENERATED),
    ),
    fault(
        "late-explicit-overwrites-explicit",
        "B8",
        "sequence",
        "Explicit conferencing that was pending at another `explicit` replaces it later",
        _late(_own_before, lambda write: write.kind == "explicit" and write.origin == "explicit"),
    ),
    fault(
        "late-explicit-overwrites-generation",
        "S1 S3",
        "sequence",
        "Explicit conferencing that was pending at a request for generation replaces its result later",
        _late(_own_before, lambda write: write.kind in GENERATED and write.origin == "explicit"),
    ),
    fault(
        "late-generation-overwrites-generation",
        "S4 A6",
        "sequence",
        "A conference that was pending at a request to another service replaces its result later",
        _late(
            _own_before,
            lambda write: (
                write.kind in GENERATED
                and write.previous is not None
                and write.previous.service != write.service
                and write.service is not None
            ),
        ),
    ),
    fault(
        "late-generation-restores-fields",
        "2.1",
        "sequence",
        "A conference that was pending at an update writes the old summary and times back",
        at(VERSIONS, _stale_fields),
    ),
    fault(
        "generation-survives-deletion",
        "2.1 S1",
        "sequence",
        "A conference that was pending at a deletion appears on the event that is created again",
        at(TIMELINE, _survives_deletion),
    ),
    fault("delete-ignored", "2.5", "always", "A deletion is accepted and does nothing", at(REMOVED, lambda _, __: {})),
    fault(
        "delete-ignored-with-conferencing",
        "2.5",
        "case",
        "An event that has a conference is not deleted",
        _removed(
            lambda versions, removal: () if assigned(value_at(versions[-1].conferencing, removal.at)) else versions
        ),
    ),
    fault(
        "delete-ignored-while-pending",
        "2.5",
        "sequence",
        "A deleted event whose conference is pending comes back when that has settled",
        _removed(
            lambda versions, removal: (
                _back_later(versions, removal)
                if value_at(versions[-1].conferencing, removal.at) == PENDING
                else versions
            )
        ),
    ),
    fault("delete-undone-later", "2.5", "always", "A deleted event comes back some time later", _removed(_back_later)),
    fault(
        "delete-removes-conferencing-only",
        "2.5",
        "always",
        "A deletion removes the conferencing and leaves the event",
        _removed(_instead),
    ),
    fault(
        "delete-removes-same-id-on-other-calendars",
        "2.5",
        "sequence",
        "A deletion also deletes the events with the same event_id on other calendars",
        _removes(
            lambda removal: tuple(
                key
                for key in removal.store.records
                if key.account == removal.account.name and key.event_id == removal.event_id
            )
        ),
    ),
    fault(
        "delete-removes-same-id-in-other-accounts",
        "2.5",
        "sequence",
        "A deletion also deletes the events with the same event_id in other accounts",
        _removes(lambda removal: tuple(key for key in removal.store.records if key.event_id == removal.event_id)),
    ),
    fault(
        "delete-removes-the-next-event",
        "2.5",
        "case",
        "A deletion also deletes the event that was created next",
        _removes(_next_key),
    ),
    fault(
        "delete-clears-conferencing-at-the-same-time",
        "D3 2.5",
        "sequence",
        "A deletion also removes the conferencing of events that begin at the same time",
        at(REMOVED, _same_time),
    ),
    fault(
        "created-again-keeps-conferencing",
        "2.5 D3",
        "sequence",
        "An event created again after its deletion has the conferencing that it had before",
        at(TIMELINE, _reborn),
    ),
)
