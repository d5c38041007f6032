"""Steps of scenarios that are entries of a batch, against servers that know batches and servers that do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.http.exchange import Exchange
from conformance.reference import INVENTORY, ReferenceInventory, reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.scenarios import Scenario, Step
from conformance.servers.subject import EPOCH, in_process

ONE = ReferenceInventory((INVENTORY.by_name["default"],))
RULE = "an-entry-of-a-batch-has-the-effect-of-a-single-write"
RULES = tuple(rule for rule in load() if "batch" in rule.id and rule.applies_to == "server")

Message = MutableMapping[str, Any]


def run_against(answer: Callable[[], tuple[int, bytes]] | None = None) -> RunResult:
    """What batches show of the reference server, or of one that gives batches this answer and does nothing."""
    app = reference_app(clock=VirtualClock(EPOCH), page_size=100, inventory=ONE)

    async def answering(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if answer is None or scope.get("path") != "/v1/batch":
            await app(scope, receive, send)
            return
        status, body = answer()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    subject = in_process(answering, app.tokens, clock=app.server.clock)
    result = asyncio.run(run(RunOptions(max_examples=0), subject=subject, rules=RULES, small=False))
    assert result.left == ()
    return result


def batches(result: RunResult) -> list[Exchange]:
    return [exchange for exchange in result.exchanges if exchange.request.url.endswith("/v1/batch")]


def outcomes(result: RunResult) -> dict[str, str]:
    return {rule: tally.outcome for rule, tally in result.report.tallies.items()}


def test_one_batch_has_writes_of_different_kinds_and_calendars() -> None:
    result = run_against()
    assert outcomes(result) == {rule.id: "passed" for rule in RULES}
    first = json.loads(batches(result)[0].request.body)["batch"]
    assert len(first) > 3
    sent = [entry for one in batches(result) for entry in json.loads(one.request.body)["batch"]]
    assert {entry["method"] for entry in sent} == {"POST", "DELETE"}
    assert len({entry["relative_url"] for entry in sent}) > 1


@pytest.mark.parametrize("status", [404, 422])
def test_a_server_that_refuses_a_batch_is_sent_no_other(status: int) -> None:
    result = run_against(lambda: (status, b""))
    assert len(batches(result)) == 1
    assert set(outcomes(result).values()) == {"untested"}


@pytest.mark.parametrize("body", [b"", b"done", b"[]", b'{"batch": 7}', b'{"batch": [{}, {"status": "202"}]}'])
def test_what_is_not_said_of_entries_accuses_nobody_of_their_effect(body: bytes) -> None:
    assert outcomes(run_against(lambda: (207, body)))[RULE] in ("untested", "inconclusive")


def test_a_batched_step_waits_until_all_is_settled() -> None:
    with pytest.raises(ValueError, match="batched"):
        Step("none", timing="back-to-back", batched=True)


def test_scenarios_of_a_team_may_have_batched_steps() -> None:
    calendar = ONE.accounts[0].calendars[0].calendar_id
    own = Scenario("own", "default", calendar, (Step("explicit", batched=True), Step("none", batched=True)))
    app = reference_app(clock=VirtualClock(EPOCH), inventory=ONE)
    subject = in_process(app, app.tokens, clock=app.server.clock)
    result = asyncio.run(run(RunOptions(max_examples=0), subject=subject, rules=RULES, scenarios=(own,), small=False))
    sent = [json.loads(one.request.body)["batch"] for one in batches(result)]
    assert sum("own" in entry["data"]["event_id"].lower() for entries in sent for entry in entries) == 2


def test_the_smallest_scenario_of_an_entry_is_found() -> None:
    app = reference_app(clock=VirtualClock(EPOCH), inventory=ONE, faults=("batch-keeps-what-none-removes",))
    subject = in_process(app, app.tokens, clock=app.server.clock)
    [found] = asyncio.run(run(RunOptions(max_examples=0), subject=subject, rules=RULES)).counterexamples
    [smallest] = found.scenarios
    assert (found.rule.id, found.failed) == (RULE, found.tried)
    assert [(step.kind, step.batched) for step in smallest.steps] == [("explicit", False), ("none", True)]
