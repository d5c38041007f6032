"""Servers that fail: permanent failures are found, temporary ones accuse nobody."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from conformance.clock import VirtualClock
from conformance.http.exchange import Exchange, Request, Response
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.inventory import Account, Calendar, Inventory
from conformance.servers.run_options import RunOptions
from conformance.servers.scenarios import RunContext, Scenario, Step, plan
from conformance.servers.scenarios.malformed_requests import core_malformed, generated_malformed
from conformance.servers.subject import EPOCH, in_process
from conformance.servers.subject.retries import RETRIES, retry_interleaved

Scope = MutableMapping[str, Any]
#: The outcome of a request: a status instead of the answer, an exception, or None for the answer.
Outcome = Callable[[Scope, dict[str, Any]], int | Exception | None]


def run_against(outcome: Outcome, **options: Any) -> RunResult:
    """A run against the reference server's default account, with some of its answers replaced."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock)

    async def wrapped(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        content, more = b"", True
        while more:
            message = await receive()
            content += message.get("body", b"")
            more = message.get("more_body", False)
        answer = outcome(scope, _body(content))

        async def again() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await app(scope, again, send)
        else:
            await send({"type": "http.response.start", "status": answer, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    subject = in_process(wrapped, {"default": app.tokens["default"]}, clock=clock)
    return asyncio.run(run(RunOptions(**options), subject=subject, small=False))


def _body(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def failed(result: RunResult) -> set[str]:
    return {rule for rule, tally in result.report.tallies.items() if tally.outcome == "failed"}


@pytest.mark.parametrize("outcome", [500, ValueError("8x8")], ids=["500", "exception"])
def test_a_documented_value_that_always_fails_is_not_accepted(outcome: int | Exception) -> None:
    def on_8x8(_: Scope, body: dict[str, Any]) -> int | Exception | None:
        return outcome if body.get("conferencing") == {"profile_id": "8x8"} else None

    assert failed(run_against(on_8x8)) == {"8x8-is-accepted", "a-server-error-is-temporary"}


def test_a_read_that_always_fails_is_found_and_the_rest_is_judged() -> None:
    result = run_against(lambda scope, _: 500 if b"localized_times" in scope["query_string"] else None)
    assert failed(result) == {"a-server-error-is-temporary"}
    assert sum(tally.outcome == "passed" for tally in result.report.tallies.values()) > 60


def test_an_outage_of_all_writes_accuses_nobody_and_proves_nothing() -> None:
    result = run_against(lambda scope, _: 503 if scope["method"] == "POST" else None)
    assert failed(result) == set()
    assert result.report.tallies["explicit-is-accepted"].outcome == "inconclusive"


@pytest.mark.parametrize("seed", range(40 if os.environ.get("WHOLE_MATRIX") else 3))
def test_errors_at_random_accuse_nobody(seed: int) -> None:
    random_numbers = random.Random(seed)
    result = run_against(lambda _, __: 500 if random_numbers.random() < 0.1 else None)
    statuses = Counter(exchange.response.status for exchange in result.exchanges if exchange.response)
    assert statuses[500] > 20
    assert failed(result) == set()


def test_what_fails_five_times_and_then_works_accuses_nobody() -> None:
    failing = Counter[str]()

    def for_five_times(_: Scope, body: dict[str, Any]) -> int | None:
        failing[str(body)] += 1
        return 500 if body and failing[str(body)] <= 5 else None

    assert failed(run_against(for_five_times)) == set()


def test_malformed_requests_are_sent_last() -> None:
    result = run_against(lambda _, __: None)
    contents = {request.content for request in result.plan.malformed if request.content}
    targets = [number for number, exchange in enumerate(result.exchanges) if exchange.request.body in contents]
    assert len(targets) == len(contents)
    assert targets[0] > max(number for number, exchange in enumerate(result.exchanges) if _is_audit(exchange))


def _is_audit(exchange: Exchange) -> bool:
    return "localized_times" in exchange.request.url


def test_the_effect_of_a_malformed_request_on_later_readings_is_found() -> None:
    poisoned: list[bool] = []

    def poison(scope: Scope, body: dict[str, Any]) -> int | None:
        if "summary" in body and body["summary"] is None:
            poisoned.append(True)
        return 500 if poisoned and scope["path"] == "/v1/events" else None

    result = run_against(poison)
    assert failed(result) == {"a-server-error-is-temporary"}
    assert sum(tally.outcome == "passed" for tally in result.report.tallies.values()) > 60


CALENDAR = Calendar("cal_1", "google", True)
RUN = RunContext("abcdefgh", EPOCH, Inventory((Account("default", (CALENDAR,), (CALENDAR,), ()),)))


def test_malformed_requests_are_planned_only_on_request() -> None:
    from conformance.facts import Settings

    assert plan(RUN, Settings()).malformed == ()
    planned = plan(RUN, Settings(), malformed=True)
    assert planned.malformed == core_malformed(RUN)
    assert planned.requests >= plan(RUN, Settings()).requests + len(planned.malformed)


def test_malformed_requests_go_to_one_calendar_and_each_names_an_event_of_its_own_or_none() -> None:
    requests = (*core_malformed(RUN), *generated_malformed(RUN, 30, 1))
    named = [RUN.event_id(request.scenario) for request in requests if request.names_event]
    assert len(set(named)) == len(named) > 20
    assert {request.calendar_id for request in requests} == {"cal_1"}
    for request in requests:
        body = _body(request.content or b"")
        assert (body.get("event_id") == RUN.event_id(request.scenario)) <= request.names_event


def test_generated_requests_are_the_same_for_the_same_seed() -> None:
    assert generated_malformed(RUN, 20, 5) == generated_malformed(RUN, 20, 5) != generated_malformed(RUN, 20, 6)
    assert len({request.content for request in generated_malformed(RUN, 20, 5)}) == 20
    assert generated_malformed(RUN, 0, 5) == ()


def test_an_inventory_without_a_calendar_gets_no_malformed_request() -> None:
    nowhere = RunContext("abcdefgh", EPOCH, Inventory((Account("default", (), (), ()),)))
    assert (core_malformed(nowhere), generated_malformed(nowhere, 5, 0)) == ((), ())


def test_the_scenario_of_a_malformed_request_is_an_ordinary_one() -> None:
    assert core_malformed(RUN)[0].scenario == Scenario(
        "malformed-truncated-body", "default", "cal_1", (Step("explicit"),), "malformed"
    )


def test_a_request_that_hangs_is_not_retried() -> None:
    hung = Exchange(Request("GET", "http://127.0.0.1/", (), b""), None, "#1", 0.0, 30.0)
    quick = Exchange(hung.request, None, "#2", 0.0, 0.1)
    sent: list[str] = []

    async def again() -> Exchange:
        sent.append("again")
        return quick

    async def control_request() -> Exchange:
        sent.append("control")
        return Exchange(hung.request, Response(200, (), b""), "#3", 0.0, 0.1)

    assert asyncio.run(retry_interleaved(hung, again, control_request)) is hung
    assert sent == []
    assert asyncio.run(retry_interleaved(quick, again, control_request)) is quick
    assert sent == ["control", "again"] * RETRIES
