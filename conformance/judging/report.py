"""A report folds verdicts: what became of each rule.

Reports over the same rules are a monoid, so the parts of a recording may be judged anywhere and added up.
"""

from __future__ import annotations

import copyreg
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from conformance.judging.exercised import Exercised

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.verdict import Verdict, Violation

__all__ = ["Cause", "Report", "RuleOutcome", "Tally", "Unjudged"]

RuleOutcome = Literal["passed", "failed", "inconclusive", "untested"]

#: How many violations of a rule are kept; the count goes on.
KEPT = 10

#: How many causes of a rule are told apart: they may have words of the subject's in them.
KEPT_CAUSES = 1000

#: How many exchanges that could not be judged are named.
KEPT_UNJUDGED = 5


def _frozen(counts: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType({name: counts[name] for name in sorted(counts) if counts[name]})


def _proxy(mapping: dict[str, Any]) -> MappingProxyType[str, Any]:
    return MappingProxyType(mapping)


# Reports are pickled on their way from one process to another.
copyreg.pickle(MappingProxyType, lambda mapping: (_proxy, (dict(mapping),)))


@dataclass(frozen=True, slots=True)
class Cause:
    """How often a rule failed for one cause, in which cases, and for which kinds of requests."""

    count: int
    cases: frozenset[str]
    requested: frozenset[str]

    def __add__(self, other: Cause) -> Cause:
        return Cause(self.count + other.count, self.cases | other.cases, self.requested | other.requested)


@dataclass(frozen=True)
class Tally:
    """The verdicts of one rule: how many of each, inconclusive by reason, passed by case and by what was requested,
    failed by cause, and some violations.
    """

    passed: int = 0
    failed: int = 0
    inconclusive: int = 0
    reasons: Mapping[str, int] = field(default_factory=lambda: _frozen({}))
    cases: Mapping[str, int] = field(default_factory=lambda: _frozen({}))
    requested: Mapping[str, int] = field(default_factory=lambda: _frozen({}))
    causes: Mapping[str, Cause] = field(default_factory=lambda: MappingProxyType({}))
    violations: tuple[Violation, ...] = ()

    @property
    def timed_out(self) -> int:
        """How many verdicts are inconclusive because something was pending for too long."""
        return self.reasons.get("timed-out", 0)

    @property
    def outcome(self) -> RuleOutcome:
        """Failed if any failed; else inconclusive if anything timed out or nothing passed; else passed."""
        if self.failed:
            return "failed"
        if not self.passed and not self.inconclusive:
            return "untested"
        return "inconclusive" if self.timed_out or not self.passed else "passed"

    @property
    def reason(self) -> str | None:
        """The reason of an inconclusive rule: a time-out before any other, then the most frequent one."""
        if self.outcome != "inconclusive" or not self.reasons:
            return None
        return "timed-out" if self.timed_out else max(self.reasons, key=lambda name: (self.reasons[name], name))

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            inconclusive=self.inconclusive + other.inconclusive,
            reasons=_sum(self.reasons, other.reasons),
            cases=_sum(self.cases, other.cases),
            requested=_sum(self.requested, other.requested),
            causes=_added(self.causes, other.causes),
            violations=_kept((*self.violations, *other.violations)),
        )


_NOTHING = Tally()


def _sum(left: Mapping[str, int], right: Mapping[str, int]) -> Mapping[str, int]:
    return _frozen(Counter(left) + Counter(right))


def _added(left: Mapping[str, Cause], right: Mapping[str, Cause]) -> Mapping[str, Cause]:
    if not left or not right:
        return left or right
    both = {name: left[name] + right[name] for name in left.keys() & right.keys()}
    return MappingProxyType(_first({**left, **right, **both}))


def _first(causes: Mapping[str, Cause]) -> dict[str, Cause]:
    """The first causes in order of their names: what is dropped of a part would be dropped of the whole."""
    return dict(sorted(causes.items())[:KEPT_CAUSES])


def _kept(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    """The first violation of every cause before the second of any, `KEPT` in all, in the order of their coming.

    Whatever is dropped here would be dropped from any longer sequence that begins so: addition stays associative.
    """
    if len(violations) <= KEPT:
        return tuple(violations)
    seen: Counter[str] = Counter()
    ranked = []
    for place, violation in enumerate(violations):
        ranked.append((seen[violation.cause], place))
        seen[violation.cause] += 1
    return tuple(violations[place] for _, place in sorted(sorted(ranked)[:KEPT], key=lambda pair: pair[1]))


def _in_order(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    return _kept(sorted(violations, key=lambda one: one.place))


class _Counting:
    """A tally while it grows."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.cases: Counter[str] = Counter()
        self.requested: Counter[str] = Counter()
        self.causes: dict[str, Cause] = {}
        self.violations: list[Violation] = []

    def add(self, verdict: Verdict, times: int) -> None:
        self.outcomes[verdict.outcome] += times
        if verdict.outcome == "inconclusive":
            self.reasons[verdict.reason or "unknown"] += times
        elif verdict.outcome == "passed":
            for case in verdict.cases:
                self.cases[case] += times
            if verdict.requested:
                self.requested[verdict.requested] += times
        elif verdict.violation is not None:
            cause = verdict.violation.cause
            seen = Cause(times, frozenset(verdict.cases), frozenset([verdict.requested] if verdict.requested else ()))
            self.causes[cause] = self.causes[cause] + seen if cause in self.causes else seen
            if len(self.causes) > 2 * KEPT_CAUSES:
                self.causes = _first(self.causes)
            self.violations += [verdict.violation] * min(times, KEPT)
            if len(self.violations) > 8 * KEPT:
                self.violations[:] = _kept(self.violations)

    def tally(self) -> Tally:
        return Tally(
            passed=self.outcomes["passed"],
            failed=self.outcomes["failed"],
            inconclusive=self.outcomes["inconclusive"],
            reasons=_frozen(self.reasons),
            cases=_frozen(self.cases),
            requested=_frozen(self.requested),
            causes=MappingProxyType(_first(self.causes)),
            violations=_kept(self.violations),
        )


class Unjudged(NamedTuple):
    """The label of an exchange that this tool could not observe or judge, and the kind and place of the error."""

    exchange: str
    error: str

    def __str__(self) -> str:
        return f"{self.exchange} could not be judged ({self.error})"


@dataclass(frozen=True)
class Report:
    """A tally for each rule, by its id, the number of exchanges that were judged, and what they exercised.

    `unjudged` names the first exchanges that could not be judged, whatever they are: a limit of this tool.
    """

    tallies: Mapping[str, Tally] = field(default_factory=lambda: MappingProxyType({}))
    exchanges: int = 0
    exercised: Exercised = field(default_factory=Exercised)
    unjudged: tuple[Unjudged, ...] = ()

    @classmethod
    def empty(cls, rules: Iterable[Rule] = ()) -> Report:
        """The report of nothing, and the identity of addition, over `rules`."""
        return cls(MappingProxyType(dict.fromkeys(sorted(rule.id for rule in rules), _NOTHING)))

    def with_judgements(self, judgements: Iterable[tuple[tuple[Verdict, ...], int]]) -> Report:
        """This report and the verdicts of `judgements`, each of which came so many times.

        Each verdict is the last word on its facts.
        """
        counting: defaultdict[str, _Counting] = defaultdict(_Counting)
        for judgement, times in judgements:
            for verdict in judgement if times else ():
                counting[verdict.rule].add(verdict, times)
        return self + Report({rule: counts.tally() for rule, counts in counting.items()})

    @classmethod
    def together(cls, shares: Sequence[Report]) -> Report:
        """The report on a run whose accounts were judged apart, each in one of `shares`.

        Each share keeps, of every cause, its first violations: those that the whole keeps are among them.
        """
        whole = sum(shares, cls())
        tallies = {
            name: replace(tally, violations=_in_order([one for part in shares for one in part.tally(name).violations]))
            for name, tally in whole.tallies.items()
        }
        exercised = replace(whole.exercised, waiting=whole.exercised.waiting.without_place())
        count = max(part.exchanges for part in shares)
        return replace(whole, tallies=MappingProxyType(tallies), exchanges=count, exercised=exercised)

    def with_exchanges(self, count: int) -> Report:
        """This report with `count` more exchanges."""
        return replace(self, exchanges=self.exchanges + count)

    def with_exercised(self, exercised: Exercised) -> Report:
        """This report, having exercised this too."""
        return replace(self, exercised=self.exercised + exercised)

    def with_unjudged(self, unjudged: Unjudged) -> Report:
        """This report, and one more exchange that could not be judged."""
        return replace(self, unjudged=_first_unjudged((*self.unjudged, unjudged)))

    def tally(self, rule: str) -> Tally:
        """The tally of a rule, by its id."""
        return self.tallies.get(rule, _NOTHING)

    def __add__(self, other: Report) -> Report:
        names = sorted({*self.tallies, *other.tallies})
        tallies = {name: self.tally(name) + other.tally(name) for name in names}
        exercised = self.exercised + other.exercised
        unjudged = _first_unjudged((*self.unjudged, *other.unjudged))
        return Report(MappingProxyType(tallies), self.exchanges + other.exchanges, exercised, unjudged)


def _first_unjudged(unjudged: Iterable[Unjudged]) -> tuple[Unjudged, ...]:
    return tuple(dict.fromkeys(unjudged))[:KEPT_UNJUDGED]
