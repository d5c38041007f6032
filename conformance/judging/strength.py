"""What green is worth: how many of the known faults a report would have shown, had the subject had them.

``known_faults.json`` says of each fault of the reference server by which rules it was shown, and in which
circumstances.  A report shows a fault if it decided one of these rules in such circumstances.
It is computed by ``tests/reference/kill_matrix.py``, and held against what recordings and runs really show.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from conformance.judging.circumstances import SETTLED
from conformance.judging.exercised import Circumstances, Exercised

__all__ = ["Addition", "KnownFault", "Strength", "Way", "known_faults", "strength"]

#: What makes a verdict of one that is still open.
_READ_ON = "read events three times or more after each write, over 30 seconds"


@dataclass(frozen=True)
class Way:
    """One way in which a fault is shown: the rule, the circumstances that its verdict needs; and how, in words."""

    rule: str
    needs: Circumstances
    how: str

    @property
    def where_it_settles(self) -> Way:
        """The same way, for traffic in which all is read until it is settled."""
        return replace(self, needs=self.needs - {SETTLED})


@dataclass(frozen=True)
class KnownFault:
    """A fault of the reference server: its name, what it does, the section of the page that it breaks; its ways."""

    name: str
    title: str
    section: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Addition:
    """What would make a subject's traffic stronger: in words, and how many more faults it would show."""

    text: str
    gain: int


@dataclass(frozen=True)
class Strength:
    """The faults that would have been caught, and those that would not."""

    caught: tuple[KnownFault, ...]
    missed: tuple[KnownFault, ...]
    additions: tuple[Addition, ...]

    @property
    def known(self) -> int:
        """How many faults are known."""
        return len(self.caught) + len(self.missed)

    @property
    def sections(self) -> dict[str, tuple[int, int]]:
        """For each section of the page, how many of its faults would have been caught, and how many there are."""
        caught = Counter(fault.section for fault in self.caught)
        known = caught + Counter(fault.section for fault in self.missed)
        return {section: (caught[section], known[section]) for section in sorted(known)}


def strength(exercised: Exercised, faults: Iterable[KnownFault] | None = None, *, waits: bool = False) -> Strength:
    """The strength of what was exercised, against `faults` (None: all that are known).

    `waits` says that whoever made the traffic reads what is wrong until it is settled, as a run of this suite does.
    """
    caught: list[KnownFault] = []
    missed: list[KnownFault] = []
    for fault in known_faults() if faults is None else faults:
        ways = [way.where_it_settles if waits else way for way in fault.ways]
        shown = any(_met(way, exercised.decided.get(way.rule, ())) for way in ways)
        (caught if shown else missed).append(fault)
    return Strength(tuple(caught), tuple(missed), _additions(missed, exercised))


@cache
def known_faults() -> tuple[KnownFault, ...]:
    """All known faults, from ``known_faults.json``."""
    text = resources.files("conformance.judging").joinpath("known_faults.json").read_text(encoding="utf-8")
    return tuple(
        KnownFault(
            name,
            fault["title"],
            fault["section"],
            tuple(Way(way["rule"], frozenset(way["needs"]), way["how"]) for way in fault["ways"]),
        )
        for name, fault in json.loads(text).items()
    )


def _met(way: Way, exercised: Iterable[Circumstances]) -> bool:
    return any(way.needs <= found for found in exercised)


def _additions(missed: Iterable[KnownFault], exercised: Exercised) -> tuple[Addition, ...]:
    """What would show most of the faults that were missed, the greatest gain first; at most five."""
    gains: Counter[str] = Counter()
    for fault in missed:
        gains.update({_READ_ON if _needs_readings(way, exercised) else way.how for way in fault.ways})
    return tuple(Addition(text, gain) for text, gain in gains.most_common(5))


def _needs_readings(way: Way, exercised: Exercised) -> bool:
    """Whether all that is missing is to read for longer."""
    return any(_met(way.where_it_settles, found.get(way.rule, ())) for found in (exercised.open, exercised.decided))
