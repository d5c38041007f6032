"""What the event's own `created` and `updated` tell of its first recorded write (laws before and clocks)."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from conformance.facts.comparisons import compare_urls, parse_api_time, time_relation
from conformance.facts.episode import Episode, differ
from conformance.facts.event import EventState
from conformance.facts.observed import Before, Observation, ObservedWrite, identity_key

__all__ = [
    "as_last_shown", "is_late", "is_told_by_created", "known_before", "shows_write", "start_by_created",
]  # fmt: skip

#: An event that was created about when it was first written, as readings say.
_CREATED = Before("nonexistent")

#: Seconds between a write and the time at which its event was created, by the server's clock.
_JUST_NOW = 60.0

#: Seconds after a write from which one reading tells something.
_LONG = 10.0

#: Seconds by which times of one server may be rounded.
_CLOCK_STEP = 2.0


def known_before(state: EventState, write: ObservedWrite) -> Before:
    """What was known of the event before the write, by what was read since as well (law before).

    An event that was `created` when it was first written was not there before; one that is older was.
    """
    before = state.episode.before
    age = _age(state, write)
    if before.state is None and age is not None and abs(age) <= _JUST_NOW and write.requested.kind != "omitted":
        return _CREATED
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
    return before is _CREATED


def as_last_shown(state: EventState, before: Before) -> Before:
    """What the next write finds while a request may still take effect: the event as the last reading showed it.

    Its conferencing is told where it is that request's own effect: the URL that was sent, or what nobody had before,
    which is assumed where `created` alone tells that there was nothing.
    """
    episode = state.episode
    write, streak = episode.write, episode.streak
    if write is None or write.outcome != "accepted" or streak is None or not shows_write(streak.observation, write):
        return before
    seen, pending = streak.observation, before.pending
    is_effect, is_assumed = False, False
    if seen.state == "assigned" and pending is not None:
        earlier = episode.before.conferencing if episode.before.state == "in_progress" else None
        if pending.join_url is not None:
            is_effect = compare_urls(pending.join_url, seen.conferencing["join_url"]) != "different"
        elif earlier is not None:
            is_effect, is_assumed = identity_key("assigned", earlier) == streak.key, episode.before.is_assumed
        elif write.requested is pending and streak.fresh:
            known = known_before(state, write)
            is_effect = known.state in ("nonexistent", "none", "assigned")
            is_assumed = is_told_by_created(known)
    conferencing = seen.conferencing if is_effect else None
    return structs.replace(before, item=seen.item, conferencing=conferencing, is_assumed=is_assumed)


def is_late(episode: Episode, write: ObservedWrite, quiet: float) -> bool:
    """Whether all readings since the write show the same, the last one long after it, in a row that it updated.

    So does one that lists the event no more, where readings did before the write.
    """
    streak = episode.streak
    if streak is None or not episode.timed or streak.observation.state == "pending":
        return False
    if {key for _, key, _ in episode.observed} - {streak.key, "pending"}:
        return False
    seconds = _seconds_after(write, streak.observation.item)
    if streak.observation.state == "missing":
        updated_by_it = episode.before.item is not None
    else:
        updated_by_it = seconds is not None and -_leeway(write) <= seconds <= _JUST_NOW
    return updated_by_it and episode.seconds_watched() >= max(quiet, _LONG)


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
