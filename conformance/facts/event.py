"""One event of one account on one calendar: its state, in full while it lives, as a few bytes while it rests."""

from __future__ import annotations

import marshal
from typing import Any

from msgspec import Struct, field

from conformance.facts.episode import Episode
from conformance.facts.observed import Before, ObservedWrite
from conformance.facts.packing import Packer
from conformance.facts.values import Evidence
from conformance.http.exchange import Request

__all__ = ["Event", "EventState", "Home", "Key"]

Home = tuple[str, str]
Key = tuple[str, str, str]

#: How many exchanges before the newest write are kept of an event, and how many writes before those.
_TIME_LINE, _WRITES = 24, 500

_NOTHING: tuple[Request, int | None, str | None] = (Request("GET", ""), None, None)


class EventState(Struct):
    """The open episode of an event, and all values that the event was ever shown with or asked for.

    It is `indeterminate` once a write got no answer: it may still be applied later, so that no state before is known.
    """

    episode: Episode
    stale_values: set[str] = field(default_factory=set)
    reported_values: set[str] = field(default_factory=set)
    requested_urls: set[str] = field(default_factory=set)
    indeterminate: bool = False
    writes: int = 0
    created: str | None = None
    created_varies: bool = False
    earlier: tuple[Evidence, ...] = ()

    def begin(self, write: ObservedWrite | None, before: Before) -> None:
        """Open the next episode."""
        self.start(Episode(self.episode.number + 1, write, before, frozenset(self.stale_values)))

    def start(self, episode: Episode) -> None:
        """Open another episode, and keep the evidence of the one that ends, as far back as a time line goes."""
        if self.episode.write is not None and self.episode.number != episode.number:
            self.earlier = _recent((*self.earlier, *self.episode.evidence()))
        self.episode = episode

    def time_line(self) -> tuple[Evidence, ...]:
        """The writes of the event so far, and what readings showed, as far back as a time line goes."""
        return self.earlier if self.episode.write is None else (*self.earlier, *self.episode.evidence())

    def note_created(self, item: dict[str, Any]) -> None:
        """Remember when the event was created, as a reading says."""
        created = item.get("created")
        if isinstance(created, str) and created != self.created:
            self.created_varies = self.created_varies or self.created is not None
            self.created = created


def _recent(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The newest exchanges, and the writes before them: who repeats what happened begins with the first write."""
    if len(evidence) <= _TIME_LINE:
        return evidence
    writes = [one for one in evidence[:-_TIME_LINE] if one.request.method != "GET"]
    return (*writes[-_WRITES:], *evidence[-_TIME_LINE:])


class Event:
    """One event, by its home (account and calendar) and id; `written` says whether a write to it was seen.

    Once nothing more is to be learnt from readings that show the same, it rests: `shows_same` recognises such readings
    without its state, which may be packed away, and `state` wakes it when something else comes.
    """

    __slots__ = (
        "_again", "_count", "_digest", "_label", "_packed", "_packer", "_resting", "_sent", "_state",
        "event_id", "home", "written",
    )  # fmt: skip

    def __init__(self, home: Home, event_id: str, before: Before, packer: Packer) -> None:
        self.home, self.event_id = home, event_id
        self.written = False
        self._packer = packer
        self._state: EventState | None = EventState(Episode(0, None, before, frozenset()))
        self._packed = b""
        self._resting = False
        self._digest = 0
        self._count, self._sent = 0, 0.0
        self._label, self._again = "", _NOTHING

    @property
    def key(self) -> Key:
        """The account's name, the calendar's id and the event's."""
        return *self.home, self.event_id

    @property
    def is_at_rest(self) -> bool:
        """Whether only readings that show the same are awaited."""
        return self._resting

    @property
    def state(self) -> EventState:
        """The event's state, awake."""
        if self._state is None:
            self._state = self._packer.unpack(self._packed) if self._packed else _unknown()
            self._packed = b""
        if self._resting:
            self._resting = False
            if self._count:
                request, status, continues = self._again
                evidence = Evidence(self._label, request, status, at=self._sent, continues=continues)
                self._state.episode.add_repeats(self._count, self._sent, evidence)
                self._label, self._again = "", _NOTHING
        return self._state

    def shows_same(self, item: dict[str, Any], sent: float, evidence: Evidence) -> bool:
        """Whether the event rests and `item` shows what the last reading did, which then counts as one more."""
        if not self._resting:
            return False
        if self._state is None or not self._state.episode.has_just_shown(item):
            try:
                if _digest(item) != self._digest:
                    return False
            except ValueError:
                return False
        return self.is_counted(sent, evidence)

    def is_counted(self, sent: float, evidence: Evidence) -> bool:
        """Whether the event rests; then one more reading shows what the last one did."""
        if self._resting:
            self._count += 1
            self._sent, self._label = sent, evidence.label
            self._again = self._packer.interned(evidence.request, evidence.status, evidence.continues)
        return self._resting

    def forget(self) -> None:
        """Let go of the state, which is over or of no concern: what is left tells this event from others."""
        self._state, self._packed, self._resting = None, b"", False

    def rest(self) -> bool:
        """Rest if only readings that show the same are awaited; whether the event has begun to."""
        state = self._state
        if self._resting or state is None or not state.episode.is_stable:
            return False
        streak = state.episode.streak
        assert streak is not None
        assert streak.observation.item is not None
        try:
            self._digest = _digest(streak.observation.item)
        except ValueError:
            return False
        self._count, self._resting = 0, True
        return True

    def lay_aside(self) -> bool:
        """Rest although nobody looks for readings of the event; whether it has begun to."""
        if self._resting or self._state is None:
            return False
        self._count, self._resting = 0, True
        return True

    def pack(self) -> None:
        """Pack the state away if the event still rests."""
        if not self._resting or self._state is None:
            return
        try:
            self._packed = self._packer.pack(self._state)
        except ValueError:
            return  # nested too deep to be packed
        self._state = None


def _unknown() -> EventState:
    """The state of an event of which nothing is known."""
    return EventState(Episode(0, None, Before(), frozenset()))


def _digest(item: dict[str, Any]) -> int:
    """What tells an item from others.  Raises ValueError for what is nested too deep."""
    # Version 2: equal values give equal bytes, whoever else refers to them.  Each event has a digest: 60 bits take 16
    # bytes less than 64.
    return hash(marshal.dumps(item, 2)) & (2**60 - 1)
