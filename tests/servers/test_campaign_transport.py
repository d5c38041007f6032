"""Requests to one origin: what is sent, what exchanges hold of it, and what a hostile answer can do."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from conformance.clock import VirtualClock
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange
from conformance.servers.subject.http_client import open_client
from conformance.servers.subject.own_origin import origin_of
from conformance.servers.subject.rate_limit import BudgetExceededError, RateLimiter, RequestBudget
from conformance.servers.subject.reception import Limits
from conformance.servers.subject.transport import Transport

Answer = Callable[[httpx.Request], httpx.Response]


def session(answer: Answer, work: Callable[[Transport], Any], **options: Any) -> tuple[Any, list[Exchange]]:
    """What `work` gives, and the exchanges delivered on the way."""
    delivered: list[Exchange] = []
    clock = options.pop("clock", None) or VirtualClock(1000.0)
    limits = options.pop("limits", Limits())

    async def whole() -> Any:
        async with open_client(httpx.MockTransport(answer), trust_env=False, limits=limits) as client:
            transport = Transport(
                client,
                "http://localhost:8000",
                {"default": "s3cret-token"},
                clock,
                on_exchange=delivered.append,
                limits=limits,
                **options,
            )
            return await work(transport)

    return asyncio.run(whole()), delivered


def response(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    """A response as it comes from a socket: its body is not read yet."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=names, stream=httpx.ByteStream(body))


def always(status: int, body: bytes = b"", **headers: str) -> Answer:
    return lambda request: response(status, body, **headers)


def test_an_exchange_carries_the_account_and_never_the_token() -> None:
    headers: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("authorization"))
        return response(202)

    async def work(transport: Transport) -> None:
        for account in ("default", UNKNOWN_TOKEN, None):
            await transport.send("POST", "/v1/calendars/c/events", account=account, document={"event_id": "é"})

    _, delivered = session(answer, work, unknown_token="nobody-has-it")
    assert headers == ["Bearer s3cret-token", "Bearer nobody-has-it", None]
    assert [exchange.request.account for exchange in delivered] == ["default", "nobody", None]
    assert [exchange.request.header("authorization") for exchange in delivered] == [
        "Bearer <default>",
        "Bearer <nobody>",
        None,
    ]
    assert "s3cret-token" not in repr(delivered)
    assert delivered[0].request.body == '{"event_id":"é"}'.encode()
    assert [(exchange.label, exchange.headers_complete) for exchange in delivered] == [
        ("#1", True),
        ("#2", True),
        ("#3", True),
    ]


@pytest.mark.parametrize("url", ["http://localhost:8001/v1/events", "https://localhost:8000/x", "http://evil.example/"])
def test_a_url_at_another_origin_is_no_request(url: str) -> None:
    with pytest.raises(ValueError, match="the token goes nowhere else"):
        session(always(200), lambda transport: transport.send("GET", url, account="default"))


def test_an_origin_is_compared_with_its_default_port() -> None:
    assert origin_of("HTTP://LocalHost/x") == ("http", "localhost", 80) == origin_of("http://localhost:80")


def test_a_redirect_is_an_answer_and_a_cookie_is_forgotten() -> None:
    cookies: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        cookies.append(request.headers.get("cookie"))
        return response(302, location="http://evil.example/", set_cookie="a=b")

    async def work(transport: Transport) -> list[int]:
        exchanges = [await transport.send("GET", "/v1/calendars", account="default") for _ in range(2)]
        return [exchange.response.status for exchange in exchanges if exchange.response]

    statuses, _ = session(answer, work)
    assert (statuses, cookies) == ([302, 302], [None, None])


def test_a_calendar_that_is_locked_after_each_write_takes_them_one_after_the_other() -> None:
    clock, taken = VirtualClock(1000.0), [0.0]

    def answer(request: httpx.Request) -> httpx.Response:
        if clock.now() < taken[-1] + 2:
            return response(423)
        taken.append(clock.now())
        return response(202)

    async def work(transport: Transport) -> list[int | None]:
        sent = [transport.send("POST", "/v1/calendars/c/events", account="default", document=n) for n in range(8)]
        return [exchange.response and exchange.response.status for exchange in await asyncio.gather(*sent)]

    statuses, delivered = session(answer, work, clock=clock)
    assert statuses == [202] * 8
    assert len(delivered) < 60


def test_a_calendar_that_stays_locked_is_waited_for_three_times() -> None:
    _, delivered = session(always(423), lambda transport: _one_after_the_other(transport, 5), limits=Limits(attempts=3))
    assert len(delivered) == 3 * 3 + 2


async def _one_after_the_other(transport: Transport, count: int) -> None:
    for number in range(count):
        await transport.send("POST", "/v1/calendars/c/events", account="default", document=number)


def test_429_is_waited_out_for_as_long_as_it_asks() -> None:
    clock = VirtualClock(1000.0)
    statuses = iter([429, 503, 200])

    def answer(request: httpx.Request) -> httpx.Response:
        status = next(statuses)
        return response(status, **({"retry_after": "7"} if status == 429 else {}))

    exchange, delivered = session(
        answer, lambda transport: transport.send("GET", "/v1/events", account="default"), clock=clock
    )
    assert exchange.response.status == 200
    assert [one.response and one.response.status for one in delivered] == [429, 503, 200]
    assert clock.now() == pytest.approx(1007.2, abs=0.01)


def test_a_lost_connection_is_an_exchange_without_an_answer_and_then_tried_again() -> None:
    calls = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return response(202)

    exchange, delivered = session(answer, lambda transport: transport.send("POST", "/x", account="default"))
    assert exchange.response.status == 202
    assert [one.response is None for one in delivered] == [True, False]
    assert delivered[0].notes == (
        ("no-answer", "RemoteProtocolError: Server disconnected without sending a response."),
    )


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("gzip", gzip.compress(b'{"a"', mtime=0) + gzip.compress(b": 1}", mtime=0)),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("deflate", zlib.compress(b'{"a": 1}', wbits=-15)),
        ("identity", b'{"a": 1}'),
    ],
)
def test_a_content_coding_is_undone(coding: str, body: bytes) -> None:
    answer = always(200, body, content_encoding=coding)
    exchange, _ = session(answer, lambda transport: transport.send("GET", "/x", account=None))
    assert exchange.response.json() == {"a": 1}


@pytest.mark.parametrize(
    "answer",
    [
        always(200, gzip.compress(bytes(2_000_000), mtime=0), content_encoding="gzip"),
        always(200, bytes(2_000_000)),
    ],
    ids=["bomb", "flood"],
)
def test_a_body_over_the_limit_is_left_unread(answer: Answer) -> None:
    exchange, _ = session(
        answer, lambda transport: transport.send("GET", "/x", account=None), limits=Limits(body=100_000)
    )
    assert exchange.response is None
    assert exchange.notes == (
        ("response-body", "not-recorded"),
        ("response-status", "200"),
        ("body", "over 100000 bytes: left unread"),
    )


def test_a_body_that_does_not_decode_is_noted() -> None:
    answer = always(200, b"not gzip", content_encoding="gzip")
    exchange, _ = session(answer, lambda transport: transport.send("GET", "/x", account=None))
    assert exchange.response.body == b""
    assert exchange.notes[0][0] == "body"


def test_an_answer_that_takes_too_long_is_given_up_after_two_attempts() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            while True:
                await asyncio.sleep(0.01)
                yield b"."

    limits = Limits(seconds=0.05)
    clock = _Ticking()
    exchange, delivered = session(
        lambda request: httpx.Response(200, stream=Endless()),
        lambda transport: transport.send("GET", "/x", account=None),
        limits=limits,
        clock=clock,
    )
    assert exchange.response is None
    assert [one.notes for one in delivered] == [(("no-answer", "no complete answer within 0.05 s"),)] * 2


class _Ticking(VirtualClock):
    """A clock on which each look takes a second."""

    def now(self) -> float:
        self._now += 1.0
        return self._now


def test_exchanges_are_delivered_in_the_order_in_which_they_were_sent() -> None:
    slow = asyncio.Event()

    class Gate(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/1":
                await slow.wait()
            elif request.url.path == "/3":
                slow.set()
            return response(200)

    delivered: list[str] = []

    async def work() -> None:
        async with httpx.AsyncClient(transport=Gate()) as client:
            transport = Transport(
                client,
                "http://localhost",
                {},
                VirtualClock(0.0),
                on_exchange=lambda one: delivered.append(one.request.url),
            )
            await asyncio.gather(*(transport.send("GET", f"/{n}", account=None) for n in (1, 2, 3)))

    asyncio.run(work())
    assert delivered == ["http://localhost/1", "http://localhost/2", "http://localhost/3"]


def test_a_budget_keeps_a_request_for_each_creation() -> None:
    async def work(transport: Transport) -> str:
        await transport.send("POST", "/x", account=None, reserve=True)
        with pytest.raises(BudgetExceededError):
            await transport.send("POST", "/x", account=None, reserve=True)
        await transport.send("GET", "/x", account=None)
        with pytest.raises(BudgetExceededError):
            await transport.send("GET", "/x", account=None)
        await transport.send("DELETE", "/x", account=None, reserved=True)
        with pytest.raises(BudgetExceededError, match="the limit of 3 requests was reached"):
            await transport.send("DELETE", "/x", account=None, reserved=True)
        return "done"

    outcome, delivered = session(always(200), work, max_requests=RequestBudget(3))
    assert (outcome, [one.request.method for one in delivered]) == ("done", ["POST", "GET", "DELETE"])


def test_a_rate_lets_a_burst_go_and_then_one_at_a_time() -> None:
    clock = VirtualClock(0.0)
    rate = RateLimiter(clock, 4.0)

    async def work() -> list[float]:
        moments = []
        for _ in range(9):
            await rate.acquire()
            moments.append(clock.now())
        return moments

    assert asyncio.run(work()) == pytest.approx([0, 0, 0, 0, 0, 0.25, 0.5, 0.75, 1.0])
