"""What a driver is called for and how the server responds: the values of which cases consist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """A fixed response: `body` None is an empty one, anything else is sent as JSON."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class ReadOverride:
    """What reads show as the conferencing of one event, whatever the reference server has."""

    event_id: str
    conferencing: Any


@dataclass(frozen=True)
class StubBehavior:
    """How the gateway answers during one call.

    `first`: responses to the first requests, one each, before the reference server answers; `first_page`: likewise for
    further pages.  `write_response`: the response to every write; `read_response`: to every read.  `accepted`: the body
    of a successful write.  `settle`: pending conferencing is assigned before the call.  `overrides`: what reads show.
    `extra`: unknown keys in every object.  `page_size`: events on a page; `last`: events that come after all others.
    """

    first: tuple[CannedResponse, ...] = ()
    first_page: tuple[CannedResponse, ...] = ()
    write_response: CannedResponse | None = None
    read_response: CannedResponse | None = None
    accepted: Any = None
    settle: bool = False
    overrides: tuple[ReadOverride, ...] = ()
    extra: bool = False
    page_size: int | None = None
    last: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseStep:
    """One call and how the server responds; `valid`: nothing in the contract forbids what is called for."""

    call: DriverCall
    behavior: StubBehavior = StubBehavior()
    valid: bool = True


@dataclass(frozen=True)
class Case:
    """Steps that belong together, on a fresh server; `seeds`, each ``(calendar_id, event)``, are there before them."""

    name: str
    steps: tuple[CaseStep, ...]
    seeds: tuple[tuple[str, Mapping[str, Any]], ...] = ()
