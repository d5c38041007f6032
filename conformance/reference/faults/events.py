"""Upsert and delete, isolation between events, and races between generation and later writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.conferencing import (
    FIELDS,
    TIMELINE,
    VERSIONS,
)
from conformance.reference.decisions import Alteration, at, fault
from conformance.reference.faults.parts import GENERATED, assigned, refused, reset
from conformance.reference.model import (
    PENDING,
    REMOVED,
    STORED,
    Key,
    Phase,
    Removal,
    Timeline,
    Version,
    Write,
    value_at,
)
from conformance.reference.moments import Moment, parse
from conformance.reference.reading import EVENT, Look
from conformance.reference.server import ACCEPTED, Answer

__all__ = ["EVENTS"]

Fields = Mapping[str, Any]
Stored = Mapping[Key, tuple[Version, ...]]


def _updating(write: Write) -> bool:
    return not write.creates


def _field(
    name: str, change: Callable[[Any, Write], Any], when: Callable[[Write], bool] = lambda _: True
) -> Alteration:
    return at(
        FIELDS,
        lambda right, write: {**right, name: change(right[name], write)} if right.get(name) and when(write) else right,
    )


def _not_updated(*names: str) -> Alteration:
    def alter(right: Fields, write: Write) -> Fields:
        old = write.previous.fields if write.previous else {}
        return {**right, **{name: old[name] for name in names if name in old}}

    return at(FIELDS, alter)


def _clock_time(moment: Moment, _: Write) -> Moment:
    """The time that the text says, as if it were in UTC."""
    if moment.date or len(moment.text) < 19:
        return moment
    return replace(parse(moment.text[:19] + "Z", "Etc/UTC"), text=moment.text, form=moment.form)


def _times(change: Callable[[Moment, Write], Moment]) -> tuple[Alteration, ...]:
    return _field("start", change), _field("end", change)


def _also(keys: Callable[[Write], tuple[Key, ...]]) -> Alteration:
    return at(STORED, lambda right, write: {**dict.fromkeys(keys(write), right[write.key]), **right})


def _same_id(write: Write) -> tuple[Key, ...]:
    """The keys of live events with the same event_id in the same account."""
    return tuple(
        key
        for key in write.store.records
        if key.event_id == write.event_id and key.account == write.account.name and write.store.live(key, write.at)
    )


def _same_id_anywhere(write: Write) -> tuple[Key, ...]:
    return tuple(
        key for key in write.store.records if key.event_id == write.event_id and write.store.live(key, write.at)
    )


def _second_calendar(write: Write) -> tuple[Key, ...]:
    others = (each for each in write.account.calendars if each.writable and each != write.calendar)
    return tuple(Key(write.account.name, each.calendar_id, write.event_id) for each in others)[:1]


def _shared(right: Stored, write: Write) -> Stored:
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


def _late(outcome_of: Callable[[Write], Any], when: Callable[[Write], bool]) -> Alteration:
    """What an earlier request comes to arrives after this one has settled."""

    def alter(right: Timeline, write: Write) -> Timeline:
        outcome = outcome_of(write)
        if write.shown_before != PENDING or not assigned(outcome) or not when(write):
            return right
        return (*right, Phase(max(write.before[-1].since, right[-1].since) + write.settle, outcome))

    return at(TIMELINE, alter)


def _own_before(write: Write) -> Any:
    return write.settles_before


def _stale_fields(right: tuple[Version, ...], write: Write) -> tuple[Version, ...]:
    """Generation, which an earlier write started, writes that write's fields back."""
    previous = write.previous
    if previous is None or write.shown_before != PENDING or write.kind != "absent":
        return right
    due = previous.conferencing[-1].since
    return (*right, replace(right[-1], at=max(due, write.at), fields=previous.fields))


def _inherited(right: Timeline, write: Write) -> Timeline:
    """A new event without conferencing starts with that of the event written before it in the same calendar."""
    others = [
        each for each in write.store.writes if each.calendar == write.calendar and each.event_id != write.event_id
    ]
    if not (write.creates and write.kind == "absent" and others):
        return right
    live = write.store.live(others[-1].key, write.at)
    return live.conferencing if live and live.conferencing else right


def _reborn(right: Timeline, write: Write) -> Timeline:
    """An event that is created again after its deletion has the conferencing of its first life."""
    deleted = write.history[-1] if write.history and write.history[-1].deleted else None
    if deleted is None or write.kind != "absent" or not deleted.conferencing:
        return right
    return deleted.conferencing


def _survives_deletion(right: Timeline, write: Write) -> Timeline:
    """What was pending when the event was deleted arrives at the event that is created again."""
    deleted = write.history[-1] if write.history and write.history[-1].deleted else None
    if deleted is None or not deleted.conferencing or value_at(deleted.conferencing, deleted.at) != PENDING:
        return right
    last = deleted.conferencing[-1]
    since = max([last.since, write.at, *(phase.since for phase in right)]) + write.settle
    return (*right, Phase(since, last.shows)) if assigned(last.shows) else right


def _removes(
    keys: Callable[[Removal], tuple[Key, ...]],
) -> Alteration:
    """More events are deleted than the one that was named."""

    def alter(right: Mapping[Key, tuple[Version, ...]], removal: Removal) -> Mapping[Key, tuple[Version, ...]]:
        more = {}
        for key in keys(removal):
            live = removal.store.live(key, removal.at)
            if right and live and key not in right and removal.store.records[key].managed:
                more[key] = (replace(live, at=removal.at, kind="delete", deleted=True),)
        return {**right, **more}

    return at(REMOVED, alter)


def _removed(change: Callable[[tuple[Version, ...], Removal], tuple[Version, ...]]) -> Alteration:
    return at(REMOVED, lambda right, removal: {key: change(versions, removal) for key, versions in right.items()})


def _back_later(versions: tuple[Version, ...], removal: Removal) -> tuple[Version, ...]:
    dead = versions[-1]
    return (*versions, replace(dead, at=removal.at + 2 * removal.store.settle, deleted=False))


def _instead(versions: tuple[Version, ...], removal: Removal) -> tuple[Version, ...]:
    dead = versions[-1]
    return (replace(dead, deleted=False, conferencing=(Phase(removal.at, None),), origin="none"),)


def _renamed(rename: Callable[[str, Write], str]) -> Alteration:
    return at(
        STORED,
        lambda right, write: {
            key._replace(event_id=rename(key.event_id, write)): versions for key, versions in right.items()
        },
    )


def _one_id(right: dict[str, Any], _: Look) -> dict[str, Any]:
    return {**right, "event_id": right["event_id"].partition("\0")[0]} if "event_id" in right else right


def _next_key(removal: Removal) -> tuple[Key, ...]:
    """The event that was created in the same calendar after the one to be deleted."""
    keys = [key for key in removal.store.records if key[:2] == removal.key[:2]]
    place = keys.index(removal.key) if removal.key in keys else len(keys)
    return tuple(keys[place + 1 : place + 2])


def _accepted_as(status: int, when: Callable[[Write], bool]) -> Alteration:
    return at(ACCEPTED, lambda right, write: Answer(status) if when(write) else right)


EVENTS = (
    fault(
        "update-ignored",
        "2.1",
        "always",
        "Updates are accepted and change nothing of the event's own fields",
        _not_updated("summary", "description", "start", "end"),
    ),
    fault("update-of-summary-ignored", "2.1", "case", "Updates do not change the summary", _not_updated("summary")),
    fault(
        "update-of-description-ignored",
        "2.1",
        "case",
        "Updates do not change the description",
        _not_updated("description"),
    ),
    fault(
        "update-of-fields-ignored-beside-conferencing",
        "2.1",
        "case",
        "An update with conferencing changes nothing else",
        at(
            FIELDS,
            lambda right, write: (
                write.previous.fields if write.previous is not None and write.kind != "absent" else right
            ),
        ),
    ),
    fault(
        "update-of-conferencing-ignored",
        "D2",
        "always",
        "Conferencing is set on creation only",
        reset(_updating, lambda write: write.before),
    ),
    fault(
        "update-while-pending-ignored",
        "D2 2.1",
        "sequence",
        "A request for conferencing that overtakes the generation of an earlier one is ignored",
        reset(lambda write: write.kind != "absent" and write.shown_before == PENDING, lambda write: write.before),
    ),
    fault(
        "update-refused",
        "2.1 D2",
        "case",
        "Updates are refused: the event exists already",
        refused(_updating, "event_id"),
    ),
    fault(
        "update-creates-another-event",
        "2.1",
        "always",
        "Every update creates another event",
        _renamed(lambda event_id, write: event_id if write.creates else f"{event_id}\0{write.serial}"),
        at(EVENT, _one_id),
    ),
    fault(
        "update-clears-description",
        "2.1",
        "case",
        "An update that says the description loses it",
        _field("description", lambda _, __: "", _updating),
    ),
    fault(
        "non-ascii-lost",
        "2.1",
        "case",
        "Characters beyond ASCII become question marks",
        _field("summary", lambda text, _: str(text).encode("ascii", "replace").decode()),
    ),
    fault(
        "summary-cut-at-50",
        "2.1",
        "case",
        "The summary is cut after 50 characters",
        _field("summary", lambda text, _: str(text)[:50]),
    ),
    fault(
        "event-id-lower-cased",
        "2.1",
        "case",
        "The event_id is lower-cased",
        _renamed(lambda event_id, _: event_id.lower()),
    ),
    fault(
        "start-offset-ignored", "2.1", "case", "The offset or zone of start and end is dropped", *_times(_clock_time)
    ),
    fault(
        "end-follows-start",
        "2.1",
        "case",
        "Every event ends an hour after it starts",
        at(FIELDS, lambda right, write: {**right, "end": replace(right["end"], at=right["start"].at + 3600)}),
    ),
    fault(
        "dates-become-times",
        "2.1",
        "case",
        "An event on a whole day moves to noon",
        *_times(lambda moment, _: replace(moment, date=None, at=moment.at + 43200) if moment.date else moment),
    ),
    fault(
        "write-answers-302",
        "2.8",
        "always",
        "A write with conferencing is answered with a redirect",
        _accepted_as(302, lambda write: write.kind != "absent"),
    ),
    fault(
        "appears-on-second-calendar",
        "2.1",
        "always",
        "An event that is written to one calendar appears on another one too",
        _also(_second_calendar),
    ),
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
        "generation-outlives-deletion",
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
        "delete-takes-same-id-on-other-calendars",
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
        "delete-takes-same-id-in-other-accounts",
        "2.5",
        "sequence",
        "A deletion takes the events with the same event_id in other accounts with it",
        _removes(lambda removal: tuple(key for key in removal.store.records if key.event_id == removal.event_id)),
    ),
    fault(
        "delete-takes-the-next-event",
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
    fault(
        "created-again-refused",
        "2.1",
        "sequence",
        "An event_id that was deleted cannot be used again",
        refused(lambda write: write.creates and bool(write.history), "event_id"),
    ),
)
