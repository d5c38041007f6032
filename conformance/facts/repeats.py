"""A reading that is the last one once more, request and answer: nothing has come to be known but that it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from conformance.facts.event import Event
from conformance.facts.reading import Reading, modification
from conformance.facts.seen import Seen
from conformance.facts.values import Facts

if TYPE_CHECKING:
    from conformance.http.exchange import Headers

__all__ = ["LastReading", "last_reading"]

#: Answers of more bytes are not kept.
_LONGEST = 65_536


class LastReading(Struct):
    """The last thing that was learnt of an account: a whole reading of one page, of `events` that were all expected.

    Until something else is learnt of the account, the same `body` in answer to the same request changes nothing but
    counts; `answer` is what it says.
    """

    reading: Reading
    headers: Headers
    headers_complete: bool
    body: bytes
    answer: Any
    events: tuple[tuple[Event, dict[str, Any]], ...]
    facts: Facts

    def is_repeated_by(self, seen: Seen) -> bool:
        """Whether the request and the answer are the same, to the last byte."""
        reading, exchange = self.reading, seen.exchange
        timed = exchange.sent_at is not None
        return (
            seen.answer is self.answer
            and seen.status == 200
            and seen.route is reading.route
            and exchange.request.headers == self.headers
            and exchange.headers_complete == self.headers_complete
            and timed == reading.timed
            and (not seen.route.modified or modification(seen.route, seen.sent, timed=timed) == reading.last_modified)
        )

    def facts_again(self, seen: Seen, number: int, expected: int) -> Facts:
        """The facts of the reading that repeats this one; one object where nothing differs but who shows it."""
        facts = self.facts
        document = facts.document
        if document["expected"] != expected:
            document = {**document, "expected": expected}
        key = ("reading", self.reading.account, str(number))
        return Facts(facts.about, key, document, (seen.evidence,), facts.closed, facts.earlier, facts.place)


def last_reading(reading: Reading, seen: Seen, facts: Facts) -> LastReading | None:
    """A finished reading as one that may be repeated; None where there is more to it than events that were expected."""
    is_plain = (
        len(reading.pages) == 1
        and reading.finished
        and reading.route.managed != "excluded"
        and reading.listing.is_empty
        and not reading.missing
        and not reading.repeated
        and len(reading.rows) + reading.externals == reading.items
    )
    if not is_plain:
        return None
    exchange, response = seen.exchange, seen.exchange.response
    if response is None or len(response.body) > _LONGEST:
        return None
    headers, complete = exchange.request.headers, exchange.headers_complete
    return LastReading(reading, headers, complete, response.body, seen.answer, tuple(reading.rows), facts)
