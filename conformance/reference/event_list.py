"""Reads: flags and filters, which events are listed, what is shown of them, and pages."""

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
    "AS_OF",
    "CONFERENCING",
    "EVENT",
    "LISTED",
    "LOCATION",
    "PAGES",
    "PAGE_BODY",
    "PAGE_SIZE",
    "QUERY",
    "QUERY_PROBLEMS",
    "Arguments",
    "Event",
    "ListingCandidate",
    "Pages",
    "Query",
    "ReadRequest",
    "ReferencePage",
    "ShownEvent",
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
Pages = tuple[tuple[Event, ...], ...]


@dataclass(frozen=True)
class Arguments:
    """The decoded query of a read, and its account."""

    account: ReferenceAccount
    pairs: tuple[tuple[str, str], ...]
    now: float

    def last(self, name: str) -> str | None:
        return next((value for key, value in reversed(self.pairs) if key == name), None)


@dataclass(frozen=True)
class Query:
    """The filters of a read; times in seconds since the epoch, `calendar_ids` empty for all."""

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
    """One event at the time of a read, on a server where conferencing stays pending for `settle` seconds."""

    record: StoredEvent
    now: float
    settle: float


@dataclass(frozen=True)
class ListingCandidate:
    """One event that a read may list, in its state at `as_of`."""

    record: StoredEvent
    version: Version
    query: Query
    now: float
    as_of: float


@dataclass(frozen=True)
class ShownEvent:
    """One event that a read lists; `reads` counts from 1, `conferencing` is what the read shows."""

    record: StoredEvent
    version: Version
    calendar: ReferenceCalendar
    query: Query
    now: float
    as_of: float
    reads: int
    conferencing: Any = None


@dataclass(frozen=True)
class ReadRequest:
    """One read of an account, before it is cut into pages."""

    account: ReferenceAccount
    query: Query
    now: float


@dataclass(frozen=True)
class ReferencePage:
    """One page of a reading; `index` and `total` count from 1, `next_page` is a URL."""

    reading: ReadRequest
    index: int
    total: int
    origin: str
    page_id: str
    next_page: str | None
    events: Sequence[Event]


#: The errors of a read's query, by field.
QUERY_PROBLEMS: Hook[Arguments, Mapping[str, Any]] = Hook("query-problems")
#: The filters of a read.
QUERY: Hook[Arguments, Query] = Hook("query")
#: The time whose state of an event a read shows.
AS_OF: Hook[StoredView, float] = Hook("as-of")
#: Whether a read lists an event.
LISTED: Hook[ListingCandidate, bool] = Hook("listed")
#: The conferencing that a read shows: JSON, None for none.
CONFERENCING: Hook[ShownEvent, Any] = Hook("conferencing")
#: The location that a read shows; None for none.
LOCATION: Hook[ShownEvent, Any] = Hook("location")
#: The event as a read shows it.
EVENT: Hook[ShownEvent, Event] = Hook("event")
#: The largest number of events on a page.
PAGE_SIZE: Hook[ReadRequest, int] = Hook("page-size")
#: The events of a reading, in pages.
PAGES: Hook[ReadRequest, Pages] = Hook("pages")
#: The body that a page is answered with.
PAGE_BODY: Hook[ReferencePage, dict[str, Any]] = Hook("page-body")


def parse_query(arguments: Arguments, hooks: Hooks) -> tuple[Query, Mapping[str, Any]]:
    """The filters of a read, and its errors by field."""
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
    return hooks(QUERY, query, arguments), hooks(QUERY_PROBLEMS, wrong, arguments)


def _modified(version: Version, now: float) -> float:
    return max([version.at, *(phase.since for phase in version.conferencing if phase.since <= now)])


def _within(version: Version, since: float | None, until: float | None) -> bool:
    starts, ends = version.fields["start"].at, version.fields["end"].at
    return (since is None or ends >= since) and (until is None or starts < until)


def _listed(candidate: ListingCandidate) -> bool:
    query, record, version = candidate.query, candidate.record, candidate.version
    if record.managed and not (query.include_managed or query.only_managed):
        return False
    if query.only_managed and not record.managed:
        return False
    if query.calendar_ids and record.key.calendar_id not in query.calendar_ids:
        return False
    if version.deleted and not query.include_deleted:
        return False
    if query.last_modified is not None and _modified(version, candidate.as_of) < query.last_modified:
        return False
    since, until = query.since, query.until
    if not record.managed:
        since = candidate.now - 42 * _DAY if since is None else since
        until = candidate.now + 201 * _DAY if until is None else until
    versions = [version]
    if query.include_moved:
        versions += [each for each in record.versions if each.at <= candidate.as_of]
    return any(_within(each, since, until) for each in versions)


def _location(shown: ShownEvent) -> Any:
    """What the client wrote; if that is blank and the host has no field for conferencing, the join URL."""
    written = shown.version.fields.get("location")
    url = shown.conferencing.get("join_url") if isinstance(shown.conferencing, Mapping) else None
    blank = not written or not (isinstance(written, Mapping) and written.get("description"))
    return {"description": url} if blank and url and not shown.calendar.holds_conferencing else written


def _event(shown: ShownEvent, hooks: Hooks) -> Event:
    fields, query = shown.version.fields, shown.query
    created = shown.record.versions[0].at
    event: Event = {
        "calendar_id": shown.record.key.calendar_id,
        "event_uid": shown.record.event_uid,
        "summary": fields.get("summary", ""),
        "description": fields.get("description") or "",
        "start": fields["start"].shown(localized=query.localized_times),
        "end": fields["end"].shown(localized=query.localized_times),
        "deleted": shown.version.deleted,
        "created": utc(float(int(created))),
        "updated": utc(float(int(_modified(shown.version, shown.as_of)))),
        "participation_status": "accepted",
        "attendees": fields.get("attendees", []),
        "transparency": fields.get("transparency") or "opaque",
        "status": "cancelled" if shown.version.deleted else "confirmed",
        "categories": [],
        "recurring": False,
        "event_private": fields.get("event_private", False),
        "options": {"delete": True, "update": True, "change_participation_status": True},
    }
    if shown.record.managed:
        event["event_id"] = shown.record.key.event_id
    for name in ("url", "meeting_url"):
        if fields.get(name):
            event[name] = fields[name]
    if shown.conferencing is not None:
        event["conferencing"] = shown.conferencing
    location = hooks(LOCATION, _location(shown), shown)
    if location is not None:
        event["location"] = location
    return event


def events(
    records: Sequence[StoredEvent],
    calendars: Mapping[str, ReferenceCalendar],
    query: Query,
    now: float,
    *,
    hooks: Hooks,
    settle: float,
) -> list[Event]:
    """The events that a read lists, by start and then by age."""
    listed: list[tuple[float, int, Event]] = []
    for age, record in enumerate(records):
        as_of = hooks(AS_OF, now, StoredView(record, now, settle))
        version = record.at(as_of)
        if version is None:
            continue
        candidate = ListingCandidate(record, version, query, now, as_of)
        if not hooks(LISTED, _listed(candidate), candidate):
            continue
        record.reads += 1
        calendar = calendars[record.key.calendar_id]
        shown = ShownEvent(record, version, calendar, query, now, as_of, record.reads)
        conferencing = None if version.deleted else value_at(version.conferencing, as_of)
        shown = ShownEvent(
            record, version, calendar, query, now, as_of, record.reads, hooks(CONFERENCING, conferencing, shown)
        )
        listed.append((version.fields["start"].at, age, hooks(EVENT, _event(shown, hooks), shown)))
    return [event for _, _, event in sorted(listed, key=lambda entry: entry[:2])]


def in_pages(found: Sequence[Event], size: int) -> Pages:
    """The events in pages of that size; one empty page if there are none."""
    return tuple(tuple(found[start : start + size]) for start in range(0, len(found), size)) or ((),)


def page_body(page: ReferencePage) -> dict[str, Any]:
    """The body of a page; the last one has no ``next_page``."""
    pages: dict[str, Any] = {"current": page.index, "total": page.total}
    if page.next_page is not None:
        pages["next_page"] = page.next_page
    return {"pages": pages, "events": list(page.events)}
