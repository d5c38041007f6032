"""What faults and variations are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from conformance.reference.conferencing import ASKED, OUTCOME, SERVICE, TIMELINE
from conformance.reference.hooks import Override, at
from conformance.reference.model import Phase, Service, StoredWrite, Timeline, Version
from conformance.reference.validation import PROBLEMS, Errors, error

__all__ = [
    "GENERATED",
    "When",
    "as_explicit",
    "asks",
    "assigned",
    "drops_problem",
    "gone",
    "ignored",
    "kept_otherwise",
    "last_conference",
    "refused",
    "reset",
    "reshaped",
    "served_by",
    "then_later",
    "updates",
]

#: What asks Cronofy to generate a conference.
GENERATED = ("default", "integrated", "profile")

When = Callable[[StoredWrite], bool]


def assigned(value: Any) -> bool:
    """Whether a conferencing value is a conference."""
    return isinstance(value, Mapping) and "join_url" in value


def updates(write: StoredWrite) -> bool:
    """Whether the write leaves conferencing out of an event that has some."""
    return write.kind == "absent" and write.settles_before is not None


def gone(write: StoredWrite) -> Timeline:
    """No conferencing from now on."""
    return (Phase(write.at, None),)


def reset(when: When, to: Callable[[StoredWrite], Timeline]) -> Override:
    """The timeline `to` gives, in the writes where `when` holds."""
    return at(TIMELINE, lambda right, write: to(write) if when(write) else right)


def ignored(when: When) -> Override:
    """The conferencing stays as it was."""
    return reset(when, lambda write: write.before)


def kept_otherwise(when: When, change: Callable[[Any, StoredWrite], Any]) -> Override:
    """The conference that the event had, changed."""
    return reset(
        lambda write: when(write) and assigned(write.shown_before),
        lambda write: (Phase(write.at, change(write.shown_before, write)),),
    )


def served_by(when: When, service: Callable[[StoredWrite], Service | None]) -> Override:
    """Another service generates."""
    return at(SERVICE, lambda right, write: service(write) if when(write) else right)


def asks(when: When, asked: Mapping[str, Any] | None) -> Override:
    """Another conferencing is understood."""
    return at(ASKED, lambda right, write: asked if when(write) else right)


def as_explicit(when: When) -> Override:
    """The fields of explicit conferencing are used where another profile_id stands beside them."""

    def alter(right: Mapping[str, Any] | None, write: StoredWrite) -> Mapping[str, Any] | None:
        stray = bool(right) and isinstance((right or {}).get("join_url"), str)
        return {**(right or {}), "profile_id": "explicit"} if stray and when(write) else right

    return at(ASKED, alter)


def reshaped(when: When, change: Callable[[dict[str, Any], StoredWrite], Any]) -> Override:
    """The conference that a write comes to, changed."""
    return at(
        OUTCOME,
        lambda right, write: (
            change(dict(right), write) if write.kind != "absent" and assigned(right) and when(write) else right
        ),
    )


def then_later(when: When, change: Callable[[Any, StoredWrite], Any], *, after: float = 2.0) -> Override:
    """Once it has settled, and `after` settling times more, the conferencing changes by itself."""

    def alter(right: Timeline, write: StoredWrite) -> Timeline:
        if not when(write) or not right or write.kind == "absent":
            return right
        since = max(right[-1].since, write.at) + after * write.settle
        return (*right, Phase(since, change(right[-1].shows, write)))

    return at(TIMELINE, alter)


def refused(when: When, field: str = "conferencing.profile_id") -> Override:
    """A good write is refused."""
    return at(
        PROBLEMS,
        lambda right, write: (
            {**right, field: error("not_supported", f"{field} is not supported")} if when(write) else right
        ),
    )


def drops_problem(when: When, *fields: str) -> Override:
    """Errors of these fields are overlooked."""

    def alter(right: Errors, write: StoredWrite) -> Errors:
        return {name: errors for name, errors in right.items() if name not in fields} if when(write) else right

    return at(PROBLEMS, alter)


def last_conference(history: tuple[Version, ...]) -> Any:
    """The last conference that an event came to since its creation; None where it never had one."""
    found = None
    for version in history:
        if version.deleted:
            found = None
        shown = version.conferencing[-1].shows if version.conferencing else None
        found = shown if assigned(shown) else found
    return found
