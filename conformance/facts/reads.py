"""What a read does to the fold: each event that it lists, or ought to list, is seen once more."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from conformance.facts.account_state import AccountState, page_key
from conformance.facts.comparisons import normal_url, parse_api_time
from conformance.facts.event import Event
from conformance.facts.exchange_document import request_document
from conformance.facts.observed import Before, Observation, staleness_key, state_of
from conformance.facts.reading import Reading, next_page_kind
from conformance.facts.repeats import LastReading, last_reading
from conformance.facts.seen import UNREADABLE, Seen
from conformance.facts.state import ObserverState
from conformance.facts.values import Evidence, Facts

__all__ = ["apply_read"]

#: How many readings of an account may wait for their next page.
_WAITING = 64


def apply_read(fold: ObserverState, account: AccountState, seen: Seen) -> None:
    """One page of a reading was answered: its events are observed, and after the last page those that are missing."""
    account.used = seen.sent
    last, account.last_reading = account.last_reading, None
    if last is not None and account.busy_until <= seen.sent and last.is_repeated_by(seen):
        _repeat(fold, account, last, seen)
        return
    reading = _reading(account, seen)
    if reading is None:
        return
    reading.answered, reading.last = seen.answered, seen.number
    reading.first = reading.first or seen.number
    if seen.route.name == "page" and reading.url:
        seen = structs.replace(seen, evidence=structs.replace(seen.evidence, continues=reading.url))
    page, events, following = _page(reading, seen)
    reading.pages.append(page)
    if len(reading.evidence) < 6 and reading.evidence[-1].label != seen.exchange.label:
        reading.evidence.append(seen.evidence)
    on_page: set[tuple[str, str]] = set()
    for item in events:
        if isinstance(item, dict):
            _item(fold, account, reading, item, seen, on_page)
    if following is not None and page["next_page"] != "other-origin":
        account.readings[page_key(following)] = reading
        if len(account.readings) > _WAITING:
            fold.out.append(account.readings.pop(next(iter(account.readings))).facts())
    elif not _failed(seen):
        _finish(fold, account, reading, seen)


def _repeat(fold: ObserverState, account: AccountState, last: LastReading, seen: Seen) -> None:
    """The last reading came once more."""
    account.serial += 1
    account.managed_reads += 1
    expected = 0
    for event, item in last.events:
        expected += event.is_counted(seen.sent, seen.evidence) or _observe(fold, event, item, seen)
    facts = last.facts_again(seen, account.serial, expected)
    fold.out.append(facts)
    last.facts = facts
    fold.keep_reading(account, last)


def _failed(seen: Seen) -> bool:
    """Whether a page may well be asked for again: no answer, 429 or 5xx."""
    return seen.status is None or seen.status == 429 or seen.status >= 500


def _reading(account: AccountState, seen: Seen) -> Reading | None:
    """The reading that a page belongs to; None for a page of an unknown reading that failed."""
    url, route = seen.exchange.request.url, seen.route
    if account.awaits(url) and not _failed(seen):
        return account.reading_at(url)
    if route.name == "page" and _failed(seen):
        return None
    if route.name == "read":
        account.managed_reads += route.managed != "excluded"
        account.other_reads += route.managed == "excluded"
    account.serial += 1
    evidence = [seen.evidence]
    reading = Reading(account.serial, account.name, route, request_document(seen), seen.sent, seen.sent, evidence)
    reading.timed = seen.exchange.sent_at is not None
    reading.all_known = account.complete
    reading.whole = route.name == "read" and route.is_documented
    reading.url = url if reading.whole else ""
    return reading


def _observation(seen: Seen, item: dict[str, Any] | None, sent: float) -> Observation:
    """What a page shows of one event (None: that it is gone), as of `sent`."""
    state, conferencing = state_of(item)
    exchange = seen.exchange
    timed = exchange.sent_at is not None
    return Observation(state, conferencing, item, sent, seen.answered, timed, exchange.time_resolution, seen.evidence)


def _page(reading: Reading, seen: Seen) -> tuple[dict[str, Any], list[Any], str | None]:
    """The facts of a page, its events, and the URL of the page to follow if there is one."""
    page: dict[str, Any] = {"next_page": "absent", "events": 0}
    if seen.status is not None:
        page["status"] = seen.status
    if seen.status != 200:
        reading.whole = False
        return page, [], None
    if seen.answer is UNREADABLE:
        page["unreadable"] = True
    body = seen.answer if isinstance(seen.answer, dict) else {}
    events, pages = body.get("events"), body.get("pages")
    following = None
    if isinstance(pages, dict):
        for part in ("current", "total"):
            if part in pages:
                page[part] = pages[part]
        reading.urls.add(seen.exchange.request.url)
        kind = page["next_page"] = next_page_kind(pages.get("next_page"), seen.route, reading.urls)
        following = pages["next_page"] if kind in ("same-origin", "other-origin", "relative") else None
    elif "unreadable" not in page:
        page["pages"] = "absent" if pages is None else "malformed"
    if isinstance(events, list):
        page["events"] = len(events)
        return page, events, following
    reading.whole = False
    page["events"] = "malformed"
    return page, [], following


def _item(
    fold: ObserverState,
    account: AccountState,
    reading: Reading,
    item: dict[str, Any],
    seen: Seen,
    on_page: set[tuple[str, str]],
) -> None:
    route = reading.route
    reading.items += 1
    if route.modified and not reading.is_modified(item):
        reading.unmodified += 1
    place = _place(fold, account, reading, item)
    gone = item.get("deleted") is True
    if gone or route.excludes_some:
        _record_excluded(reading, item, is_gone=gone)
    if place is None:
        return
    calendar_id, event_id = place
    reading.calendars.add(calendar_id)
    if place in reading.listed:
        if place in on_page:
            reading.listing.add("duplicated", event_id)
        reading.repeated.add(place)
        return
    event = account.calendars.get(calendar_id, {}).get(event_id)
    if gone and event is None:
        return
    if route.localized and event is not None and _lacks_its_zone(event, item):
        reading.listing.add("not_localized", event_id)
    if not gone:
        reading.listed.add(place)
        on_page.add(place)
        if event is None or not event.written or route.managed == "excluded":
            _record_unexpected(fold, account, reading, event, calendar_id, event_id, item)
    if event is None:
        event = account.event(calendar_id, event_id)
        event.state.episode.before = Before()
    elif not gone and event.shows_same(item, seen.sent, seen.evidence):
        reading.expected += 1
        if event.written:
            reading.rows.append((event, item))
        return
    if not gone and not event.state.episode.has_just_shown(item):
        event.state.note_created(item)
        if item.get("conferencing") is not None:
            _value(fold, event, item["conferencing"], seen.evidence)
    if event.written and not gone:
        reading.rows.append((event, item))
    reading.expected += _observe(fold, event, None if gone else item, seen)


def _place(
    fold: ObserverState, account: AccountState, reading: Reading, item: dict[str, Any]
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
    locations = [home for owner, home in fold.locations(event_id) if owner == account.name]
    return (locations[0], event_id) if len(locations) == 1 else None


def _record_excluded(reading: Reading, item: dict[str, Any], *, is_gone: bool) -> None:
    """Enter an event, managed or not, that what the reading is limited to excludes."""
    listing, route = reading.listing, reading.route
    name = next((value for key in ("event_id", "event_uid") if isinstance(value := item.get(key), str)), None)
    if name is None:
        return
    if is_gone:
        if not route.deleted:
            listing.add("deleted_unexpected", name)
        return
    if route.calendars and item.get("calendar_id", route.calendars[0]) not in route.calendars:
        listing.add("other_calendars", name)
    if (route.since or route.until) and reading.within(item) is False:
        listing.add("outside_window", name)


def _lacks_its_zone(event: Event, item: dict[str, Any]) -> bool:
    """Whether times that were written with a time zone are shown without: there is one that a reading can give."""
    write = event.state.episode.write
    if write is None or write.outcome != "accepted":
        return False
    start = write.event.get("start")
    if "tzid" not in write.event and not (isinstance(start, dict) and "tzid" in start):
        return False
    shown = [item.get(part) for part in ("start", "end")]
    times = [parse_api_time(time) for time in shown]
    return all(time is not None and time[1] for time in times) and not all(isinstance(time, dict) for time in shown)


def _record_unexpected(
    fold: ObserverState,
    account: AccountState,
    reading: Reading,
    event: Event | None,
    calendar_id: str,
    event_id: str,
    item: dict[str, Any],
) -> None:
    """Enter a managed event that is listed where the writes that were seen do not lead to."""
    listing, route = reading.listing, reading.route
    written = event is not None and event.written
    locations = [] if written else fold.locations(event_id)
    if route.managed == "excluded":
        if not written and not locations:
            listing.add("event_id_unexpected", event_id)
        elif _accepted(event):
            listing.add("managed_unexpected", event_id)
    covered = None if account.directory.is_shared_token or not account.is_known else account.covered
    if locations and (account.complete or (covered is not None and covered.within(item) is True)):
        if any(owner == account.name for owner, _ in locations):
            if event is None:
                listing.add("wrong_calendar", event_id)
        elif all(home != calendar_id for _, home in locations):
            listing.add("other_account", event_id)


def _accepted(event: Event | None) -> bool:
    """Whether the last write of an event was accepted."""
    write = event.state.episode.write if event is not None else None
    return write is not None and write.outcome == "accepted"


def _observe(fold: ObserverState, event: Event, item: dict[str, Any] | None, seen: Seen) -> bool:
    """An event was shown (None: shown to be gone); whether it was known to be there, so that it was expected."""
    episode = event.state.episode
    if episode.write is not None and episode.write.answered > seen.sent:
        return False  # the write overlaps the reading, which says nothing about it
    same = item is not None and episode.shows_same(item)
    may_end = item is not None and not same and not fold.settings.complete_recording
    end = episode.end_in(item) if may_end and item is not None else None
    if end and fold.settings.only_writer:
        episode.overwritten = episode.overwritten or end == "overwritten"
    elif end:
        if end == "replaced":
            episode.pending_again = 2
        fold.close_episode(event, "next-write")
        event.state.begin(None, Before())
        episode = event.state.episode
    stable = episode.stable
    expected = stable is not None and stable is episode.streak and stable.observation.item is not None
    if same:
        episode.repeat(seen.sent, seen.evidence, fold.settings, fold.window)
    else:
        _add_observation(fold, event, _observation(seen, item, seen.sent))
    if episode.settled_after is not None:
        fold.window.note_settling(episode.settled_after)
    fold.mark_dirty(event)
    return expected


def _add_observation(fold: ObserverState, event: Event, observation: Observation) -> None:
    state = event.state
    state.episode.observe(observation, fold.settings, fold.window)
    if state.episode.moved:
        fold.account(event.home[0]).links_move = True
    key = staleness_key(observation.state, observation.conferencing)
    if key not in state.stale_values:
        state.stale_values.add(key)
        if observation.state == "assigned":
            fold.record_shown_url(normal_url(observation.conferencing["join_url"]), event)


def _finish(fold: ObserverState, account: AccountState, reading: Reading, seen: Seen) -> None:
    """The last page was read: what is not listed is missing, where the law complete-reading allows to say so."""
    route = reading.route
    alone = account.alone(reading)
    if reading.finished and route.managed != "excluded" and alone and reading.last_modified in ("absent", "ahead"):
        _find_missing(fold, account, reading, seen)
    if reading.complete and alone and not route.calendars and account.is_known:
        account.complete = account.read_completely = True
    elif reading.finished and route.managed != "excluded" and alone and not (route.calendars or route.modified):
        account.covered = reading
    if reading.finished and not route.windowed and not route.calendars:
        reading.externals_before = account.externals
        if route.managed == "excluded":
            account.externals = reading.externals
    facts = reading.facts()
    fold.out.append(facts)
    if alone:
        says_all = reading.all_known is account.complete  # else the next one says more
        fold.keep_reading(account, last_reading(reading, seen, facts) if says_all else None)


def _find_missing(fold: ObserverState, account: AccountState, reading: Reading, seen: Seen) -> None:
    for calendar_id in reading.route.calendars or tuple(account.calendars):
        if account.is_known or calendar_id in reading.calendars:
            known = account.calendars.get(calendar_id, {})
            reading.missing |= {(calendar_id, name) for name in known if (calendar_id, name) not in reading.listed}
    missing, repeated = account.confirmed(reading)
    for _, event_id in sorted(repeated):
        reading.listing.add("duplicated", event_id)
    for calendar_id, event_id in sorted(reading.missing):
        event = account.calendars[calendar_id][event_id]
        if (calendar_id, event_id) in missing or _is_to_be_gone(event):
            _miss(fold, event, reading, seen)


def _is_to_be_gone(event: Event) -> bool:
    """Whether an event is missing rightly, so that once is enough: it was deleted, or its creation was refused."""
    episode = event.state.episode
    write = episode.write
    if write is None:
        return False
    refused = write.outcome == "refused" and episode.before.state == "nonexistent"
    return refused or (write.method == "DELETE" and write.outcome == "accepted")


def _miss(fold: ObserverState, event: Event, reading: Reading, seen: Seen) -> None:
    """A reading that lists all it is limited to does not list an event."""
    episode = event.state.episode
    # What this side did not write may rightly be gone: whoever did may have deleted it.
    shown = episode.stable_item(fold.window) if event.written else None
    if shown is not None and (not reading.route.windowed or reading.within(shown)):
        reading.expected += 1
        if not reading.route.modified:
            reading.listing.add("missing", event.event_id)
    if _admits(reading, event) and (episode.write is not None or episode.streak is not None):
        _add_observation(fold, event, _observation(seen, None, reading.sent))
        fold.mark_dirty(event)


def _admits(reading: Reading, event: Event) -> bool:
    """Whether an event that is not listed is seen to be missing.

    Its times must lie well within those of the reading, as they were written and as they were before.  Of an event that
    was shown, a reading that is limited says no more than that it leaves it out, which is a finding about the reading.
    """
    if reading.complete:
        return True
    episode = event.state.episode
    if reading.route.modified or (episode.streak is not None and episode.streak.observation.item is not None):
        return False
    written = episode.write.event if episode.write is not None and episode.write.method == "POST" else None
    known = [item for item in (written, episode.before.item) if item is not None]
    return bool(known) and all(reading.within(item) is True for item in known)


def _value(fold: ObserverState, event: Event, value: Any, evidence: Evidence) -> None:
    """A value of `conferencing` that this event was not shown with before has facts of its own."""
    reported = event.state.reported_values
    text = repr(value)
    if text in reported:
        return
    reported.add(text)
    account, calendar_id, event_id = event.key
    document = {
        "about": "conferencing",
        "account": account,
        "calendar_id": calendar_id,
        "event_id": event_id,
        "conferencing": value,
    }
    key = ("conferencing", *event.key, str(len(reported)))
    shown = structs.replace(evidence, shown={"conferencing": value})
    fold.out.append(Facts("conferencing", key, document, (shown,), closed=True, earlier=event.state.time_line()))
