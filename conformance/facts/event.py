"""One event of one account on one calendar: its life, in full while it lives, as a few bytes while it rests."""

from __future__ import annotations

import marshal
from dataclasses import dataclass, field
from typing import Any

from conformance.facts.episode import Before, Episode
from conformance.facts.packing import Packer, flat, unflat
from conformance.facts.values import Evidence
from conformance.http.exchange import Request

__all__ = ["Event", "EventState", "Home", "Key"]

Home = tuple[str, str]
Key = tuple[str, str, str]

_NOTHING: tuple[Request, int | None] = (Request("GET", ""), None)


@dataclass(slots=True)
class EventState:
    """The open episode of an event, and all values that the event was ever shown with or asked for.

    It is `adrift` once a write hung: that may be done at any later time, so that nothing is known of any state before.
    """

    episode: Episode
    stale_values: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    asked_urls: set[str] = field(default_factory=set)
    adrift: bool = False


class Event:
    """One event, by its home (account and calendar) and id; `written` says whether a write to it was seen.

    Once nothing more is to be learnt from readings that show the same, its life is packed away; `same` still
    recognises such readings, and `life` unpacks it when something else comes.
    """

    __slots__ = (
        "_again", "_count", "_label", "_life", "_mark", "_packed", "_sent", "_shelf", "event_id", "home", "written",
    )  # fmt: skip

    def __init__(self, home: Home, event_id: str, before: Before, shelf: Packer) -> None:
        self.home, self.event_id = home, event_id
        self.written = False
        self._shelf = shelf
        self._life: EventState | None = EventState(Episode(0, None, before, frozenset()))
        self._packed = b""
        self._mark = 0
        self._count, self._sent = 0, 0.0
        self._label, self._again = "", _NOTHING

    @property
    def key(self) -> Key:
        """The account's name, the calendar's id and the event's."""
        return *self.home, self.event_id

    @property
    def life(self) -> EventState:
        """The event's life, unpacked."""
        if self._life is None:
            episode, *rest = self._shelf.unpack(self._packed)
            self._life, self._packed = EventState(unflat(episode), *rest), b""
            if self._count:
                self._life.episode.add_repeats(self._count, self._sent, Evidence(self._label, *self._again))
                self._label, self._again = "", _NOTHING
        return self._life

    def shows_same(self, item: dict[str, Any], sent: float, evidence: Evidence) -> bool:
        """Whether the life is packed and `item` shows what the last reading did, which then counts as one more."""
        if self._life is not None:
            return False
        try:
            if _mark(item) != self._mark:
                return False
        except ValueError:
            return False
        self._count += 1
        self._sent, self._label = sent, evidence.label
        self._again = self._shelf.alike(evidence.request, evidence.status)
        return True

    def forget(self) -> None:
        """Let go of the life, which is over: what is left tells this event from others."""
        self._life, self._packed = None, b""

    def rest(self) -> None:
        """Pack the life away if it is at rest."""
        life = self._life
        if life is None or not life.episode.is_stable:
            return
        run = life.episode.run
        assert run is not None
        assert run.sight.item is not None
        try:
            self._mark = _mark(run.sight.item)
            self._packed = self._shelf.pack(
                (flat(life.episode), life.stale_values, life.told, life.asked_urls, life.adrift)
            )
        except ValueError:
            return  # nested too deep to be packed
        self._count, self._life = 0, None


def _mark(item: dict[str, Any]) -> int:
    """What tells an item from others.  Raises ValueError for what is nested too deep."""
    return hash(marshal.dumps(item, 2))  # version 2: equal values give equal bytes, whoever else refers to them
