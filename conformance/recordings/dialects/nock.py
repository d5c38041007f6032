"""nock: the output of its recorder as objects, and the fixtures of ``nock.back``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.recordings.dialects.dialect import Dialect, at, has
from conformance.recordings.metadata import MalformedPartError

__all__ = ["NOCK"]


def _is_nock(document: Any) -> bool:
    return isinstance(document, list) and bool(document) and has(document[0], "scope", "path", "method")


def _url(item: Mapping[str, Any]) -> Any:
    scope, path = item.get("scope"), item.get("path")
    return f"{scope}{path}" if isinstance(scope, str) and isinstance(path, str) else None


def _headers(item: Mapping[str, Any]) -> Any:
    """Node's raw headers are a flat list of names and values in older recordings."""
    headers = at(item, ("rawHeaders", "headers"))
    if isinstance(headers, list) and all(isinstance(text, str) for text in headers) and len(headers) % 2 == 0:
        return list(zip(headers[::2], headers[1::2], strict=True))
    return headers


def _response(item: Mapping[str, Any]) -> Any:
    """JSON as values; bytes that are no text, and the chunks of a coded body, as hexadecimal digits."""
    body = item.get("response", "")
    try:
        if item.get("responseIsBinary") is True and isinstance(body, str):
            return bytes.fromhex(body)
        if isinstance(body, list) and body and all(isinstance(chunk, str) for chunk in body):
            return b"".join(map(bytes.fromhex, body))
    except ValueError:
        raise MalformedPartError("response: expected hexadecimal digits") from None
    return body


NOCK = Dialect(
    name="nock",
    recognizes=_is_nock,
    items=lambda document: document,
    method="method",
    url=_url,
    status="status",
    request_headers="reqheaders",
    request_body="body",
    response_headers=_headers,
    response_body=_response,
)
