"""What else it takes to see that a rule applies: when an event is, and the pages of a reading."""

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
    pages = facts.document.get("pages")
    if facts.about == "reading" and isinstance(pages, list) and _OF_PAGES & {*path}:
        more = [f"and {len(pages) - _PAGES} more"] if len(pages) > _PAGES else []
        yield "pages", "; ".join([*(_page(place, page) for place, page in enumerate(pages[:_PAGES], 1)), *more])


def _time(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _page(place: int, page: Mapping[str, Any]) -> str:
    """What a page says of itself, and how many events it has."""
    numbers = f"current {page.get('current', 'absent')}, total {page.get('total', 'absent')}"
    status = f", answered {page['status']}" if page.get("status", 200) != 200 else ""
    return f"page {place}: {page.get('events')} events, {numbers}, next_page {page.get('next_page')}{status}"
