"""Reads: flags, filters, what an event shows, and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from conformance.reference.decisions import Alteration, at, fault
from conformance.reference.model import value_at
from conformance.reference.moments import utc
from conformance.reference.reading import (
    CONFERENCING,
    EVENT,
    LISTED,
    PAGE_BODY,
    PAGES,
    QUERY,
    Event,
    Listing,
    Look,
    Page,
    Query,
    Reading,
)
from conformance.reference.server import PAGE_READER

__all__ = ["READS"]

_DAY = 86400.0
Pages = tuple[tuple[Event, ...], ...]


def _query(change: Callable[[Query], Query]) -> Alteration:
    return at(QUERY, lambda right, _: change(right))


def _lists(when: Callable[[Listing], bool]) -> Alteration:
    return at(LISTED, lambda right, listing: right or when(listing))


def _hides(when: Callable[[Listing], bool]) -> Alteration:
    return at(LISTED, lambda right, listing: right and not when(listing))


def _shows(change: Callable[[Event, Look], Event]) -> Alteration:
    return at(EVENT, lambda right, look: change(dict(right), look))


def _paged(change: Callable[[Pages], Pages]) -> Alteration:
    return at(PAGES, lambda right, _: change(right) if len(right) > 1 else right)


def _page(change: Callable[[dict[str, Any], Page], dict[str, Any]]) -> Alteration:
    return at(PAGE_BODY, lambda right, page: {**right, "pages": change(dict(right["pages"]), page)})


def _in_calendars(listing: Listing) -> bool:
    ids = listing.query.calendar_ids
    return not ids or listing.record.key.calendar_id in ids


def _managed_is_asked(query: Query) -> bool:
    return query.include_managed or query.only_managed


def _reads_managed(listing: Listing) -> bool:
    return listing.record.managed and _managed_is_asked(listing.query)


def _outside_default_window(listing: Listing) -> bool:
    fields, query = listing.version.fields, listing.query
    unbounded = query.since is None and query.until is None
    far = fields["start"].at > listing.now + 201 * _DAY or fields["end"].at < listing.now - 42 * _DAY
    return unbounded and far


def _ended_before(listing: Listing) -> bool:
    since, fields = listing.query.since, listing.version.fields
    return since is not None and fields["start"].at < since <= fields["end"].at


def _second_page_unfiltered(right: Pages, reading: Reading) -> Pages:
    if len(right) < 2 or not reading.query.only_managed:
        return right
    first = reading.account.external[:1]
    now = reading.now // 3600 * 3600
    strangers = tuple(
        {
            "calendar_id": each.calendar_id,
            "event_uid": each.event_uid,
            "summary": each.summary,
            "start": utc(now + each.starts_in),
            "end": utc(now + each.starts_in + each.lasts),
            "deleted": False,
        }
        for each in first
    )
    return (right[0], (*right[1], *strangers), *right[2:])


def _without_conferencing(right: Pages) -> Pages:
    later = tuple(
        tuple({name: value for name, value in event.items() if name != "conferencing"} for event in page)
        for page in right[1:]
    )
    return (right[0], *later)


def _looped(pages: dict[str, Any], page: Page) -> dict[str, Any]:
    if page.next_page is None and page.total > 1:
        pages["next_page"] = f"{page.origin}/v1/events/pages/{page.page_id}"
    return pages


def _link(change: Callable[[str], str | None]) -> Alteration:
    def alter(pages: dict[str, Any], page: Page) -> dict[str, Any]:
        if page.next_page is None:
            return pages
        link = change(page.next_page)
        del pages["next_page"]
        return pages if link is None else {**pages, "next_page": link}

    return _page(alter)


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


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
    fault(
        "calendar-ids-hide-managed",
        "2.2",
        "case",
        "With calendar_ids[] managed events are not listed",
        _hides(lambda it: bool(it.query.calendar_ids) and it.record.managed),
    ),
    fault("from-ignored-always", "2.2", "always", "from is ignored", _query(lambda query: replace(query, since=None))),
    fault("to-ignored", "2.2", "always", "to is ignored", _query(lambda query: replace(query, until=None))),
    fault(
        "from-hides-running",
        "2.2",
        "case",
        "An event that starts before from and ends after it is not listed",
        _hides(_ended_before),
    ),
    fault(
        "deleted-always-listed",
        "2.2",
        "always",
        "Deleted events are listed without include_deleted",
        _query(lambda query: replace(query, include_deleted=True)),
    ),
    fault(
        "deleted-shown-as-live",
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
        "localized-times-hide-managed",
        "2.2",
        "case",
        "With localized_times managed events are not listed",
        _hides(lambda it: it.query.localized_times and it.record.managed),
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
        "conferencing-in-details",
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
        "conferencing-of-first-write",
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
    fault(
        "page-loses-last-event",
        "2.2",
        "always",
        "The last event of each page but the last one is lost",
        _paged(lambda pages: (*(page[:-1] for page in pages[:-1]), pages[-1])),
    ),
    fault(
        "page-repeats-event",
        "2.2",
        "always",
        "Each page repeats the last event of the page before",
        _paged(lambda pages: (pages[0], *((before[-1], *page) for before, page in pairwise(pages)))),
    ),
    fault(
        "page-two-is-page-one",
        "2.2",
        "always",
        "Every page shows what the first one shows",
        _paged(lambda pages: (pages[0],) * len(pages)),
    ),
    fault(
        "page-two-unfiltered",
        "2.2",
        "case",
        "The second page does not keep to only_managed",
        at(PAGES, _second_page_unfiltered),
    ),
    fault(
        "page-two-without-conferencing",
        "2.2 S1",
        "case",
        "Later pages show no conferencing",
        _paged(_without_conferencing),
    ),
    fault("next-page-missing", "2.2", "always", "No page has next_page", _link(lambda _: None)),
    fault("next-page-relative", "2.2", "always", "next_page is a path", _link(_path)),
    fault(
        "next-page-at-another-origin",
        "2.2",
        "always",
        "next_page is at another origin",
        _link(lambda url: f"https://api.cronofy.invalid{_path(url)}"),
    ),
    fault("next-page-never-ends", "2.2", "always", "The last page has a next_page: itself", _page(_looped)),
    fault(
        "pages-total-is-one",
        "2.2",
        "case",
        "pages.total is 1 on every page",
        _page(lambda pages, _: {**pages, "total": 1}),
    ),
    fault(
        "pages-from-zero",
        "2.2",
        "always",
        "pages.current counts from 0",
        _page(lambda pages, page: {**pages, "current": page.index - 1}),
    ),
    fault(
        "pages-missing",
        "2.2",
        "always",
        "A read has no pages",
        at(PAGE_BODY, lambda right, page: {"events": right["events"]} if page.total == 1 else right),
    ),
    fault(
        "next-page-open-to-accounts",
        "2.2 2.8",
        "case",
        "Another account's token reads a page",
        at(PAGE_READER, lambda right, reader: right or reader[1] is not None),
    ),
    fault(
        "next-page-open-to-anyone",
        "2.2 2.8",
        "case",
        "A page is read without a token",
        at(PAGE_READER, lambda _, __: True),
    ),
)
