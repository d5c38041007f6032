"""An episode: one write of one event, what was known before it, and all that was seen of it until its next write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conformance.facts.comparisons import instant, normal_url
from conformance.facts.requested import RequestedConferencing
from conformance.facts.values import UNMOVED_HOLD, Evidence, Settings

__all__ = [
    "Before",
    "Episode",
    "Observation",
    "ObservedWrite",
    "Streak",
    "known_key",
    "print_of",
    "state_of",
    "value_key",
]

#: How many distinct values of one episode are kept.
_KEPT = 12


class ObservedWrite(NamedTuple):
    """One write as the wire shows it: its route, body, answer and times (positions in the recording where unknown).

    `learnt` counts what the account's directory had learnt before.
    """

    method: str
    request: dict[str, Any]
    event: dict[str, Any]
    start: str | None
    outcome: str
    response: dict[str, Any]
    failures: int
    sent: float
    answered: float
    timed: bool
    resolution: float
    learnt: int
    asked: RequestedConferencing
    evidence: Evidence


class Before(NamedTuple):
    """What was known of the event before a write; `state` is None where nothing was."""

    state: str | None = None
    conferencing: Any = None
    origin: str | None = None
    item: dict[str, Any] | None = None
    settling_start: str | None = None
    settling_learnt: int = 0
    settling: RequestedConferencing | None = None


class Observation(NamedTuple):
    """What one reading shows of one event: its state, its `conferencing`, the whole item; and when."""

    state: str
    conferencing: Any
    item: dict[str, Any] | None
    sent: float
    answered: float
    timed: bool
    resolution: float
    evidence: Evidence


def state_of(item: dict[str, Any] | None) -> tuple[str, Any]:
    """The state of an event as read: ``missing``, ``none``, ``pending``, ``assigned``, ``malformed``; and its value.

    An object that says nothing is ``none`` as well, and is told by its value.
    """
    if item is None:
        return "missing", None
    value = item.get("conferencing")
    if value is None:
        return "none", None
    if not isinstance(value, dict):
        return "malformed", value
    url = value.get("join_url")
    if isinstance(url, str) and url:
        return "assigned", value
    if value.get("pending") is True:
        return "pending", value
    if all(part is None or part is False for part in value.values()):
        return "none", value
    return "malformed", value


def known_key(state: str, conferencing: Any) -> str:
    """What two values share if one may be a stale reading of the other."""
    if state == "assigned":
        return f"url {normal_url(conferencing['join_url'])}"
    if state == "none" and conferencing is not None:
        return f"none {conferencing!r}"
    return f"{state} {conferencing!r}" if state == "malformed" else state


def value_key(state: str, conferencing: Any) -> str:
    """What two values of `conferencing` must share to count as the same one."""
    if state == "assigned":
        return f"{conferencing.get('join_url')!r} {conferencing.get('provider_name')!r}"
    return f"{state} {conferencing!r}" if state == "malformed" else state


#: States in which no earlier request can still make an event pending.
_NOTHING_ON_ITS_WAY = ("nonexistent", "none", "assigned")


@dataclass(slots=True)
class Streak:
    """Readings in a row that show the same: the first one's answer, the last one's sending, how many."""

    sight: Observation
    key: str
    print: Any
    first_answered: float
    last_sent: float
    last_evidence: Evidence
    count: int = 1
    fresh: bool = False


@dataclass(slots=True)
class Episode:
    """The open state of one episode; the observer feeds it sights and asks it for its document."""

    number: int
    write: ObservedWrite | None
    before: Before
    known: frozenset[str]
    readings: int = 0
    run: Streak | None = None
    seen: list[tuple[Observation, str, bool]] = field(default_factory=list)
    quiet: Streak | None = None
    final: Observation | None = None
    final_key: str = ""
    came: float | None = None
    relapses: int = 0
    others: int = 0
    other_last: bool = False
    other: list[Evidence] = field(default_factory=list)
    settled_after: float | None = None
    last_sent: float | None = None
    timed: bool = True
    dirty: bool = True

    def same(self, item: dict[str, Any]) -> bool:
        """Whether an item is, to the last field, what the last reading showed."""
        return self.run is not None and self.run.sight.item == item

    def again(self, sight_sent: float, evidence: Evidence, settings: Settings, window: float) -> None:
        """Another reading showed the same."""
        run = self.run
        assert run is not None
        run.count += 1
        run.last_sent = self.last_sent = sight_sent
        run.last_evidence = evidence
        self.readings += 1
        if self.final is None or self.final_key != run.key:
            self._ripen(run, settings, window)

    def see(self, sight: Observation, settings: Settings, window: float) -> None:
        """A reading showed something that may differ from what the last one showed."""
        key = value_key(sight.state, sight.conferencing)
        print_ = (key, print_of(sight.item))
        self.timed = self.timed and sight.timed
        if self.run is not None and self.run.print == print_:
            self.run.sight = sight
            self.again(sight.sent, sight.evidence, settings, window)
            return
        self.readings += 1
        self.last_sent = sight.sent
        self.dirty = True
        fresh = known_key(sight.state, sight.conferencing) not in self.known
        self.run = Streak(sight, key, print_, sight.answered, sight.sent, sight.evidence, fresh=fresh)
        if len(self.seen) < _KEPT and not any(k == key for _, k, _ in self.seen):
            self.seen.append((sight, key, self.run.fresh))
        self.quiet = None
        self._ripen(self.run, settings, window)

    def _ripen(self, run: Streak, settings: Settings, window: float) -> None:
        if (
            self.came is None
            and run.fresh
            and run.sight.state == "assigned"
            and self.before.state in _NOTHING_ON_ITS_WAY
        ):
            self.came = run.first_answered
        if self.came is not None and run.sight.state == "pending" and self.timed:
            relapsed = run.last_sent - self.came >= settings.quiet + window  # a stale reading is not as late
            self.relapses += relapsed
            self.dirty = self.dirty or relapsed
        if self.final is not None and run.key != self.final_key:
            self.others += 1
            self.other_last = True
            if len(self.other) < 4:
                self.other.append(run.last_evidence)
            self.dirty = True
        elif self.final is not None:
            self.dirty = self.dirty or self.other_last
            self.other_last = False
        if run.sight.state == "pending" or run.count < 2 or not self.timed:
            return
        span = run.last_sent - run.first_answered - run.sight.resolution
        if span < settings.quiet:
            return
        if self.quiet is not run:
            self.quiet = run
            self.dirty = True
            if self.write is not None and run.fresh:
                self.settled_after = max(0.0, run.first_answered - self.write.answered)
        if self.final is None and run.count >= 3:
            hold = settings.quiet + window
            if not run.fresh:
                hold = min(max(hold, UNMOVED_HOLD), max(settings.settle_timeout, hold))
            if span >= hold:
                self.final, self.final_key = run.sight, run.key
                self.dirty = True

    @property
    def at_rest(self) -> bool:
        """Whether readings that show the same again can change nothing of the facts but their number."""
        run = self.run
        return (
            run is not None
            and self.final is not None
            and self.quiet is run
            and self.final_key == run.key
            and run.sight.item is not None
            and not self.dirty
            and not self.other_last
        )

    def more(self, count: int, sent: float, evidence: Evidence) -> None:
        """Count readings that showed the same while this was at rest."""
        assert self.run is not None
        self.run.count += count
        self.readings += count
        self.run.last_sent = self.last_sent = sent
        self.run.last_evidence = evidence

    def shown_for(self, seconds: float) -> dict[str, Any] | None:
        """The event as readings showed it quietly for so long that a later one shows it too; None if they did not.

        After a deletion none need show it: what did may have been stale.
        """
        write, run = self.write, self.run
        going = write is not None and write.method == "DELETE" and write.outcome != "refused"
        if run is None or self.quiet is not run or going or run.last_sent - run.first_answered < seconds:
            return None
        return run.sight.item

    def evidence(self) -> tuple[Evidence, ...]:
        """The write and the readings that showed something else for the first time, with the newest such."""
        assert self.write is not None
        found = [self.write.evidence]
        sights = [sight for sight, _, _ in self.seen[:4]]
        if self.run is not None:
            sights.append(self.run.sight)
        for sight in sights:
            value = {"state": sight.state}
            if sight.conferencing is not None:
                value["conferencing"] = sight.conferencing
            if all(entry.label != sight.evidence.label for entry in found):
                found.append(Evidence(sight.evidence.label, sight.evidence.request, sight.evidence.status, value))
        return tuple(found)

    def watched(self) -> float:
        """For how many seconds after the write's answer readings went on."""
        if self.write is None or self.last_sent is None or not self.timed:
            return 0.0
        return max(0.0, self.last_sent - self.write.answered - self.write.resolution)

    def end(self) -> Before:
        """What the next write finds, as far as it is known."""
        write = self.write
        if write is not None and write.outcome == "unknown":
            return Before()
        settling, start, learnt = None, None, 0
        if write is not None and write.outcome == "accepted" and write.asked.kind not in ("nothing", "undefined"):
            settling, start, learnt = write.asked, write.start, write.learnt
        elif write is not None and (write.outcome == "refused" or write.asked.kind == "nothing"):
            before = self.before
            settling, start, learnt = before.settling, before.settling_start, before.settling_learnt
        if write is not None and write.method == "DELETE" and write.outcome == "accepted":
            return Before("nonexistent")
        run = self.run
        under_way = Before("settling", settling=settling, settling_start=start, settling_learnt=learnt)
        if run is None:
            return under_way if settling else Before()
        if self.quiet is run:
            if run.sight.state == "missing":
                return Before("nonexistent")
            return Before(run.sight.state, run.sight.conferencing, self.origin(), run.sight.item)
        return under_way if run.sight.state == "pending" or settling else Before()

    def origin(self) -> str | None:
        """The kind of request behind the conferencing that the event has now; None where it is not known."""
        write = self.write
        if write is None or write.outcome == "unknown":
            return None
        kind = write.asked.kind
        if write.outcome == "refused" or kind == "nothing":
            return self.before.settling.kind if self.before.settling else self.before.origin
        return kind if kind in ("explicit", "default", "integrated", "profile") else None


def print_of(item: dict[str, Any] | None) -> Any:
    """What two readings must share, beside their conferencing, to count as showing the same."""
    if item is None:
        return None
    times = [instant(item.get(name)) or item.get(name) for name in ("start", "end")]
    return [item.get("summary"), item.get("description"), *times]
