"""Certifying a client by its driver: asks, judges, and looks for the smallest case of each failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.clients.cases.case_shrinking import renamed, shrink
from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.generated_cases import made_up
from conformance.clients.cases.standard_cases import table
from conformance.clients.certificate import Certificate, CertifyOptions, Judging
from conformance.clients.counterexample import CallCounterexample
from conformance.clients.driver.driver_session import (
    DriverSession,
    DriverStartError,
    Stages,
    gateway_with,
    places,
    session,
)
from conformance.clients.driver.process import Driver
from conformance.clients.transcript import JudgedCall, Records, as_exchanges
from conformance.contract.rules import Rule
from conformance.http.exchange import Exchange

__all__ = ["CertificationRun", "certify", "cut_off", "drive", "play", "smallest"]

_TRIES = 60


async def certify(
    options: CertifyOptions,
    rules: Iterable[Rule],
    *,
    sink: Callable[[Exchange], None] = lambda _: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Certificate:
    """Drives a client by `options.command` and judges it; raises DriverError for what the adapter does wrong.

    Every exchange of the judged cases goes to `sink`, the lines to the driver among them, in order: `judge_records`
    comes to the same report from them.  A cancellation (Ctrl-C under `asyncio.run`) ends it with what there is so far.
    """
    clients = tuple(rule for rule in rules if rule.applies_to == "client")
    run = CertificationRun(Judging(clients, options.seed), Records(clients), sink, progress)
    stages = Stages()
    client: Mapping[str, Any] = {}
    interrupted = False
    async with gateway_with(stages) as gateway:
        driver = Driver(
            options.command, gateway.environment(), timeout=options.driver_timeout, memory_limit=options.memory_limit
        )
        async with driver:
            try:
                at_gateway = await session(driver, gateway, stages)
                client = at_gateway.client
                here = places()
                await drive(at_gateway, (*table(here), *made_up(here, options.max_examples, options.seed)), run)
                await driver.stop()
            except DriverStartError as refused:
                raise await driver.fault(str(refused)) from None
            except asyncio.CancelledError:
                interrupted = cut_off()
        elsewhere = tuple(gateway.elsewhere)
    run.judging.add(run.records.close())
    return Certificate(
        run.judging.report(),
        clients,
        _subject(client),
        run.judging.run(),
        tuple(run.counterexamples),
        elsewhere,
        interrupted,
    )


class CertificationRun:
    """What a driven run works with, and the counterexamples that it has found."""

    def __init__(
        self,
        judging: Judging,
        records: Records,
        sink: Callable[[Exchange], None] = lambda _: None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.judging = judging
        self.records = records
        self.sink = sink
        self.progress = progress
        self.counterexamples: list[CallCounterexample] = []


async def drive(at_gateway: DriverSession, cases: tuple[Case, ...], run: CertificationRun) -> None:
    """Plays all cases and judges them, then looks for the smallest case of each rule that failed."""
    failing = await play(at_gateway, cases, run)
    for rule in run.judging.rules:
        if rule.id in failing:
            run.progress(f"looking for the smallest case that fails {rule.id}")
            run.counterexamples.append(await smallest(at_gateway, rule, failing[rule.id]))


async def play(at_gateway: DriverSession, cases: tuple[Case, ...], run: CertificationRun) -> dict[str, Case]:
    """Plays all cases and judges them; gives the first case that fails each rule that failed."""
    failing: dict[str, Case] = {}
    for number, case in enumerate(cases, 1):
        run.progress(f"{number} of {len(cases)}: {case.name}")
        for record in await at_gateway.play(case):
            judged = run.records.judge(record)
            run.judging.requests += 1
            run.judging.exchanges += len(record.exchanges)
            run.judging.add(judged.verdicts)
            for failed in judged.failed:
                failing.setdefault(failed, case)
            for exchange in as_exchanges(record):
                run.sink(exchange)
    return failing


async def smallest(at_gateway: DriverSession, rule: Rule, case: Case) -> CallCounterexample:
    """The smallest case that was found to fail the rule, as it was last played."""
    tries = 0
    kept: tuple[JudgedCall, ...] = ()

    async def fails(candidate: Case) -> bool:
        nonlocal tries, kept
        tries += 1
        judge = Records((rule,))
        found: list[JudgedCall] = []
        for record in await at_gateway.play(renamed(candidate, f"-{tries}")):
            found.append(judge.judge(record))
            if found[-1].failed:
                kept = tuple(found)
                return True
        kept = kept or tuple(found)
        return False

    await fails(case)
    await shrink(case, fails, _TRIES)
    return CallCounterexample(rule, kept)


def cut_off() -> bool:
    """Takes note of a cancellation as the end of the run: what is left to do is done in peace."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return True


def _subject(client: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: str(client[name]) for name in ("client", "version", "language") if client.get(name)}
    name = " ".join(known[part] for part in ("client", "version") if part in known)
    return {"kind": "client", "name": name or "a client that tells no name", **known}
