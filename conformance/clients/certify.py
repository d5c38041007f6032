"""Certifying a client by its driver: plays cases, judges, and looks for the smallest case of each failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from conformance.clients.cases.case_shrinking import shrink, with_new_ids
from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.generated_cases import generated_cases
from conformance.clients.cases.standard_cases import standard_cases
from conformance.clients.certificate import Certificate, CertifyOptions, nothing_reached, run_facts
from conformance.clients.counterexample import CallCounterexample
from conformance.clients.driver.driver_session import (
    CurrentStub,
    DriverSession,
    DriverStartError,
    driver_at,
    fixture,
    gateway_with,
    session,
)
from conformance.clients.driver.protocol import DriverError
from conformance.clients.transcript import CallJudge, JudgedCall, as_exchanges
from conformance.contract.rules import Rule
from conformance.http.exchange import Exchange
from conformance.interrupts import absorb_cancellation
from conformance.judging.report import Report

__all__ = ["CertificationRun", "certify", "drive", "play", "smallest"]

_TRIES = 60


async def certify(
    options: CertifyOptions,
    rules: Iterable[Rule],
    *,
    sink: Callable[[Exchange], None] = lambda _: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Certificate:
    """Drives a client by `options.command` and judges it; raises DriverError where the adapter answers no call.

    Every exchange of the judged cases goes to `sink`, the calls of the driver among them, in order: `judge_calls`
    makes the same report from them.  What the adapter does wrong after its first answer, or a cancellation (Ctrl-C
    under `asyncio.run`), ends the run with the report so far.
    """
    started = datetime.now(UTC)
    run = CertificationRun(CallJudge(rules), sink, progress)
    current = CurrentStub()
    client: Mapping[str, Any] = {}
    interrupted = False
    driver_error: DriverError | None = None
    async with gateway_with(current) as gateway, driver_at(gateway, options) as driver:
        try:
            at_gateway = await session(driver, gateway, current)
            client = at_gateway.client
            here = fixture()
            cases = (*standard_cases(here), *generated_cases(here, options.max_examples, options.seed))
            await drive(at_gateway, cases, run)
            await driver.stop()
        except DriverStartError as error:
            raise await driver.error(str(error)) from None
        except DriverError as error:
            if not run.calls:
                raise
            driver_error = error
        except asyncio.CancelledError:
            absorb_cancellation()
            interrupted = True
        reached = gateway.exchanges
        blocked_requests = tuple(gateway.blocked_requests)
    report = run.judge.close()
    unjudged = None if interrupted else _unjudged(report, run.calls, reached, blocked_requests)
    return Certificate(
        report,
        run.judge.rules,
        _subject(client),
        run.facts(started, options.seed),
        tuple(run.counterexamples),
        blocked_requests,
        interrupted,
        unjudged=str(driver_error) if driver_error else unjudged,
        driver_failed=driver_error is not None,
    )


def _unjudged(report: Report, calls: int, reached: int, blocked_requests: Sequence[str]) -> str | None:
    """Why nothing could be judged; None where something was."""
    if calls and not report.exchanges and all(tally.outcome == "untested" for tally in report.tallies.values()):
        return "the driver answered every call that could be judged with unsupported"
    return None if reached or not calls else nothing_reached(blocked_requests)


class CertificationRun:
    """What a driven run works with, and what it has found."""

    def __init__(
        self,
        judge: CallJudge,
        sink: Callable[[Exchange], None] = lambda _: None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.judge = judge
        self.sink = sink
        self.progress = progress
        self.calls = 0
        self.first_failure: int | None = None
        self.counterexamples: list[CallCounterexample] = []

    def facts(self, started: datetime, seed: int) -> dict[str, Any]:
        """The ``run`` of ``report.json``: its requests are the calls of the driver."""
        return run_facts(
            started,
            requests=self.calls,
            exchanges=self.judge.live.observer.exchanges,
            first_failure=self.first_failure or (self.calls if self.judge.live.first_failure else None),
            seed=seed,
        )


async def drive(at_gateway: DriverSession, cases: tuple[Case, ...], run: CertificationRun) -> None:
    """Plays all cases and judges them, then looks for the smallest case of each rule that failed."""
    failing = await play(at_gateway, cases, run)
    if not run.judge.live.observer.exchanges:
        return  # nothing was sent, and no smaller case would send more
    for rule in run.judge.rules:
        if rule.id in failing:
            run.progress(f"looking for the smallest case that fails {rule.id}")
            run.counterexamples.append(await smallest(at_gateway, rule, failing[rule.id]))


async def play(at_gateway: DriverSession, cases: tuple[Case, ...], run: CertificationRun) -> dict[str, Case]:
    """Plays all cases and judges them; gives the first case that fails each rule that failed."""
    failing: dict[str, Case] = {}
    for number, case in enumerate(cases, 1):
        run.progress(f"{number} of {len(cases)}: {case.name}")
        async for record in at_gateway.play(case):
            judged = run.judge.judge(record)
            run.calls += 1
            if judged.failed:
                run.first_failure = run.first_failure or run.calls
            for failed in judged.failed:
                failing.setdefault(failed, case)
            for exchange in as_exchanges(record):
                run.sink(exchange)
    return failing


async def smallest(at_gateway: DriverSession, rule: Rule, case: Case) -> CallCounterexample:
    """The smallest case that was found to fail the rule, as it was played."""
    tries = 0
    shown: tuple[JudgedCall, ...] = ()

    async def fails(candidate: Case) -> bool:
        nonlocal tries, shown
        tries += 1
        judge = CallJudge((rule,))
        found: list[JudgedCall] = []
        async with aclosing(at_gateway.play(with_new_ids(candidate, f"-{tries}"))) as played:
            async for record in played:
                found.append(judge.judge(record))
                if found[-1].failed:
                    shown = tuple(found)
                    return True
        shown = shown or tuple(found)
        return False

    await fails(case)
    await shrink(case, fails, _TRIES)
    return CallCounterexample(rule, shown)


def _subject(client: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: str(client[name]) for name in ("client", "version", "language") if client.get(name)}
    name = " ".join(known[part] for part in ("client", "version") if part in known)
    return {"kind": "client", "name": name or "a client without a name", **known}
