"""Secrets stay out of what is kept: by place (`scrub`), by value in any encoding (`Redactor`), and at a gate.

Two layers, because each catches what the other cannot: `scrub` removes what is secret because of where it stands, and
needs to know no token; a `Redactor` knows the tokens of a run and finds them wherever a server echoes them.
"""

from __future__ import annotations

import builtins
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from urllib.parse import quote, unquote_plus, urlsplit

from conformance.encodings import Secret, hidden_in
from conformance.exchange import (
    Exchange,
    Headers,
    Request,
    Response,
    account_of_token,
    holds_credentials,
    replace_token,
)
from conformance.visible import without_userinfo

__all__ = ["REDACTED", "Redactor", "SecretLeak", "noticing", "scrub"]

#: What stands where something was removed that names no account.
REDACTED = "<redacted>"

_PLACEHOLDER = re.compile(r"(?:\S+ )?<[A-Za-z0-9_.-]{1,64}>\Z")
_COOKIES = frozenset({"cookie", "set-cookie"})
_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
_SECRET_FIELDS = frozenset({"access_token", "client_secret", "code", "refresh_token"})
_MAY_BE_SECRET = re.compile(r"token|secret|code", re.IGNORECASE)
_JSON_SECRET = re.compile(rb'("(access_token|refresh_token|client_secret)"\s*:\s*")((?:[^"\\]|\\.)*)(?=")', re.DOTALL)
_JSON_RELINK = re.compile(rb'("\w*relink_url"\s*:\s*")((?:[^"\\]|\\.)+)(?=")', re.DOTALL)
_ORIGIN = re.compile(rb"https?:(?:\\?/){2}[^/\\?#]*|")


class SecretLeak(Exception):  # noqa: N818 - the name says what happened
    """Something was about to be written that holds a token: the message names the place, never the token."""


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
        return REDACTED if value.strip() and holds_credentials(name) else value
    if _PLACEHOLDER.match(value):
        return value
    scheme, _, token = value.strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return f"Bearer <{account_of(token.strip())}>"
    return replace_token((("Authorization", value),))[0][1]


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


#: Shorter tokens cannot be told from other text; only their place (`scrub`) hides them.
_SHORTEST = 8


class Redactor:
    """Finds the tokens of a run in any encoding: replaces them, or refuses (`check`).

    `secrets` maps account names to tokens.  Tokens of fewer than 8 bytes, and those that are part of an account's
    name, are replaced where credentials stand and searched for nowhere else.  Also a `logging` filter.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._accounts = {token: account for account, token in secrets.items() if token}
        names = "\n".join(secrets)
        self._secrets = tuple(
            Secret(account, token.encode("utf-8", "surrogatepass"))
            for token, account in sorted(self._accounts.items(), key=lambda item: -len(item[0]))
            if len(token.encode("utf-8", "surrogatepass")) >= _SHORTEST and token not in names
        )

    def __repr__(self) -> str:
        return f"Redactor({', '.join(sorted(set(self._accounts.values())))})"

    def bytes(self, data: builtins.bytes) -> builtins.bytes:
        """`data` with every token replaced by ``<account>``; ``<redacted>`` as a whole where one hides too deep."""
        found = hidden_in(self._secrets, data)
        if not found:
            return data
        clean = data
        for secret in found:
            clean = secret.replaced(clean)
        return REDACTED.encode() if hidden_in(self._secrets, clean) else clean

    def text(self, text: str) -> str:
        """`text` with every token replaced, as `bytes` does."""
        return self.bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def exchange(self, exchange: Exchange) -> Exchange:
        """`exchange` with what is secret by place or by value replaced, label and notes included."""
        clean = scrub(exchange, self._account_of)
        if not self._secrets:
            return clean
        request, response = clean.request, clean.response
        return replace(
            clean,
            request=Request(
                self.text(request.method),
                self._url(request.url),
                self._headers(request.headers),
                self.bytes(request.body),
            ),
            response=response and Response(response.status, self._headers(response.headers), self.bytes(response.body)),
            label=self.text(clean.label),
            notes=tuple((self.text(name), self.text(value)) for name, value in clean.notes),
        )

    def check(self, data: builtins.bytes | str, where: str) -> None:
        """Raises SecretLeak, naming `where`, if `data` holds a token in any encoding."""
        account = self._leaked(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
        if account is not None:
            raise SecretLeak(
                f"{self.text(where)}: what was to be written holds the token of account {account!r}: not written"
            )

    def filter(self, record: logging.LogRecord) -> bool:
        """Replaces tokens in a log record, its traceback included; lets every record pass."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = self.text(message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None
        record.exc_text = record.exc_text and self.text(record.exc_text)
        record.stack_info = record.stack_info and self.text(record.stack_info)
        return True

    def _account_of(self, token: str) -> str:
        return self._accounts.get(token) or account_of_token(token)

    def _headers(self, headers: Headers) -> Headers:
        return tuple((self.text(name), self.text(value)) for name, value in headers)

    def _url(self, url: str) -> str:
        clean = self.text(url)
        if clean != REDACTED:
            return clean
        parts = urlsplit(url)
        return f"{parts.scheme}://{self.text(parts.netloc)}/{REDACTED}"

    def _leaked(self, data: builtins.bytes) -> str | None:
        return next((secret.account for secret in hidden_in(self._secrets, data)), None)
