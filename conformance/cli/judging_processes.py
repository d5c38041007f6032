"""Runs that are read here and judged in other processes, at the same time; or here, one thing after the other."""

from __future__ import annotations

import pickle
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from conformance.cli.recorded_run import judge_run
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.unknown_before import UnknownBefore

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from conformance.contract.rules import Rule
    from conformance.facts import Settings
    from conformance.http.exchange import Exchange

__all__ = ["LostProcessError", "Run", "judge_runs", "terminal_ignored"]

#: Exchanges are sent to another process in batches of so many, or of so many bytes of bodies.
_BATCH, _BATCH_BYTES = 500, 1 << 20
#: Ctrl-C, and the end of a terminal, which Windows does not send.
_OF_TERMINAL = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name))


class Run(NamedTuple):
    """One run of a recording: its exchanges in the order sent, the ids of the rules it is judged by, its settings."""

    exchanges: Iterable[Exchange]
    rules: frozenset[str]
    settings: Settings


class LostProcessError(Exception):
    """A process that judged was killed, and what it knew is lost."""


def judge_runs(runs: Iterable[Run], rules: Sequence[Rule], jobs: int) -> tuple[Report, UnknownBefore]:
    """The report on all runs, each of which is judged by itself; `jobs` processes read and judge.

    The report is the same whatever `jobs` is: exchanges of one run are judged in one process, in their order.
    Raises LostProcessError, and what reading a run raises.
    """
    report = Report.empty(rules)
    here = _Judging(rules)
    if jobs == 1:
        return sum(map(here.judge, runs), report), here.unknown
    reports: dict[int, Report] = {}
    with ExitStack() as stack:
        workers: list[Connection] = []
        for number, run in enumerate(runs):
            if number < jobs - 1:
                workers.append(stack.enter_context(_worker(rules)))
            worker = workers[number % len(workers)]
            _send(worker, (number, run.rules, run.settings))
            for batch in _batches(run.exchanges):
                _send(worker, batch)
            _send(worker, [])
        for worker in workers:
            _send(worker, None)
        for worker in workers:
            found, events, decided = _receive(worker)
            reports.update(found)
            here.unknown.add(events, decided)
    return sum((reports[number] for number in sorted(reports)), report), here.unknown


class _Judging:
    """Judges runs in this process: rules are made ready, and verdicts remembered, once for all of them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.unknown = UnknownBefore(rules)
        self._rules = rules
        self._judges: dict[frozenset[str], Judge] = {}

    def judge(self, run: Run) -> Report:
        rules = [rule for rule in self._rules if rule.id in run.rules]
        if run.rules not in self._judges:
            self._judges[run.rules] = Judge(rules)
        return judge_run(run.exchanges, rules, run.settings, self.unknown, self._judges[run.rules])


@contextmanager
def _worker(rules: Sequence[Rule]) -> Iterator[Connection]:
    """A process that judges, as the connection to it."""
    from multiprocessing import get_context  # of one process, start-up would pay

    context = get_context("spawn")
    try:
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(there, tuple(rules)), daemon=True)
        with terminal_ignored():  # Ctrl-C ends reading, and what was read is judged
            process.start()
    except OSError:
        raise LostProcessError("no process that judges could be started") from None
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(1.0)
        if process.is_alive():
            process.kill()
            process.join()


@contextmanager
def terminal_ignored() -> Iterator[None]:
    """While the block lasts, processes are started to ignore what a terminal sends to all of its processes at once.

    What comes meanwhile is kept for this process.
    """
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [number for number in _OF_TERMINAL if is_main and signal.getsignal(number) is not None]
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, numbers) if hasattr(signal, "pthread_sigmask") else None
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if kept is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def _batches(exchanges: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    batch: list[Exchange] = []
    size = 0
    for exchange in exchanges:
        batch.append(exchange)
        size += len(exchange.request.body) + (len(exchange.response.body) if exchange.response is not None else 0)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _send(connection: Connection, value: object) -> None:
    try:
        connection.send_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    except OSError:
        raise LostProcessError("a process that judged was lost") from None


def _receive(connection: Connection) -> tuple[dict[int, Report], int, frozenset[str]]:
    try:
        answer = pickle.loads(connection.recv_bytes())  # noqa: S301 - from a process of ours
    except (EOFError, OSError):
        raise LostProcessError("a process that judged was lost") from None
    if isinstance(answer, Exception):
        raise answer
    found: tuple[dict[int, Report], int, frozenset[str]] = answer
    return found


def _work(connection: Connection, rules: tuple[Rule, ...]) -> None:
    """Judge the runs that come through a connection, and answer with their reports, or with what went wrong."""
    here = _Judging(rules)
    reports: dict[int, Report] = {}
    problem: Exception | None = None
    with suppress(EOFError, OSError, LostProcessError):  # whoever asked is gone
        while (run := pickle.loads(connection.recv_bytes())) is not None:  # noqa: S301 - from the process that started this one
            number, ids, settings = run
            exchanges = _received(connection)
            try:
                reports[number] = here.judge(Run(exchanges, ids, settings))
            except Exception as error:  # noqa: BLE001 - raised again where it was asked for
                problem = problem or error
            for _ in exchanges:  # what is left of a run that could not be judged
                pass
        _send(connection, problem or (reports, here.unknown.events, here.unknown.decided))


def _received(connection: Connection) -> Iterator[Exchange]:
    while batch := pickle.loads(connection.recv_bytes()):  # noqa: S301 - from the process that started this one
        yield from batch
