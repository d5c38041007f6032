"""A rehearsal: a plan is run on the reference server first, which has the subject's own calendars and profiles.

It tells which part of the plan decides which rules, and shows which known faults.  What the chosen rules do not need is
left out; the rest is rehearsed as well, so that what is sent is known to decide them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from conformance.clock import VirtualClock
from conformance.contract.rules import Rule, load
from conformance.facts import Facts, Settings
from conformance.http.exchange import Exchange
from conformance.judging.circumstances import SETTLED, circumstances
from conformance.judging.judge import Judge
from conformance.judging.strength import known_faults
from conformance.judging.verdict import Verdict
from conformance.reference import (
    External,
    ReferenceAccount,
    ReferenceCalendar,
    ReferenceInventory,
    ReferenceProfile,
    reference_app,
)
from conformance.servers.campaign.subject_session import SubjectSession, open_session
from conformance.servers.inventory import Account, Calendar, Inventory
from conformance.servers.scenarios.core import core
from conformance.servers.scenarios.needed import MALFORMED, Needed, Piece, needed
from conformance.servers.scenarios.plan import PROBES, Plan, estimated
from conformance.servers.scenarios.scenario import RunContext, Scenario
from conformance.servers.scenarios.scenario_values import GENERATING
from conformance.servers.subject import EPOCH, in_process

__all__ = ["reduced"]

#: Events on a page of the rehearsal: few enough for it to have several pages.
_PAGE_SIZE = 8

#: How often what turns out to be missing is added, before nothing is left out.
_ATTEMPTS = 4

#: Events of an account that make more than one page, and how many there must be for some operations.
_ENOUGH = _PAGE_SIZE + 4
_EVENTS_OF = {"page": _ENOUGH, "delete": 1}

#: Of how many events the conferences of an account are compared.
_DEFAULTS = 4

#: What is to be shown beside the rules where events are watched: how long a conference takes to come tells how long
#: what must never come is awaited.
_SETTLING = "a conference that is generated"

#: Facts whose key names the event that they are about.
_OF_AN_EVENT = ("write", "conferencing", "notification", "batched_write")


async def reduced(
    plan: Plan, run: RunContext, rules: Iterable[Rule], settings: Settings, *, rate: float | None = None
) -> Plan:
    """Of `plan`, what decides `rules` in all their coverage classes and shows all of their known faults.

    `run` is the run that the plan was made for.  Scenarios that do not belong to the core were asked for: they stay.
    """
    rules = tuple(rules)
    own = {scenario.id for scenario in core(run.inventory)}
    asked_for = [scenario for scenario in plan.scenarios if scenario.id not in own]
    standard = estimated(run, settings, [one for one in plan.scenarios if one.id in own], plan.malformed)

    def plan_of(chosen: Needed, others: list[Scenario]) -> Plan:
        return estimated(
            run,
            settings,
            [*(one for one in standard.scenarios if one.id in chosen.scenarios), *others],
            plan.malformed if MALFORMED in chosen.probes else (),
            chosen.probes & PROBES.keys(),
            rate=rate,
            together=True,
        )

    pieces = await _rehearse(standard, run, rules)
    shown = tuple(piece for piece in pieces if _SETTLING not in piece.shows)
    pieces = pieces if any(piece.scenarios for piece in shown) else shown
    wanted = {one for piece in pieces for one in piece.shows if not isinstance(one, _Kind)}
    chosen = needed(standard, pieces)
    for attempt in range(1, _ATTEMPTS + 1):
        again = await _rehearse(plan_of(chosen, []), run, rules)
        missing = wanted - {one for piece in again for one in piece.shows}
        if not missing:
            return replace(plan_of(chosen, asked_for), reduced_from=plan)
        _add(chosen, pieces, missing, 1 + attempt)
    return plan


def _add(chosen: Needed, pieces: tuple[Piece, ...], missing: set[Hashable], times: int) -> None:
    """Choose the next best of what shows in the whole what is missing in the part.

    Where that is the same, more events: `times` as many, as a reading may be of some of the calendars only.
    """
    more = [replace(piece, events=times * piece.events) for piece in pieces]
    for goal in sorted(missing, key=repr):
        others = [piece for piece in (*pieces, *more) if goal in piece.shows and any(chosen.lacks(piece))]
        if others:
            chosen.take(min(others, key=lambda piece: chosen.cost(*chosen.lacks(piece))))


async def _rehearse(plan: Plan, run: RunContext, rules: tuple[Rule, ...]) -> tuple[Piece, ...]:
    """The evidence of a run of `plan` on the reference server."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, page_size=_PAGE_SIZE, inventory=_inventory(run.inventory))
    own = in_process(app, app.tokens, clock=clock, default_profiles=app.default_profiles)
    subject = replace(own, kind="reference", client_secrets=app.client_secrets)
    evidence = _Evidence(_judge(), frozenset(rule.id for rule in rules))
    async with open_session(
        subject, subject.settings(), evidence, run.id, sink=lambda exchange: evidence.sent(exchange, session.part)
    ) as session:
        assert session.hearing is not None
        await session.preflight()
        session.run = replace(
            session.run, inventory=replace(run.inventory, shows_time=session.run.inventory.shows_time)
        )
        await session.carry_out(session.scheduler(session.hearing), plan, lambda part: None)
        session.hearing.close()
        return tuple(evidence.pieces(session, plan))


@dataclass
class _Evidence:
    """Judges by the `chosen` rules, and keeps what was decided by what, by any rule."""

    judge: Judge
    chosen: frozenset[str]
    parts: dict[str, str] = field(default_factory=dict)
    notified: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decided: list[tuple[Facts, tuple[Verdict, ...]]] = field(default_factory=list)

    def __call__(self, facts: Facts) -> tuple[Verdict, ...]:
        judgement = self.judge(facts)
        if facts.about == "notification" and facts.document["arrived"]:
            self.notified.setdefault(str(facts.document.get("requested")), facts.key[1:4])
        if facts.closed and any(verdict.outcome == "passed" for verdict in judgement):
            self.decided.append((facts, judgement))
        return tuple(verdict for verdict in judgement if verdict.rule in self.chosen)

    def sent(self, exchange: Exchange, part: str) -> None:
        self.parts[exchange.label] = part

    def pieces(self, session: SubjectSession, plan: Plan) -> Iterable[Piece]:
        ids = {scenario.id for scenario in plan.scenarios}
        scenarios: dict[tuple[str, ...], Scenario] = {}
        events: dict[tuple[str, ...], str] = {}
        for state in session.schedulers[0].scenarios:
            origin = state.scenario.id.partition("-")[0]  # a step that came too late is tried again in another one
            if origin in ids:
                key = (state.scenario.account, state.scenario.calendar_id, state.entry.event_id)
                scenarios[key], events[key] = state.scenario, origin
        # What is pending is awaited to the end only after the last write of an event.
        last = {event: str(len(scenario.steps)) for event, scenario in scenarios.items()}
        ways = _ways(self.chosen)
        for facts, judgement in self.decided:
            piece = self._needs(facts, events, plan, session.run)
            if piece is not None:
                shows = _shows(facts, judgement, self.chosen, ways, _kind(facts, scenarios))
                if shows:
                    yield replace(piece, shows=shows)
                if _is_generated(facts) and facts.key[4] == last[facts.key[1:4]]:
                    yield replace(piece, shows=frozenset({_SETTLING}))

    def _needs(self, facts: Facts, events: Mapping[tuple[str, ...], str], plan: Plan, run: RunContext) -> Piece | None:
        """The parts that facts rest on; None where they belong to no part of the plan."""
        nothing = frozenset[Hashable]()
        part = self.parts.get(facts.evidence[0].label, "scenarios") if facts.evidence else "scenarios"
        if facts.about in _OF_AN_EVENT:
            scenario = events.get(facts.key[1:4])
            if scenario is not None:
                subscribes = facts.about == "notification" or "subscriptions" in facts.document
                also = frozenset({"notifications"} if subscribes else ())
                return Piece(nothing, frozenset({scenario, self._beside(facts, events) or scenario}), also)
            return None if part == "scenarios" else Piece(nothing, probes=frozenset({part}))
        account = str(facts.document.get("account") or (facts.key[1] if len(facts.key) > 1 else ""))
        if facts.about == "account":
            return Piece(nothing, self._defaults(account, plan))
        if facts.about == "reading":
            if part == "readings":  # what a filter leaves out must be there too
                return Piece(nothing, probes=frozenset({part}), account=account, events=_ENOUGH)
            return Piece(nothing, account=account, events=min(int(facts.document.get("items", 0)), _ENOUGH))
        if part == "scenarios":
            return self._of_exchange(facts, events)
        if part == "preflight":
            return Piece(nothing)
        operation = facts.document.get("operation")
        events_read = _EVENTS_OF.get(str(operation), 0) if part in ("access", "readings") else 0
        account = run.inventory.targets[0].account.name if events_read else ""
        return Piece(nothing, probes=frozenset({part}), account=account, events=events_read)

    def _beside(self, facts: Facts, events: Mapping[tuple[str, ...], str]) -> str | None:
        """For a notification a scenario that asks for another kind: that nothing comes is known where something did."""
        if facts.about != "notification":
            return None
        others = (key for requested, key in self.notified.items() if requested != facts.document.get("requested"))
        return events.get(next(others, ()))

    def _defaults(self, account: str, plan: Plan) -> frozenset[str]:
        """A few scenarios that request `default` conferencing in one account."""
        own = [
            scenario
            for scenario in plan.scenarios
            if scenario.account == account and any(step.kind == "default" for step in scenario.steps)
        ]
        return frozenset(scenario.id for scenario in sorted(own, key=lambda one: len(one.steps))[:_DEFAULTS])

    def _of_exchange(self, facts: Facts, events: Mapping[tuple[str, ...], str]) -> Piece | None:
        """What an exchange among the scenarios needs: those of the events that it writes, or any events."""
        document = facts.document
        body = document.get("request", {}).get("json")
        bodies = [entry["data"] for entry in body.get("batch", ())] + [body] if isinstance(body, dict) else []
        written = {one.get("event_id") for one in bodies}
        own = frozenset(scenario for (_, _, event_id), scenario in events.items() if event_id in written)
        if own:
            return Piece(frozenset(), own)
        events_read = _EVENTS_OF.get(str(document.get("operation")), 1)
        return Piece(frozenset(), account=facts.evidence[0].request.account or "", events=events_read)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A rule that passed for this kind of request, or for a value that it led to; when that is read is up to time."""

    rule: str
    kind: str


_Ways = Mapping[str, list[tuple[Hashable, frozenset[str]]]]


@cache
def _judge() -> Judge:
    return Judge(tuple(rule for rule in load() if rule.applies_to == "server"))


@cache
def _failing() -> Mapping[str, tuple[str, ...]]:
    """The rules that fail for each known fault."""
    text = resources.files("conformance.reference").joinpath("detection_matrix.json").read_text(encoding="utf-8")
    return {fault: tuple(rules) for fault, rules in json.loads(text).items()}


def _ways(chosen: Collection[str]) -> _Ways:
    """By rule, the ways in which the known faults show for which one of the chosen rules fails.

    What is known of the other rules of a fault counts where nothing is known of the chosen ones.
    """
    found: defaultdict[str, list[tuple[Hashable, frozenset[str]]]] = defaultdict(list)
    for fault in known_faults():
        if not set(_failing().get(fault.name, ())).isdisjoint(chosen):
            own = [way for way in fault.ways if way.rule in chosen]
            for way in own or fault.ways:
                found[way.rule].append((("fault", fault.name), way.needs - {SETTLED}))
    return found


def _shows(
    facts: Facts, judgement: tuple[Verdict, ...], chosen: Collection[str], ways: _Ways, kind: str | None
) -> frozenset[Hashable]:
    """What facts show: the chosen rules that they pass, in which classes, and the faults that they would have shown.

    `kind` is that of the request whose value this is, if it is one.
    """
    here = circumstances(facts)
    shown: set[Hashable] = set()
    for verdict in judgement:
        if verdict.outcome == "passed":
            if verdict.rule in chosen:
                shown.add(("rule", verdict.rule))
                shown.update(("class", verdict.rule, case) for case in verdict.cases)
                shown.update({_Kind(verdict.rule, kind)} if kind else ())
            shown.update(name for name, needs in ways.get(verdict.rule, ()) if needs <= here)
    return frozenset(shown)


def _kind(facts: Facts, scenarios: Mapping[tuple[str, ...], Scenario]) -> str | None:
    """What such facts do not say: to which request the first value of an event is owed, or what a request left out."""
    if facts.about == "exchange":
        event = facts.document.get("request", {}).get("json")
        conferencing = event.get("conferencing") if isinstance(event, dict) else None
        if not isinstance(conferencing, dict):
            return None
        requested = conferencing.get("profile_id")
        return " ".join(("explicit" if requested == "explicit" else "another", *sorted(conferencing)))
    scenario = scenarios.get(facts.key[1:4])
    if scenario is None or facts.about != "conferencing" or facts.key[4] != "1":
        return None
    first = scenario.steps[0].kind
    return first if first in ("explicit", *GENERATING) else None


def _is_generated(facts: Facts) -> bool:
    """Whether these are the facts of a write that, as it must, generated a conference, which was awaited to the end."""
    document = facts.document
    settled = document.get("after", {}).get("stable", {})
    generates = document.get("requested") in ("default", "integrated", "profile") and document.get("start") == "future"
    return facts.about == "write" and generates and settled.get("state") == "assigned"


def _inventory(inventory: Inventory) -> ReferenceInventory:
    return ReferenceInventory(tuple(_account(account) for account in inventory.accounts))


def _account(account: Account) -> ReferenceAccount:
    profiles = tuple(
        ReferenceProfile(one.profile_id, one.provider_name or "zoom", one.profile_id, one.connected is not False)
        for one in account.profiles or ()
    )
    others = tuple(
        External(f"evt_{account.name}_{number}", calendar.calendar_id, "Lunch", number * 26 * 3600.0, 3600.0)
        for number, calendar in enumerate(account.calendars[:2], 1)
    )
    calendars = tuple(map(_calendar, account.calendars))
    return ReferenceAccount(account.name, calendars, profiles, account.default_profile, others)


def _calendar(calendar: Calendar) -> ReferenceCalendar:
    provider = calendar.provider_name or "google"
    service = "google_meet" if provider == "google" else "ms_teams_for_business"
    return ReferenceCalendar(
        calendar.calendar_id,
        calendar.calendar_id,
        provider,
        provider,
        service if calendar.integrated else None,
        readonly=calendar.readonly,
        deleted=calendar.deleted,
    )
