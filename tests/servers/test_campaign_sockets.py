"""Runs over sockets: clean-up after a killed run, servers of another make, hostile servers."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn

from conformance.clock import VirtualClock
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, ConfigurationError, in_process, parse
from conformance.servers.subject.reception import Limits

TOKEN = "planted-T0k3n/with+odd=characters"


class CountingApp:
    """An application that counts its requests, and can be waited for."""

    def __init__(self, app: Any) -> None:
        self.app, self.count, self.changed = app, 0, threading.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self.changed:
            self.count += 1
            self.changed.notify_all()
        await self.app(scope, receive, send)

    def wait_for(self, requests: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.count >= requests, timeout=60)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The application on a port of 127.0.0.1."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def commanded(*arguments: str, folder: Path, token: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "CRONOFY_ACCESS_TOKEN": token,
        "CRONOFY_CONFORMANCE_JOURNAL": str(folder / "journal"),
    }
    command = [sys.executable, "-m", "conformance", *arguments]
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("requests", [5, 30, 75])
def test_cleanup_deletes_what_a_killed_run_left_on_a_server(requests: int, tmp_path: Path) -> None:
    app = reference_app(settle=0.05)
    token = app.tokens["default"]
    counted = CountingApp(app)
    with served(counted) as url:
        running = commanded("run", url, "--max-examples", "0", "--quiet", folder=tmp_path, token=token)
        assert counted.wait_for(requests)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        cleaning = commanded("cleanup", url, folder=tmp_path, token=token)
        output = cleaning.communicate(timeout=60)
        assert cleaning.returncode == 0, output
        reading = httpx.get(
            f"{url}/v1/events?tzid=Etc/UTC&only_managed=true", headers={"Authorization": f"Bearer {token}"}
        )
    assert reading.json()["events"] == []
    assert not list((tmp_path / "journal").rglob("*.ndjson"))


class Echoing:
    """A server that accepts TOKEN, and echoes it wherever it can, in several encodings."""

    def __init__(self, app: Any, token: str) -> None:
        self.app, self.token = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        shown = b" ".join(encodings(given.partition(b" ")[2]))
        known = [
            (name, self.token if value == b"Bearer " + TOKEN.encode() else value) for name, value in scope["headers"]
        ]

        async def echo(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                message = {**message, "headers": [*headers, (b"x-echo", shown)]}
            elif message.get("body", b"").startswith(b"{"):
                message = {**message, "body": b'{"echo": "' + shown + b'", ' + message["body"][1:]}
            await send(message)

        await self.app({**scope, "headers": known}, receive, echo)


def encodings(token: bytes) -> list[bytes]:
    return [token, base64.b64encode(b"user:" + token), quote(token, safe="").encode(), token.hex().encode()]


def test_a_token_that_the_server_echoes_is_in_no_result_of_a_run() -> None:
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock)
    subject = in_process(Echoing(app, app.tokens["default"]), {"default": TOKEN}, clock=clock)
    result: RunResult = asyncio.run(run(RunOptions(), subject=subject, small=False))
    text = repr(result.exchanges) + repr(result.report) + repr(result.run) + repr(result.subject)
    assert [encoding for encoding in encodings(TOKEN.encode()) if encoding.decode() in text] == []
    assert "x-echo" in text
    assert sum(tally.failed for tally in result.report.tallies.values()) == 0


@pytest.mark.parametrize("name", ["next-page-for-ever", "next-page-to-itself", "gzip-bomb", "deep-json"])
def test_a_hostile_server_is_survived_in_bounded_time(name: str, hostile: Any, make_small: Any) -> None:
    token = next(iter(make_small["wsgi"]().tokens.values()))
    options = RunOptions(settle_timeout=1.0, max_requests=120)
    with hostile(name, where="events") as url:
        began = time.monotonic()
        try:
            limits = Limits(seconds=2.0, attempts=2)
            subject = parse(url, {"default": token})
            requests = asyncio.run(run(options, subject=subject, small=False, limits=limits)).run["requests"]
        except ConfigurationError:
            requests = 0
        assert requests <= 120
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_a_server_of_another_make_is_accused_of_nothing(kind: str, make_small: Any) -> None:
    clock = VirtualClock(EPOCH)
    app = make_small[kind](settle=0.1, now=clock.now)
    subject = in_process(app, app.tokens, kind=kind, clock=clock, default_profiles=app.default_profiles)
    result = asyncio.run(run(RunOptions(), subject=subject, small=False))
    outcomes = {rule: tally.outcome for rule, tally in result.report.tallies.items()}
    assert {rule for rule, outcome in outcomes.items() if outcome in ("failed", "inconclusive")} == set()
