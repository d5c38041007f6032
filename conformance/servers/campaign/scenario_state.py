"""A scenario while it runs: what was sent, what was observed since."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from conformance.facts import Facts
from conformance.http.exchange import Exchange
from conformance.servers.campaign.journal import JournalEntry
from conformance.servers.scenarios.scenario import Scenario, WriteRequest

__all__ = ["ScenarioState", "items_of", "projected"]

#: Kinds of writes that give an event conferencing, or request it.
_CONFERENCING_KINDS = ("explicit", "default", "integrated", "profile")


@dataclass(slots=True)
class ScenarioState:
    """A scenario in progress: how far it is, and what was observed since its last write.

    Of the last write: `written_at` and `answered_at` are times, `accepted` a 2xx answer.  Of the readings since:
    `reads` counts them, `signature` is what the last one showed, `stable_since` since when, `read_at` when it was sent.
    `episode` is the number of the newest facts; those up to `last_episode` are about earlier writes.
    `late` is for how long the event is to be pending when a write goes that awaits that.
    `settled` means that the next write may go, `looks_wrong` that only time can clear a failure, `cut_short` that no
    write follows, `timed_out` that nothing settled in time.
    """

    scenario: Scenario
    requests: tuple[WriteRequest, ...]
    entry: JournalEntry
    sent: int = 0
    answered_at: float = 0.0
    written_at: float = 0.0
    read_immediately: bool = False
    accepted: bool = False
    exists: bool = False
    cut_short: bool = False
    timed_out: bool = False
    reads: int = 0
    signature: str = ""
    stable_since: float = 0.0
    pending: bool = False
    late: float = 0.0
    read_at: float = 0.0
    episode: int = 0
    last_episode: int = 0
    facts: Facts | None = None
    settled: bool = False
    looks_wrong: bool = False

    @property
    def watched(self) -> bool:
        """Whether a reading can show something about the last write."""
        return bool(self.sent) and not self.settled and not self.timed_out

    @property
    def update_kind(self) -> str:
        """If the last write is an update that requests conferencing: the event's ``first``, or ``another``."""
        if self.sent < 2:
            return ""
        before, last = self.scenario.steps[self.sent - 2 : self.sent]
        if (
            last.defect
            or last.timing != "settled"
            or last.start not in ("future", "soon")
            or last.kind not in _CONFERENCING_KINDS
        ):
            return ""
        return (
            "first" if before.kind in ("omitted", "none") else "another" if before.kind in _CONFERENCING_KINDS else ""
        )

    @property
    def awaits_pending(self) -> bool:
        """Whether the next write is to be sent when a reading first shows the event pending."""
        return bool(self.sent) and not self.done and self.requests[self.sent].step.timing == "while-pending"

    @property
    def meets_pending(self) -> bool:
        """Whether the next write awaits a pending event, and the last reading showed one, as late as it is to be."""
        return self.pending and self.awaits_pending and self.read_at - self.answered_at >= self.late

    @property
    def next_is_batched(self) -> bool:
        """Whether the next write is an entry of a batch."""
        return self.requests[self.sent].step.batched

    @property
    def done(self) -> bool:
        """Whether no write is left to send."""
        return self.cut_short or self.sent == len(self.requests)

    def wrote(self, answered_at: float, status: int | None, *, existed: bool) -> None:
        """The next write was sent: its answer has this status, None for none; `existed`: whether the event had been."""
        method = self.requests[self.sent].method
        self.sent += 1
        self.answered_at = answered_at
        self.reads = 0
        self.settled = self.looks_wrong = self.pending = False
        self.last_episode = self.episode
        self.facts = None
        self.accepted = status is not None and status < 300
        if status is not None and 400 <= status < 500:
            self.exists = existed
        elif self.accepted:
            self.exists = method == "POST"
        self.cut_short = self.cut_short or status == 429

    def read(self, item: dict[str, Any] | None, sent: float, answered: float) -> float | None:
        """A reading that was sent and answered at these times showed the event as `item`, or did not list it.

        If it showed a change, the seconds after the last write in which the change had not come.
        """
        shown, delay = _signature(item), None
        if not self.reads or shown != self.signature:
            delay = self.read_at - self.written_at if self.reads else None
            self.signature, self.stable_since = shown, answered
        self.reads += 1
        self.exists = self.exists or item is not None
        self.read_at = sent
        value = item.get("conferencing") if item else None
        self.pending = isinstance(value, dict) and bool(value.get("pending")) and not value.get("join_url")
        return delay


def projected(facts: Facts, *, watched: bool, final: bool) -> Facts:
    """The facts as they will be if nothing changes any more: for deciding what to wait for, never reported."""
    document = copy.copy(facts.document)
    after = dict(document["after"])
    after["window_elapsed"] = watched  # what was known of it may rest on a shorter window
    if final and "settled" not in after:
        after.update(settled=after["stable"], remained=True, window_elapsed=True)
    document["after"] = after
    return Facts(facts.about, facts.key, document, (), facts.closed)


def items_of(reading: list[Exchange]) -> dict[tuple[Any, Any], dict[str, Any]] | None:
    """The events of a reading, by calendar and event id; None if a page is missing."""
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


def _signature(item: dict[str, Any] | None) -> str:
    """The part of an event that must stay the same for the event to be stable."""
    if item is None:
        return "missing"
    names = ("conferencing", "summary", "description", "start", "end", "location")
    return json.dumps([item.get(name) for name in names], sort_keys=True)
