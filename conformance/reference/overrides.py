"""Predicates over writes, and the overrides that faults and variations are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.conferencing import (
    OUTCOME,
    REQUESTED,
    SERVICE,
    TIMELINE,
    conference,
    default_service,
    profile_service,
    scheduled,
)
from conformance.reference.hooks import Override, at
from conformance.reference.model import PENDING, STORED, Key, Phase, Service, StoredWrite, Timeline, Version
from conformance.reference.validation import PROBLEMS, Errors, error

__all__ = [
    "GENERATED",
    "SERVICE_8X8",
    "When",
    "as_explicit",
    "assigned",
    "changes_previous",
    "drops_problem",
    "first_connected",
    "generated_by_default",
    "ignored",
    "is_8x8",
    "is_default",
    "is_explicit",
    "is_generated",
    "is_integrated",
    "is_named_profile",
    "is_none",
    "last_conference",
    "means_default",
    "omits",
    "pending_names",
    "refused",
    "removed",
    "reset",
    "reshaped",
    "served_by",
    "stored_too",
    "then_later",
]

#: The kinds of requests for a generated conference.
GENERATED = ("default", "integrated", "profile")

#: A service behind the deprecated value, which has none.
SERVICE_8X8 = Service("8x8", "8x8")

When = Callable[[StoredWrite], bool]


def of_kind(*kinds: str) -> When:
    """Whether a write is of one of these kinds."""
    return lambda write: write.kind in kinds


is_explicit = of_kind("explicit")
is_none = of_kind("none")
is_default = of_kind("default")
is_integrated = of_kind("integrated")
is_named_profile = of_kind("profile")
is_8x8 = of_kind("8x8")
is_generated = of_kind(*GENERATED)


def assigned(value: Any) -> bool:
    """Whether a conferencing value is a conference."""
    return isinstance(value, Mapping) and "join_url" in value


def omits(write: StoredWrite) -> bool:
    """Whether an update omits the conferencing that the event has."""
    return write.kind == "omitted" and write.settles_before is not None


def removed(write: StoredWrite) -> Timeline:
    """No conferencing from now on."""
    return (Phase(write.at, None),)


def generated_by_default(write: StoredWrite) -> Timeline:
    """A conference of the default service, where that is connected."""
    service = default_service(write)
    return scheduled(write, conference(service, write)) if service and service.connected else write.before


def first_connected(write: StoredWrite) -> Service | None:
    """The service of the account's first profile that is connected."""
    connected = (each for each in write.store.profiles(write.account) if each.connected)
    return next(map(profile_service, connected), None)


def reset(when: When, to: Callable[[StoredWrite], Timeline]) -> Override:
    """The timeline that `to` gives, for the writes where `when` holds."""
    return at(TIMELINE, lambda right, write: to(write) if when(write) else right)


def ignored(when: When) -> Override:
    """The conferencing stays as it was."""
    return reset(when, lambda write: write.before)


def changes_previous(when: When, change: Callable[[Any, StoredWrite], Any]) -> Override:
    """The conference that the event had before, changed."""
    return reset(
        lambda write: when(write) and assigned(write.shown_before),
        lambda write: (Phase(write.at, change(write.shown_before, write)),),
    )


def served_by(when: When, service: Callable[[StoredWrite], Service | None]) -> Override:
    """Another service generates."""
    return at(SERVICE, lambda right, write: service(write) if when(write) else right)


def means_default(when: When) -> Override:
    """The write is treated as a request for `default`."""
    return at(REQUESTED, lambda right, write: {"profile_id": "default"} if when(write) else right)


def as_explicit(when: When) -> Override:
    """A write with a join URL and another profile_id is treated as explicit."""

    def alter(right: Mapping[str, Any] | None, write: StoredWrite) -> Mapping[str, Any] | None:
        has_url = right is not None and isinstance(right.get("join_url"), str)
        return {**(right or {}), "profile_id": "explicit"} if has_url and when(write) else right

    return at(REQUESTED, alter)


def reshaped(when: When, change: Callable[[dict[str, Any], StoredWrite], Any]) -> Override:
    """The conference that a write leads to, changed."""
    return at(
        OUTCOME,
        lambda right, write: (
            change(dict(right), write) if write.kind != "omitted" and assigned(right) and when(write) else right
        ),
    )


def then_later(when: When, change: Callable[[Any, StoredWrite], Any], *, after: float = 2.0) -> Override:
    """The conferencing changes by itself, `after` settling times after it has settled."""

    def alter(right: Timeline, write: StoredWrite) -> Timeline:
        if not when(write) or not right or write.kind == "omitted":
            return right
        since = max(right[-1].since, write.at) + after * write.settle
        return (*right, Phase(since, change(right[-1].shows, write)))

    return at(TIMELINE, alter)


def refused(
    when: When, field: str = "conferencing.profile_id", key: str = "not_supported", description: str = ""
) -> Override:
    """A valid write is refused with an error of this field."""

    def alter(right: Errors, write: StoredWrite) -> Errors:
        return {**right, field: error(key, description or f"{field} is not supported")} if when(write) else right

    return at(PROBLEMS, alter)


def drops_problem(when: When, *fields: str) -> Override:
    """Errors of these fields are ignored."""

    def alter(right: Errors, write: StoredWrite) -> Errors:
        return {name: errors for name, errors in right.items() if name not in fields} if when(write) else right

    return at(PROBLEMS, alter)


def pending_names(name: Callable[[StoredWrite], Any]) -> Override:
    """Pending conferencing that is generated shows a provider name already."""

    def alter(right: Timeline, write: StoredWrite) -> Timeline:
        provider_name = name(write) if is_generated(write) else None
        if not provider_name:
            return right
        pending = {**PENDING, "provider_name": provider_name}
        return tuple(replace(phase, shows=pending) if phase.shows == PENDING else phase for phase in right)

    return at(TIMELINE, alter)


def stored_too(keys: Callable[[StoredWrite], tuple[Key, ...]]) -> Override:
    """A write is stored under more keys than its own."""
    return at(STORED, lambda right, write: {**dict.fromkeys(keys(write), right[write.key]), **right})


def last_conference(history: tuple[Version, ...]) -> Any:
    """The last conference that an event had since its creation; None where it never had one."""
    found = None
    for version in history:
        if version.deleted:
            found = None
        shown = version.conferencing[-1].shows if version.conferencing else None
        found = shown if assigned(shown) else found
    return found
