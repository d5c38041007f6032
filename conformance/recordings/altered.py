"""Bodies that a recorder did not keep as they were: nothing may be concluded from them."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from conformance.http.exchange import Headers, first_of

__all__ = ["is_cut_short", "is_filtered", "length_of"]

#: Bytes of a body of which the answer is remembered for a while.
_SMALL = 2**16

#: What filters leave in place of a value: a name in brackets, stars, or a word that says so.
_FILTERED = re.compile(
    rb'"(?:join_url|provider_name|provider_description|summary|description)"\s*:\s*"'
    rb"(?:<[A-Za-z0-9_. -]{1,64}>|\[[A-Z0-9_. -]{1,64}\]|\{\{[A-Za-z0-9_. -]{1,64}\}\}|%?\{[A-Za-z0-9_.-]{1,64}\}"
    rb'|[*]{3,64}|[xX]{4,64}|(?i:(?:\[|<|\*|_)*(?:filtered|redacted|masked|scrubbed|sanitized|removed)(?:\]|>|\*|_)*))"'
)


def is_filtered(body: bytes) -> bool:
    """Whether a filter replaced a value in the body that is compared with others."""
    return _is_filtered(body) if len(body) <= _SMALL else _holds_filtered(body)


def _holds_filtered(body: bytes) -> bool:
    return _FILTERED.search(body) is not None


_is_filtered = lru_cache(maxsize=64)(_holds_filtered)


def is_cut_short(body: bytes, headers: Headers, size: float | None = None) -> bool:
    """Whether a body is JSON that ends before the `size` or the ``Content-Length`` that was recorded with it."""
    if not body:
        return False
    if size is None or size <= len(body):
        length = length_of(headers)
        if length is None or length <= len(body) or first_of(headers, "content-encoding"):
            return False
    try:
        json.loads(body)
    except ValueError:
        return body.lstrip()[:1] in (b"{", b"[")
    return False


def length_of(headers: Headers) -> float | None:
    """The ``Content-Length``, in bytes; None where it is not given."""
    value = first_of(headers, "content-length") or ""
    return float(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
