"""The HTTP client that sends to a subject."""

from __future__ import annotations

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from conformance.servers.subject.reception import Limits

__all__ = ["open_client"]

_AGENT = "cronofy-conformance"


def open_client(
    transport: httpx.AsyncBaseTransport | None,
    *,
    trust_env: bool,
    limits: Limits,
    verify: ssl.SSLContext | bool = True,
) -> httpx.AsyncClient:
    """A client that follows no redirects and stores no cookies; `trust_env` uses the proxies of the environment."""
    return httpx.AsyncClient(
        transport=transport,
        verify=verify,
        trust_env=trust_env,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx.Timeout(limits.seconds, connect=min(10.0, limits.seconds), pool=None),
        limits=httpx.Limits(
            max_connections=limits.connections, max_keepalive_connections=limits.connections, keepalive_expiry=4.0
        ),
        headers={"User-Agent": _AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
    )
