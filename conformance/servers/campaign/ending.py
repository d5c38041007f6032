"""How a run ends: by its plan, or early, and always with clean-up and a report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from conformance.errors import ConfigurationError, UsageError, place_of
from conformance.interrupts import absorb_cancellation
from conformance.servers.campaign.deadline import Deadline
from conformance.servers.campaign.journal import JournalEntry, JournalError
from conformance.servers.campaign.scenario_shrinking import ScenarioCounterexample
from conformance.servers.campaign.subject_session import SubjectSession
from conformance.servers.subject.availability import SubjectGoneError
from conformance.servers.subject.rate_limit import BudgetExceededError

__all__ = ["SHORTEST_LIMIT", "Ending", "FirstFailureError"]

#: Seconds that a run may take at least, and its preflight.
SHORTEST_LIMIT = 60.0

#: Seconds that clean-up may take, and more for each event.
_CLEANING, _DELETING = 60.0, 0.5


class FirstFailureError(Exception):
    """A rule failed, and the run is to end there."""


@dataclass(slots=True)
class Ending:
    """How a run ended: by its plan, or for `reasons`; `left` are events that could not be deleted."""

    deadline: Deadline
    counterexamples: tuple[ScenarioCounterexample, ...] = ()
    left: tuple[JournalEntry, ...] = ()
    reasons: list[str] = field(default_factory=list)
    interrupted: bool = False

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """A part of the run: what ends it early is recorded, and no error but that of a wrong set-up leaves it."""
        try:
            yield
        except asyncio.CancelledError:
            absorb_cancellation()
            self._record_cancellation()
        except (BudgetExceededError, SubjectGoneError, JournalError, FirstFailureError) as error:
            self.reasons.append(str(error))
        except (ConfigurationError, UsageError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, what was observed so far is reported
            self.reasons.append(f"it could not go on: {place_of(error)}")

    def _record_cancellation(self) -> None:
        if self.deadline.passed:
            self.reasons.append(f"its time was up: {self.deadline.seconds:.3g} s (--max-time)")
        else:
            self.interrupted = True

    async def clean(self, session: SubjectSession) -> None:
        """Delete what the run created.  An interruption of the run lets that end; another one ends it."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # the second interruption came before the first was dealt with
            absorb_cancellation()
            self.left = session.journal.entries
            return
        self.deadline.restart(_CLEANING + _DELETING * len(session.journal.entries))
        work = asyncio.create_task(session.clean())
        try:
            with self.recorded():
                if not self.interrupted:
                    with self.recorded():
                        await asyncio.shield(work)
                if not self.deadline.passed:
                    await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            self.left = session.journal.entries
