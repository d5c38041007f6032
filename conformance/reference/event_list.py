"""Reads: the documented flags and filters, which events they list, how an event looks, and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.reference.accounts import ReferenceAccount, ReferenceCalendar
from conformance.reference.hooks import Hook, Hooks
from conformance.reference.model import StoredEvent, Version, value_at
from conformance.reference.timestamps import instant, utc, zone
from conformance.reference.validation import error

__all__ = [
    "CONFERENCING",
    "EVENT",
    "LISTED",
    "LOCATION",
    "PAGES",
    "PAGE_BODY",
    "PAGE_SIZE",
    "QUERY",
    "QUERY_PROBLEMS",
    "SEEN_AT",
    "Arguments",
    "ListedEvents",
    "Look",
    "Query",
    "ReadRequest",
    "ReferencePage",
    "StoredView",
    "events",
    "in_pages",
    "page_body",
    "parse_query",
]

_DAY = 86400.0
_FLAGS = ("include_managed", "only_managed", "include_deleted", "include_moved", "localized_times")
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0", ""})

Event = dict[str, Any]


@dataclass(frozen=True)
class Arguments:
    """The decoded query of a read, and whose it is."""

    account: ReferenceAccount
    pairs: tuple[tuple[str, str], ...]
    now: float

    def last(self, name: str) -> str | None:
        return next((value for key, value in reversed(self.pairs) if key == name), None)


@dataclass(frozen=True)
class Query:
    """What a read asks for; times in seconds since the epoch, `calendar_ids` empty for all."""

    include_managed: bool = False
    only_managed: bool = False
    include_deleted: bool = False
    include_moved: bool = False
    localized_times: bool = False
    since: float | None = None
    until: float | None = None
    last_modified: float | None = None
    calendar_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredView:
    """One event of an account that is read, on a server where a conference takes `settle` seconds."""

    record: StoredEvent
    now: float
    settle: float


@dataclass(frozen=True)
class ListedEvents:
    """One event before a read, as it is at `seen_at`."""

    record: StoredEvent
    version: Version
    query: Query
    now: float
    seen_at: float


@dataclass(frozen=True)
class Look:
    """One event that a read lists; `reads` counts from 1, `conferencing` is what is shown of it."""

    record: StoredEvent
    version: Version
    calendar: ReferenceCalendar
    query: Query
    now: float
    seen_at: float
    reads: int
    conferencing: Any = None


@dataclass(frozen=True)
class ReadRequest:
    """One read of an account, before its pages."""

    account: ReferenceAccount
    query: Query
    now: float


@dataclass(frozen=True)
class ReferencePage:
    """One page of a reading; `index` and `total` count from 1, `next_page` is the next one's address."""

    reading: ReadRequest
    index: int
    total: int
    origin: str
    page_id: str
    next_page: str | None
    events: Sequence[Event]


#: What is wrong with a read's query.
QUERY_PROBLEMS: Hook[Arguments, Mapping[str, Any]] = Hook("query-problems")
#: What a read asks for.
QUERY: Hook[Arguments, Query] = Hook("query")
#: The time whose state a read shows.
SEEN_AT: Hook[StoredView, float] = Hook("seen-at")
#: Whether a read lists an event.
LISTED: Hook[ListedEvents, bool] = Hook("listed")
#: The conferencing that a read shows: JSON, None for none.
CONFERENCING: Hook[Look, Any] = Hook("conferencing")
#: The location that a read shows; None for none.
LOCATION: Hook[Look, Any] = Hook("location")
#: The event as a read shows it.
EVENT: Hook[Look, Event] = Hook("event")
#: How many events a page has at most.
PAGE_SIZE: Hook[ReadRequest, int] = Hook("page-size")
#: The events of a reading, in pages.
PAGES: Hook[ReadRequest, tuple[tuple[Event, ...], ...]] = Hook("pages")
#: The body that a page is answered with.
PAGE_BODY: Hook[ReferencePage, dict[str, Any]] = Hook("page-body")


def parse_query(arguments: Arguments, decide: Hooks) -> tuple[Query, Mapping[str, Any]]:
    """What a read asks for, and what is wrong with it, by field."""
    wrong: dict[str, Any] = {}
    tzid = arguments.last("tzid")
    tz = zone(tzid) if tzid else None
    if tz is None:
        wrong["tzid"] = error("tzid_unrecognized" if tzid else "required", "tzid must be a known time zone")
    flags = {}
    for name in _FLAGS:
        text = (arguments.last(name) or "").lower()
        flags[name] = text in _TRUE
        if text not in _TRUE | _FALSE:
            wrong[name] = error("must_be_boolean", f"{name} must be true or false")
    times: dict[str, float | None] = {}
    for name in ("from", "to", "last_modified"):
        text = arguments.last(name) or ""
        try:
            times[name] = instant(text, tz or zone("Etc/UTC")) if text else None  # type: ignore[arg-type]  # UTC is always known
        except ValueError as invalid:
            times[name] = None
            wrong[name] = error("invalid_time", str(invalid))
    calendar_ids = tuple(value for key, value in arguments.pairs if key == "calendar_ids[]" and value)
    if any(calendar_id not in arguments.account.by_id for calendar_id in calendar_ids):
        wrong["calendar_ids"] = error("invalid_calendar_ids", "calendar_ids has a calendar that is not known")
    query = Query(
        **flags,
        since=times["from"],
        until=times["to"],
        last_modified=times["last_modified"],
        calendar_ids=calendar_ids,
    )
    return decide(QUERY, query, arguments), decide(QUERY_PROBLEMS, wrong, arguments)


def _modified(version: Version, now: float) -> float:
    return max([version.at, *(phase.since for phase in version.conferencing if phase.since <= now)])


def _within(version: Version, since: float | None, until: float | None) -> bool:
    starts, ends = version.fields["start"].at, version.fields["end"].at
    return (since is None or ends >= since) and (until is None or starts < until)


def _listed(listing: ListedEvents) -> bool:
    query, record, version = listing.query, listing.record, listing.version
    if record.managed and not (query.include_managed or query.only_managed):
        return False
    if query.only_managed and not record.managed:
        return False
    if query.calendar_ids and record.key.calendar_id not in query.calendar_ids:
        return False
    if version.deleted and not query.include_deleted:
        return False
    if query.last_modified is not None and _modified(version, listing.seen_at) < query.last_modified:
        return False
    since, until = query.since, query.until
    if not record.managed:
        since = listing.now - 42 * _DAY if since is None else since
        until = listing.now + 201 * _DAY if until is None else until
    lived = [version]
    if query.include_moved:
        lived += [each for each in record.versions if each.at <= listing.seen_at]
    return any(_within(each, since, until) for each in lived)


def _location(look: Look) -> Any:
    """What the client wrote; where it is blank and the host has no field for it, the conference's URL."""
    written = look.version.fields.get("location")
    url = look.conferencing.get("join_url") if isinstance(look.conferencing, Mapping) else None
    blank = not written or not (isinstance(written, Mapping) and written.get("description"))
    return {"description": url} if blank and url and not look.calendar.holds_conferencing else written


def _event(look: Look, decide: Hooks) -> Event:
    fields, query = look.version.fields, look.query
    created = look.record.versions[0].at
    event: Event = {
        "calendar_id": look.record.key.calendar_id,
        "event_uid": look.record.event_uid,
        "summary": fields.get("summary", ""),
        "description": fields.get("description") or "",
        "start": fields["start"].shown(localized=query.localized_times),
        "end": fields["end"].shown(localized=query.localized_times),
        "deleted": look.version.deleted,
        "created": utc(float(int(created))),
        "updated": utc(float(int(_modified(look.version, look.seen_at)))),
        "participation_status": "accepted",
        "attendees": fields.get("attendees", []),
        "transparency": fields.get("transparency") or "opaque",
        "status": "cancelled" if look.version.deleted else "confirmed",
        "categories": [],
        "recurring": False,
        "event_private": fields.get("event_private", False),
        "options": {"delete": True, "update": True, "change_participation_status": True},
    }
    if look.record.managed:
        event["event_id"] = look.record.key.event_id
    for name in ("url", "meeting_url"):
        if fields.get(name):
            event[name] = fields[name]
    if look.conferencing is not None:
        event["conferencing"] = look.conferencing
    location = decide(LOCATION, _location(look), look)
    if location is not None:
        event["location"] = location
    return event


def events(
    records: Sequence[StoredEvent],
    calendars: Mapping[str, ReferenceCalendar],
    query: Query,
    now: float,
    *,
    decide: Hooks,
    settle: float,
) -> list[Event]:
    """The events that a read lists, by start and then by age."""
    listed: list[tuple[float, int, Event]] = []
    for age, record in enumerate(records):
        seen_at = decide(SEEN_AT, now, StoredView(record, now, settle))
        version = record.at(seen_at)
        if version is None:
            continue
        listing = ListedEvents(record, version, query, now, seen_at)
        if not decide(LISTED, _listed(listing), listing):
            continue
        record.reads += 1
        calendar = calendars[record.key.calendar_id]
        look = Look(record, version, calendar, query, now, seen_at, record.reads)
        shown = None if version.deleted else value_at(version.conferencing, seen_at)
        look = Look(record, version, calendar, query, now, seen_at, record.reads, decide(CONFERENCING, shown, look))
        listed.append((version.fields["start"].at, age, decide(EVENT, _event(look, decide), look)))
    return [event for _, _, event in sorted(listed, key=lambda entry: entry[:2])]


def in_pages(found: Sequence[Event], size: int) -> tuple[tuple[Event, ...], ...]:
    """The events in pages of that size; one empty page where there are none."""
    return tuple(tuple(found[start : start + size]) for start in range(0, len(found), size)) or ((),)


def page_body(page: ReferencePage) -> dict[str, Any]:
    """A page as it is answered: ``next_page`` is absent on the last one."""
    pages: dict[str, Any] = {"current": page.index, "total": page.total}
    if page.next_page is not None:
        pages["next_page"] = page.next_page
    return {"pages": pages, "events": list(page.events)}
