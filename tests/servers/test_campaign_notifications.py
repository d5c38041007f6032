"""Runs that subscribe to push notifications, which come over real sockets to a receiver on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.errors import ConfigurationError, UsageError
from conformance.http.exchange import Request
from conformance.http.webhooks import NOTIFICATIONS, address
from conformance.judging.report import Report
from conformance.reference import INVENTORY, ReferenceApp, ReferenceInventory, reference_app
from conformance.reference.courier import post
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import NotificationOptions, RunOptions
from conformance.servers.subject import EPOCH, Subject, in_process
from conformance.servers.subject.receiver import Receiver, receiving

ONE = ReferenceInventory((INVENTORY.by_name["disconnected"],))
RULES = tuple(rule for rule in load() if rule.about == "notification" or rule.id == "subscriptions-are-accepted")
RECEIVED = {rule.id for rule in RULES} - {"subscriptions-are-accepted"}


def app_with(**settings: Any) -> ReferenceApp:
    app = reference_app(clock=VirtualClock(EPOCH), page_size=50, inventory=ONE, **settings)
    app.courier.deliver = post
    return app


def run_against(app: ReferenceApp, **options: Any) -> RunResult:
    """A run of the core; between server and receiver are sockets, and time is virtual."""
    wanted = NotificationOptions(enabled=True, client_secrets=app.client_secrets)
    subject = in_process(app, app.tokens, clock=app.server.clock, default_profiles=app.default_profiles)  # type: ignore[arg-type]
    return asyncio.run(run(RunOptions(notifications=wanted, **options), subject=subject, rules=RULES, small=False))


def outcomes(report: Report) -> dict[str, str]:
    return {rule: tally.outcome for rule, tally in report.tallies.items() if tally.outcome != "untested"}


@pytest.mark.parametrize(
    "variations",
    [("notified-slowly", "signed-with-both-secrets"), ("notified-twice", "notified-out-of-order")],
    ids=" ".join,
)
def test_a_server_that_notifies_passes(variations: tuple[str, ...]) -> None:
    result = run_against(app_with(variations=variations))
    assert outcomes(result.report) == {rule: "passed" for rule in RECEIVED}  # noqa: C420 - what is expected
    assert result.receiver is not None
    assert result.receiver.startswith("http://127.0.0.1:")
    assert result.notes == ()


def test_a_notifier_that_is_killed_half_way_is_noticed() -> None:
    app = app_with()
    delivered: list[str] = []

    async def until_killed(uri: str, headers: Mapping[str, str], body: bytes) -> int:
        delivered.append(uri)
        return await post(uri, headers, body) if len(delivered) <= 3 else 0

    app.courier.deliver = until_killed
    result = run_against(app)
    failed = {rule for rule, outcome in outcomes(result.report).items() if outcome == "failed"}
    assert failed == {"an-assignment-is-notified"}


def test_where_nothing_ever_comes_nobody_is_accused() -> None:
    app = app_with()

    async def never(uri: str, headers: Mapping[str, str], body: bytes) -> int:
        return 0

    app.courier.deliver = never
    assert outcomes(run_against(app).report) == {}


def test_a_server_that_answers_nobody_while_it_delivers_is_slow_and_not_wrong() -> None:
    """No time limit is documented for answers, so the run takes longer and comes to the same verdicts."""
    app = app_with()

    async def slowly(uri: str, headers: Mapping[str, str], body: bytes) -> int:
        await app.server.clock.sleep(6.0)  # on a virtual clock nothing else runs meanwhile
        return await post(uri, headers, body)

    app.courier.deliver = slowly
    result = run_against(app)
    assert outcomes(result.report) == {rule: "passed" for rule in RECEIVED}  # noqa: C420
    slowest = max((one.answered_at or 0.0) - (one.sent_at or 0.0) for one in result.exchanges)
    assert slowest >= 6.0


def test_a_server_may_refuse_to_notify_this_machine() -> None:
    result = run_against(app_with(variations=("loopback-subscriptions-refused",)))
    assert (result.subscribed, outcomes(result.report)) == (False, {})


def test_a_receiver_takes_so_much_and_no_more() -> None:
    app, again = app_with(), True

    async def again_and_again(uri: str, headers: Mapping[str, str], body: bytes) -> int:
        nonlocal again
        times, again = (60, False) if again else (1, again)
        return [await post(uri, headers, body) for _ in range(times)][-1]

    app.courier.deliver = again_and_again
    result = run_against(app)
    assert outcomes(result.report) == {rule: "passed" for rule in RECEIVED}  # noqa: C420
    addresses = [address(exchange.request.url) for exchange in result.exchanges]
    assert max(addresses.count(one) for one in addresses if one) == 50
    assert result.notes[-1].endswith("notifications were left out: over 50 at one address, or too large")


def test_a_run_without_a_receiver_sends_no_subscriptions() -> None:
    app = app_with()
    subject = in_process(app, app.tokens, clock=app.server.clock)  # type: ignore[arg-type]
    result = asyncio.run(run(RunOptions(), subject=subject, rules=RULES, small=False))
    assert not any(b"subscriptions" in exchange.request.body for exchange in result.exchanges)
    assert (result.receiver, outcomes(result.report)) == (None, {})


def test_a_receiver_far_from_the_subject_needs_a_public_address() -> None:
    subject = replace(in_process(None, {"default": "t"}), kind="url", base_url="https://api.cronofy.com", app=None)

    async def enter() -> None:
        async with receiving(subject, None, "run", NotificationOptions(enabled=True)):  # type: ignore[arg-type]
            raise AssertionError

    with pytest.raises(ConfigurationError, match="--notification-url"):
        asyncio.run(enter())


class Sent:
    """What a receiver passes on."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def received(self, request: Request, status: int) -> None:
        self.requests.append(request)


def test_a_receiver_tells_unknown_paths_from_its_own_and_hides_the_signature() -> None:
    async def talk() -> tuple[list[int], list[Request], Receiver]:
        sent = Sent()
        subject = Subject("url", "s", "http://127.0.0.1:1", VirtualClock(EPOCH), {"default": "t"})
        wanted = NotificationOptions(enabled=True, client_secrets={"default": "secret"})
        async with receiving(subject, sent, "r1", wanted) as receiver, httpx.AsyncClient() as client:  # type: ignore[arg-type]
            assert receiver is not None
            paths = ["r1/0-a-1", "r1/1-a-1", "other/0-a-1", "r1", "r1/x"]
            statuses = []
            for path in paths:
                url = f"{receiver.base_url}{NOTIFICATIONS}{path}"
                statuses.append(
                    (await client.post(url, content=b"{}", headers={"Cronofy-HMAC-SHA256": "eA=="})).status_code
                )
            statuses.append((await client.get(f"{receiver.base_url}{NOTIFICATIONS}r1/0-a-1")).status_code)
            statuses.append((await client.post(f"{receiver.base_url}/", content=b"{}")).status_code)
            url = f"{receiver.base_url}{NOTIFICATIONS}r1/0-a-2"
            statuses.append((await client.post(url, content=b"x" * ((1 << 20) + 1))).status_code)
            return statuses, sent.requests, receiver

    statuses, requests, receiver = asyncio.run(talk())
    assert statuses == [204, 404, 404, 404, 404, 404, 404, 413]
    assert [request.header("cronofy-hmac-sha256") for request in requests] == ["<invalid>"]
    assert len(receiver.notes()) == 2


@pytest.mark.parametrize(
    ("url", "listen"),
    [("ftp://tunnel.example/", ("127.0.0.1", "1")), ("tunnel", ("127.0.0.1", "1")), ("https://tunnel.example/", None)],
)
def test_options_that_do_not_fit_are_refused(url: str, listen: tuple[str, str] | None) -> None:
    with pytest.raises(UsageError, match="--notification-url"):
        NotificationOptions.of(enabled=False, url=url, listen=listen, client_secrets={})


def test_a_public_address_is_enough_to_receive() -> None:
    chosen = NotificationOptions.of(
        enabled=False,
        url="https://tunnel.example/a/",
        listen=("0.0.0.0", "80"),
        client_secrets={},
    )
    assert chosen == NotificationOptions(enabled=True, url="https://tunnel.example/a", listen=("0.0.0.0", 80))


def test_a_recording_is_judged_like_its_run(tmp_path: Path) -> None:
    from conformance.cli.check_command import CheckOptions, check
    from conformance.cli.run_command import run as run_and_record
    from conformance.cli.status_line import StatusLine
    from conformance.http.redaction import Redactor
    from conformance.interrupts import Interruption

    app = app_with()
    subject = Subject(
        "reference", "reference", "http://localhost", app.server.clock, app.tokens, {}, app, app.client_secrets
    )
    options = RunOptions(record=tmp_path, rules=tuple(rule.id for rule in RULES))
    _, result = run_and_record(options, subject, Redactor({}), StatusLine(shown=False))
    again = check(CheckOptions((tmp_path,), rules=options.rules), Interruption(), lambda text: None)
    assert outcomes(again.report) == outcomes(result.report)
    assert set(outcomes(again.report)) == {rule.id for rule in RULES}
    (tmp_path / "receiver" / "notifications.yaml").unlink()
    alone = check(CheckOptions((tmp_path,), rules=options.rules), Interruption(), lambda text: None)
    assert outcomes(alone.report) == {"subscriptions-are-accepted": "passed"}
