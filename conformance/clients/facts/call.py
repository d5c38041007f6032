"""Facts about one call: its arguments, the requests that it led to, their responses, and what the client reported."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.clients.cases.driver_call import DriverCall
from conformance.clients.driver.protocol import report_of
from conformance.clients.facts.differences import Differences, compare_conferencing, compare_errors, pointer
from conformance.clients.facts.optional_calls import OPTIONAL, optional_facts
from conformance.clients.facts.requests import (
    compare_requests,
    left_out,
    other_tokens,
    repeats_accepted,
    repeats_refused,
    sent_event_id,
)
from conformance.facts.requested import requested_conferencing
from conformance.facts.routes import route
from conformance.facts.values import Evidence, Facts
from conformance.http.exchange import Exchange

__all__ = ["CallRecord", "call_facts"]

_KNOWN_PROVIDERS = frozenset({"8x8", "go_to", "google_meet", "ms_teams", "ms_teams_for_business", "zoom"})
_WRITES = ("upsert_event", "delete_event")
_FLAG = "calendar_integrated_conferencing_available"
#: The routes of the requests that do what a method asks for.
_ROUTES = {
    "upsert_event": ("write",),
    "delete_event": ("delete",),
    "read_events": ("read", "page"),
    "list_calendars": ("calendars", "userinfo"),
}
#: Parameters that limit a reading in time.
_LIMITS = frozenset({"from", "to", "last_modified"})
#: Of the routes that list calendars, the one that counts where a client uses both.
_FIRST_ROUTE = "calendars"


@dataclass(frozen=True)
class CallRecord:
    """One call of a driver, and what came of it.

    `answer` is the driver's, ``{"result": …}`` or ``{"error": …}``.  `readings` has for each reading that was begun its
    pages, whether they were fetched, and the events that its limits in time excluded.  `earlier` is the conferencing
    that was last requested for this event.  `valid`: nothing in the contract forbids what is called for; `documented`:
    nor what was answered.  `account` is whose token the client was given; None where it was given none.
    """

    name: str
    call: DriverCall
    answer: Mapping[str, Any]
    exchanges: tuple[Exchange, ...] = ()
    readings: Sequence[Mapping[str, Any]] = ()
    earlier: Mapping[str, Any] | None = None
    valid: bool = True
    documented: bool = True
    sent_at: float | None = None
    answered_at: float | None = None
    account: str | None = None


@dataclass
class _Compared:
    request: Differences | None = None
    result: Differences | None = None
    returned: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, list[str]]:
        return {
            f"{side}_{name}": pointers
            for side, differences in (("request", self.request), ("result", self.result))
            if differences is not None
            for name, pointers in differences.as_json().items()
        }


def call_facts(record: CallRecord) -> Facts:
    """The facts about one call, as ``schemas/facts/call.json`` describes them."""
    method, params, report = record.call.method, record.call.params, report_of(record.answer)
    if method in OPTIONAL:
        return _optional(record, report)
    routes = [(exchange, route(exchange.request.method, exchange.request.url)) for exchange in record.exchanges]
    writes = [exchange for exchange, at in routes if at.name in ("write", "delete")]
    wanted = _ROUTES.get(method, ())
    if method == "list_calendars" and any(at.name == _FIRST_ROUTE for _, at in routes):
        wanted = (_FIRST_ROUTE,)
    requests = [exchange for exchange, at in routes if at.name in wanted]
    if method in _WRITES:
        requests = [one for one in requests if sent_event_id(one) == _event_id(params)] or requests
    bulk = any(at.name in ("batch", "bulk") for _, at in routes)
    statuses = [exchange.response.status for exchange in requests if exchange.response is not None]
    document: dict[str, Any] = {
        "about": "call",
        "operation": method,
        "arguments": dict(params),
        "valid": record.valid,
        "answered_as_documented": record.documented,
        "statuses": statuses,
        "reported": _without_unrequested(report, record.call),
        "report_kind": next(iter(report)),
    }
    if method in _WRITES:
        document["event_id"] = _event_id(params)
    if method == "upsert_event":
        document["requested"] = requested_conferencing(params["event"]).kind
        document["requested_before"] = record.earlier is not None
        if record.earlier is not None:
            document["previous_conferencing"] = dict(record.earlier)
    if statuses:
        document["last_status"] = statuses[-1]
        document |= _reported_status(report, statuses)
    compared = _Compared()
    if not bulk and "unsupported" not in report:
        document["sent"] = {
            "requests": len(requests),
            "unrequested_writes": len([exchange for exchange in writes if exchange not in requests]),
            "repeated_a_refused_write": repeats_refused(requests) if method != "read_events" else False,
            "repeated_an_accepted_write": repeats_accepted(writes),
        }
        if record.account is not None:
            to_the_api = [exchange for exchange, at in routes if at.name not in ("other", "batch", "bulk")]
            document["sent"]["other_tokens"] = other_tokens(to_the_api, record.account)
        compared.request = compare_requests(record.call, requests)
    if method == "read_events":
        document["read"] = _pages(record) | {
            "calendars_left_out": left_out(
                [one for one, at in routes if at.name == "read"], params.get("calendar_ids", ())
            )
        }
    _compare_result(record.call, report, requests, statuses, compared)
    if "ok" in report and method == "read_events" and 200 in statuses:
        document["returned"] = compared.returned
    document["compared"] = compared.as_json()
    return Facts("call", ("call", record.name), document, _evidence(record), closed=True)


def _evidence(record: CallRecord) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(one.label, one.request, one.response.status if one.response else None, _shown(one))
        for one in record.exchanges
    )


def _optional(record: CallRecord, report: Mapping[str, Any]) -> Facts:
    """The facts about a call that a client need not have means for."""
    method, params = record.call.method, record.call.params
    document = {
        "about": "call",
        "operation": method,
        "arguments": dict(params),
        "valid": record.valid,
        "reported": report,
        "report_kind": next(iter(report)),
        **optional_facts(method, params, report, record.exchanges),
    }
    return Facts("call", ("call", record.name), document, _evidence(record), closed=True)


def _reported_status(report: Mapping[str, Any], statuses: Sequence[int]) -> dict[str, bool]:
    if "unsupported" in report:
        return {}
    status = report["error"].get("status") if "error" in report else None
    was_answered = {"reported_status_seen": status in statuses} if status is not None else {}
    return {"raised_without_status": "error" in report and status is None, **was_answered}


def _event_id(params: Mapping[str, Any]) -> Any:
    event = params.get("event")
    return event.get("event_id") if isinstance(event, Mapping) else params.get("event_id")


def _pages(record: CallRecord) -> dict[str, Any]:
    wanted = set(record.call.params.get("event_ids", ()))
    readings = [reading["pages"] for reading in record.readings]
    pages = [page for reading in readings for page in reading]
    fetched = {event_id for page in pages if page["fetched"] for event_id in page["event_ids"]}
    available = {event_id for page in pages for event_id in page["event_ids"]}
    limits = _LIMITS & set(record.call.params.get("params", ()))
    excluded = [set() if limits else set(reading["excluded"]) & wanted for reading in record.readings]
    return {
        "page_count": max(map(len, readings), default=0),
        "pages_read": max((sum(page["fetched"] for page in reading) for reading in readings), default=0),
        "missed": sorted((available - fetched) & wanted),
        "excluded": sorted(set.intersection(*excluded)) if excluded else [],
    }


def _compare_result(
    call: DriverCall,
    report: Mapping[str, Any],
    requests: Sequence[Exchange],
    statuses: Sequence[int],
    compared: _Compared,
) -> None:
    if "ok" in report and call.method == "read_events" and 200 in statuses:
        compared.result, compared.returned = _compare_events(call.params, requests, report["ok"])
    elif "ok" in report and call.method == "list_calendars" and 200 in statuses:
        compared.result = _compare_calendars(requests, report["ok"])
    elif "error" in report and statuses and statuses[-1] == 422 and report["error"].get("status") in (None, 422):
        body = _json(requests[-1])
        if isinstance(body, Mapping) and isinstance(body.get("errors"), Mapping):
            error = report["error"]
            compared.result = compare_errors(body["errors"], error.get("errors"), error.get("message", ""))


def _json(exchange: Exchange) -> Any:
    try:
        return exchange.response.json() if exchange.response else None
    except ValueError:
        return None


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    entries = value.get(name) if isinstance(value, Mapping) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _compare_events(
    params: Mapping[str, Any], reads: Sequence[Exchange], result: Mapping[str, Any]
) -> tuple[Differences, dict[str, dict[str, Any]]]:
    wanted = set(params.get("event_ids", ()))
    calendars = set(params.get("calendar_ids", ()))
    asks_for_deleted = str(params.get("params", {}).get("include_deleted")).lower() == "true"
    read: dict[tuple[Any, Any], dict[str, Any]] = {}
    for exchange in reads:
        for event in _objects(_json(exchange), "events"):
            if event.get("event_id") in wanted:
                read[event.get("calendar_id"), event["event_id"]] = event
    returned = [event for event in _objects(result, "events") if event.get("event_id") in wanted]
    total = Differences()
    by_state: dict[str, dict[str, Any]] = {}
    for (calendar_id, event_id), event in read.items():
        if calendars and calendar_id not in calendars:
            continue
        if event.get("deleted") is True and not asks_for_deleted:
            continue  # the client asked for more than it was asked for, and may pass over that
        same_id = [other for other in returned if other["event_id"] == event_id]
        matching = [other for other in same_id if other.get("calendar_id") in (None, calendar_id)]
        if not matching:
            # One id on two calendars: who keeps events by their id alone may give either.
            if not 0 < len(same_id) < len([other for other in read if other[1] == event_id]):
                total += Differences(missing=(pointer("events", event_id),))
            continue
        nearest = min(
            (compare_conferencing(event.get("conferencing"), other.get("conferencing")) for other in matching), key=len
        )
        if len(nearest) and _answers_another(matching, event_id, read):
            continue
        found = nearest.under("events", event_id)
        total += found
        entry = by_state.setdefault(_state(event.get("conferencing")), {"events": 0, "altered": []})
        entry["events"] += 1
        entry["altered"] = sorted({*entry["altered"], *found.missing, *found.changed, *found.extra})
    known = {event_id for _, event_id in read}
    invented = {pointer("events", event["event_id"]) for event in returned if event["event_id"] not in known}
    return total + Differences(extra=tuple(sorted(invented))), by_state


def _answers_another(matching: Sequence[Mapping[str, Any]], event_id: Any, read: Mapping[tuple[Any, Any], Any]) -> bool:
    """Whether what was given back without its calendar is the event of the same id on another calendar."""
    others = [event.get("conferencing") for (_, other_id), event in read.items() if other_id == event_id]
    return len(others) > 1 and all(
        other.get("calendar_id") is None
        and not all(compare_conferencing(one, other.get("conferencing")) for one in others)
        for other in matching
    )


def _state(conferencing: Any) -> str:
    if not isinstance(conferencing, Mapping):
        return "absent"
    if conferencing.get("pending") is True:
        return "pending"
    if not isinstance(conferencing.get("join_url"), str):
        return "undefined"
    provider = conferencing.get("provider_name")
    if provider is None:
        return "assigned_without_provider"
    return "assigned" if provider in _KNOWN_PROVIDERS else "assigned_by_unknown_provider"


def _compare_calendars(requests: Sequence[Exchange], result: Mapping[str, Any]) -> Differences:
    listed: dict[Any, dict[str, Any]] = {}
    for exchange in requests:
        body = _json(exchange)
        entries = _objects(body, "calendars")
        data = body.get("cronofy.data") if isinstance(body, Mapping) else None
        for profile in _objects(data, "profiles"):
            entries += _objects(profile, "profile_calendars")
        listed |= {entry["calendar_id"]: entry for entry in entries if "calendar_id" in entry}
    returned = {entry.get("calendar_id"): entry for entry in _objects(result, "calendars")}
    missing: list[str] = []
    changed: list[str] = []
    for calendar_id, entry in listed.items():
        if calendar_id not in returned:
            missing.append(pointer("calendars", calendar_id))
            continue
        flag, other = entry.get(_FLAG), returned[calendar_id].get(_FLAG)
        if isinstance(flag, bool) and other is not flag:
            (missing if other is None else changed).append(pointer("calendars", calendar_id, _FLAG))
    extra = [pointer("calendars", str(calendar_id)) for calendar_id in returned if calendar_id not in listed]
    return Differences(tuple(sorted(missing)), tuple(sorted(changed)), tuple(sorted(extra)))


def _without_unrequested(report: Mapping[str, Any], call: DriverCall) -> dict[str, Any]:
    """The report without the events that were not requested."""
    if "ok" in report and call.method == "read_events":
        wanted = set(call.params.get("event_ids", ()))
        return {"ok": {"events": [e for e in _objects(report["ok"], "events") if e.get("event_id") in wanted]}}
    if "ok" in report and call.method != "list_calendars":
        return {"ok": {}}
    return dict(report)


def _shown(exchange: Exchange) -> Any:
    body = _json(exchange)
    if body is None:
        return None
    text = json.dumps(body, ensure_ascii=False)
    return body if len(text) <= 600 else text[:599] + "…"
