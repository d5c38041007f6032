"""When conferencing is generated, what it shows, and what happens if it cannot be generated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from conformance.reference.conferencing import (
    REQUESTED,
    SETTLE,
    TIMELINE,
    conference,
    integrated_service,
    scheduled,
)
from conformance.reference.hooks import Override, at, variation
from conformance.reference.model import PENDING, Phase, StoredWrite, Timeline
from conformance.reference.overrides import (
    GENERATED,
    assigned,
    first_connected,
    ignored,
    is_8x8,
    is_explicit,
    is_generated,
    omits,
    refused,
    removed,
    reset,
    reshaped,
    served_by,
)
from conformance.reference.validation import PROBLEMS, Errors

__all__ = ["GENERATION"]

_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


def _nothing_available(write: StoredWrite) -> bool:
    return write.kind == "default" and write.service is None


def _in_past(write: StoredWrite) -> bool:
    return is_generated(write) and write.service is not None and not write.generates


def _waits(write: StoredWrite) -> bool:
    return is_generated(write) and write.generates and write.service is not None and not write.service.connected


def _changed(write: StoredWrite) -> bool:
    """An update that omits conferencing and changes summary or times of an event with a generated conference."""
    return omits(write) and write.origin in GENERATED and write.changes("summary", "start", "end")


def _pending_first(write: StoredWrite) -> Timeline:
    return scheduled(write, None)


def _pending(write: StoredWrite) -> Timeline:
    return (Phase(write.at, PENDING),)


def _same_again(write: StoredWrite) -> Timeline:
    return scheduled(write, write.settles_before)


def _another(write: StoredWrite) -> Timeline:
    service = write.previous.service if write.previous else None
    return scheduled(write, conference(service, write)) if service and service.connected else write.before


def _never_pending(right: Timeline, write: StoredWrite) -> Timeline:
    """Instead of pending the event shows what it showed before."""
    before = write.shown_before
    shown = None if before == PENDING else before
    return tuple(Phase(phase.since, shown) if phase.shows == PENDING else phase for phase in right)


def _repeated(write: StoredWrite) -> bool:
    same = write.previous is not None and write.previous.service == write.service
    return is_generated(write) and write.generates and same and assigned(write.settles_before)


def normalised(url: str) -> str:
    """An equivalent URL by RFC 3986 6.2.2 and 6.2.3: case of scheme and host, default port, escaped unreserved."""
    parts = urlsplit(url)
    user, sep, host = parts.netloc.rpartition("@")
    default = {"http": ":80", "https": ":443"}[parts.scheme]
    host = host.lower().removesuffix(default)
    rest = [_UNRESERVED.sub(lambda match: chr(int(match[1], 16)), part) for part in parts[2:]]
    return urlunsplit((parts.scheme, f"{user}{sep}{host}", rest[0] or "/", *rest[1:]))


def _provider(name: Callable[[StoredWrite], Any]) -> Override:
    return reshaped(is_explicit, lambda value, write: {**value, "provider_name": name(write)})


def _default_disconnected(write: StoredWrite) -> bool:
    chosen = write.account.default_profile
    return write.kind == "default" and chosen is not None and not chosen.connected


def _begun(write: StoredWrite) -> bool:
    return "start" in write.fields and write.in_past


def _has_extra_fields(write: StoredWrite) -> bool:
    requested = write.requested or {}
    return (
        bool(requested)
        and not is_explicit(write)
        and bool(requested.get("join_url") or requested.get("provider_description"))
    )


def _without_conferencing(right: Errors, write: StoredWrite) -> Errors:
    """Errors of conferencing are overlooked, but the documented one."""
    unavailable = write.kind == "integrated" and write.calendar.integrated is None
    return {name: errors for name, errors in right.items() if not name.startswith("conferencing") or unavailable}


def _if_valid(right: Mapping[str, Any] | None, write: StoredWrite) -> Mapping[str, Any] | None:
    known = [profile.profile_id for profile in write.store.profiles(write.account)]  # what was sent may be no string
    if right is None or (write.kind == "profile" and right.get("profile_id") not in known):
        return None
    url, name = right.get("join_url"), right.get("provider_description")
    complete = (
        isinstance(url, str) and url.lower().startswith(("http://", "https://")) and isinstance(name, str) and name
    )
    return None if write.kind == "explicit" and not complete else right


def _long_url(write: StoredWrite) -> bool:
    return is_explicit(write) and len(str(write.requested_field("join_url"))) > 255


def _null(write: StoredWrite) -> bool:
    return "conferencing" in write.body and write.body["conferencing"] is None


GENERATION = (
    variation(
        "no-pending",
        "P1 1H",
        "Pending is never shown: until it settles the event shows what it showed before",
        at(TIMELINE, _never_pending),
    ),
    variation(
        "generates-at-once",
        "G2 1H",
        "Conferences are there before the write is answered",
        at(SETTLE, lambda _, __: 0.0),
    ),
    variation(
        "generates-slowly", "G2 1H", "Conferences take three times as long", at(SETTLE, lambda right, _: 3 * right)
    ),
    variation(
        "generates-unevenly",
        "G2 1H",
        "Each conference takes another time",
        at(SETTLE, lambda right, write: right * (0.3 + write.serial * 5 % 7 * 0.4)),
    ),
    variation(
        "explicit-at-once",
        "P2",
        "Explicit conferencing shows without pending",
        reset(
            is_explicit,
            lambda write: (Phase(write.at, {"provider_name": None, "join_url": write.requested_field("join_url")}),),
        ),
    ),
    variation(
        "explicit-named-by-description",
        "S8",
        "The provider of explicit conferencing is its description",
        _provider(lambda write: write.requested_field("provider_description")),
    ),
    variation(
        "explicit-named-explicit",
        "S8",
        'The provider of explicit conferencing is "explicit"',
        _provider(lambda _: "explicit"),
    ),
    variation(
        "explicit-urls-normalised",
        "B8",
        "Explicit URLs read back in an equivalent form",
        reshaped(is_explicit, lambda value, _: {**value, "join_url": normalised(value["join_url"])}),
    ),
    variation(
        "explicit-long-urls-refused",
        "F8",
        "URLs over 255 characters are refused",
        refused(_long_url, "conferencing.join_url", "invalid", "must be no more than 255 characters"),
    ),
    variation(
        "settled-shows-pending-false",
        "P1",
        "A settled conference shows pending: false",
        reshaped(lambda _: True, lambda value, _: {**value, "pending": False}),
    ),
    variation(
        "new-url-at-changes",
        "D4",
        "A generated conference gets another URL when summary or times change",
        reset(_changed, _another),
    ),
    variation(
        "pending-at-changes",
        "D3 D4",
        "A generated conference is pending again when summary or times change, and keeps its URL",
        reset(_changed, _same_again),
    ),
    variation("pending-at-every-update", "D3", "Every update shows pending for a while", reset(omits, _same_again)),
    variation("same-url-on-repeat", "1H", "Requesting the same service again keeps the conference", ignored(_repeated)),
    variation(
        "same-url-after-pending",
        "1H",
        "Requesting the same service again keeps the conference, which is pending for a while",
        reset(_repeated, _same_again),
    ),
    variation(
        "none-takes-time",
        "B7",
        "`none` removes when it has settled",
        reset(
            lambda write: write.kind == "none" and write.shown_before is not None,
            lambda write: (Phase(write.at, write.shown_before), Phase(write.at + write.settle, None)),
        ),
    ),
    variation(
        "none-shows-pending",
        "B7",
        "`none` shows pending before it removes",
        reset(lambda write: write.kind == "none" and write.shown_before is not None, _pending_first),
    ),
    variation(
        "past-refused",
        "D5 D6",
        "Requesting a conference for an event that has begun is refused",
        refused(lambda write: is_generated(write) and _begun(write), "conferencing", "invalid", "the event has begun"),
    ),
    variation(
        "past-pending",
        "D6",
        "A conference requested on the creation of an event that has begun stays pending",
        reset(lambda write: _in_past(write) and write.settles_before is None, _pending),
    ),
    variation(
        "past-pending-first",
        "D6",
        "An event that has begun shows pending before it shows nothing",
        reset(lambda write: _in_past(write) and write.settles_before is None, _pending_first),
    ),
    variation(
        "past-clears",
        "D5",
        "Requesting a conference for an event that has begun removes what it has",
        reset(_in_past, removed),
    ),
    variation(
        "past-explicit-ignored",
        "D5 D6",
        "Explicit conferencing is not set on events that have begun",
        ignored(lambda write: is_explicit(write) and write.in_past),
    ),
    variation(
        "past-explicit-refused",
        "D5 D6",
        "Explicit conferencing is refused on events that have begun",
        refused(lambda write: is_explicit(write) and _begun(write), "conferencing", "invalid", "the event has begun"),
    ),
    variation(
        "8x8-pending",
        "B16",
        "`8x8` stays pending where there was nothing",
        reset(lambda write: is_8x8(write) and write.settles_before is None, _pending),
    ),
    variation("8x8-pending-first", "B16", "`8x8` shows pending before it shows nothing", reset(is_8x8, _pending_first)),
    variation("8x8-keeps", "B16", "`8x8` leaves what the event has", ignored(is_8x8)),
    variation(
        "nothing-available-pending",
        "B6",
        "`default` stays pending where nothing is available",
        reset(lambda write: _nothing_available(write) and write.settles_before is None, _pending),
    ),
    variation(
        "nothing-available-pending-first",
        "B6",
        "`default` shows pending before it shows nothing where nothing is available",
        reset(_nothing_available, _pending_first),
    ),
    variation(
        "nothing-available-keeps",
        "B6",
        "`default` leaves what the event has where nothing is available",
        ignored(_nothing_available),
    ),
    variation(
        "disconnected-shows-nothing",
        "1H A6",
        "A disconnected profile shows nothing instead of pending",
        reset(_waits, removed),
    ),
    variation(
        "disconnected-default-falls-back",
        "B2",
        "`default` with a disconnected profile falls back to the calendar's own service",
        served_by(_default_disconnected, integrated_service),
    ),
    variation(
        "disconnected-default-next-profile",
        "B2",
        "`default` with a disconnected profile takes the next connected one",
        served_by(_default_disconnected, first_connected),
    ),
    variation(
        "invalid-conferencing-ignored",
        "X4",
        "Invalid conferencing is ignored and the event written",
        at(PROBLEMS, _without_conferencing),
        at(REQUESTED, _if_valid),
    ),
    variation(
        "extra-fields-refused",
        "F2 F6",
        "The fields of explicit conferencing are refused with another profile_id",
        refused(_has_extra_fields, key="invalid", description="join_url and provider_description go with explicit"),
    ),
    variation(
        "null-conferencing-refused",
        "D3",
        "conferencing: null is refused",
        refused(_null, "conferencing", "invalid", "conferencing must be an object"),
    ),
    variation(
        "null-conferencing-removes",
        "D3",
        "conferencing: null removes",
        at(REQUESTED, lambda right, write: {"profile_id": "none"} if _null(write) else right),
    ),
)
