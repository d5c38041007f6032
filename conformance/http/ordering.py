"""Exchanges in the order in which they were sent, though answers come in any order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from conformance.http.exchange import Exchange

__all__ = ["OrderedDelivery"]

#: Exchanges that wait for an earlier one to be answered; beyond this they are delivered without it.
_LONGEST_QUEUE = 1000


class OrderedDelivery:
    """Delivers exchanges in the order of their tickets; `idle` is called when no request is open."""

    def __init__(self, deliver: Callable[[Exchange], None], idle: Callable[[], object] = lambda: None) -> None:
        self._deliver = deliver
        self._idle = idle
        self._open: deque[int] = deque()
        self._answered: dict[int, Exchange | None] = {}
        self.count = 0

    def sent(self) -> int:
        """A ticket for a request that is sent now; `count` is how many were given."""
        self.count += 1
        self._open.append(self.count)
        return self.count

    def answered(self, ticket: int, exchange: Exchange | None) -> None:
        """The exchange of a ticket is complete; None: there is none after all."""
        self._answered[ticket] = exchange
        while self._open and (self._open[0] in self._answered or len(self._answered) > _LONGEST_QUEUE):
            self._release(self._open.popleft())
        late = [one for one in self._answered if not self._open or one < self._open[0]]
        for one in late:
            self._release(one)
        if not self._open:
            self._idle()

    def flush(self) -> None:
        """Deliver what waits for answers that will not come."""
        while self._open:
            self._release(self._open.popleft())

    def _release(self, ticket: int) -> None:
        exchange = self._answered.pop(ticket, None)
        if exchange is not None:
            self._deliver(exchange)
