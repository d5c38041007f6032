"""The plan of a run: its scenarios, what they cost at most, and what they cannot test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from conformance.facts import Settings
from conformance.servers.inventory import Inventory
from conformance.servers.scenarios.added_scenarios import Source, added_scenarios
from conformance.servers.scenarios.core import core, waves
from conformance.servers.scenarios.covering import connected_profiles, rounds_of
from conformance.servers.scenarios.malformed_requests import MalformedRequest, core_malformed, generated_malformed
from conformance.servers.scenarios.scenario import RunContext, Scenario

__all__ = ["PROBES", "Plan", "estimated", "plan"]

#: What a run sends beside its scenarios and malformed requests, each with its words.
PROBES: Mapping[str, str] = MappingProxyType(
    {
        "access": "access without or with other tokens",
        "lists": "calendar lists after writes",
        "readings": "readings in every documented way",
        "notifications": "subscriptions to notifications",
    }
)

#: Requests of preflight and audit for one account, those of the preflight alone, and of the access checks.
_READS, _PREFLIGHT, _ACCESS = 10, 3, 32

#: Requests that try a step again which did not meet a pending event, at most: three times two or three writes, and the
#: clean-up.
_RETRIES = 12

#: The event after the malformed requests: its write and its clean-up.
_AFTER = 2

#: Readings of an account outside of the rounds, at most.
_FINAL_READINGS = 18

#: Readings of an account in a round that are usual.
_USUAL_READINGS = 8

#: Seconds that a round usually takes beside the quiet time; measured: 1 where conferences come at once, 8 where they
#: take five seconds.
_USUAL_SETTLING = 3.3

_GENERATING = ("default", "integrated", "profile")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will send: `waves` of scenarios that begin together.

    `expected` requests and `expected_seconds` are what it takes where pages are long and conferences come within five
    seconds, the latter within a factor of two; `requests` and `seconds` are upper bounds, with two events on a page and
    everything pending until the time-out.
    `generated` counts the writes that request a generated conference; `lacking` says what is not tested, and why.
    `malformed` requests are sent after the scenarios.  `probes` are the names of those of PROBES that are sent.
    `reduced_from` is the plan of which this one is what the chosen rules need; None if nothing was left out.
    """

    waves: tuple[tuple[Scenario, ...], ...]
    expected: int
    expected_seconds: float
    requests: int
    objects: int
    generated: int
    seconds: float
    lacking: tuple[str, ...]
    malformed: tuple[MalformedRequest, ...] = ()
    probes: frozenset[str] = frozenset(PROBES)
    reduced_from: Plan | None = field(default=None, repr=False)

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """All scenarios, in the order in which they begin."""
        return tuple(scenario for wave in self.waves for scenario in wave)

    @property
    def kinds(self) -> dict[str, int]:
        """How many writes there are of each kind."""
        return dict(Counter(step.kind for scenario in self.scenarios for step in scenario.steps))


def plan(
    run: RunContext,
    settings: Settings,
    examples: int = 0,
    seed: int = 0,
    *,
    malformed: bool = False,
    rate: float | None = None,
    added: Source = (),
) -> Plan:
    """The core for the run's inventory, and `examples` scenarios beyond it, drawn from `seed`.

    With `malformed`, malformed requests as well: those of the core, and `examples` beyond them.
    `rate`: how many requests a second may be sent (None: any number).  `added` are a team's own scenarios.
    Raises ConfigurationError where they do not fit the inventory.
    """
    scenarios = core(run.inventory)
    scenarios += added_scenarios(added, run.inventory, scenarios, examples, seed)
    if examples and run.inventory.targets:
        from conformance.servers.scenarios.scenario_strategies import explore

        scenarios += explore(run.inventory, examples, seed)
    bad_requests = (*core_malformed(run), *generated_malformed(run, examples, seed)) if malformed else ()
    return estimated(run, settings, scenarios, bad_requests, rate=rate)


def estimated(
    run: RunContext,
    settings: Settings,
    scenarios: Iterable[Scenario],
    malformed: tuple[MalformedRequest, ...],
    probes: Collection[str] = tuple(PROBES),
    *,
    rate: float | None = None,
    together: bool = False,
) -> Plan:
    """The plan of these scenarios, malformed requests and probes, with what it takes.

    `together`: all scenarios begin at once, as is best for a few.
    """
    scenarios = tuple(scenarios)
    groups = (scenarios,) * bool(scenarios) if together else waves(scenarios)
    rounds = max((number + rounds_of(scenario) for number, wave in enumerate(groups) for scenario in wave), default=0)
    steps = [step for scenario in scenarios for step in scenario.steps]
    accounts = max(1, len(run.inventory.accounts))
    named = sum(request.names_event for request in malformed)
    requests = len(steps) + sum(not scenario.ends_deleted for scenario in scenarios) + len(malformed) + named
    requests += _AFTER * bool(malformed)
    again = _RETRIES * sum(step.timing != "settled" for step in steps)
    reads = _PREFLIGHT * accounts + (_READS - _PREFLIGHT) * accounts * ("readings" in probes)
    reads += _ACCESS * ("access" in probes)
    readings = rounds * _readings_a_round(settings) + _FINAL_READINGS
    most = requests + again + reads + readings * (-(-len(scenarios) // 2) + accounts)
    written = len({scenario.account for scenario in scenarios})
    expected = requests + reads + _USUAL_READINGS * rounds * written
    settling = min(_USUAL_SETTLING, settings.settle_timeout) + settings.quiet
    waiting = (rounds + 1) * settling + max(0.0, (settings.window or 0.0) - settling)
    return Plan(
        groups,
        expected=expected,
        expected_seconds=waiting + (expected / rate if rate else 0.0),
        requests=most,
        objects=len(scenarios) + named + bool(malformed),
        generated=sum(step.kind in _GENERATING for step in steps),
        seconds=(rounds + 1) * (settings.settle_timeout + 2 * settings.quiet)
        + (settings.window or 0.0)
        + (most / rate if rate else 0.0),
        lacking=tuple(_lacking(run.inventory)),
        malformed=malformed,
        probes=frozenset(probes),
    )


def _readings_a_round(settings: Settings) -> int:
    """Readings between two writes if nothing settles before the time-out, at the pauses of `Polling`."""
    count, waited, pause = 3, 0.0, 0.2
    while waited < settings.settle_timeout:
        waited, pause, count = waited + pause, min(pause * 1.5, 10.0), count + 1
    return count


def _lacking(inventory: Inventory) -> Iterator[str]:
    calendars = [calendar for _, calendar in inventory.targets]
    if not any(calendar.integrated for calendar in calendars):
        yield "no calendar to write to offers integrated conferencing: accepting `integrated` is not tried"
    if not any(calendar.integrated is False for calendar in calendars):
        yield "every calendar to write to offers integrated conferencing: the refusal of `integrated` is not tried"
    for provider, service in (("google", "google_meet"), ("exchange", "ms_teams_for_business")):
        if not any(calendar.integrated and calendar.provider_name == provider for calendar in calendars):
            yield f"no calendar of the host {provider} offers integrated conferencing: {service} is not tried"
    if all(account.profiles is None for account in inventory.accounts):
        yield "userinfo lists no conferencing profiles: whatever depends on them is not tried"
    elif not any(connected_profiles(account) for account in inventory.accounts):
        yield "no account has a connected conferencing profile: naming one, and `default` preferring it, is not tried"
    elif not any(account.default_profile or len(account.profiles or ()) == 1 for account in inventory.accounts):
        yield "no account has one profile or a declared default (--default-profile): which is preferred is not known"
    if all(account.profiles for account in inventory.accounts):
        yield "every account has conferencing profiles: what `default` does without one is not tried"
    if len(inventory.accounts) < 2:
        yield "there is one account only: whether accounts are kept apart is not tried"
    if len(calendars) < 2:
        yield "there is one calendar to write to only: whether calendars are kept apart is not tried"
    if not any(account.not_writable for account in inventory.accounts):
        yield "no account lists a read-only or deleted calendar: the refusal of writes to them is not tried"
