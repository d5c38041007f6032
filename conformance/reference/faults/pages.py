"""Pages of reads."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from conformance.reference.calls import PAGE_READER
from conformance.reference.event_list import PAGE_BODY, PAGES, Pages, ReadRequest, ReferencePage
from conformance.reference.hooks import Override, at, fault
from conformance.reference.timestamps import utc

__all__ = ["PAGING"]


def _paged(change: Callable[[Pages], Pages]) -> Override:
    return at(PAGES, lambda right, _: change(right) if len(right) > 1 else right)


def _page(change: Callable[[dict[str, Any], ReferencePage], dict[str, Any]]) -> Override:
    return at(PAGE_BODY, lambda right, page: {**right, "pages": change(dict(right["pages"]), page)})


def _second_page_unfiltered(right: Pages, reading: ReadRequest) -> Pages:
    if len(right) < 2 or not reading.query.only_managed:
        return right
    first = reading.account.external[:1]
    now = reading.now // 3600 * 3600
    external = tuple(
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
    return (right[0], (*right[1], *external), *right[2:])


def _without_conferencing(right: Pages) -> Pages:
    later = tuple(
        tuple({name: value for name, value in event.items() if name != "conferencing"} for event in page)
        for page in right[1:]
    )
    return (right[0], *later)


def _looped(pages: dict[str, Any], page: ReferencePage) -> dict[str, Any]:
    if page.next_page is None and page.total > 1:
        pages["next_page"] = f"{page.origin}/v1/events/pages/{page.page_id}"
    return pages


def _link(change: Callable[[str], str | None]) -> Override:
    def alter(pages: dict[str, Any], page: ReferencePage) -> dict[str, Any]:
        if page.next_page is None:
            return pages
        link = change(page.next_page)
        del pages["next_page"]
        return pages if link is None else {**pages, "next_page": link}

    return _page(alter)


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


PAGING = (
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
        "page-two-unfiltered", "2.2", "case", "The second page ignores only_managed", at(PAGES, _second_page_unfiltered)
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
        "pages-missing",
        "2.2",
        "always",
        "A read has no pages",
        at(PAGE_BODY, lambda right, page: {"events": right["events"]} if page.total == 1 else right),
    ),
    fault(
        "next-page-open-to-anyone",
        "2.2 2.8",
        "case",
        "A page can be read without a token",
        at(PAGE_READER, lambda _, __: True),
    ),
)
