"""Python's ``responses``: what its recorder wrote, which has no requests beyond method and URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.recordings.dialects.dialect import Dialect, at, has

__all__ = ["RESPONSES"]


def _headers(item: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The headers; the media type is kept apart."""
    headers = at(item, "response.headers")
    if has(item, "response.content_type"):
        yield "Content-Type", item["response"]["content_type"]
    yield from headers.items() if isinstance(headers, dict) else ()


RESPONSES = Dialect(
    name="a recording of responses",
    recognizes=lambda document: (
        isinstance(document, dict)
        and isinstance(document.get("responses"), list)
        and all(has(item, "response.method", "response.url") for item in document["responses"])
    ),
    items=lambda document: document["responses"],
    method="response.method",
    url="response.url",
    status="response.status",
    request_body=lambda _: None,
    response_headers=lambda item: list(_headers(item)),
    response_body=lambda item: at(item, "response.body") or "",
)
