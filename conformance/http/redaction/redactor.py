"""Redaction by value: the tokens of a run are found in any encoding, and replaced or refused."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from msgspec import Struct, structs

from conformance.errors import UserError
from conformance.http.exchange import Exchange, Headers, Request, Response, account_of_token
from conformance.http.redaction.encodings import REDACTED, Secret, hidden_in, redacted
from conformance.http.redaction.scrubbing import scrub

__all__ = ["Redactor", "SecretLeakError"]


class SecretLeakError(UserError):
    """Text that was about to be written contains a token; the message names the place, never the token."""


#: Shorter tokens are indistinguishable from other text; only `scrub` removes them.
_SHORTEST = 8
#: Characters of a token that are taken for its beginning where a text was cut off.
_BEGINNING = 4

T = TypeVar("T")


class Redactor:
    """Finds the tokens of a run in any encoding: replaces them, or refuses (`check`).

    `secrets` maps account names to tokens.  Tokens shorter than 8 bytes, and those that are part of an account's name,
    are only replaced in the places of credentials.  Also a `logging` filter.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._accounts = {token: account for account, token in secrets.items() if token}
        names = "\n".join(secrets)
        self._secrets = tuple(
            Secret(account, token.encode("utf-8", "surrogatepass"))
            for token, account in self._accounts.items()
            if len(token.encode("utf-8", "surrogatepass")) >= _SHORTEST and token not in names
        )

    def __repr__(self) -> str:
        return f"Redactor({', '.join(sorted(set(self._accounts.values())))})"

    def bytes(self, data: builtins.bytes) -> builtins.bytes:
        """`data` with tokens replaced by ``<account>``; just ``<redacted>`` where one is encoded several times over."""
        clean = redacted(self._secrets, data)
        return data if clean is None else clean

    def text(self, text: str) -> str:
        """`text` with every token replaced, as by `bytes`."""
        return self.bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def exchange(self, exchange: Exchange) -> Exchange:
        """`exchange` with secrets replaced by place and by value, also in label and notes."""
        clean = scrub(exchange, self._account_of)
        if not self._secrets:
            return clean
        request, response = clean.request, clean.response
        return structs.replace(
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

    def value(self, value: T) -> T:
        """`value` with every text and bytes in it replaced, whatever structs, tuples and mappings they are in.

        A text that was cut off, which ends in ``…``, loses the beginning of a token too.
        """
        return cast(T, self._value(value, lru_cache(maxsize=4096)(self._text_cut_off)))

    def _value(self, value: Any, text: Callable[[str], str]) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, builtins.bytes):
            return self.bytes(value)
        if isinstance(value, Mapping):
            clean = {self._value(name, text): self._value(part, text) for name, part in value.items()}
            return MappingProxyType(clean) if isinstance(value, MappingProxyType) else clean
        if isinstance(value, tuple | list | frozenset):
            parts = [self._value(part, text) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        if isinstance(value, Struct):
            return structs.replace(
                value, **{name: self._value(part, text) for name, part in structs.asdict(value).items()}
            )
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{part.name: self._value(getattr(value, part.name), text) for part in fields(value)})
        return value

    def _text_cut_off(self, text: str) -> str:
        clean = self.text(text)
        if clean.endswith("…"):
            for token in self._accounts:
                for size in range(len(token) - 1, _BEGINNING - 1, -1):
                    if clean.endswith(f"{token[:size]}…"):
                        return f"{clean[: -size - 1]}…"
        return clean

    def check(self, data: builtins.bytes | str, where: str) -> None:
        """Raises SecretLeakError, naming `where`, if `data` contains a token in any encoding."""
        account = self._leaked(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
        if account is not None:
            raise SecretLeakError(
                f"{self.text(where)}: what was to be written holds the token of account {account!r}: not written"
            )

    def filter(self, record: logging.LogRecord) -> bool:
        """Replaces tokens in a log record and its traceback; passes every record."""
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
