"""A scenario while it is lived: what was sent, what was seen since, and how a reading is looked through for it."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from conformance.facts import Facts
from conformance.http.exchange import Exchange
from conformance.servers.campaign.journal import JournalEntry
from conformance.servers.scenarios.scenario import Scenario, WriteRequest

__all__ = ["ScenarioState", "as_if", "items_of", "signature"]


#: What gives an event a conference, or asks for one.
_GIVING = ("explicit", "default", "integrated", "profile")


@dataclass(slots=True)
class ScenarioState:
    """A scenario that is being lived: how far it is, and what was seen since its last write."""

    scenario: Scenario
    requests: tuple[WriteRequest, ...]
    entry: JournalEntry
    sent: int = 0
    answered: float = 0.0
    wrote: float = 0.0
    eager: bool = False
    accepted: bool = False
    exists: bool = False
    over: bool = False
    gave_up: bool = False
    readings: int = 0
    shown: str = ""
    since: float = 0.0
    pending: bool = False
    read_at: float = 0.0
    number: int = 0
    floor: int = 0
    facts: Facts | None = None
    settled: bool = False
    wrong: bool = False

    @property
    def watched(self) -> bool:
        """Whether a reading can teach something of what became of the last write."""
        return bool(self.sent) and not self.settled and not self.gave_up

    @property
    def updated(self) -> str:
        """Which conferencing the last write asks for, if it is an update: the event's ``first``, or ``another``."""
        if self.sent < 2:
            return ""
        before, last = self.scenario.steps[self.sent - 2 : self.sent]
        if last.defect or last.immediate or last.start not in ("future", "soon") or last.kind not in _GIVING:
            return ""
        return "first" if before.kind in ("omitted", "none") else "another" if before.kind in _GIVING else ""

    @property
    def done(self) -> bool:
        """Whether no write is left to send."""
        return self.over or self.sent == len(self.requests)


def as_if(facts: Facts, *, watched: bool, final: bool) -> Facts:
    """The facts as they will read if nothing changes any more: by this it is only known what is worth waiting for."""
    document = copy.copy(facts.document)
    after = dict(document["after"])
    after["window_elapsed"] = after.get("window_elapsed", False) or watched
    if final and "settled" not in after:
        after.update(settled=after["stable"], remained=True, window_elapsed=True)
    document["after"] = after
    return Facts(facts.about, facts.key, document, (), facts.closed)


def items_of(reading: list[Exchange]) -> dict[tuple[Any, Any], dict[str, Any]] | None:
    """What a reading lists, by calendar and event id; None if a page is missing."""
    items: dict[tuple[Any, Any], dict[str, Any]] = {}
    for exchange in reading:
        try:
            body = exchange.response.json() if exchange.response and exchange.response.status == 200 else None
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("events"), list):
            return None
        for item in body["events"]:
            if isinstance(item, dict) and isinstance(item.get("event_id"), str) and not item.get("deleted"):
                items[str(item.get("calendar_id")), item["event_id"]] = item
    return items


def signature(item: dict[str, Any] | None) -> str:
    """What of an event matters for being quiet."""
    if item is None:
        return "missing"
    names = ("conferencing", "summary", "description", "start", "end", "location")
    return json.dumps([item.get(name) for name in names], sort_keys=True)
