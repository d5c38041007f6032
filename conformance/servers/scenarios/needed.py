"""What of a plan is needed: the cheapest parts that still show all that is to be shown.

A part is a scenario or a probe.  Each piece of evidence of a rehearsal names the parts that it needs, and what it
shows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from conformance.servers.scenarios.plan import Plan
from conformance.servers.scenarios.scenario import Scenario

__all__ = ["MALFORMED", "Needed", "Piece", "needed"]

#: The part that all malformed requests are.
MALFORMED = "malformed"

#: What parts take in requests: those that do not vary much, and an account that was not read otherwise.
_COST: Mapping[str, int] = {"access": 32, "lists": 5, "readings": 42, "notifications": 6, MALFORMED: 50}
_ACCOUNT = 12


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence: the scenarios (by id) and probes that it needs, and what it `shows`.

    `events`: how many events of `account` it needs besides, whichever they are.
    """

    shows: frozenset[Hashable]
    scenarios: frozenset[str] = frozenset()
    probes: frozenset[str] = frozenset()
    account: str = ""
    events: int = 0


@dataclass(slots=True)
class Needed:
    """A choice of the parts of a plan: ids of scenarios, and names of probes."""

    plan: Plan
    scenarios: set[str] = field(default_factory=set)
    probes: set[str] = field(default_factory=set)
    _by_id: dict[str, Scenario] = field(init=False)
    _company: dict[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_id = {scenario.id: scenario for scenario in self.plan.scenarios}
        sharing: defaultdict[str, set[str]] = defaultdict(set)
        for scenario in self.plan.scenarios:
            sharing[scenario.event or scenario.id].add(scenario.id)
        # Scenarios that share an event's id on several calendars prove something together only.
        self._company = {one: frozenset(together) for together in sharing.values() for one in together}

    def lacks(self, piece: Piece) -> tuple[set[str], set[str]]:
        """The scenarios and probes that a piece of evidence needs beside those chosen."""
        scenarios = {other for one in piece.scenarios for other in self._company[one]} - self.scenarios
        if piece.events:
            scenarios |= self._more_events(piece, self.scenarios | scenarios)
        return scenarios, set(piece.probes) - self.probes

    def _more_events(self, piece: Piece, chosen: set[str]) -> set[str]:
        """The shortest scenarios that leave the missing events, on all calendars of the account in turn."""
        there = Counter(self._by_id[one].calendar_id for one in chosen if self._leaves_event(one, piece.account))
        usable = [one for one in self._by_id if one not in chosen and self._leaves_event(one, piece.account)]
        usable.sort(key=lambda one: len(self._by_id[one].steps))
        more: set[str] = set()
        while usable and there.total() < piece.events:
            best = min(usable, key=lambda one: there[self._by_id[one].calendar_id])
            usable.remove(best)
            there[self._by_id[best].calendar_id] += 1
            more.add(best)
        return more

    def cost(self, scenarios: Iterable[str], probes: Iterable[str]) -> int:
        """The requests that these parts take beside those chosen, about."""
        more = [self._by_id[one] for one in scenarios]
        read = {self._by_id[one].account for one in self.scenarios}
        accounts = {scenario.account for scenario in more} - read
        steps = sum(len(scenario.steps) + (not scenario.ends_deleted) for scenario in more)
        return steps + _ACCOUNT * len(accounts) + sum(_COST.get(probe, 0) for probe in probes)

    def take(self, piece: Piece) -> None:
        """Choose all that a piece of evidence needs."""
        scenarios, probes = self.lacks(piece)
        self.scenarios |= scenarios
        self.probes |= probes

    def shown(self, pieces: Iterable[Piece]) -> set[Hashable]:
        """What the parts that are chosen show."""
        return {one for piece in pieces if not any(self.lacks(piece)) for one in piece.shows}

    def _leaves_event(self, scenario_id: str, account: str) -> bool:
        scenario = self._by_id[scenario_id]
        return (
            scenario.account == account
            and not scenario.ends_deleted
            and scenario.steps[0].kind != "invalid"
            and scenario.family != "refused"
        )

    def without_surplus(self, pieces: tuple[Piece, ...]) -> None:
        """Give up scenarios and probes, the dearest first, as long as all is shown that was."""
        wanted = self.shown(pieces)
        for one in sorted(self.scenarios, key=lambda one: (-len(self._by_id[one].steps), one)):
            if one in self.scenarios:
                self._try_without(pieces, wanted, self._company[one], frozenset())
        for probe in sorted(self.probes, key=lambda probe: -_COST.get(probe, 0)):
            self._try_without(pieces, wanted, frozenset(), frozenset({probe}))

    def _try_without(
        self, pieces: tuple[Piece, ...], wanted: set[Hashable], scenarios: frozenset[str], probes: frozenset[str]
    ) -> None:
        before = self.scenarios, self.probes
        self.scenarios, self.probes = self.scenarios - scenarios, self.probes - probes
        if not wanted <= self.shown(pieces):
            self.scenarios, self.probes = before


def needed(plan: Plan, pieces: Iterable[Piece]) -> Needed:
    """Of `plan`, what shows all that the pieces show, about as cheaply as can be.

    Greedy: what shows most for its requests comes first, and what has become superfluous goes in the end.
    """
    pieces = _merged(pieces)
    chosen = Needed(plan)
    goals = {one for piece in pieces for one in piece.shows}
    left = goals - chosen.shown(pieces)
    while left:
        best = max(
            (piece for piece in pieces if piece.shows & left),
            key=lambda piece: len(piece.shows & left) / (1 + chosen.cost(*chosen.lacks(piece))),
        )
        chosen.take(best)
        left -= chosen.shown(pieces)
    chosen.without_surplus(pieces)
    return chosen


def _merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Pieces that need the same are one piece; in a fixed order, as the first of the best is taken."""
    shows: defaultdict[tuple[frozenset[str], frozenset[str], str, int], set[Hashable]] = defaultdict(set)
    for piece in pieces:
        shows[piece.scenarios, piece.probes, piece.account, piece.events] |= piece.shows
    merged = [Piece(frozenset(shown), *needs) for needs, shown in shows.items()]
    return tuple(
        sorted(merged, key=lambda piece: (sorted(piece.scenarios), sorted(piece.probes), piece.account, piece.events))
    )
