"""Replaying a counterexample on the subject that it was found on, or on any other; generated test files call this."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from conformance.contract.selection import select_rules
from conformance.interrupts import until_interrupted
from conformance.judging.judge import Judge
from conformance.judging.verdict import Violation
from conformance.servers import campaign
from conformance.servers.campaign.subject_session import open_session
from conformance.servers.inventory import Inventory
from conformance.servers.run_options import RunOptions, tokens
from conformance.servers.scenarios import Scenario, Step
from conformance.servers.subject import Subject, parse

__all__ = ["CalendarKind", "Scenario", "Step", "violations"]

#: The kind of calendar that a scenario ran on: its provider, and whether it offers integrated conferencing.
CalendarKind = tuple[str | None, bool | None]


def violations(
    rule: str,
    *scenarios: tuple[CalendarKind, Scenario],
    subject: str = "reference",
    accounts: Mapping[str, str] | None = None,
    default_profiles: Mapping[str, str] | None = None,
    faults: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """The messages of the rule's violations when the scenarios run once more; empty if it passes.

    A scenario whose calendar does not exist runs on the most similar one.  `accounts` maps account names to the
    environment variables of their tokens, `faults` are faults of the reference server.  Without scenarios, the whole
    core table runs.  What is created is deleted.  Raises ConfigurationError and UsageError as `run` does.
    """
    variables = {} if subject == "reference" else dict(accounts or {})
    profiles = {} if subject == "reference" else dict(default_profiles or {})
    under_test = parse(subject, tokens(variables, os.environ), default_profiles=profiles, faults=faults)
    rerun = _rerun(rule, scenarios, under_test) if scenarios else _run(rule, under_test)
    return tuple(violation.message for violation in until_interrupted(rerun))


async def _rerun(
    rule: str, scenarios: tuple[tuple[CalendarKind, Scenario], ...], subject: Subject
) -> tuple[Violation, ...]:
    judge = Judge(select_rules((rule,)))
    named = () if subject.loopback else tuple(scenario.calendar_id for _, scenario in scenarios)
    async with open_session(subject, subject.settings(), judge, os.urandom(4).hex()) as session:
        await session.preflight(named)
        again = tuple(_on_similar_target(scenario, kind, session.run.inventory) for kind, scenario in scenarios)
        hearing = session.hearing = session.fresh_hearing()
        await session.subscribe({scenario.account for scenario in again})
        try:
            await session.try_scenarios(hearing, again)
        finally:
            await session.clean()
        return tuple(hearing.failed.get(rule, ()))


async def _run(rule: str, subject: Subject) -> tuple[Violation, ...]:
    result = await campaign.run(RunOptions(), subject=subject, rules=select_rules((rule,)), small=False)
    return result.report.tally(rule).violations


def _on_similar_target(scenario: Scenario, kind: CalendarKind, inventory: Inventory) -> Scenario:
    """The scenario on its own calendar, or on the first of the most similar ones."""
    targets = inventory.targets
    if not targets:
        return scenario
    provider, integrated = kind

    def difference(index: int) -> tuple[bool, bool, bool, bool]:
        account, calendar = targets[index]
        return (
            calendar.calendar_id != scenario.calendar_id,
            calendar.integrated != integrated,
            calendar.provider_name != provider,
            account.name != scenario.account,
        )

    account, calendar = targets[min(range(len(targets)), key=difference)]
    return replace(scenario, account=account.name, calendar_id=calendar.calendar_id)
