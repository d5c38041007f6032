"""Writes that are refused for want of access while others like them are accepted (law failed-writes)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["ACCESS_STATUSES", "Refusals"]

#: What an answer says of access, rather than of the request: 402 speaks of the account's plan.
ACCESS_STATUSES = frozenset({401, 402, 403, 423})

#: The kinds of requests that give an event conferencing: where none is ever accepted, they are refused as one.
_CONFERENCING = frozenset({"explicit", "default", "integrated", "profile"})
_ANY = "any conferencing"


@dataclass(slots=True)
class Refusals:
    """Counts, for one account, the gaps between accepted writes in which writes of one kind were refused.

    Tokens expire, accounts are locked, plans lack features: only where writes to the same calendar are accepted both
    before and after does a refusal speak of what was requested.  An account may be locked for a while, and a client
    repeats itself meanwhile: however many refusals lie in one gap, they count once.
    """

    _accepted: set[str] = field(default_factory=set)
    _conferencing_accepted: set[str] = field(default_factory=set)
    _open: set[tuple[str, str]] = field(default_factory=set)
    _closed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(self, calendar_id: str, kind: str, status: int | None) -> None:
        """Take the answer to one more write that requests `kind`."""
        if status is None:
            return
        if status < 300:
            self._accepted.add(calendar_id)
            if kind in _CONFERENCING:
                self._conferencing_accepted.add(calendar_id)
            closed = {key for key in self._open if key[0] == calendar_id}
            self._closed.update(closed)
            self._open -= closed
        elif status in ACCESS_STATUSES and calendar_id in self._accepted:
            self._open |= {(calendar_id, kind), *([(calendar_id, _ANY)] if kind in _CONFERENCING else [])}

    def count(self, calendar_id: str, kind: str) -> int:
        """In how many gaps between accepted writes one of a kind was refused, or any with conferencing if all were."""
        alike = kind in _CONFERENCING and calendar_id not in self._conferencing_accepted
        return self._closed[calendar_id, _ANY if alike else kind]
