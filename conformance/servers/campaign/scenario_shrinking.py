"""Shrinking counterexamples: the simplest scenario that still fails, tried on the subject itself.

Not by Hypothesis, which tries one scenario after the other: for 14 faults of the reference server it took 37 % of the
runs' CPU (at most 77 %), and ended larger in 12 of 36 failures and smaller in 3.  Tries side by side share their
readings, and took 9 % (at most 14 %).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from itertools import islice, zip_longest

from conformance.contract.rules import Rule, load
from conformance.http.exchange import Exchange
from conformance.judging.groups import FailureGroup, failure_groups
from conformance.judging.reasons import events_named
from conformance.judging.reduction import Effort, minimal_history
from conformance.judging.stream import LiveJudge
from conformance.judging.summary import RunReport
from conformance.judging.verdict import Violation
from conformance.servers.campaign.subject_session import SubjectSession
from conformance.servers.scenarios import Plan, Scenario, Step
from conformance.servers.subject.rate_limit import BudgetExceededError

__all__ = ["SEARCH_REQUESTS", "ScenarioCounterexample", "counterexamples", "shrink_candidates"]

#: Requests that the search may send in all, where they cost time.
SEARCH_REQUESTS = 240

#: Readings for each step of the longest scenario of a round, until it is known better.
_READINGS = 10.0

#: Rounds of the search, and how many candidates are tried for a rule in each.
_ROUNDS, _TRIES = 4, 14

#: Seconds after which no round begins, on clocks on which time costs something.
_TIME_LIMIT = 30.0

#: The choices of a step that can be made usual without making it another kind of write.
_CHOICES = (
    *("changed_fields", "start", "time_format", "text_variant", "url_variant", "extra_fields", "timing"),
    *("charset", "subscriptions", "batched"),
)

#: Exchanges that may be judged again to reduce what was recorded, for each exchange of the run.
_EFFORT = 3

_NO_MORE_REQUESTS = "as it was in the run; it was not sent again, for want of requests"
_NOT_ALONE = "none was found: sent again alone, the scenario did not fail in {}; it takes other traffic, or chance"
_NOTHING_SENT = "as it was in the run; nothing more is sent to a server that is not on this machine"
_NOT_TOLD = "as it was in the run; sent again, no reading told what came of it"

#: How likely it may be that readings show something wrong of all events of a group by chance.
_CHANCE = 0.01

#: From how many failures on a trigger is theirs by no chance, and what is tried must have it.
_MANY = 3

#: How many groups of failures are searched for.
_GROUPS = 12


@dataclass(frozen=True)
class ScenarioCounterexample:
    """The smallest scenario found for a group of failures, and the fewest exchanges that show one of them.

    `origin` is the violation of the run that the search began with, `violation` the one that is shown now.
    `scenarios` is empty where the failure is not about one event's history.  `failed` says how often the scenario
    failed of the times that it was `tried` alone; `note` says the same, or why it was not tried.  `beside` are the
    causes of what readings show wrong of all events that fail so.
    """

    rule: Rule
    origin: Violation
    violation: Violation
    scenarios: tuple[Scenario, ...]
    exchanges: tuple[Exchange, ...]
    tried: int = 0
    failed: int = 0
    note: str = ""
    beside: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Search:
    """The search for one group: the smallest scenario so far, the violation that it showed, and how often it did.

    Violations of its rule are its own if they have one of its `causes` and all traits of the group's `trigger`.
    """

    rule: Rule
    scenario: Scenario | None
    origin: Violation
    violation: Violation
    causes: frozenset[str]
    trigger: frozenset[str]
    hearing: LiveJudge
    beside: frozenset[str]
    tried: int = 0
    failed: int = 0
    is_cut_short: bool = False
    is_untold: bool = False

    @property
    def note(self) -> str:
        """Whether the scenario was sent again, and what came of it."""
        if self.failed:
            return f"sent again alone, it failed {self.failed} of {self.tried} times"
        if self.tried:
            return _NOT_ALONE.format("1 try" if self.tried == 1 else f"{self.tried} tries")
        if self.scenario is None:
            return ""
        if self.is_untold:
            return _NOT_TOLD
        return _NO_MORE_REQUESTS if self.is_cut_short else _NOTHING_SENT

    def is_own(self, violation: Violation) -> bool:
        """Whether a violation of its rule is one of the group."""
        return violation.cause in self.causes and self.trigger <= violation.traits


async def counterexamples(
    session: SubjectSession,
    hearing: LiveJudge,
    planned: Plan,
    known: Callable[[str, str], bool] = lambda rule, cause: False,
) -> tuple[ScenarioCounterexample, ...]:
    """A counterexample for each group of failures in `hearing`, but for those whose causes are all `known`.

    On this machine simpler scenarios are tried; elsewhere nothing is sent, and the recorded exchanges are reduced.  All
    of it together takes at most a quarter of the run.
    """
    tried = (state.scenario for scheduler in session.schedulers for state in scheduler.scenarios)
    by_event = {
        session.run.event_id(scenario): scenario for scenario in (*planned.scenarios, *tried) if not scenario.event
    }
    report = RunReport(hearing.report, tuple(load()), subject={}, run={}, contract={}, tool={})
    unknown = (
        group
        for group in failure_groups(report)
        if not all(known(rule.id, violation.cause) for rule, violation in group.members)
    )
    of_readings = [rule.id for rule in report.rules if rule.about == "reading"]
    readings = [violation for name in of_readings for violation in hearing.failed.get(name, ())]
    searches = [
        _begun(group, by_event, hearing, _beside(group, hearing, readings, len(by_event)))
        for group in islice(unknown, _GROUPS)
    ]
    effort = Effort(_EFFORT * len(hearing.exchanges))
    if session.subject.loopback and any(search.scenario is not None for search in searches):
        await _shrink(session, searches, hearing.observer.window)
    return tuple(_found(search, session, effort) for search in searches)


def _beside(group: FailureGroup, hearing: LiveJudge, readings: Iterable[Violation], events: int) -> frozenset[str]:
    """The causes of what readings show wrong of every event of a group, if they show it of too few for chance."""
    causes = {violation.cause for _, violation in group.members}
    failed = {
        violation.event
        for name in {rule.id for rule, _ in group.members}
        for violation in hearing.failed.get(name, ())
        if violation.cause in causes and violation.event is not None
    }
    named: dict[str, set[str]] = {}
    for violation in readings:
        named.setdefault(violation.cause, set()).update(events_named(violation))
    return frozenset(
        cause
        for cause, names in named.items()
        if failed <= names and (len(names) / max(1, events)) ** len(failed) < _CHANCE
    )


def _begun(
    group: FailureGroup, by_event: Mapping[str, Scenario], hearing: LiveJudge, beside: frozenset[str]
) -> _Search:
    known = [
        (_until(by_event[violation.event or ""], violation), rule, violation)
        for rule, violation in group.members
        if violation.event in by_event and rule.about in ("write", "batched_write", "conferencing")
    ]
    rule, violation = group.example
    scenario = None
    if known:
        scenario, rule, violation = min(known, key=lambda one: (one[1].id != rule.id, _size(one[0])))
    causes = frozenset(other.cause for one, other in group.members if one.id == rule.id)
    trigger = frozenset(group.trigger if len(group.members) >= _MANY else ())
    return _Search(rule, scenario, violation, violation, causes, trigger & violation.traits, hearing, beside)


def _until(scenario: Scenario, violation: Violation) -> Scenario:
    """A scenario up to the step whose write a violation is about."""
    writes = {one.label for one in (*violation.earlier, *violation.evidence[:1]) if one.request.method != "GET"}
    return replace(scenario, steps=scenario.steps[: max(1, len(writes))])


async def _shrink(session: SubjectSession, searches: list[_Search], window: float) -> None:
    """Rounds of tries: in each, all searches try their candidates side by side, and learn from all that was tried.

    What the run created is deleted first, as it would be in the end: readings of few events have few pages.  `window`
    is that of the run: less is sent from now on, and what takes longest may not be among it.
    """
    clock, budget = session.transport.clock, session.transport.max_requests
    quarter = budget.used // 4
    until = budget.committed + (quarter if clock.virtual else min(SEARCH_REQUESTS, quarter))
    took = (clock.now() - session.run.now) / 3
    await session.clean()
    deadline = clock.now() + (math.inf if clock.virtual else min(_TIME_LIMIT, took))
    number, readings = 0, _READINGS
    for round_number in range(_ROUNDS):
        tries: dict[str, Scenario] = {}
        cost = longest = 0
        candidates = list(_in_turn(searches, shorter=round_number % 2 == 0))
        for place, (_, candidate) in enumerate(candidates):
            cost += len(candidate.steps) + 1  # with the DELETE in the end
            longest = max(longest, len(candidate.steps))
            if budget.committed + readings * longest + cost > until:
                for search, _ in candidates[place:]:
                    search.is_cut_short = True
                break
            number += 1
            scenario = replace(candidate, id=f"t{number:03d}", family="try")
            tries[session.run.event_id(scenario)] = scenario
        if not tries or clock.now() > deadline:
            return
        hearing, before = session.fresh_hearing(window), budget.committed
        is_whole = False
        with budget.narrowed(until), suppress(BudgetExceededError):
            await session.try_scenarios(hearing, tuple(tries.values()))
            is_whole = True
        readings = max(readings, (budget.committed - before - cost) / longest)
        for search in searches:
            _learn(search, hearing, tries, is_whole=is_whole)
        if not is_whole:
            return


def _in_turn(searches: Iterable[_Search], *, shorter: bool) -> Iterator[tuple[_Search, Scenario]]:
    """What is tried in a round: the smallest candidate of each search, then the next of each; nothing twice.

    At last each scenario that failed itself: it may pass alone.
    """
    lists = []
    for search in searches:
        if search.scenario is not None and search.failed == search.tried:
            found = sorted(dict.fromkeys(shrink_candidates(search.scenario, shorter=shorter)), key=_size)[:_TRIES]
            lists.append([(search, candidate) for candidate in (*found, search.scenario)])
    seen: set[object] = set()
    for turn in zip_longest(*lists):
        for pair in turn:
            if pair is not None and _identity(pair[1]) not in seen:
                seen.add(_identity(pair[1]))
                yield pair


def _identity(scenario: Scenario) -> tuple[str, str, tuple[Step, ...]]:
    return scenario.account, scenario.calendar_id, scenario.steps


def _learn(search: _Search, hearing: LiveJudge, tries: Mapping[str, Scenario], *, is_whole: bool) -> None:
    """Take the smallest scenario that failed; what passed counts where all was carried out."""
    failed = [
        (tries[violation.event], violation)
        for violation in hearing.failed.get(search.rule.id, ())
        if violation.event is not None and violation.event in tries and search.is_own(violation)
    ]
    if search.scenario is None:
        return
    same = [one for one in failed if _identity(one[0]) == _identity(search.scenario)]
    smaller = [one for one in failed if not search.failed or _size(one[0]) < _size(search.scenario)]
    if smaller:
        search.scenario, search.violation = min(smaller, key=lambda one: _size(one[0]))
        search.hearing, search.tried, search.failed = hearing, 1, 1
    elif same or (is_whole and any(_identity(one) == _identity(search.scenario) for one in tries.values())):
        search.is_untold = not same and not hearing.report.tally(search.rule.id).passed
        search.tried, search.failed = search.tried + (not search.is_untold), search.failed + bool(same)


def shrink_candidates(scenario: Scenario, *, shorter: bool) -> Iterator[Scenario]:
    """Scenarios that are simpler than this one: with fewer steps (`shorter`), or with more usual ones."""
    steps = scenario.steps
    if shorter:
        for end in range(1, len(steps)):
            yield from _valid(scenario, steps[:end])
            yield from _valid(scenario, steps[end:])
        for index in range(len(steps)):
            yield from _valid(scenario, (steps[index],))
            yield from _valid(scenario, steps[:index] + steps[index + 1 :])
        for first in range(len(steps)):
            for second in range(first + 1, len(steps)):
                yield from _valid(scenario, (steps[first], steps[second]))
        return
    usual_steps = tuple(_usual(step) for step in steps)
    if usual_steps != steps:
        yield replace(scenario, steps=usual_steps)
    for index, step in enumerate(steps):
        for name in _CHOICES:
            usual = getattr(Step(step.kind), name)
            if getattr(step, name) != usual:
                alone = replace(usual_steps[index], **{name: getattr(step, name)})
                yield replace(scenario, steps=(*usual_steps[:index], alone, *usual_steps[index + 1 :]))
                yield replace(scenario, steps=(*steps[:index], replace(step, **{name: usual}), *steps[index + 1 :]))
        if step.kind in ("default", "integrated", "profile") and step != _usual(step):
            yield replace(scenario, steps=(*steps[:index], Step("explicit"), *steps[index + 1 :]))


def _valid(scenario: Scenario, steps: tuple[Step, ...]) -> Iterator[Scenario]:
    if steps and steps[0].kind != "delete" and len(steps) < len(scenario.steps):
        yield replace(scenario, steps=(replace(steps[0], timing="settled"), *steps[1:]))


def _usual(step: Step) -> Step:
    return Step(step.kind, defect=step.defect, profile=step.profile, batched=step.batched)


def _size(scenario: Scenario) -> tuple[int, int]:
    """How complex a scenario is: its steps, then the choices in them that are not the usual ones."""
    unusual = sum(
        getattr(step, one.name) != getattr(Step(step.kind), one.name) for step in scenario.steps for one in fields(Step)
    )
    return len(scenario.steps), unusual


def _found(search: _Search, session: SubjectSession, effort: Effort) -> ScenarioCounterexample:
    exchanges: Iterable[Exchange] = minimal_history(
        search.hearing.exchanges, search.rule, search.violation, session.settings, effort
    )
    return ScenarioCounterexample(
        search.rule,
        search.origin,
        search.violation,
        (search.scenario,) if search.scenario is not None else (),
        tuple(exchanges),
        search.tried,
        search.failed,
        search.note,
        search.beside,
    )
