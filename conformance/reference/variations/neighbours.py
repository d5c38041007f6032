"""Legal choices that stand next to deviations: what rules on rare cases must not take for one."""

from __future__ import annotations

from typing import Any

from conformance.reference.event_list import EVENT, LOCATION, Event, Look
from conformance.reference.hooks import at, variation
from conformance.reference.overrides import assigned

__all__ = ["NEIGHBOURS"]


def _as_written(_: Any, look: Look) -> Any:
    return look.version.fields.get("location")


def _in_url(right: Event, look: Look) -> Event:
    if look.calendar.holds_conferencing or right.get("url") or not assigned(look.conferencing):
        return right
    return {**right, "url": look.conferencing["join_url"]}


NEIGHBOURS = (
    variation(
        "location-in-url",
        "E7",
        "Where the host has no field for conferencing the event's url shows the join URL; the location stays",
        at(LOCATION, _as_written),
        at(EVENT, _in_url),
    ),
)
