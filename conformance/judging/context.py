"""What else it takes to see that a rule applies: when an event is, its calendar and service, the pages of a reading."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance.judging.timeline import written

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.facts import Facts

__all__ = ["context"]

#: How many pages of a reading are told.
_PAGES = 6

#: The parts of the facts of a reading in which pages are wrong.
_OF_PAGES = frozenset({"pages", "page_numbers_consistent", "all_pages_read", "missing", "duplicated"})


def context(rule: Rule, facts: Facts, path: Sequence[str | int]) -> Iterator[tuple[str, str]]:
    """What else is to be told of a violation at `path`, each with a name."""
    is_begun = facts.about == "write" and facts.document.get("start") != "future"
    if is_begun and '"start"' in json.dumps(rule.part("if")) and facts.evidence:
        first = facts.evidence[0]
        body = written(first.request, facts.document.get("event_id")).body
        if isinstance(body, dict) and first.at is not None and "start" in body:
            sent = datetime.fromtimestamp(first.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield "times", f"from {_time(body['start'])} to {_time(body.get('end'))}, written at {sent}"
    if "write" in facts.about:
        told = json.dumps([rule.part("if"), rule.part("then")])
        is_resolved = "resol" in told and "resolution" in facts.document
        calendar = _calendar(facts.document.get("calendar", {})) if is_resolved or '"calendar"' in told else ""
        service = _service(facts) if is_resolved else ""
        yield from ((name, text) for name, text in (("calendar", calendar), ("service", service)) if text)
    pages = facts.document.get("pages")
    if facts.about == "reading" and isinstance(pages, list) and _OF_PAGES & {*path}:
        more = [f"and {len(pages) - _PAGES} more"] if len(pages) > _PAGES else []
        yield "pages", "; ".join([*(_page(place, page) for place, page in enumerate(pages[:_PAGES], 1)), *more])


#: What a request for a conference resolves to, by where it comes from.
_SOURCES = {
    "profile": "by a conferencing profile of the account",
    "integrated": "integrated in the calendar",
    "nothing": "none: the account has no conferencing profile, and the calendar no integrated service",
    "unavailable": "none: the calendar has no integrated service",
    "unlisted": "none: userinfo lists no such profile",
}


def _calendar(calendar: Mapping[str, Any]) -> str:
    """What the calendar list, or userinfo, says of the calendar that is written to; empty where neither was read."""
    has = {True: "with", False: "without"}.get(calendar.get("integrated_conferencing_available", ""))
    integrated = f"{has} integrated conferencing" if has else ""
    known = ", ".join(part for part in (calendar.get("provider_name", ""), integrated) if part)
    return f"{calendar['calendar_id']}: {known}" if known and "calendar_id" in calendar else known


def _service(facts: Facts) -> str:
    """The service that the requested conference is of, and where that comes from; empty where it is not known."""
    resolution = facts.document["resolution"]
    source = _SOURCES.get(resolution.get("source"), "")
    if facts.document.get("requested") == "profile" and source == _SOURCES["profile"]:
        body = written(facts.evidence[0].request, facts.document.get("event_id")).body if facts.evidence else None
        source = f"by the profile {body['conferencing']['profile_id']}" if body else source
    return ", ".join(part for part in (" or ".join(resolution.get("provider_names", ())), source) if part)


def _time(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _page(place: int, page: Mapping[str, Any]) -> str:
    """What a page says of itself, and how many events it has."""
    numbers = f"current {page.get('current', 'absent')}, total {page.get('total', 'absent')}"
    status = f", answered {page['status']}" if page.get("status", 200) != 200 else ""
    return f"page {place}: {page.get('events')} events, {numbers}, next_page {page.get('next_page')}{status}"
