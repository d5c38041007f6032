"""Watching a client, and observing one before its server."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from conformance.clients.certificate import Certificate, CertifyOptions
from conformance.clients.proxy import Proxy, ProxyOptions, observe
from conformance.clients.watch import watch
from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.http.exchange import Exchange, Request
from conformance.http.ordering import OrderedDelivery
from conformance.http.server.http_server import HttpServer, Reply
from conformance.reference import reference_app

EVENT = {
    "event_id": "qT",
    "summary": "S",
    "start": "2031-04-28T15:30:00Z",
    "end": "2031-04-28T17:00:00Z",
    "conferencing": {"profile_id": "explicit", "provider_description": "Room", "join_url": "https://conf.example/A"},
}

PROGRAM = """
import os, httpx
with httpx.Client(headers={"Authorization": "Bearer " + os.environ["CRONOFY_ACCESS_TOKEN"]}) as http:
    calendars = http.get("https://api-uk.cronofy.com/v1/calendars").raise_for_status().json()["calendars"]
    path = "/v1/calendars/" + calendars[0]["calendar_id"] + "/events"
    event = {"event_id": "a", "summary": "S", "start": "2031-04-28", "end": "2031-04-29"}
    event["conferencing"] = {"profile_id": "8x8"}
    http.post(os.environ["CRONOFY_API_URL"] + path, json=event).raise_for_status()
"""


def outcomes(certificate: Certificate) -> dict[str, str]:
    tallies = ((rule.id, certificate.report.tally(rule.id).outcome) for rule in certificate.rules)
    return {name: outcome for name, outcome in tallies if outcome != "untested"}


def test_a_watched_program_is_judged_by_what_it_sends() -> None:
    said: list[str] = []
    seen: list[Exchange] = []
    options = CertifyOptions(watched=(sys.executable, "-c", PROGRAM))
    certificate = asyncio.run(watch(options, load(), echo=said.append, sink=seen.append))
    assert outcomes(certificate) == {
        "8x8-is-not-requested": "failed",
        "a-body-is-json-or-form-encoded": "passed",
        "an-event-has-its-required-fields": "passed",
        "conferencing-is-not-null": "passed",
        "conferencing-names-a-profile-id": "passed",
        "events-are-written-with-post": "passed",
        "requests-carry-a-bearer-token": "passed",
        "requests-go-to-a-documented-host": "passed",
        "texts-have-their-documented-length": "passed",
        "times-have-a-documented-form": "passed",
    }
    assert seen[0].request.url == "https://api-uk.cronofy.com/v1/calendars"
    assert all(exchange.request.account == "profiles" for exchange in seen)
    assert certificate.run["first_failure_request"] == 2
    assert {line.split("=")[0] for line in said[1:]} >= {"export CRONOFY_API_URL", "export HTTPS_PROXY"}


def test_watching_ends_after_its_time_and_nothing_is_unexercised_by_mistake() -> None:
    said: list[str] = []
    certificate = asyncio.run(watch(CertifyOptions(duration=0.05), load(), echo=said.append))
    assert (outcomes(certificate), certificate.interrupted) == ({}, False)
    assert all(rule.about != "call" and rule.applies_to == "client" for rule in certificate.rules)


def test_ctrl_c_is_the_usual_end_of_watching() -> None:
    async def run() -> Certificate:
        started = asyncio.Event()
        watching = asyncio.create_task(watch(CertifyOptions(), load(), echo=lambda _: started.set()))
        await started.wait()
        await asyncio.sleep(0.05)
        watching.cancel()
        return await watching

    assert asyncio.run(run()).interrupted is False


def behind(
    answer: Callable[[Request], Awaitable[Reply]], use: Callable[[str, Any, list[Exchange]], Awaitable[Any]]
) -> Any:
    """Runs `use` with the origin of a proxy before a server that answers by `answer`."""

    async def run() -> Any:
        seen: list[Exchange] = []
        async with HttpServer(answer, hosts=()) as server:
            proxy = Proxy(server.origin, seen.append)
            async with HttpServer(proxy.answer, hosts=("127.0.0.1",)) as front:
                try:
                    async with httpx.AsyncClient(trust_env=False) as http:
                        return await use(front.origin, http, seen)
                finally:
                    await proxy.close()

    return asyncio.run(run())


def test_bodies_statuses_and_codings_pass_unaltered_and_are_kept_decoded() -> None:
    body = gzip.compress(json.dumps({"errors": {"ü": []}}).encode())

    async def answer(request: Request) -> Reply:
        assert request.url.endswith("/v1/a%2Fb?x=%20")
        headers = (("Content-Encoding", "gzip"), ("X-Odd", "1"), ("x-odd", "2"), ("Connection", "x-odd"))
        return Reply(422, headers, body)

    async def use(origin: str, http: httpx.AsyncClient, seen: list[Exchange]) -> None:
        headers = {"Authorization": "Bearer secret-1", "Accept-Encoding": "gzip"}
        async with http.stream("POST", f"{origin}/v1/a%2Fb?x=%20", content=b"\x00\xff", headers=headers) as got:
            raw = b"".join([piece async for piece in got.aiter_raw()])
        assert (got.status_code, raw, got.headers["content-encoding"]) == (422, body, "gzip")
        while not seen:
            await asyncio.sleep(0.001)
        (exchange,) = seen
        assert exchange.request.body == b"\x00\xff"
        assert exchange.response is not None
        assert exchange.response.json() == {"errors": {"ü": []}}
        assert exchange.request.account is not None

    behind(answer, use)


def test_an_answer_streams_through_as_it_comes() -> None:
    gate = asyncio.Event()

    async def answer(_: Request) -> Reply:
        async def pieces() -> Any:
            yield b"first"
            await gate.wait()
            yield b"second"

        return Reply(200, (), pieces())

    async def use(origin: str, http: httpx.AsyncClient, seen: list[Exchange]) -> None:
        async with http.stream("GET", origin) as got:
            pieces = got.aiter_raw()
            assert await anext(pieces) == b"first"
            assert seen == []
            gate.set()
            assert await anext(pieces) == b"second"
            assert [piece async for piece in pieces] == []

    behind(answer, use)


def test_a_server_that_does_not_answer_is_told_as_502_and_known_as_no_answer() -> None:
    async def run() -> None:
        seen: list[Exchange] = []
        proxy = Proxy("http://127.0.0.1:1", seen.append)
        async with HttpServer(proxy.answer, hosts=()) as front, httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{front.origin}/v1/events")).status_code == 502
        await proxy.close()
        (exchange,) = seen
        assert (exchange.response, exchange.answered_at) == (None, None)
        assert exchange.request.url == "http://127.0.0.1:1/v1/events"

    asyncio.run(run())


def test_both_sides_are_judged_and_the_added_time_is_measured() -> None:
    app = reference_app(settle=0.01)

    async def use() -> Certificate:
        async def answer(request: Request) -> Reply:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), trust_env=False) as inner:
                kept = [(name, value) for name, value in request.headers if name.lower() != "content-length"]
                got = await inner.request(request.method, request.url, headers=kept, content=request.body)
            return Reply(got.status_code, (("Content-Type", "application/json"),), got.content)

        async with HttpServer(answer, hosts=()) as server:
            said: asyncio.Queue[str] = asyncio.Queue()
            options = ProxyOptions(server.origin, settings=Settings(quiet=0.0, window=0.0))
            observing = asyncio.create_task(observe(options, load(), echo=said.put_nowait))
            origin = (await said.get()).split()[2].rstrip(",")
            headers = {"Authorization": f"Bearer {app.tokens['default']}"}
            async with httpx.AsyncClient(trust_env=False, base_url=origin, headers=headers) as http:
                calendars = (await http.get("/v1/calendars")).json()["calendars"]
                answered = await http.post(f"/v1/calendars/{calendars[0]['calendar_id']}/events", json=EVENT)
                assert answered.status_code == 202
                for _ in range(3):
                    await asyncio.sleep(0.02)
                    await http.get("/v1/events?tzid=Etc%2FUTC&only_managed=true")
            await asyncio.sleep(0.02)
            observing.cancel()
            return await observing

    certificate = asyncio.run(use())
    found = outcomes(certificate)
    assert "failed" not in found.values()
    assert found["explicit-is-accepted"] == found["the-location-is-left-blank"] == "passed"
    assert certificate.run["exchanges"] == 5
    assert certificate.run["added_latency_ms"]["p50"] > 0
    assert certificate.interrupted is False


def test_a_proxy_sends_a_token_to_its_upstream_server_only() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(307, headers={"Location": "http://elsewhere.example/v1/calendars"})

    proxy = Proxy("https://api.cronofy.com", lambda exchange: None, transport=httpx.MockTransport(answer))
    headers = (("Host", "elsewhere.example"), ("Authorization", "Bearer a-token"))

    async def use() -> Reply:
        return await proxy.answer(Request("GET", "http://elsewhere.example/v1/calendars", headers, b""))

    assert asyncio.run(use()).status == 307
    [request] = sent
    assert (str(request.url), request.headers["host"]) == ("https://api.cronofy.com/v1/calendars", "api.cronofy.com")


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_exchanges_come_in_the_order_in_which_they_were_sent(order: tuple[int, ...]) -> None:
    seen: list[str] = []
    idle: list[int] = []
    in_order = OrderedDelivery(lambda exchange: seen.append(exchange.label), lambda: idle.append(len(seen)))
    tickets = {number: in_order.sent() for number in (1, 2, 3)}
    for number in order:
        in_order.answered(tickets[number], Exchange(Request("GET", "http://x/"), None, str(number)))
    assert (seen, idle) == (["1", "2", "3"], [3])


def test_what_waits_for_an_answer_that_never_comes_is_delivered_in_the_end() -> None:
    seen: list[str] = []
    in_order = OrderedDelivery(lambda exchange: seen.append(exchange.label))
    in_order.sent()
    in_order.answered(in_order.sent(), Exchange(Request("GET", "http://x/"), None, "second"))
    assert seen == []
    in_order.flush()
    assert seen == ["second"]


def test_an_answer_that_never_comes_does_not_hold_the_others_for_ever() -> None:
    seen: list[str] = []
    in_order = OrderedDelivery(lambda exchange: seen.append(exchange.label))
    late = in_order.sent()
    for number in range(1002):
        in_order.answered(in_order.sent(), Exchange(Request("GET", "http://x/"), None, str(number)))
    assert seen[:2] == ["0", "1"]
    in_order.answered(late, Exchange(Request("GET", "http://x/"), None, "late"))
    in_order.answered(in_order.sent(), None)
    assert (len(seen), seen[-1]) == (1003, "late")
