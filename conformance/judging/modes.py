"""Modes: how what is wrong compares with what was sent and what was there before, whatever the rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from conformance.judging.client_defects import withholds_conferencing
from conformance.judging.timeline import TimelineEntry, timeline
from conformance.judging.traits import (
    BEFORE,
    DUE,
    HEEDED,
    IGNORED,
    NEW,
    RESOLVED,
    SENT,
    UNWRITTEN,
    WRITTEN,
    Traits,
    shows,
)

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.verdict import Violation

__all__ = ["SENTENCES", "TOGETHER", "is_of_events", "modes", "refutes"]

#: What is wrong in each mode, as one sentence.
SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "echo": "Readings return conferencing exactly as it was sent: it is never processed",
        "none": "Events read back without conferencing",
        "missing": "Events that were written are not listed",
        "malformed": "Events read back with conferencing of no documented form",
        "unwritten": "Events read back as they were before an update",
        "before": "Events keep the conferencing that they had before an update",
        "ignored": "Events read back as if conferencing had not been requested",
        "undeleted": "Events that were deleted are still listed",
        "assigned": "Events are given a conference; expected none",
        "service": "Conferences are of another service than was requested",
        "url": "Explicit conferencing reads back with another join URL than was sent",
        "status": "Requests are answered {}",
        "withheld": "The client gives back no conferencing as it was read",
        "failures": "Requests are answered 5xx, or not at all, every time",
    }
)

#: The same in the words of one trait, which need not be said again.
TOGETHER: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("none", "requested=omitted"): "An update that omits conferencing removes it; expected it to stay",
        ("assigned", "generates after the start"): "An event that has begun is given a conference; expected none",
    }
)

#: The states that are right elsewhere and say nothing of where one of them is wrong.
_LIKE = {
    "none": ("none", "missing", "pending"),
    "missing": ("missing",),
    "malformed": ("none", "missing", "malformed"),
    "assigned": ("assigned", "pending", "malformed"),
}

#: What a reading shows where it might have shown these modes, and does not.
_UNLIKE = {"before": NEW, "ignored": HEEDED, "unwritten": WRITTEN, "service": RESOLVED, "url": SENT}

#: What a reading shows of an event that is, in some way, as it was.
_WAS = {"unwritten": UNWRITTEN, "before": BEFORE, "ignored": IGNORED}

#: Where it is right that an event is as it was before.
_NEVER_KEPT = ("/fields_changed_since_before", "/after/remained")

#: Parts of a path that say when, or in which of several, something is wrong.
_MOMENTS = re.compile(r"/([0-9]+|observed|latest|stable|settled)(?=/|$)")

#: What is no truth value is wrong in one way, whatever it says.
_WORDS_OF_TRUTH = {"true": "text", "false": "text"}

_GENERATED = ("default", "integrated", "profile")

#: The modes of wrong values, by the fact that tells them.
_VALUES = {
    "provider_name_as_resolved": "service",
    "join_url_as_sent": "url",
    "join_url_as_requested_before": "url",
}


def is_of_events(mode: str) -> bool:
    """Whether a mode is one of what readings show of events, whatever rule is broken by it."""
    name = mode.partition(" ")[0]
    return name in _LIKE or name in _UNLIKE or name == "undeleted"


def modes(rule: Rule, violation: Violation) -> tuple[str, ...]:
    """The modes of a violation, the one that says most first; its place in the facts where there is no other."""
    if violation.path.endswith("/status"):
        answered = int(violation.actual) if violation.actual.isdigit() else 0
        if answered >= 300:
            return (f"status {answered}",)
        # A rule that wants a refusal says nothing of another such rule, but an entry of a batch is such a request too.
        requested = [f"accepted {kind}" for kind in violation.cause.split()[1:2]] if "write" in rule.about else []
        return (f"accepted {rule.id}", *requested, *(["ignored"] if rule.about == "batched_write" else []))
    if rule.about == "account":
        return ("service of default",)
    if violation.path == "/failures":
        return ("failures",)
    if rule.about == "call" and withholds_conferencing(violation):
        return ("withheld",)
    if violation.path.startswith("/listing/missing"):
        return ("missing",)
    entries = timeline(violation)
    broken = next((number for number, entry in enumerate(entries) if entry.is_broken), None)
    found = [] if broken is None else _shown(violation, entries[:broken], entries[broken])
    since = [entry for entry in entries if not entry.is_earlier]
    if violation.path == "/after/remained" and any(entry.state == "missing" for entry in since):
        found.insert(0, "missing")
    difference = violation.cause.rpartition(" ")[2]
    if violation.path == "/shown" and difference in _LIKE:
        found.append(difference)
    fact = _VALUES.get(violation.path.rpartition("/")[2])
    if fact is not None and difference != "same":  # what should have been ignored is wrong in another way
        found.append(f"{fact} {difference}")
    where = f"{_MOMENTS.sub('', violation.path)} {_WORDS_OF_TRUTH.get(difference, difference)}"
    place = f"/{rule.id} {where}"
    if not found or violation.path.endswith("/mismatching_fields"):  # these fields alone may be what is lost
        found += [f"value {where}", place] if where.startswith("/after") else [place]
    return tuple(dict.fromkeys(found))


def _shown(violation: Violation, entries: tuple[TimelineEntry, ...], shown: TimelineEntry) -> list[str]:
    """The modes of what a reading shows, after `entries`."""
    asked = [entry for entry in entries if entry.action == "write" and entry.conferencing is not None]
    if asked and shown.conferencing is not None and shown.conferencing == asked[-1].conferencing:
        return ["echo"]
    if shown.action != "read":
        return []
    if "requested=delete" in violation.traits and shown.state != "missing":
        return ["undeleted"]
    is_state = shown.state != "assigned" or violation.path.endswith("/state")
    found = [shown.state] if shown.state in _LIKE and is_state else []
    if found == ["assigned"] and any(f"{DUE}{kind}" in violation.traits for kind in _GENERATED):
        found.append("service different")  # a conference of a service that is not there
    was = [mode for mode, trait in _WAS.items() if trait in violation.traits]
    return found if violation.path.endswith(_NEVER_KEPT) else [*found, *was]


def refutes(mode: str, traits: Traits) -> bool:
    """Whether a pass with these traits shows that it is not always wrong in this way."""
    name = mode.partition(" ")[0]
    if name in _UNLIKE:
        return _UNLIKE[name] in traits
    if name == "undeleted":
        return "requested=delete" in traits and shows("missing") in traits
    if mode.startswith("/") and " /after/remained " in mode:
        return not traits or shows("assigned") in traits  # what was not there may not be lost
    if name in _LIKE and traits and not any(one.startswith(shows("")) for one in traits):
        return False  # no reading shows what came of it
    return not any(shows(state) in traits for state in _LIKE.get(name, ()))
