"""Before anything is written: a wrong set-up is explained in one sentence, odd answers are left to the rules."""

from __future__ import annotations

import asyncio
import email.utils
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from conformance.clock import RealClock, VirtualClock
from conformance.facts import Settings
from conformance.reference import reference_app
from conformance.servers.campaign import run
from conformance.servers.inventory import Account, Inventory
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import DATA_CENTRES, EPOCH, ConfigurationError, Subject, in_process, parse
from conformance.servers.subject.preflight import _check_targets
from conformance.servers.subject.readings import WIDER_READING
from conformance.servers.subject.reception import Limits
from conformance.servers.subject.waiting import wait_for_answer

CALENDARS = {
    "calendars": [
        {"calendar_id": "cal_1", "provider_name": "google", "calendar_integrated_conferencing_available": True},
        {"calendar_id": "cal_2", "provider_name": "google", "calendar_readonly": True},
    ]
}
ANSWERS: dict[str, tuple[int, Any]] = {
    "/v1/calendars": (200, CALENDARS),
    "/v1/userinfo": (200, {"cronofy.data": {"conferencing_profiles": []}}),
    "/v1/events": (200, {"pages": {"current": 1, "total": 1}, "events": []}),
}


class Canned:
    """An ASGI application with prepared answers; the paths of other requests than GET are recorded."""

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self.answers = {**ANSWERS, **{f"/v1/{name}": answer for name, answer in answers.items()}}
        self.written: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("no lifespan here")
        if scope["method"] != "GET":
            self.written.append(scope["path"])
        status, body = self.answers.get(scope["path"], (404, None))
        if callable(body):
            status, body = body(scope["query_string"].decode())
        text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = b"text/html" if text.startswith(b"<") else b"application/json"
        headers = [(b"content-type", kind)] + ([(b"location", b"https://other.example/")] if status == 301 else [])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})


def plan_of(subject: Subject, **options: Any) -> Any:
    """The result of a run that only plans."""
    return asyncio.run(run(RunOptions(plan=True, **options), subject=subject, limits=Limits(seconds=5, attempts=2)))


def canned(app: Any) -> Subject:
    return in_process(app, {"default": "token-of-default"}, clock=VirtualClock(EPOCH))


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            {"calendars": (401, None)},
            r"the access token of account 'default' is refused by .* \(401\): check the token",
        ),
        ({"calendars": (403, None)}, r"may not list its calendars \(403\): authorize its token"),
        ({"calendars": (402, None)}, r"may not list its calendars \(402\)"),
        ({"calendars": (301, None)}, r"redirects to https://other\.example/ \(301\): name the API's own URL"),
        (
            {"calendars": (404, b"<html>Not found</html>")},
            r"answered 404 \(text/html, 22 bytes\): this is not the Cronofy",
        ),
        ({"calendars": (407, None)}, r"a proxy asks for credentials \(407\)"),
        (
            {"calendars": (200, b"<html>Please sign in</html>")},
            r"without a list of calendars: this is not the Cronofy API",
        ),
        ({"calendars": (200, {})}, r"without a list of calendars"),
        ({"calendars": (500, None)}, r"answered 500 \(application/json, 0 bytes\)"),
        ({"events": (403, None)}, r"may not read events \(403\): authorize its token for the scope read_events"),
        ({"events": (404, None)}, r"GET /v1/events of account 'default' is answered 404"),
        (
            {"userinfo": (200, {"cronofy.data": {"authorization": {"scope": "read_events delete_event"}}})},
            r"lacks the scope create_event: authorize it again",
        ),
        (
            {"calendars": (200, {"calendars": [CALENDARS["calendars"][1]]})},
            r"none of the accounts has a calendar that may be written to",
        ),
    ],
)
def test_a_wrong_set_up_ends_in_one_sentence_before_any_write(answers: dict[str, Any], message: str) -> None:
    app = Canned(**answers)
    with pytest.raises(ConfigurationError, match=message) as caught:
        asyncio.run(run(RunOptions(), subject=canned(app), limits=Limits(attempts=2)))
    assert app.written == []
    assert "token-of-default" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "answers",
    [
        {"userinfo": (404, None)},
        {"userinfo": (200, b"<html>")},
        {"userinfo": (200, {"cronofy.data": {"authorization": {"scope": "everything"}}})},
        {"events": (200, {"events": "none"})},
        {"events": (200, [])},
        {"events": (200, {"events": [None, 3], "pages": {"next_page": "http://elsewhere.example/"}})},
        {"calendars": (200, {"calendars": [*CALENDARS["calendars"], None, {"calendar_id": 7}]})},
    ],
)
def test_an_odd_page_is_no_reason_to_stop(answers: dict[str, Any]) -> None:
    result = plan_of(canned(Canned(**answers)))
    assert [calendar.calendar_id for _, calendar in result.inventory.targets] == ["cal_1"]


def test_calendars_are_taken_from_userinfo_if_the_list_is_unusable() -> None:
    data = {"profiles": [{"provider_name": "google", "profile_calendars": CALENDARS["calendars"]}]}
    app = Canned(calendars=(200, {"calendars": {"odd": True}}), userinfo=(200, {"cronofy.data": data}))
    assert [calendar.calendar_id for _, calendar in plan_of(canned(app)).inventory.targets] == ["cal_1"]


def test_where_only_managed_is_refused_managed_events_are_included_instead() -> None:
    app = Canned(events=(200, lambda query: (422, None) if "only_managed" in query else ANSWERS["/v1/events"]))
    result = plan_of(canned(app))
    assert result.exchanges[-1].request.query == WIDER_READING


def test_a_plan_sends_only_reads_and_counts_what_it_costs() -> None:
    app = Canned()
    result = plan_of(canned(app))
    assert app.written == []
    assert {exchange.request.method for exchange in result.exchanges} == {"GET"}
    assert 0 < result.plan.expected < result.plan.requests
    named = [request for request in result.plan.malformed if request.names_event]
    # One event follows the malformed requests.
    assert result.plan.objects == len(result.plan.scenarios) + len(named) + 1 > 20
    assert "there is one account only: whether accounts are kept apart is not tried" in result.plan.lacking


def test_an_unknown_calendar_is_refused_with_a_list_of_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="no account has the calendar 'cal_x': name one of cal_1, cal_2"):
        plan_of(canned(Canned()), calendars=("cal_x",))


def test_only_named_calendars_are_written_to() -> None:
    app = reference_app(clock=VirtualClock(EPOCH))
    subject = in_process(app, app.tokens)
    named = plan_of(subject).inventory.targets[3][1].calendar_id
    assert [calendar.calendar_id for _, calendar in plan_of(subject, calendars=(named,)).inventory.targets] == [named]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("referense", "is no subject: give `reference`"),
        ("ftp://example.com", "begins with http:// or https://"),
        ("http://user:pw@example.com", "carries credentials"),
        ("http://[::1", "is no URL"),
        ("asgi:json", "names no application"),
        ("asgi:no_such_module_here:app", "cannot be imported"),
        ("asgi:json:nothing", "has no 'nothing'"),
        ("asgi:json:__name__", "is no application"),
    ],
)
def test_an_invalid_subject_is_explained(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse(name, {"default": "t"})


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ({}, "needs an access token: export it as CRONOFY_ACCESS_TOKEN"),
        ({"default": " "}, "is empty"),
        ({"default": "tok en"}, "characters that no header carries"),
        ({"default": "same", "other": "same"}, "have the same access token"),
    ],
)
def test_an_unusable_token_is_explained_without_showing_it(accounts: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse("us", accounts)
    assert "tok en" not in str(caught.value)


def test_the_name_of_a_subject_gives_its_url_and_pace() -> None:
    assert {name: parse(name, {"a": "t"}).base_url for name in DATA_CENTRES} == DATA_CENTRES
    assert parse("HTTP://127.0.0.1:8000/prefix/v1/", {"a": "t"}).base_url == "http://127.0.0.1:8000/prefix"
    near, far = parse("http://127.0.0.1:8000", {"a": "t"}), parse("sg", {"a": "t"})
    assert (near.loopback, near.quiet, near.settle_timeout, near.rate) == (True, 2.0, 15.0, None)
    assert (far.loopback, far.quiet, far.settle_timeout, far.rate) == (False, 10.0, 120.0, 8.0)
    assert "secret" not in repr(parse("us", {"a": "secret"}))


def test_settings_are_those_of_the_subject_unless_given() -> None:
    subject = parse("sg", {"a": "t"}, default_profiles={"a": "pro_1"})
    assert subject.settings() == Settings(10.0, None, 120.0, {"a": "pro_1"})
    assert subject.settings(window=3.0, settle_timeout=0.0) == Settings(10.0, 3.0, 0.0, {"a": "pro_1"})


@contextmanager
def listening(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose connections are handled by `behave`."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    behave(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def at(url: str) -> Subject:
    return Subject("url", url, url, RealClock(), {"default": "t"})


def test_a_port_that_nobody_listens_at_is_explained() -> None:
    with listening(lambda connection: None) as port:
        pass
    with pytest.raises(ConfigurationError, match=f"nothing listens at http://127.0.0.1:{port} .*: start the server"):
        plan_of(at(f"http://127.0.0.1:{port}"))


def test_https_instead_of_http_is_explained() -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with (
        listening(plain) as port,
        pytest.raises(ConfigurationError, match=r"speaks no TLS .*: begin the URL with http://"),
    ):
        plan_of(at(f"https://127.0.0.1:{port}"))


def test_http_instead_of_https_is_explained(tmp_path: Path) -> None:
    context = _context(tmp_path)
    with (
        listening(lambda connection: context.wrap_socket(connection, server_side=True).close()) as port,
        pytest.raises(ConfigurationError, match=r"gives no usable answer .* whether it wants http:// or https://"),
    ):
        plan_of(at(f"http://127.0.0.1:{port}"))


def test_an_untrusted_certificate_is_explained(tmp_path: Path) -> None:
    context = _context(tmp_path)
    with (
        listening(lambda connection: context.wrap_socket(connection, server_side=True).close()) as port,
        pytest.raises(
            ConfigurationError, match=r"is signed by an authority that is not trusted: name its certificate with --ca"
        ),
    ):
        plan_of(at(f"https://127.0.0.1:{port}"))


def _context(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_clocks_that_differ_are_explained() -> None:
    def past(connection: socket.socket) -> None:
        connection.recv(1000)
        body = json.dumps(CALENDARS).encode()
        head = f"HTTP/1.1 200 OK\r\nDate: Tue, 28 Apr 2020 09:00:00 GMT\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    with (
        listening(past) as port,
        pytest.raises(ConfigurationError, match=r"the clocks differ: .* h behind this machine"),
    ):
        plan_of(at(f"http://127.0.0.1:{port}"))


def test_a_clock_that_is_hours_wrong_is_no_error() -> None:
    answers = []

    def behind(connection: socket.socket) -> None:
        connection.recv(1000)
        body = json.dumps(CALENDARS).encode()
        answers.append(email.utils.formatdate(time.time() - 2 * 3600, usegmt=True))
        head = f"HTTP/1.1 200 OK\r\nDate: {answers[-1]}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    with listening(behind) as port:
        assert plan_of(at(f"http://127.0.0.1:{port}")).plan.scenarios
    assert answers


@pytest.mark.parametrize(("minutes", "near"), [(0, True), (9, True), (-11, False), (20, False), (None, False)])
def test_near_starts_are_tried_if_the_server_sends_the_right_time(minutes: int | None, near: bool) -> None:
    app = Canned()

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        async def with_date(message: Any) -> None:
            if message["type"] == "http.response.start":
                date = "soon" if minutes is None else format_datetime(datetime.fromtimestamp(EPOCH + 60 * minutes, UTC))
                message = {**message, "headers": [*message["headers"], (b"date", date.encode())]}
            await send(message)

        await app(scope, receive, with_date)

    result = plan_of(canned(serve))
    starts = {step.start for scenario in result.plan.scenarios for step in scenario.steps} & {"soon", "lately"}
    assert (result.inventory.shows_time, bool(starts)) == (near, near)


def test_outside_this_machine_calendars_must_be_named() -> None:
    class Far(Subject):
        loopback = False  # type: ignore[assignment]

    app = Canned()
    near = canned(app)
    far = Far(near.kind, near.name, near.base_url, near.clock, near.tokens, {}, app)
    with pytest.raises(
        ConfigurationError, match="only calendars that are named are written to: choose from cal_1 with"
    ):
        plan_of(far)
    with pytest.raises(ConfigurationError, match="the calendars named are read-only or deleted: name one of cal_1"):
        plan_of(far, calendars=("cal_2",))
    assert [calendar.calendar_id for _, calendar in plan_of(far, calendars=("cal_1",)).inventory.targets] == ["cal_1"]


PROFILES = {"conferencing_profiles": [{"profile_id": "pro_1"}, {"profile_id": "pro_2"}]}


@pytest.mark.parametrize(
    ("data", "declared", "message"),
    [
        (PROFILES, {"default": "pro_3"}, r"does not list the profile 'pro_3' .*; did you mean 'pro_\d' or 'pro_\d'\?"),
        ({"conferencing_profiles": []}, {"default": "pro_1"}, r"does not list the profile 'pro_1' .*; there is none"),
        (
            PROFILES,
            {"defualt": "pro_1"},
            r"the account 'defualt', which this run does not have; did you mean 'default'",
        ),
    ],
)
def test_an_unknown_default_profile_is_refused_with_the_nearest(data: Any, declared: Any, message: str) -> None:
    app = Canned(userinfo=(200, {"cronofy.data": data}))
    with pytest.raises(ConfigurationError, match=message):
        asyncio.run(run(RunOptions(default_profiles=declared), subject=canned(app)))
    assert app.written == []


@pytest.mark.parametrize("data", [{}, PROFILES])
def test_a_default_profile_is_accepted_where_userinfo_lists_it_or_lists_none(data: Any) -> None:
    app = Canned(userinfo=(200, {"cronofy.data": data}))
    assert plan_of(canned(app), default_profiles={"default": "pro_2"}).plan.waves


@pytest.mark.parametrize("host", ["emulator", "10.0.0.7", "emulator.internal", "[fd00::7]"])
def test_on_a_private_network_the_calendars_to_name_are_said(host: str) -> None:
    subject = replace(canned(Canned()), base_url=f"http://{host}:8000", app=None, kind="url")
    inventory = Inventory((Account.from_responses("default", CALENDARS, {}, only_named=True),))
    with pytest.raises(ConfigurationError, match="add --calendar cal_1, or name its port on this machine") as caught:
        _check_targets(subject, inventory, ())
    assert str(caught.value).startswith(f"http://{host}:8000 counts as another machine")


class _Starting:
    """Answers 503 to the first requests, as a gateway does while the server behind it is starting."""

    def __init__(self, refusals: int) -> None:
        self.left = refusals

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        if self.left >= 0 and self.left % 2:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(503 if self.left >= 0 else 401)


@pytest.mark.parametrize(("seconds", "answers"), [(60.0, True), (1.0, False)])
def test_a_server_that_is_starting_is_waited_for_so_long_and_no_longer(seconds: float, answers: bool) -> None:
    clock, app = VirtualClock(EPOCH), _Starting(10)

    async def wait() -> bool:
        async with httpx.AsyncClient(transport=httpx.MockTransport(app)) as client:
            return await wait_for_answer(client, "http://localhost:1", clock, seconds)

    assert asyncio.run(wait()) is answers
    assert clock.now() - EPOCH <= seconds


def test_a_run_waits_for_a_server_before_its_preflight() -> None:
    asked: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))
        if len(asked) > 3:  # the first three connections are closed without an answer, as a starting server does
            connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with listening(behave) as port, pytest.raises(ConfigurationError, match=r"is refused by .* \(401\)"):
        asyncio.run(run(RunOptions(wait=30.0), subject=at(f"http://127.0.0.1:{port}")))
    assert len(asked) == 5
    assert [b"authorization" in request.lower() for request in asked] == [False] * 4 + [True]
