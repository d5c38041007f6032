"""Signals at any moment, once or twice: 130, clean-up, the report so far, and no traceback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from conformance.reference import reference_app

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Held:
    """The reference server, of which some requests are held for ever; it can be waited for."""

    def __init__(self, held: Callable[[str, str], bool]) -> None:
        self.app, self.held = reference_app(settle=0.05), held
        self.requests: list[tuple[str, str]] = []
        self.changed = threading.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = scope["method"], scope["path"]
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
        if self.held(*request):
            await asyncio.sleep(60)
        await self.app(scope, receive, send)

    def wait_for(self, met: Callable[[list[tuple[str, str]]], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: met(self.requests), timeout=30)


def _as_started_by_hand() -> None:
    """Whoever started the tests may ignore signals, in the background and under nohup: so would the command."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def running(app: Held, folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run against the app, in a process of its own, and its report."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    server.config.timeout_graceful_shutdown = 0
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    environment = {
        **os.environ,
        "CRONOFY_ACCESS_TOKEN": app.app.tokens["default"],
        "CRONOFY_CONFORMANCE_JOURNAL": str(folder / "journal"),
    }
    report = folder / "r.json"
    command = [sys.executable, "-m", "conformance", "run", url, "--report", str(report), *options]
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_as_started_by_hand,
    )
    try:
        yield process, report
    finally:
        process.kill()
        process.communicate()
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("path", ["/v1/calendars", "/v1/userinfo"])
def test_a_signal_in_the_preflight_ends_the_run_with_a_report(
    number: signal.Signals, path: str, tmp_path: Path
) -> None:
    app = Held(lambda method, at: at == path)
    with running(app, tmp_path) as (process, report):
        app.wait_for(lambda requests: any(at == path for _, at in requests))
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 130, errors
        assert "Traceback" not in output + errors
        assert json.loads(report.read_text())["outcome"] == "inconclusive"
    assert not list((tmp_path / "journal").rglob("*.ndjson"))


@pytest.mark.parametrize("number", SIGNALS[1:], ids=lambda number: number.name)
def test_a_signal_in_a_run_ends_it_after_clean_up(number: signal.Signals, tmp_path: Path) -> None:
    app = Held(lambda method, at: False)
    with running(app, tmp_path) as (process, report):
        app.wait_for(lambda requests: sum(method == "POST" for method, _ in requests) > 30)
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        assert process.returncode == 130, errors
        assert "Traceback" not in output + errors
        assert json.loads(report.read_text())["fully_covered"] is False
    assert not list((tmp_path / "journal").rglob("*.ndjson"))
    assert ("DELETE" in {method for method, _ in app.requests}) is True


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])
def test_a_second_signal_cuts_clean_up_short_and_names_the_command_for_it(at_once: bool, tmp_path: Path) -> None:
    app = Held(lambda method, at: method == "DELETE")
    with running(app, tmp_path, "--quiet") as (process, report):
        # None of the first writes is a DELETE: what comes after them is clean-up.
        app.wait_for(lambda requests: sum(method == "POST" for method, _ in requests) > 5)
        process.send_signal(signal.SIGTERM)
        if not at_once:
            app.wait_for(lambda requests: any(method == "DELETE" for method, _ in requests))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 130, errors
        assert output == ""
        [line] = errors.splitlines()
        assert "clean-up was cut short" in line
        assert "run `cronofy-conformance cleanup http://127.0.0.1:" in line
        assert report.exists()
    assert list((tmp_path / "journal").rglob("*.ndjson"))


def test_a_signal_while_the_program_starts_is_130_without_a_word() -> None:
    request = {"method": "GET", "url": "http://127.0.0.1/v1/calendars", "headers": []}
    line = json.dumps({"request": request, "response": {"status": 200, "headers": [], "body": "{}"}})
    for delay in (0.02, 0.05, 0.1, 0.2):
        with subprocess.Popen(["yes", line], stdout=subprocess.PIPE) as endless:
            process = subprocess.Popen(
                [sys.executable, "-m", "conformance", "check", "/dev/stdin"],
                stdin=endless.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=20)
            endless.kill()
        # Before Python itself has started, it is the latter.
        assert process.returncode in (130, -signal.SIGTERM), errors
        assert "Traceback" not in output + errors


def test_a_signal_at_the_very_last_changes_nothing(tmp_path: Path) -> None:
    late = "class Late:\n def __del__(self, os=__import__('os')): os.kill(os.getpid(), 15)\nlate = Late()\napp = None\n"
    (tmp_path / "late.py").write_text(late)
    command = [sys.executable, "-m", "conformance", "run", "asgi:late:app"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "CRONOFY_ACCESS_TOKEN": "a-token-of-mine"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 2, "Python ends while its signals are those of the system again"


def test_a_terminal_that_hangs_up_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "conformance", "run", "--max-requests", "40", "--report", str(tmp_path / "r.json")]
    controlling, terminal = os.openpty()
    os.close(controlling)
    done = subprocess.run([*command, "--report", "-"], stdout=terminal, stderr=terminal, check=False)
    os.close(terminal)
    assert done.returncode == 3
    assert (tmp_path / "r.json").exists()
