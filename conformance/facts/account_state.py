"""What is known of one account: its events, its directory and its readings."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise

from conformance.facts.access_refusals import Refusals
from conformance.facts.directory import Directory
from conformance.facts.event import Event
from conformance.facts.observed import Before
from conformance.facts.packing import Packer
from conformance.facts.reading import Reading
from conformance.facts.repeated_failures import RepeatedFailures
from conformance.facts.repeats import LastReading
from conformance.facts.routes import UNKNOWN_ACCOUNT
from conformance.facts.share import Place
from conformance.facts.values import Facts

__all__ = ["AccountState", "page_key"]

#: Events by calendar and id.
Suspects = frozenset[tuple[str, str]]

#: How many writes of an account are remembered by their numbers, at least.
_WRITES = 512


def page_key(url: str) -> str:
    """The part of a page's URL by which it is found again: clients may go there through another host."""
    start = url.find("/v1/")
    return url[start:] if start >= 0 else url


@dataclass(slots=True)
class AccountState:
    """What is known of one account; it was `used` last at this time.

    Where generated join URLs were seen to change without a write, its `links_move`.
    It is `complete` if all of its events are known; of a time all are that lie within the reading that `covered` it.
    A recording that `shows_every_write` shows where its events come from, whoever the account is; where it is the
    `sole_writer`, nobody else changes them.
    """

    name: str
    directory: Directory
    calendars: dict[str, dict[str, Event]] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    busy_until: float = float("-inf")
    writes: list[int] = field(default_factory=list)
    failures: RepeatedFailures = field(default_factory=RepeatedFailures)
    refusals: Refusals = field(default_factory=Refusals)
    packer: Packer = field(default_factory=Packer)
    complete: bool = False
    shows_every_write: bool = False
    sole_writer: bool = False
    read_completely: bool = False
    suspects: dict[str, tuple[Suspects, Suspects]] = field(default_factory=dict)
    serial: int = 0
    services: list[tuple[float, str]] = field(default_factory=list)
    created: Place = ()
    requested: int = 0
    managed_reads: int = 0
    other_reads: int = 0
    externals: int = 0
    last_reading: LastReading | None = None
    covered: Reading | None = None
    links_move: bool = False
    used: float = float("-inf")

    def awaits(self, url: str) -> bool:
        """Whether an earlier page named this URL as the one to follow: a next_page is opaque, and may be any."""
        return self._waiting(url) is not None

    def reading_at(self, url: str) -> Reading:
        """The reading that goes on at a URL which is awaited; it waits no more."""
        key = self._waiting(url)
        assert key is not None
        return self.readings.pop(key)

    def _waiting(self, url: str) -> str | None:
        """Clients may add parameters of their own to the URL of a page."""
        if not self.readings:
            return None
        key = page_key(url)
        bare = key.split("?")[0]
        return key if key in self.readings else bare if bare in self.readings else None

    def wrote(self, number: int) -> None:
        """Remember that the exchange of this number is a write; numbers only grow."""
        self.writes.append(number)
        if len(self.writes) > 2 * _WRITES:
            del self.writes[:_WRITES]

    def alone(self, reading: Reading) -> bool:
        """Whether nothing shows that somebody wrote to the account while a reading was read (law complete-reading).

        Times tell, and where a clock stands still the order in which requests were sent.  Of a token that several
        accounts share it cannot be told.
        """
        place = bisect_left(self.writes, reading.first)
        between = place < len(self.writes) and self.writes[place] <= reading.last
        steady = reading.page_count_is_steady and not self.directory.is_shared_token
        return steady and self.busy_until <= reading.sent and not between

    @property
    def has_events(self) -> bool:
        """Whether anything is known of an event."""
        return any(self.calendars.values())

    @property
    def is_known(self) -> bool:
        """Whether the account's requests are told from those of other accounts (law identity)."""
        return self.name != UNKNOWN_ACCOUNT

    def confirmed(self, reading: Reading) -> tuple[Suspects, Suspects]:
        """The missing and the repeated events of a reading of several pages that the one before had as well.

        Rows move between pages where somebody else writes to the account; the same twice in a row is no accident.
        """
        key = "&".join(f"{name}={value}" for name, value in reading.route.query)
        found = frozenset(reading.missing), frozenset(reading.repeated)
        missing, repeated = self.suspects.get(key, (frozenset(), frozenset()))
        self.suspects[key] = found
        if len(reading.pages) == 1:
            return found
        return found[0] & missing, found[1] & repeated

    def event(self, calendar_id: str, event_id: str) -> Event:
        """An event by its calendar and id; a new one is known not to exist if a complete reading did not list it."""
        events = self.calendars.setdefault(calendar_id, {})
        event = events.get(event_id)
        if event is None:
            self.last_reading = None
            before = self.before_first_write() or Before()
            home = next(iter(events.values())).home if events else (self.name, calendar_id)
            event = events[event_id] = Event(home, event_id, before, self.packer)
        return event

    def before_first_write(self) -> Before | None:
        """What was there before the first write of an event that no reading showed (law before); None: not known."""
        known = self.complete or self.shows_every_write
        return Before("nonexistent", is_assumed=not self.read_completely) if known else None

    def facts(self) -> tuple[Facts, ...]:
        """The facts of the account's episodes together, and of what its lists differed in at once."""
        services = [service for _, service in sorted(self.services)]
        changes = sum(1 for one, other in pairwise(services) if one != other)
        document = {
            "about": "account",
            "account": self.name,
            "defaults": {"conferences": len(services), "services": sorted(set(services)), "changes": changes},
            "conferencing_requests": self.requested,
            "reads": {"managed": self.managed_reads, "others": self.other_reads},
        }
        together = Facts("account", ("account", self.name), document, (), closed=True)
        at_once = self.directory.at_once()
        return (together,) if at_once is None else (at_once, together)
