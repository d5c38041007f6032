"""Whether a subject answers: one that is gone, that was away for a while, that is slow, and that drops connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.http.exchange import NOT_RECORDED, Exchange

__all__ = ["Availability", "Outage", "SubjectGoneError", "is_good", "is_unread"]

#: After so many failures in a row, and none but failures, it is asked whether the subject is still there.
_SUSPICIOUS = 3

#: Seconds after which a subject that answered when it was asked is asked again.
_PAUSE = 5.0

#: From so many requests without an answer on, and from this part of all requests on, it is worth a note.
_MANY, _PART = 5, 0.05


class SubjectGoneError(Exception):
    """The subject stopped answering; the message says after which request, and what came instead."""


def is_good(exchange: Exchange) -> bool:
    """Whether an exchange shows a subject that works: an answer, and neither 5xx nor 429."""
    response = exchange.response
    if response is None:
        return is_unread(exchange)
    return response.status < 500 and response.status != 429


def is_unread(exchange: Exchange) -> bool:
    """Whether an answer came whose body was over a limit, so that nothing is known of it."""
    return exchange.response is None and ("response-body", NOT_RECORDED) in exchange.notes


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nothing was answered as it should be: the labels of its first and last exchange, and how long."""

    first: str
    last: str
    seconds: float


@dataclass(slots=True)
class Availability:
    """Counts what a subject answers, in the order in which it answers.

    A failure is no answer, a 5xx or a 429.  `in_a_row` counts those since the last good answer, `failing_since` is when
    the first of them was sent, in epoch seconds.  `reset` and `timed_out` count requests without a complete answer.
    """

    good: str = ""
    requests: int = 0
    reset: int = 0
    timed_out: int = 0
    in_a_row: int = 0
    failing_since: float = 0.0
    outages: list[Outage] = field(default_factory=list)
    _not_before: float = 0.0
    _first: str = ""
    _last: Exchange | None = None

    def is_doubtful(self, now: float) -> bool:
        """Whether so much failed, and nothing else came, that it must be asked whether the subject is still there."""
        return self.in_a_row >= _SUSPICIOUS and now >= self._not_before

    def record(self, exchange: Exchange, *, took_whole_time: bool) -> None:
        """Count an exchange; `took_whole_time`: it has no answer, and was waited for as long as may be."""
        self.requests += 1
        response = exchange.response
        if response is None and not is_unread(exchange):
            self.timed_out += took_whole_time
            self.reset += not took_whole_time
        if is_good(exchange):
            self._record_good(exchange)
            return
        if not self.in_a_row:
            self._first, self.failing_since = exchange.label, exchange.sent_at or 0.0
        self.in_a_row += 1
        self._last = exchange

    def _record_good(self, exchange: Exchange) -> None:
        seconds = (exchange.answered_at or 0.0) - self.failing_since
        if self.in_a_row >= _SUSPICIOUS and seconds >= 1 and self._last is not None and self._last.response is None:
            self.outages.append(Outage(self._first, self._last.label, seconds))
            self.reset = max(0, self.reset - self.in_a_row)
        self.good = exchange.label
        self.in_a_row = 0

    def still_there(self, now: float) -> None:
        """It was asked, and answered: some requests fail, and others do not."""
        self._not_before = now + _PAUSE

    def gone(self, now: float, patience: float) -> SubjectGoneError | None:
        """The error to raise where nothing was answered for `patience` seconds."""
        if self.in_a_row < _SUSPICIOUS or now - self.failing_since < patience or self._last is None:
            return None
        status = self._last.response.status if self._last.response is not None else None
        what = f"its last answer is {status}" if status else dict(self._last.notes).get("no-answer", "no answer")
        since = f"after {self.good}" if self.good else "at once"
        seconds = now - self.failing_since
        return SubjectGoneError(
            f"the server stopped answering {since}: {self.in_a_row} requests failed in {seconds:.0f} s ({what})"
        )

    def notes(self) -> Iterator[str]:
        """Sentences on what disturbed the run, although it went on."""
        for outage in self.outages[:3]:
            yield f"the server answered nothing for {outage.seconds:.0f} s, from {outage.first} to {outage.last}"
        if len(self.outages) > 3:
            yield f"the server answered nothing {len(self.outages) - 3} more times"
        enough = max(_MANY, _PART * self.requests)
        if self.timed_out >= enough:
            yield f"the server is slow: {self.timed_out} of {self.requests} requests got no complete answer in time"
        if self.reset >= enough:
            percent = 100 * self.reset / self.requests
            yield (
                f"the server is flapping: {self.reset} of {self.requests} requests ({percent:.0f} %) ended without an "
                "answer"
            )
