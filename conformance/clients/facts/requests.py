"""What was sent for one ask: compared with what was asked, and what was sent again, elsewhere or with another token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.clients.facts.differences import Differences, event_sent, event_sent_as_form, pointer
from conformance.facts.routes import body_json, route
from conformance.http.exchange import Exchange

__all__ = [
    "body",
    "compared_sent",
    "id_sent",
    "left_out",
    "limits",
    "other_tokens",
    "repeats_accepted",
    "repeats_refused",
]

#: Answers after which the same request may be right: it was not judged, or the state behind it may have changed.
_PASSING = frozenset({401, 408, 409, 423, 425, 429})

_LIMITS = frozenset({"from", "to", "last_modified"})


def body(exchange: Exchange) -> Any:
    """The body of a request, read as JSON or as a form; None for what is neither."""
    try:
        return body_json(exchange.request)
    except ValueError:
        return None


def id_sent(exchange: Exchange) -> Any:
    """The event id in a request's body, or else in its query."""
    said = body(exchange)
    if isinstance(said, Mapping) and "event_id" in said:
        return said["event_id"]
    return dict(exchange.request.query).get("event_id")


def _is_form(exchange: Exchange) -> bool:
    return "x-www-form-urlencoded" in (exchange.request.header("content-type") or "").lower()


def repeats_refused(candidates: Sequence[Exchange]) -> bool:
    """Whether a request was sent again, unchanged, after it was refused for what it says."""
    refused: set[tuple[str, bytes]] = set()
    for exchange in candidates:
        same = (exchange.request.url, exchange.request.body)
        if same in refused:
            return True
        status = exchange.response.status if exchange.response else 0
        if 400 <= status < 500 and status not in _PASSING:
            refused.add(same)
    return False


def compared_sent(ask: Mapping[str, Any], do: str, candidates: Sequence[Exchange]) -> Differences | None:
    """How the requests differ from the write or the deletion that was asked; None where there is nothing to compare."""
    if do not in ("upsert_event", "delete_event") or not candidates:
        return None
    total = Differences()
    for exchange in candidates:
        way = route(exchange.request.method, exchange.request.url)
        if way.calendar_id != ask["calendar_id"]:
            total += Differences(changed=(pointer("calendar_id"),))
        if do == "delete_event":
            if id_sent(exchange) is None:
                total += Differences(lost=(pointer("event_id"),))
            elif id_sent(exchange) != ask["event_id"]:
                total += Differences(changed=(pointer("event_id"),))
        elif _is_form(exchange):
            total += event_sent_as_form(ask["event"], exchange.request.body)
        else:
            said = body(exchange)
            total += event_sent(ask["event"], said if isinstance(said, Mapping) else {})
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


def limits(reads: Sequence[Exchange], params: Mapping[str, Any]) -> list[str]:
    """The parameters, none of them in `params`, by which every one of the readings leaves events out."""
    used = [{name for name, value in read.request.query if value and name in _LIMITS} for read in reads]
    return sorted(set.intersection(*used) - set(params)) if used else []
