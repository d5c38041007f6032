"""Malformed requests: bodies and queries that no client should send, and that a server must still answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from conformance.servers.scenarios.sampling import sample
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, write_requests

__all__ = ["MalformedRequest", "core_malformed", "event_after", "generated_malformed"]


@dataclass(frozen=True, slots=True)
class MalformedRequest:
    """One request, with `content` as its body; `scenario` is that of the event that it might create."""

    name: str
    method: str
    target: str
    account: str
    content: bytes | None = field(repr=False)
    scenario: Scenario
    names_event: bool

    @property
    def calendar_id(self) -> str:
        """The calendar that the request is about."""
        return self.scenario.calendar_id


def _conferencing(value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {**body, "conferencing": value}


def _explicit(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {**body, "conferencing": {**body["conferencing"], **changes}}


_BODIES: Mapping[str, Callable[[dict[str, Any]], Any]] = MappingProxyType(
    {
        "truncated-body": lambda body: json.dumps(body)[:-40].encode(),
        "array-as-body": lambda body: [body],
        "conferencing-as-text": _conferencing("default"),
        "profile-id-as-list": _conferencing({"profile_id": ["default"]}),
        "url-as-number": _explicit(join_url=8),
        "url-as-null": _explicit(join_url=None),
        "start-as-number": lambda body: {**body, "start": 1790000000, "end": {"tzid": "Europe/Berlin"}},
        "summary-as-null": lambda body: {**body, "summary": None},
        "event-id-as-number": lambda body: {**body, "event_id": 8},
    }
)

_QUERIES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "no-zone": (("only_managed", "true"),),
        "unknown-zone": (("tzid", "Mars/Olympus"), ("only_managed", "true")),
        "text-for-from": (("tzid", "Etc/UTC"), ("only_managed", "true"), ("from", "the day before yesterday")),
    }
)


#: What generated bodies have for the id of their event.
_EVENT_ID = "event"


def event_after(request: MalformedRequest) -> Scenario:
    """An event with explicit conferencing, to be created after a malformed request on the same calendar."""
    return replace(request.scenario, id="after-malformed")


def core_malformed(run: RunContext) -> tuple[MalformedRequest, ...]:
    """The malformed requests of the core, on the first target."""
    return tuple(_core_malformed(run))


def _core_malformed(run: RunContext) -> Iterator[MalformedRequest]:
    if not run.inventory.targets:
        return
    for name, change in _BODIES.items():
        scenario = _scenario(name, run)
        yield _write(name, scenario, run, change(write_requests(scenario, run)[0].body))
    scenario = _scenario("deletion", run)
    yield MalformedRequest("deletion-of-nothing", "DELETE", _path(scenario), scenario.account, b"{}", scenario, False)
    for name, query in _QUERIES.items():
        yield MalformedRequest(name, "GET", f"/v1/events?{urlencode(query)}", scenario.account, None, scenario, False)


def generated_malformed(run: RunContext, examples: int, seed: int) -> tuple[MalformedRequest, ...]:
    """`examples` distinct writes that break ``schemas/api/event-as-written.json``, made from `seed`."""
    if not run.inventory.targets or not examples:
        return ()
    from hypothesis.strategies import just  # slow to import, and seldom needed

    from conformance.servers.scenarios.written_strategies import events, malformed_events

    requests = []
    for number, body in enumerate(sample(malformed_events(events(just(_EVENT_ID))), examples, seed, _content), 1):
        name = f"generated-{number}"
        scenario = _scenario(name, run)
        if isinstance(body, dict) and body.get("event_id") == _EVENT_ID:
            body = {**body, "event_id": run.event_id(scenario)}  # so that an event which it creates can be deleted
        requests.append(_write(name, scenario, run, body))
    return tuple(requests)


def _scenario(name: str, run: RunContext) -> Scenario:
    account, calendar = run.inventory.targets[0]
    return Scenario(f"malformed-{name}", account.name, calendar.calendar_id, (Step("explicit"),), "malformed")


def _write(name: str, scenario: Scenario, run: RunContext, body: Any) -> MalformedRequest:
    names_event = isinstance(body, bytes) or (isinstance(body, dict) and body.get("event_id") == run.event_id(scenario))
    return MalformedRequest(name, "POST", _path(scenario), scenario.account, _content(body), scenario, names_event)


def _path(scenario: Scenario) -> str:
    return f"/v1/calendars/{quote(scenario.calendar_id, safe='')}/events"


def _content(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return json.dumps(body, default=str).encode("utf-8", "surrogatepass")
