from __future__ import annotations

import io
import os
import signal
import threading

import pytest

from conformance.cli.status_line import StatusLine
from conformance.interrupts import Interruption


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "30")
    with StatusLine() as progress:
        progress("one\x1b[2J")
        progress("two comes too soon to be read")
        progress._due = 0.0
        progress("three is longer than a terminal is wide")
    assert terminal.getvalue() == "\r\x1b[Kone\\x1b[2J\r\x1b[Kthree is longer than a termin\r\x1b[K"


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO(), True), (Terminal(), False)])
def test_progress_is_not_shown_off_a_terminal_or_when_not_wanted(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, shown: bool
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    with StatusLine(shown=shown) as progress:
        progress("one")
    assert stream.getvalue() == ""


def test_the_first_ctrl_c_ends_the_work_and_the_second_the_program() -> None:
    with Interruption() as interruption:
        seen = []
        for number in interruption.until(range(5)):
            seen.append(number)
            if number == 1:
                os.kill(os.getpid(), signal.SIGINT)
        assert (seen, interruption.came) == ([0, 1], True)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_another_thread_than_the_first_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[int] = []

    def work() -> None:
        with Interruption() as interruption:
            seen.extend(interruption.until(range(3)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (seen, signal.getsignal(signal.SIGINT)) == ([0, 1, 2], before)
