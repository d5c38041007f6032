"""What a write does to the fold: an event's episode ends, its next one begins."""

from __future__ import annotations

from collections.abc import Collection

from conformance.facts.access_refusals import LOCKED
from conformance.facts.account_state import AccountState
from conformance.facts.comparisons import is_all_day, normal_url, time_relation
from conformance.facts.creation import as_last_shown
from conformance.facts.episode import Episode
from conformance.facts.event import Event, EventState
from conformance.facts.exchange_document import answer_document, request_document
from conformance.facts.observed import Before, ObservedWrite
from conformance.facts.repeated_failures import HUNG
from conformance.facts.requested import RequestedConferencing, requested_conferencing
from conformance.facts.seen import Seen
from conformance.facts.state import ObserverState

__all__ = ["apply_write", "invalidate"]

#: Seconds that a clock may be off and still be right.
_SKEW = 900.0


def apply_write(
    fold: ObserverState, account: AccountState, seen: Seen, batch: Collection[tuple[str | None, str]] | None = None
) -> None:
    """A write or a deletion was sent; 429 is none (law failed-writes).

    As an entry of a batch it comes with `batch`: the events, by calendar and id, that several entries are about.
    """
    account.busy_until = max(account.busy_until, seen.answered)
    body, calendar_id = seen.body, seen.route.calendar_id
    if seen.status == 429 or not isinstance(body, dict) or calendar_id is None:
        return
    event_id = body.get("event_id")
    if not isinstance(event_id, str):
        if isinstance(body.get("event_uid"), str):
            invalidate(fold, account.name)  # any event may be the one that is named by its event_uid
        return
    if not fold.has(account.name) and "subscriptions" not in body:
        _follow(fold, account.event(calendar_id, event_id), seen)
        return
    write = _write(seen, account.directory.count, batched=batch is not None)
    if not write.batched:
        account.refusals.record(calendar_id, write.requested.kind, seen.status, seen.number)
    event = account.event(calendar_id, event_id)
    event.written = True
    _begin_episode(fold, account, event, write, alone=not batch or (calendar_id, event_id) not in batch)
    for other in fold.aliases(event):
        fold.account(other.home[0]).last_reading = None
        fold.close_episode(other, "next-write")
        other.state.begin(None, Before())
    event.state.indeterminate = event.state.indeterminate or _may_come_late(seen)
    if event.state.episode.write is write:
        fold.subscriptions.subscribe(event, write)
    _remember(fold, account, event, write)


def _follow(fold: ObserverState, event: Event, seen: Seen) -> None:
    """A write of an account whose facts are made elsewhere: who wrote what, and was given which URL, concerns all."""
    event.written = True
    fold.subscriptions.forget(event.key)
    event.forget()
    if seen.route.name == "write" and _outcome(seen.status) != "refused":
        requested = requested_conferencing(seen.body)
        if requested.kind == "explicit" and requested.join_url is not None:
            fold.claim_url(normal_url(requested.join_url), event)


def _begin_episode(
    fold: ObserverState, account: AccountState, event: Event, write: ObservedWrite, *, alone: bool
) -> None:
    """Close the event's episode, and open that of `write`; an identical repeat of a write is the same episode.

    Of a write that is not `alone` in its batch, or crosses another one, nothing is known but that there was one.
    """
    state = event.state
    episode = state.episode
    if alone and _repeats(episode.write, write):
        before = Before() if write.method == "DELETE" else episode.before  # the first may have done it
        state.start(Episode(episode.number, write, before, episode.stale_values))
        return
    before, stale_values = _next(state, account)
    crossed = not alone or _cross(episode.write, write)
    fold.close_episode(event, "next-write")
    state.writes += 1
    known = Before() if crossed or state.indeterminate else before
    following = Episode(episode.number + 1, None if crossed else write, known, stale_values)
    following.unlisted = episode.never_listed()
    state.start(following)


def invalidate(fold: ObserverState, name: str) -> None:
    """Something changed events of an account in a way that facts do not follow: nothing is known of any."""
    account = fold.account(name)
    account.last_reading = None
    for events in account.calendars.values():
        for event in events.values():
            fold.close_episode(event, "next-write")
            event.state.begin(None, Before())


def _write(seen: Seen, directory_version: int, *, batched: bool) -> ObservedWrite:
    exchange, body = seen.exchange, seen.body
    is_upsert = seen.route.name == "write"
    start, clock_verified = None, _server_clock_is_right(seen)
    if is_upsert and exchange.sent_at is not None:
        start = time_relation(body, seen.sent, server_clock_verified=clock_verified)
    return ObservedWrite(
        method=exchange.request.method,
        request=request_document(seen),
        event=body,
        start=start,
        all_day=is_all_day(body) if is_upsert else None,
        outcome=_outcome(seen.status),
        response=answer_document(seen),
        failures=seen.failures,
        sent=seen.sent,
        answered=seen.answered,
        server_time=exchange.response.date if exchange.response is not None else None,
        timed=exchange.sent_at is not None,
        resolution=exchange.time_resolution,
        directory_version=directory_version,
        requested=requested_conferencing(body) if is_upsert else RequestedConferencing("delete"),
        evidence=seen.evidence,
        number=seen.number,
        clock_verified=clock_verified,
        batched=batched,
    )


def _server_clock_is_right(seen: Seen) -> bool:
    """Whether the answer's Date agrees with the exchange's own times."""
    response = seen.exchange.response
    server = response.date if response is not None else None
    return server is not None and seen.timed and seen.sent - _SKEW <= server <= seen.answered + _SKEW


def _may_come_late(seen: Seen) -> bool:
    """Whether a write is left unanswered so long that it may still be done after those that follow it."""
    return seen.status is None and seen.timed and seen.answered - seen.sent >= HUNG


def _cross(previous: ObservedWrite | None, write: ObservedWrite) -> bool:
    """Whether two writes were under way at once, so that either may have been done last."""
    both = previous is not None and "refused" not in (previous.outcome, write.outcome)
    return both and previous is not None and write.timed and write.sent < previous.answered - previous.resolution


def _repeats(previous: ObservedWrite | None, write: ObservedWrite) -> bool:
    """Whether this is the same write once more, after one whose fate is not known, or that met a locked calendar.

    See law failed-writes.
    """
    return (
        previous is not None
        and (previous.outcome == "unknown" or previous.response.get("status") == LOCKED)
        and previous.event == write.event
        and previous.method == write.method
    )


def _next(state: EventState, account: AccountState) -> tuple[Before, frozenset[str]]:
    """What is known of the event as the next write finds it, and the values that may still be read stale."""
    episode = state.episode
    unseen = episode.write is None and episode.streak is None
    before = episode.before if unseen else episode.next_before(alone=account.sole_writer)
    if before.state == "in_progress":
        before = as_last_shown(state, before)
    if unseen and episode.number == 0:
        before = account.before_first_write() or before
    known = set(state.stale_values)
    if before.state in (None, "in_progress") or episode.stable is None:
        known |= episode.stale_values  # readings lag by more than one write
    if before.state == "nonexistent":
        known |= {"none", "missing"}
    if before.state == "none":
        known.add("none")
    return before, frozenset(known)


def _remember(fold: ObserverState, account: AccountState, event: Event, write: ObservedWrite) -> None:
    state, requested = event.state, write.requested
    if requested.join_url is not None and write.outcome != "refused":
        url = normal_url(requested.join_url)
        state.stale_values.add(f"url {url}")
        if requested.kind == "explicit":
            state.requested_urls.add(url)
            fold.claim_url(url, event)
    if requested.kind == "none":
        state.stale_values.add("none")
    if requested.kind not in ("delete", "omitted", "none") and "conferencing" in write.event:
        account.requested += 1
    fold.mark_dirty(event)


def _outcome(status: int | None) -> str:
    if status is None or not 200 <= status < 500 or 300 <= status < 400:
        return "unknown"
    return "accepted" if status < 300 else "refused"
