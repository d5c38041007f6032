"""Ctrl-C, SIGTERM and SIGHUP as an ordinary end of long work."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import asyncio

__all__ = ["Interruption", "absorb_cancellation", "is_of_signal", "until_interrupted"]

T = TypeVar("T")
U = TypeVar("U")

#: Seconds that tasks have to end once they are cancelled.
_CLOSING = 5.0

#: Windows has no SIGHUP.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def until_interrupted(work: Coroutine[Any, Any, T], interruption: Interruption | None = None) -> T:
    """Run a coroutine; a signal cancels it, so that it can clean up and return, and a second one cancels that.

    `interruption` is the state that stands around this work and around what follows it; a signal that came before the
    work cancels it at once.  Code of others in this process that stops the loop, or raises what ends a program, ends
    nothing; a warning says so.  Raises KeyboardInterrupt where the work does not deal with its cancellation.
    """
    import asyncio  # what only reads has no loop, and start-up would pay

    if interruption is None:
        with Interruption() as interruption:
            return until_interrupted(work, interruption)
    state = interruption

    async def cancellable() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        if task is not None:
            state.begin(2, lambda: loop.call_soon_threadsafe(task.cancel))
        return await work

    runner = asyncio.Runner()
    try:
        return _driven(runner.get_loop(), cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        state.begin(1, lambda: None)
        _close(runner)


def _driven(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run the loop until `work` is done, whatever else stops it."""
    task = loop.create_task(work)
    task.add_done_callback(lambda _: loop.stop())
    while True:
        stopped_by = "stop()"
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            if is_of_signal(error):
                raise
            stopped_by = type(error).__name__
        if task.done():
            return task.result()
        warnings.warn(
            f"code in this process would have ended it, by {stopped_by}: under a server, it ends the server",
            stacklevel=1,
        )


def _close(runner: asyncio.Runner) -> None:
    """Close a runner's loop; tasks that others left are cancelled, and not waited for where they go on."""
    import asyncio

    loop = runner.get_loop()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left and not loop.is_closed():
        _driven(loop, asyncio.wait(left, timeout=_CLOSING))
    if all(task.done() for task in left):
        runner.close()
    else:
        loop.close()


def is_of_signal(error: BaseException) -> bool:
    """Whether an error comes from a signal, and not from code that raises KeyboardInterrupt itself.

    The handler that Python installs leaves no trace: where it is in place, it is the user who pressed Ctrl-C.
    """
    if not isinstance(error, KeyboardInterrupt):
        return False
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    raised_in = None if traceback is None else traceback.tb_frame.f_code
    handlers = [signal.getsignal(number) for number in _SIGNALS]
    codes = [getattr(getattr(handler, "func", handler), "__code__", None) for handler in handlers]
    return signal.default_int_handler in handlers or raised_in in codes


def absorb_cancellation() -> None:
    """The cancellation of the current task is dealt with: the task goes on."""
    import asyncio

    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


class _GivenUpError(BaseException):
    """What is being done, or waited for, ends here."""


class Interruption:
    """Signals as a state instead of an exception, while the block lasts: `came` says that one did.

    The first one ends the work at hand, the next one the program.  Signals that the process was started to ignore stay
    ignored, and outside of the main thread nothing is changed.
    """

    def __init__(self) -> None:
        self.came = False
        self._left = 1
        self._gives_up = False
        self._cancel: Callable[[], object] = lambda: None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                # None: what handles it was not installed from Python, and could not be put back.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def begin(self, signals: int, cancel: Callable[[], object]) -> None:
        """Other work begins: each of the next `signals` calls `cancel`, and so does one that came before."""
        self._left, self._cancel = signals, cancel
        if self.came:
            cancel()

    def _on_signal(self, _: int, frame: FrameType | None) -> None:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        self.came = True
        self._cancel()
        if self._gives_up:
            self._gives_up = False
            raise _GivenUpError

    def unless_it_comes(self, work: Callable[[], T], otherwise: U) -> T | U:
        """What `work` gives; `otherwise` where a signal comes first, which ends the work whatever it waits for.

        A system call that waits is taken up again after a signal, unless its handler raises (PEP 475).
        """
        try:
            try:
                self._gives_up = True
                return otherwise if self.came else work()
            finally:
                self._gives_up = False
        except _GivenUpError:
            return otherwise

    def until(self, things: Iterable[T]) -> Iterator[T]:
        """The items of `things` up to a signal, which does not wait for the next one."""
        rest, end = iter(things), object()
        following: Callable[[], T | object] = partial(next, rest, end)
        while (thing := self.unless_it_comes(following, end)) is not end:
            yield cast("T", thing)
