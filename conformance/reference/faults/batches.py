"""Deviations in batches: what single requests do not show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.hooks import at, fault
from conformance.reference.server import BATCH, BATCH_ENTRY, Answer, Batch

__all__ = ["BATCHES"]


def _without_conferencing(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    data = entry.get("data")
    if not isinstance(data, Mapping):
        return entry
    return {**entry, "data": {name: value for name, value in data.items() if name != "conferencing"}}


def _errors_alone(right: Answer, batch: Batch) -> Answer:
    shown = [answer for answer in right.body["batch"] if answer["status"] >= 300]
    return right if len(shown) == len(batch.entries) else replace(right, body={"batch": shown})


BATCHES = (
    fault(
        "batch-loses-conferencing",
        "2.1 B8",
        "case",
        "Entries of a batch are written without their conferencing",
        at(BATCH_ENTRY, lambda right, _: _without_conferencing(right)),
    ),
    fault(
        "batch-answers-errors-alone",
        "2.1",
        "case",
        "A batch is answered with the entries that were refused, and no others",
        at(BATCH, _errors_alone),
    ),
)
