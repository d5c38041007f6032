"""The facts of one exchange by itself: what was asked, by whom, and what came back."""

from __future__ import annotations

from typing import Any

from conformance.exchange import NOBODY, Exchange
from conformance.facts.values import Evidence, Facts
from conformance.facts.wire import Route, body_json

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
        "request": request_document(exchange, at),
    }
    if account is not None:
        document["account"] = account
    if account is None:
        document["access"] = "none"
    elif account == NOBODY:
        document["access"] = "unknown"
    elif granted:
        document["access"] = "granted"
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


def request_document(exchange: Exchange, at: Route, body: Any = None) -> dict[str, Any]:
    """A request in the names that facts use; `body` is its parsed body where that is known already."""
    request = exchange.request
    document: dict[str, Any] = {"method": request.method, "path": at.path}
    if at.query:
        document["query"] = [list(pair) for pair in at.query]
    headers = {}
    for name, value in request.headers:
        lowered = name.lower()
        if lowered in _HEADERS:
            headers[lowered] = value
    if exchange.whole or "authorization" in headers:
        document["headers"] = headers
    if body is not None:
        document["json"] = body
    elif request.body and request.method in ("POST", "DELETE", "PUT", "PATCH"):
        try:
            document["json"] = body_json(request)
        except (ValueError, UnicodeDecodeError):
            document["unreadable"] = True
    return document
