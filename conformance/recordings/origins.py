"""Whose traffic a recording holds: that of this API, and perhaps that of others beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from conformance.http.exchange import Exchange

__all__ = ["of_the_api"]

#: How many exchanges with a host that has not shown itself are kept until it does.
_KEPT = 2_000

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def of_the_api(exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """The exchanges with hosts that are Cronofy's, on a loopback, or that show themselves to serve this API.

    Others have a ``/v1/events`` of their own.  What went to a host before it showed itself comes when it does.
    """
    known: set[str] = set()
    waiting: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        host = _host(exchange.request.url)
        if host in known or _is_ours(host):
            yield exchange
        elif _shows_itself(exchange):
            known.add(host)
            yield from waiting.pop(host, ())
            yield exchange
        else:
            kept = waiting.setdefault(host, [])
            if len(kept) < _KEPT:
                kept.append(exchange)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _is_ours(host: str) -> bool:
    return host in _LOOPBACK or host == "cronofy.com" or host.endswith((".cronofy.com", ".localhost"))


def _shows_itself(exchange: Exchange) -> bool:
    """Whether a request or its answer is like none but this API's."""
    path = exchange.request.path
    if "/v1/calendars/" in path and path.rstrip("/").endswith("/events"):
        return True
    if path.rstrip("/").endswith("/v1/events"):
        return any(name in ("only_managed", "include_managed") for name, _ in exchange.request.query)
    body = exchange.response.body if exchange.response is not None else b""
    if path.rstrip("/").endswith("/v1/userinfo"):
        return b'"cronofy.' in body
    return path.rstrip("/").endswith("/v1/calendars") and b'"calendar_id"' in body
