"""HAR 1.2 from browsers, proxies and Schemathesis, read into exchanges."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

from msgspec import Struct

from conformance.http.exchange import Exchange, Headers, Request, Response, first_of
from conformance.recordings.altered import is_cut_short, length_of
from conformance.recordings.attachments import attached
from conformance.recordings.corrections import by_server_clock, complete_where_authorized_anywhere, without_filtered
from conformance.recordings.json_stream import JsonText, reading_json
from conformance.recordings.metadata import InvalidRecordingError, MalformedPartError, kind_of, reading
from conformance.recordings.parsing import (
    BODILESS_METHODS,
    Notes,
    answered,
    asked,
    base64_bytes,
    body_of,
    headers_of,
    moment_of,
    number_of,
    object_of,
    status_of,
    timed,
)
from conformance.recordings.shared_members import SharedMembers

__all__ = ["read_document", "read_har"]

_ADVICE = "export it again, with content"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
#: Headers that are added last: an entry without them has the headers that a page set, not all that were sent.
_ADDED_LAST = ("host", ":authority")
#: ``startedDateTime`` has milliseconds.
_RESOLUTION = 0.001
#: The library that Schemathesis writes with: its time of a request is that of the response.
_HARFILE = "harfile"
_HARFILE_RESOLUTION = 0.1
#: How many requests and responses are known again.
_SAME = 256


def read_har(path: Path) -> Iterator[Exchange]:
    """The exchanges of a HAR, in file order, with one at a time in memory.  Raises InvalidRecordingError."""
    return _completed(lambda: _of_file(path))


def read_document(path: Path, document: Mapping[str, Any]) -> Iterator[Exchange]:
    """The exchanges of a HAR document, in file order.

    Entries that are no HTTP (``data:``, WebSockets) are left out, and those that a browser answered from its cache.
    """
    return _completed(lambda: _of_document(path, document))


def _completed(entries: Callable[[], Iterator[Exchange]]) -> Iterator[Exchange]:
    return without_filtered(by_server_clock(complete_where_authorized_anywhere(entries)))


def _of_file(path: Path) -> Iterator[Exchange]:
    with path.open("rb") as stream:
        text = JsonText(stream)
        log: dict[str, Any] = {}
        found = False
        with reading_json(path, text):
            for key in text.members():
                if key != "log" or text.next_character() != "{":
                    value = text.value()
                    if key == "log":
                        with reading(path, "log", _ADVICE):
                            object_of(value, "log")
                    continue
                for name in text.members():
                    if name == "entries" and text.next_character() == "[":
                        found = True
                        yield from _Entries(path, log).exchanges(text.items(SharedMembers("request", "response")))
                    else:
                        log[name] = text.value()
            text.end()
        if not found:
            _refuse(path, log)


def _of_document(path: Path, document: Mapping[str, Any]) -> Iterator[Exchange]:
    with reading(path, "log", _ADVICE):
        log = object_of(document.get("log"), "log")
    if not isinstance(log.get("entries"), list):
        _refuse(path, log)
    yield from _Entries(path, log).exchanges(log["entries"])


def _refuse(path: Path, log: Mapping[str, Any]) -> NoReturn:
    """Raises InvalidRecordingError: a log has no list of entries."""
    problem = f"expected log.entries, found {kind_of(log.get('entries'))}"
    raise InvalidRecordingError(path, problem, _ADVICE, "log")


class _Asked(Struct, frozen=True):
    """A request as it was recorded: its notes, and whether its headers are all that were sent."""

    request: Request
    notes: Notes
    headers_complete: bool


class _Answered(Struct, frozen=True):
    """A response as it was recorded: its notes, and its headers; `status` is 0 where no answer came."""

    response: Response | None
    notes: Notes
    status: int
    headers: Headers


class _Entries:
    """Reads entries; a request or a response that came before as the very object that it is, is not read again."""

    def __init__(self, path: Path, log: Mapping[str, Any]) -> None:
        creator = log.get("creator")
        self._path, self._name = path, path.as_posix()
        self._harfile = isinstance(creator, dict) and creator.get("name") == _HARFILE
        self._asked: dict[int, tuple[object, _Asked | None]] = {}
        self._answered: dict[tuple[int, bool], tuple[object, _Answered]] = {}

    def exchanges(self, entries: Iterable[Any]) -> Iterator[Exchange]:
        """The exchanges in entries; those that are no HTTP are left out."""
        for number, item in enumerate(entries, 1):
            with reading(self._path, f"entry {number}", _ADVICE):
                exchange = self._exchange(object_of(item, "it"), f"{self._name}#{number}")
            if exchange is not None:
                yield exchange

    def _exchange(self, entry: Mapping[str, Any], label: str) -> Exchange | None:
        request, response = object_of(entry.get("request"), "request"), entry.get("response")
        if entry.get("_fromCache"):
            return None
        known = self._asked.get(id(request))
        asked = known[1] if known is not None and known[0] is request else self._ask(request)
        if asked is None:
            return None
        is_head = asked.request.method == "HEAD"
        given = self._answered.get((id(response), is_head))
        answered = given[1] if given is not None and given[0] is response else self._answer(response, is_head)
        started, took = moment_of(entry.get("startedDateTime")), number_of(entry.get("time"), "time")
        seconds = None if took is None or took < 0 else took / 1000
        if started is not None and self._harfile:
            started -= seconds or 0.0
        ended = None if started is None or seconds is None or not answered.status else started + seconds
        resolution = 0.0 if started is None else _HARFILE_RESOLUTION if self._harfile else _RESOLUTION
        started, ended, resolution = timed(started, ended, resolution, answered.headers)
        complete = bool(answered.status) and asked.headers_complete
        notes = asked.notes + answered.notes
        return Exchange(asked.request, answered.response, label, started, ended, resolution, complete, notes)

    def _ask(self, request: Mapping[str, Any]) -> _Asked | None:
        """What a request asks; None where it is no HTTP."""
        found = None
        if _is_http(request):
            headers = headers_of(request.get("headers"), "request.headers")
            complete = self._harfile or any(first_of(headers, name) is not None for name in _ADDED_LAST)
            headers = _without_pseudo(headers)
            body = _request_body(self._path, request, headers, self._harfile)
            found = _Asked(*asked(request.get("method"), request.get("url"), headers, body), complete)
        if len(self._asked) >= _SAME:
            self._asked.clear()
        self._asked[id(request)] = request, found  # held, so that no other takes its id
        return found

    def _answer(self, recorded: object, is_head: bool) -> _Answered:
        response = object_of(recorded or {}, "response")
        status = status_of(response.get("status") or 0)
        headers = _without_pseudo(headers_of(response.get("headers"), "response.headers"))
        body = _response_body(self._path, response, headers, is_head=is_head)
        found = _Answered(*answered(status or None, headers, body), status, headers)
        if len(self._answered) >= _SAME:
            self._answered.clear()
        self._answered[id(recorded), is_head] = recorded, found
        return found


def _is_http(request: Mapping[str, Any]) -> bool:
    url = request.get("url")
    scheme = _SCHEME.match(url) if isinstance(url, str) else None
    return scheme is None or scheme[1].lower() in ("http", "https")


def _without_pseudo(headers: Headers) -> Headers:
    """The headers without HTTP/2's pseudo-headers, which repeat the method, the URL and the status."""
    return tuple([header for header in headers if header[0][:1] != ":"])


def _request_body(path: Path, request: Mapping[str, Any], headers: Headers, harfile: bool) -> bytes | None:
    size = number_of(request.get("bodySize"), "request.bodySize")
    posted = object_of(request.get("postData") or {}, "request.postData")
    text, params = _text(posted, "request.postData"), posted.get("params")
    if text:
        if harfile and not posted.get("encoding"):
            return _unmarked(text, int(size or 0))
        return _bytes(text, posted, "request.postData")
    if params:
        pairs = headers_of(params, "request.postData.params")
        mime = str(posted.get("mimeType", "")) or first_of(headers, "content-type") or ""
        return None if "multipart" in mime else urlencode(pairs).encode()
    sizes = (size, length_of(headers))
    if posted or str(request.get("method", "")).upper() not in BODILESS_METHODS:
        return _attached_or_empty(path, posted, sizes)
    return None if any(size is not None and size > 0 for size in sizes) else b""


def _response_body(path: Path, response: Mapping[str, Any], headers: Headers, *, is_head: bool) -> bytes | None:
    content = object_of(response.get("content") or {}, "response.content")
    text = _text(content, "response.content")
    if str(content.get("comment", "")).startswith("Body truncated"):
        return None
    size = number_of(content.get("size"), "response.content.size")
    if text:
        body = _bytes(text, content, "response.content")
        return None if is_cut_short(body, (), size) else body
    if is_head or response.get("status") in (204, 304):
        return b""
    sizes = (
        size,
        number_of(response.get("bodySize"), "response.bodySize"),
        length_of(headers),
    )
    return _attached_or_empty(path, content, sizes)


def _attached_or_empty(path: Path, content: Mapping[str, Any], sizes: Iterable[float | None]) -> bytes | None:
    """A body without text: that in its `_file`, or an empty one; None if the recorder left it out.

    A recorder that leaves out a body keeps its size, or writes -1; without any size, an empty text is an empty body.
    """
    name = content.get("_file")
    if isinstance(name, str) and (body := attached(path, name)) is not None:
        return body
    known = [size for size in sizes if size is not None]
    if any(size > 0 for size in known):
        return None
    empty = 0 in known if known else content.get("text") == ""
    return b"" if empty else None


def _text(content: Mapping[str, Any], where: str) -> str | None:
    text = content.get("text")
    if text is not None and not isinstance(text, str):
        raise MalformedPartError(f"{where}.text: expected a string, found {kind_of(text)}")
    return text


def _bytes(text: str, content: Mapping[str, Any], where: str) -> bytes:
    encoding = content.get("encoding")
    if encoding == "base64":
        return b"".join(base64_bytes(chunk, f"{where}.text") for chunk in _chunks(text))
    if content.get("_isBinary") is True:
        try:
            return b"".join(map(bytes.fromhex, _chunks(text)))
        except ValueError:
            raise MalformedPartError(f"{where}.text: expected hexadecimal digits") from None
    if encoding:
        raise MalformedPartError(f"{where}.encoding: expected base64 or none, found another")
    return body_of(text, "", f"{where}.text")


def _chunks(text: str) -> list[str]:
    """The chunks of a coded body as Polly.js keeps it: a JSON list in place of base64, in hexadecimal before 5.0."""
    if not text.startswith('["'):
        return [text]
    try:
        return list(map(str, json.loads(text)))
    except (ValueError, RecursionError):
        return [text]


def _unmarked(text: str, size: int) -> bytes:
    """A body that may be base64 without a mark: its size decides."""
    plain = body_of(text, "", "request.postData.text")
    if len(plain) == size:
        return plain
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return plain
    return decoded if len(decoded) == size else plain
