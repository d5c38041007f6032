"""What was exercised: the circumstances in which each rule passed, and those in which it stayed inconclusive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from conformance.facts import Facts
from conformance.judging.circumstances import circumstances
from conformance.judging.memo import CACHEABLE
from conformance.judging.verdict import Verdict

__all__ = ["Circumstances", "ExerciseLog", "Exercised"]

Circumstances = frozenset[str]

#: Of how many writes of one account circumstances are taken: more of the same traffic adds nothing.
_WRITES = 500

#: How many judgements are remembered as known.
_KNOWN = 4096


@dataclass(frozen=True)
class Exercised:
    """Rules by their ids, each with the distinct circumstances of its verdicts.

    `decided` are those of verdicts that passed or failed, `open` those of inconclusive ones.  A monoid, as reports are.
    """

    decided: Mapping[str, frozenset[Circumstances]] = field(default_factory=lambda: MappingProxyType({}))
    open: Mapping[str, frozenset[Circumstances]] = field(default_factory=lambda: MappingProxyType({}))

    def __add__(self, other: Exercised) -> Exercised:
        return Exercised(_union(self.decided, other.decided), _union(self.open, other.open))


_Found = Mapping[str, frozenset[Circumstances]]


def _union(left: _Found, right: _Found) -> _Found:
    if not left or not right:
        return left or right
    none: frozenset[Circumstances] = frozenset()
    return MappingProxyType({rule: left.get(rule, none) | right.get(rule, none) for rule in left.keys() | right.keys()})


class ExerciseLog:
    """Gathers what judgements exercise, while they come; `taken` is all of it so far."""

    def __init__(self) -> None:
        self._decided: defaultdict[str, set[Circumstances]] = defaultdict(set)
        self._open: defaultdict[str, set[Circumstances]] = defaultdict(set)
        self._writes: defaultdict[str, int] = defaultdict(int)
        self._known: dict[int, tuple[Verdict, ...]] = {}

    def note(self, facts: Facts, judgement: tuple[Verdict, ...]) -> None:
        """Take one judgement of closed facts.

        Judgements on facts of kinds that come again are one value for all documents that rules cannot tell apart.
        """
        if not judgement:
            return
        if facts.about in CACHEABLE:
            if id(judgement) in self._known:
                return
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[id(judgement)] = judgement  # held, so that no other takes its id
        elif facts.about == "write":
            account = facts.key[1]
            if self._writes[account] >= _WRITES:
                return
            self._writes[account] += 1
        found = circumstances(facts)
        for verdict in judgement:
            (self._open if verdict.outcome == "inconclusive" else self._decided)[verdict.rule].add(found)

    @property
    def taken(self) -> Exercised:
        """All that was noted."""
        return Exercised(_frozen(self._decided), _frozen(self._open))


def _frozen(found: Mapping[str, set[Circumstances]]) -> _Found:
    return MappingProxyType({rule: frozenset(circumstances) for rule, circumstances in found.items()})
