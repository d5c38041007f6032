"""The facts of one exchange by itself: what was asked, by whom, and what came back."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from conformance.facts.seen import UNREADABLE, Asked, Seen
from conformance.facts.values import Facts
from conformance.http.exchange import UNKNOWN_TOKEN

__all__ = ["answer_document", "exchange_document", "request_document"]

_REQUESTS = ("write", "delete", "read")
_LISTS = ("read", "page", "calendars", "userinfo")


def exchange_document(
    seen: Seen,
    calendar: dict[str, Any] | None,
    *,
    profile_listed: bool | None = None,
    entries_answered: bool | None = None,
) -> Facts:
    """The facts of one exchange.

    `calendar` is what is known of the one in its path, `profile_listed` whether the account's userinfo lists the
    profile that it names, `entries_answered` whether each entry of a batch was answered; None where that is not known.
    """
    response = seen.exchange.response
    content_type = None
    if response is not None and response.status == 200 and seen.route.name in _LISTS:
        content_type = response.header("content-type") or ""
    document = _without_bodies(
        seen.asked,
        seen.route.name,
        seen.accepted,
        seen.failures,
        None if response is None else response.status,
        content_type,
    )
    more: dict[str, Any] = {}
    if seen.body is not None:
        more["request"] = request_document(seen)
    if calendar is not None:
        more["calendar"] = calendar
    if profile_listed is not None:
        more["profile_listed"] = profile_listed
    if entries_answered is not None:
        more["entries_answered"] = entries_answered
    if response is not None and response.status >= 400:
        more["response"] = answer_document(seen)
        if seen.route.name in _REQUESTS:
            more["request_is_sound"] = _is_sound(seen)
    key = ("exchange", seen.exchange.label, str(seen.number))
    return Facts("exchange", key, {**document, **more} if more else document, (seen.evidence,), closed=True)


@lru_cache(maxsize=1024)
def _without_bodies(
    asked: Asked, operation: str, accepted: bool, failures: int, status: int | None, content_type: str | None
) -> dict[str, Any]:
    """The facts of an exchange but for its bodies: one object for the same readings, which come again and again."""
    account = asked.account
    document: dict[str, Any] = {"about": "exchange", "operation": operation, "request": asked.document}
    if asked.route.host:
        document["host"] = asked.route.host
    if account is not None:
        document["account"] = account
    token = _token(account, accepted=accepted)
    if token is not None:
        document["token"] = token
    if failures:
        document["failures"] = failures
    if status is not None:
        document["response"] = {"status": status}
        if content_type is not None:
            document["response"]["json_type"] = "json" in content_type.lower()
    return document


def _is_sound(seen: Seen) -> bool:
    """Whether every reader takes the request: an object of whole characters and finite numbers, or such a query."""
    if seen.route.name == "read":
        return not any("\ufffd" in part for pair in seen.route.query for part in pair)
    if not isinstance(seen.body, dict):
        return False
    try:
        json.dumps(seen.body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def _token(account: str | None, *, accepted: bool) -> str | None:
    """``missing``, ``unknown`` (to the server, for certain) or ``accepted`` (before); None where it cannot be told."""
    if account is None:
        return "missing"
    if account == UNKNOWN_TOKEN:
        return "unknown"
    return "accepted" if accepted else None


def answer_document(seen: Seen) -> dict[str, Any]:
    """The status of the answer, and the body of one of 400 and above; empty where no answer came."""
    if seen.status is None:
        return {}
    document: dict[str, Any] = {"status": seen.status}
    if seen.status >= 400 and seen.answer is UNREADABLE:
        document["unreadable"] = True
    elif seen.status >= 400 and seen.exchange.response is not None and seen.exchange.response.body:
        document["json"] = seen.answer
    return document


def request_document(seen: Seen) -> dict[str, Any]:
    """The request in the names that facts use."""
    document = seen.asked.document
    if seen.body is None:
        return document
    return {**document, "unreadable": True} if seen.body is UNREADABLE else {**document, "json": seen.body}
