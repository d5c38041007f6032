"""Steps that are meant to meet a pending event: when they are sent, what comes of those that met none."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.http.exchange import Exchange
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.campaign.pending_steps import PendingCase, PendingSteps
from conformance.servers.coverage import unmet_coverage
from conformance.servers.run_options import RunOptions
from conformance.servers.scenarios import RunContext, Scenario, Step
from conformance.servers.scenarios.scenario_values import GENERATING
from conformance.servers.subject import EPOCH, in_process

ACCOUNTS = ("default", "profiles", "several")


def result_of(*variations: str, accounts: tuple[str, ...] = ACCOUNTS) -> RunResult:
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, variations=variations, page_size=100)
    tokens = {name: app.tokens[name] for name in accounts}
    return asyncio.run(run(RunOptions(), subject=in_process(app, tokens, clock=clock), small=False))


@pytest.fixture(scope="module")
def three() -> RunResult:
    """A run against the reference server with three of its accounts."""
    return result_of()


def shown(exchange: Exchange, event_id: str) -> Any:
    """The conferencing that a reading shows of an event."""
    assert exchange.response is not None
    items = {item.get("event_id"): item for item in exchange.response.json()["events"]}
    return items.get(event_id, {}).get("conferencing")


def writes_and_readings(result: RunResult, scenario: Scenario) -> list[Any]:
    """The writes of a scenario as ``written``, and between them what readings showed of its event."""
    event_id = RunContext(result.run["id"], 0.0, result.inventory).event_id(scenario)
    events: list[Any] = []
    for exchange in result.exchanges:
        if exchange.request.account != scenario.account:
            continue
        if exchange.request.method == "GET":
            if "only_managed" in exchange.request.url and exchange.response and exchange.response.status == 200:
                events.append(shown(exchange, event_id))
        elif json.loads(exchange.request.body or b"{}").get("event_id") == event_id:
            events.append("written")
    return events


def test_three_accounts_cost_less_than_460_exchanges(three: RunResult) -> None:
    assert three.run["exchanges"] < 460


def test_every_kind_of_write_is_sent_while_each_kind_of_conference_is_pending(three: RunResult) -> None:
    pairs = {
        (before.kind, "refused" if step.defect else step.kind)
        for scenario in three.plan.scenarios
        for before, step in zip(scenario.steps, scenario.steps[1:], strict=False)
        if step.timing == "while-pending"
    }
    assert {
        (kind, then) for kind in GENERATING for then in ("none", "delete", "omitted", "explicit", "refused")
    } <= pairs
    assert pairs >= {("default", "integrated"), ("integrated", "profile"), ("profile", "default")}


def test_a_step_while_pending_is_sent_when_a_reading_first_shows_that(three: RunResult) -> None:
    for scenario in three.plan.scenarios:
        if scenario.family != "while-pending":
            continue
        told = writes_and_readings(three, scenario)
        writes = [place for place, one in enumerate(told) if one == "written"]
        for number, step in enumerate(scenario.steps):
            if step.timing == "while-pending":
                between = told[writes[number - 1] + 1 : writes[number]]
                assert [one for one in between if one != {"pending": True}] == []
                assert len(between) == 1


def test_where_everything_was_pending_nothing_is_tried_again(three: RunResult) -> None:
    assert three.unmet == ()


def test_where_nothing_is_ever_pending_that_is_a_gap_and_no_failure() -> None:
    result = result_of("no-pending", accounts=("profiles",))
    assert {tally.outcome for tally in result.report.tallies.values()} <= {"passed", "untested"}
    assert PendingCase("while-pending", "default", "none") in result.unmet
    assert PendingCase("back-to-back", "default", "none") in result.unmet
    gaps = dict(unmet_coverage(result.unmet, result.rules))
    assert (
        "a write with the profile_id none while default or integrated or profile is pending"
        in gaps["none-removes-conferencing"]
    )
    assert unmet_coverage(result.unmet, ()) == ()


def test_the_rules_of_the_gaps_are_rules_of_servers() -> None:
    kinds = ("none", "explicit", "omitted", "delete", "default", "integrated", "profile", "null-url")
    cases = [PendingCase("while-pending", "default", kind) for kind in kinds]
    rules = [rule for rule in load() if rule.applies_to == "server"]
    assert len(unmet_coverage(cases, rules)) == len(kinds)


SCENARIO = Scenario("a1", "default", "cal_1", (Step("default"), Step("none", timing="while-pending")), "while-pending")
LATE = Scenario("b1", "default", "cal_1", (Step("default"), Step("none", timing="back-to-back")), "back-to-back")
CASE = PendingCase("while-pending", "default", "none")


def test_what_met_nothing_pending_is_tried_again_up_to_three_times() -> None:
    steps = PendingSteps()
    steps.expect(SCENARIO)
    steps.record_pending("default", 0.1)
    tries = [steps.sent(SCENARIO, 1, pending=False, gap=0.2) for _ in range(4)]
    assert [one and one.id for one in tries] == ["a1-1r1", "a1-1r2", "a1-1r3", None]
    assert {one.steps for one in tries if one} == {SCENARIO.steps}
    assert list(steps.unmet) == [CASE]
    assert steps.sent(SCENARIO, 1, pending=True, gap=0.2) is None
    assert list(steps.unmet) == []


def test_where_nothing_was_ever_pending_one_more_try_is_enough() -> None:
    steps = PendingSteps()
    assert steps.sent(SCENARIO, 1, pending=False, gap=0.2) is not None
    assert steps.sent(SCENARIO, 1, pending=False, gap=0.2) is None


@pytest.mark.parametrize(("gap", "again"), [(0.1, []), (0.3, ["b1-1r1"])])
def test_a_back_to_back_step_is_in_time_if_a_reading_as_late_showed_something_pending(
    gap: float, again: list[str]
) -> None:
    steps = PendingSteps()
    assert steps.sent(LATE, 1, pending=False, gap=gap) is None
    steps.record_pending("default", 0.2)
    assert [scenario.id for scenario in steps.back_to_back_retries()] == again
    assert steps.back_to_back_retries() == []


def test_only_steps_that_are_made_for_it_are_tried_again() -> None:
    steps = PendingSteps()
    for scenario in (
        Scenario("x", "default", "cal_1", SCENARIO.steps, "explored"),
        Scenario("x", "default", "cal_1", (Step("explicit"), SCENARIO.steps[1]), "while-pending"),
    ):
        steps.expect(scenario)
        assert steps.sent(scenario, 1, pending=False, gap=9.0) is None
    assert steps.unmet == ()


@pytest.mark.parametrize(
    ("kind", "longest", "late"),
    [("explicit", 3.0, 0.0), ("explicit", 14.0, 7.0), ("explicit", 90.0, 10.0), ("none", 14.0, 0.0)],
)
def test_explicit_conferencing_meets_what_has_been_pending_for_long(kind: str, longest: float, late: float) -> None:
    """A server may have given up its first try by then, and forget what else was asked for when it tries again."""
    steps = PendingSteps()
    scenario = replace(SCENARIO, steps=(Step("default"), Step(kind, timing="while-pending")))
    steps.record_pending("another", 60.0)  # a disconnected profile may leave its event pending for ever
    steps.record_pending("default", longest)
    assert steps.lateness(scenario, 1) == late
    assert steps.sent(scenario, 1, pending=False, gap=9.0) is not None
    assert steps.lateness(scenario, 1) == 0.0  # it came too late


def test_a_step_that_is_never_sent_meets_nothing() -> None:
    steps = PendingSteps()
    steps.expect(SCENARIO)
    assert steps.unmet == (CASE,)
