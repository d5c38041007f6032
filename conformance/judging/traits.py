"""Traits: in which circumstances a value was written, and how readings showed it.

A trait is a short text.  One that every failure has and no pass has is where the defect is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from conformance.facts import Evidence, Facts
from conformance.facts.routes import route
from conformance.judging.circumstances import SETTLED, circumstances

__all__ = ["Traits", "always", "in_words", "shows", "traits"]

Traits = frozenset[str]

#: What says how a request ended, and so nothing of why.
_OUTCOMES = ("status=", "outcome=", "conferencing", SETTLED)

#: What is known of some facts alone; where nothing of the kind is known, it may be so.
_KINDS = ("is_create=", "shown ")

#: Parameters of a reading as all make it.
_USUAL = frozenset({"tzid", "only_managed"})

#: Fields of an event that a write may leave out.
_OPTIONAL = ("description", "location", "tzid")

#: The traits that say most to people, the best first, and what they are called at the end of a headline.
_WORDS = {
    "shown on a later page": "wherever a reading has them on a later page",
    "shown with localized_times": "in readings with localized_times",
    "shown with include_managed": "in readings with include_managed",
    "no event.description": "wherever the event has no description",
    "no event.location": "wherever the event has no location",
    "event.start is a time with an offset": "wherever the start has an offset from UTC",
    "event.start is a time": "wherever the event takes whole days",
    "all_day=True": "wherever the event takes whole days",
    "is_create=False": "wherever the write is an update",
    "is_create=True": "wherever the write creates the event",
    "requested=omitted": "wherever the write omits conferencing",
    "requested=explicit": "wherever the conferencing is explicit",
    "requested=none": "wherever the profile_id is none",
    "requested=default": "wherever the profile_id is default",
    "requested=integrated": "wherever the profile_id is integrated",
    "requested=profile": "wherever the profile_id names a profile",
}


def traits(facts: Facts, shown_by: str | None = None) -> Traits:
    """The traits of facts, and of the reading `shown_by`; without one, of the readings that show what came of them."""
    found = {one for one in circumstances(facts) if not one.startswith(_OUTCOMES)}
    body = facts.document.get("request", {}).get("json")
    if facts.about == "write" and isinstance(body, dict):
        found |= {f"no event.{name}" for name in _OPTIONAL if name not in body}
    readings = _readings_of(facts) if shown_by is None else [one for one in facts.evidence if one.label == shown_by]
    for one in readings:
        found |= _of_reading(one)
    return frozenset(found)


def shows(state: str) -> str:
    """The trait of what a reading showed in this state."""
    return f"{_STATE}{state}"


_STATE = "reads as "


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
    how = {f"shown with {name}" for name, _ in at.query if name not in _USUAL} if at.name == "read" else set()
    return found | ({"shown on a later page"} if at.name == "page" else how or {"shown as usual"})


def always(failed: Iterable[Traits], passed: Iterable[Traits]) -> tuple[str, ...]:
    """The traits that fit all that failed and none that passed, those that say most first.

    A trait fits where it is there, or where nothing of its kind is known.
    """
    failed, passed = list(failed), list(passed)
    known = set().union(*failed)
    fitting = [
        trait
        for trait in known
        if not trait.startswith(_STATE)
        and all(trait in one or _is_unknown(trait, one) for one in failed)
        and not any(trait in one for one in passed)
    ]
    rank = {trait: place for place, trait in enumerate(_WORDS)}
    return tuple(sorted(fitting, key=lambda trait: (rank.get(trait, len(rank)), len(trait), trait)))


def _is_unknown(trait: str, traits: Traits) -> bool:
    kind = next((kind for kind in _KINDS if trait.startswith(kind)), None)
    return kind is not None and not any(one.startswith(kind) for one in traits)


def in_words(trait: str) -> str:
    """A trait as the end of a sentence about events or writes."""
    return _WORDS.get(trait, f"wherever {json.dumps(trait, ensure_ascii=False)[1:-1]}")
