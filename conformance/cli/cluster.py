"""A cluster of Dask whose workers judge parts of a recording; lost workers are replaced by the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import add
from typing import TYPE_CHECKING, Any

from conformance.cli.judging_parts import Awaited, Judged, RuleChoice, Submit, judge_part
from conformance.cli.judging_processes import LostProcessError
from conformance.errors import UsageError
from conformance.interrupts import until_interrupted
from conformance.version import VERSION

if TYPE_CHECKING:
    from conformance.cli.opened_runs import OneRun
    from conformance.facts.share import Share
    from conformance.interrupts import Interruption

__all__ = ["cluster"]

#: Seconds in which a scheduler must answer, and then have a worker.
_PATIENCE = 30


@contextmanager
def cluster(address: str, choice: RuleChoice, interruption: Interruption) -> Iterator[tuple[Submit, int]]:
    """The cluster of a scheduler, as the function that gives a worker a part; and how many parts it does at a time.

    Secrets of this process are not sent.  After a signal, parts that are not done count as nothing.  Raises UsageError
    where no scheduler or no worker is there, and LostProcessError where worker after worker was lost to the same part.
    """
    try:
        import distributed
    except ImportError:
        raise UsageError("install cronofy-conformance[cluster] for --cluster") from None
    client = _connected(distributed, address, interruption)
    futures: list[Any] = []

    class OfCluster(Awaited):
        """What a worker does with what it is given; `otherwise` gives what there is of it if a signal comes first."""

        def __init__(self, otherwise: Callable[[], Judged], *work: Any) -> None:
            self._otherwise = otherwise
            self.future = None if interruption.came else client.submit(*work, pure=False)
            futures.append(self.future)

        def result(self) -> Judged:
            try:
                if self.future is not None:
                    judged: Judged = self.future.result()
                    return judged
            except distributed.client.FutureCancelledError:
                if not interruption.came:
                    raise
            return self._otherwise()

        def wait(self) -> None:
            if self.future is not None:
                self.future.exception()

        def plus(self, other: Awaited) -> Awaited:
            added_here = super().plus(other)
            if not isinstance(other, OfCluster) or None in (self.future, other.future):
                return added_here
            return OfCluster(added_here.result, add, self.future, other.future)

    def submit(*part: Any) -> Awaited:
        return OfCluster(lambda: Judged.nothing(choice.rules()), _work, *part, choice, VERSION)

    def cancel() -> None:
        pending = [future for future in futures if future is not None and not future.done()]
        if pending:
            client.cancel(pending, force=True)

    interruption.begin(1, cancel)
    try:
        yield submit, 1 if client is None else max(1, sum(client.nthreads().values()))
    except distributed.KilledWorker:
        raise LostProcessError("worker after worker was lost") from None
    finally:
        interruption.begin(1, lambda: None)
        if client is not None:
            client.close()


def _connected(distributed: Any, address: str, interruption: Interruption) -> Any:
    """A client of the scheduler, once that answers and has a worker; None where a signal comes first."""

    async def ready() -> None:
        # Waits in a loop of ours, which a signal ends; a client with a loop of its own is created for one that answers.
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False, asynchronous=True)
        try:
            await client
            with suppress(TimeoutError):
                await client.wait_for_workers(1, timeout=_PATIENCE)
                return
        finally:
            await client.close()
        raise UsageError(f"the scheduler at {address} has no worker: start some with `dask worker {address}`")

    try:
        until_interrupted(ready(), interruption)
        return distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except KeyboardInterrupt:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no scheduler answers at {address} ({type(error).__name__}): start one with `dask scheduler`"
        ) from None


def _work(runs: tuple[OneRun, ...], share: Share | None, choice: RuleChoice, version: str) -> Judged:
    """What a worker does."""
    if version != VERSION:
        raise UsageError(f"a worker has version {VERSION}, this is {version}: install the same everywhere")
    return judge_part(runs, share, choice)
