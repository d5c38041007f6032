"""The reference server's notifications: who is told of what, how it is signed, and how it is delivered."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from reference_probe import Probe, calendar_of, event, explicit, webhook

from conformance.clock import RealClock, VirtualClock
from conformance.http.exchange import Request
from conformance.http.server.http_server import HttpServer, Reply
from conformance.reference import courier, reference_app

WORK = calendar_of("default", "Work")
DEFAULT = {"profile_id": "default"}
BOTH = [webhook("a", "conferencing_assigned", "conferencing_failing")]


@pytest.fixture
def probe() -> Probe:
    return Probe()


def uris(probe: Probe) -> list[str]:
    return [uri.rpartition("/")[2] for uri, _, _ in probe.notified()]


def test_an_assignment_is_notified_once_it_is_there_and_not_before(probe: Probe) -> None:
    assert probe.write("default", WORK, event("e", DEFAULT, subscriptions=BOTH)).status == 202
    assert uris(probe) == []
    probe.wait(1)
    assert "join_url" in probe.event("e")["conferencing"]
    assert uris(probe) == ["a"]
    assert uris(probe) == []


def test_each_interaction_goes_where_it_was_subscribed_to(probe: Probe) -> None:
    hooks = [webhook("assigned", "conferencing_assigned"), webhook("failing", "conferencing_failing")]
    probe.write("default", WORK, event("e", DEFAULT, subscriptions=hooks))
    probe.write("disconnected", calendar_of("disconnected", "Work"), event("e", DEFAULT, subscriptions=hooks))
    probe.wait(1)
    assert sorted(uris(probe)) == ["assigned", "failing"]


@pytest.mark.parametrize("conferencing", [..., explicit(), {"profile_id": "none"}, {"profile_id": "8x8"}])
def test_what_generates_nothing_is_not_notified(probe: Probe, conferencing: Any) -> None:
    probe.write("default", WORK, event("e", conferencing, subscriptions=BOTH))
    probe.wait(5)
    assert uris(probe) == []


def test_an_update_without_subscriptions_keeps_them_and_an_empty_list_ends_them(probe: Probe) -> None:
    probe.write("default", WORK, event("e", subscriptions=BOTH))
    probe.write("default", WORK, event("e", DEFAULT))
    probe.wait(1)
    assert uris(probe) == ["a"]
    probe.write("default", WORK, event("e", DEFAULT, subscriptions=[]))
    probe.wait(1)
    assert uris(probe) == []


def test_what_is_replaced_or_deleted_before_it_is_there_is_not_notified(probe: Probe) -> None:
    for number, last in enumerate(({"profile_id": "none"}, None)):
        probe.write("default", WORK, event(f"e{number}", DEFAULT, subscriptions=BOTH))
        if last is None:
            probe.delete("default", WORK, f"e{number}")
        else:
            probe.write("default", WORK, event(f"e{number}", last))
    probe.wait(5)
    assert uris(probe) == []


def test_a_notification_is_signed_with_the_secret_of_its_account(probe: Probe) -> None:
    probe.write("default", WORK, event("e", DEFAULT, subscriptions=BOTH))
    probe.wait(1)
    [(_, body, signed)] = probe.notified()
    secret = probe.app.client_secrets["default"].encode()
    assert signed == base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode()


@pytest.mark.parametrize(
    ("subscriptions", "field"),
    [
        ("webhook", "subscriptions"),
        ([7], "subscriptions"),
        ([{**BOTH[0], "type": "push"}], "subscriptions.type"),
        ([{**BOTH[0], "uri": "ftp://app.example.io/"}], "subscriptions.uri"),
        ([{**BOTH[0], "interactions": [{"type": "conferencing_success"}]}], "subscriptions.interactions"),
        ([{**BOTH[0], "interactions": {}}], None),
        ([{"type": "webhook", "uri": "https://app.example.io/"}], None),
        (None, None),
    ],
)
def test_subscriptions_of_another_form_are_refused(probe: Probe, subscriptions: Any, field: str | None) -> None:
    answer = probe.write("default", WORK, event("e", subscriptions=subscriptions))
    assert (list(answer.body["errors"]) if answer.body else [None]) == [field]


def notify_over_http(statuses: list[int], *, wait_for: int) -> list[tuple[Request, float]]:
    """What a receiver that answers with `statuses`, one after the other, gets from a server on a real clock."""

    async def talk() -> list[tuple[Request, float]]:
        got: list[tuple[Request, float]] = []
        enough = asyncio.Event()
        clock = RealClock()

        async def answer(request: Request) -> Reply:
            got.append((request, clock.now()))
            if len(got) >= wait_for:
                enough.set()
            return Reply(statuses[min(len(got), len(statuses)) - 1])

        app = reference_app(settle=0.0)
        async with HttpServer(answer) as receiver, asyncio.timeout(30):
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reference.test")
            async with client:
                body = event("e", DEFAULT, subscriptions=[{**BOTH[0], "uri": f"{receiver.origin}/hook"}])
                headers = {"Authorization": f"Bearer {app.tokens['default']}"}
                sent = await client.post(f"/v1/calendars/{WORK.calendar_id}/events", json=body, headers=headers)
                assert sent.status_code == 202
                await enough.wait()
            await app.courier.stop()
        return got

    return asyncio.run(talk())


def test_a_notification_comes_over_http_in_the_background() -> None:
    [(request, _)] = notify_over_http([200], wait_for=1)
    assert (request.method, request.path, list(json.loads(request.body))) == ("POST", "/hook", ["notification"])
    assert request.header("cronofy-hmac-sha256")


def test_a_notification_that_fails_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "_PAUSES", (0.0, 0.01, 0.01))
    sent = notify_over_http([500, 302, 204], wait_for=3)
    assert len({request.body for request, _ in sent}) == 1


def test_an_address_where_nobody_is_gives_no_status() -> None:
    assert asyncio.run(courier.post("http://127.0.0.1:1/", {}, b"")) == 0


def test_on_a_virtual_clock_nothing_leaves_the_process() -> None:
    app = reference_app(clock=VirtualClock(0.0))
    assert asyncio.run(app.courier.deliver("https://app.example.io/", {}, b"")) == 204


def test_on_a_virtual_clock_what_is_due_is_delivered_after_an_answer() -> None:
    clock = VirtualClock(1_800_000_000.0)
    app = reference_app(clock=clock, settle=1.0)
    got: list[str] = []

    async def deliver(uri: str, headers: Mapping[str, str], body: bytes) -> int:
        got.append(uri)
        return 204

    async def talk() -> None:
        app.courier.deliver = deliver
        headers = {"Authorization": f"Bearer {app.tokens['default']}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reference.test") as client:
            body = event("e", DEFAULT, subscriptions=BOTH)
            await client.post(f"/v1/calendars/{WORK.calendar_id}/events", json=body, headers=headers)
            assert got == []
            await clock.sleep(1.0)
            await client.get("/v1/calendars", headers=headers)

    asyncio.run(talk())
    assert got == [BOTH[0]["uri"]]
