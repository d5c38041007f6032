"""Traits of what was done to an event before a write, and of when the event is."""

from __future__ import annotations

from typing import Any

from conformance.facts import Evidence, Facts
from conformance.facts.comparisons import parse_api_time
from conformance.facts.requested import RequestedConferencing
from conformance.judging.circumstances import of_text
from conformance.judging.timeline import written

__all__ = ["history"]

_DAY = 86_400.0

_GENERATED = ("default", "integrated", "profile")

#: Days from which on a start is far ahead, and seconds within which one write follows another at once.
_FAR, _AT_ONCE = 100, 1.0


def history(facts: Facts) -> set[str]:
    """What the accepted writes of the event before this one were, how soon it follows them, and when the event is."""
    first, event = facts.evidence[0], facts.document.get("event_id")
    _, body, _, asked = written(first.request, event)
    writes = [
        (one, written(one.request, event))
        for one in facts.earlier
        if one.request.method != "GET" and one.label != first.label and (one.status or 0) < 400
    ]
    done = [(one, its) for one, its in writes if its.at in ("write", "delete")]
    found = _of_start(first, body) | _of_request(facts.document, [its.asked for _, its in done])
    if facts.about == "batched_write" and facts.document.get("requested") not in ("omitted", "delete"):
        found.add("requested in a batch")
    if not done:
        return found
    kinds = ["delete" if its.at == "delete" else its.asked.kind for _, its in done]
    last, then = done[-1]
    found |= {f"after {kind}" for kind in kinds} | {f"right after {kinds[-1]}"}
    if kinds[-1] == facts.document.get("requested") != "omitted":
        found.add("again")
    if first.at is not None and last.at is not None and first.at - last.at < _AT_ONCE:
        found.add("at once")
    if asked.join_url is not None and any(other.asked.join_url == asked.join_url for _, other in done[:-1]):
        found.add("sends an earlier join_url")
    was, now = _ahead(last, then.body), _ahead(first, body)
    if was is not None and now is not None and (was > 0) != (now > 0):
        found.add("moved into the past" if now < 0 else "moved out of the past")
    return found


def _of_request(document: dict[str, Any], earlier: list[RequestedConferencing]) -> set[str]:
    """What is requested of an event that has begun, and what is there, or on its way, where nothing is requested."""
    before, requested = document.get("before", {}), document.get("requested")
    source = document.get("resolution", {}).get("source")
    found = {"default without a profile"} if requested == "default" and source in ("integrated", "nothing") else set()
    if requested in _GENERATED and document.get("start") in ("past", "running"):
        return found | ({"generates after the start"} if source in ("profile", "integrated") else set())
    if before.get("pending_request") not in (None, "none"):  # what removes conferencing leaves nothing to come
        found.add("omitted while pending" if requested == "omitted" else "requested while pending")
    was = before.get("pending_request") or before.get("requested_as")
    if requested != "omitted" or was not in (*_GENERATED, "explicit"):
        return found
    found.add(f"omitted over {'explicit conferencing' if was == 'explicit' else 'a generated conference'}")
    asked = next((one for one in reversed(earlier) if one.kind == "explicit"), None)
    if was == "explicit" and asked is not None and asked.join_url is not None:
        of_text("event.conferencing.join_url", asked.join_url, found.add)
    return found


def _of_start(first: Evidence, body: Any) -> set[str]:
    ahead = _ahead(first, body)
    if ahead is None:
        return set()
    near = {"started within a day"} if -_DAY < ahead < 0 else set()
    return near | ({"starts far ahead"} if ahead > _FAR * _DAY else set())


def _ahead(one: Evidence, body: Any) -> float | None:
    """How many seconds after a write its event starts; None where that cannot be told."""
    start = parse_api_time(body.get("start"), body.get("tzid")) if isinstance(body, dict) else None
    return None if start is None or one.at is None else start[0].timestamp() - one.at
