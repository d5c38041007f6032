"""What all formats share: methods, URLs, headers, bodies and times of an exchange, checked and decoded."""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from conformance.http.content_coding import ContentCodingError, MissingCodecError, OversizedBodyError, decode
from conformance.http.exchange import NOT_RECORDED, Exchange, Headers, Request, Response, first_of, time_of_day
from conformance.recordings.altered import is_cut_short, is_filtered
from conformance.recordings.metadata import MalformedPartError, kind_of

__all__ = [
    "BODILESS_METHODS",
    "FILTERED",
    "NOT_RECORDED",
    "Notes",
    "answered",
    "asked",
    "assemble",
    "base64_bytes",
    "body_of",
    "headers_of",
    "json_bytes",
    "moment_of",
    "number_of",
    "object_of",
    "request_of",
    "status_of",
    "time_of",
    "timed",
]

Notes = tuple[tuple[str, str], ...]

#: The methods of requests that have no body where none is recorded.
BODILESS_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

#: Replaces credentials that a recorder's filter removed, until all exchanges with an origin are read.
FILTERED = "<filtered>"
#: A token without its scheme, rather than the placeholder of a filter.
_LIKE_A_TOKEN = re.compile(r"(?=[^\d]*\d)[A-Za-z0-9._~+/=-]{16,}\Z")

#: Characters of a body that is remembered for a while.
_SMALL = 2**16

#: Bytes; a body that decodes to more counts as not recorded.
_LARGEST_BODY = 64 * 2**20
#: Seconds since the epoch; other values have another unit or are invented, and datetime ends there.
_EARLIEST, _LATEST = 172_800.0, 253_086_768_000.0  # 1970-01-03 and 9990-01-01
_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


def assemble(
    *,
    method: object,
    url: object,
    request_headers: Headers,
    request_body: bytes | None,
    status: int | None,
    response_headers: Headers = (),
    response_body: bytes | None = b"",
    ours: bool = False,
    sent_at: float | None = None,
    answered_at: float | None = None,
    time_resolution: float = 0.0,
    label: str = "",
    headers_complete: bool = False,
    notes: Notes = (),
) -> Exchange:
    """One exchange, not scrubbed yet, from its parts.  Raises MalformedPartError.

    See `asked` and `answered`.  `ours`: content codings are undone already, and a time that is not given is not known;
    elsewhere a body may still be coded, and the response's ``Date`` is the time.
    """
    request, of_request = asked(method, url, request_headers, request_body, ours=ours)
    response, of_response = answered(status, response_headers, response_body, ours=ours)
    if not ours:
        sent_at, answered_at, time_resolution = timed(sent_at, answered_at, time_resolution, response_headers)
    notes += of_request + of_response
    return Exchange(request, response, label, sent_at, answered_at, time_resolution, headers_complete, notes)


def asked(
    method: object, url: object, headers: Headers, body: bytes | None, *, ours: bool = False
) -> tuple[Request, Notes]:
    """A request from its parts, and what is to be noted of it; None for a body that was not recorded.

    Raises MalformedPartError.
    """
    _check_method(method)
    notes: Notes = ()
    if not ours:
        headers = _marked(headers)
        body, notes = _decoded(body, headers, "request")
        body = _as_recorded(body, headers)
    if body is None:
        notes += (("request-body", NOT_RECORDED),)
    return request_of(method, url, headers, body or b"", ours=ours), notes


def answered(
    status: int | None, headers: Headers, body: bytes | None, *, ours: bool = False
) -> tuple[Response | None, Notes]:
    """A response from its parts, and what is to be noted of it.

    One whose body was not recorded (None) becomes a note alone, since nothing may be concluded from it.
    """
    notes: Notes = ()
    if not ours:
        body, notes = _decoded(body, headers, "response")
        body = _as_recorded(body, headers)
    if status is not None and body is None:
        return None, (*notes, ("response-body", NOT_RECORDED), ("response-status", str(status)))
    return None if status is None or body is None else Response(status, headers, body), notes


def timed(
    sent_at: float | None, answered_at: float | None, resolution: float, headers: Headers
) -> tuple[float | None, float | None, float]:
    """The times of a foreign exchange and their error; without believable ones, those of its answer's ``Date``."""
    if not all(time is None or _EARLIEST <= time <= _LATEST for time in (sent_at, answered_at)):
        sent_at = answered_at = None
    if sent_at is None and answered_at is None:
        sent_at = answered_at = _date_of(headers)
        resolution = 0.0 if sent_at is None else 1.0
    return sent_at, answered_at, resolution


def request_of(method: object, url: object, headers: Headers, body: bytes, *, ours: bool) -> Request:
    """A request; without a body, those that are the same are one object.  Raises MalformedPartError."""
    made = Request if body else _same_request
    return made(_check_method(method), _checked_url(url, ours), headers, body)


_same_request = lru_cache(maxsize=1024)(Request)


def _check_method(method: object) -> str:
    if not isinstance(method, str) or not _METHOD.match(method):
        raise MalformedPartError(f"request.method: expected an HTTP method, found {kind_of(method)}")
    return method.upper()


def _as_recorded(body: bytes | None, headers: Headers) -> bytes | None:
    """The body; None where the recorder did not keep it as it was."""
    return None if body and (is_filtered(body) or is_cut_short(body, headers)) else body


def _checked_url(url: object, ours: bool) -> str:
    """A valid URL; only our own recordings have other schemes than HTTP, for the calls of a driver."""
    if not isinstance(url, str):
        raise MalformedPartError(f"request.url: expected an absolute URL, found {kind_of(url)}")
    return _valid(url, not ours)


@lru_cache(maxsize=256)
def _valid(url: str, http: bool) -> str:
    problem = _problem_of_url(url, http)
    if problem:
        raise MalformedPartError(f"request.url: {problem}, found {kind_of(url)}")
    return url


def _problem_of_url(url: str, http: bool) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its message may quote a password
        return "expected a URL that can be taken apart"
    if http and (parts.scheme not in ("http", "https") or not parts.netloc):
        return "expected an absolute HTTP URL"
    return "" if parts.scheme else "expected an absolute URL"


@lru_cache(maxsize=256)
def _marked(headers: Headers) -> Headers:
    """`headers` with a mark in place of an ``Authorization`` that a filter replaced."""
    value = first_of(headers, "authorization")
    if value is None or len(value.split()) >= 2 or _LIKE_A_TOKEN.match(value):
        return headers
    return tuple((name, FILTERED if name.lower() == "authorization" else held) for name, held in headers)


def headers_of(value: object, where: str) -> Headers:
    """Headers as pairs, from a mapping to a value or values, from pairs, or from name/value objects."""
    if value is None:
        return ()
    if isinstance(value, dict):
        try:
            return tuple(
                [_text(name, one) for name, held in value.items() for one in (held if type(held) is list else (held,))]
            )
        except TypeError:
            return tuple(pair for name, held in value.items() for pair in _pairs(name, held, where))
    if isinstance(value, list | tuple):
        if value and type(value[0]) is dict:
            try:
                return tuple([_text(item["name"], item["value"]) for item in value])
            except (KeyError, TypeError):
                pass
        return tuple([_pair(item, where) for item in value])
    raise MalformedPartError(f"{where}: expected headers, found {kind_of(value)}")


@lru_cache(maxsize=1024)
def _text(name: object, value: object) -> tuple[str, str]:
    """A header that is a plain name and value, as most are; the same ones come again and again, and are one object.

    Raises TypeError for any other.
    """
    if type(name) is not str or type(value) is not str:
        raise TypeError
    return name, value


def _pairs(name: object, held: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(held, list | tuple):
        yield from ((_scalar(name, where), _scalar(value, where)) for value in held)
    else:
        yield _scalar(name, where), _scalar(held, where)


def _pair(item: object, where: str) -> tuple[str, str]:
    if type(item) is list and len(item) == 2 and type(item[0]) is type(item[1]) is str:
        return _text(item[0], item[1])
    if isinstance(item, dict) and "name" in item:
        return _scalar(item["name"], where), _scalar(item.get("value"), where)
    if isinstance(item, list | tuple) and len(item) == 2:
        return _scalar(item[0], where), _scalar(item[1], where)
    raise _no_header(item, where)


def _no_header(value: object, where: str) -> MalformedPartError:
    return MalformedPartError(f"{where}: expected a header's name and value, found {kind_of(value)}")


def _scalar(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple):
        raise _no_header(value, where)
    return "" if value is None else str(value)


def object_of(value: object, where: str) -> Mapping[str, Any]:
    """`value`, which must be a mapping.  Raises MalformedPartError."""
    if not isinstance(value, dict):
        raise MalformedPartError(f"{where}: expected an object, found {kind_of(value)}")
    return value


def status_of(value: object) -> int:
    """A status code, from a number or its text.  Raises MalformedPartError."""
    if type(value) is int and 0 < value < 1_000:
        return value
    number = number_of(value, "response.status")
    if number is None or number != int(number):
        raise MalformedPartError(f"response.status: expected a status code, found {kind_of(value)}")
    return int(number)


def number_of(value: object, where: str) -> float | None:
    """A finite number, from a number or its text; None for none."""
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise MalformedPartError(f"{where}: expected a finite number, found {kind_of(value)}")
    return number


def time_of(value: object, where: str) -> float | None:
    """Seconds since the epoch, from a number, its text or ISO 8601; None for None.  Raises MalformedPartError."""
    if type(value) is float and _EARLIEST <= value <= _LATEST:
        return value
    found = kind_of(value)
    try:
        moment = number_of(value, where)
        found = found if moment is None else f"{moment:.15g}"
    except MalformedPartError:
        moment = moment_of(value)
    if value is not None and (moment is None or not _EARLIEST <= moment <= _LATEST):
        raise MalformedPartError(f"{where}: expected seconds since the epoch, or ISO 8601, found {found}")
    return moment


def moment_of(text: object) -> float | None:
    """Seconds since the epoch from an ISO 8601 or HTTP date; None for anything else."""
    return _moment_of(text) if isinstance(text, str) else None


@lru_cache(maxsize=1024)
def _moment_of(text: str) -> float | None:
    day, time = ("", -1) if text[:1].isdigit() else time_of_day(text)
    if time <= 0:
        return _moment(text)
    midnight = _moment_of(day)
    return None if midnight is None else midnight + time


def _http_date(text: str) -> datetime:
    from email.utils import parsedate_to_datetime  # it brings sockets, and start-up would pay

    return parsedate_to_datetime(text)


def _moment(text: str) -> float | None:
    for parse in (datetime.fromisoformat, _http_date):
        try:
            moment = parse(text.strip())
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return seconds if _EARLIEST <= seconds <= _LATEST else None
    return None


def _date_of(headers: Headers) -> float | None:
    return moment_of(first_of(headers, "date"))


def body_of(value: object, content_type: str, where: str) -> bytes:
    """A recorded body as bytes: text, bytes, chunks, ``string``/``base64_string`` objects, or JSON values."""
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return _small_bytes(value) if len(value) <= _SMALL else _bytes(value)
    if isinstance(value, dict):
        for key in ("base64_string", "$base64", "base64"):
            if isinstance(value.get(key), str):
                return base64_bytes(value[key], f"{where}.{key}")
        if "string" in value or "encoding" in value:
            return _encoded(value.get("string"), value.get("encoding"), f"{where}.string")
    if isinstance(value, list | tuple) and all(isinstance(chunk, str | bytes) for chunk in value):
        return b"".join(body_of(chunk, content_type, where) for chunk in value)
    if "x-www-form-urlencoded" in content_type.lower() and isinstance(value, dict):
        return urlencode(dict(value), doseq=True).encode()
    return json_bytes(value, where)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


#: What is polled comes again and again: the same bytes are one object.
_small_bytes = lru_cache(maxsize=64)(_bytes)


#: Encodings of host names, which take minutes for long texts.
_OF_NAMES = ("idna", "punycode")


def _encoded(text: object, encoding: object, where: str) -> bytes:
    if isinstance(text, str) and isinstance(encoding, str):
        try:
            name = codecs.lookup(encoding).name
            if name not in _OF_NAMES:
                return text.encode(name)
        except (LookupError, ValueError):  # also UnicodeError, and a name with a null
            pass
    if text is None or isinstance(text, str | bytes):
        return body_of(text, "", where)
    raise MalformedPartError(f"{where}: expected text, found {kind_of(text)}")


def json_bytes(value: object, where: str) -> bytes:
    """A JSON value as a client encodes it.  Raises MalformedPartError."""
    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError):
        raise MalformedPartError(f"{where}: expected text, bytes or JSON values, found {kind_of(value)}") from None


def base64_bytes(text: str, where: str) -> bytes:
    """Bytes from base64 with or without line breaks.  Raises MalformedPartError."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedPartError(f"{where}: invalid base64 ({error})") from None


def _decoded(body: bytes | None, headers: Headers, part: str) -> tuple[bytes | None, Notes]:
    """`body` with its content coding undone if it still has it (None: not recorded), and notes."""
    if not body or first_of(headers, "content-encoding") is None:
        return body, ()
    encoding = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    try:
        return decode(body, encoding, _LARGEST_BODY), ()
    except OversizedBodyError:
        return None, ()
    except ContentCodingError as error:
        if _is_text(body):  # most recorders undo the coding and keep the header
            return body, ()
        return None, ((f"{part}-coding", error.coding),) if isinstance(error, MissingCodecError) else ()


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
