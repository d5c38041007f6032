"""Steps that were meant to meet a pending event: which did, and which are tried again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import GENERATING

__all__ = ["PendingCase", "PendingSteps"]

#: How often a case is tried again in a run; once where no reading ever showed a pending event.
_RETRIES = 3

#: Seconds: where conferences are pending for longer, explicit conferencing is sent after half of that time, or so late.
_LONG, _LATE = 4.0, 10.0


class PendingCase(NamedTuple):
    """A write of one kind that is sent, with this timing, while the conference that another requested is pending."""

    timing: str
    requested: str
    kind: str


@dataclass(slots=True)
class PendingSteps:
    """What the steps of the scenarios made for it met.

    A step met a pending event if the last reading before it showed one.  Back-to-back there is no such reading: the
    step met one if it was sent no later after the answer before it than some reading that showed a pending event.
    `longest` is that time in seconds; None if no reading showed one.  `by_account` is the same of each account: where
    one has a profile that is disconnected, its events may be pending for ever.
    """

    longest: float | None = None
    by_account: dict[str, float] = field(default_factory=dict)
    _met: set[PendingCase] = field(default_factory=set)
    _missed: set[PendingCase] = field(default_factory=set)
    _retries: Counter[PendingCase] = field(default_factory=Counter)
    _gaps: list[tuple[Scenario, int, float]] = field(default_factory=list)

    @property
    def unmet(self) -> tuple[PendingCase, ...]:
        """The cases that no step met: it came too late, or was not sent."""
        return tuple(sorted(self._missed - self._met))

    def expect(self, scenario: Scenario) -> None:
        """Count the cases that a scenario is meant for as missed until a step meets them."""
        self._missed.update(case for number in range(len(scenario.steps)) if (case := _case(scenario, number)))

    def record_pending(self, account: str, seconds: float) -> None:
        """Count a reading that showed a pending event of an account so many seconds after its write was answered."""
        self.longest = max(self.longest or 0.0, seconds)
        self.by_account[account] = max(self.by_account.get(account, 0.0), seconds)

    def lateness(self, scenario: Scenario, number: int) -> float:
        """For how long the event is to be pending before a step (from 0) is sent; as soon as it is, if tried again.

        A first try to generate a conference may have failed by then, and another be under way.
        """
        case = _case(scenario, number) if number < len(scenario.steps) else None
        longest = self.by_account.get(scenario.account, 0.0)
        if case is None or case.kind != "explicit" or self._retries[case] or longest < _LONG:
            return 0.0
        return min(longest / 2, _LATE)

    def sent(self, scenario: Scenario, number: int, *, pending: bool, gap: float) -> Scenario | None:
        """Record that step `number` (from 0) is sent `gap` seconds after an answer; a scenario that tries it again."""
        case = _case(scenario, number)
        if case is None:
            return None
        if case.timing == "back-to-back":
            self._gaps.append((scenario, number, gap))
            return None
        return self._judge(case, scenario, number, met=pending)

    def back_to_back_retries(self) -> list[Scenario]:
        """Scenarios that try the back-to-back steps again which came too late, once all others are done."""
        found = []
        for scenario, number, gap in self._gaps:
            case = _case(scenario, number)
            assert case is not None
            met = self.longest is not None and gap <= self.longest
            again = self._judge(case, scenario, number, met=met)
            found += [again] if again is not None else []
        self._gaps = []
        return found

    def _judge(self, case: PendingCase, scenario: Scenario, number: int, *, met: bool) -> Scenario | None:
        if met:
            self._met.add(case)
            return None
        self._retries[case] += 1
        if case in self._met or self._retries[case] > (1 if self.longest is None else _RETRIES):
            return None
        first = replace(scenario.steps[number - 1], timing="settled")
        following = [step for step in scenario.steps[number + 1 : number + 2] if step.timing == "back-to-back"]
        name = f"{scenario.id.partition('-')[0]}-{number}r{self._retries[case]}"
        return replace(scenario, id=name, steps=(first, scenario.steps[number], *following))


def _case(scenario: Scenario, number: int) -> PendingCase | None:
    """The case that a step is meant for; None where the write before it does not generate a conference."""
    step = scenario.steps[number]
    if scenario.family not in ("while-pending", "back-to-back") or step.timing == "settled" or not number:
        return None
    before = scenario.steps[number - 1]
    return PendingCase(step.timing, before.kind, _kind(step)) if before.kind in GENERATING else None


def _kind(step: Step) -> str:
    return step.defect or step.kind
