"""Hoverfly: simulations of every schema, and its journal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.recordings.attachments import attached_in
from conformance.recordings.dialects.dialect import Dialect, LeftOutError, at, has
from conformance.recordings.parsing import base64_bytes, moment_of, number_of

__all__ = ["JOURNAL", "SIMULATION"]

#: The matchers whose value is what was sent.
_EXACT = ("exact", "json")


def _exactly(field: Any) -> str | None:
    """The value that a field must have: plain in the journal, in a matcher in simulations; None where it is open."""
    if field is None or isinstance(field, str):
        return field
    matcher = field[0] if isinstance(field, list) and len(field) == 1 else field
    if not isinstance(matcher, dict):
        return None
    if isinstance(matcher.get("exactMatch"), str):  # schemas before v5
        return str(matcher["exactMatch"])
    return str(matcher["value"]) if matcher.get("matcher") in _EXACT and matcher.get("value") is not None else None


def _part(item: Mapping[str, Any], name: str, otherwise: str | None = None) -> str:
    field = at(item, f"request.{name}")
    value = otherwise if field is None else _exactly(field)
    if value is None:
        raise LeftOutError("pairs for a pattern of requests")
    return value


def _url(item: Mapping[str, Any]) -> str:
    query = at(item, "request.query")
    base = f"{_part(item, 'scheme', 'http')}://{_part(item, 'destination', 'localhost')}{_part(item, 'path')}"
    if isinstance(query, dict) and "exactMatch" not in query:
        pairs = []
        for name, field in query.items():
            value = _exactly(field)
            if value is None:
                raise LeftOutError("pairs for a pattern of requests")
            pairs.append(f"{quote(name, safe='')}={quote(value, safe='')}")
        return base + ("?" + "&".join(pairs) if pairs else "")
    text = _part(item, "query", "")
    return f"{base}?{text}" if text else base


def _headers(item: Mapping[str, Any]) -> dict[str, Any]:
    held = at(item, "request.headers") or {}
    if not isinstance(held, dict):
        return {}
    plain = {name: value if _is_plain(value) else _exactly(value) for name, value in held.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _is_plain(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _sent_body(item: Mapping[str, Any]) -> str | None:
    return _exactly(at(item, "request.body"))


def _body(item: Mapping[str, Any]) -> Any:
    """The body of a response; None where it stands in a file, or is a template."""
    response = item["response"]
    if response.get("templated") is True or response.get("bodyFile"):
        return None
    body = response.get("body", "")
    return base64_bytes(body, "response.body") if response.get("encodedBody") is True else body


def _attached(path: Path, item: Mapping[str, Any]) -> bytes | None:
    response = item["response"]
    return None if response.get("templated") is True else attached_in(path, ".", response.get("bodyFile"))


def _started(item: Mapping[str, Any]) -> float | None:
    return moment_of(item.get("timeStarted"))


def _ended(item: Mapping[str, Any]) -> float | None:
    started, took = _started(item), number_of(item.get("latency"), "latency")
    return None if started is None or took is None else started + took / 1000


SIMULATION = Dialect(
    name="a simulation of Hoverfly",
    recognizes=lambda document: has(document, "data.pairs", "meta") and isinstance(document["data"]["pairs"], list),
    items=lambda document: document["data"]["pairs"],
    method=lambda item: _part(item, "method"),
    url=_url,
    status="response.status",
    request_headers=_headers,
    request_body=_sent_body,
    response_headers="response.headers",
    response_body=_body,
    attached=_attached,
    ordered=False,
)

JOURNAL = Dialect(
    name="the journal of Hoverfly",
    recognizes=lambda document: (
        isinstance(document, dict)
        and isinstance(document.get("journal"), list)
        and all(has(item, "request.destination", "response") for item in document["journal"])
    ),
    items=lambda document: document["journal"],
    method="request.method",
    url=_url,
    status="response.status",
    request_headers="request.headers",
    request_body="request.body",
    response_headers="response.headers",
    response_body=_body,
    sent_at=_started,
    answered_at=_ended,
)
