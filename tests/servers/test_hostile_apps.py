"""An application in this process may hang, block, send without end or raise anything: the run ends, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from conformance import interrupts as interrupts_of_programs
from conformance.cli.main import cli
from conformance.interrupts import is_of_signal, until_interrupted
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import ConfigurationError, in_process
from conformance.servers.subject.app_transports import AsgiTransport, WsgiTransport
from conformance.servers.subject.reception import Limits

LIMITS = Limits(seconds=0.2, attempts=1, patience=0.5, body=4_000_000)


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRONOFY_CONFORMANCE_JOURNAL", str(tmp_path / "journal"))
    return tmp_path / "journal"


class OwnError(BaseException):
    """What no `except Exception` catches."""


def run_of(asgi: Any = None, wsgi: Any = None, limits: Limits = LIMITS) -> RunResult | ConfigurationError:
    """A run on the real clock against an application, which ends soon."""
    subject = in_process(asgi or wsgi, {"default": "a-token"}, kind="wsgi" if wsgi else "asgi")
    options = RunOptions(max_requests=40, max_time=4.0)
    try:
        return asyncio.run(run(options, subject=subject, limits=limits, small=False))
    except ConfigurationError as error:
        return error


def asgi_app(answer: Callable[[Any], Any]) -> Any:
    """An application that answers requests so; it has no lifespan."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await answer(send)

    return app


def raising(error: BaseException) -> Any:
    async def answer(send: Any) -> None:
        raise error

    return answer


async def sends_without_end(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})


async def sends_whatever_comes(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        with contextlib.suppress(ConnectionError):
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})


async def blocks(send: Any) -> None:
    time.sleep(60)


async def is_busy(send: Any) -> None:
    while True:
        pass


async def sleeps(send: Any) -> None:
    await asyncio.sleep(60)


async def says_nothing(send: Any) -> None:
    pass


@pytest.mark.parametrize(
    "answer",
    [
        *map(
            raising,
            (
                SystemExit(7),
                KeyboardInterrupt(),
                OwnError(),
                asyncio.CancelledError(),
                BaseExceptionGroup("", [OwnError()]),
            ),
        ),
        *(sends_without_end, sends_whatever_comes, blocks, is_busy, sleeps, says_nothing),
    ],
)
def test_an_asgi_application_ends_no_run(answer: Any) -> None:
    began = time.monotonic()
    result = run_of(asgi_app(answer))
    assert isinstance(result, ConfigurationError) or result.cut_short
    assert time.monotonic() - began < 20


def wsgi_raises(environ: Any, start: Any) -> Any:
    raise ValueError("no such calendar")


@pytest.mark.parametrize(
    "transport",
    [AsgiTransport(asgi_app(raising(ValueError("no such calendar"))), LIMITS), WsgiTransport(wsgi_raises, LIMITS)],
)
def test_what_an_application_raises_is_said_in_its_answer(transport: httpx.AsyncBaseTransport) -> None:
    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get("http://localhost/v1/calendars")

    answered = asyncio.run(answer())
    assert answered.status_code == 500
    assert "ValueError: no such calendar" in answered.text
    assert Path(__file__).name in answered.text


def wsgi_hangs(environ: Any, start: Any) -> Any:
    time.sleep(60)


def wsgi_exits(environ: Any, start: Any) -> Any:
    raise SystemExit(7)


def wsgi_sends_without_end(environ: Any, start: Any) -> Any:
    start("200 OK", [])
    while True:
        yield bytes(65536)


@pytest.mark.parametrize("app", [wsgi_hangs, wsgi_exits, wsgi_sends_without_end])
def test_a_wsgi_application_ends_no_run(app: Any) -> None:
    result = run_of(wsgi=app)
    assert isinstance(result, ConfigurationError) or result.cut_short


@pytest.mark.parametrize("at", ["startup", "shutdown"])
def test_a_lifespan_that_hangs_is_not_waited_for(at: str, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.servers.subject.app_transports._SHUTDOWN", 0.1)
    reference = reference_app()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            if at == "shutdown":
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await asyncio.sleep(60)
        await reference(scope, receive, send)

    result = run_of(app, limits=LIMITS if at == "startup" else Limits())
    if at == "startup":
        assert str(result) == "the application did not start within 0.2 s: see what its ASGI lifespan waits for"
        assert not list(journal.rglob("*.ndjson")), "nothing was created: the journal is closed, and goes"
    else:
        assert isinstance(result, RunResult) or "401" in str(result)


def test_a_run_whose_time_is_up_before_it_knows_the_calendars_does_not_say_that_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sleeping", types.SimpleNamespace(app=asgi_app(sleeps)))  # type: ignore[misc]
    monkeypatch.setenv("CRONOFY_ACCESS_TOKEN", "a-token")
    done = CliRunner().invoke(cli, ["run", "asgi:sleeping:app", "--max-time", "0.3"])
    assert done.exit_code == 3
    assert done.output.splitlines()[-1].startswith("Outcome: inconclusive. Exit code 3: its time was up: 0.3 s")


def test_an_application_that_cancels_all_tasks_is_not_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancels(send: Any) -> None:
        for task in asyncio.all_tasks():
            task.cancel()

    monkeypatch.setitem(sys.modules, "cancelling", types.SimpleNamespace(app=asgi_app(cancels)))  # type: ignore[misc]
    monkeypatch.setenv("CRONOFY_ACCESS_TOKEN", "a-token")
    done = CliRunner().invoke(cli, ["run", "asgi:cancelling:app"])
    assert done.exit_code == 3
    assert "Exit code 3: code in this process cancelled the run" in done.output.splitlines()[-1]


def test_an_application_that_goes_to_another_folder_takes_no_artefact_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = reference_app(settle=0.05)
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    monkeypatch.chdir(here)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        os.chdir(there)
        await reference(scope, receive, send)

    monkeypatch.setitem(sys.modules, "moving", types.SimpleNamespace(app=app))  # type: ignore[misc]
    monkeypatch.setenv("CRONOFY_ACCESS_TOKEN", reference.tokens["default"])
    places = ["--report", "r.json", "--report", "html:r", "--evidence", "e.ndjson", "--record", "c"]
    done = CliRunner().invoke(cli, ["run", "asgi:moving:app", "--max-requests", "30", "--max-time", "5", *places])
    assert (done.exit_code, list(there.iterdir())) == (3, [])
    assert {"r.json", "r", "e.ndjson", "c"} <= {path.name for path in here.iterdir()}


def test_a_thread_that_an_application_left_keeps_no_program_running(tmp_path: Path) -> None:
    (tmp_path / "left.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "async def app(scope, receive, send): raise ValueError\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "run", "asgi:left:app", "--plan"],
        env={"PYTHONPATH": str(tmp_path), "CRONOFY_ACCESS_TOKEN": "a-token-of-mine"},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")


async def exits() -> None:
    sys.exit(0)


async def interrupts() -> None:
    raise KeyboardInterrupt


async def exits_when_it_is_cancelled() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        sys.exit(0)


@pytest.mark.parametrize("work", [exits, interrupts, exits_when_it_is_cancelled])
@pytest.mark.filterwarnings("ignore:code in this process would have ended it")
def test_a_task_that_an_application_left_ends_no_program(work: Callable[[], Any]) -> None:
    async def run() -> str:
        task = asyncio.create_task(work())
        await asyncio.wait([task], timeout=0.01)
        return "the report"

    assert until_interrupted(run()) == "the report"


def test_an_application_that_stops_the_loop_is_named_and_stops_no_run() -> None:
    async def run() -> str:
        loop = asyncio.get_running_loop()
        for end in (loop.stop, lambda: sys.exit(0)):
            loop.call_soon(end)
            await asyncio.sleep(0)
        return "the report"

    with pytest.warns(UserWarning, match="would have ended it, by ") as warned:
        assert until_interrupted(run()) == "the report"
    assert [str(one.message).split(" by ")[1] for one in warned] == [
        "stop(): under a server, it ends the server",
        "SystemExit: under a server, it ends the server",
    ]


def test_a_task_that_is_not_to_be_cancelled_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts_of_programs, "_CLOSING", 0.05)
    left = []

    async def goes_on() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    async def run() -> str:
        left.append(asyncio.create_task(goes_on()))
        await asyncio.sleep(0)
        return "the report"

    assert until_interrupted(run()) == "the report"
    left[0]._log_destroy_pending = False  # type: ignore[attr-defined]  # nothing is said of it at the end


def test_the_interruption_of_a_user_is_none_of_the_application() -> None:
    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt) as by_user:
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt) as by_code:
            raise KeyboardInterrupt
        assert (is_of_signal(by_user.value), is_of_signal(by_code.value)) == (True, False)
    finally:
        signal.signal(signal.SIGINT, before)
