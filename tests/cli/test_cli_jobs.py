"""`check --jobs`: parts of a recording are read and judged by several processes, and the report is the same."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import Event, Pipe, active_children
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from conformance.cli import check_command, pool
from conformance.cli.check_command import CheckOptions, OneCoreWarning, check
from conformance.cli.dividing import RunPart, is_divisible, parts_of
from conformance.cli.judging_parts import Awaited, EntangledWarning, Judged, RuleChoice, judge_apart, judge_part
from conformance.cli.judging_processes import _work
from conformance.cli.opened_runs import OneRun
from conformance.cli.status_line import StatusLine
from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.facts.routes import route
from conformance.facts.share import Share
from conformance.http.exchange import bearer
from conformance.interrupts import Interruption
from conformance.judging.formats.json import render
from conformance.recordings import InvalidRecordingError, NdjsonWriter, RecordingMetadata, TruncatedWarning, read

CASSETTES = Path(__file__).parents[2] / "cassettes"
CHOICE = RuleChoice((), frozenset({"server", "client"}), None, None)


class Progress(StatusLine):
    """Does something once, as soon as there is progress to show."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__(shown=False)
        self._action: Callable[[], object] | None = action

    def __call__(self, text: str) -> None:
        if self._action is not None:
            self._action()
        self._action = None


def report(*paths: Path, jobs: int | None, progress: StatusLine | None = None, **options: Any) -> str:
    chosen = CheckOptions(paths, jobs=jobs, **options)
    return render(check(chosen, Interruption(), progress or StatusLine(shown=False)))


def run_of(path: Path) -> OneRun:
    return OneRun((path,), None, frozenset(rule.id for rule in load()), Settings())


def kill() -> int:
    """How many processes of ours were there to be killed, and are gone."""
    children = active_children()
    for child in children:
        child.kill()
        child.join()  # leaves no exit code where the pool's own thread has collected it first
    return len(children)


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


@pytest.fixture(scope="module")
def alike(wrong: Path) -> Path:
    """A recording of which nobody can tell whose requests are whose."""
    path = wrong.with_name("alike.ndjson")
    with NdjsonWriter(path, RecordingMetadata("test", "1", "nowhere")) as writer:
        for exchange in read(wrong):
            request = structs.replace(exchange.request, headers=(("Authorization", bearer("one")),))
            writer.write(structs.replace(exchange, request=request))
    return path


def test_a_run_of_several_accounts_is_divided_and_small_ones_are_put_together(wrong: Path, alike: Path) -> None:
    small = [run_of(path) for path in sorted((CASSETTES / "by-hand").iterdir())]
    divided = parts_of([*small, run_of(wrong)], 3)
    assert [len(part.runs) for part in divided] == [4, 1]
    shares = divided[1].shares
    assert len(shares) == 3
    assert [share.is_first for share in shares] == [True, False, False]
    assert len({name for share in shares for name in share.accounts}) == sum(len(share.accounts) for share in shares)
    assert parts_of([run_of(alike)], 3) == [RunPart((run_of(alike),))]


def judged_apart(path: Path, jobs: int) -> Judged:
    """What becomes of a recording in shares, each of which is judged here."""

    class Done(Awaited):
        def __init__(self, runs: tuple[OneRun, ...], share: Share | None) -> None:
            self._judged = judge_part(runs, share, CHOICE)

        def result(self) -> Judged:
            return self._judged

    parts = parts_of([run_of(path)], jobs)
    assert [len(part.shares) for part in parts] == [jobs]
    return judge_apart(parts, Done, lambda: None)


def blanked(line: bytes) -> bytes:
    return json.dumps(json.loads(line)).encode() + b"\n"


def by_seven(lines: list[bytes]) -> list[list[bytes]]:
    return [lines[at : at + 7] for at in range(0, len(lines), 7)]


def untimed(line: bytes) -> bytes:
    return re.sub(rb'"answered_at":[0-9.]+', b'"answered_at":null', line)


def quoted(line: bytes) -> bytes:
    return line.replace(b'"label":"', b'"label":"\\"')


#: Recordings as others write them, by their lines.
WRITTEN: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "in-order": lambda lines: lines,
    "out-of-order": lambda lines: [lines[0], *(line for pair in by_seven(lines[1:]) for line in reversed(pair))],
    "with-blanks": lambda lines: [*map(blanked, lines)],
    "with-blank-lines": lambda lines: [line for one in lines for line in (one, b"\n")][:150] + lines[75:],
    "some-in-other-words": lambda lines: [quoted(one) if number % 20 == 3 else one for number, one in enumerate(lines)],
    "some-without-times": lambda lines: [untimed(one) if number % 9 == 3 else one for number, one in enumerate(lines)],
    "answered-late": lambda lines: [
        line.replace(b'"answered_at":1', b'"answered_at":2') if number % 9 == 4 else line
        for number, line in enumerate(lines)
    ],
    "cut-off": lambda lines: [*lines, b'{"sent_at":1'],
}


@pytest.mark.filterwarnings("ignore::conformance.recordings.TruncatedWarning")
@pytest.mark.parametrize("written", WRITTEN)
def test_shares_say_together_what_the_whole_says(written: str, wrong: Path) -> None:
    path = wrong.with_name(f"{written}.ndjson")
    path.write_bytes(b"".join(WRITTEN[written](wrong.read_bytes().splitlines(keepends=True))))
    whole = judge_part([run_of(path)], None, CHOICE)
    assert whole.error is None
    for jobs in (2, 3):
        apart = judged_apart(path, jobs)
        assert not any(isinstance(one, EntangledWarning) for one in apart.warnings)
        assert (apart.report, apart.span, apart.undecided) == (whole.report, whole.span, whole.undecided)
        assert (apart.writes.problem, {*apart.secrets}) == (whole.writes.problem, {*whole.secrets})


def test_a_share_reads_none_of_the_readings_of_others(wrong: Path) -> None:
    (part,) = parts_of([run_of(wrong)], 2)
    exchanges = [*read(wrong)]
    for share, selection in zip(part.shares, part.selections, strict=True):
        taken = [*read(wrong, selection=selection)]
        own = [
            one
            for one in exchanges
            if share.has(one.request.account) or route(one.request.method, one.request.url).name not in ("read", "page")
        ]
        assert [one.label for one in taken] == [*(one.label for one in own), ""]
        assert taken[-1].passed == (len(exchanges) - len(own), 0)
        assert len(own) < 0.9 * len(exchanges)


def test_the_report_is_the_same_whatever_the_number_of_processes(wrong: Path) -> None:
    paths = (CASSETTES / "by-hand", wrong)
    alone = report(*paths, jobs=1)
    assert '"failed"' in alone
    assert [report(*paths, jobs=jobs) for jobs in (2, 3)] == [alone, alone]


def test_a_recording_that_cannot_be_divided_is_judged_beside_its_reading_and_says_so(alike: Path) -> None:
    with pytest.warns(OneCoreWarning, match="alike"):
        assert report(alike, jobs=2) == report(alike, jobs=1)


def test_a_process_that_is_killed_changes_nothing(wrong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []

    def judged_by_the_killed(
        parts: list[RunPart], submit: Callable[..., Any], finished: Callable[[], object]
    ) -> Judged:
        def submitted(*part: Any) -> Any:
            answer = submit(*part)
            killed.append(kill())
            return answer

        return judge_apart(parts, submitted, finished)

    monkeypatch.setattr(check_command, "judge_apart", judged_by_the_killed)
    assert report(wrong, jobs=2) == report(wrong, jobs=1)
    assert sum(killed) > 0


@pytest.mark.parametrize("method", ["__init__", "submit"])
def test_a_process_that_cannot_be_started_or_ends_while_it_is_given_a_part_changes_nothing(
    method: str, wrong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError("too many open files, or a handle that is closed")

    monkeypatch.setattr(ProcessPoolExecutor, method, failing)
    assert report(wrong, jobs=2) == report(wrong, jobs=1)


def test_a_recording_that_cannot_be_divided_needs_no_other_process(
    alike: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError("no process can be started")

    monkeypatch.setattr(SpawnProcess, "start", failing)
    with pytest.warns(OneCoreWarning):
        assert report(alike, jobs=2) == report(alike, jobs=1)


def test_a_process_that_judges_what_another_reads_may_be_killed_too(alike: Path) -> None:
    killed: list[int] = []
    with pytest.warns(OneCoreWarning):
        assert report(alike, jobs=2, progress=Progress(lambda: killed.append(kill()))) == report(alike, jobs=1)
    assert killed == [1]


def test_what_was_read_before_ctrl_c_is_judged(alike: Path) -> None:
    interruption = Interruption()
    stop = Progress(partial(setattr, interruption, "came", True))
    with pytest.warns(OneCoreWarning):
        run_report = check(CheckOptions((alike,), jobs=2), interruption, stop)
    assert run_report.policy.interrupted
    assert run_report.report.exchanges == run_report.run["exchanges"] >= 100


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children cannot be looked up")
def test_a_terminal_that_hangs_up_reaches_this_process_alone(wrong: Path, tmp_path: Path) -> None:
    long = tmp_path / "long.ndjson"
    long.write_bytes(wrong.read_bytes() * 8)
    command = [sys.executable, "-m", "conformance", "check", long, "--jobs", "2", "--quiet"]
    with subprocess.Popen(
        [*command, "--report", tmp_path / "r.json"], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while process.poll() is None and len(children.read_text().split()) < 3:  # one is multiprocessing's own
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGHUP)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    assert (tmp_path / "r.json").exists()


def test_a_process_that_is_told_to_stop_judges_what_it_has_read(wrong: Path) -> None:
    stop = Event()
    stop.set()
    pool._given = (CHOICE, {}, stop)
    long = wrong.with_name("long.ndjson")
    long.write_bytes(wrong.read_bytes() * 4)
    judged = pool._work((run_of(long),), None)
    assert 100 <= judged.report.exchanges == judged.span.count < long.read_bytes().count(b"sent_at")


def test_an_error_in_a_part_is_that_of_the_whole(wrong: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_bytes(wrong.read_bytes() + b'{"sent_at":4102444800.0,"request":{"method":1}}\n')
    told = []
    for jobs in (1, 2):
        with pytest.raises(InvalidRecordingError) as error:
            report(CASSETTES / "by-hand", broken, jobs=jobs)
        told.append((str(error.value), error.value.problem))
    assert told[0] == told[1]


def test_warnings_of_all_parts_are_given_once(wrong: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ndjson"
    cut.write_bytes(wrong.read_bytes() + b'{"sent_at":')
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report(cut, jobs=2)
    assert [warning.category for warning in caught] == [TruncatedWarning]


def test_what_is_compressed_is_read_by_other_processes_too(wrong: Path, tmp_path: Path) -> None:
    import gzip

    packed = tmp_path / "wrong.ndjson.gz"
    packed.write_bytes(gzip.compress(wrong.read_bytes(), 1))
    (file,) = check_command.recordings.paths([packed])
    again = pickle.loads(pickle.dumps(file))
    assert (str(again), again.open("rb").readline()) == (str(file), file.open("rb").readline())
    assert report(packed, jobs=2) == report(packed, jobs=1)


def test_what_only_this_process_can_read_is_read_here(wrong: Path) -> None:
    assert is_divisible([run_of(wrong)])
    assert not is_divisible([run_of(wrong), run_of(Path("/dev/stdin"))])


def test_secrets_of_all_parts_are_known_at_the_end(wrong: Path) -> None:
    token = "Tq8-zLx42vNpW9kRb7"
    path = wrong.with_name("token.ndjson")
    path.write_bytes(wrong.read_bytes().replace(b'"Bearer <default>"', f'"Bearer {token}"'.encode()))
    assert token in judge_part([run_of(path)], None, CHOICE).secrets
    assert report(path, jobs=2) == report(path, jobs=1)


def test_an_error_in_another_process_is_raised_in_this_one() -> None:
    here, there = Pipe()
    run = (0, frozenset({load()[0].id}), Settings())
    for message in (run, ["no exchange"], ["another"], [], None):
        here.send_bytes(pickle.dumps(message))
    _work(there, load())
    assert isinstance(pickle.loads(here.recv_bytes()), AttributeError)


def test_a_process_that_judges_ends_without_a_word_where_nobody_waits_for_it() -> None:
    here, there = Pipe()
    here.send_bytes(pickle.dumps(None))
    here.close()
    _work(there, load())


def test_little_is_judged_where_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    small, large = tmp_path / "small", tmp_path / "large"
    for path, size in ((small, 10_000), (large, 10_000_000)):
        path.touch()
        with path.open("r+b") as stream:
            stream.truncate(size)
    assert [check_command._jobs([run_of(small)]), check_command._jobs([run_of(small), run_of(large)])] == [1, 3]
