"""Traits: in which circumstances a value was written, and how readings showed it.

A trait is a short text.  One that every failure has and no pass has is where the defect is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile
from typing import Any

from conformance.facts import Evidence, Facts
from conformance.facts.comparisons import normal_url
from conformance.facts.requested import FIELDS, RequestedConferencing, requested_conferencing
from conformance.facts.routes import route
from conformance.judging.circumstances import SETTLED, circumstances
from conformance.judging.history import history
from conformance.judging.timeline import unusual_query, written

__all__ = [
    "BEFORE",
    "HEEDED",
    "IGNORED",
    "NEW",
    "RESOLVED",
    "SENT",
    "UNWRITTEN",
    "WRITTEN",
    "Traits",
    "candidates",
    "due",
    "fits",
    "shows",
    "traits",
]

Traits = frozenset[str]

#: What says how a request ended, and so nothing of why.
_OUTCOMES = ("status=", "outcome=", "conferencing", SETTLED)

#: What is known of some facts alone; where nothing of the kind is known, it may be so.
_KINDS = ("is_create=", "shown ", "changes ")

#: Fields of an event that a write may leave out.
_OPTIONAL = ("description", "location", "tzid")


def traits(facts: Facts, shown_by: str | None = None, said: frozenset[str] | None = None) -> Traits:
    """The traits of facts, and of the reading `shown_by`; without one, of the readings that show what came of them.

    `said` are the circumstances of the facts, if they are known.
    """
    found = {*_without_outcomes(circumstances(facts) if said is None else said)}
    body = facts.document.get("request", {}).get("json")
    if "write" in facts.about and isinstance(body, dict):
        found |= {f"no event.{name}" for name in _OPTIONAL if name not in body}
        asked = requested_conferencing(body)
        if asked.kind not in ("explicit", "invalid", "undefined"):
            found |= {f"stray {name}" for name in ("join_url", "provider_description") if getattr(asked, name)}
    if "write" in facts.about and facts.evidence:
        found |= history(facts)
        if facts.document.get("is_create") is True or facts.document.get("changed_fields") == []:
            found.add(_UNCHANGED)
    name = facts.document.get("event_id")
    if isinstance(name, str) and name != name.lower():
        found.add("event_id has upper case")
    if "requested" in facts.document:
        found.add(f"{DUE}{due(facts.document)}")
        if due(facts.document) in _GENERATED:
            found.add("generates")
    readings = _readings_of(facts) if shown_by is None else [one for one in facts.evidence if one.label == shown_by]
    for one in readings:
        found |= _of_reading(one)
        if "write" in facts.about and isinstance(one.shown, dict) and one.shown.get("state") not in (None, "missing"):
            observed = _observed(facts.document.get("after", {}), one.shown)
            found |= _of_update(facts, one.shown, observed) | _of_value(observed)
    return frozenset(found)


@lru_cache(maxsize=1024)
def _without_outcomes(said: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in said if not one.startswith(_OUTCOMES))


def due(document: dict[str, Any]) -> str:
    """What is to come of a write: what it requests or, where that is omitted, what was on its way."""
    pending = document.get("before", {}).get("pending_request")
    return str(pending if pending and document["requested"] == "omitted" else document["requested"])


def shows(state: str) -> str:
    """The trait of what a reading showed in this state."""
    return f"{_STATE}{state}"


_STATE = "reads as "

#: Of a write that is known to change no field of an event: a creation, or an update with all the fields as they are.
_UNCHANGED = "changes nothing"

#: The trait of what readings are to show in the end: what was requested or, where it is omitted, what is on its way.
DUE = "due="

#: Of a reading after an update: conferencing as an earlier write or reading has it, and other; none of the fields that
#: the update changed, and one of them at least.
BEFORE, NEW, UNWRITTEN, WRITTEN = map(shows, ("before", "new", "unwritten", "written"))

#: Of a reading after a write that requests conferencing: as if it had not, and what may have come of the request.
IGNORED, HEEDED = map(shows, ("ignored", "heeded"))

#: Of a reading that shows the explicit join URL, and the service, that were requested.
SENT, RESOLVED = map(shows, ("sent", "resolved"))

#: What an update may request that changes something.
_CHANGING = frozenset({"none", "default", "integrated", "explicit", "8x8", "profile"})
_GENERATED = ("default", "integrated", "profile")
_GETTING = (*_GENERATED, "explicit")


def _readings_of(facts: Facts) -> Iterable[Evidence]:
    """The readings that show what a verdict on facts rests on."""
    after = facts.document.get("after")
    if not isinstance(after, dict):
        return facts.evidence if "write" not in facts.about else ()
    latest: dict[str, Any] = after.get("settled") or after.get("stable") or after.get("latest") or {}
    shown = {name: latest[name] for name in ("state", "conferencing") if name in latest}
    return [one for one in facts.evidence if one.shown == shown]


def _of_reading(one: Evidence) -> set[str]:
    if one.request.method != "GET":
        return set()
    at = route(one.request.method, one.request.url)
    if at.name not in ("read", "page"):
        return set()
    found = {shows(str(one.shown["state"]))} if isinstance(one.shown, dict) and "state" in one.shown else set()
    if shows("missing") in found:
        return found  # no page has it
    how = {f"shown with {name}" for name in unusual_query(one)}
    return found | how | ({"shown on a later page"} if at.name == "page" else set()) or {"shown as usual"}


def _observed(after: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """The facts of what a reading showed."""
    found = (after.get("settled"), after.get("stable"), after.get("latest"), *after.get("observed", ()))
    names = ("state", "conferencing")
    known = (one for one in found if isinstance(one, dict) and all(one.get(name) == shown.get(name) for name in names))
    return next(known, {})


def _of_value(observed: dict[str, Any]) -> set[str]:
    """Whether the values are those that were requested."""
    urls = [observed.get(name) for name in ("join_url_as_sent", "join_url_as_requested_before")]
    found = {SENT} if {"identical", "equivalent"} & {*urls} else set()
    return found | ({RESOLVED} if observed.get("provider_name_as_resolved") in ("identical", "equivalent") else set())


def _of_update(facts: Facts, shown: dict[str, Any], observed: dict[str, Any]) -> set[str]:
    """Whether what a reading shows is what was there before the write; nothing where that cannot be told."""
    document, event = facts.document, facts.document.get("event_id")
    earlier = [one for one in facts.earlier if one.label != facts.evidence[0].label]
    writes = [written(one.request, event) for one in earlier if one.request.method != "GET"]
    writes = [one for one in writes if one.at == "write" and one.body]
    found: set[str] = set()
    is_none, requested = shown["state"] == "none", document.get("requested")
    is_create, was = document.get("is_create") is True, document.get("before", {}).get("state")
    if earlier and (requested in _CHANGING or was == "in_progress" or is_create):
        is_earlier = _is_earlier(document.get("before", {}), earlier, [one.asked for one in writes], shown)
        if not is_create and is_earlier:
            found |= {BEFORE, IGNORED} if requested in _CHANGING else {BEFORE}
        elif not is_create:
            found |= {NEW} if is_none and requested in _GETTING else {NEW, HEEDED}
        elif is_earlier and shown["state"] == "assigned":
            found.add(BEFORE)
    if is_create and requested in _GETTING and document.get("outcome") != "refused":
        came = any(one.get("state") == "assigned" for one in document["after"].get("observed", ()))
        found |= {HEEDED} if shown["state"] == "assigned" else {IGNORED} if is_none and not came else set()
    body = written(facts.evidence[0].request, event).body
    if isinstance(body, dict) and writes:
        last = writes[-1].body
        changed = {name for name in FIELDS if name in body and body[name] != last.get(name, body[name])}
        other, since = ({*observed.get(name, ())} for name in ("mismatching_fields", "fields_changed_since_before"))
        if "fields_changed_since_before" in observed:  # one time may be written in two forms
            found |= {WRITTEN} if changed & since else {UNWRITTEN} if changed & other else set()
        elif changed:
            found.add(UNWRITTEN if changed <= other else WRITTEN)
    return found


def _is_earlier(
    before: dict[str, Any], earlier: list[Evidence], requested: list[RequestedConferencing], shown: dict[str, Any]
) -> bool:
    """Whether conferencing is as an earlier reading showed it, or as an earlier write requested it."""
    state, value = shown["state"], shown.get("conferencing")
    known = [one.shown for one in earlier if isinstance(one.shown, dict) and "state" in one.shown]
    if any(one.get("state") == state and one.get("conferencing") == value for one in known):
        return True
    if state == "none":
        return any(one.kind in ("none", "8x8") for one in requested) or requested[:1] == [
            RequestedConferencing("omitted")
        ]
    url = value.get("join_url") if isinstance(value, dict) else None
    if state != "assigned" or not isinstance(url, str):
        return False
    if any(one.kind == "explicit" and normal_url(one.join_url or "") == normal_url(url) for one in requested):
        return True
    # Of a conference that was still on its way nobody knows the URL.
    since = takewhile(lambda one: one.request.method == "GET", reversed(earlier))
    has_come = any(isinstance(one.shown, dict) and one.shown.get("state") == "assigned" for one in since)
    return before.get("pending_request") in _GENERATED and not has_come


def fits(trait: str, its: Traits) -> bool:
    """Whether a trait is there, or may be: where nothing of its kind is known."""
    kind = next((kind for kind in _KINDS if trait.startswith(kind)), None)
    return trait in its or (kind is not None and not any(one.startswith(kind) for one in its))


def candidates(failed: Iterable[Traits], passed: Iterable[Traits], *, is_missing: bool = False) -> frozenset[str]:
    """The traits of some that failed and of none that passed.

    What `is_missing` was not shown in any way, and no detail of its conferencing is a reason for that.
    """
    known = set().union(*failed) - set().union(*passed)
    idle = (_STATE, _UNCHANGED, *(("shown ", "stray ", "event.conferencing.") if is_missing else ()))
    return frozenset(one for one in known if not one.startswith(idle))
