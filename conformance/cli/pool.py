"""Processes of this machine that judge parts of a recording."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from conformance.cli.judging_parts import Awaited, Judged, RuleChoice, Submit, judge_part
from conformance.cli.judging_processes import LostProcessError, terminal_ignored
from conformance.interrupts import Interruption

if TYPE_CHECKING:
    from conformance.cli.opened_runs import OneRun
    from conformance.facts.share import Share

__all__ = ["pool"]

#: What a process was started with: the rules, secrets that are known from the start, and the sign to stop.
_given: tuple[RuleChoice, Mapping[str, str], Any]


@contextmanager
def pool(jobs: int, choice: RuleChoice, known: Mapping[str, str], interruption: Interruption) -> Iterator[Submit]:
    """So many processes, as the function that gives one of them a part; a signal ends what they do.

    A process that is killed raises LostProcessError, and so does a system that has none to give.
    """
    context = get_context("spawn")
    try:
        with terminal_ignored():  # an event starts multiprocessing's own process
            stop = context.Event()
        executor = ProcessPoolExecutor(jobs, context, _start, (choice, known, stop))
    except (OSError, ImportError):  # too many open files, or no semaphores as where there is no /dev/shm
        raise LostProcessError("no process that judges could be started") from None

    def submit(runs: tuple[OneRun, ...], share: Share | None) -> Awaited:
        with terminal_ignored():  # Ctrl-C ends what is read, and what was read is judged
            try:
                return _PartOfPool(executor.submit(_work, runs, share))
            except (OSError, ValueError):  # the executor's own pipes, closed by its thread that saw a process end
                raise LostProcessError("a process that judged was lost") from None

    interruption.begin(1, stop.set)
    try:
        yield submit
    except BrokenProcessPool:
        raise LostProcessError("a process that judged was lost") from None
    finally:
        interruption.begin(1, lambda: None)
        stop.set()
        executor.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _PartOfPool(Awaited):
    """What a process says of a part."""

    future: Future[Judged]

    def result(self) -> Judged:
        return self.future.result()


def _start(choice: RuleChoice, known: Mapping[str, str], stop: Any) -> None:
    global _given
    _given = choice, known, stop
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(runs: tuple[OneRun, ...], share: Share | None) -> Judged:
    choice, known, stop = _given
    interruption = Interruption()

    def look_up(_: str) -> None:
        interruption.came = stop.is_set()

    return judge_part(runs, share, choice, known, interruption, look_up)
