"""Deviations in batches: what single requests do not show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.calls import BATCH, BATCH_ENTRY, Answer, Batch
from conformance.reference.hooks import Override, at, fault

__all__ = ["BATCHES"]


#: The body of an entry as it is done; None to leave it.
Change = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


def _done_as(method: str, change: Change) -> Override:
    """Entries of a method that are done with another body."""

    def alter(right: Mapping[str, Any], _: Batch) -> Mapping[str, Any]:
        data = right.get("data")
        other = change(data) if right["method"] == method and isinstance(data, Mapping) else None
        return right if other is None else {**right, "data": other}

    return at(BATCH_ENTRY, alter)


def _requesting(profile_id: str, change: Change) -> Change:
    """The change of bodies that request this."""

    def alter(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
        conferencing = data.get("conferencing")
        requested = conferencing.get("profile_id") if isinstance(conferencing, Mapping) else None
        return change(data) if requested == profile_id else None

    return alter


def _without_conferencing(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in data.items() if name != "conferencing"}


def _with(profile_id: str) -> Change:
    return lambda data: {**data, "conferencing": {"profile_id": profile_id}}


def _removing_what_is_omitted(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return None if "conferencing" in data else {**data, "conferencing": {"profile_id": "none"}}


def _inheriting(right: Mapping[str, Any], before: Batch) -> Mapping[str, Any]:
    """An entry with the conferencing of the one before it, where it has none of its own."""
    data = right.get("data")
    inherited = before.entries[-1].get("data") if before.entries else None
    if right["method"] != "POST" or not isinstance(data, Mapping) or not isinstance(inherited, Mapping):
        return right
    return {**right, "data": {**{key: inherited[key] for key in ("conferencing",) if key in inherited}, **data}}


def _of_another_event(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**data, "event_id": f"{data.get('event_id')}-"}


def _errors_alone(right: Answer, batch: Batch) -> Answer:
    shown = [answer for answer in right.body["batch"] if answer["status"] >= 300]
    return right if len(shown) == len(batch.entries) else replace(right, body={"batch": shown})


BATCHES = (
    fault(
        "batch-loses-conferencing",
        "2.1 B8",
        "case",
        "Entries of a batch are written without their conferencing",
        _done_as("POST", _without_conferencing),
    ),
    fault(
        "batch-keeps-what-none-removes",
        "2.1 B7",
        "case",
        "Entries of a batch that request none leave the event's conferencing as it is",
        _done_as("POST", _requesting("none", _without_conferencing)),
    ),
    fault(
        "batch-removes-what-is-omitted",
        "2.1 D3",
        "case",
        "Entries of a batch that leave conferencing out remove it",
        _done_as("POST", _removing_what_is_omitted),
    ),
    fault(
        "batch-passes-conferencing-on",
        "2.1 D3",
        "sequence",
        "An entry of a batch that leaves conferencing out takes that of the entry before it",
        at(BATCH_ENTRY, _inheriting),
    ),
    fault(
        "batch-integrated-means-default",
        "2.1 B10 X1",
        "case",
        "Entries of a batch that request integrated are written with default",
        _done_as("POST", _requesting("integrated", _with("default"))),
    ),
    fault(
        "batch-deletions-do-nothing",
        "2.1 2.5",
        "case",
        "Deletions in a batch are accepted, and the events stay",
        _done_as("DELETE", _of_another_event),
    ),
    fault(
        "batch-answers-errors-alone",
        "2.1",
        "case",
        "A batch is answered with the entries that were refused, and no others",
        at(BATCH, _errors_alone),
    ),
)
