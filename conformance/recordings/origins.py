"""The exchanges with this API in a recording that may contain those with others too."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from conformance.http.exchange import Exchange, Request
from conformance.http.webhooks import address
from conformance.recordings.metadata import SkippedWarning

__all__ = ["of_the_api"]

#: Exchanges that are held back until their hosts are known to serve this API, and hosts that are remembered.
_MOST_HELD, _MOST_NAMES = 2_000, 1_000
#: Hosts that a warning names.
_NAMED = 3

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def of_the_api(exchanges: Iterable[Exchange], *, naming: bool = False) -> Iterator[Exchange]:
    """The exchanges with Cronofy's hosts, loopback, receivers of ours, and hosts that prove to serve this API.

    Other APIs have a ``/v1/events`` too.  Earlier exchanges with such a host follow once it is recognized;
    `naming`: SkippedWarning names some of the others.
    """
    known: set[str] = set()
    strange: dict[str, str] = {}
    waiting: dict[str, list[Exchange]] = {}
    count = 0
    for exchange in exchanges:
        host = _host(exchange.request.url)
        if host in known or _is_ours(host) or address(exchange.request.url) is not None:
            yield exchange
        elif _is_of_this_api(exchange):
            known.add(host)
            held = waiting.pop(host, [])
            count -= len(held)
            strange.pop(host, None)
            yield from held
            yield exchange
        else:
            if len(strange) < _MOST_NAMES:
                strange.setdefault(host, exchange.label)
            if "/v1/" in exchange.request.path and count < _MOST_HELD:
                waiting.setdefault(host, []).append(exchange)
                count += 1
    if strange and naming:
        _name(strange)


def _name(strange: dict[str, str]) -> None:
    """Warns of hosts that do not serve this API; each has the label of its first exchange."""
    hosts, first = sorted(filter(None, strange)), next(iter(strange.values()))
    place = first.rpartition("#")[0] or first
    listed = ", ".join(hosts[:_NAMED]) + (f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else "")
    if hosts:
        warnings.warn(f"{place}: other APIs, left out: {listed}", SkippedWarning, stacklevel=2)


def is_host_of_the_api(request: Request) -> bool:
    """Whether a request goes to a host of Cronofy's, or to this machine."""
    return _is_ours(_host(request.url))


@lru_cache(maxsize=256)
def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _is_ours(host: str) -> bool:
    return host in _LOOPBACK or host == "cronofy.com" or host.endswith((".cronofy.com", ".localhost"))


def _is_of_this_api(exchange: Exchange) -> bool:
    """Whether a request or its response is specific to this API."""
    path = exchange.request.path
    if "/v1/calendars/" in path and path.rstrip("/").endswith("/events"):
        return True
    if path.rstrip("/").endswith("/v1/events"):
        return any(name in ("only_managed", "include_managed") for name, _ in exchange.request.query)
    body = exchange.response.body if exchange.response is not None else b""
    if path.rstrip("/").endswith("/v1/userinfo"):
        return b'"cronofy.' in body
    return path.rstrip("/").endswith("/v1/calendars") and b'"calendar_id"' in body
