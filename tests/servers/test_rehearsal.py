"""Only what is needed is sent: a rehearsal on the reference server tells what decides the chosen rules."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest

from conformance.cli.plan_text import plan_text
from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.judging.strength import strength
from conformance.reference import INVENTORY, reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.campaign.scheduler import Scheduler
from conformance.servers.run_options import RunOptions, default_examples
from conformance.servers.scenarios.needed import MALFORMED, Piece, needed
from conformance.servers.scenarios.plan import estimated
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step
from conformance.servers.subject import EPOCH, in_process


def result_of(*faults: str, rules: tuple[str, ...] = (), quick: bool = False) -> RunResult:
    return asyncio.run(run(RunOptions(faults=faults, rules=rules, quick=quick), small=False))


@cache
def whole() -> RunResult:
    return result_of()


@pytest.mark.parametrize(
    "rule",
    [
        "explicit-is-kept",
        "none-removes-conferencing",
        "a-missing-token-is-answered-401",
        "a-reading-is-limited-to-its-time",
        "every-page-can-be-read",
        "a-validation-error-is-answered-422",
        "managed-events-are-listed-when-requested",
        "nothing-is-notified-as-assigned-where-nothing-is-generated",
        "subscriptions-are-accepted",
    ],
)
def test_one_rule_is_decided_in_all_its_classes_by_a_quarter_of_the_requests(rule: str) -> None:
    result = result_of(rules=(rule,))
    assert result.report.tally(rule).outcome == "passed"
    assert set(result.report.tally(rule).cases) == set(whole().report.tally(rule).cases)
    assert result.run["requests"] * 4 <= whole().run["requests"]


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("explicit-url-lower-cased", "explicit-is-kept"),
        ("next-page-open-to-anyone", "an-unknown-token-is-answered-401"),
        ("page-two-is-page-one", "a-reading-lists-each-event-once"),
        ("notifications-wrongly-signed", "a-notification-is-signed"),
        ("pending-as-text-for-explicit", "conferencing-is-an-object"),
        # What a request left out, and that something else was notified.
        ("crash-without-join-url", "a-server-error-is-temporary"),
        ("integrated-not-notified", "an-assignment-is-notified"),
    ],
)
def test_a_fault_is_still_caught_by_its_rule_alone(fault: str, rule: str) -> None:
    assert result_of(fault, rules=(rule,)).report.tally(rule).outcome == "failed"


@pytest.mark.parametrize(
    ("fault", "rule", "settle"),
    [
        ("past-generates", "a-past-event-is-created-without-a-conference", 40.0),
        ("past-generates-for-a-moment", "a-past-event-is-not-given-a-conference", 12.0),
        # The only conference of the plan is deleted while it is pending, unless another one is awaited to the end.
        ("past-generates-late", "a-past-event-is-created-without-a-conference", 12.0),
        # What tells the window comes after the deletion was given up.
        ("delete-undone-later", "a-deleted-event-goes", 12.0),
    ],
)
def test_what_must_never_come_is_awaited_as_long_as_what_comes_takes(
    fault: str, rule: str, settle: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_: Scheduler, accounts: object) -> None:
        """A real clock has no such readings."""

    monkeypatch.setattr(Scheduler, "final_reads", nothing)
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, settle=settle, faults=(fault,))
    subject = in_process(app, {"default": app.tokens["default"]}, clock=clock)
    result = asyncio.run(run(RunOptions(rules=(rule,), settle_timeout=120.0), subject=subject, small=False))
    assert result.report.tally(rule).outcome == "failed"


def test_quick_decides_every_rule_and_shows_as_many_faults_with_fewer_requests() -> None:
    quick = result_of(quick=True)
    assert {rule for rule, tally in quick.report.tallies.items() if tally.outcome != "passed"} == set()
    assert quick.run["requests"] <= 0.65 * whole().run["requests"]
    caught = {fault.name for fault in strength(quick.report.exercised, waits=True).caught}
    assert {fault.name for fault in strength(whole().report.exercised, waits=True).caught} <= caught


def test_a_plan_says_what_it_leaves_out() -> None:
    options = RunOptions(plan=True, rules=("none-removes-conferencing",))
    result = asyncio.run(run(options, small=False))
    [said] = [
        line for line in plan_text(result).splitlines() if line.startswith("This is what the chosen rules need: ")
    ]
    count = len(result.plan.scenarios)
    assert said.startswith(f"This is what the chosen rules need: {count} of ")
    assert "readings in every documented way" in said
    assert said.endswith("malformed requests.")
    assert {one.request.method for one in result.exchanges} == {"GET"}


def test_what_an_inventory_cannot_show_is_not_sent_for() -> None:
    """One calendar without integrated conferencing, in an account without profiles."""
    account = INVENTORY.by_name["default"]
    calendar = account.calendars[4]
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock)
    subject = in_process(app, {"default": app.tokens["default"]}, clock=clock)
    rules = ("explicit-is-kept", "default-uses-the-conferencing-profile")
    options = RunOptions(calendars=(calendar.calendar_id,), rules=rules)
    result = asyncio.run(run(options, subject=subject, small=False))
    assert [result.report.tally(rule).outcome for rule in rules] == ["passed", "untested"]
    assert result.plan.reduced_from is not None
    assert len(result.plan.scenarios) * 2 < len(result.plan.reduced_from.scenarios)


def test_nothing_is_explored_where_only_what_is_needed_is_sent() -> None:
    for options in (RunOptions(quick=True), RunOptions(rules=("explicit-is-kept",))):
        assert default_examples(options, in_virtual_time=True, loopback=True) == 0


# -- the choice, without a server -------------------------------------------------------------------

SCENARIOS = (
    Scenario("long", "one", "cal", (Step("default"), Step("none"), Step("explicit"))),
    Scenario("short", "one", "cal", (Step("explicit"),)),
    Scenario("other", "two", "tac", (Step("explicit"),)),
    Scenario("here", "one", "cal", (Step("explicit"),), "isolated", "shared"),
    Scenario("there", "two", "tac", (Step("none"),), "isolated", "shared"),
)
PLAN = estimated(RunContext("r", EPOCH), Settings(), SCENARIOS, ())


def of(shows: str, *scenarios: str, probes: tuple[str, ...] = (), events: int = 0) -> Piece:
    return Piece(frozenset(shows), frozenset(scenarios), frozenset(probes), "one" if events else "", events)


@pytest.mark.parametrize(
    ("pieces", "scenarios", "probes"),
    [
        ([of("a", "long"), of("a", "short")], {"short"}, set()),
        ([of("abc", "long"), of("a", "short"), of("b", "other")], {"long"}, set()),
        ([of("a", probes=("readings",)), of("a", "short")], {"short"}, set()),
        ([of("a", probes=(MALFORMED,))], set(), {MALFORMED}),
        ([of("a", "here")], {"here", "there"}, set()),
        ([of("a", probes=("access",), events=2)], {"short", "here", "there"}, {"access"}),
        ([of("a")], set(), set()),
        ([of("a", "short"), of("a", "other", events=1)], {"short"}, set()),
    ],
)
def test_the_cheapest_parts_are_chosen_that_show_all(
    pieces: list[Piece], scenarios: set[str], probes: set[str]
) -> None:
    chosen = needed(PLAN, pieces)
    assert chosen.shown(pieces) == {one for piece in pieces for one in piece.shows}
    assert chosen.probes == probes
    if not any(piece.events for piece in pieces):
        assert chosen.scenarios == scenarios
    else:
        assert len(chosen.scenarios) <= len(scenarios)


def test_what_became_superfluous_is_given_up() -> None:
    pieces = [of("ab", "short"), of("cd", "other"), of("abcdefgh", "long")]
    assert needed(PLAN, pieces).scenarios == {"long"}


# -- the first failure --------------------------------------------------------------------------------


def test_fail_fast_ends_at_the_first_failure_that_counts_and_cleans_up() -> None:
    fault = "8x8-refused"
    slow = result_of(fault)
    fast = asyncio.run(run(RunOptions(faults=(fault,), fail_fast=True), small=False))
    assert fast.report.tally("8x8-is-accepted").outcome == "failed"
    assert fast.cut_short == "it ended at the first failure that counts, of 8x8-is-accepted (--fail-fast)"
    assert fast.run["requests"] * 2 < slow.run["requests"]
    assert fast.left == ()


def test_fail_fast_does_not_end_for_what_does_not_count_or_is_known() -> None:
    weaker = next(rule for rule in load() if rule.id == "a-blank-location-holds-the-join-url-or-nothing")
    assert weaker.level != "must"
    options = RunOptions(faults=("location-is-meeting-beside-conferencing",), fail_fast=True, rules=(weaker.id,))
    assert asyncio.run(run(options, small=False)).cut_short is None
    known = RunOptions(faults=("8x8-refused",), fail_fast=True, rules=("8x8-is-accepted",), baseline=Path("known.toml"))
    assert asyncio.run(run(known, small=False, known=lambda rule, cause: True)).cut_short is None
