"""Heads of NDJSON lines of ours: who asked for what, and when, without the rest; and lines that are chosen by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from conformance.http.exchange import Headers
from conformance.http.json_text import parsed
from conformance.recordings.line_parts import SEPARATORS, START
from conformance.recordings.parsing import headers_of

__all__ = ["Heads", "Selection"]

What = TypeVar("What")
Who = TypeVar("Who")
T = TypeVar("T")

#: What stands before the headers of a request, without and with blanks.
_HEADERS = {b"": b',"headers":', b" ": b', "headers": '}
#: Heads, and parts of them, that are remembered by how they are written: the same ones are sent again and again.
_KNOWN = 4096


class Heads(Generic[What, Who]):
    """Reads heads: `what` is asked of each method and URL, without its query, and `who` of all headers."""

    def __init__(self, what: Callable[[str, str], What], who: Callable[[Headers], Who]) -> None:
        self._what, self._who = what, who
        self._known: dict[bytes, tuple[What, Who] | None] = {}
        self._known_what: dict[bytes, What | None] = {}
        self._known_who: dict[bytes, Who | None] = {}

    def read(self, line: bytes) -> tuple[tuple[What, Who], float | None, float | None] | None:
        """What a request is about and whose it is, and when it was sent and answered, in seconds since the epoch.

        None where a line is not as this suite writes it, or not whole.
        """
        start = START.match(line)
        if start is None or not line.endswith(b"}\n"):
            return None
        sent_at, blank, answered_at, _, _, whole = start.groups()
        at = start.end()
        end = line.find(SEPARATORS[blank][0], at)
        if end < 0 or whole == b"false":
            return None
        written = line[at:end]
        found = self._known.get(written) or self._of(written, _HEADERS[blank])
        if found is None:
            return None
        return found, float(sent_at) if sent_at else None, float(answered_at) if answered_at else None

    def _of(self, written: bytes, separator: bytes) -> tuple[What, Who] | None:
        asked, _, headers = written.partition(separator)
        what = _remembered(self._known_what, asked.partition(b"?")[0], self._what_of)
        who = _remembered(self._known_who, headers, self._who_of)
        if what is None or who is None:
            return None
        return _remembered(self._known, written, lambda _: (what, who))

    def _what_of(self, written: bytes) -> What | None:
        message = parsed(written + (b"}" if written.endswith(b'"') else b'"}'))
        method, url = message.pop("method"), message.pop("url")
        return self._what(method.upper(), url) if not message and type(url) is str else None

    def _who_of(self, written: bytes) -> Who | None:
        headers = headers_of(parsed(written), "request.headers")
        return self._who(headers) if headers else None


def _remembered(known: dict[bytes, T | None], written: bytes, of: Callable[[bytes], T | None]) -> T | None:
    if written not in known:
        if len(known) >= _KNOWN:
            known.clear()
        try:
            known[written] = of(written)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # it is not written by us
            known[written] = None
    return known[written]


@dataclass(frozen=True)
class Selection:
    """The lines of a file that are `taken`, of which each has a byte; the others are passed over.

    Lines are in the order sent, which is their order in the file where that is `in_order`.  `waits` says how many lines
    after each the first reading comes that was sent no earlier than this one was answered: 0 for none, and `FAR` where
    they are in `further`.
    """

    FAR: ClassVar = 255

    taken: bytes
    waits: bytes
    further: dict[int, int] = field(default_factory=dict)
    in_order: bool = True
