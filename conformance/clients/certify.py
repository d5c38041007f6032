"""Certifying a client by its driver: plays cases, judges, and looks for the smallest case of each failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.generated_cases import generated_cases
from conformance.clients.cases.optional_cases import optional_cases
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
from conformance.clients.held_exchanges import HeldExchanges, known_secrets
from conformance.clients.smallest import SmallestCases
from conformance.clients.transcript import CallJudge, JudgedCall, as_exchanges
from conformance.contract.rules import Rule
from conformance.http.exchange import Exchange
from conformance.http.redaction.collecting import SecretCollector
from conformance.interrupts import absorb_cancellation
from conformance.judging.report import Report

__all__ = ["CertificationRun", "certify", "drive", "play"]

#: Most causes of which the smallest case is shown.
_SHOWN = 12

Calls = tuple[JudgedCall, ...]


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
    current = CurrentStub()
    secrets = SecretCollector(known_secrets())
    held = HeldExchanges(sink, secrets)
    run = CertificationRun(CallJudge(rules), held.add, progress)
    known = len(secrets)
    client: Mapping[str, Any] = {}
    interrupted = False
    driver_error: DriverError | None = None
    async with gateway_with(current, secrets) as gateway, driver_at(gateway, options, secrets) as driver:
        try:
            at_gateway = await session(driver, gateway, current, secrets)
            client, known = at_gateway.client, len(secrets)
            await drive(at_gateway, options, run)
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
    held.close()
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
        redactor=secrets.redactor(),
        conceal=secrets.redacted if len(secrets) > known else None,
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


async def drive(at_gateway: DriverSession, options: CertifyOptions, run: CertificationRun) -> None:
    """Plays all cases and judges them, then looks for the smallest case of each cause of a failure."""
    here = fixture()
    search = SmallestCases(at_gateway, run.judge.rules, here, options.seed)
    first = await play(at_gateway, (*standard_cases(here), *optional_cases(here)), run)
    generated = generated_cases(here, options.max_examples, options.seed)
    first = await play(at_gateway, generated, run, search.knows) | first
    if not run.judge.live.observer.exchanges:
        return  # nothing was sent, and no smaller case would send more
    rules = {rule.id: rule for rule in run.judge.rules}
    shown = sorted(first, key=lambda cause: first[cause][-1].causes[cause])[:_SHOWN]
    if shown:
        run.progress("looking for the smallest case of each failure")
    smallest: dict[str, Calls] = {}
    try:
        smallest = await search.of(shown)
    finally:  # what ends the search takes nothing away from what was found before it
        for cause in shown:
            calls = smallest.get(cause, first[cause])
            run.counterexamples.append(CallCounterexample(rules[calls[-1].causes[cause]], calls))


async def play(
    at_gateway: DriverSession,
    cases: tuple[Case, ...],
    run: CertificationRun,
    known: Callable[[Case, Mapping[str, Calls]], object] = lambda _case, _found: None,
) -> dict[str, Calls]:
    """Plays all cases and judges them; gives for each cause of a failure the fewest calls of a case that show it.

    `known` is given each case with the causes that it shows.
    """
    fewest: dict[str, Calls] = {}
    for number, case in enumerate(cases, 1):
        run.progress(f"{number} of {len(cases)}: {case.name}")
        calls: list[JudgedCall] = []
        found: dict[str, Calls] = {}
        async for record in at_gateway.play(case):
            calls.append(run.judge.judge(record))
            run.calls += 1
            for cause in calls[-1].causes:
                run.first_failure = run.first_failure or run.calls
                found.setdefault(cause, tuple(calls))
            for exchange in as_exchanges(record):
                run.sink(exchange)
        known(case, found)
        for cause, shown in found.items():
            if cause not in fewest or len(shown) < len(fewest[cause]):
                fewest[cause] = shown
    return fewest


def _subject(client: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: str(client[name]) for name in ("client", "version", "language") if client.get(name)}
    name = " ".join(known[part] for part in ("client", "version") if part in known)
    return {"kind": "client", "name": name or "a client without a name", **known}
