"""What a driver is called for and how the server responds: the values of which cases consist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["ABSENT", "CannedResponse", "Case", "CaseStep", "DriverCall", "ReadOverride", "StubBehavior"]

#: What a read shows of an event that has no ``conferencing`` at all.
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT"})()


@dataclass(frozen=True)
class DriverCall:
    """One request to a driver, as it is sent."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, request: Mapping[str, Any]) -> DriverCall:
        """The call that `as_json` gave; KeyError for anything else."""
        return cls(request["method"], request["params"])

    def as_json(self) -> dict[str, Any]:
        """``{"method": …, "params": …}``."""
        return {"method": self.method, "params": self.params}


@dataclass(frozen=True)
class CannedResponse:
    """A fixed response: `body` None is an empty one, bytes are HTML, anything else is sent as JSON."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class ReadOverride:
    """What reads show as the conferencing of one event, whatever the reference server has."""

    event_id: str
    conferencing: Any

    @property
    def documented(self) -> bool:
        """Whether it has a documented form: none, pending, or a join URL with the name of its provider or null."""
        shown = self.conferencing
        if shown is ABSENT or shown is None or shown == {"pending": True}:
            return True
        return isinstance(shown, dict) and bool(shown.get("join_url")) and shown.get("provider_name") != ""


@dataclass(frozen=True)
class StubBehavior:
    """How the gateway answers during one call.

    `first`: responses to the first requests, one each, before the reference server answers; `first_page`: likewise for
    further pages.  `write_response`: the response to every write; `read_response`: to every read; `list_response`: to
    every list of calendars.  `accepted`: the body of a successful write.  `settle`: pending conferencing is assigned
    before the call.  `overrides`: what reads show.  `extra`: unknown keys in every object.  `page_size`: events on a
    page; `last`: events that come after all others; `empty_page`: the second page has no events.  `pages_key`: whether
    a page that is the only one has its `pages`, which the documentation always shows.
    """

    first: tuple[CannedResponse, ...] = ()
    first_page: tuple[CannedResponse, ...] = ()
    write_response: CannedResponse | None = None
    read_response: CannedResponse | None = None
    list_response: CannedResponse | None = None
    accepted: Any = None
    settle: bool = False
    overrides: tuple[ReadOverride, ...] = ()
    extra: bool = False
    page_size: int | None = None
    last: tuple[str, ...] = ()
    empty_page: bool = False
    pages_key: bool = True

    @property
    def documented(self) -> bool:
        """Whether the contract allows what is answered: a client may choke on what it does not."""
        return self.pages_key and all(shown.documented for shown in self.overrides)


@dataclass(frozen=True)
class CaseStep:
    """One call and how the server responds; `valid`: nothing in the contract forbids what is called for."""

    call: DriverCall
    behavior: StubBehavior = StubBehavior()
    valid: bool = True


@dataclass(frozen=True)
class Case:
    """Steps that belong together, on a fresh server; `seeds`, each ``(calendar_id, event)``, are there before them.

    `kind` is that of a generated case.
    """

    name: str
    steps: tuple[CaseStep, ...]
    seeds: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    kind: str = ""

    def renamed(self, mark: str) -> Case:
        """The same case about events of other names: a client may remember those that it has met."""
        seeds = tuple((calendar, {**event, "event_id": event["event_id"] + mark}) for calendar, event in self.seeds)
        return replace(self, steps=tuple(_renamed(step, mark) for step in self.steps), seeds=seeds)


def _renamed(step: CaseStep, mark: str) -> CaseStep:
    params = dict(step.call.params)
    if "event" in params:
        params["event"] = {**params["event"], "event_id": params["event"]["event_id"] + mark}
    if "event_id" in params:
        params["event_id"] += mark
    if "event_ids" in params:
        params["event_ids"] = [event_id + mark for event_id in params["event_ids"]]
    behavior = replace(
        step.behavior,
        overrides=tuple(replace(shown, event_id=shown.event_id + mark) for shown in step.behavior.overrides),
        last=tuple(event_id + mark for event_id in step.behavior.last),
    )
    return replace(step, call=replace(step.call, params=params), behavior=behavior)
