"""The smallest case of each defect: Hypothesis makes the cases again, and shrinks those that show it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import aclosing

from hypothesis import Phase

from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.generated_cases import each_case
from conformance.clients.cases.standard_cases import Fixture
from conformance.clients.driver.driver_session import DriverSession
from conformance.clients.transcript import CallJudge, JudgedCall
from conformance.contract.rules import Rule

__all__ = ["SmallestCases"]

#: Cases that are played to make the one of a cause smaller, and seconds for all causes together.
_TRIES, _SECONDS = 250, 25.0

Calls = tuple[JudgedCall, ...]


class _FoundError(Exception):
    """A case shows the cause that is looked for: what the test of Hypothesis fails with."""


class _StoppedError(BaseException):
    """The search is over, because of an error or a cancellation; Hypothesis catches every Exception."""


class _EnoughError(BaseException):
    """The smallest case so far is small enough: more tries would take too long."""


class SmallestCases:
    """Looks for the smallest of the `examples` cases from the seed `number` that show a cause.

    Hypothesis works in a thread of its own; what it tries is played here, in the loop, on events of new names.
    """

    def __init__(self, at_gateway: DriverSession, rules: Iterable[Rule], fixture: Fixture, examples: int, number: int):
        self._at_gateway = at_gateway
        self._judge = CallJudge(rules)
        self._fixture, self._examples, self._number = fixture, examples, number
        self._known: dict[str, Mapping[str, Calls]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._playing: Future[Mapping[str, Calls]] | None = None
        self._error: BaseException | None = None
        self._plays = 0

    def knows(self, case: Case, found: Mapping[str, Calls]) -> None:
        """A case was played before, and showed these causes, each with the calls that led to it."""
        self._known[_key(case)] = found

    async def of(self, causes: Iterable[str]) -> dict[str, Calls]:
        """The calls of the smallest case of each cause that the cases show; raises what playing raises."""
        shown = {cause for found in self._known.values() for cause in found}
        wanted = [cause for cause in causes if cause in shown]
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
        ends = time.monotonic() + _SECONDS
        for cause in wanted:
            try:
                self._shrink(cause, ends, smallest)
            except _StoppedError:
                break
        return smallest

    def _shrink(self, cause: str, ends: float, smallest: dict[str, Calls]) -> None:
        tries = 0

        def use(case: Case) -> None:
            nonlocal tries
            key = _key(case)
            if key not in self._known:
                if tries >= _TRIES or time.monotonic() > ends:
                    raise _EnoughError
                tries += 1
                self._known[key] = self._played(case)
            if cause in self._known[key]:
                smallest[cause] = self._known[key][cause]
                raise _FoundError

        with contextlib.suppress(_FoundError, _EnoughError):
            each_case(self._fixture, self._examples, self._number, use, Phase.generate, Phase.shrink)()

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
