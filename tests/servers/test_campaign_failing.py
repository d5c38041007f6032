"""Servers that fail: what always fails is found, what fails for a while accuses nobody."""

from __future__ import annotations

import asyncio
import json
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
from conformance.servers.scenarios.malformed_requests import generated, malformed
from conformance.servers.subject import EPOCH, in_process
from conformance.servers.subject.retries import RETRIES, retry_interleaved

Scope = MutableMapping[str, Any]
#: What becomes of a request: a status in the place of the answer, an exception, or None for the answer.
Fate = Callable[[Scope, dict[str, Any]], int | Exception | None]


def run_against(fate: Fate, **options: Any) -> RunResult:
    """A run against the reference server's default account, some of whose answers are others."""
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
        answer = fate(scope, _body(content))

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


@pytest.mark.parametrize("fate", [500, ValueError("8x8")], ids=["500", "exception"])
def test_a_documented_value_that_always_fails_is_not_accepted(fate: int | Exception) -> None:
    def on_8x8(_: Scope, body: dict[str, Any]) -> int | Exception | None:
        return fate if body.get("conferencing") == {"profile_id": "8x8"} else None

    assert failed(run_against(on_8x8)) == {"8x8-is-accepted", "a-server-error-is-temporary"}


def test_a_read_that_always_fails_is_found_and_the_rest_is_judged() -> None:
    result = run_against(lambda scope, _: 500 if b"localized_times" in scope["query_string"] else None)
    assert failed(result) == {"a-server-error-is-temporary"}
    assert sum(tally.outcome == "passed" for tally in result.report.tallies.values()) > 60


def test_an_outage_of_all_writes_accuses_nobody_and_proves_nothing() -> None:
    result = run_against(lambda scope, _: 503 if scope["method"] == "POST" else None)
    assert failed(result) == set()
    assert result.report.tallies["explicit-is-accepted"].outcome == "inconclusive"


@pytest.mark.parametrize("seed", range(3))
def test_errors_at_random_accuse_nobody(seed: int) -> None:
    dice = random.Random(seed)
    result = run_against(lambda _, __: 500 if dice.random() < 0.1 else None)
    statuses = Counter(exchange.response.status for exchange in result.exchanges if exchange.response)
    assert statuses[500] > 20
    assert failed(result) == set()


def test_what_fails_for_a_day_and_works_again_accuses_nobody() -> None:
    failing = Counter[str]()

    def for_five_times(_: Scope, body: dict[str, Any]) -> int | None:
        failing[str(body)] += 1
        return 500 if body and failing[str(body)] <= 5 else None

    assert failed(run_against(for_five_times)) == set()


def test_malformed_requests_are_sent_last() -> None:
    result = run_against(lambda _, __: None)
    contents = {request.content for request in result.plan.odd if request.content}
    targets = [number for number, exchange in enumerate(result.exchanges) if exchange.request.body in contents]
    assert len(targets) == len(contents)
    assert targets[0] > max(number for number, exchange in enumerate(result.exchanges) if _is_audit(exchange))


def _is_audit(exchange: Exchange) -> bool:
    return "localized_times" in exchange.request.url


def test_what_a_malformed_request_does_to_later_readings_is_found() -> None:
    poisoned: list[bool] = []

    def poison(scope: Scope, body: dict[str, Any]) -> int | None:
        if any("\ud800" <= char <= "\udfff" for char in str(body.get("summary"))):
            poisoned.append(True)
        return 500 if poisoned and scope["path"] == "/v1/events" else None

    result = run_against(poison)
    assert failed(result) == {"a-server-error-is-temporary"}
    assert sum(tally.outcome == "passed" for tally in result.report.tallies.values()) > 60


CALENDAR = Calendar("cal_1", "google", True)
RUN = RunContext("abcdefgh", EPOCH, Inventory((Account("default", (CALENDAR,), (CALENDAR,), ()),)))


def test_malformed_requests_are_planned_where_they_are_asked_for_only() -> None:
    from conformance.facts import Settings

    assert plan(RUN, Settings()).odd == ()
    planned = plan(RUN, Settings(), odd=True)
    assert planned.odd == malformed(RUN)
    assert planned.requests >= plan(RUN, Settings()).requests + len(planned.odd)


def test_malformed_requests_go_to_one_calendar_and_each_names_an_event_of_its_own_or_none() -> None:
    requests = (*malformed(RUN), *generated(RUN, 30, 1))
    named = [RUN.event_id(request.scenario) for request in requests if request.names_event]
    assert len(set(named)) == len(named) > 20
    assert {request.calendar_id for request in requests} == {"cal_1"}
    for request in requests:
        body = _body(request.content or b"")
        assert (body.get("event_id") == RUN.event_id(request.scenario)) <= request.names_event


def test_generated_requests_are_the_same_for_the_same_seed() -> None:
    assert generated(RUN, 20, 5) == generated(RUN, 20, 5) != generated(RUN, 20, 6)
    assert len({request.content for request in generated(RUN, 20, 5)}) == 20
    assert generated(RUN, 0, 5) == ()


def test_a_world_without_a_calendar_gets_no_malformed_request() -> None:
    nowhere = RunContext("abcdefgh", EPOCH, Inventory((Account("default", (), (), ()),)))
    assert (malformed(nowhere), generated(nowhere, 5, 0)) == ((), ())


def test_a_malformed_life_is_a_life_like_another() -> None:
    assert malformed(RUN)[0].scenario == Scenario(
        "odd-half-a-body", "default", "cal_1", (Step("explicit"),), "malformed"
    )


def test_nobody_insists_on_a_request_that_hangs() -> None:
    hung = Exchange(Request("GET", "http://127.0.0.1/", (), b""), None, "#1", 0.0, 30.0)
    quick = Exchange(hung.request, None, "#2", 0.0, 0.1)
    sent: list[str] = []

    async def again() -> Exchange:
        sent.append("again")
        return quick

    async def control_request() -> Exchange:
        sent.append("beside")
        return Exchange(hung.request, Response(200, (), b""), "#3", 0.0, 0.1)

    assert asyncio.run(retry_interleaved(hung, again, control_request)) is hung
    assert sent == []
    assert asyncio.run(retry_interleaved(quick, again, control_request)) is quick
    assert sent == ["beside", "again"] * RETRIES
