"""Reads: flags, filters and what an event shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conformance.reference.event_list import (
    CONFERENCING,
    EVENT,
    LISTED,
    QUERY,
    Event,
    ListingCandidate,
    Query,
    ShownEvent,
)
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import value_at

__all__ = ["READS"]

_DAY = 86400.0


def _query(change: Callable[[Query], Query]) -> Override:
    return at(QUERY, lambda right, _: change(right))


def _lists(when: Callable[[ListingCandidate], bool]) -> Override:
    return at(LISTED, lambda right, item: right or when(item))


def _hides(when: Callable[[ListingCandidate], bool]) -> Override:
    return at(LISTED, lambda right, item: right and not when(item))


def _shows(change: Callable[[Event, ShownEvent], Event]) -> Override:
    return at(EVENT, lambda right, shown: change(dict(right), shown))


def _in_calendars(item: ListingCandidate) -> bool:
    ids = item.query.calendar_ids
    return not ids or item.record.key.calendar_id in ids


def _managed_is_asked(query: Query) -> bool:
    return query.include_managed or query.only_managed


def _reads_managed(item: ListingCandidate) -> bool:
    return item.record.managed and _managed_is_asked(item.query)


def _outside_default_window(item: ListingCandidate) -> bool:
    fields, query = item.version.fields, item.query
    unbounded = query.since is None and query.until is None
    far = fields["start"].at > item.now + 201 * _DAY or fields["end"].at < item.now - 42 * _DAY
    return unbounded and far


READS = (
    fault(
        "managed-in-default-reads",
        "2.2",
        "always",
        "Reads without a flag list managed events",
        _lists(
            lambda item: (
                item.record.managed
                and not item.version.deleted
                and not _managed_is_asked(item.query)
                and _in_calendars(item)
            )
        ),
    ),
    fault(
        "include-managed-ignored",
        "2.2",
        "always",
        "include_managed lists no managed events",
        _query(lambda query: replace(query, include_managed=False)),
    ),
    fault(
        "include-managed-is-only-managed",
        "2.2",
        "always",
        "include_managed lists managed events alone",
        _query(lambda query: replace(query, only_managed=query.only_managed or query.include_managed)),
    ),
    fault(
        "only-managed-lists-external",
        "2.2",
        "always",
        "only_managed lists external events too",
        _query(
            lambda query: replace(
                query, only_managed=False, include_managed=query.include_managed or query.only_managed
            )
        ),
    ),
    fault(
        "only-managed-needs-include-managed",
        "2.2",
        "case",
        "only_managed without include_managed lists nothing",
        _hides(lambda item: item.query.only_managed and not item.query.include_managed),
    ),
    fault(
        "default-window-hides-managed",
        "2.2",
        "case",
        "Managed events outside the default window are not listed",
        _hides(lambda item: _reads_managed(item) and _outside_default_window(item)),
    ),
    fault(
        "past-managed-hidden",
        "2.2",
        "case",
        "Managed events that have ended are not listed",
        _hides(
            lambda item: _reads_managed(item) and item.query.since is None and item.version.fields["end"].at < item.now
        ),
    ),
    fault(
        "calendar-ids-ignored",
        "2.2",
        "always",
        "calendar_ids[] is ignored",
        _query(lambda query: replace(query, calendar_ids=())),
    ),
    fault(
        "calendar-ids-first-only",
        "2.2",
        "case",
        "Only the first of several calendar_ids[] counts",
        _query(lambda query: replace(query, calendar_ids=query.calendar_ids[:1])),
    ),
    fault("from-ignored", "2.2", "always", "from is ignored", _query(lambda query: replace(query, since=None))),
    fault("to-ignored", "2.2", "always", "to is ignored", _query(lambda query: replace(query, until=None))),
    fault(
        "managed-hidden-in-windows",
        "2.2",
        "case",
        "Readings with from and to list no managed events",
        _hides(lambda item: _reads_managed(item) and item.query.since is not None and item.query.until is not None),
    ),
    fault(
        "deleted-always-listed",
        "2.2",
        "always",
        "Deleted events are listed without include_deleted",
        _query(lambda query: replace(query, include_deleted=True)),
    ),
    fault(
        "deleted-shown-as-existing",
        "2.2 2.5",
        "always",
        "Deleted events are listed as if they were not deleted",
        _query(lambda query: replace(query, include_deleted=True)),
        _shows(lambda event, _: {**event, "deleted": False, "status": "confirmed"}),
    ),
    fault(
        "last-modified-ignored",
        "2.2",
        "always",
        "last_modified is ignored",
        _query(lambda query: replace(query, last_modified=None)),
    ),
    fault(
        "last-modified-shows-pending",
        "S1 2.2",
        "case",
        "Readings with last_modified show conferences as pending, whatever has come of them",
        at(CONFERENCING, lambda right, shown: {"pending": True} if right and shown.query.last_modified else right),
    ),
    fault(
        "localized-times-ignored",
        "2.2",
        "always",
        "localized_times is ignored",
        _query(lambda query: replace(query, localized_times=False)),
    ),
    fault(
        "event-id-missing",
        "2.2",
        "always",
        "Managed events have no event_id in reads",
        _shows(lambda event, _: {name: each for name, each in event.items() if name != "event_id"}),
    ),
    fault(
        "event-id-is-uid",
        "2.2",
        "always",
        "Managed events show their event_uid as event_id",
        _shows(lambda event, _: {**event, "event_id": event["event_uid"]} if "event_id" in event else event),
    ),
    fault(
        "external-has-event-id",
        "2.2",
        "always",
        "External events have an event_id",
        _shows(lambda event, _: {"event_id": event["event_uid"], **event}),
    ),
    fault(
        "conferencing-under-another-key",
        "S1 2.2",
        "always",
        "Reads show the conference under conferencing_details",
        at(
            EVENT,
            lambda right, _: {
                ("conferencing_details" if name == "conferencing" else name): each for name, each in right.items()
            },
        ),
    ),
    fault(
        "conferencing-after-start-hidden",
        "D3 S1",
        "case",
        "An event that has begun does not show the conferencing that it has",
        at(CONFERENCING, lambda right, shown: None if shown.version.fields["start"].at < shown.now else right),
    ),
    fault(
        "conferencing-shown-as-first-written",
        "D2 D3",
        "sequence",
        "Reads show the conferencing that the event's first write led to",
        at(
            CONFERENCING,
            lambda right, shown: (
                value_at(shown.record.versions[0].conferencing, shown.now)
                if len(shown.record.versions) > 1 and shown.record.managed
                else right
            ),
        ),
    ),
)
