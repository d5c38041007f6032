from __future__ import annotations

import io
import os
import re
import signal
import threading

import pytest

from conformance.cli.output import colour_on
from conformance.cli.status_line import StatusLine
from conformance.interrupts import Interruption


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 30 columns on which nothing forces or forbids colours."""
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "30")


def test_progress_is_one_line_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with StatusLine() as progress:
        progress("one\x1b[2J")
        progress("two is longer than a terminal is wide")
    shown = re.split(r"\r|\n|\x1b\[\??[0-9;]*[A-Za-z]", terminal.getvalue())
    assert [text for text in shown if text] == ["one\\x1b[2J", "two is longer than a terminal…"]
    assert terminal.getvalue().endswith("\r\x1b[1A\x1b[2K")


@pytest.mark.parametrize(
    ("stream", "shown", "ci"), [(io.StringIO(), True, ""), (Terminal(), False, ""), (Terminal(), True, "true")]
)
def test_progress_is_only_shown_on_a_terminal_and_not_with_quiet_or_in_ci(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, shown: bool, ci: str
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("CI", ci)
    with StatusLine(shown=shown) as progress:
        progress("one")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("stream", "variables", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
        (io.StringIO(), {"CI": "true"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_follow_the_stream_and_the_environment(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, variables: dict[str, str], expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert colour_on(stream) is expected


def test_the_first_ctrl_c_ends_the_work_and_the_second_the_program() -> None:
    with Interruption() as interruption:
        taken = []
        for number in interruption.until(range(5)):
            taken.append(number)
            if number == 1:
                os.kill(os.getpid(), signal.SIGINT)
        assert (taken, interruption.came) == ([0, 1], True)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_another_thread_than_the_first_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    taken: list[int] = []

    def work() -> None:
        with Interruption() as interruption:
            taken.extend(interruption.until(range(3)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (taken, signal.getsignal(signal.SIGINT)) == ([0, 1, 2], before)
