"""What a write does to the fold: an event's episode ends, its next one begins."""

from __future__ import annotations

from typing import Any

from conformance.facts.comparisons import normal_url, tense
from conformance.facts.episode import Before, Episode, ObservedWrite
from conformance.facts.event import Event, EventState
from conformance.facts.exchange_document import request_document
from conformance.facts.repeated_failures import HUNG
from conformance.facts.requested import RequestedConferencing, asked
from conformance.facts.routes import Route, body_json
from conformance.facts.state import AccountState, ObserverState
from conformance.facts.values import Evidence
from conformance.http.exchange import Exchange, Response

__all__ = ["apply_write", "invalidate"]

#: Seconds that a clock may be off and still be right.
_SKEW = 900.0


def apply_write(
    memory: ObserverState, exchange: Exchange, at: Route, name: str, sent: float, answered: float, failures: int
) -> None:
    """A write or a deletion was sent; 429 is none (law 9)."""
    response = exchange.response
    account = memory.account(name)
    account.busy_until = max(account.busy_until, answered)
    if response is not None and response.status == 429:
        return
    try:
        body = body_json(exchange.request)
    except (ValueError, UnicodeDecodeError):
        return
    event_id = body.get("event_id") if isinstance(body, dict) else None
    if at.calendar_id is None or not isinstance(event_id, str):
        if isinstance(body, dict) and isinstance(body.get("event_uid"), str):
            invalidate(memory, name)  # any event may be the one that is named by its event_uid
        return
    event = account.event(at.calendar_id, event_id)
    event.written = True
    life = event.life
    asks = asked(body) if at.name == "write" else RequestedConferencing("delete")
    write = _write(exchange, at, body, asks, sent, answered, failures, account.directory.count)
    if _repeats(life.episode.write, write):
        before = Before() if write.method == "DELETE" else life.episode.before  # the first may have done it
        life.episode = Episode(life.episode.number, write, before, life.episode.stale_values)
    else:
        before, known = _next(life, account)
        if life.adrift:
            before = Before()
        crossed = _cross(life.episode.write, write)
        memory.close_episode(event, "next-write")
        life.episode = Episode(life.episode.number + 1, None if crossed else write, before, known)
        if crossed:
            life.episode.before = Before()
    for other in memory.elsewhere(event):
        memory.close_episode(other, "next-write")
        other.life.episode = Episode(other.life.episode.number + 1, None, Before(), frozenset(other.life.stale_values))
    life.adrift = life.adrift or _may_come_late(exchange)
    _remember(memory, account, event, life, write)


def invalidate(memory: ObserverState, name: str) -> None:
    """Something changed events of an account in a way that facts do not follow: nothing is known of any."""
    for events in memory.account(name).calendars.values():
        for event in events.values():
            memory.close_episode(event, "next-write")
            life = event.life
            life.episode = Episode(life.episode.number + 1, None, Before(), frozenset(life.stale_values))


def _write(
    exchange: Exchange,
    at: Route,
    body: dict[str, Any],
    asks: RequestedConferencing,
    sent: float,
    answered: float,
    failures: int,
    directory_version: int,
) -> ObservedWrite:
    response = exchange.response
    status = response.status if response is not None else None
    timed = exchange.sent_at is not None
    return ObservedWrite(
        method=exchange.request.method,
        request=request_document(exchange, body),
        event=body,
        start=tense(body, sent, told=_tells_the_time(exchange)) if timed and at.name == "write" else None,
        outcome=_outcome(status),
        response=_answer(response),
        failures=failures,
        sent=sent,
        answered=answered,
        timed=timed,
        resolution=exchange.time_resolution,
        directory_version=directory_version,
        asked=asks,
        evidence=Evidence(exchange.label, exchange.request, status),
    )


def _tells_the_time(exchange: Exchange) -> bool:
    """Whether the answer's Date shows that the server's clock is right, as far as the exchange's own times go."""
    server = exchange.response.date if exchange.response is not None else None
    if server is None or exchange.sent_at is None or exchange.answered_at is None:
        return False
    return exchange.sent_at - _SKEW <= server <= exchange.answered_at + _SKEW


def _may_come_late(exchange: Exchange) -> bool:
    """Whether a write is left unanswered so long that it may still be done after those that follow it."""
    sent, answered = exchange.sent_at, exchange.answered_at
    return exchange.response is None and sent is not None and answered is not None and answered - sent >= HUNG


def _cross(previous: ObservedWrite | None, write: ObservedWrite) -> bool:
    """Whether two writes were under way at once, so that either may have been done last."""
    both = previous is not None and "refused" not in (previous.outcome, write.outcome)
    return both and previous is not None and write.timed and write.sent < previous.answered - previous.resolution


def _repeats(previous: ObservedWrite | None, write: ObservedWrite) -> bool:
    """Whether this is the same write once more, after one whose fate is not known (law 9)."""
    return (
        previous is not None
        and previous.outcome == "unknown"
        and previous.event == write.event
        and previous.method == write.method
    )


def _next(life: EventState, account: AccountState) -> tuple[Before, frozenset[str]]:
    """What is known of the event as the next write finds it, and the values that may still be read stale."""
    episode = life.episode
    unseen = episode.write is None and episode.run is None
    before = episode.before if unseen else episode.next_before()
    if unseen and episode.number == 0 and account.complete:
        before = Before("nonexistent")
    known = set(life.stale_values)
    if before.state == "nonexistent":
        known |= {"none", "missing"}
    if before.state == "none":
        known.add("none")
    return before, frozenset(known)


def _remember(
    memory: ObserverState, account: AccountState, event: Event, life: EventState, write: ObservedWrite
) -> None:
    asks = write.asked
    if asks.join_url is not None and write.outcome != "refused":
        url = normal_url(asks.join_url)
        life.stale_values.add(f"url {url}")
        if asks.kind == "explicit":
            life.asked_urls.add(url)
            memory.asked_for(url, event)
    if asks.kind == "none":
        life.stale_values.add("none")
    if asks.kind not in ("delete", "omitted", "none"):
        account.asked += 1
    memory.touched(event)


def _answer(response: Response | None) -> dict[str, Any]:
    if response is None:
        return {}
    shown: dict[str, Any] = {"status": response.status}
    if response.body and response.status >= 400:
        try:
            shown["json"] = response.json()
        except ValueError:
            shown["unreadable"] = True
    return shown


def _outcome(status: int | None) -> str:
    if status is None or not 200 <= status < 500 or 300 <= status < 400:
        return "unknown"
    return "accepted" if status < 300 else "refused"
