"""Schemathesis runs the description of the API against the reference server, and our rules as its checks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from schemathesis.core.transport import Response as Answer

from conformance.clients.emulator import Emulator
from conformance.contract.rules import load
from conformance.http.exchange import Exchange, Request, Response
from conformance.plugins.schemathesis_hooks import RULES, Listener, exchange_of
from conformance.plugins.schemathesis_requests import RealRequests
from conformance.reference import reference_app

#: Set by `tox -e matrix`.  By default what Schemathesis finds without the rules is found with them only.
WHOLE = bool(os.environ.get("WHOLE_MATRIX"))
ROOT = Path(__file__).resolve().parents[2]
BASE = "http://127.0.0.1:8000"
HEADERS = (("authorization", "Bearer <default>"), ("content-type", "application/json"))
TOKEN = "reference-default-token"


@contextmanager
def served(*faults: str, seen: Callable[[Exchange], object] = lambda _: None) -> Iterator[str]:
    """The base URL of the reference server with these faults; `seen` is told of each exchange."""
    app = Emulator(reference_app(faults=faults), seen)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", date_header=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def st_run(url: str, cwd: Path, *options: str, hooks: bool) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    if hooks:
        environment["SCHEMATHESIS_HOOKS"] = "conformance.plugins.schemathesis_hooks"
    program = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(ROOT / "schemas" / "api" / "schemathesis.toml"),
        "run",
    ]
    arguments = ["--url", url, "-H", f"Authorization: Bearer {TOKEN}", "--seed", "1", "--no-color", *options]
    return subprocess.run(
        [*program, str(ROOT / "schemas/api/openapi.json"), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def exchange(method: str, target: str, sent: object, status: int, answered: object, label: str) -> Exchange:
    request = Request(method, BASE + target, HEADERS, b"" if sent is None else json.dumps(sent).encode())
    content = (("content-type", "application/json"),)
    return Exchange(request, Response(status, content, json.dumps(answered).encode()), label, headers_complete=True)


def calendars(**flags: object) -> Exchange:
    known = {"provider_name": "google", "profile_id": "pro_1", "profile_name": "a@b.example", "calendar_name": "One"}
    states = {"calendar_readonly": False, "calendar_deleted": False, "calendar_primary": True}
    entry = {**known, "calendar_id": "cal_1", **states, **flags}
    return exchange("GET", "/v1/calendars", None, 200, {"calendars": [entry]}, "calendars")


@pytest.mark.parametrize(("hooks", "mode"), [(True, "all"), *([(False, "positive")] if WHOLE else [])])
def test_the_reference_server_is_clean(hooks: bool, mode: str, tmp_path: Path) -> None:
    with served() as url:
        result = st_run(url, tmp_path, "--phases", "coverage", "--mode", mode, hooks=hooks)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Tested: 6" in result.stdout, result.stdout


def test_valid_upserts_reach_events(tmp_path: Path) -> None:
    seen: list[Exchange] = []
    options = ("--include-operation-id", "list_calendars", "--include-operation-id", "upsert_event", "-n", "1")
    with served(seen=seen.append) as url:
        result = st_run(url, tmp_path, "--phases", "examples,coverage", "--mode", "positive", *options, hooks=True)
    assert result.returncode == 0, result.stdout + result.stderr
    statuses = [one.response.status for one in seen if one.request.method == "POST" and one.response is not None]
    assert len(statuses) > 50
    assert statuses.count(202) > len(statuses) / 2


def test_a_valid_request_is_made_one_that_the_server_can_grant() -> None:
    real = RealRequests()
    entry = {"calendar_readonly": False, "calendar_deleted": False}
    real.learn(
        "list_calendars",
        {
            "calendars": [
                {"calendar_id": "cal_1", **entry},
                {"calendar_id": "cal_2", **entry, "calendar_readonly": True},
            ]
        },
    )
    real.learn("userinfo", {"cronofy.data": {"conferencing_profiles": [{"profile_id": "pro_1"}]}})
    real.learn("read_events", {"pages": {"next_page": "https://h.example/v1/events/pages/a%2Fb"}})
    for odd in (None, [], {"calendars": [3]}, {"pages": 1}, {"cronofy.data": None}):
        real.learn("read_next_page", odd)

    def made(operation: str, body: Any = None) -> tuple[dict[str, Any], Any]:
        path = {"calendar_id": "x", "page": "x"}
        real.make_real(operation, path, body)
        return path, body

    assert made("read_next_page")[0]["page"] == "a%2Fb"
    assert made("delete_event", {"event_id": "e"}) == ({"calendar_id": "cal_1", "page": "x"}, {"event_id": "e"})
    good = {"event_id": "e", "summary": "s", "start": "2031-01-01", "end": "2031-01-02", "tzid": "Europe/Paris"}
    kept = {**good, "conferencing": {"profile_id": "none"}}
    assert made("upsert_event", dict(kept))[1] == kept
    for odd, profile in (("0", "pro_0"), ("", "integrated"), ("../x", "pro_1")):
        backwards = {**good, "start": "2031-02-30", "tzid": odd, "conferencing": {"profile_id": profile}}
        _, body = made("upsert_event", backwards)
        assert (body["tzid"], body["start"] < body["end"]) == ("Europe/Berlin", True)
        assert body["conferencing"]["profile_id"] in ("default", "pro_1")
    assert made("upsert_event", {"event_uid": "evt_1"})[1]["event_id"]
    assert made("upsert_event", {**good, "start": "2031-03-01"})[1]["start"] == "2031-03-01", "each eighth is as made"


def test_a_faulty_server_fails_the_check_that_has_the_name_of_the_rule(tmp_path: Path) -> None:
    options = ("--phases", "examples,fuzzing", "-n", "1", "--include-operation-id", "list_calendars")
    with served("availability-as-string") as url:
        with_rules = st_run(url, tmp_path, *options, "-c", "the_calendar_list_says_what_is_available", hooks=True)
    assert with_rules.returncode == 1, with_rules.stdout + with_rules.stderr
    assert "the-calendar-list-says-what-is-available (must, 2.3.b, B12)" in with_rules.stdout
    assert "expected: " in with_rules.stdout
    assert "got: " in with_rules.stdout
    assert TOKEN not in with_rules.stdout


def test_each_rule_that_one_response_can_break_is_a_check() -> None:
    of_one_response = ("exchange", "conferencing", "reading", "directory")
    expected = {rule.id for rule in load() if rule.applies_to == "server" and rule.about in of_one_response}
    assert {rule.id for rule in RULES} == expected
    names = {rule.id.replace("-", "_") for rule in RULES}
    assert names <= set(schemathesis.checks.CHECKS.get_all_names())


def test_a_token_does_not_enter_the_exchange() -> None:
    sent = requests.Request(
        "post", f"{BASE}/v1/calendars/cal_1/events", headers={"Authorization": "Bearer s3cret"}, data="{}"
    ).prepare()
    response = Answer(422, {"content-type": ["application/json"]}, b'{"errors": {}}', sent, 0.1, verify=True)
    converted = exchange_of(response, "case")
    assert converted.request.method == "POST"
    assert converted.request.body == b"{}"
    assert converted.request.account is not None
    assert converted.response == Response(422, (("content-type", "application/json"),), b'{"errors": {}}')
    assert converted.headers_complete
    assert "s3cret" not in repr(converted)


def test_a_response_is_judged_by_itself() -> None:
    listener = Listener(RULES)
    refused = exchange("DELETE", "/v1/calendars/cal_1/events", {}, 422, {"error": "event_id"}, "a")
    assert set(listener.violations(refused)) == {"a-422-has-the-documented-shape"}
    right = {"errors": {"event_id": [{"key": "errors.required", "description": "required"}]}}
    assert listener.violations(exchange("DELETE", "/v1/calendars/cal_1/events", {}, 422, right, "b")) == {}


def test_a_write_is_judged_with_the_calendar_list_before_it() -> None:
    accepted = exchange("POST", "/v1/calendars/cal_2/events", {"event_id": "e"}, 202, None, "write")
    listener = Listener(RULES)
    assert listener.violations(accepted) == {}
    assert listener.violations(calendars(calendar_integrated_conferencing_available=False)) == {}
    assert set(listener.violations(accepted)) == {"an-unknown-calendar-is-not-found"}


def test_the_outcome_of_a_write_is_not_judged() -> None:
    odd = {"event_id": "e", "summary": "s", "start": "5666-09-16", "end": "7579-12-10", "tzid": "00"}
    right = {"errors": {"start": [{"key": "errors.invalid_time", "description": "out of range"}]}}
    listener = Listener(RULES)
    listener.violations(calendars(calendar_integrated_conferencing_available=False))
    assert listener.violations(exchange("POST", "/v1/calendars/cal_1/events", odd, 422, right, "write")) == {}


def test_a_violation_in_one_response_is_not_reported_for_a_later_one() -> None:
    listener = Listener(RULES)
    broken = listener.violations(calendars(calendar_integrated_conferencing_available="yes"))
    assert "the-calendar-list-says-what-is-available" in broken
    page = {"pages": {"current": 1, "total": 1}, "events": []}
    assert listener.violations(exchange("GET", "/v1/events?tzid=Etc/UTC", None, 200, page, "read")) == {}
