"""An exchange: one HTTP request and its response.

Values only.  A bearer token never enters an exchange: whoever captures one replaces the token by ``<account>``, the
stable name of its account, and everything downstream is keyed by that name.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from conformance.http.json_text import parsed

__all__ = [
    "CONNECTION_HEADERS",
    "NOT_RECORDED",
    "PASSED_OVER",
    "UNKNOWN_TOKEN",
    "Exchange",
    "Headers",
    "Request",
    "Response",
    "account_of_token",
    "bearer",
    "first_of",
    "is_credential_header",
    "redact_authorization",
    "time_of_day",
]

Headers = tuple[tuple[str, str], ...]

#: The value of a note on a body that is missing from a recording.
NOT_RECORDED = "not-recorded"

#: Headers, in lower case, that belong to one connection (RFC 9110 7.6.1) or to the proxy at its end.
CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

#: The account name of a token that the server cannot know.
UNKNOWN_TOKEN = "nobody"  # noqa: S105 - the name of an account, no credential

_BEARER = re.compile(r"\s*bearer\s+(.*?)\s*\Z", re.IGNORECASE | re.DOTALL)
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]{1,64})>\Z")


@lru_cache(maxsize=1024)
def account_of_token(token: str) -> str:
    """The stable name of a token: that of its placeholder, or one made from its SHA-256.

    >>> account_of_token("<default>")
    'default'
    """
    placeholder = _PLACEHOLDER.match(token)
    if placeholder:
        return placeholder[1]
    digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    return f"token-{digest[:8]}"


_CREDENTIALS = re.compile(
    r"token|secret|(?<![a-z])keys?(?![a-z])|apikey|auth(?!or(?!i[sz]))|cookie|session|passw|credential|signature",
    re.IGNORECASE,
)
_NO_CREDENTIALS = frozenset({"www-authenticate", "proxy-authenticate", "idempotency-key", "surrogate-key"})


@lru_cache(maxsize=1024)
def is_credential_header(name: str) -> bool:
    """Whether a header carries credentials, by its name.

    >>> [name for name in ("Cookie", "X-Api-Key", "Authority", "Accept") if is_credential_header(name)]
    ['Cookie', 'X-Api-Key']
    """
    lower = name.lower()
    return bool(_CREDENTIALS.search(lower)) and lower not in _NO_CREDENTIALS and not lower.startswith("sec-websocket-")


def bearer(account: str) -> str:
    """The value of ``Authorization`` in an exchange: the name of an account instead of its token."""
    return f"Bearer <{account}>"


def redact_authorization(headers: Headers) -> Headers:
    """`headers` with every credential in ``Authorization`` replaced by its account's name."""
    return tuple(
        (name, _without_credentials(value)) if name.lower() == "authorization" else (name, value)
        for name, value in headers
    )


def _without_credentials(value: str) -> str:
    match = _BEARER.match(value)
    if match:
        return bearer(account_of_token(match[1]))
    scheme = value.split(None, 1)[0] if value.split() else ""
    return f"{scheme} <{account_of_token(value)}>" if len(value.split()) > 1 else value and "<redacted>"


class Request(Struct, frozen=True):
    """A request: upper-case `method`, absolute `url`, `headers` in the order sent, decoded `body`."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path of the URL as sent, still percent-encoded."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query as decoded pairs, in order."""
        return tuple(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        return first_of(self.headers, name)

    @property
    def account(self) -> str | None:
        """The account of the bearer token; None without one."""
        value = self.header("authorization")
        return _account(value) if value else None


class Response(Struct, frozen=True):
    """A response: `status`, `headers`, and the body with transfer and content coding undone."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        return first_of(self.headers, name)

    @property
    def date(self) -> float | None:
        """``Date`` in seconds since the epoch: the server's clock; None without a legible one."""
        return _seconds_of(self.header("date") or "")

    def json(self) -> Any:
        """The body as JSON.  Raises ValueError for what is no JSON text in UTF-8."""
        return load_json(self.body)


class Exchange(Struct, frozen=True):
    """One request and its response (None: no answer came), and when.

    `label` identifies it in messages (``cassettes/a.yaml#12``).  `sent_at` and `answered_at` are seconds since the
    epoch, None where unknown; `time_resolution` is their error in seconds (0: exact; 1: from ``Date`` headers).
    `headers_complete`: every header that was sent is here, so a missing ``Authorization`` was not sent.
    `passed`: how many exchanges of the recording were passed over before it, and after how many of them one was sent
    no earlier than this one was answered (0: unknown).
    """

    request: Request
    response: Response | None
    label: str = ""
    sent_at: float | None = None
    answered_at: float | None = None
    time_resolution: float = 0.0
    headers_complete: bool = False
    notes: tuple[tuple[str, str], ...] = ()
    passed: tuple[int, int] = (0, 0)


#: The request of what is no exchange, and says only how many were passed over.
PASSED_OVER = Request("GET", "http://localhost/")


#: Parsed bodies up to these sizes, in bytes, are cached: what is polled seldom changes, and writes are looked at again.
_SMALL, _SMALLEST = 65_536, 2_048


def load_json(body: bytes) -> Any:
    """JSON text in UTF-8 as Python values, which are shared; ValueError for anything else, or nested too deep."""
    size = len(body)
    return (_parsed_small if size <= _SMALLEST else _parsed if size <= _SMALL else _parse)(body)


def _parse(body: bytes) -> Any:
    text = body.removeprefix(codecs.BOM_UTF8)
    try:
        return parsed(text)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:
        return json.loads(text, parse_int=float)  # an integer with more digits than Python converts


_parsed = lru_cache(maxsize=16)(_parse)
_parsed_small = lru_cache(maxsize=256)(_parse)


_HTTP_DATE = re.compile(r"([A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4}) (\d\d):(\d\d):(\d\d) GMT\Z")


def time_of_day(date: str) -> tuple[str, int]:
    """The midnight before an HTTP date in the preferred format, and the seconds since then; any other date, and -1.

    >>> time_of_day("Fri, 30 Oct 2026 10:00:01 GMT")
    ('Fri, 30 Oct 2026 00:00:00 GMT', 36001)
    """
    match = _HTTP_DATE.match(date)
    if match is None or match[2] > "23" or match[3] > "59" or match[4] > "59":
        return date, -1
    return f"{match[1]} 00:00:00 GMT", int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4])


@lru_cache(maxsize=1024)
def _seconds_of(date: str) -> float | None:
    day, time = time_of_day(date)
    if time <= 0:
        return _read_date(date)
    midnight = _seconds_of(day)
    return None if midnight is None else midnight + time


def _read_date(date: str) -> float | None:
    from email.utils import mktime_tz, parsedate_tz  # it brings sockets, and start-up would pay

    parsed = parsedate_tz(date)
    try:
        return None if parsed is None else float(mktime_tz(parsed))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def _account(authorization: str) -> str | None:
    match = _BEARER.match(authorization)
    return account_of_token(match[1]) if match else None


def first_of(headers: Headers, name: str) -> str | None:
    """The first value of a header, by case-insensitive name."""
    wanted, size = name.lower(), len(name)
    for key, value in headers:
        if len(key) == size and key.lower() == wanted:
            return value
    return None
