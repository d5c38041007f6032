"""Everything is bounded, the preflight too: pages, rows, bytes, waits and the time of a whole run."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from conformance.clock import RealClock, VirtualClock
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.campaign.subject_session import _LONGEST_LOCAL_PAUSE as LONGEST_LOCAL_PAUSE
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, ConfigurationError, in_process
from conformance.servers.subject.reception import Limits

#: What a server answers: given path, method, number of the request and the reference server's answer.
Answer = Callable[[str, str, int, dict[str, Any]], dict[str, Any]]


class Changed:
    """The reference server, with another status, other headers or another body."""

    def __init__(self, app: Any, change: Callable[..., dict[str, Any]]) -> None:
        self.app, self.change, self.count = app, change, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.count += 1
        change = self.change(scope["method"], scope["path"], self.count)
        if change.get("hang"):
            await asyncio.Event().wait()

        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                given = [(name.encode(), value.encode()) for name, value in change.get("headers", {}).items()]
                message = {**message, "status": change.get("status", message["status"]), "headers": headers + given}
            elif "body" in change and message.get("body"):
                message = {**message, "body": change["body"](json.loads(message["body"]))}
            await send(message)

        await self.app(scope, receive, changed)


def run_against(change: Callable[..., dict[str, Any]], *, virtual: bool = True, **options: Any) -> RunResult:
    limits = options.pop("limits", None)
    clock = VirtualClock(EPOCH) if virtual else RealClock()
    app = reference_app(clock=clock)
    subject = in_process(Changed(app, change), {"default": app.tokens["default"]}, clock=clock)
    return asyncio.run(run(RunOptions(**options), subject=subject, small=False, limits=limits))


def failed(result: RunResult) -> set[str]:
    return {rule for rule, tally in result.report.tallies.items() if tally.outcome == "failed"}


def is_reading(method: str, path: str) -> bool:
    return method == "GET" and path.startswith("/v1/events")


def test_pages_without_end_and_each_with_new_events_stop_at_a_limit_that_is_said() -> None:
    def change(method: str, path: str, number: int) -> dict[str, Any]:
        def body(page: dict[str, Any]) -> bytes:
            more = [{"event_id": f"e{number}", "calendar_id": "cal_other"}]
            following = f"http://localhost/v1/events?tzid=Etc/UTC&page={number}"
            return json.dumps({**page, "events": more, "pages": {"current": 1, "next_page": following}}).encode()

        return {"body": body} if is_reading(method, path) else {}

    result = run_against(change, limits=Limits(pages=9), max_requests=400)
    readings = [exchange for exchange in result.exchanges if is_reading("GET", exchange.request.path)]
    assert len(readings) > 30
    assert "a reading has more than 9 pages: the others were not read" in result.notes


def test_two_hundred_thousand_rows_are_left_unread_at_once_and_accuse_nobody() -> None:
    rows = b",".join(b'{"event_id":"e%d","calendar_id":"c"}' % number for number in range(200_000))

    def change(method: str, path: str, number: int, *, begin: int = 20) -> dict[str, Any]:
        here = is_reading(method, path) and number > begin
        return {"body": lambda _: b'{"events": [' + rows + b"]}"} if here else {}

    began = time.monotonic()
    result = run_against(change, max_requests=130)
    assert time.monotonic() - began < 20
    assert failed(result) == set()
    assert any("over 20000 JSON objects and arrays: left unread" in note for note in result.notes)
    with pytest.raises(ConfigurationError, match=r"answered 200 .over 20000 JSON objects and arrays: left unread"):
        run_against(partial(change, begin=0))


def test_a_run_that_is_shown_more_and_more_events_ends() -> None:
    def change(method: str, path: str, number: int) -> dict[str, Any]:
        more = [{"event_id": f"e{number}-{row}", "calendar_id": "c"} for row in range(50)]
        body = lambda page: json.dumps({**page, "events": page.get("events", []) + more}).encode()  # noqa: E731
        return {"body": body} if is_reading(method, path) else {}

    result = run_against(change, limits=Limits(events=400))
    assert result.cut_short == "the server listed over 400 different events"
    assert result.left == ()


@pytest.mark.parametrize("requests", [1, 2, 3, 5])
def test_a_limit_of_requests_that_the_preflight_reaches_is_no_error(requests: int) -> None:
    result = run_against(lambda *_: {}, max_requests=requests)
    assert result.cut_short == f"the limit of {requests} requests was reached"
    assert result.run["requests"] == requests


@pytest.mark.parametrize("hanging", ["/v1/events", ""])
def test_a_run_ends_when_its_time_is_up_with_what_was_observed(hanging: str) -> None:
    def change(method: str, path: str, number: int) -> dict[str, Any]:
        return {"hang": (path == hanging) if hanging else number > 20}

    began = time.monotonic()
    result = run_against(change, virtual=False, max_time=0.8, limits=Limits(seconds=0.3, patience=60.0))
    assert time.monotonic() - began < 10
    assert result.cut_short == "its time was up: 0.8 s (--max-time)"
    assert not result.interrupted


def test_time_that_is_up_as_soon_as_the_run_begins_is_said() -> None:
    result = run_against(lambda *_: {}, virtual=False, max_time=0.0001)
    assert (result.cut_short, result.interrupted) == ("its time was up: 0.0001 s (--max-time)", False)


class WatchedClock(VirtualClock):
    """Adds up what is slept, as every virtual clock does: of many who wait at one time, the longest wait counts."""

    longest = 0.0

    async def sleep(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        await super().sleep(seconds)


def test_a_day_of_waiting_that_is_asked_for_is_not_waited() -> None:
    def change(method: str, path: str, number: int) -> dict[str, Any]:
        return {"status": 429, "headers": {"retry-after": "86400"}} if number > 30 else {}

    clock = WatchedClock(EPOCH)
    app = reference_app(clock=clock)
    subject = in_process(Changed(app, change), {"default": app.tokens["default"]}, clock=clock)
    result = asyncio.run(run(RunOptions(), subject=subject, small=False))
    assert result.cut_short is not None
    assert result.cut_short.startswith("the server stopped answering after #30: ")
    assert result.cut_short.endswith("(its last answer is 429)")
    assert clock.longest == LONGEST_LOCAL_PAUSE
    tries = Counter(one.request for one in result.exchanges if one.request.method != "GET")
    assert max(tries.values()) == Limits().attempts
    assert failed(result) == set()
