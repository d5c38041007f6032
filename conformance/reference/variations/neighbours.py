"""Legal choices that stand next to deviations: what rules on rare cases must not take for one."""

from __future__ import annotations

from typing import Any

from conformance.reference.calls import ADMIT, Answer, Call
from conformance.reference.event_list import EVENT, LOCATION, Event, ShownEvent
from conformance.reference.hooks import at, variation
from conformance.reference.overrides import assigned

__all__ = ["NEIGHBOURS"]


def _as_written(_: Any, shown: ShownEvent) -> Any:
    return shown.version.fields.get("location")


def _in_url(right: Event, shown: ShownEvent) -> Event:
    if shown.calendar.holds_conferencing or right.get("url") or not assigned(shown.conferencing):
        return right
    return {**right, "url": shown.conferencing["join_url"]}


def _no_batches(right: Answer | None, call: Call) -> Answer | None:
    return Answer(404) if call.path == "/v1/batch" else right


NEIGHBOURS = (
    variation("no-batches", "2.1", "There is no endpoint for batches", at(ADMIT, _no_batches)),
    variation(
        "location-in-url",
        "E7",
        "Where the host has no field for conferencing the event's url shows the join URL; the location stays",
        at(LOCATION, _as_written),
        at(EVENT, _in_url),
    ),
)
