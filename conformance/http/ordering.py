"""Exchanges in the order in which they were sent, though answers come in any order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from conformance.http.exchange import Exchange

__all__ = ["OrderedDelivery"]

#: Exchanges that wait for an earlier one to be answered; beyond this they go on without it.
_WAITING = 1000


class OrderedDelivery:
    """Hands exchanges to `seen` in the order of their tickets; `idle` is called when none is open."""

    def __init__(self, seen: Callable[[Exchange], None], idle: Callable[[], object] = lambda: None) -> None:
        self._seen = seen
        self._idle = idle
        self._next = 0
        self._tickets: deque[int] = deque()
        self._done: dict[int, Exchange | None] = {}

    def sent(self) -> int:
        """A ticket for a request that is sent now."""
        self._next += 1
        self._tickets.append(self._next)
        return self._next

    def answered(self, ticket: int, exchange: Exchange | None) -> None:
        """The exchange of a ticket is complete; None: there is none after all."""
        self._done[ticket] = exchange
        while self._tickets and (self._tickets[0] in self._done or len(self._done) > _WAITING):
            self._hand_on(self._tickets.popleft())
        late = [one for one in self._done if not self._tickets or one < self._tickets[0]]
        for one in late:
            self._hand_on(one)
        if not self._tickets:
            self._idle()

    def _hand_on(self, ticket: int) -> None:
        exchange = self._done.pop(ticket, None)
        if exchange is not None:
            self._seen(exchange)
