"""What the event's own `created` and `updated` tell of its first recorded write (laws before and clocks)."""

from __future__ import annotations

from typing import Any

from conformance.facts.comparisons import compare_urls, parse_api_time, time_relation
from conformance.facts.episode import Episode, differ
from conformance.facts.event import EventState
from conformance.facts.observed import Before, Observation, ObservedWrite

__all__ = ["is_told_by_created", "known_before", "new_values", "shows_write", "start_by_created"]

#: An event that was created about when it was first written, as readings say, and one that this write created.
_CREATED, _CREATED_BY_IT = Before("nonexistent"), Before("nonexistent")

#: Seconds between a write and the time at which its event was created, by the server's clock.
_JUST_NOW = 60.0

#: Seconds by which times of one server may be rounded.
_CLOCK_STEP = 2.0


def known_before(state: EventState, write: ObservedWrite) -> Before:
    """What was known of the event before the write, by what was read since as well (law before).

    An event that was `created` when it was first written was not there before; one that is older was.
    """
    before = state.episode.before
    age = _age(state, write)
    if before.state is None and age is not None and abs(age) <= _JUST_NOW and write.requested.kind != "omitted":
        return _CREATED_BY_IT if age <= _leeway(write) else _CREATED
    if before.is_assumed and age is not None and age > _JUST_NOW:
        return Before()
    return before


def _age(state: EventState, write: ObservedWrite) -> float | None:
    """How old the event was at its first recorded write, by the server's own clock; None where that is not known."""
    created = parse_api_time(state.created)
    if state.writes != 1 or state.created_varies or created is None or not created[1] or write.server_time is None:
        return None
    return write.server_time - created[0].timestamp()


def start_by_created(state: EventState, write: ObservedWrite) -> str | None:
    """Where an event lies that its write created, as its `created` shows the server's own clock (law clocks)."""
    age = _age(state, write)
    if age is None or abs(age) > _leeway(write) or not write.clock_verified:
        return None
    return time_relation(write.event, write.sent, server_clock_verified=True, created_then=True)


def is_told_by_created(before: Before) -> bool:
    """Whether what was there before is told by `created` alone."""
    return before is _CREATED or before is _CREATED_BY_IT


def new_values(before: Before, episode: Episode, write: ObservedWrite) -> list[Observation]:
    """Evidence at once about an event that its write created: what rows from the minute after the write show.

    No conferencing is nothing new.  What was updated later, or after what was sent had been shown, may be the work of
    somebody else.
    """
    if before is not _CREATED_BY_IT:
        return []
    found: list[Observation] = []
    latest = _JUST_NOW
    for observation in episode.evidence_at_once():
        seconds = _seconds_after(write, observation.item)
        if observation.state in ("missing", "none") or not shows_write(observation, write) or (seconds or 0.0) > latest:
            continue
        found.append(observation)
        if seconds is not None and _is_as_sent(observation, write):
            latest = min(latest, seconds)
    return found


def _is_as_sent(observation: Observation, write: ObservedWrite) -> bool:
    """Whether a reading shows the join URL that was sent."""
    url = write.requested.join_url
    return (
        observation.state == "assigned" and compare_urls(url or "", observation.conferencing["join_url"]) != "different"
    )


def shows_write(observation: Observation, write: ObservedWrite) -> bool:
    """Whether a reading shows the write as done: every field as sent, and no older update."""
    item = observation.item
    if item is None or differ(write.event, item):
        return False
    seconds = _seconds_after(write, item)
    return seconds is None or seconds >= -_leeway(write)


def _seconds_after(write: ObservedWrite, item: dict[str, Any] | None) -> float | None:
    """How long after a write an event was `updated`, by the server's own clock; None where that is not known."""
    updated = parse_api_time((item or {}).get("updated"))
    if updated is None or write.server_time is None:
        return None
    return updated[0].timestamp() - write.server_time


def _leeway(write: ObservedWrite) -> float:
    """By how many seconds a time of what a write did may lie before its answer's Date."""
    return max(_CLOCK_STEP, write.answered - write.sent)
