"""Conferencing that must not be generated or used: 8x8, events that have begun, extra fields."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from conformance.reference.conferencing import GENERATES, TIMELINE, conference
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import Phase, StoredWrite, Timeline
from conformance.reference.overrides import (
    SERVICE_8X8,
    as_explicit,
    is_8x8,
    is_default,
    is_generated,
    is_integrated,
    is_named_profile,
    means_default,
    pending_names,
    refused,
    reshaped,
    served_by,
)
from conformance.reference.timestamps import instant, zone

__all__ = ["LIMITS"]

_DAY = 86400.0
_OFFSET = re.compile(r"[+-]\d\d:?\d\d\Z")


def _generated_in_past(when: Any) -> Override:
    """A conference is generated for an event that has begun."""
    return at(GENERATES, lambda right, write: True if write.in_past and when(write) else right)


def _not_generated_in_future(when: Any) -> Override:
    """No conference is generated for an event in the future."""
    return at(GENERATES, lambda right, write: False if not write.in_past and when(write) else right)


def _past_then(*phases: float) -> Override:
    """An event that has begun gets a conference after some settling times, and loses it after the second number."""

    def alter(right: Timeline, write: StoredWrite) -> Timeline:
        if not (write.in_past and is_generated(write) and write.service and write.service.connected):
            return right
        values = (conference(write.service, write), None)
        later = zip(phases, values, strict=False)
        return (Phase(write.at, None), *(Phase(write.at + times * write.settle, shows) for times, shows in later))

    return at(TIMELINE, alter)


def _wall_clock_past(write: StoredWrite) -> bool:
    """Whether a start is past by its wall-clock time, as if there were no offset from UTC."""
    offset = _OFFSET.search(write.start.text)
    return instant(write.start.text[: offset.start()] if offset else write.start.text, UTC) < write.at


def _past_by_its_zone(write: StoredWrite) -> bool:
    """Whether the clock of a start's time zone is behind that of UTC now."""
    there = datetime.fromtimestamp(write.start.at, zone(write.start.tzid) or UTC)
    return there.replace(tzinfo=UTC).timestamp() < write.at


def _has_extra_pair(write: StoredWrite) -> bool:
    pair = write.requested_field("join_url"), write.requested_field("provider_description")
    return is_generated(write) and all(pair)


def _named_by_extra(value: dict[str, Any], write: StoredWrite) -> dict[str, Any]:
    name = write.requested_field("provider_description")
    return {**value, "provider_name": name} if name and is_generated(write) else value


LIMITS = (
    fault("8x8-refused", "B15", "always", "`8x8` is refused", refused(is_8x8)),
    fault("8x8-generates", "B16", "always", "`8x8` generates a conference", served_by(is_8x8, lambda _: SERVICE_8X8)),
    fault(
        "8x8-generates-on-update",
        "B16",
        "case",
        "`8x8` generates a conference in an update",
        served_by(lambda write: is_8x8(write) and not write.creates, lambda _: SERVICE_8X8),
    ),
    fault("8x8-means-default", "B16", "always", "`8x8` generates what `default` would", means_default(is_8x8)),
    fault(
        "past-generates",
        "D5 D6",
        "always",
        "Conferences are generated for events that have begun",
        _generated_in_past(is_generated),
    ),
    fault(
        "past-generates-for-integrated",
        "D5 D6",
        "case",
        "`integrated` generates for events that have begun",
        _generated_in_past(is_integrated),
    ),
    fault(
        "past-generates-for-profiles",
        "D5 D6",
        "case",
        "A named profile generates for events that have begun",
        _generated_in_past(is_named_profile),
    ),
    fault(
        "past-generates-for-zoned-starts",
        "D6",
        "case",
        "A start with a time zone is never treated as past",
        _generated_in_past(lambda write: write.start.form == "object"),
    ),
    fault(
        "past-generates-for-dates",
        "D6",
        "case",
        "A start that is a date is never treated as past",
        _generated_in_past(lambda write: write.start.date is not None),
    ),
    fault(
        "past-generates-when-offset-is-ignored",
        "D6",
        "case",
        "A past start is treated as future because its offset is ignored",
        _generated_in_past(lambda write: not _wall_clock_past(write)),
    ),
    fault(
        "past-generates-for-a-day",
        "D6",
        "case",
        "A start less than a day ago is not treated as past",
        _generated_in_past(lambda write: write.at - write.start.at < _DAY),
    ),
    fault(
        "future-generates-nothing-when-offset-is-ignored",
        "B4 A6",
        "case",
        "A future start is treated as past because its offset is ignored",
        _not_generated_in_future(lambda write: _wall_clock_past(write)),
    ),
    fault(
        "past-generates-by-the-clock-of-its-zone",
        "D6",
        "case",
        "A past start is treated as future because it is later by the clock of its time zone",
        _generated_in_past(lambda write: not _past_by_its_zone(write)),
    ),
    fault(
        "future-generates-nothing-by-the-clock-of-its-zone",
        "B4 A6",
        "case",
        "A future start is treated as past because it is earlier by the clock of its time zone",
        _not_generated_in_future(_past_by_its_zone),
    ),
    fault(
        "running-event-generates",
        "D6",
        "case",
        "A conference is generated for an event that has begun and not ended",
        _generated_in_past(lambda write: write.end.at > write.at),
    ),
    fault(
        "past-generates-on-update",
        "D5",
        "case",
        "An update of an event that has begun generates a conference",
        _generated_in_past(lambda write: not write.creates),
    ),
    fault(
        "past-generates-when-moved-into-past",
        "D5",
        "sequence",
        "An update that moves an event into the past generates a conference",
        _generated_in_past(lambda write: write.previous is not None and write.previous.fields["start"].at > write.at),
    ),
    fault(
        "past-generates-late", "D5 D6", "always", "An event that has begun gets a conference, but late", _past_then(2.0)
    ),
    fault(
        "past-generates-for-a-moment",
        "D5 D6",
        "always",
        "An event that has begun gets a conference, which then disappears",
        _past_then(1.0, 3.0),
    ),
    fault(
        "future-zoned-starts-count-as-past",
        "B4 A6",
        "case",
        "A start with a time zone is always treated as past",
        _not_generated_in_future(lambda write: write.start.form == "object"),
    ),
    fault(
        "far-future-generates-nothing",
        "B4 A6",
        "case",
        "No conference is generated for an event more than 200 days ahead",
        _not_generated_in_future(lambda write: write.start.at > write.at + 200 * _DAY),
    ),
    fault(
        "past-decided-by-former-start",
        "B4 A6 D6",
        "sequence",
        "An event that is moved out of the past is still treated as past",
        _not_generated_in_future(
            lambda write: write.previous is not None and write.previous.fields["start"].at < write.at
        ),
    ),
    fault(
        "extra-url-used-with-default", "F6", "case", "A join URL sent with `default` is set", as_explicit(is_default)
    ),
    fault(
        "extra-url-used-with-integrated",
        "F6",
        "case",
        "A join URL sent with `integrated` is set",
        as_explicit(is_integrated),
    ),
    fault(
        "extra-url-used-with-profile",
        "F6",
        "case",
        "A join URL sent with a named profile is set",
        as_explicit(is_named_profile),
    ),
    fault(
        "extra-url-and-description-are-explicit",
        "F2 F6",
        "case",
        "A description and a join URL together make any request for generation explicit",
        as_explicit(_has_extra_pair),
    ),
    fault(
        "extra-description-names-provider",
        "F2 S4",
        "case",
        "A description sent with another profile_id is shown as the provider",
        reshaped(is_generated, _named_by_extra),
    ),
    fault(
        "extra-description-names-pending-provider",
        "F2 P1",
        "case",
        "While a conference is generated, a provider_description sent for it is shown as its provider",
        pending_names(lambda write: write.requested_field("provider_description")),
    ),
)
