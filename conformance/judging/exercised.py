"""What was exercised: the circumstances in which each rule passed, and those in which it stayed inconclusive."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from conformance.facts import Facts
from conformance.judging.circumstances import circumstances
from conformance.judging.kept_waiting import Waiting
from conformance.judging.traits import Traits, due, traits
from conformance.judging.verdict import Verdict

__all__ = ["Circumstances", "ExerciseLog", "Exercised", "Noted"]

Circumstances = frozenset[str]

#: What a judgement is told by where it shows nothing new: the account of its facts, and what became of which rules.
Noted = tuple[object, int]

#: After so many facts in a row, of one account and with the same verdicts, that show nothing new, no more of them are
#: looked at: a run has fewer, so that more of it never hides anything, and a day of traffic has many more.
_DULL = 250


@dataclass(frozen=True)
class Exercised:
    """Rules by their ids, each with the distinct circumstances of its verdicts.

    `decided` are those of verdicts that passed or failed, `open` those of inconclusive ones; `passed` are the traits of
    those that passed, `waiting` says what was waited for.  A monoid, as reports are.
    """

    decided: Mapping[str, frozenset[Circumstances]] = field(default_factory=lambda: MappingProxyType({}))
    open: Mapping[str, frozenset[Circumstances]] = field(default_factory=lambda: MappingProxyType({}))
    passed: Mapping[str, frozenset[Traits]] = field(default_factory=lambda: MappingProxyType({}))
    waiting: Waiting = field(default_factory=Waiting)

    def __add__(self, other: Exercised) -> Exercised:
        return Exercised(
            _union(self.decided, other.decided),
            _union(self.open, other.open),
            _union(self.passed, other.passed),
            self.waiting + other.waiting,
        )


_Found = Mapping[str, frozenset[Circumstances]]


def _union(left: _Found, right: _Found) -> _Found:
    if not left or not right:
        return left or right
    none: frozenset[Circumstances] = frozenset()
    return MappingProxyType({rule: left.get(rule, none) | right.get(rule, none) for rule in left.keys() | right.keys()})


class ExerciseLog:
    """Gathers what judgements exercise, while they come; `taken` is all of it so far.

    Accounts may be judged apart, and what is taken of each does not depend on the others.
    """

    def __init__(self) -> None:
        self._decided: defaultdict[str, set[Circumstances]] = defaultdict(set)
        self._open: defaultdict[str, set[Circumstances]] = defaultdict(set)
        self._passed: defaultdict[str, set[Traits]] = defaultdict(set)
        self._dull: defaultdict[Noted, int] = defaultdict(int)
        self._numbers: dict[tuple[tuple[str, str], ...], int] = {}
        self._came: Counter[str] = Counter()
        self._waiting = Waiting()

    def number_of(self, judgement: tuple[Verdict, ...]) -> int:
        """The number of the rules of a judgement and what became of them: it is the same where these are."""
        outcomes = tuple([(verdict.rule, verdict.outcome) for verdict in judgement])
        return self._numbers.setdefault(outcomes, len(self._numbers))

    def note(self, facts: Facts, judgement: tuple[Verdict, ...], number: int | None = None) -> Noted:
        """Take one judgement of closed facts; `number` is what `number_of` says of it, if it is known.

        What it returns is for `note_again`.
        """
        after = facts.document.get("after", {}) if facts.about == "write" else {}
        if after.get("timed_out") and facts.evidence:
            self._waiting += Waiting.of(facts)
        stable = after.get("stable", {})
        if stable.get("state") == "assigned" and not stable.get("join_url_as_before"):
            self._came[due(facts.document)] += 1
        alike = facts.document.get("account"), self.number_of(judgement) if number is None else number
        if self._dull[alike] >= _DULL:
            return alike
        found = circumstances(facts)
        its_traits = traits(facts, said=found)
        is_new = False
        for verdict in judgement:
            if verdict.outcome == "passed":
                self._passed[verdict.rule].add(its_traits)
            known = (self._open if verdict.outcome == "inconclusive" else self._decided)[verdict.rule]
            is_new = is_new or found not in known
            known.add(found)
        self._dull[alike] = 0 if is_new else self._dull[alike] + 1
        return alike

    def note_again(self, noted: Noted) -> None:
        """The same judgement of the same document came once more."""
        if self._dull[noted] < _DULL:
            self._dull[noted] += 1

    def forget(self, accounts: Collection[str]) -> None:
        """Nothing more comes of these accounts."""
        for alike in [alike for alike in self._dull if alike[0] in accounts] if accounts else ():
            del self._dull[alike]

    @property
    def taken(self) -> Exercised:
        """All that was noted."""
        waiting = Waiting(MappingProxyType(dict(self._came))) + self._waiting
        return Exercised(_frozen(self._decided), _frozen(self._open), _frozen(self._passed), waiting)


def _frozen(found: Mapping[str, set[Circumstances]]) -> _Found:
    return MappingProxyType({rule: frozenset(circumstances) for rule, circumstances in found.items()})
