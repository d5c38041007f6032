"""Upserts: which fields they write, and to which event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.calls import ACCEPTED, Answer
from conformance.reference.conferencing import FIELDS
from conformance.reference.event_list import EVENT, ShownEvent
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import PENDING, STORED, Key, StoredWrite
from conformance.reference.overrides import refused, reset, stored_too
from conformance.reference.timestamps import Moment, parse

__all__ = ["EVENTS"]

Fields = Mapping[str, Any]


def _updating(write: StoredWrite) -> bool:
    return not write.creates


def _field(
    name: str, change: Callable[[Any, StoredWrite], Any], when: Callable[[StoredWrite], bool] = lambda _: True
) -> Override:
    return at(
        FIELDS,
        lambda right, write: {**right, name: change(right[name], write)} if right.get(name) and when(write) else right,
    )


def _not_updated(*names: str) -> Override:
    def alter(right: Fields, write: StoredWrite) -> Fields:
        old = write.previous.fields if write.previous else {}
        return {**right, **{name: old[name] for name in names if name in old}}

    return at(FIELDS, alter)


def _clock_time(moment: Moment, _: StoredWrite) -> Moment:
    """The clock time in the text, as if it were in UTC."""
    shown = parse(moment.text[:19].rstrip("Zz") + "Z", "Etc/UTC") if not moment.date else moment
    return replace(shown, text=moment.text, form=moment.form)


def _times(change: Callable[[Moment, StoredWrite], Moment]) -> tuple[Override, ...]:
    return _field("start", change), _field("end", change)


def _second_calendar(write: StoredWrite) -> tuple[Key, ...]:
    others = (each for each in write.account.calendars if each.writable and each != write.calendar)
    return tuple(Key(write.account.name, each.calendar_id, write.event_id) for each in others)[:1]


def _renamed(rename: Callable[[str, StoredWrite], str]) -> Override:
    return at(
        STORED,
        lambda right, write: {
            key._replace(event_id=rename(key.event_id, write)): versions for key, versions in right.items()
        },
    )


def _one_id(right: dict[str, Any], _: ShownEvent) -> dict[str, Any]:
    return {**right, "event_id": right["event_id"].partition("\0")[0]} if "event_id" in right else right


def _accepted_as(status: int, when: Callable[[StoredWrite], bool]) -> Override:
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
        "update-of-fields-ignored-with-conferencing",
        "2.1",
        "case",
        "An update with conferencing changes nothing else",
        at(
            FIELDS,
            lambda right, write: (
                write.previous.fields if write.previous is not None and write.kind != "omitted" else right
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
        "update-of-pending-conferencing-ignored",
        "D2 2.1",
        "sequence",
        "A request for conferencing is ignored while an earlier one is pending",
        reset(lambda write: write.kind != "omitted" and write.shown_before == PENDING, lambda write: write.before),
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
        "An update that sends a description clears it",
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
        "An all-day event moves to noon",
        *_times(lambda moment, _: replace(moment, date=None, at=moment.at + 43200) if moment.date else moment),
    ),
    fault(
        "write-answers-302",
        "2.8",
        "always",
        "A write with conferencing is answered with a redirect",
        _accepted_as(302, lambda write: write.kind != "omitted"),
    ),
    fault(
        "event-appears-on-second-calendar",
        "2.1",
        "always",
        "An event that is written to one calendar appears on another one too",
        stored_too(_second_calendar),
    ),
)
