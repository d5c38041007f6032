"""NDJSON lines of ours, read a part at a time: what comes again and again in them is read once, and is one object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from conformance.http.exchange import Exchange, Headers, Request, Response
from conformance.http.json_text import parsed
from conformance.recordings.metadata import MalformedPartError
from conformance.recordings.parsing import body_of, headers_of, number_of, request_of, status_of, time_of

__all__ = ["SEPARATORS", "START", "from_parts", "read_line", "request_in", "response_in"]

#: The keys of a message of ours; any other key would be lost silently.
_REQUEST, _RESPONSE = ("method", "url", "headers", "body"), ("status", "headers", "body")

_NUMBER = rb"([0-9]+(?:\.[0-9]+)?)"
_TIME = rb'": ?(?:([1-9][0-9]*(?:\.[0-9]+)?)|null),'
#: All up to the request, as this suite and JSON libraries write it.
START = re.compile(
    rb'\{"sent_at' + _TIME + rb'( ?)"answered_at' + _TIME
    + rb' ?(?:"resolution": ?' + _NUMBER + rb", ?)?"
    + rb'(?:"label": ?"([^"\\]*)", ?)?(?:"whole": ?(true|false), ?)?"request": ?'
)  # fmt: skip
#: What stands before a body and between the two messages, without and with blanks.  A quote inside of a text is
#: escaped, so that no text can be taken for it.
SEPARATORS = {b"": (b',"body":', b'},"response":'), b" ": (b', "body": ', b'}, "response": ')}
_ENDS = (b"}}\n", b"}}")
#: Bodies up to this size, in bytes, are remembered.
_SMALL = 65_536


def read_line(line: bytes, name: str) -> Exchange | None:
    """The exchange of a line; None for one that is written otherwise, is no exchange, or is wrong.

    `name` is its label if it has none.
    """
    start = START.match(line)
    stop = next((-len(end) for end in _ENDS if line.endswith(end)), None)
    if start is None or stop is None:
        return None
    sent_at, blank, answered_at, resolution, label, whole = start.groups()
    before_body, between = SEPARATORS[blank]
    at, end = start.end(), line.find(between, start.end())
    body = line.find(before_body, at, end)
    second = end + len(between)
    answer = line.find(before_body, second)
    if body < 0 or answer < 0:
        return None
    asked, shown = line[body + len(before_body) : end], line[answer + len(before_body) : stop]
    try:
        request, has_headers = _asking(line[at:body])
        if asked != b'""':
            request = Request(request.method, request.url, request.headers, _body(asked, "request.body"))
        response = (_answering if len(shown) <= _SMALL else _answering.__wrapped__)(line[second:answer], shown)
        return Exchange(
            request,
            response,
            name if label is None else label.decode(),
            time_of(float(sent_at), "sent_at") if sent_at else None,
            time_of(float(answered_at), "answered_at") if answered_at else None,
            float(resolution or 0.0),
            has_headers and (bool(request.headers) if whole is None else whole == b"true"),
        )
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=1024)
def _asking(text: bytes) -> tuple[Request, bool]:
    """A request but for its body, and whether its headers are given; ValueError for what is none."""
    return request_in(parsed(text + b"}"))


@lru_cache(maxsize=64)
def _answering(text: bytes, body: bytes) -> Response:
    """A response from its two parts; ValueError for what is none."""
    status, headers = _answer(text)
    return Response(status, headers, _body(body, "response.body"))


@lru_cache(maxsize=256)
def _answer(text: bytes) -> tuple[int, Headers]:
    response = response_in(parsed(text + b"}"))
    return response.status, response.headers


def _body(text: bytes, where: str) -> bytes:
    return body_of(parsed(text), "", where)


def request_in(message: Mapping[str, Any]) -> tuple[Request, bool]:
    """A request, and whether its headers are given.  Raises MalformedPartError."""
    _known(message, _REQUEST, "request")
    headers = headers_of(message.get("headers"), "request.headers")
    body = body_of(message.get("body"), "", "request.body")
    request = request_of(message.get("method"), message.get("url"), headers, body, ours=True)
    return request, message.get("headers") is not None


def response_in(message: Mapping[str, Any]) -> Response:
    """A response.  Raises MalformedPartError."""
    _known(message, _RESPONSE, "response")
    headers = headers_of(message.get("headers"), "response.headers")
    return Response(status_of(message.get("status")), headers, body_of(message.get("body"), "", "response.body"))


def from_parts(
    document: Mapping[str, Any], request: Request, response: Response | None, name: str, *, has_headers: bool
) -> Exchange:
    """The exchange in a line that was read as a whole; `name` is its label if it has none.

    Raises MalformedPartError.
    """
    return Exchange(
        request,
        response,
        str(document.get("label", name)),
        time_of(document.get("sent_at"), "sent_at"),
        time_of(document.get("answered_at"), "answered_at"),
        number_of(document.get("resolution"), "resolution") or 0.0,
        has_headers and bool(document.get("whole", request.headers)),
        headers_of(document.get("notes"), "notes"),
    )


def _known(message: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in message:
        if key not in keys:
            raise MalformedPartError(f"{where}.{key[:40]}: unknown, expected {', '.join(keys)}")
