"""Reads: flags, filters and what an event shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conformance.reference.event_list import CONFERENCING, EVENT, LISTED, QUERY, Event, ListedEvents, Look, Query
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import value_at

__all__ = ["READS"]

_DAY = 86400.0


def _query(change: Callable[[Query], Query]) -> Override:
    return at(QUERY, lambda right, _: change(right))


def _lists(when: Callable[[ListedEvents], bool]) -> Override:
    return at(LISTED, lambda right, listing: right or when(listing))


def _hides(when: Callable[[ListedEvents], bool]) -> Override:
    return at(LISTED, lambda right, listing: right and not when(listing))


def _shows(change: Callable[[Event, Look], Event]) -> Override:
    return at(EVENT, lambda right, look: change(dict(right), look))


def _in_calendars(listing: ListedEvents) -> bool:
    ids = listing.query.calendar_ids
    return not ids or listing.record.key.calendar_id in ids


def _managed_is_asked(query: Query) -> bool:
    return query.include_managed or query.only_managed


def _reads_managed(listing: ListedEvents) -> bool:
    return listing.record.managed and _managed_is_asked(listing.query)


def _outside_default_window(listing: ListedEvents) -> bool:
    fields, query = listing.version.fields, listing.query
    unbounded = query.since is None and query.until is None
    far = fields["start"].at > listing.now + 201 * _DAY or fields["end"].at < listing.now - 42 * _DAY
    return unbounded and far


READS = (
    fault(
        "managed-in-default-reads",
        "2.2",
        "always",
        "Reads without a flag list managed events",
        _lists(
            lambda it: (
                it.record.managed and not it.version.deleted and not _managed_is_asked(it.query) and _in_calendars(it)
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
        _hides(lambda it: it.query.only_managed and not it.query.include_managed),
    ),
    fault(
        "default-window-hides-managed",
        "2.2",
        "case",
        "Managed events outside the default window are not listed",
        _hides(lambda it: _reads_managed(it) and _outside_default_window(it)),
    ),
    fault(
        "past-managed-hidden",
        "2.2",
        "case",
        "Managed events that are over are not listed",
        _hides(lambda it: _reads_managed(it) and it.query.since is None and it.version.fields["end"].at < it.now),
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
        _hides(lambda it: _reads_managed(it) and it.query.since is not None and it.query.until is not None),
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
        "Deleted events are listed and do not say that they are deleted",
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
        "conferencing-after-end-hidden",
        "D3 S1",
        "case",
        "An event that has begun does not show the conferencing that it has",
        at(CONFERENCING, lambda right, look: None if look.version.fields["start"].at < look.now else right),
    ),
    fault(
        "conferencing-shown-as-first-written",
        "D2 D3",
        "sequence",
        "Reads show the conferencing that the event's first write came to",
        at(
            CONFERENCING,
            lambda right, look: (
                value_at(look.record.versions[0].conferencing, look.now)
                if len(look.record.versions) > 1 and look.record.managed
                else right
            ),
        ),
    ),
)
