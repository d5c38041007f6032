"""The heads of NDJSON lines as this suite writes them: who asked for what, and when, without reading the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from conformance.http.exchange import PASSED_OVER, Exchange, Request

__all__ = ["Head", "Heads"]

_NUMBER = rb"(-?[0-9.eE+-]+|null)"
_TEXT = rb'"[^"\\]*"'
#: All up to the request's body.  A quote inside of a text is escaped, so that no text can be taken for a head.
_HEAD = re.compile(
    rb'\{"sent_at":' + _NUMBER + rb',"answered_at":' + _NUMBER + rb',(?:"resolution":([0-9.eE+-]+),)?"label":' + _TEXT
    + rb',"whole":true,"request":\{'
    rb'("method":"[A-Za-z]+","url":' + _TEXT + rb',"headers":\[(?:\[' + _TEXT + rb"," + _TEXT + rb'\],?)*\]),"body":'
)  # fmt: skip

#: Requests that are remembered by how they are written: the same ones are sent again and again.
_KNOWN = 4096


class Head(NamedTuple):
    """A request without its body, the times in seconds since the epoch, and the error of these."""

    request: Request
    sent_at: float | None
    answered_at: float | None
    time_resolution: float

    def exchange(self) -> Exchange:
        """What is left of an exchange that is passed over."""
        return Exchange(PASSED_OVER, None, "", self.sent_at, self.answered_at, self.time_resolution)


class Heads:
    """Reads the heads of lines whose requests are `wanted`, of which each is asked once."""

    def __init__(self, wanted: Callable[[Request], bool] = lambda _: True) -> None:
        self._wanted = wanted
        self._known: dict[bytes, Request | None] = {}

    def read(self, line: bytes) -> Head | None:
        """The head of a line; None where it is not wanted, not as this suite writes it, or not whole."""
        match = _HEAD.match(line)
        if match is None or not line.endswith(b"}\n"):
            return None
        sent_at, answered_at, resolution, written = match.groups()
        if written in self._known:
            request = self._known[written]
        else:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            request = self._known[written] = self._request(written)
        if request is None:
            return None
        return Head(request, _time(sent_at), _time(answered_at), float(resolution or 0.0))

    def _request(self, written: bytes) -> Request | None:
        try:
            parts = json.loads(b"{" + written + b"}")
        except ValueError:
            return None
        if not parts["headers"]:
            return None
        request = Request(parts["method"].upper(), parts["url"], tuple(map(tuple, parts["headers"])))
        return request if self._wanted(request) else None


def _time(written: bytes) -> float | None:
    return None if written == b"null" else float(written)
