"""Shrinking counterexamples: the simplest scenario that still fails, tried on the subject itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

from conformance.contract.rules import Rule, load
from conformance.http.exchange import Exchange
from conformance.judging.reduction import minimal_history
from conformance.judging.stream import LiveJudge
from conformance.judging.verdict import Violation
from conformance.servers.campaign.subject_session import SubjectSession
from conformance.servers.scenarios import Plan, Scenario, Step

__all__ = ["SEARCH_REQUESTS", "ScenarioCounterexample", "counterexamples", "shrink_candidates"]

#: Requests that the search may send in all.
SEARCH_REQUESTS = 240

#: Rounds of the search, and how many candidates are tried for a rule in each.
_ROUNDS, _TRIES = 4, 14

#: Seconds after which no round begins, on clocks on which time costs something.
_TIME_LIMIT = 30.0

#: The choices of a step that can be made usual without making it another kind of write.
_CHOICES = ("changed_fields", "start", "time_format", "text_variant", "url_variant", "extra_fields", "timing")

#: How many rules are searched for; the others most often fail for the same reasons.
_RULES = 12


@dataclass(frozen=True)
class ScenarioCounterexample:
    """The smallest scenario found for a failed rule, and the fewest exchanges that show the failure.

    `scenarios` is empty where the failure is not about one event's history; `replayed` says that the scenario was
    tried on the subject, and not only cut out of the recorded exchanges.
    """

    rule: str
    title: str
    about: str
    message: str
    scenarios: tuple[Scenario, ...]
    exchanges: tuple[Exchange, ...]
    replayed: bool


@dataclass(slots=True)
class _Search:
    """The search for one failed rule: the smallest scenario so far, and the violation that it showed."""

    rule: Rule
    scenario: Scenario | None
    violation: Violation
    hearing: LiveJudge
    replayed: bool = False
    done: bool = False


async def counterexamples(
    session: SubjectSession,
    hearing: LiveJudge,
    planned: Plan,
    known: Callable[[str, str], bool] = lambda rule, cause: False,
) -> tuple[ScenarioCounterexample, ...]:
    """A counterexample for each rule that failed in `hearing` for a cause that is not `known`.

    On this machine simpler scenarios are tried, within a budget of requests.  Elsewhere, or when that is spent, nothing
    is sent and the recorded exchanges are reduced.
    """
    rules = {rule.id: rule for rule in load()}
    tried = (state.scenario for scheduler in session.schedulers for state in scheduler.scenarios)
    by_event = {
        session.run.event_id(scenario): scenario for scenario in (*planned.scenarios, *tried) if not scenario.event
    }
    searches = [
        _begun(rules[name], violations, by_event, hearing)
        for name, violations in _unknown(hearing, known)[:_RULES]
        if name in rules
    ]
    if session.subject.loopback:
        await _shrink(session, searches)
    return tuple(_found(search, session) for search in searches)


def _unknown(hearing: LiveJudge, known: Callable[[str, str], bool]) -> list[tuple[str, list[Violation]]]:
    """The rules that failed, each with its violations of causes that are not known."""
    unknown = (
        (rule, [violation for violation in violations if not known(rule, violation.cause)])
        for rule, violations in hearing.failed.items()
    )
    return [(rule, violations) for rule, violations in unknown if violations]


def _begun(rule: Rule, violations: list[Violation], by_event: Mapping[str, Scenario], hearing: LiveJudge) -> _Search:
    known = [violation for violation in violations if violation.event in by_event]
    if rule.about not in ("write", "conferencing") or not known:
        return _Search(rule, None, violations[0], hearing)
    shortest = min(known, key=lambda violation: _size(by_event[violation.event or ""]))
    return _Search(rule, by_event[shortest.event or ""], shortest, hearing)


async def _shrink(session: SubjectSession, searches: list[_Search]) -> None:
    """Rounds of tries: in each, all searches try their candidates side by side."""
    until = session.transport.sent + SEARCH_REQUESTS
    clock = session.transport.clock
    deadline = clock.now() + (math.inf if clock.virtual else _TIME_LIMIT)
    number = 0
    for round_number in range(_ROUNDS):
        tries: dict[str, tuple[_Search, Scenario]] = {}
        cost = 0
        for search in searches:
            for candidate in _candidates(search, round_number):
                cost += len(candidate.steps) + 1
                if session.transport.sent + 2 * cost > until:
                    break
                number += 1
                scenario = replace(candidate, id=f"t{number:03d}", family="try")
                tries[session.run.event_id(scenario)] = (search, scenario)
        if not tries or clock.now() > deadline:
            return
        hearing = session.fresh_hearing()
        await session.try_scenarios(hearing, tuple(scenario for _, scenario in tries.values()))
        for search in searches:
            _learn(search, hearing, tries)


def _candidates(search: _Search, round_number: int) -> list[Scenario]:
    if search.scenario is None or search.done:
        return []
    found = list(dict.fromkeys(shrink_candidates(search.scenario, shorter=round_number % 2 == 0)))
    return sorted(found, key=_size)[:_TRIES]


def _learn(search: _Search, hearing: LiveJudge, tries: Mapping[str, tuple[_Search, Scenario]]) -> None:
    failed = []
    for violation in hearing.failed.get(search.rule.id, ()):
        owner, scenario = tries.get(violation.event or "", (None, None))
        if owner is search and scenario is not None:
            failed.append((scenario, violation))
    if failed:
        search.scenario, search.violation = min(failed, key=lambda pair: _size(pair[0]))
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
    return Step(step.kind, defect=step.defect, profile=step.profile)


def _size(scenario: Scenario) -> tuple[int, int]:
    """How complex a scenario is: its steps, then the choices in them that are not the usual ones."""
    unusual = sum(
        getattr(step, one.name) != getattr(Step(step.kind), one.name) for step in scenario.steps for one in fields(Step)
    )
    return len(scenario.steps), unusual


def _found(search: _Search, session: SubjectSession) -> ScenarioCounterexample:
    exchanges: Iterable[Exchange] = minimal_history(
        search.hearing.exchanges, search.rule, search.violation, session.settings
    )
    return ScenarioCounterexample(
        search.rule.id,
        search.rule.title,
        search.rule.about,
        search.violation.message,
        (search.scenario,) if search.scenario is not None else (),
        tuple(exchanges),
        search.replayed,
    )
