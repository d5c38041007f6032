"""Requests that fail: how often the same one did, while others like it were answered as they should be."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.facts.routes import Route
from conformance.http.exchange import Exchange

__all__ = ["HUNG", "RepeatedFailures"]

#: After so many seconds without an answer a request did not fail: it hangs.
HUNG = 5.0

#: How many different failing requests are remembered at a time.
_KEPT = 256

#: Where so many requests recovered from a failure, and one in so many was answered so, failures come at random.
_RECOVERED, _ONE_IN = 3, 20


@dataclass(slots=True)
class RepeatedFailures:
    """Counts, for one account, failures of the same request (no answer or 5xx) with a good one answered between.

    A good one is answered 2xx: a write to the same calendar for a write, any reading for a reading.  Law 9.
    Where requests fail and recover all the time, that one fails again and again is chance: each failure is the first.
    """

    _failing: dict[tuple[str, str, bytes], tuple[int, int]] = field(default_factory=dict)
    _good: dict[str | None, int] = field(default_factory=dict)
    _answered: int = 0
    _recovered: int = 0

    def count(self, exchange: Exchange, at: Route, number: int) -> int:
        """How often this request has failed by now, this time included; 0 where it has not."""
        request, response = exchange.request, exchange.response
        key = (request.method, request.url, request.body)
        if not _failed(exchange):
            self._answered += 1
            if self._failing and self._failing.pop(key, None) is not None:
                self._recovered += 1
            if response is not None and response.status < 300:
                self._good[at.calendar_id] = number
            return 0
        times, last = self._failing.pop(key, (0, -1))
        if times == 0 or self._good.get(at.calendar_id, -1) > last:
            times += 1
        self._failing[key] = times, number
        if len(self._failing) > _KEPT:
            del self._failing[next(iter(self._failing))]
        is_random = self._recovered >= _RECOVERED and self._recovered * _ONE_IN >= self._answered
        return 1 if is_random else times


def _failed(exchange: Exchange) -> bool:
    """Whether a request surely failed: to hang is no failure, and what a recording does not show is none either."""
    if exchange.response is None:
        took = (exchange.answered_at or 0.0) - (exchange.sent_at or 0.0)
        return took < HUNG and any(name == "no-answer" for name, _ in exchange.notes)
    return exchange.response.status >= 500
