"""Lines of structured loggers that have method, URL, status, headers and bodies beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.http.exchange import Exchange, Headers, first_of
from conformance.recordings.corrections import without_filtered
from conformance.recordings.parsing import BODILESS_METHODS, assemble, body_of, headers_of, status_of

__all__ = ["flat_exchange", "has_messages", "is_flat", "times_in"]

#: What loggers call the time, as `_plain` spells it: structlog and winston ``timestamp``, Logstash ``@timestamp``, slog
#: and zerolog ``time``.
_TIMES = ("timestamp", "time")
_STATUS = ("status", "statuscode")
#: What an access log lacks.
_MESSAGES = frozenset({"requestheaders", "requestbody", "responseheaders", "responsebody"})


def is_flat(document: object) -> bool:
    """Whether a line has the parts of an exchange beside each other, however the keys are spelt."""
    if not isinstance(document, dict) or "request" in document or "response" in document:
        return False
    keys = _plain(document)
    return {"method", "url"} <= keys.keys() and any(name in keys for name in _STATUS)


def has_messages(document: Mapping[str, Any]) -> bool:
    """Whether a line has headers or bodies, as no line of an access log does."""
    return not _MESSAGES.isdisjoint(_plain(document))


def flat_exchange(document: Mapping[str, Any], label: str) -> Exchange:
    """The exchange of a line that has its parts beside each other; a body that is left out was not recorded.

    Raises MalformedPartError.
    """
    keys = _plain(document)
    status = _first(keys, _STATUS)
    asked = headers_of(keys.get("requestheaders"), "request_headers")
    shown = headers_of(keys.get("responseheaders"), "response_headers")
    bodiless = str(keys.get("method")).upper() in BODILESS_METHODS
    exchange = assemble(
        method=keys.get("method"),
        url=keys.get("url"),
        request_headers=asked,
        request_body=b"" if bodiless and "requestbody" not in keys else _body(keys, "request", asked),
        status=None if status is None else status_of(status),
        response_headers=shown,
        response_body=_body(keys, "response", shown),
        label=label,
    )
    [exchange] = without_filtered([exchange])
    return exchange


def times_in(document: Mapping[str, Any]) -> tuple[object, object]:
    """The time of a line, and how long its exchange took, as the logger wrote them; None for what is not given."""
    keys = _plain(document)
    return _first(keys, _TIMES), keys.get("durationms")


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a line has, by keys in small letters without signs: ``request_body``, ``requestBody``, ``request-body``."""
    return {"".join(filter(str.isalnum, str(key))).lower(): value for key, value in document.items()}


def _first(keys: Mapping[str, Any], names: tuple[str, ...]) -> object:
    return next((keys[name] for name in names if keys.get(name) is not None), None)


def _body(keys: Mapping[str, Any], part: str, headers: Headers) -> bytes | None:
    name = f"{part}body"
    return body_of(keys[name], first_of(headers, "content-type") or "", f"{part}_body") if name in keys else None
