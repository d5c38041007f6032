"""The facts of one exchange by itself: what was asked, by whom, and what came back."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from conformance.facts.routes import Route, body_json, route
from conformance.facts.values import Evidence, Facts
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange, Headers

__all__ = ["exchange_facts", "request_document"]

_HEADERS = frozenset({"content-type", "authorization", "accept"})


def exchange_facts(
    exchange: Exchange,
    at: Route,
    account: str | None,
    *,
    number: int,
    granted: bool,
    calendar: dict[str, Any] | None,
    failures: int = 0,
) -> Facts:
    """The facts of one exchange by itself."""
    request, response = exchange.request, exchange.response
    document: dict[str, Any] = {
        "about": "exchange",
        "operation": at.name,
        "request": request_document(exchange),
    }
    if account is not None:
        document["account"] = account
    token = _token(account, granted)
    if token is not None:
        document["token"] = token
    if calendar is not None:
        document["calendar"] = calendar
    if failures:
        document["failures"] = failures
    if response is not None:
        shown: dict[str, Any] = {"status": response.status}
        if response.status >= 400 and response.body:
            try:
                shown["json"] = response.json()
            except ValueError:
                shown["unreadable"] = True
        elif response.status == 200 and at.name in ("read", "page", "calendars", "userinfo"):
            kind = (response.header("content-type") or "").lower()
            shown["json_type"] = "json" in kind
        document["response"] = shown
    status = response.status if response is not None else None
    evidence = Evidence(exchange.label, request, status)
    return Facts("exchange", ("exchange", exchange.label, str(number)), document, (evidence,), closed=True)


def _token(account: str | None, granted: bool) -> str | None:
    """``missing``, ``unknown`` (to the server, for certain) or ``accepted`` (before); None where it cannot be told."""
    if account is None:
        return "missing"
    if account == UNKNOWN_TOKEN:
        return "unknown"
    return "accepted" if granted else None


def request_document(exchange: Exchange, body: Any = None) -> dict[str, Any]:
    """A request in the names that facts use; `body` is its parsed body where that is known already."""
    request = exchange.request
    bare = _bare(request.method, request.url, request.headers, exchange.headers_complete)
    if body is not None:
        return {**bare, "json": body}
    if not request.body or request.method not in ("POST", "DELETE", "PUT", "PATCH"):
        return bare
    try:
        return {**bare, "json": body_json(request)}
    except (ValueError, UnicodeDecodeError):
        return {**bare, "unreadable": True}


@lru_cache(maxsize=1024)
def _bare(method: str, url: str, headers: Headers, whole: bool) -> dict[str, Any]:
    """A request but for its body: the same readings are sent again and again."""
    at = route(method, url)
    document: dict[str, Any] = {"method": method, "path": at.path}
    if at.query:
        document["query"] = [list(pair) for pair in at.query]
    kept = {lowered: value for name, value in headers if (lowered := name.lower()) in _HEADERS}
    if whole or "authorization" in kept:
        document["headers"] = kept
    return document
