"""The smallest case of each defect: Hypothesis makes the cases again, and shrinks those that show it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import aclosing

from hypothesis import Phase

from conformance.clients.cases.case_steps import Fixture
from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.generated_cases import each_case
from conformance.clients.driver.driver_session import DriverSession
from conformance.clients.transcript import CallJudge, JudgedCall
from conformance.contract.rules import Rule

__all__ = ["SmallestCases"]

#: Cases that are played to make the one of a cause smaller, at most, and for all causes together.  Counts, for the
#: same seed has the same outcome however fast the client is.
_TRIES, _TRIES_IN_ALL = 250, 600

Calls = tuple[JudgedCall, ...]


class _FoundError(Exception):
    """A case shows the cause that is looked for: what the test of Hypothesis fails with."""


class _StoppedError(BaseException):
    """The search is over, because of an error or a cancellation; Hypothesis catches every Exception."""


class _EnoughError(BaseException):
    """The smallest case so far is small enough: more tries would take too long."""


class SmallestCases:
    """Looks for the smallest of the cases from the seed `number` that show a cause, once it `knows` those of a run.

    Hypothesis works in a thread of its own; what it tries is played here, in the loop, on events of new names.
    """

    def __init__(self, at_gateway: DriverSession, rules: Iterable[Rule], fixture: Fixture, number: int):
        self._at_gateway = at_gateway
        self._judge = CallJudge(rules)
        self._fixture, self._number = fixture, number
        self._known: dict[str, Mapping[str, Calls]] = {}
        self._shown: dict[str, tuple[int, str]] = {}
        self._counts: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._playing: Future[Mapping[str, Calls]] | None = None
        self._error: BaseException | None = None
        self._plays = 0

    def knows(self, case: Case, found: Mapping[str, Calls]) -> None:
        """A generated case was played, and showed these causes, each with the calls that led to it."""
        self._known[_key(case)] = found
        self._counts[case.kind] += 1
        for cause, calls in found.items():
            if len(calls) < self._shown.get(cause, (len(calls) + 1, ""))[0]:
                self._shown[cause] = len(calls), case.kind

    async def of(self, causes: Iterable[str]) -> dict[str, Calls]:
        """The calls of the smallest case of each cause that the cases show; raises what playing raises."""
        wanted = [cause for cause in causes if cause in self._shown]
        if not wanted:
            return {}
        self._loop = asyncio.get_running_loop()
        searching = asyncio.create_task(asyncio.to_thread(self._search, wanted))
        try:
            found = await asyncio.shield(searching)
        except asyncio.CancelledError:
            self._error = _StoppedError()
            if self._playing is not None:
                self._playing.cancel()
            await asyncio.gather(searching, return_exceptions=True)
            raise
        if self._error is not None:
            raise self._error
        return found

    def _search(self, wanted: list[str]) -> dict[str, Calls]:
        smallest: dict[str, Calls] = {}
        for place, cause in enumerate(wanted):
            left = _TRIES_IN_ALL - self._plays
            try:
                self._shrink(cause, min(_TRIES, left // (len(wanted) - place)), smallest)
            except _StoppedError:
                break
        return smallest

    def _shrink(self, cause: str, tries: int, smallest: dict[str, Calls]) -> None:
        ends = self._plays + tries

        def use(case: Case) -> None:
            key = _key(case)
            if key not in self._known:
                if self._plays >= ends:
                    raise _EnoughError
                self._known[key] = self._played(case)
            if cause in self._known[key]:
                smallest[cause] = self._known[key][cause]
                raise _FoundError

        kind = self._shown[cause][1]
        with contextlib.suppress(_FoundError, _EnoughError):
            each_case(self._fixture, kind, self._counts[kind], self._number, use, Phase.generate, Phase.shrink)()

    def _played(self, case: Case) -> Mapping[str, Calls]:
        if self._error is not None:
            raise _StoppedError
        assert self._loop is not None
        self._plays += 1
        self._playing = asyncio.run_coroutine_threadsafe(self._play(case.renamed(f"-{self._plays}")), self._loop)
        try:
            return self._playing.result()
        except BaseException as error:  # noqa: BLE001 - raised again in the loop, where it belongs
            self._error = self._error or error
            raise _StoppedError from None

    async def _play(self, case: Case) -> Mapping[str, Calls]:
        calls: list[JudgedCall] = []
        found: dict[str, Calls] = {}
        async with aclosing(self._at_gateway.play(case)) as played:
            async for record in played:
                calls.append(self._judge.judge(record))
                for cause in calls[-1].causes:
                    found.setdefault(cause, tuple(calls))
        return found


def _key(case: Case) -> str:
    return repr((case.steps, case.seeds))
