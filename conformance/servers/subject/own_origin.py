"""Which URLs may be requested: those at the subject's own origin, the only one that gets a token."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx

__all__ = ["is_requestable", "origin_of"]

#: The longest URL that is requested: servers need not take more than 8,000 octets (RFC 9110 4.1).
_LONGEST_URL = 16_384

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20\x7f-\xa0\\\ud800-\udfff]+\Z")


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an absolute URL.  Raises ValueError for anything else.

    >>> origin_of("HTTPS://API.cronofy.com/v1/events")
    ('https', 'api.cronofy.com', 443)
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if not scheme or not host:
        raise ValueError(f"{url!r} is no absolute URL")
    return scheme, host, parts.port or {"http": 80, "https": 443}.get(scheme)


def is_requestable(url: str) -> bool:
    """Whether an absolute URL can be requested: short enough, of visible characters, and without userinfo.

    >>> [is_requestable(url) for url in ("http://localhost/?a=%20", "http://localhost/?a= ", "http://me@localhost/")]
    [True, False, False]
    """
    if len(url) > _LONGEST_URL or not _URL.match(url):
        return False
    try:
        return httpx.URL(url).userinfo == b""
    except (httpx.InvalidURL, ValueError):
        return False
