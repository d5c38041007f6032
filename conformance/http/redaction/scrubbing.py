"""Secrets by their place: credentials, cookies, OAuth's fields and relink URLs, removed from what is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from urllib.parse import quote, unquote_plus

from conformance.http.display import without_userinfo
from conformance.http.exchange import (
    Exchange,
    Headers,
    Request,
    Response,
    account_of_token,
    is_credential_header,
    redact_authorization,
)
from conformance.http.redaction.encodings import REDACTED

__all__ = ["noticing", "scrub"]

_PLACEHOLDER = re.compile(r"(?:\S+ )?<[A-Za-z0-9_.-]{1,64}>\Z")
_COOKIES = frozenset({"cookie", "set-cookie"})
_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
_SECRET_FIELDS = frozenset({"access_token", "client_secret", "code", "refresh_token"})
_MAY_BE_SECRET = re.compile(r"token|secret|code", re.IGNORECASE)
_JSON_SECRET = re.compile(rb'("(access_token|refresh_token|client_secret)"\s*:\s*")((?:[^"\\]|\\.)*)(?=")', re.DOTALL)
_JSON_RELINK = re.compile(rb'("\w*relink_url"\s*:\s*")((?:[^"\\]|\\.)+)(?=")', re.DOTALL)
_ORIGIN = re.compile(rb"https?:(?:\\?/){2}[^/\\?#]*|")

#: Who is told of each exchange before it is scrubbed, which is the last time that its credentials are seen.
_notice: ContextVar[Callable[[Exchange], None] | None] = ContextVar("notice", default=None)


@contextmanager
def noticing(notice: Callable[[Exchange], None]) -> Iterator[None]:
    """While this lasts, `notice` is given every exchange as it is before it is scrubbed."""
    token = _notice.set(notice)
    try:
        yield
    finally:
        _notice.reset(token)


def scrub(exchange: Exchange, account_of: Callable[[str], str] = account_of_token) -> Exchange:
    """`exchange` without what is secret by its place: credentials, cookies, OAuth fields, relink URLs.

    `account_of` gives the name that stands for a token.  Scrubbing twice is scrubbing once.
    """
    notice = _notice.get()
    if notice is not None:
        notice(exchange)
    request, response = exchange.request, exchange.response
    form = (request.header("content-type") or "").lower().startswith("application/x-www-form-urlencoded")
    body = _scrub_form(request.body, account_of) if form else _scrub_json(request.body, account_of)
    clean = Request(
        request.method, _scrub_url(request.url, account_of), _scrub_headers(request.headers, account_of), body
    )
    answer = response and Response(
        response.status, _scrub_headers(response.headers, account_of), _scrub_json(response.body, account_of)
    )
    if clean == request and answer == response:
        return exchange
    return replace(exchange, request=clean, response=answer)


def _scrub_headers(headers: Headers, account_of: Callable[[str], str]) -> Headers:
    return tuple((name, _scrub_header(name, value, account_of)) for name, value in headers)


def _scrub_header(name: str, value: str, account_of: Callable[[str], str]) -> str:
    lower = name.lower()
    if lower in _COOKIES:
        return REDACTED
    if lower == "location":
        return _scrub_url(value, account_of)
    if lower not in _CREDENTIALS:
        return REDACTED if value.strip() and is_credential_header(name) else value
    if _PLACEHOLDER.match(value):
        return value
    scheme, _, token = value.strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return f"Bearer <{account_of(token.strip())}>"
    return redact_authorization((("Authorization", value),))[0][1]


def _scrub_url(url: str, account_of: Callable[[str], str]) -> str:
    url = without_userinfo(url)
    at = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=-1)
    if at < 0 or not _MAY_BE_SECRET.search(unquote_plus(url[at:])):
        return url
    parts = re.split(r"([?&#;])", url[at:])
    return url[:at] + "".join(_scrub_pair(part, account_of) for part in parts)


def _scrub_form(body: bytes, account_of: Callable[[str], str]) -> bytes:
    text = body.decode("latin-1")
    grant = "grant_type=" in text
    parts = (
        part if part.startswith("code=") and not grant else _scrub_pair(part, account_of)
        for part in re.split(r"([&;])", text)
    )
    return "".join(parts).encode("latin-1")


def _scrub_pair(pair: str, account_of: Callable[[str], str]) -> str:
    name, equals, value = pair.partition("=")
    field = unquote_plus(name).lower()
    if not equals or not value or field not in _SECRET_FIELDS:
        return pair
    plain = unquote_plus(value)
    if _PLACEHOLDER.match(plain):
        return pair
    shown = f"<{account_of(plain)}>" if field == "access_token" else REDACTED
    return f"{name}={quote(shown)}"


def _scrub_json(body: bytes, account_of: Callable[[str], str]) -> bytes:
    if b"_token" in body or b"client_secret" in body:
        body = _JSON_SECRET.sub(lambda match: match[1] + _shown_in_json(match[2], match[3], account_of), body)
    if b"relink_url" in body:
        body = _JSON_RELINK.sub(lambda match: match[1] + _origin(match[2]) + b"/redacted", body)
    return body


def _origin(url: bytes) -> bytes:
    match = _ORIGIN.match(url)
    return match[0] if match else b""


def _shown_in_json(field: bytes, escaped: bytes, account_of: Callable[[str], str]) -> bytes:
    try:
        plain = json.loads(b'"' + escaped + b'"')
    except ValueError:
        plain = escaped.decode("latin-1")
    if not plain or _PLACEHOLDER.match(plain):
        return escaped
    return f"<{account_of(plain)}>".encode() if field == b"access_token" else REDACTED.encode()
