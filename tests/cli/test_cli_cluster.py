"""`check --cluster`: a scheduler and two workers, each a process of its own, on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import check_command
from conformance.cli.check_command import CheckOptions, check
from conformance.cli.dividing import RunPart, parts_of
from conformance.cli.judging_parts import Judged, judge_apart
from conformance.cli.opened_runs import OneRun
from conformance.cli.status_line import StatusLine
from conformance.errors import UsageError
from conformance.interrupts import Interruption
from conformance.judging.formats.json import render
from conformance.recordings import NdjsonWriter, RecordingMetadata, read

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")

CASSETTES = Path(__file__).parents[2] / "cassettes"


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments, "--no-dashboard"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def address(scheduler: subprocess.Popen[str]) -> str:
    assert scheduler.stderr is not None
    for line in scheduler.stderr:
        if "Scheduler at:" in line:
            return line.split()[-1]
    raise AssertionError("the scheduler did not start")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A scheduler with two workers."""
    with ExitStack() as stack:
        processes = [started("distributed.cli.dask_scheduler", "--host=127.0.0.1", "--port=0")]
        stack.callback(lambda: [stack_end(process) for process in reversed(processes)])
        at = address(processes[0])
        processes += [
            started("distributed.cli.dask_worker", at, "--nthreads=1", "--no-nanny", f"--name={name}") for name in "ab"
        ]
        with distributed.Client(at, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield at


def stack_end(process: subprocess.Popen[str]) -> None:
    process.kill()
    assert process.stderr is not None
    process.stderr.close()
    process.wait()


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of several accounts that shows violations, long enough to be cut off in the middle."""
    folder = tmp_path_factory.mktemp("wrong")
    exchanges = [exchange for part in sorted(CASSETTES.glob("reference/**/*.y*ml")) for exchange in read(part)]
    with NdjsonWriter(folder / "wrong.ndjson", RecordingMetadata("test", "1", "nowhere")) as writer:
        for exchange in exchanges:
            if b"event_id" not in exchange.request.body or b"explicit" not in exchange.request.body:
                writer.write(exchange)
    (folder / "explicit.yaml").write_bytes((CASSETTES / "by-hand" / "explicit.yaml").read_bytes())
    return folder


def report(*paths: Path, **options: Any) -> str:
    return render(check(CheckOptions(paths, **options), Interruption(), StatusLine(shown=False)))


def each_apart(runs: Sequence[OneRun], jobs: int) -> list[RunPart]:
    """Runs that are not put together, however small they are."""
    return [part for run in runs for part in parts_of([run], jobs)]


def test_the_workers_of_a_cluster_give_the_same_report(scheduler: str, wrong: Path) -> None:
    assert report(wrong, cluster=scheduler) == report(wrong, jobs=1)


def test_reports_are_added_up_by_the_workers(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = CASSETTES / "by-hand"
    alone = report(folder, jobs=1)

    def added_here(*_: object) -> None:
        raise AssertionError("the report of a part came to this process")

    monkeypatch.setattr(Judged, "__add__", added_here)
    parts: list[int] = []
    monkeypatch.setattr(check_command, "parts_of", each_apart)
    monkeypatch.setattr(check_command._Finished, "__call__", lambda self: parts.append(self._of))
    assert report(folder, cluster=scheduler) == alone
    assert len(parts) > 2


def test_a_signal_ends_what_the_workers_do_and_what_was_judged_is_reported(
    scheduler: str, wrong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(parts: Any, submit: Any, finished: Any) -> Any:
        """The signal comes when the first part is judged and all others are submitted."""
        answers: list[Any] = []

        def submitted(*part: Any) -> Any:
            answers.append(submit(*part))
            if len(answers) == sum(len(one.shares) or 1 for one in parts):
                answers[0].result()
                os.kill(os.getpid(), signal.SIGINT)
            return answers[-1]

        return judge_apart(parts, submitted, finished)

    monkeypatch.setattr(check_command, "judge_apart", interrupted)
    with Interruption() as interruption:
        found = check(CheckOptions((wrong,), cluster=scheduler, jobs=2), interruption, StatusLine(shown=False))
    assert (found.policy.interrupted, found.exit_code) == (True, 130)
    assert found.report.exchanges > 0


def test_what_was_judged_before_a_signal_is_reported_though_its_sum_is_not_there(
    scheduler: str, wrong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes when the first of several parts is judged, whose reports the workers would have added up."""
    paths = [wrong / "explicit.yaml"]
    for number in range(3):
        paths.append(wrong.with_name(f"long-{number}.ndjson"))
        header, _, rest = (wrong / "wrong.ndjson").read_bytes().partition(b"\n")
        paths[-1].write_bytes(b"\n".join((header.replace(b'"test"', b'"test %d"' % number), rest * 4)))
    monkeypatch.setattr(check_command, "parts_of", lambda runs, _: [RunPart((run,)) for run in runs])
    with Interruption() as interruption:
        monkeypatch.setattr(
            check_command._Finished, "__call__", lambda _: interruption.came or os.kill(os.getpid(), signal.SIGINT)
        )
        found = check(CheckOptions(tuple(paths), cluster=scheduler), interruption, StatusLine(shown=False))
    assert found.policy.interrupted
    alone = check(CheckOptions(tuple(paths[:1]), jobs=1), Interruption(), StatusLine(shown=False))
    assert alone.report.exchanges <= found.report.exchanges < 4 * 4 * 600


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(
    scheduler: str, wrong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    def judged_meanwhile(parts: Any, submit: Any, finished: Any) -> Any:
        """Kills a worker as soon as it is at work."""
        answers = []
        with distributed.Client(scheduler, set_as_default=False) as client:
            pids = client.run(os.getpid)

            def submitted_and_killed(*part: Any) -> Any:
                answers.append(submit(*part))
                for _ in range(1000 if len(answers) == 2 and not killed else 0):
                    busy = [worker for worker, tasks in client.processing().items() if tasks]
                    if busy:
                        os.kill(pids[busy[0]], signal.SIGKILL)
                        killed.append(pids[busy[0]])
                        break
                return answers[-1]

            return judge_apart(parts, submitted_and_killed, finished)

    paths = (CASSETTES / "by-hand", wrong / "wrong.ndjson")
    monkeypatch.setattr(check_command, "judge_apart", judged_meanwhile)
    monkeypatch.setattr(check_command, "parts_of", each_apart)
    assert report(*paths, cluster=scheduler, jobs=2) == report(*paths, jobs=1)
    assert len(killed) == 1


def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, wrong: Path) -> None:
    from conformance.cli import cluster

    monkeypatch.setattr(cluster, "_PATIENCE", 0.2)
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:9"):
        report(wrong, cluster="tcp://127.0.0.1:9")


def test_a_signal_ends_the_wait_for_a_scheduler_that_does_not_answer(wrong: Path) -> None:
    ended = threading.Event()

    def interrupt() -> None:
        connection, _ = silent.accept()
        with connection:
            os.kill(os.getpid(), signal.SIGTERM)
            in_time.append(ended.wait(25))

    in_time: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as silent, Interruption() as interruption:
        interrupter = threading.Thread(target=interrupt)
        interrupter.start()
        options = CheckOptions((wrong,), cluster=f"127.0.0.1:{silent.getsockname()[1]}")
        found = check(options, interruption, StatusLine(shown=False))
        ended.set()
        interrupter.join()
    assert in_time == [True]
    assert (found.exit_code, found.report.exchanges) == (130, 0)


def test_a_worker_of_another_version_is_refused() -> None:
    from conformance.cli.cluster import _work
    from conformance.cli.judging_parts import RuleChoice

    with pytest.raises(UsageError, match="another"):
        _work((), None, RuleChoice((), frozenset(), None, None), "another")
