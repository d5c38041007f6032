"""What a client is asked, and what the server will answer: values that the table and Hypothesis make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ABSENT", "CannedResponse", "Case", "CaseStep", "DriverCall", "ReadOverride", "StubBehavior"]

#: What a read shows of an event that has no ``conferencing`` at all.
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT"})()


@dataclass(frozen=True)
class DriverCall:
    """One request to a driver: what to `do`, and its other members as they go over the line."""

    do: str
    members: Mapping[str, Any] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """The line to the driver, but for its id."""
        return {"do": self.do, **self.members}


@dataclass(frozen=True)
class CannedResponse:
    """An answer made beforehand: `body` None is an empty one, anything else is sent as JSON."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class ReadOverride:
    """What reads show as the conferencing of one event, whatever the server behind them knows."""

    event_id: str
    conferencing: Any


@dataclass(frozen=True)
class StubBehavior:
    """How the gateway answers while one ask is done.

    `first`: answers to the first requests, one each, before the server is asked; `first_page`: likewise to the first
    requests for further pages.  `instead`: the answer to every write, and `unread` to every read.  `accepted`: the body
    under a write's success.  `settle`: conferences are ready before the ask.  `shows`: overlays on reads.  `extra`:
    keys of the future in every object.  `page_size`: events a page; `last`: the events that come after all others.
    """

    first: tuple[CannedResponse, ...] = ()
    first_page: tuple[CannedResponse, ...] = ()
    instead: CannedResponse | None = None
    unread: CannedResponse | None = None
    accepted: Any = None
    settle: bool = False
    shows: tuple[ReadOverride, ...] = ()
    extra: bool = False
    page_size: int | None = None
    last: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseStep:
    """One ask and how it is answered; `lawful`: nothing in the contract forbids what is asked."""

    ask: DriverCall
    script: StubBehavior = StubBehavior()
    lawful: bool = True


@dataclass(frozen=True)
class Case:
    """Steps that belong together, on a fresh server; `seeds` are events that are there before the client comes.

    A seed is ``(calendar_id, event)``.
    """

    name: str
    steps: tuple[CaseStep, ...]
    seeds: tuple[tuple[str, Mapping[str, Any]], ...] = ()
