"""What one look at the lines of a recording tells: whose they are, who may be one account, and what a share reads."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple

from conformance.facts.routes import account_name, route
from conformance.http.exchange import Headers, Request
from conformance.recordings.heads import Heads, Selection
from conformance.recordings.metadata import InvalidRecordingError
from conformance.recordings.ndjson import LONGEST_LINE, exchange_in, texts_of
from conformance.recordings.origins import is_host_of_the_api

__all__ = ["Learnt", "learn"]

#: So many lines, and one of so many more, may be written otherwise than this suite writes them: they are read whole.
_ILLEGIBLE, _OF = 100, 10
#: How the answer of a line begins that grants what was asked, without and with blanks.
_GRANTED = (b'"response":{"status":2', b'"response": {"status": 2')


class _What(NamedTuple):
    """Whether a request reads events, and is sure to be one of this API; the calendar in its path."""

    reads: bool
    calendar_id: str | None


class _Token:
    """A token: the name of its account, its number from 1, its bytes in all lines, the calendars that it may use."""

    __slots__ = ("calendars", "name", "number", "size")

    def __init__(self, name: str | None, number: int) -> None:
        self.name, self.number = name, number
        self.size = 0
        self.calendars: set[str] = set()


class _UnsortedError(Exception):
    """A line was sent before the one above it."""


def learn(path: Path, *, is_ours: bool) -> Learnt | None:
    """What there is to learn of an NDJSON; None where too little of it is legible, or it cannot be read.

    `is_ours`: it is known to have exchanges with this API alone.
    """
    try:
        try:
            return _look(path, is_ours=is_ours, in_order=True)
        except _UnsortedError:
            return _look(path, is_ours=is_ours, in_order=False)
    except InvalidRecordingError:  # told by whoever judges it
        return None


def _look(path: Path, *, is_ours: bool, in_order: bool) -> Learnt | None:
    tokens = _Tokens()
    heads = Heads(_what_of_ours if is_ours else _what, tokens.of)
    readers, waits, further = array("I"), bytearray(), dict[int, int]()
    unanswered: list[tuple[float, int]] = []  # a heap of answers that are not known to have come
    illegible, last = 0, -math.inf
    for place, line in enumerate(texts_of(path, in_order=in_order)):
        reader, head = 0, heads.read(line)
        if head is None:
            illegible += 1
            if illegible > _ILLEGIBLE + place // _OF or len(line) > LONGEST_LINE:
                return None
            sent_at, answered_at = _times(path, line)
        else:
            (what, token), sent_at, answered_at = head
            token.size += len(line)
            if what.reads:
                reader = token.number if sent_at is not None and answered_at is not None else 0
            elif what.calendar_id not in token.calendars and any(granted in line for granted in _GRANTED):
                tokens.grant(token, what.calendar_id)
        readers.append(reader)
        waits.append(0)
        if sent_at is None:
            continue
        if sent_at < last and in_order:
            raise _UnsortedError
        last = sent_at
        while reader and unanswered and unanswered[0][0] <= sent_at:
            _, waiting = heappop(unanswered)
            wait = place - waiting
            waits[waiting] = min(wait, Selection.FAR)
            if wait >= Selection.FAR:
                further[waiting] = wait
        if answered_at is not None:
            heappush(unanswered, (answered_at, place))
    return Learnt(tokens, readers, bytes(waits), further, in_order)


def _times(path: Path, line: bytes) -> tuple[float | None, float | None]:
    """When the exchange of any line was sent and answered."""
    try:
        exchange = exchange_in(path, 0, line)
    except InvalidRecordingError:  # a header, a blank line, or one that whoever reads it complains of
        return None, None
    return exchange.sent_at, exchange.answered_at


def _what_of_ours(method: str, url: str) -> _What:
    at = route(method, url)
    return _What(at.name in ("read", "page"), at.calendar_id)


def _what(method: str, url: str) -> _What:
    found = _what_of_ours(method, url)
    return found if is_host_of_the_api(Request(method, url)) else found._replace(reads=False)


class _Tokens:
    """The tokens of a recording, grouped by the calendars to which they write: those are of one account."""

    def __init__(self) -> None:
        self.by_name: dict[str | None, _Token] = {}
        self._first: dict[str, _Token] = {}
        self._above: dict[_Token, _Token] = {}

    def of(self, headers: Headers) -> _Token:
        """The token in the headers of a request, all of which are there."""
        name = account_name(Request("GET", "", headers), whole=True)
        return self.by_name.setdefault(name, _Token(name, len(self.by_name) + 1))

    def grant(self, token: _Token, calendar_id: str | None) -> None:
        """What the token asked for on a calendar was granted."""
        if calendar_id is not None:
            token.calendars.add(calendar_id)
            other = self._root(self._first.setdefault(calendar_id, token))
            self._above[self._root(token)] = other

    def groups(self) -> Iterator[tuple[int, frozenset[str]]]:
        """The names of those that are of one account, and the bytes of their lines."""
        grouped: dict[_Token, list[_Token]] = {}
        for token in self.by_name.values():
            grouped.setdefault(self._root(token), []).append(token)
        for group in grouped.values():
            names = frozenset(token.name for token in group if token.name is not None)
            if names:
                yield sum(token.size for token in group if token.name is not None), names

    def _root(self, token: _Token) -> _Token:
        while self._above.get(token, token) is not token:
            token = self._above[token]
        return token


class Learnt(NamedTuple):
    """The tokens of the lines, by line the number of the token that reads events (0: it concerns all), and waits."""

    tokens: _Tokens
    readers: array[int]
    waits: bytes
    further: dict[int, int]
    in_order: bool

    def groups(self) -> list[tuple[int, frozenset[str]]]:
        """The names of tokens that are of one account, and the bytes of their lines."""
        return list(self.tokens.groups())

    def selection(self, has: Callable[[str | None], bool]) -> Selection:
        """All lines but those that read events of accounts that a share has not."""
        taken = [True, *(has(token.name) for token in self.tokens.by_name.values())]
        return Selection(bytes(map(taken.__getitem__, self.readers)), self.waits, self.further, self.in_order)
