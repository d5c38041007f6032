"""Counterexamples made small: the shortest scenario that still shows a failure, tried on the subject itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

from conformance.contract.rules import Rule, load
from conformance.http.exchange import Exchange
from conformance.judging.reduction import minimal_history
from conformance.judging.stream import LiveJudge
from conformance.judging.verdict import Violation
from conformance.servers.campaign.campaign_session import SubjectSession
from conformance.servers.scenarios import Plan, Scenario, Step

__all__ = ["SEARCH_REQUESTS", "ScenarioCounterexample", "counterexamples", "simpler"]

#: What the search may send in all.
SEARCH_REQUESTS = 240

#: How many rounds of tries the search takes, and how many tries a rule has in each.
_ROUNDS, _TRIES = 4, 14

#: Seconds after which no other round begins, where time costs something.
_PATIENCE = 30.0

#: How many rules are looked into; the others most often fail for the same reasons.
_RULES = 12


@dataclass(frozen=True)
class ScenarioCounterexample:
    """The smallest scenario found for a failed rule, and the fewest exchanges that show the failure.

    `scenarios` is empty where the failure is not about what became of an event; `replayed` says that the scenario was
    tried on the subject, not only cut out of what was recorded.
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
    """What is known of one failed rule: the smallest scenario so far, and where it was seen to fail."""

    rule: Rule
    scenario: Scenario | None
    violation: Violation
    hearing: LiveJudge
    replayed: bool = False
    done: bool = False


async def counterexamples(
    session: SubjectSession, hearing: LiveJudge, planned: Plan
) -> tuple[ScenarioCounterexample, ...]:
    """A counterexample for each rule that failed in `hearing`.

    On this machine scenarios are made shorter and tried again, within a budget of requests; elsewhere, or when that is
    spent, the recorded history is cut down and nothing is sent.
    """
    rules = {rule.id: rule for rule in load()}
    by_event = {session.run.event_id(scenario): scenario for scenario in planned.scenarios if not scenario.event}
    searches = [
        _begun(rules[name], violations, by_event, hearing)
        for name, violations in list(hearing.failed.items())[:_RULES]
        if violations and name in rules
    ]
    if session.subject.loopback:
        await _shrink(session, searches)
    return tuple(_found(search, session) for search in searches)


def _begun(rule: Rule, violations: list[Violation], by_event: Mapping[str, Scenario], hearing: LiveJudge) -> _Search:
    known = [violation for violation in violations if violation.event in by_event]
    if rule.about not in ("write", "conferencing") or not known:
        return _Search(rule, None, violations[0], hearing)
    shortest = min(known, key=lambda violation: _size(by_event[violation.event or ""]))
    return _Search(rule, by_event[shortest.event or ""], shortest, hearing)


async def _shrink(session: SubjectSession, searches: list[_Search]) -> None:
    """Rounds of tries: in each, all searches try what would be simpler, side by side."""
    until = session.transport.sent + SEARCH_REQUESTS
    clock = session.transport.clock
    patience = clock.now() + (math.inf if clock.virtual else _PATIENCE)
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
        if not tries or clock.now() > patience:
            return
        hearing = session.fresh_hearing()
        await session.try_scenarios(hearing, tuple(scenario for _, scenario in tries.values()))
        for search in searches:
            _learn(search, hearing, tries)


def _candidates(search: _Search, round_number: int) -> list[Scenario]:
    if search.scenario is None or search.done:
        return []
    found = list(dict.fromkeys(simpler(search.scenario, parts=round_number % 2 == 0)))
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


def simpler(scenario: Scenario, *, parts: bool) -> Iterator[Scenario]:
    """Lives that are simpler than this one: with fewer steps (`parts`), or with plainer ones."""
    steps = scenario.steps
    if parts:
        for end in range(1, len(steps)):
            yield from _valid(scenario, steps[:end])
            yield from _valid(scenario, steps[end:])
        for place in range(len(steps)):
            yield from _valid(scenario, (steps[place],))
            yield from _valid(scenario, steps[:place] + steps[place + 1 :])
        for first in range(len(steps)):
            for second in range(first + 1, len(steps)):
                yield from _valid(scenario, (steps[first], steps[second]))
        return
    plain = tuple(_plain(step) for step in steps)
    if plain != steps:
        yield replace(scenario, steps=plain)
    for place, step in enumerate(steps):
        for name in (
            "changed_fields",
            "start",
            "time_format",
            "text_variant",
            "url_variant",
            "extra_fields",
            "immediate",
        ):
            usual = getattr(Step(step.kind), name)
            if getattr(step, name) != usual:
                yield replace(scenario, steps=(*steps[:place], replace(step, **{name: usual}), *steps[place + 1 :]))
        if step.kind in ("default", "integrated", "profile") and step != _plain(step):
            yield replace(scenario, steps=(*steps[:place], Step("explicit"), *steps[place + 1 :]))


def _valid(scenario: Scenario, steps: tuple[Step, ...]) -> Iterator[Scenario]:
    if steps and steps[0].kind != "delete" and len(steps) < len(scenario.steps):
        yield replace(scenario, steps=(replace(steps[0], immediate=False), *steps[1:]))


def _plain(step: Step) -> Step:
    return Step(step.kind, defect=step.defect, profile=step.profile)


def _size(scenario: Scenario) -> tuple[int, int]:
    """How much there is to understand: the steps, then what in them is not as usual."""
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
