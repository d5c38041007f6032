"""Parts of a recording that are read and judged by whoever takes them, and what they say together."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from conformance.cli.dividing import RunPart
from conformance.cli.opened_runs import OneRun, OpenedRuns, Span
from conformance.cli.recorded_run import judge_run
from conformance.contract.selection import of_side, select_rules
from conformance.facts.share import Crossing, Share, are_entangled, unmet
from conformance.http.redaction.collecting import SecretCollector
from conformance.interrupts import Interruption
from conformance.judging.access import RefusedWrites
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.unknown_before import UnknownBefore

if TYPE_CHECKING:
    from conformance.contract.rules import Rule

__all__ = ["Awaited", "EntangledWarning", "Judged", "RuleChoice", "Submit", "judge_apart", "judge_part", "say"]

T = TypeVar("T")


class EntangledWarning(UserWarning):
    """Accounts that were judged apart have to do with each other, and were judged again together."""


class RuleChoice(NamedTuple):
    """The rules that judge a recording, as they were asked for."""

    names: tuple[str, ...]
    applies_to: frozenset[str]
    held: str | None
    side: str | None

    @lru_cache(maxsize=8)  # noqa: B019 - a few small values, and rules that all of them share
    def rules(self) -> tuple[Rule, ...]:
        """The rules themselves.  Raises UsageError."""
        return tuple(of_side(select_rules(self.names, set(self.applies_to), self.held), self.side))


@dataclass(frozen=True)
class Judged:
    """What became of some runs, or of a share of one: the report, and what was learnt while they were read.

    `undecided` are the events of which it is not known what was there before, and the rules that this leaves open;
    `secrets` those that were found, `warnings` what was warned of, `error` what ended it early.
    """

    report: Report
    undecided: tuple[int, frozenset[str]]
    span: Span
    writes: RefusedWrites
    secrets: tuple[str, ...]
    warnings: tuple[Warning, ...] = ()
    crossing: Crossing = field(default_factory=Crossing)
    error: Exception | None = None

    def __add__(self, other: Judged) -> Judged:
        """Both, one after the other."""
        return replace(
            self._with(other),
            report=self.report + other.report,
            span=self.span + other.span,
            error=self.error or other.error,
        )

    def beside(self, other: Judged, report: Report) -> Judged:
        """Both, two shares of one run of which each saw or passed over all exchanges, unless it ended early."""
        more = max(self, other, key=lambda one: one.span.count)
        span = replace(self.span + other.span, count=more.span.count)
        return replace(self._with(other), report=report, span=span, writes=more.writes)

    @classmethod
    def nothing(cls, rules: Iterable[Rule]) -> Judged:
        """What becomes of no run at all."""
        return cls(Report.empty(rules), (0, frozenset()), Span(), RefusedWrites(), ())

    def _with(self, other: Judged) -> Judged:
        return replace(
            self,
            undecided=(self.undecided[0] + other.undecided[0], self.undecided[1] | other.undecided[1]),
            writes=self.writes + other.writes,
            secrets=tuple(dict.fromkeys((*self.secrets, *other.secrets))),
            warnings=(*self.warnings, *other.warnings),
        )


class Awaited(ABC):
    """What becomes of a part, or of several, which somebody judges."""

    @abstractmethod
    def result(self) -> Judged:
        """It, when it has come."""

    def wait(self) -> None:
        """Wait until it has come, wherever it is."""
        self.result()

    def plus(self, other: Awaited) -> Awaited:
        """Both, one after the other; whoever has them may add them up."""
        return _Sum(self, other)


@dataclass(frozen=True)
class _Sum(Awaited):
    """Two things that are added here."""

    one: Awaited
    other: Awaited

    def result(self) -> Judged:
        return self.one.result() + self.other.result()


Submit = Callable[[tuple[OneRun, ...], "Share | None"], Awaited]


@lru_cache(maxsize=8)
def _judge_of(rules: RuleChoice, own: frozenset[str]) -> Judge:
    """Rules made ready once for all parts that a process judges."""
    return Judge(rule for rule in rules.rules() if rule.id in own)


def judge_part(
    runs: Sequence[OneRun],
    share: Share | None,
    choice: RuleChoice,
    known: Mapping[str, str] = MappingProxyType({}),
    interruption: Interruption | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Judged:
    """What becomes of some runs, or of a share of one; `known` maps names to secrets.  Raises nothing."""
    rules = choice.rules()
    secrets = SecretCollector(known)
    opened = OpenedRuns(secrets, interruption or Interruption(), progress)
    unknown = UnknownBefore(rules)
    report, error = Report.empty(rules), None
    crossings: list[Crossing] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            for run in runs:
                own = [rule for rule in rules if rule.id in run.rules]
                judge = _judge_of(choice, run.rules)
                exchanges = opened.exchanges(run)
                report += judge_run(exchanges, own, run.settings, unknown, judge, share, crossings.append)
        except Exception as problem:  # noqa: BLE001 - told where it was asked for
            error = problem.with_traceback(None)
    return Judged(
        report,
        (unknown.events, unknown.decided),
        opened.span,
        opened.writes,
        secrets.collected,
        tuple(one.message for one in caught if isinstance(one.message, Warning)),
        crossings[0] if crossings else Crossing(),
        error,
    )


def judge_apart(parts: Sequence[RunPart], submit: Submit, finished: Callable[[], object]) -> Judged:
    """What becomes of all parts, whoever judges them: as if they had been judged here, one after the other.

    `submit` gives runs, or a share of one, to somebody; `finished` is called as each part is done.
    """
    answers = [[submit(*given) for given in part.given] for part in parts]
    found = []
    for is_divided, some in groupby(zip(parts, answers, strict=True), key=lambda one: bool(one[0].shares)):
        if is_divided:
            for part, waited in some:
                found.append(_together(part, [answer.result() for answer in waited], submit))
                finished()
            continue
        in_a_row = [answer for _, waited in some for answer in waited]
        total = _tree(in_a_row, lambda one, other: one.plus(other))
        for answer in in_a_row:
            answer.wait()
            finished()
        found.append(total.result())
    return _tree(found, Judged.__add__)


def _tree(things: Sequence[T], add: Callable[[T, T], T]) -> T:
    """Things in a row added up: pairs, then pairs of pairs, so that each sum takes as long as what is in it."""
    while len(things) > 1:
        things = [reduce(add, things[place : place + 2]) for place in range(0, len(things), 2)]
    return things[0]


def _together(part: RunPart, judged: list[Judged], submit: Submit) -> Judged:
    """The shares of one run as one; where what they relied on does not hold, they are judged again."""
    if any(one.error is not None or one.report.unjudged for one in judged):
        return submit(part.runs, None).result()  # which of them comes first is told by the whole
    crossings = [one.crossing for one in judged]
    again = unmet(crossings, part.runs[0].settings)
    if not are_entangled(crossings):
        answers = {
            number: submit(part.given[number][0], replace(part.shares[number], settled=told))
            for number, told in again.items()
        }
        for number, answer in answers.items():
            judged[number] = answer.result()
        if [one.crossing.settled for one in judged] == [one.settled for one in crossings]:
            report = Report.together([one.report for one in judged])
            return reduce(lambda one, other: one.beside(other, report), judged)
    names = ", ".join(file.as_posix() for file in part.runs[0].files)
    whole = submit(part.runs, None).result()
    return replace(
        whole,
        warnings=(
            *whole.warnings,
            EntangledWarning(f"{names}: its accounts have to do with each other; it was judged on one core"),
        ),
    )


def say(judged: Iterable[Warning]) -> None:
    """Give the warnings of all parts, each once."""
    for warning in {(type(one), str(one)): one for one in judged}.values():
        warnings.warn(warning, stacklevel=2)
