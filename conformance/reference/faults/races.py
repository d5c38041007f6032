"""Events that get mixed up: same ids, generation and later writes, deletion and creation."""

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
    StoredWrite,
    Timeline,
    Version,
    value_at,
)
from conformance.reference.overrides import GENERATED, assigned

__all__ = ["RACES"]


Stored = Mapping[Key, tuple[Version, ...]]


def _also(keys: Callable[[StoredWrite], tuple[Key, ...]]) -> Override:
    return at(STORED, lambda right, write: {**dict.fromkeys(keys(write), right[write.key]), **right})


def _same_id(write: StoredWrite) -> tuple[Key, ...]:
    """The keys of live events with the same event_id in the same account."""
    return tuple(
        key
        for key in write.store.records
        if key.event_id == write.event_id and key.account == write.account.name and write.store.live(key, write.at)
    )


def _same_id_anywhere(write: StoredWrite) -> tuple[Key, ...]:
    return tuple(
        key for key in write.store.records if key.event_id == write.event_id and write.store.live(key, write.at)
    )


def _shared(right: Stored, write: StoredWrite) -> Stored:
    """The conferencing of this write goes to the other events with its event_id too, whose fields stay."""
    if write.kind == "absent":
        return right
    made = right[write.key][-1]
    more: dict[Key, tuple[Version, ...]] = {}
    for key in _same_id(write):
        live = write.store.live(key, write.at)
        if live and key not in right:
            more[key] = (replace(live, at=write.at, conferencing=made.conferencing, origin=made.origin),)
    return {**right, **more}


def _late(outcome_of: Callable[[StoredWrite], Any], when: Callable[[StoredWrite], bool]) -> Override:
    """What an earlier request comes to arrives after this one has settled."""

    def alter(right: Timeline, write: StoredWrite) -> Timeline:
        outcome = outcome_of(write)
        if write.shown_before != PENDING or not assigned(outcome) or not when(write):
            return right
        return (*right, Phase(max(write.before[-1].since, right[-1].since) + write.settle, outcome))

    return at(TIMELINE, alter)


def _own_before(write: StoredWrite) -> Any:
    return write.settles_before


def _stale_fields(right: tuple[Version, ...], write: StoredWrite) -> tuple[Version, ...]:
    """Generation, which an earlier write started, writes that write's fields back."""
    previous = write.previous
    if previous is None or write.shown_before != PENDING or write.kind != "absent":
        return right
    due = previous.conferencing[-1].since
    return (*right, replace(right[-1], at=max(due, write.at), fields=previous.fields))


def _inherited(right: Timeline, write: StoredWrite) -> Timeline:
    """A new event without conferencing starts with that of the event written before it in the same calendar."""
    others = [
        each for each in write.store.writes if each.calendar == write.calendar and each.event_id != write.event_id
    ]
    if not (write.creates and write.kind == "absent" and others):
        return right
    live = write.store.live(others[-1].key, write.at)
    return live.conferencing if live and live.conferencing else right


def _reborn(right: Timeline, write: StoredWrite) -> Timeline:
    """An event that is created again after its deletion has the conferencing of its first life."""
    deleted = write.history[-1] if write.history and write.history[-1].deleted else None
    if deleted is None or write.kind != "absent" or not deleted.conferencing:
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
            live = removal.store.live(key, removal.at)
            if right and live and key not in right and removal.store.records[key].managed:
                more[key] = (replace(live, at=removal.at, kind="delete", deleted=True),)
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
    place = keys.index(removal.key) if removal.key in keys else len(keys)
    return tuple(keys[place + 1 : place + 2])


RACES = (
    fault(
        "same-id-shared-by-calendars",
        "2.1",
        "sequence",
        "A write changes the event with the same event_id on other calendars",
        _also(_same_id),
    ),
    fault(
        "same-id-shares-conferencing",
        "2.1 D3",
        "sequence",
        "Conferencing goes to the events with the same event_id on other calendars too",
        at(STORED, _shared),
    ),
    fault(
        "same-id-shared-by-accounts",
        "2.1",
        "sequence",
        "A write changes the event with the same event_id in other accounts",
        _also(_same_id_anywhere),
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
        "A generation that `none` overtook still arrives",
        _late(_own_before, lambda write: write.kind == "none"),
    ),
    fault(
        "late-generation-overwrites-explicit",
        "B8",
        "sequence",
        "A generation that `explicit` overtook still arrives and replaces it",
        _late(_own_before, lambda write: write.kind == "explicit" and write.origin in GENERATED),
    ),
    fault(
        "late-explicit-overwrites-explicit",
        "B8",
        "sequence",
        "Explicit conferencing that a second one overtook arrives last",
        _late(_own_before, lambda write: write.kind == "explicit" and write.origin == "explicit"),
    ),
    fault(
        "late-explicit-overwrites-generation",
        "S1 S3",
        "sequence",
        "Explicit conferencing that a request for generation overtook arrives last",
        _late(_own_before, lambda write: write.kind in GENERATED and write.origin == "explicit"),
    ),
    fault(
        "late-generation-overwrites-generation",
        "S4 A6",
        "sequence",
        "A generation that another service's overtook arrives last",
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
        "A generation that an update overtook writes the old summary and times back",
        at(VERSIONS, _stale_fields),
    ),
    fault(
        "generation-survives-deletion",
        "2.1 S1",
        "sequence",
        "A generation that a deletion overtook arrives at the event that is created again",
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
        "An event whose conference is pending comes back when that has settled",
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
        "A deletion takes the events with the same event_id on other calendars with it",
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
        "A deletion takes the events with the same event_id in other accounts with it",
        _removes(lambda removal: tuple(key for key in removal.store.records if key.event_id == removal.event_id)),
    ),
    fault(
        "delete-removes-the-next-event",
        "2.5",
        "case",
        "A deletion takes the event that was created after it with it",
        _removes(_next_key),
    ),
    fault(
        "created-again-keeps-conferencing",
        "2.5 D3",
        "sequence",
        "An event created again after its deletion has the conferencing of its first life",
        at(TIMELINE, _reborn),
    ),
)
