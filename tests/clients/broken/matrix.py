"""The kill matrix of the broken clients, over all standard cases: ``python matrix.py [NAME…]``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from broken_drivers import BROKEN

from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.optional_cases import optional_cases
from conformance.clients.cases.standard_cases import standard_cases
from conformance.clients.certify import CertificationRun, play
from conformance.clients.driver.adapters.driver_httpx import HttpxAdapter as Driver
from conformance.clients.driver.driver_session import CurrentStub, fixture, gateway_with, session
from conformance.clients.transcript import CallJudge
from conformance.contract.rules import load
from conformance.http.exchange import Exchange


class InProcess:
    """A driver in this process, in a thread of its own."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The driver's answer, as it would have been read from its output."""
        answer: dict[str, Any] = json.loads(json.dumps(await asyncio.to_thread(self._driver.answer, method, params)))
        return answer


async def judged(
    driver: Driver, cases: tuple[Case, ...], sink: Callable[[Exchange], None] = lambda _: None
) -> CertificationRun:
    """All cases played with a driver in this process; the exchanges go to `sink`."""
    run = CertificationRun(CallJudge(load()), sink)
    current = CurrentStub()
    async with gateway_with(current) as gateway:
        try:
            await play(await session(InProcess(driver), gateway, current), cases, run)
        finally:
            driver.client.close()
    run.judge.close()
    return run


def failed(run: CertificationRun) -> frozenset[str]:
    """The rules that failed."""
    return frozenset(rule.id for rule in run.judge.rules if run.judge.report.tally(rule.id).outcome == "failed")


if __name__ == "__main__":
    alone: set[str] = set()
    for name in sys.argv[1:] or BROKEN:
        caught_by = failed(
            asyncio.run(judged(BROKEN[name].driver(), (*standard_cases(fixture()), *optional_cases(fixture()))))
        )
        alone |= caught_by if len(caught_by) == 1 else set()
        mark = "as meant" if caught_by == BROKEN[name].rules else f"NOT AS MEANT: {sorted(BROKEN[name].rules)}"
        print(f"{name}: {', '.join(sorted(caught_by))} ({mark})", flush=True)
    rest = sorted({rule.id for rule in load() if rule.applies_to == "client"} - alone)
    print(f"never alone: {', '.join(rest) or 'none'}")
