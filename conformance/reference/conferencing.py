"""The effect of a write on an event's conferencing, decision by decision."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.accounts import ReferenceProfile
from conformance.reference.hooks import Hook
from conformance.reference.model import PENDING, Phase, Service, StoredWrite, Timeline, Version

__all__ = [
    "FIELDS",
    "GENERATES",
    "OUTCOME",
    "REQUESTED",
    "SERVICE",
    "SETTLE",
    "TIMELINE",
    "VERSIONS",
    "conference",
    "default_service",
    "integrated_service",
    "profile_service",
    "scheduled",
    "understood",
    "versions_of",
]

#: The conferencing that a write requests; None if it is omitted.
REQUESTED: Hook[StoredWrite, Mapping[str, Any] | None] = Hook("requested")
#: The event's fields after a write.
FIELDS: Hook[StoredWrite, Mapping[str, Any]] = Hook("fields")
#: How many seconds a conference takes to generate.
SETTLE: Hook[StoredWrite, float] = Hook("settle")
#: The service that generates the conference; None if nothing is generated.
SERVICE: Hook[StoredWrite, Service | None] = Hook("service")
#: Whether a conference is generated for an event at this time.
GENERATES: Hook[StoredWrite, bool] = Hook("generates")
#: What the conferencing shows in the end: JSON, None for none.
OUTCOME: Hook[StoredWrite, Any] = Hook("outcome")
#: What the conferencing shows from the write on.
TIMELINE: Hook[StoredWrite, Timeline] = Hook("timeline")
#: The versions that a write adds, in order of time.
VERSIONS: Hook[StoredWrite, tuple[Version, ...]] = Hook("versions")


def profile_service(profile: ReferenceProfile) -> Service:
    """The service behind a conferencing profile."""
    return Service(profile.provider_name, profile.profile_id, profile.connected)


def integrated_service(write: StoredWrite) -> Service | None:
    """The calendar's own service."""
    name = write.calendar.integrated
    return Service(name, "integrated") if name else None


def default_service(write: StoredWrite) -> Service | None:
    """The user's default profile, else the calendar's own service, else none."""
    profiles = write.store.profiles(write.account)
    chosen = [profile for profile in profiles if profile.profile_id == write.account.chosen] or list(profiles)
    return profile_service(chosen[0]) if chosen else integrated_service(write)


def _service(write: StoredWrite) -> Service | None:
    match write.kind:
        case "default":
            return default_service(write)
        case "integrated":
            return integrated_service(write)
        case "profile":
            profile_id = write.requested_field("profile_id")
            found = [each for each in write.store.profiles(write.account) if each.profile_id == profile_id]
            return profile_service(found[0]) if found else None
        case _:
            return None


_URLS: Mapping[str, Callable[[str, int], str]] = {
    "zoom": lambda token, number: f"https://zoom.us/j/{number % 10**11:011d}?pwd={token[:12]}",
    "go_to": lambda token, number: f"https://meet.goto.com/{number % 10**9:09d}",
    "ms_teams": lambda token, number: f"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_{token}%40thread.v2/0",
    "ms_teams_for_business": lambda token, number: (
        f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{token}%40thread.v2/0?context=%7b%22Tid%22%3a%22{number}%22%7d"
    ),
    "google_meet": lambda token, number: f"https://meet.google.com/{_letters(number, 10)}",
}


def _letters(number: int, count: int) -> str:
    letters = ""
    for _ in range(count):
        number, rest = divmod(number, 26)
        letters += "abcdefghijklmnopqrstuvwxyz"[rest]
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"


def conference(service: Service, write: StoredWrite, *salt: object) -> dict[str, Any]:
    """A conference as the service generates it for a write: the same for the same write, seed and `salt`."""
    digest = hashlib.sha256(repr((write.store.seed, write.key, write.serial, service.profile_id, *salt)).encode())
    token, number = digest.hexdigest()[:32], int.from_bytes(digest.digest()[:8], "big")
    spell = _URLS.get(service.provider_name)
    url = spell(token, number) if spell else f"https://{service.provider_name}.example/{token}"
    return {"provider_name": service.provider_name, "join_url": url}


def scheduled(write: StoredWrite, outcome: Any) -> Timeline:
    """Pending from the write on, and `outcome` once it has settled."""
    return (Phase(write.at, PENDING), Phase(write.at + write.settle, outcome))


def _outcome(write: StoredWrite) -> Any:
    if write.kind == "omitted":
        return write.settles_before
    if write.kind == "explicit":
        return {"provider_name": None, "join_url": write.requested_field("join_url")}
    if write.service is None:
        return None
    if not write.generates:
        return write.settles_before
    return conference(write.service, write) if write.service.connected else PENDING


def _timeline(write: StoredWrite, outcome: Any) -> Timeline:
    """Omitted changes nothing; what is generated or explicit is pending first; nothing shows at once."""
    if write.kind == "omitted":
        return write.before
    if write.kind == "explicit":
        return scheduled(write, outcome)
    if write.service is None:
        return (Phase(write.at, outcome),)
    return scheduled(write, outcome) if write.generates else write.before


def understood(write: StoredWrite) -> StoredWrite:
    """A valid write with all that is decided before its outcome: request, fields, settling time, service."""
    hooks = write.store.hooks
    write = replace(write, requested=hooks(REQUESTED, write.requested, write))
    write = replace(write, fields=hooks(FIELDS, write.fields, write))
    write = replace(write, settle=hooks(SETTLE, write.store.settle, write))
    write = replace(write, service=hooks(SERVICE, _service(write), write))
    return replace(write, generates=hooks(GENERATES, not write.in_past, write))


def versions_of(write: StoredWrite) -> tuple[Version, ...]:
    """The versions that a write makes, after `understood`."""
    hooks = write.store.hooks
    outcome = hooks(OUTCOME, _outcome(write), write)
    timeline = hooks(TIMELINE, _timeline(write, outcome), write)
    retained = write.kind == "omitted" or (write.service is not None and not write.generates)
    previous = write.previous
    version = Version(
        at=write.at,
        serial=write.serial,
        fields=write.fields,
        conferencing=timeline,
        kind=write.kind,
        origin=write.origin if retained else write.kind,
        service=(previous.service if previous else None) if retained else write.service,
    )
    return hooks(VERSIONS, (version,), write)
