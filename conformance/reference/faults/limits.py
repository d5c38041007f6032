"""What generates nothing or is not used: 8x8, events that have begun, stray fields."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

from conformance.reference.conferencing import GENERATES, TIMELINE, conference
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import PENDING, Phase, Service, StoredWrite, Timeline
from conformance.reference.overrides import GENERATED, as_explicit, asks, refused, reshaped, served_by
from conformance.reference.timestamps import instant

__all__ = ["LIMITS"]

_DAY = 86400.0
_OFFSET = re.compile(r"[+-]\d\d:?\d\d\Z")


_EIGHT = Service("8x8", "8x8")


def _default(write: StoredWrite) -> bool:
    return write.kind == "default"


def _integrated(write: StoredWrite) -> bool:
    return write.kind == "integrated"


def _named(write: StoredWrite) -> bool:
    return write.kind == "profile"


def _eight(write: StoredWrite) -> bool:
    return write.kind == "8x8"


def _generated(write: StoredWrite) -> bool:
    return write.kind in GENERATED


def _eight_generates(write: StoredWrite) -> Service:
    return _EIGHT


def _form(write: StoredWrite, form: str) -> bool:
    return write.start.form == form


def _in_past(when: Any) -> Override:
    """A conference is generated for an event that has begun."""
    return at(GENERATES, lambda right, write: True if write.in_past and when(write) else right)


def _not_in_future(when: Any) -> Override:
    """No conference is generated for an event that is still to come."""
    return at(GENERATES, lambda right, write: False if not write.in_past and when(write) else right)


def _past_then(*phases: float) -> Override:
    """A conference turns up for an event that has begun, some settling times later, and goes where two are given."""

    def alter(right: Timeline, write: StoredWrite) -> Timeline:
        if not (write.in_past and _generated(write) and write.service and write.service.connected):
            return right
        values = (conference(write.service, write), None)
        later = zip(phases, values, strict=False)
        return (Phase(write.at, None), *(Phase(write.at + times * write.settle, shows) for times, shows in later))

    return at(TIMELINE, alter)


def _wall_clock_past(write: StoredWrite) -> bool:
    """Whether a start is over by its wall clock, as if there were no offset from UTC."""
    offset = _OFFSET.search(write.start.text)
    return instant(write.start.text[: offset.start()] if offset else write.start.text, UTC) < write.at


def _stray_pair(write: StoredWrite) -> bool:
    asked = write.asked or {}
    return _generated(write) and bool(asked.get("join_url")) and bool(asked.get("provider_description"))


def _name_of_stray(value: dict[str, Any], write: StoredWrite) -> dict[str, Any]:
    name = (write.asked or {}).get("provider_description")
    return {**value, "provider_name": name} if name and _generated(write) else value


def _names_pending(right: Timeline, write: StoredWrite) -> Timeline:
    name = (write.asked or {}).get("provider_description")
    if not (name and _generated(write)):
        return right
    return tuple(
        Phase(phase.since, {**PENDING, "provider_name": name}) if phase.shows == PENDING else phase for phase in right
    )


LIMITS = (
    fault("8x8-refused", "B15", "always", "`8x8` is refused", refused(_eight)),
    fault("8x8-generates", "B16", "always", "`8x8` generates a conference", served_by(_eight, _eight_generates)),
    fault(
        "8x8-generates-on-update",
        "B16",
        "case",
        "`8x8` generates a conference in an update",
        served_by(lambda write: _eight(write) and not write.creates, _eight_generates),
    ),
    fault(
        "8x8-means-default",
        "B16",
        "always",
        "`8x8` generates what `default` would",
        asks(_eight, {"profile_id": "default"}),
    ),
    fault(
        "past-generates",
        "D5 D6",
        "always",
        "Conferences are generated for events that have begun",
        _in_past(_generated),
    ),
    fault(
        "past-generates-for-integrated",
        "D5 D6",
        "case",
        "`integrated` generates for events that have begun",
        _in_past(_integrated),
    ),
    fault(
        "past-generates-for-profiles",
        "D5 D6",
        "case",
        "A named profile generates for events that have begun",
        _in_past(_named),
    ),
    fault(
        "past-generates-for-zoned-starts",
        "D6",
        "case",
        "A start with a time zone is never taken to be past",
        _in_past(lambda write: _form(write, "object")),
    ),
    fault(
        "past-generates-for-dates",
        "D6",
        "case",
        "A start that is a date is never taken to be past",
        _in_past(lambda write: write.start.date is not None),
    ),
    fault(
        "past-generates-when-offset-is-ignored",
        "D6",
        "case",
        "A start is taken for past by its wall clock: the offset does not count",
        _in_past(lambda write: not _wall_clock_past(write)),
    ),
    fault(
        "past-generates-until-midnight",
        "D6",
        "case",
        "What began today or yesterday is not taken to be past",
        _in_past(lambda write: write.at - write.start.at < _DAY),
    ),
    fault(
        "future-generates-nothing-when-offset-is-ignored",
        "B4 A6",
        "case",
        "A start to come is taken to be past by its wall clock: the offset does not count",
        _not_in_future(lambda write: _wall_clock_past(write)),
    ),
    fault(
        "past-generates-on-update",
        "D5",
        "case",
        "An update of an event that has begun generates a conference",
        _in_past(lambda write: not write.creates),
    ),
    fault(
        "past-generates-when-moved-into-past",
        "D5",
        "sequence",
        "An update that moves an event into the past generates a conference",
        _in_past(lambda write: write.previous is not None and write.previous.fields["start"].at > write.at),
    ),
    fault(
        "past-generates-late",
        "D5 D6",
        "always",
        "The conference of an event that has begun comes late",
        _past_then(2.0),
    ),
    fault(
        "past-generates-for-a-moment",
        "D5 D6",
        "always",
        "The conference of an event that has begun comes, and goes again",
        _past_then(1.0, 3.0),
    ),
    fault(
        "future-zoned-starts-count-as-past",
        "B4 A6",
        "case",
        "A start with a time zone is always taken to be past",
        _not_in_future(lambda write: _form(write, "object")),
    ),
    fault(
        "far-future-generates-nothing",
        "B4 A6",
        "case",
        "No conference is generated for an event more than 200 days ahead",
        _not_in_future(lambda write: write.start.at > write.at + 200 * _DAY),
    ),
    fault(
        "past-decided-by-former-start",
        "B4 A6 D6",
        "sequence",
        "An event that is moved out of the past is still taken to be past",
        _not_in_future(lambda write: write.previous is not None and write.previous.fields["start"].at < write.at),
    ),
    fault("extra-url-used-with-default", "F6", "case", "A join URL beside `default` is set", as_explicit(_default)),
    fault(
        "extra-url-used-with-integrated",
        "F6",
        "case",
        "A join URL beside `integrated` is set",
        as_explicit(_integrated),
    ),
    fault("extra-url-used-with-profile", "F6", "case", "A join URL beside a named profile is set", as_explicit(_named)),
    fault(
        "extra-url-and-description-are-explicit",
        "F2 F6",
        "case",
        "A description and a join URL together make any request for generation explicit",
        as_explicit(_stray_pair),
    ),
    fault(
        "extra-description-names-provider",
        "F2 S4",
        "case",
        "A description beside another profile_id is shown as the provider",
        reshaped(_generated, _name_of_stray),
    ),
    fault(
        "extra-description-names-pending-provider",
        "F2 P1",
        "case",
        "While a conference is generated, a provider_description sent for it is shown as its provider",
        at(TIMELINE, _names_pending),
    ),
)
