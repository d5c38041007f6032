"""Deviations that show in a few cases only: refusals for want of access that is there, and values shown too late."""

from __future__ import annotations

from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import StoredWrite
from conformance.reference.overrides import When, refused
from conformance.reference.server import REFUSAL, Answer

__all__ = ["SHARPER"]


def _forbidden(when: When) -> tuple[Override, ...]:
    """Some writes are answered 403, as if the account lacked a scope."""
    return (
        refused(when, "conferencing"),
        at(REFUSAL, lambda right, refusal: Answer(403) if when(refusal.write) else right),
    )


def _asks(write: StoredWrite) -> bool:
    return write.kind != "absent"


SHARPER = (
    fault(
        "conferencing-forbidden",
        "B1 B8 B10 A6",
        "always",
        "Every write that asks for conferencing is answered 403",
        *_forbidden(_asks),
    ),
    fault(
        "8x8-forbidden",
        "B15",
        "case",
        "8x8 is answered 403, as the service was terminated",
        *_forbidden(lambda write: write.kind == "8x8"),
    ),
    fault(
        "explicit-forbidden-on-update",
        "B8 D2",
        "case",
        "Explicit conferencing is answered 403 in updates",
        *_forbidden(lambda write: write.kind == "explicit" and not write.creates),
    ),
)
