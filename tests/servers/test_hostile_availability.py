"""A server that is gone, slow, away for a while, flapping, or restarted without its state: each is told apart."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import httpx
import pytest

from conformance.clock import VirtualClock
from conformance.http.exchange import Exchange, Request, Response
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, ConfigurationError, Subject, parse
from conformance.servers.subject.availability import Availability
from conformance.servers.subject.reception import Limits


class Network(httpx.AsyncBaseTransport):
    """The way to the reference server on a virtual clock, which `fate` disturbs: it is given the time and the number.

    It answers ``"reset"``, ``"restart"``, seconds that the answer takes longer, or None.
    """

    def __init__(self, fate: Callable[[float, int], Any]) -> None:
        self.clock = VirtualClock(EPOCH)
        self.fate, self.count = fate, 0
        self.start()

    def start(self) -> None:
        self.app = reference_app(clock=self.clock)
        self.inner = httpx.ASGITransport(self.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        fate = self.fate(self.clock.now() - EPOCH, self.count)
        if fate == "reset":
            raise httpx.ReadError("connection reset by peer")
        if fate == "restart":
            self.start()
        elif fate:
            await self.clock.sleep(fate)
            raise TimeoutError
        answer = await self.inner.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(await answer.aread()))

    def run(self) -> RunResult:
        subject = Subject(
            "cassette", "test", "http://localhost", self.clock, {"default": self.app.tokens["default"]}, app=self
        )
        return asyncio.run(run(RunOptions(), subject=subject, small=False))


def failed(result: RunResult) -> set[str]:
    return {rule for rule, tally in result.report.tallies.items() if tally.outcome == "failed"}


def test_a_server_that_is_gone_ends_the_run_by_its_name() -> None:
    network = Network(lambda _, number: "reset" if number > 60 else None)
    result = network.run()
    assert result.cut_short is not None
    assert result.cut_short.startswith("the server stopped answering after #60: ")
    assert result.cut_short.endswith("(ReadError: connection reset by peer)")
    assert network.count < 400
    assert failed(result) == set()
    assert result.left != ()


def test_an_outage_of_eight_seconds_is_waited_out_and_named() -> None:
    result = Network(lambda seconds, _: "reset" if 3 <= seconds < 11 else None).run()
    assert (result.cut_short, failed(result), result.left) == (None, set(), ())
    assert re.match(r"the server answered nothing for [678] s, from #\d+ to #\d+\Z", result.notes[0])
    assert len(result.notes) == 1


def test_a_flapping_server_is_named_and_accused_of_nothing() -> None:
    dice = random.Random(1)
    result = Network(lambda _, __: "reset" if dice.random() < 0.4 else None).run()
    assert (result.cut_short, failed(result), result.left) == (None, set(), ())
    [note] = [note for note in result.notes if "flapping" in note]
    assert re.match(r"the server is flapping: \d+ of \d+ requests \((3|4)\d %\) ended without an answer\Z", note)


def test_a_slow_server_is_named_and_accused_of_nothing() -> None:
    result = Network(lambda _, number: 10.5 if number % 9 == 0 else None).run()
    assert (result.cut_short, failed(result)) == (None, set())
    assert [note for note in result.notes if note.startswith("the server is slow: ")]


def test_a_server_that_lost_its_events_when_it_restarted_is_found() -> None:
    result = Network(lambda _, number: "restart" if number == 150 else None).run()
    assert failed(result) & {"explicit-is-kept", "a-managed-event-is-listed"}


HANGS = ("never-answers", "closes-unanswered", "closes-at-accept")


@pytest.mark.parametrize("name", HANGS)
def test_a_server_that_answers_nothing_ends_the_run_soon(
    name: str, hostile: Callable[..., AbstractContextManager[str]], make_small: Any
) -> None:
    token = next(iter(make_small["wsgi"]().tokens.values()))
    where = {} if name == "closes-at-accept" else {"where": "upsert"}
    limits = Limits(seconds=0.5, patience=1.0, attempts=3)
    began = time.monotonic()
    with hostile(name, **where) as url, suppress(ConfigurationError):
        subject = parse(url, {"default": token})
        result = asyncio.run(run(RunOptions(max_time=3), subject=subject, small=False, limits=limits))
        assert result.cut_short is not None
    assert time.monotonic() - began < 10


def exchange(label: str, status: int | None, at: float) -> Exchange:
    response = None if status is None else Response(status, (), b"")
    return Exchange(Request("GET", "http://localhost/"), response, label, at, at + 0.1)


def test_availability_counts_in_a_row() -> None:
    seen = Availability()
    for number, status in enumerate((200, None, 503, None)):
        seen.record(exchange(f"#{number}", status, float(number)), took_whole_time=False)
    assert seen.is_doubtful(5.0)
    assert seen.gone(10.0, patience=15.0) is None
    assert "after #0: 3 requests failed in 15 s" in str(seen.gone(16.0, patience=15.0))
    seen.record(exchange("#4", 200, 20.0), took_whole_time=False)
    assert not seen.is_doubtful(21.0)
    assert list(seen.notes()) == ["the server answered nothing for 19 s, from #1 to #3"]
