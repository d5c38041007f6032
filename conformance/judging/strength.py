"""What green is worth: how many of the known faults a report would have shown, had the subject had them.

``known_faults.json`` says of each fault of the reference server by which rules it was shown, and in which
circumstances.  A report shows a fault if it decided one of these rules in such circumstances.
It is computed by ``tests/reference/kill_matrix.py``, and held against what recordings and runs really show.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from conformance.judging.exercised import Circumstances, Exercised

__all__ = ["Addition", "KnownFault", "Strength", "Way", "known_faults", "strength"]


@dataclass(frozen=True)
class Way:
    """One way in which a fault is shown: the rule, and the circumstances that its verdict needs."""

    rule: str
    needs: Circumstances


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


def strength(exercised: Exercised, faults: Iterable[KnownFault] | None = None) -> Strength:
    """The strength of what was exercised, against `faults` (None: all that are known)."""
    caught: list[KnownFault] = []
    missed: list[KnownFault] = []
    for fault in known_faults() if faults is None else faults:
        shown = any(_met(way, exercised.decided.get(way.rule, ())) for way in fault.ways)
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
            tuple(Way(way["rule"], frozenset(way["needs"])) for way in fault["ways"]),
        )
        for name, fault in json.loads(text).items()
    )


def _met(way: Way, exercised: Iterable[Circumstances]) -> bool:
    return any(way.needs <= found for found in exercised)


def _additions(missed: Iterable[KnownFault], exercised: Exercised) -> tuple[Addition, ...]:
    """What would show most of the faults that were missed, the greatest gain first; at most five."""
    gains: Counter[str] = Counter()
    for fault in missed:
        texts = {_addition(way, exercised) for way in fault.ways}
        gains.update(text for text in texts if text)
    return tuple(Addition(text, gain) for text, gain in gains.most_common(5))


def _addition(way: Way, exercised: Exercised) -> str:
    """What would show a fault in one way: more readings of what was sent already, or another request."""
    if _met(way, exercised.open.get(way.rule, ())):
        return "read events again after each write, three times or more over 30 seconds"
    facts = dict(need.split("=", 1) for need in way.needs if "=" in need)
    requested = facts.get("requested")
    if requested is None:
        return f"traffic that the rule {way.rule} is about"
    if requested == "delete":
        return "delete an event, and read events afterwards"
    before = facts.get("before.requested_as") or facts.get("before.pending_request")
    found = f" that has {before} conferencing" if before not in (None, "none", "omitted") else ""
    pending = " while it is pending" if "before.pending_request" in facts else ""
    is_update = facts.get("is_create") == "False" or bool(found)
    verb = f"update an event{found}" if is_update else "create an event"
    what = "without a word on conferencing" if requested == "omitted" else f"with {requested} conferencing"
    return f"{verb} {what}{pending}, and read until it is settled"
