"""`check --jobs`: one process reads, others judge, and the report is the same."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from multiprocessing import Pipe, active_children
from pathlib import Path

import pytest

from conformance.cli import check_command
from conformance.cli.check_command import CheckOptions, check
from conformance.cli.judging_processes import _work
from conformance.cli.status_line import StatusLine
from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.interrupts import Interruption
from conformance.judging.formats.json import render
from conformance.recordings import NdjsonWriter, RecordingMetadata, read

CASSETTES = Path(__file__).parents[2] / "cassettes"


class Progress(StatusLine):
    """Does something once, as soon as the first hundred exchanges were read."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__(shown=False)
        self._action: Callable[[], object] | None = action

    def __call__(self, text: str) -> None:
        if self._action is not None:
            self._action()
        self._action = None


def report(*paths: Path, jobs: int | None, progress: StatusLine | None = None) -> str:
    options = CheckOptions(paths, jobs=jobs)
    return render(check(options, Interruption(), progress or StatusLine(shown=False)))


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of several accounts that shows violations, and too long for one batch."""
    path = tmp_path_factory.mktemp("wrong") / "wrong.ndjson"
    exchanges = [exchange for part in sorted(CASSETTES.glob("reference/**/*.y*ml")) for exchange in read(part)]
    with NdjsonWriter(path, RecordingMetadata("test", "1", "nowhere")) as writer:
        for exchange in exchanges:
            if b"event_id" not in exchange.request.body or b"explicit" not in exchange.request.body:
                writer.write(exchange)  # explicit conferencing comes from nowhere
    return path


def test_the_report_is_the_same_whatever_the_number_of_processes(wrong: Path) -> None:
    paths = (CASSETTES / "by-hand", wrong)
    alone = report(*paths, jobs=1)
    assert '"failed"' in alone
    assert [report(*paths, jobs=jobs) for jobs in (2, 3)] == [alone, alone]


def test_a_process_that_is_killed_changes_nothing(wrong: Path) -> None:
    killed: list[int | None] = []

    def kill() -> None:
        for child in active_children():
            child.kill()
            child.join()
            killed.append(child.exitcode)

    assert report(wrong, jobs=2, progress=Progress(kill)) == report(wrong, jobs=1)
    assert killed == [-9]


def test_what_was_read_before_ctrl_c_is_judged(wrong: Path) -> None:
    interruption = Interruption()
    stop = Progress(partial(setattr, interruption, "came", True))
    run_report = check(CheckOptions((wrong,), jobs=2), interruption, stop)
    assert run_report.policy.interrupted
    assert run_report.report.exchanges == run_report.run["exchanges"] >= 100


def test_an_error_in_another_process_is_raised_in_this_one() -> None:
    here, there = Pipe()
    run = (0, frozenset({load()[0].id}), Settings())
    for message in (run, ["no exchange"], ["another"], [], None):
        here.send_bytes(pickle.dumps(message))
    _work(there, load())
    assert isinstance(pickle.loads(here.recv_bytes()), AttributeError)


def test_little_is_judged_where_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    small, large = tmp_path / "small", tmp_path / "large"
    for path, size in ((small, 10_000), (large, 10_000_000)):
        path.touch()
        with path.open("r+b") as stream:
            stream.truncate(size)
    assert [check_command._jobs([small]), check_command._jobs([small, large])] == [1, 3]
