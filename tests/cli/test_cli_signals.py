"""Signals at any moment, once or twice: 130, clean-up, the report so far, and no traceback."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cli_samples import call, har

from conformance.http.redaction import Redactor
from conformance.interrupts import Interruption
from conformance.reference import reference_app

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
LINE = b'{"request": {"method": "GET", "url": "http://127.0.0.1/v1/calendars", "headers": []}, "response": null}\n'


def wait_until_read(pipe: int) -> None:
    """Wait until all that was written to a pipe was taken out of it."""
    left = bytearray(4)
    while fcntl.ioctl(pipe, termios.FIONREAD, left) == 0 and any(left):
        time.sleep(0.001)


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
            assert self.changed.wait_for(lambda: met(self.requests), timeout=60)


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
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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
        output, errors = process.communicate(timeout=60)
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
        output, errors = process.communicate(timeout=60)
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
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert output == ""
        [line] = errors.splitlines()
        assert "clean-up was cut short" in line
        assert "run `cronofy-conformance cleanup http://127.0.0.1:" in line
        assert report.exists()
    assert list((tmp_path / "journal").rglob("*.ndjson"))


def test_a_signal_while_the_program_starts_is_130_without_a_word() -> None:
    waiting, silent = os.pipe()
    for delay in (0.02, 0.05, 0.1, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-m", "conformance", "check", "/dev/stdin"],
            stdin=waiting, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
        # Before Python itself has started, it is the latter.
        assert process.returncode in (130, -signal.SIGTERM), errors
        assert "Traceback" not in output + errors
    os.close(waiting)
    os.close(silent)


def test_ctrl_c_before_signals_can_be_handled_is_130_without_a_word() -> None:
    program = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'signal': raise KeyboardInterrupt\n"
        "sys.modules.pop('signal', None)\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "import conformance.__main__\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_signal_ends_a_process_that_waits_for_more(tmp_path: Path) -> None:
    waiting, slow = os.pipe()
    command = [sys.executable, "-m", "conformance", "check", "-", "--report", str(tmp_path / "r.json")]
    process = subprocess.Popen(command, stdin=waiting, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.write(slow, LINE)
    wait_until_read(slow)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, f"Written: {tmp_path / 'r.json'}\n")
    assert "0 exchanges" in output
    os.close(waiting)
    os.close(slow)


def test_a_report_that_nobody_takes_out_of_a_pipe_ends_at_the_first_signal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    places = ["--report", tmp_path / "r.json", "--report", f"json:{tmp_path / 'pipe'}"]
    command = [sys.executable, "-m", "conformance", "check", har(tmp_path / "a.har"), *places]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "r.json").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (130, "", "")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("begun", [b"", LINE, LINE[:40]], ids=["silent", "a line", "half a line"])
@pytest.mark.parametrize("options", [(), ("--jobs", "2")], ids=["one", "two"])
def test_the_first_signal_ends_the_wait_for_a_pipe(
    number: signal.Signals, begun: bytes, options: tuple[str, ...], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    ended = threading.Event()

    def feed() -> None:
        pipe = os.open(tmp_path / "pipe", os.O_WRONLY)  # waits until it is read
        os.write(pipe, begun)
        wait_until_read(pipe)
        os.kill(os.getpid(), number)
        in_time.append(ended.wait(30))
        os.close(pipe)

    in_time: list[bool] = []
    feeder = threading.Thread(target=feed)
    feeder.start()
    result = call("check", tmp_path / "pipe", "--report", tmp_path / "r.json", *options)
    ended.set()
    feeder.join()
    assert in_time == [True]
    assert (result.exit_code, json.loads((tmp_path / "r.json").read_text())["outcome"]) == (130, "inconclusive")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what is open cannot be looked up")
@pytest.mark.parametrize(("options", "code"), [((), 130), (("--follow",), 2)], ids=["check", "follow"])
def test_a_pipe_that_nobody_writes_to_is_left_at_the_first_signal(
    options: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    ended = threading.Event()

    def is_open() -> bool:
        with contextlib.suppress(OSError):
            return any(os.path.samefile(one, tmp_path / "pipe") for one in Path("/proc/self/fd").iterdir())
        return False

    def interrupt() -> None:
        deadline = time.monotonic() + 30
        while not is_open() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        in_time.append(ended.wait(30))
        if not in_time[0]:
            os.close(os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK))

    in_time: list[bool] = []
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    result = call("check", *options, tmp_path / "pipe")
    ended.set()
    interrupter.join()
    assert (result.exit_code, in_time) == (code, [True]), result.output


def test_what_was_judged_before_a_reading_waits_is_reported() -> None:
    """As for a recording on a filesystem of another machine, which does not answer any more."""
    waiting, silent = os.pipe()
    ended = threading.Event()

    def read() -> Iterator[int]:
        yield 1
        interrupter.start()
        while not select.select([waiting], [], [], 0.1)[0]:
            pass
        yield 2

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        in_time.append(ended.wait(30))
        os.close(silent)

    in_time: list[bool] = []
    interrupter = threading.Thread(target=interrupt)
    with Interruption() as interruption:
        assert list(interruption.until(read())) == [1]
    ended.set()
    interrupter.join()
    assert (interruption.came, in_time) == (True, [True])
    os.close(waiting)


def test_a_signal_while_reports_are_written_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(redactor: Redactor, text: str, where: str) -> None:
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Redactor, "check", interrupted)
    reports = [tmp_path / "reports" / name for name in ("r.json", "r.html")]
    options = [option for report in reports for option in ("--report", report)]
    assert call("check", har(tmp_path / "a.har"), "--rule", "explicit-is-kept", *options).exit_code == 130
    assert sorted(reports) == sorted((tmp_path / "reports").iterdir())


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
