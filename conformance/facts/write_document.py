"""The facts of a write, as one JSON document: what schemas/facts/write.json describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.facts.comparisons import compare_urls, normal_url, parse_api_time, same_text
from conformance.facts.creation import is_late, is_told_by_created, known_before, shows_write, start_by_created
from conformance.facts.directory import compare_service
from conformance.facts.episode import Episode
from conformance.facts.event import EventState
from conformance.facts.notified import reach_of
from conformance.facts.observed import Before, Observation, ObservedWrite
from conformance.facts.requested import FIELDS, RequestedConferencing, field_as_sent, is_documented_time
from conformance.facts.window import Window

__all__ = ["Context", "shown", "write_document"]

#: The fields that conferencing consists of where there are more than its ``profile_id``; others are stray.
_FIELDS = {"explicit": {"profile_id", "provider_description", "join_url"}}

#: The kinds of requests from which generated conferences come.
_GENERATED = ("default", "integrated", "profile")

#: Fields of which a plain event may consist: nothing in it gives a server a reason to refuse it.
_PLAIN = {
    "event_id": lambda v: isinstance(v, str) and 0 < len(v) <= 64,
    "summary": lambda v: _is_text(v) and len(v.strip()) > 0 and len(v) <= 1024,
    "description": lambda v: _is_text(v) and len(v) <= 4096,
    "start": lambda v: is_documented_time(v) and _is_near(v),
    "end": lambda v: is_documented_time(v) and _is_near(v),
    "tzid": lambda v: isinstance(v, str) and v != "" and parse_api_time("2026-01-01T00:00:00", v) is not None,
    "location": lambda v: isinstance(v, dict) and all(_is_text(part) for part in v.values()),
    "conferencing": lambda v: isinstance(v, dict) and set(v) <= _FIELDS.get(str(v.get("profile_id")), {"profile_id"}),
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the document of a write takes from outside of its episode.

    `services` are those that the account's profiles list.  `shared_with` says of a join URL in its normal form whether
    it belongs to another event.  `links_move` says that generated join URLs change without a write.  `quiet` and
    `settle_timeout` are in seconds; `closed_by` says how the episode ended, `closed` that it did.
    """

    account: str
    event_id: str
    calendar: dict[str, Any] | None
    resolution: dict[str, Any] | None
    profiles: int | None
    services: frozenset[str]
    refusals: int
    shared_with: Callable[[str], str | None]
    links_move: bool
    window: Window
    quiet: float
    settle_timeout: float
    closed_by: str
    closed: bool


def write_document(state: EventState, write: ObservedWrite, context: Context) -> dict[str, Any]:
    """The facts of one write, from an open or a closed episode; what is not known is left out."""
    before = known_before(state, write)
    document: dict[str, Any] = {
        "about": "write",
        "account": context.account,
        "event_id": context.event_id,
        "request": write.request,
        "requested": write.requested.kind,
        "otherwise_valid": _is_plain(write.event),
        "response": write.response,
        "outcome": write.outcome,
    }
    reach = reach_of(write.event) if "subscriptions" in write.event else None
    if reach is not None and _is_plain({k: v for k, v in write.event.items() if k != "subscriptions"}):
        document["subscriptions"] = reach
    if write.failures:
        document["failures"] = write.failures
    if context.refusals:
        document["refusals"] = context.refusals
    if context.calendar is not None:
        document["calendar"] = context.calendar
    if context.resolution is not None:
        document["resolution"] = context.resolution
    if context.profiles is not None:
        document["profiles"] = context.profiles
    start = write.start or start_by_created(state, write)
    if start is not None:
        document["start"] = start
    if write.all_day is not None:
        document["all_day"] = write.all_day
    if before.state is not None:
        document["before"] = _before_document(before, write)
        if before.state in ("nonexistent", "none", "assigned"):
            document["is_create"] = before.state == "nonexistent"
    if before.item is not None and before.state != "in_progress":
        document["changed_fields"] = _differing(write.event, before.item)
    document["after"] = _after(state, write, before, context)
    return document


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The fields in which two forms of an event certainly differ."""
    return [name for name in FIELDS if field_as_sent(one, other, name) is False]


def _before_document(before: Before, write: ObservedWrite) -> dict[str, Any]:
    document: dict[str, Any] = {"state": before.state}
    if is_told_by_created(before):
        document["known_by"] = "created"
    if before.state == "in_progress" and before.item is not None:
        document["listed"] = True
    if before.conferencing is not None:
        name = "shown" if before.state == "in_progress" and before.is_assumed else "conferencing"
        if name != "shown" or write.requested.kind == "omitted":
            document[name] = before.conferencing
    if before.requested_as is not None:
        document["requested_as"] = before.requested_as
    if before.pending is not None:
        document["pending_request"] = before.pending.kind
        if before.pending_start is not None:
            document["start"] = before.pending_start
    return document


def _after(state: EventState, write: ObservedWrite, before: Before, context: Context) -> dict[str, Any]:
    episode = state.episode
    streak = episode.streak
    after: dict[str, Any] = {"closed_by": context.closed_by, "read_count": episode.readings}
    seconds = episode.seconds_watched()
    if streak is not None:
        after["latest"] = shown(streak.observation, episode, write, context)
    if streak is not None and streak.observation.state == "pending" and seconds >= context.settle_timeout:
        after["timed_out"] = True
    if streak is not None and episode.stable is streak:
        after["stable"] = after["latest"]
    if episode.settled is not None and (before.state is not None or _shows_outcome(episode, write)):
        same = streak is not None and streak.key == episode.settled_key
        after["settled"] = after["latest"] if same else shown(episode.settled, episode, write, context)
        after["remained"] = not (episode.deviations >= 2 or (context.closed and episode.last_deviates))
    elif context.closed and is_late(episode, write, context.quiet):
        after["latest_is_late"] = True
    if episode.pending_again >= 2:
        after["remained"] = False
    after["window_elapsed"] = episode.readings >= 2 and episode.timed and context.window.is_over(seconds)
    if is_told_by_created(before):
        after["window_elapsed"] = after["window_elapsed"] and "settled" in after
        after["observed"] = [after["settled"]] if "settled" in after else []
    elif before.state in ("nonexistent", "none", "assigned"):
        observed = [shown(item, episode, write, context) for item in episode.evidence_at_once()]
        after["observed"] = [one for one in observed if "join_url_may_move" not in one]
        if episode.replaced_late:
            after["replaced_late"] = True
    return after


def _shows_outcome(episode: Episode, write: ObservedWrite) -> bool:
    """Whether what settled is the outcome of the write, whatever was before: a row that shows it, or never one."""
    assert episode.settled is not None
    return episode.never_listed() is not None or shows_write(episode.settled, write)


def shown(observation: Observation, episode: Episode, write: ObservedWrite, context: Context) -> dict[str, Any]:
    """What one reading shows of the event, compared with what was asked and with what was there before."""
    document: dict[str, Any] = {"state": observation.state}
    if observation.conferencing is not None:
        document["conferencing"] = observation.conferencing
    if observation.state == "assigned":
        document.update(_compared(observation.conferencing, episode, write, context))
    elif observation.state == "pending" and _names_stray(observation.conferencing, write, context):
        document["provider_name_as_sent"] = True
    elif observation.state == episode.before.state == "none":
        document["conferencing_as_before"] = observation.conferencing == episode.before.conferencing
    if observation.item is not None:
        fields = {name: field_as_sent(write.event, observation.item, name) for name in FIELDS}
        document["matching_fields"] = [name for name, same in fields.items() if same is True]
        if not episode.overwritten:
            document["mismatching_fields"] = [name for name, same in fields.items() if same is False]
        if episode.before.item is not None:
            document["fields_changed_since_before"] = _differing(episode.before.item, observation.item)
        document["location"] = _location(observation, episode, write)
        if observation.state == "assigned":
            document["join_url_in_event"] = _in_event(observation.item, observation.conferencing["join_url"])
    return document


def _compared(value: dict[str, Any], episode: Episode, write: ObservedWrite, context: Context) -> dict[str, Any]:
    url, service = value["join_url"], value.get("provider_name")
    requested = write.requested
    result: dict[str, Any] = {}
    settling = episode.before.pending
    if requested.join_url is not None:
        result["join_url_as_sent"] = compare_urls(requested.join_url, url)
    if settling is not None and settling.kind == "explicit" and settling.join_url:
        result["join_url_as_requested_before"] = compare_urls(settling.join_url, url)
    if requested.provider_description is not None and requested.kind != "explicit":
        result["provider_name_as_sent"] = service == requested.provider_description
    before = episode.before.conferencing
    if episode.before.state in ("assigned", "in_progress") and isinstance(before, dict):
        same = normal_url(before["join_url"]) == normal_url(url)
        result["provider_name_as_before"] = before.get("provider_name") == service
        if same or not (context.links_move and result["provider_name_as_before"] and _may_move(episode.before, write)):
            result["join_url_as_before"] = same
        else:
            result["join_url_may_move"] = True
    left = _left_over(episode.before, requested, url, service)
    if left is not None:
        result["provider_name_is_stale"] = left
    names = (context.resolution or {}).get("provider_names")
    if names is not None and isinstance(service, str):
        result["provider_name_as_resolved"] = compare_service(names, service, context.services)
    other = context.shared_with(normal_url(url))
    if other is not None:
        result["join_url_shared_with"] = other
    return result


def _may_move(before: Before, write: ObservedWrite) -> bool:
    """Whether another join URL than before may come without the write: of a generated conference that it leaves."""
    generated = before.requested_as in _GENERATED or (before.pending is not None and before.pending.generates)
    return generated and (write.outcome == "refused" or write.requested.kind in ("omitted", "8x8"))


def _names_stray(value: Any, write: ObservedWrite, context: Context) -> bool:
    """Whether a value that is pending already bears a provider_description that is none of explicit conferencing."""
    service, names = value.get("provider_name"), (context.resolution or {}).get("provider_names")
    stray = write.requested.kind != "explicit" and write.requested.provider_description is not None
    return stray and names is not None and service == write.requested.provider_description and service not in names


def _left_over(before: Before, requested: RequestedConferencing, url: str, service: Any) -> bool | None:
    """Whether explicit conferencing bears the service of the generated conference that it replaces.

    None where that is not shown, or where what was sent speaks of that service too, or is that conference's own URL:
    a server may go by that.
    """
    if requested.kind != "explicit" or requested.join_url is None or before.requested_as not in _GENERATED:
        return None
    earlier = before.conferencing.get("provider_name") if isinstance(before.conferencing, dict) else None
    if not isinstance(earlier, str) or compare_urls(requested.join_url, url) == "different":
        return None
    if service != earlier:
        return False
    if compare_urls(requested.join_url, before.conferencing.get("join_url")) != "different":
        return None
    sent = f"{requested.join_url} {requested.provider_description}".lower()
    return None if any(word in sent for word in earlier.lower().split("_")) else True


def _location(observation: Observation, episode: Episode, write: ObservedWrite) -> str:
    """``blank``, ``as_written``, ``join_url`` (holds the one shown), ``earlier_url`` (one from before) or ``other``."""
    assert observation.item is not None
    text = _text(observation.item.get("location"))
    if not text.strip():
        return "blank"
    sent = _text(write.event.get("location"))
    if sent.strip() and same_text(sent, text):
        return "as_sent"
    if observation.state == "assigned" and _holds(text, observation.conferencing["join_url"]):
        return "join_url"
    if write.requested.kind == "explicit" and write.requested.join_url and _holds(text, write.requested.join_url):
        return "join_url"
    if any(f"url {normal_url(word)}" in episode.stale_values for word in text.split()):
        return "earlier_url"
    return "other"


def _in_event(item: dict[str, Any], url: str) -> bool:
    """Whether a field beside conferencing holds a URL: the location, or one whose value is a text."""
    texts = [_text(item.get("location")), *(value for value in item.values() if isinstance(value, str))]
    return any(_holds(text, url) for text in texts)


def _text(location: Any) -> str:
    if isinstance(location, dict):
        location = location.get("description")
    return location if isinstance(location, str) else ""


def _holds(text: str, url: str) -> bool:
    return url in text or ("//" in text and any(normal_url(word) == normal_url(url) for word in text.split()))


def _is_text(value: Any) -> bool:
    """Whether a value is a string of whole characters: half of a surrogate pair is none."""
    return isinstance(value, str) and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def _is_near(time: Any) -> bool:
    """Whether a time is of these decades: where calendars end is not documented."""
    moment = parse_api_time(time)
    return moment is not None and 2000 <= moment[0].year < 2100


def _is_plain(event: dict[str, Any]) -> bool:
    if not {"event_id", "summary", "start", "end"} <= set(event):
        return False
    if not all(name in _PLAIN and _PLAIN[name](value) for name, value in event.items()):
        return False
    start, end = parse_api_time(event["start"], event.get("tzid")), parse_api_time(event["end"], event.get("tzid"))
    return start is not None and end is not None and start[1] == end[1] and start[0] < end[0]
