"""talkback: tapes of one exchange, in JSON5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.recordings.dialects.dialect import Dialect, at, has
from conformance.recordings.parsing import base64_bytes, json_bytes, moment_of

__all__ = ["TAPE"]


def _url(tape: Mapping[str, Any]) -> str:
    return f"{at(tape, 'meta.host')}{at(tape, 'req.url')}"


def _body(tape: Mapping[str, Any], part: str) -> Any:
    """JSON as values and text as it is where the tape says so, else base64."""
    body = at(tape, f"{part}.body")
    if not isinstance(body, str):
        return "" if body is None else json_bytes(body, f"{part}.body")
    return body if at(tape, f"meta.{part}HumanReadable") is True else base64_bytes(body, f"{part}.body")


def _headers(tape: Mapping[str, Any], part: str) -> Any:
    """The headers without the coding that the tape's text no longer has."""
    headers = at(tape, f"{part}.headers") or {}
    if at(tape, f"meta.{part}Uncompressed") is not True or not isinstance(headers, dict):
        return headers
    return {name: value for name, value in headers.items() if name.lower() != "content-encoding"}


TAPE = Dialect(
    name="a tape of talkback",
    recognizes=lambda document: has(document, "meta.host", "req.url", "res.status"),
    items=lambda document: [document],
    is_part=lambda _: True,
    method="req.method",
    url=_url,
    status="res.status",
    request_headers=lambda tape: _headers(tape, "req"),
    request_body=lambda tape: _body(tape, "req"),
    response_headers=lambda tape: _headers(tape, "res"),
    response_body=lambda tape: _body(tape, "res"),
    sent_at=lambda tape: moment_of(at(tape, "meta.createdAt")),
)
