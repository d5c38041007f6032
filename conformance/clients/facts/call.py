"""Facts about one ask: what was asked, what was sent for it, what the server said, what the client told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.clients.facts.differences import Differences, errors_told, given_conferencing, pointer
from conformance.clients.facts.requests import (
    compared_sent,
    id_sent,
    left_out,
    limits,
    other_tokens,
    repeats_accepted,
    repeats_refused,
)
from conformance.facts.requested import asked
from conformance.facts.routes import route
from conformance.facts.values import Evidence, Facts
from conformance.http.exchange import Exchange

__all__ = ["CallRecord", "call_facts"]

_KNOWN_PROVIDERS = frozenset({"8x8", "go_to", "google_meet", "ms_teams", "ms_teams_for_business", "zoom"})
_FLAG = "calendar_integrated_conferencing_available"
_MATCHING = {
    "upsert_event": ("write",),
    "delete_event": ("delete",),
    "read_events": ("read", "page"),
    "list_calendars": ("calendars", "userinfo"),
}


@dataclass(frozen=True)
class CallRecord:
    """One ask as it went.

    `ask` is the line to the driver without its id, `told` the answer without it.  `readings` has the pages of each
    reading that was begun, and whether they were fetched.  `earlier` is the conferencing that was asked for the last
    time that any was asked for this event.  `valid`: nothing in the contract forbids what is asked.  `account` is
    whose token the client was given; None where it was given none.
    """

    name: str
    ask: Mapping[str, Any]
    told: Mapping[str, Any]
    exchanges: tuple[Exchange, ...] = ()
    readings: Sequence[Sequence[Mapping[str, Any]]] = ()
    earlier: Mapping[str, Any] | None = None
    valid: bool = True
    sent_at: float | None = None
    answered_at: float | None = None
    account: str | None = None


#: The words of the facts for what differs.
_DIFFERENCES = {"lost": "missing", "changed": "changed", "added": "extra"}


@dataclass
class _Compared:
    sent: Differences | None = None
    told: Differences | None = None
    given: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for prefix, differences in (("request", self.sent), ("result", self.told)):
            if differences is not None:
                result |= {
                    f"{prefix}_{_DIFFERENCES[name]}": pointers for name, pointers in differences.as_json().items()
                }
        return result


def call_facts(record: CallRecord) -> Facts:
    """The facts about one ask; `schemas/facts/ask.json` describes the document."""
    ask, do = record.ask, str(record.ask["do"])
    routes = [(exchange, route(exchange.request.method, exchange.request.url)) for exchange in record.exchanges]
    writes = [exchange for exchange, way in routes if way.name in ("write", "delete")]
    candidates = [exchange for exchange, way in routes if way.name in _MATCHING.get(do, ())]
    if do in ("upsert_event", "delete_event"):
        meant = [exchange for exchange in candidates if id_sent(exchange) == _asked_id(ask)]
        candidates = meant or candidates
    bulk = any(way.name == "bulk" for _, way in routes)
    answers = [exchange.response.status for exchange in candidates if exchange.response is not None]
    document: dict[str, Any] = {
        "about": "call",
        "operation": do,
        "arguments": {key: value for key, value in ask.items() if key != "do"},
        "valid": record.valid,
        "statuses": answers,
        "reported": _told(record.told, ask),
        "report_kind": next(iter(record.told)),
    }
    if do in ("upsert_event", "delete_event"):
        document["event_id"] = _asked_id(ask)
    if do == "upsert_event":
        document["requested"] = asked(ask["event"]).kind
        document["requested_before"] = record.earlier is not None
        if record.earlier is not None:
            document["previous_conferencing"] = dict(record.earlier)
    if answers:
        document["last_status"] = answers[-1]
        document |= _raised(record.told, answers)
    compared = _Compared()
    if not bulk and "unsupported" not in record.told:
        document["sent"] = {
            "requests": len(candidates),
            "unrequested_writes": len([exchange for exchange in writes if exchange not in candidates]),
            "repeated_a_refused_write": repeats_refused(candidates) if do != "read_events" else False,
            "repeated_an_accepted_write": repeats_accepted(writes),
        }
        if record.account is not None:
            called = [exchange for exchange, way in routes if way.name not in ("other", "bulk")]
            document["sent"]["other_tokens"] = other_tokens(called, record.account)
        compared.sent = compared_sent(ask, do, candidates)
    if do == "read_events":
        document["read"] = _read(record, ask) | _covers(ask, [e for e, way in routes if way.name == "read"])
    _compare_told(record, do, candidates, answers, compared)
    if "ok" in record.told and do == "read_events" and 200 in answers:
        document["returned"] = compared.given
    document["compared"] = compared.as_json()
    evidence = tuple(
        Evidence(e.label, e.request, e.response.status if e.response else None, _shown(e)) for e in record.exchanges
    )
    return Facts("call", ("call", record.name), document, evidence, closed=True)


def _raised(told: Mapping[str, Any], answers: Sequence[int]) -> dict[str, bool]:
    if "unsupported" in told:
        return {}
    status = told["error"].get("status") if "error" in told else None
    seen = {"reported_status_seen": status in answers} if status is not None else {}
    return {"raised_without_status": "error" in told and status is None, **seen}


def _asked_id(ask: Mapping[str, Any]) -> Any:
    event = ask.get("event")
    return event.get("event_id") if isinstance(event, Mapping) else ask.get("event_id")


def _read(record: CallRecord, ask: Mapping[str, Any]) -> dict[str, Any]:
    wanted = set(ask.get("event_ids", ()))
    pages = [page for reading in record.readings for page in reading]
    fetched = {event_id for page in pages if page["fetched"] for event_id in page["event_ids"]}
    there = {event_id for page in pages for event_id in page["event_ids"]}
    return {
        "page_count": max((len(reading) for reading in record.readings), default=0),
        "pages_read": max((sum(page["fetched"] for page in reading) for reading in record.readings), default=0),
        "missed": sorted((there - fetched) & wanted),
    }


def _covers(ask: Mapping[str, Any], reads: Sequence[Exchange]) -> dict[str, Any]:
    return {
        "calendars_left_out": left_out(reads, ask.get("calendar_ids", ())),
        "unrequested_limits": limits(reads, ask.get("params", {})),
    }


def _compare_told(
    record: CallRecord, do: str, candidates: Sequence[Exchange], answers: Sequence[int], compared: _Compared
) -> None:
    told = record.told
    if "ok" in told and do == "read_events" and 200 in answers:
        compared.told, compared.given = _events_told(record.ask, candidates, told["ok"])
    elif "ok" in told and do == "list_calendars" and 200 in answers:
        compared.told = _calendars_told(candidates, told["ok"])
    elif "error" in told and answers and answers[-1] == 422 and told["error"].get("status") in (None, 422):
        said = _json(candidates[-1])
        if isinstance(said, Mapping) and isinstance(said.get("errors"), Mapping):
            compared.told = errors_told(said["errors"], told["error"].get("errors"))


def _json(exchange: Exchange) -> Any:
    try:
        return exchange.response.json() if exchange.response else None
    except ValueError:
        return None


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    entries = value.get(name) if isinstance(value, Mapping) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _events_told(
    ask: Mapping[str, Any], candidates: Sequence[Exchange], told: Mapping[str, Any]
) -> tuple[Differences, dict[str, dict[str, Any]]]:
    wanted = set(ask.get("event_ids", ()))
    calendars = set(ask.get("calendar_ids", ()))
    said: dict[tuple[Any, Any], dict[str, Any]] = {}
    for exchange in candidates:
        for event in _objects(_json(exchange), "events"):
            if event.get("event_id") in wanted:
                said[event.get("calendar_id"), event["event_id"]] = event
    given_back = [event for event in _objects(told, "events") if event.get("event_id") in wanted]
    total = Differences()
    given: dict[str, dict[str, Any]] = {}
    for (calendar_id, event_id), event in said.items():
        if calendars and calendar_id not in calendars:
            continue
        alike = [
            other
            for other in given_back
            if other["event_id"] == event_id and other.get("calendar_id") in (None, calendar_id)
        ]
        if not alike:
            total += Differences(lost=(pointer("events", event_id),))
            continue
        nearest = min(
            (given_conferencing(event.get("conferencing"), other.get("conferencing")) for other in alike),
            key=lambda d: len(d.lost) + len(d.changed) + len(d.added),
        )
        found = _under(("events", event_id), nearest)
        total += found
        entry = given.setdefault(_state(event.get("conferencing")), {"events": 0, "altered": []})
        entry["events"] += 1
        entry["altered"] = sorted({*entry["altered"], *found.lost, *found.changed, *found.added})
    known = {event_id for _, event_id in said}
    generated_cases = {pointer("events", event["event_id"]) for event in given_back if event["event_id"] not in known}
    return total + Differences(added=tuple(sorted(generated_cases))), given


def _under(keys: Sequence[str], differences: Differences) -> Differences:
    at = pointer(*keys)
    parts = (differences.lost, differences.changed, differences.added)
    return Differences(*(tuple(at + place for place in places) for places in parts))


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


def _calendars_told(candidates: Sequence[Exchange], told: Mapping[str, Any]) -> Differences:
    said: dict[Any, dict[str, Any]] = {}
    for exchange in candidates:
        body = _json(exchange)
        entries = _objects(body, "calendars")
        data = body.get("cronofy.data") if isinstance(body, Mapping) else None
        for profile in _objects(data, "profiles"):
            entries += _objects(profile, "profile_calendars")
        said |= {entry["calendar_id"]: entry for entry in entries if "calendar_id" in entry}
    given = {entry.get("calendar_id"): entry for entry in _objects(told, "calendars")}
    lost: list[str] = []
    changed: list[str] = []
    for calendar_id, entry in said.items():
        if calendar_id not in given:
            lost.append(pointer("calendars", calendar_id))
            continue
        flag, other = entry.get(_FLAG), given[calendar_id].get(_FLAG)
        if isinstance(flag, bool) and other is not flag:
            (lost if other is None else changed).append(pointer("calendars", calendar_id, _FLAG))
    added = [pointer("calendars", str(calendar_id)) for calendar_id in given if calendar_id not in said]
    return Differences(tuple(sorted(lost)), tuple(sorted(changed)), tuple(sorted(added)))


def _told(told: Mapping[str, Any], ask: Mapping[str, Any]) -> dict[str, Any]:
    """What was told, without the events that nobody asked for."""
    if "ok" in told and ask["do"] == "read_events":
        wanted = set(ask.get("event_ids", ()))
        return {"ok": {"events": [e for e in _objects(told["ok"], "events") if e.get("event_id") in wanted]}}
    if "ok" in told and ask["do"] != "list_calendars":
        return {"ok": {}}
    return dict(told)


def _shown(exchange: Exchange) -> Any:
    body = _json(exchange)
    if body is None:
        return None
    text = json.dumps(body, ensure_ascii=False)
    return body if len(text) <= 600 else text[:599] + "…"
