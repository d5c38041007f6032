"""What a read does to the fold: each event that it lists, or ought to list, is seen once more."""

from __future__ import annotations

from typing import Any, NamedTuple

from conformance.facts.comparisons import instant, normal_url
from conformance.facts.episode import Before, Observation, staleness_key, state_of
from conformance.facts.event import Event
from conformance.facts.exchange_document import request_document
from conformance.facts.reading import Reading, next_page_kind
from conformance.facts.routes import Route
from conformance.facts.state import AccountState, ObserverState, page_key
from conformance.facts.values import Evidence, Facts
from conformance.http.exchange import Exchange, Response

__all__ = ["apply_read"]

#: How many readings of an account may wait for their next page.
_WAITING = 64


class _Page(NamedTuple):
    """One page as it counts: when it was asked for and answered, whether those times are real, and what it rests on."""

    sent: float
    answered: float
    timed: bool
    resolution: float
    evidence: Evidence

    def sight(self, state: str, conferencing: Any, item: dict[str, Any] | None, since: float) -> Observation:
        return Observation(state, conferencing, item, since, self.answered, self.timed, self.resolution, self.evidence)


def apply_read(
    memory: ObserverState, exchange: Exchange, at: Route, name: str, sent: float, answered: float, number: int
) -> None:
    """One page of a reading was answered: its events are seen, and after the last page those that are missing."""
    account = memory.account(name)
    response = exchange.response
    status = response.status if response is not None else None
    evidence = Evidence(exchange.label, exchange.request, status)
    reading = _reading(account, exchange, at, sent, evidence, status)
    if reading is None:
        return
    reading.answered, reading.last = answered, number
    reading.first = reading.first or number
    page, events, following = _page(response, at, reading, exchange.request.url)
    reading.pages.append(page)
    if len(reading.evidence) < 6 and reading.evidence[-1] is not evidence:
        reading.evidence.append(evidence)
    counts = _Page(sent, answered, exchange.sent_at is not None, exchange.time_resolution, evidence)
    for item in events:
        if isinstance(item, dict):
            _item(memory, account, reading, item, counts)
    if following is not None and page["next_page"] != "other-origin":
        account.readings[page_key(following)] = reading
        if len(account.readings) > _WAITING:
            memory.out.append(account.readings.pop(next(iter(account.readings))).facts())
    elif status is not None and status != 429 and status < 500:
        _finish(memory, account, reading, counts)


def _reading(
    account: AccountState, exchange: Exchange, at: Route, sent: float, evidence: Evidence, status: int | None
) -> Reading | None:
    url = exchange.request.url
    if account.awaits(url) and not (status is None or status == 429 or status >= 500):
        return account.reading_at(url)
    if at.name == "page" and (status is None or status == 429 or status >= 500):
        return None
    if at.name == "read":
        account.managed_reads += at.managed != "excluded"
        account.other_reads += at.managed == "excluded"
    account.serial += 1
    reading = Reading(account.serial, account.name, at, request_document(exchange), sent, sent, [evidence])
    reading.timed = exchange.sent_at is not None
    reading.whole = at.name == "read"
    return reading


def _page(
    response: Response | None, at: Route, reading: Reading, url: str
) -> tuple[dict[str, Any], list[Any], str | None]:
    """The facts of a page, its events, and the URL of the page to follow if there is one."""
    page: dict[str, Any] = {"next_page": "absent", "events": 0}
    if response is None:
        reading.whole = False
        return page, [], None
    page["status"] = response.status
    if response.status != 200:
        reading.whole = False
        return page, [], None
    try:
        body = response.json()
    except ValueError:
        page["unreadable"] = True
        body = None
    events, pages = (body.get("events"), body.get("pages")) if isinstance(body, dict) else (None, None)
    following = None
    if isinstance(pages, dict):
        page.update({part: pages[part] for part in ("current", "total") if part in pages})
        reading.urls.add(url)
        kind = page["next_page"] = next_page_kind(pages.get("next_page"), at, reading.urls)
        following = pages["next_page"] if kind in ("same-origin", "other-origin", "relative") else None
    elif "unreadable" not in page:
        page["pages"] = "absent" if pages is None else "malformed"
    if isinstance(events, list):
        page["events"] = len(events)
        return page, events, following
    reading.whole = False
    page["events"] = "malformed"
    return page, [], following


def _item(memory: ObserverState, account: AccountState, reading: Reading, item: dict[str, Any], page: _Page) -> None:
    reading.items += 1
    place = _place(memory, account, reading, item)
    if place is None:
        return
    calendar_id, event_id = place
    gone = item.get("deleted") is True
    if gone and not reading.route.deleted:
        reading.listing.add("deleted_unexpected", event_id)
    if place in reading.listed:
        reading.listing.add("duplicated", event_id)
        return
    event = account.calendars.get(calendar_id, {}).get(event_id)
    if gone and event is None:
        return
    if not gone:
        reading.listed.add(place)
        _misplaced(memory, account, reading, item, event, calendar_id, event_id)
    if event is None:
        event = account.event(calendar_id, event_id)
        event.life.episode.before = Before()
    elif not gone and event.shows_same(item, page.sent, page.evidence):
        reading.expected += 1
        return
    if not gone and item.get("conferencing") is not None:
        _value(memory, event, item["conferencing"], page.evidence)
    _seen(memory, event, reading, None if gone else item, page)


def _place(
    memory: ObserverState, account: AccountState, reading: Reading, item: dict[str, Any]
) -> tuple[str, str] | None:
    event_id, calendar_id = item.get("event_id"), item.get("calendar_id")
    if not isinstance(event_id, str):
        uid = item.get("event_uid")
        reading.externals += 1
        if reading.route.managed == "only" and isinstance(uid, str):
            reading.listing.add("unmanaged", uid)
        return None
    if isinstance(calendar_id, str):
        return calendar_id, event_id
    homes = [home for owner, home in memory.homes(event_id) if owner == account.name]
    return (homes[0], event_id) if len(homes) == 1 else None


def _misplaced(
    memory: ObserverState,
    account: AccountState,
    reading: Reading,
    item: dict[str, Any],
    event: Event | None,
    calendar_id: str,
    event_id: str,
) -> None:
    """Enter what the listing should not have."""
    listing, route = reading.listing, reading.route
    written = event is not None and event.written
    homes = [] if written else memory.homes(event_id)
    if route.managed == "excluded":
        if not written and not homes:
            listing.add("event_id_unexpected", event_id)
        elif _accepted(event):
            listing.add("managed_unexpected", event_id)
    if route.calendars and calendar_id not in route.calendars:
        listing.add("other_calendars", event_id)
    if route.localized and not (isinstance(item.get("start"), dict) and isinstance(item.get("end"), dict)):
        times = [instant(item.get(name)) for name in ("start", "end")]
        if all(time is not None and time[1] for time in times):
            listing.add("not_localized", event_id)
    if (route.since or route.until) and reading.within(item) is False:
        listing.add("outside_window", event_id)
    if homes and account.complete:
        if any(owner == account.name for owner, _ in homes):
            if event is None:
                listing.add("wrong_calendar", event_id)
        elif all(home != calendar_id for _, home in homes):
            listing.add("other_account", event_id)


def _accepted(event: Event | None) -> bool:
    """Whether the last write of an event was accepted."""
    write = event.life.episode.write if event is not None else None
    return write is not None and write.outcome == "accepted"


def _seen(memory: ObserverState, event: Event, reading: Reading, item: dict[str, Any] | None, page: _Page) -> None:
    """An event was shown (None: shown to be gone)."""
    episode = event.life.episode
    if episode.write is not None and episode.write.answered > page.sent:
        return  # the write overlaps the reading, which says nothing about it
    quiet = episode.stable
    if quiet is not None and quiet is episode.run and quiet.sight.item is not None:
        reading.expected += 1
    if item is not None and episode.shows_same(item):
        episode.repeat(page.sent, page.evidence, memory.settings, memory.window)
    else:
        state, conferencing = state_of(item)
        _see(memory, event, page.sight(state, conferencing, item, page.sent))
    if episode.settled_after is not None:
        memory.slowest = max(memory.slowest, episode.settled_after)
    memory.touched(event)


def _see(memory: ObserverState, event: Event, sight: Observation) -> None:
    life = event.life
    life.episode.observe(sight, memory.settings, memory.window)
    key = staleness_key(sight.state, sight.conferencing)
    if key not in life.stale_values:
        life.stale_values.add(key)
        if sight.state == "assigned":
            memory.shown_on(normal_url(sight.conferencing["join_url"]), event)


def _finish(memory: ObserverState, account: AccountState, reading: Reading, page: _Page) -> None:
    """The last page was read: what is not listed is missing, if law 1 allows to say so."""
    route = reading.route
    alone = account.alone(reading)
    if reading.finished and route.managed != "excluded" and alone and reading.last_modified in ("absent", "ahead"):
        for calendar_id in route.calendars or tuple(account.calendars):
            for event_id, event in account.calendars.get(calendar_id, {}).items():
                if (calendar_id, event_id) not in reading.listed:
                    _missed(memory, event, reading, page)
    if reading.complete and alone and not route.calendars:
        account.complete = True
    if reading.finished and not route.windowed and not route.calendars:
        reading.externals_before = account.externals
        if route.managed == "excluded":
            account.externals = reading.externals
    memory.out.append(reading.facts())


def _missed(memory: ObserverState, event: Event, reading: Reading, page: _Page) -> None:
    episode = event.life.episode
    shown = episode.stable_item(memory.window)
    if shown is not None and (not reading.route.windowed or reading.within(shown)):
        reading.expected += 1
        if not reading.route.modified:
            reading.listing.add("missing", event.event_id)
    if reading.complete and (episode.write is not None or episode.run is not None):
        _see(memory, event, page.sight("missing", None, None, reading.sent))
        memory.touched(event)


def _value(memory: ObserverState, event: Event, value: Any, evidence: Evidence) -> None:
    """A value of `conferencing` that this event was not shown with before has facts of its own."""
    told = event.life.told
    mark = repr(value)
    if mark in told:
        return
    told.add(mark)
    account, calendar_id, event_id = event.key
    document = {
        "about": "conferencing",
        "account": account,
        "calendar_id": calendar_id,
        "event_id": event_id,
        "conferencing": value,
    }
    key = ("conferencing", *event.key, str(len(told)))
    shown = Evidence(evidence.label, evidence.request, evidence.status, {"conferencing": value})
    memory.out.append(Facts("conferencing", key, document, (shown,), closed=True))
