"""Writes that are refused while others like them are accepted: what this tells of access and of the calendar."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from conformance.facts.observed import ObservedWrite

__all__ = ["ACCESS_STATUSES", "LOCKED", "Refusals"]

#: What an answer says of access, rather than of the request: 402 speaks of the account's plan.
ACCESS_STATUSES = frozenset({401, 402, 403, 423})

#: What a calendar answers to all writes alike while it is in no state to take them: it passes.
LOCKED = 423

#: The kinds of requests that give an event conferencing: where none is ever accepted, they are refused as one.
_CONFERENCING = frozenset({"explicit", "default", "integrated", "profile"})
_ANY = "any conferencing"

#: The kinds of writes that say nothing of conferencing.
_PLAIN = frozenset({"omitted", "delete"})


@dataclass(slots=True)
class Refusals:
    """Counts, for one account, the gaps between accepted writes in which writes of one kind were refused.

    Tokens expire, accounts are locked, plans lack features: only where writes to the same calendar are accepted both
    before and after does a refusal speak of what was requested.  An account may be locked for a while, and a client
    repeats itself meanwhile: however many refusals lie in one gap, they count once.  A calendar that is locked to
    writes without conferencing, too, is locked for a while, however often.
    """

    _accepted: dict[str, tuple[int, int]] = field(default_factory=dict)
    _conferencing_accepted: set[str] = field(default_factory=set)
    _locked: set[str] = field(default_factory=set)
    _open: set[tuple[str, str]] = field(default_factory=set)
    _closed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(self, calendar_id: str, kind: str, status: int | None, number: int) -> None:
        """Take the answer to one more write that requests `kind`, and its place among all exchanges."""
        if status is None:
            return
        if status < 300:
            self._accepted[calendar_id] = (self._accepted.get(calendar_id, (number,))[0], number)
            if kind in _CONFERENCING:
                self._conferencing_accepted.add(calendar_id)
            closed = {key for key in self._open if key[0] == calendar_id}
            self._closed.update(closed)
            self._open -= closed
        elif status == LOCKED and kind in _PLAIN:
            self._locked.add(calendar_id)
        elif status in ACCESS_STATUSES and calendar_id in self._accepted:
            self._open |= {(calendar_id, kind), *([(calendar_id, _ANY)] if kind in _CONFERENCING else [])}

    def calendar(self, calendar_id: str, refused: ObservedWrite) -> dict[str, Any] | None:
        """What other writes tell of a calendar that no list shows: it took events when one was refused.

        So it did before and after; or at any time, if the refusal names nothing but conferencing.
        """
        if refused.outcome != "refused" or calendar_id not in self._accepted:
            return None
        first, last = self._accepted[calendar_id]
        if not _names_conferencing_alone(refused.response) and not (refused.timed and first < refused.number < last):
            return None
        return {"calendar_id": calendar_id, "readonly": False, "deleted": False}

    def count(self, calendar_id: str, kind: str, status: int | None) -> int:
        """In how many gaps between accepted writes one of a kind was refused, or any with conferencing if all were."""
        if status == LOCKED and calendar_id in self._locked:
            return 0
        alike = kind in _CONFERENCING and calendar_id not in self._conferencing_accepted
        return self._closed[calendar_id, _ANY if alike else kind]


def _names_conferencing_alone(response: dict[str, Any]) -> bool:
    """Whether an answer is a validation error of conferencing, and of nothing else."""
    body = response.get("json")
    errors = body.get("errors") if isinstance(body, dict) else None
    if response.get("status") != 422 or not isinstance(errors, dict):
        return False
    return bool(errors) and all(name.startswith("conferencing") for name in errors)
