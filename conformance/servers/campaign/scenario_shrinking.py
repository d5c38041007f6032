"""Shrinking counterexamples: the simplest scenario that still fails, tried on the subject itself.

Not by Hypothesis, which tries one scenario after the other: for 14 faults of the reference server it took 37 % of the
runs' CPU (at most 77 %), and ended larger in 12 of 36 failures and smaller in 3.  Tries side by side share their
readings, and took 9 % (at most 14 %).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from itertools import zip_longest

from conformance.contract.rules import LEVELS, Rule, load
from conformance.http.exchange import Exchange
from conformance.judging.reduction import Effort, minimal_history
from conformance.judging.stream import LiveJudge
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
_CHOICES = ("changed_fields", "start", "time_format", "text_variant", "url_variant", "extra_fields", "timing")

#: Exchanges that may be judged again to reduce what was recorded, for each exchange of the run.
_EFFORT = 3

_NO_MORE_REQUESTS = "as many requests as a search may take were sent: there may be a smaller scenario"
_NOT_ALONE = "alone, the scenario did not fail: the failure depends on what else the server did, or on how often"
_AS_RECORDED = "shown as recorded: the effort for smaller failures was spent on others"

#: How many rules are searched for; the others most often fail for the same reasons.
_RULES = 12


@dataclass(frozen=True)
class ScenarioCounterexample:
    """The smallest scenario found for a failed rule, and the fewest exchanges that show the failure.

    `scenarios` is empty where the failure is not about one event's history; `replayed` says that the scenario was
    tried on the subject, and not only cut out of the recorded exchanges.  `note` says why there may be a smaller one.
    """

    rule: str
    title: str
    about: str
    message: str
    scenarios: tuple[Scenario, ...]
    exchanges: tuple[Exchange, ...]
    replayed: bool
    note: str = ""


@dataclass(slots=True)
class _Search:
    """The search for one failed rule: the smallest scenario so far, and the violation that it showed."""

    rule: Rule
    scenario: Scenario | None
    violation: Violation
    hearing: LiveJudge
    replayed: bool = False
    note: str = ""


async def counterexamples(
    session: SubjectSession,
    hearing: LiveJudge,
    planned: Plan,
    known: Callable[[str, str], bool] = lambda rule, cause: False,
) -> tuple[ScenarioCounterexample, ...]:
    """A counterexample for each rule that failed in `hearing` for a cause that is not `known`.

    On this machine simpler scenarios are tried; elsewhere nothing is sent, and the recorded exchanges are reduced.  All
    of it together takes at most a quarter of the run; what failed most often at the strictest level goes first, and
    what is left when that is spent is shown as it was recorded.
    """
    rules = {rule.id: rule for rule in load()}
    tried = (state.scenario for scheduler in session.schedulers for state in scheduler.scenarios)
    by_event = {
        session.run.event_id(scenario): scenario for scenario in (*planned.scenarios, *tried) if not scenario.event
    }
    searches = [
        _begun(rules[name], violations, by_event, hearing)
        for name, violations in sorted(_unknown(hearing, known), key=lambda one: _rank(rules[one[0]], one[1]))[:_RULES]
    ]
    effort = Effort(_EFFORT * len(hearing.exchanges))
    if session.subject.loopback and any(search.scenario is not None for search in searches):
        await _shrink(session, searches, hearing.observer.window)
    return tuple(_found(search, session, effort) for search in searches)


def _unknown(hearing: LiveJudge, known: Callable[[str, str], bool]) -> list[tuple[str, list[Violation]]]:
    """The rules that failed, each with its violations of causes that are not known."""
    unknown = (
        (rule, [violation for violation in violations if not known(rule, violation.cause)])
        for rule, violations in hearing.failed.items()
    )
    return [(rule, violations) for rule, violations in unknown if violations]


def _rank(rule: Rule, violations: list[Violation]) -> tuple[int, int, str]:
    """The place of a rule in the order of search: by level, then by how often it failed for one cause."""
    most = max(Counter(violation.cause for violation in violations).values())
    return LEVELS.index(rule.level), -most, rule.id


def _begun(rule: Rule, violations: list[Violation], by_event: Mapping[str, Scenario], hearing: LiveJudge) -> _Search:
    known = [violation for violation in violations if violation.event in by_event]
    if rule.about not in ("write", "batched_write", "conferencing") or not known:
        return _Search(rule, None, violations[0], hearing)
    shortest = min(known, key=lambda violation: _size(by_event[violation.event or ""]))
    return _Search(rule, by_event[shortest.event or ""], shortest, hearing)


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
        candidates = list(_in_turn(searches, shorter=round_number % 2 == 0, whole=not round_number))
        for place, (_, candidate) in enumerate(candidates):
            cost += len(candidate.steps) + 1  # with the DELETE in the end
            longest = max(longest, len(candidate.steps))
            if budget.committed + readings * longest + cost > until:
                for search, _ in candidates[place:]:
                    search.note = _NO_MORE_REQUESTS
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
        repeated = {_identity(scenario) for scenario in tries.values()}
        for search in searches:
            tried_whole = search.scenario is not None and _identity(search.scenario) in repeated
            _learn(search, hearing, tries)
            if not round_number and tried_whole and not search.replayed:
                search.note = _NOT_ALONE if is_whole else _NO_MORE_REQUESTS
        if not is_whole:
            return


def _in_turn(searches: Iterable[_Search], *, shorter: bool, whole: bool) -> Iterator[tuple[_Search, Scenario]]:
    """What is tried in a round: the smallest candidate of each search, then the next of each; nothing twice.

    With `whole`, at last the scenario that failed itself: it may pass alone.
    """
    lists = []
    for search in searches:
        if search.scenario is not None and not search.note:
            found = sorted(dict.fromkeys(shrink_candidates(search.scenario, shorter=shorter)), key=_size)[:_TRIES]
            lists.append([(search, candidate) for candidate in (*found, *([search.scenario] if whole else []))])
    seen: set[object] = set()
    for turn in zip_longest(*lists):
        for pair in turn:
            if pair is not None and _identity(pair[1]) not in seen:
                seen.add(_identity(pair[1]))
                yield pair


def _identity(scenario: Scenario) -> tuple[str, str, tuple[Step, ...]]:
    return scenario.account, scenario.calendar_id, scenario.steps


def _learn(search: _Search, hearing: LiveJudge, tries: Mapping[str, Scenario]) -> None:
    violations = hearing.failed.get(search.rule.id, ())
    failed = [(tries[one.event], one) for one in violations if one.event is not None and one.event in tries]
    if failed and search.scenario is not None:
        scenario, violation = min(failed, key=lambda pair: _size(pair[0]))
        if not search.replayed or _size(scenario) <= _size(search.scenario):
            search.scenario, search.violation = scenario, violation
            search.hearing, search.replayed = hearing, True


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
        search.rule.id,
        search.rule.title,
        search.rule.about,
        search.violation.message,
        (search.scenario,) if search.scenario is not None else (),
        tuple(exchanges),
        search.replayed,
        search.note or (_AS_RECORDED if effort.is_spent else ""),
    )
