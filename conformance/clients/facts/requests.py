"""The requests of one call: compared with its arguments, repeated, or sent with another token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.clients.cases.driver_call import DriverCall
from conformance.clients.facts.differences import Differences, compare_event, compare_event_form, pointer
from conformance.facts.routes import body_json, route
from conformance.http.exchange import Exchange

__all__ = [
    "body",
    "compare_requests",
    "left_out",
    "other_tokens",
    "repeats_accepted",
    "repeats_refused",
    "sent_event_id",
]

#: Statuses that refuse a request for what it says; after any other the same request may be right.
_REFUSALS = frozenset({400, 402, 403, 404, 405, 410, 413, 414, 415, 422})


def body(exchange: Exchange) -> Any:
    """The body of a request, read as JSON or as a form; None for what is neither."""
    try:
        return body_json(exchange.request)
    except ValueError:
        return None


def sent_event_id(exchange: Exchange) -> Any:
    """The event id in a request's body, or else in its query."""
    document = body(exchange)
    if isinstance(document, Mapping) and "event_id" in document:
        return document["event_id"]
    return dict(exchange.request.query).get("event_id")


def _is_form(exchange: Exchange) -> bool:
    return "x-www-form-urlencoded" in (exchange.request.header("content-type") or "").lower()


def repeats_refused(requests: Sequence[Exchange]) -> bool:
    """Whether a request was sent again, unchanged, after it was refused for its content."""
    refused: set[tuple[str, bytes]] = set()
    for exchange in requests:
        same = (exchange.request.url, exchange.request.body)
        if same in refused:
            return True
        if exchange.response is not None and exchange.response.status in _REFUSALS:
            refused.add(same)
    return False


def compare_requests(call: DriverCall, requests: Sequence[Exchange]) -> Differences | None:
    """How the requests differ from the write or the deletion that was called for; None where nothing is compared."""
    if call.method not in ("upsert_event", "delete_event") or not requests:
        return None
    total = Differences()
    for exchange in requests:
        at = route(exchange.request.method, exchange.request.url)
        if at.calendar_id != call.params["calendar_id"]:
            total += Differences(changed=(pointer("calendar_id"),))
        if call.method == "delete_event":
            event_id = sent_event_id(exchange)
            if event_id is None:
                total += Differences(missing=(pointer("event_id"),))
            elif event_id != call.params["event_id"]:
                total += Differences(changed=(pointer("event_id"),))
        elif _is_form(exchange):
            total += compare_event_form(call.params["event"], exchange.request.body)
        else:
            document = body(exchange)
            total += compare_event(call.params["event"], document if isinstance(document, Mapping) else {})
    return total


def repeats_accepted(writes: Iterable[Exchange]) -> bool:
    """Whether a write was sent again, unchanged, after it was accepted."""
    accepted: set[tuple[str, str, bytes]] = set()
    for exchange in writes:
        same = (exchange.request.method, exchange.request.url, exchange.request.body)
        if same in accepted:
            return True
        if exchange.response is not None and 200 <= exchange.response.status < 300:
            accepted.add(same)
    return False


def other_tokens(exchanges: Iterable[Exchange], account: str) -> int:
    """How many requests carry a bearer token that is not the account's."""
    carried = (exchange.request.account for exchange in exchanges)
    return sum(name is not None and name != account for name in carried)


def left_out(reads: Sequence[Exchange], calendar_ids: Iterable[str]) -> list[str]:
    """The calendars among `calendar_ids` that no reading covers; a reading that names none covers all."""
    named = [{value for name, value in read.request.query if name.startswith("calendar_ids")} for read in reads]
    return sorted(set(calendar_ids) - set().union(*named)) if all(named) and named else []
