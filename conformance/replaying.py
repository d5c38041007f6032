"""A counterexample tried again, on the subject that it was found on or on any other: what a repro file calls."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from conformance import campaign
from conformance.campaign.session import open_session
from conformance.commands.outcome import chosen_rules
from conformance.commands.running import until_interrupted
from conformance.configuration import RunOptions, tokens
from conformance.facts import Settings
from conformance.judgement import Judge, Violation
from conformance.scenarios import Life, Move
from conformance.subject import Subject, parse
from conformance.world import World

__all__ = ["Life", "Move", "Place", "failures"]

#: Where a life was lived: its calendar's provider, and whether that offers integrated conferencing.
Place = tuple[str | None, bool | None]


def failures(
    rule: str,
    lives: tuple[tuple[Place, Life], ...],
    subject: str = "reference",
    accounts: Mapping[str, str] | None = None,
    default_profiles: Mapping[str, str] | None = None,
    faults: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """What breaks the rule when the lives are lived once more; empty where it is kept.

    A life whose calendar is not there is lived on one of the same kind.  `accounts` maps account names to the
    environment variables of their tokens, `faults` are of the reference server.  Without lives, the whole core table
    is lived.  What is created is deleted.  Raises Misconfigured and Refused as `run` does.
    """
    variables = {} if subject == "reference" else dict(accounts or {})
    profiles = {} if subject == "reference" else dict(default_profiles or {})
    under_test = parse(subject, tokens(variables, os.environ), default_profiles=profiles, faults=faults)
    again = _lived(rule, lives, under_test) if lives else _run(rule, under_test)
    return tuple(violation.message for violation in until_interrupted(again))


async def _lived(rule: str, lives: tuple[tuple[Place, Life], ...], subject: Subject) -> tuple[Violation, ...]:
    settings = Settings(
        quiet=subject.quiet,
        settle_timeout=subject.settle_timeout,
        default_profiles=dict(subject.default_profiles),
    )
    judge = Judge(chosen_rules((rule,)))
    named = () if subject.loopback else tuple(life.calendar_id for _, life in lives)
    async with open_session(subject, settings, judge, os.urandom(4).hex(), calendars=named) as session:
        hearing = session.fresh_hearing()
        try:
            await session.try_lives(hearing, tuple(_moved(life, place, session.run.world) for place, life in lives))
        finally:
            await session.clean()
        return tuple(hearing.failed.get(rule, ()))


async def _run(rule: str, subject: Subject) -> tuple[Violation, ...]:
    result = await campaign.run(RunOptions(), subject=subject, rules=chosen_rules((rule,)), small=False)
    return result.report.tally(rule).violations


def _moved(life: Life, place: Place, world: World) -> Life:
    """The life on its own calendar, or on the first one that is most like it."""
    places = world.places
    if not places:
        return life
    provider, integrated = place

    def unlike(index: int) -> tuple[bool, bool, bool, bool]:
        account, calendar = places[index]
        return (
            calendar.calendar_id != life.calendar_id,
            calendar.integrated != integrated,
            calendar.provider_name != provider,
            account.name != life.account,
        )

    account, calendar = places[min(range(len(places)), key=unlike)]
    return replace(life, account=account.name, calendar_id=calendar.calendar_id)
