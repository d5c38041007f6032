"""A counterexample tried again, on the subject that it was found on or on any other: what a repro file calls."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from conformance.contract.selection import select_rules
from conformance.facts import Settings
from conformance.interrupts import until_interrupted
from conformance.judging.judge import Judge
from conformance.judging.verdict import Violation
from conformance.servers import campaign
from conformance.servers.campaign.campaign_session import open_session
from conformance.servers.inventory import Inventory
from conformance.servers.run_options import RunOptions, tokens
from conformance.servers.scenarios import Scenario, Step
from conformance.servers.subject import Subject, parse

__all__ = ["Place", "Scenario", "Step", "violations"]

#: Where a scenario was lived: its calendar's provider, and whether that offers integrated conferencing.
Place = tuple[str | None, bool | None]


def violations(
    rule: str,
    *scenarios: tuple[Place, Scenario],
    subject: str = "reference",
    accounts: Mapping[str, str] | None = None,
    default_profiles: Mapping[str, str] | None = None,
    faults: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """What breaks the rule when the scenarios are run once more; empty where it is kept.

    A scenario whose calendar is not there runs on one of the same kind.  `accounts` maps account names to the
    environment variables of their tokens, `faults` are of the reference server.  Without scenarios, the whole core table
    is run.  What is created is deleted.  Raises ConfigurationError and UsageError as `run` does.
    """
    variables = {} if subject == "reference" else dict(accounts or {})
    profiles = {} if subject == "reference" else dict(default_profiles or {})
    under_test = parse(subject, tokens(variables, os.environ), default_profiles=profiles, faults=faults)
    again = _rerun(rule, scenarios, under_test) if scenarios else _run(rule, under_test)
    return tuple(violation.message for violation in until_interrupted(again))


async def _rerun(rule: str, scenarios: tuple[tuple[Place, Scenario], ...], subject: Subject) -> tuple[Violation, ...]:
    settings = Settings(
        quiet=subject.quiet,
        settle_timeout=subject.settle_timeout,
        default_profiles=dict(subject.default_profiles),
    )
    judge = Judge(select_rules((rule,)))
    named = () if subject.loopback else tuple(scenario.calendar_id for _, scenario in scenarios)
    async with open_session(subject, settings, judge, os.urandom(4).hex(), calendars=named) as session:
        hearing = session.fresh_hearing()
        try:
            await session.try_scenarios(
                hearing, tuple(_moved(scenario, place, session.run.inventory) for place, scenario in scenarios)
            )
        finally:
            await session.clean()
        return tuple(hearing.failed.get(rule, ()))


async def _run(rule: str, subject: Subject) -> tuple[Violation, ...]:
    result = await campaign.run(RunOptions(), subject=subject, rules=select_rules((rule,)), small=False)
    return result.report.tally(rule).violations


def _moved(scenario: Scenario, place: Place, inventory: Inventory) -> Scenario:
    """The scenario on its own calendar, or on the first one that is most like it."""
    targets = inventory.targets
    if not targets:
        return scenario
    provider, integrated = place

    def unlike(index: int) -> tuple[bool, bool, bool, bool]:
        account, calendar = targets[index]
        return (
            calendar.calendar_id != scenario.calendar_id,
            calendar.integrated != integrated,
            calendar.provider_name != provider,
            account.name != scenario.account,
        )

    account, calendar = targets[min(range(len(targets)), key=unlike)]
    return replace(scenario, account=account.name, calendar_id=calendar.calendar_id)
