"""Writes that are refused for want of access while others like them are accepted (law failed-writes)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["ACCESS_STATUSES", "Refusals"]

#: What an answer says of access, rather than of the request: 402 speaks of the account's plan.
ACCESS_STATUSES = frozenset({401, 402, 403, 423})


@dataclass(slots=True)
class Refusals:
    """Counts, for one account, writes of one kind that were refused between two accepted ones of any kind.

    Tokens expire, accounts are locked, plans lack features: only where writes to the same calendar are accepted both
    before and after does a refusal speak of what was requested.
    """

    _accepted: set[str] = field(default_factory=set)
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)
    _closed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(self, calendar_id: str, kind: str, status: int | None) -> None:
        """Take the answer to one more write that requests `kind`."""
        if status is None:
            return
        if status < 300:
            self._accepted.add(calendar_id)
            for key in [key for key in self._open if key[0] == calendar_id]:
                self._closed[key] += self._open.pop(key)
        elif status in ACCESS_STATUSES and calendar_id in self._accepted:
            self._open[calendar_id, kind] += 1

    def count(self, calendar_id: str, kind: str) -> int:
        """How many writes of a kind were refused between two accepted ones."""
        return self._closed[calendar_id, kind]
