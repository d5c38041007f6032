"""A run that certifies a client: driven by an adapter, or watched at the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.clients.asks import Case
from conformance.clients.counterexample import Counterexample
from conformance.clients.driver import MEMORY_LIMIT, Driver, DriverFault
from conformance.clients.evidence import Judged, Records, as_exchanges
from conformance.clients.front import Reply
from conformance.clients.gateway import Gateway
from conformance.clients.made_up import made_up
from conformance.clients.shrinking import renamed, shrink
from conformance.clients.stage import SETTLE, Stage
from conformance.clients.table import Places, table
from conformance.clients.told import Record
from conformance.clock import RealClock, VirtualClock
from conformance.exchange import Exchange, Request
from conformance.facts import Observer, Settings
from conformance.judgement import Judge
from conformance.reference import WORLD, reference_app
from conformance.report import Report
from conformance.rules import Rule

__all__ = ["Certificate", "CertifyOptions", "certify", "watch"]

_ACCOUNT = "profiles"
_DATA_CENTER = "us"
_SHRINKS = 60
_WATCHED_SETTLE = 1.0


@dataclass(frozen=True)
class CertifyOptions:
    """How a client is certified.

    `command` starts the driver (empty: the client is watched).  `driver_timeout`: seconds for each of its answers.
    `for_seconds`: how long a client is watched (None: until Ctrl-C or the end of `watched`, a command that is run in
    the gateway's environment).  `examples` asks are made up beyond the table, from `seed`.  `port`: where the
    gateway listens when it watches (0: any).  `memory_limit`: bytes that the driver's processes may hold.
    """

    command: tuple[str, ...] = ()
    driver_timeout: float = 30.0
    for_seconds: float | None = None
    watched: tuple[str, ...] = ()
    examples: int = 50
    seed: int = 0
    port: int = 0
    memory_limit: int = MEMORY_LIMIT


@dataclass(frozen=True)
class Certificate:
    """What came of it: the report with the rules that it is about, and the parts of that name of report.json.

    `counterexamples` are the smallest failing cases, one a rule.  `elsewhere` says, a sentence each, what the client
    sent to other hosts, which was refused.  `interrupted`: Ctrl-C ended it.
    """

    report: Report
    rules: tuple[Rule, ...]
    subject: Mapping[str, Any]
    run: Mapping[str, Any]
    counterexamples: tuple[Counterexample, ...] = ()
    elsewhere: tuple[str, ...] = ()
    interrupted: bool = False


@dataclass
class _Tally:
    """What a run has come to so far."""

    report: Report
    requests: int = 0
    first_failure: int | None = None
    failing: dict[str, Case] = field(default_factory=dict)


class _Session:
    """A driver at a gateway: plays cases, each on a fresh server."""

    def __init__(self, driver: Driver, gateway: Gateway, on_stage: Callable[[Stage], None]) -> None:
        self._driver = driver
        self._gateway = gateway
        self._on_stage = on_stage
        self._clock = RealClock()
        self._plays = 0

    async def play(self, case: Case) -> list[Record]:
        """One record for each step."""
        self._plays += 1
        clock = VirtualClock(self._clock.now())
        app = reference_app(clock=clock, settle=SETTLE)
        stage = Stage(app, clock, app.tokens[_ACCOUNT])
        self._on_stage(stage)
        try:
            await stage.seed(case)
            earlier: dict[tuple[str, str], Mapping[str, Any]] = {}
            records = []
            for number, step in enumerate(case.steps, 1):
                await stage.begin(step.script)
                ask = step.ask.message()
                sent_at = self._clock.now()
                answer = await self._driver.ask(ask)
                answered_at = self._clock.now()
                event = ask.get("event", {})
                key = (str(ask.get("calendar_id")), str(event.get("event_id")))
                records.append(
                    Record(
                        f"{case.name} ({self._plays}.{number})",
                        ask,
                        {kind: value for kind, value in answer.items() if kind != "id"},
                        await self._gateway.take(),
                        stage.readings(),
                        earlier.get(key),
                        step.lawful,
                        sent_at,
                        answered_at,
                    )
                )
                if event.get("conferencing") is not None:
                    earlier[key] = event["conferencing"]
            return records
        finally:
            await stage.close()


@contextlib.asynccontextmanager
async def _session(options: CertifyOptions) -> AsyncIterator[tuple[_Session, Gateway, Mapping[str, Any]]]:
    stages: list[Stage] = []

    async def answer(request: Request) -> Reply:
        return await stages[-1].answer(request) if stages else Reply(503)

    def on_stage(stage: Stage) -> None:
        stages[:] = [stage]

    token = WORLD.by_name[_ACCOUNT].token
    with tempfile.TemporaryDirectory(prefix="cronofy-conformance-") as folder:
        async with Gateway(answer, tokens={_ACCOUNT: token}, folder=Path(folder)) as gateway:
            driver = Driver(
                options.command,
                gateway.environment(),
                timeout=options.driver_timeout,
                memory_limit=options.memory_limit,
            )
            async with driver:
                start = {"base_url": gateway.base_url, "access_token": token, "data_center": _DATA_CENTER}
                started = await driver.ask({"do": "start", **start})
                if "ok" not in started:
                    raise DriverFault(f"the driver could not start the client: {started}")
                yield _Session(driver, gateway, on_stage), gateway, started["ok"]
                await driver.stop()


async def certify(
    options: CertifyOptions,
    rules: Iterable[Rule],
    *,
    sink: Callable[[Exchange], None] = lambda _: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Certificate:
    """Drives a client by `options.command` and judges it; raises DriverFault for what the adapter does wrong.

    Every exchange of the judged cases goes to `sink`, the lines to the driver among them, in order.  A cancellation
    (Ctrl-C under `asyncio.run`) ends it with the certificate so far.
    """
    clients = tuple(rule for rule in rules if rule.binds == "client")
    judging, tally = Records(clients), _Tally(Report.empty(clients))
    began, interrupted = datetime.now(UTC), False
    smallest: list[Counterexample] = []
    async with _session(options) as (session, gateway, client):
        try:
            places = await _places()
            cases = (*table(places), *made_up(places, options.examples, options.seed))
            for number, case in enumerate(cases, 1):
                progress(f"{number} of {len(cases)}: {case.name}")
                for record in await session.play(case):
                    _count(tally, judging.judge(record), case)
                    for exchange in as_exchanges(record):
                        sink(exchange)
            for rule in clients:
                if rule.id in tally.failing:
                    progress(f"looking for the smallest case that fails {rule.id}")
                    smallest.append(await _smallest(session, rule, tally.failing[rule.id], clients))
        except asyncio.CancelledError:
            interrupted = True
            _uncancel()
        elsewhere = tuple(gateway.elsewhere)
    report = tally.report.with_verdicts(judging.close())
    return Certificate(
        report,
        clients,
        _subject(client),
        _run(options, tally, report, began),
        tuple(smallest),
        elsewhere,
        interrupted,
    )


def _uncancel() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


def _count(tally: _Tally, judged: Judged, case: Case) -> None:
    tally.requests += 1
    tally.report = tally.report.with_verdicts(judged.verdicts).with_exchanges(len(judged.record.exchanges))
    for rule in judged.failed:
        tally.failing.setdefault(rule, case)
        tally.first_failure = tally.first_failure or tally.requests


async def _smallest(session: _Session, rule: Rule, case: Case, rules: tuple[Rule, ...]) -> Counterexample:
    tries = 0
    kept: tuple[Judged, ...] = ()

    async def fails(candidate: Case) -> bool:
        nonlocal tries, kept
        tries += 1
        judging = Records(rules)
        found: list[Judged] = []
        for record in await session.play(renamed(candidate, f"-{tries}")):
            found.append(judging.judge(record))
            if rule.id in found[-1].failed:
                kept = tuple(found)
                return True
        kept = kept or tuple(found)
        return False

    await fails(case)
    await shrink(case, fails, _SHRINKS)
    return Counterexample(rule, kept)


async def _places() -> Places:
    account = WORLD.by_name[_ACCOUNT]
    able = [calendar.calendar_id for calendar in account.calendars if calendar.writable and calendar.integrated]
    unable = [calendar.calendar_id for calendar in account.calendars if calendar.writable and not calendar.integrated]
    profile = account.default_profile
    year = datetime.now(UTC).year + 1
    return Places(able[0], unable[0], unable[-1], profile.profile_id if profile else None, year)


def _subject(client: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: str(client[name]) for name in ("client", "version", "language") if client.get(name)}
    name = " ".join(known[part] for part in ("client", "version") if part in known)
    return {"kind": "client", "name": name or "a client that tells no name", **known}


def _run(options: CertifyOptions, tally: _Tally, report: Report, began: datetime) -> dict[str, Any]:
    run: dict[str, Any] = {
        "id": uuid.uuid4().hex[:12],
        "seed": options.seed,
        "started_at": _instant(began),
        "finished_at": _instant(datetime.now(UTC)),
        "requests": tally.requests,
        "exchanges": report.exchanges,
        "settling_s": {"p50": None, "max": None},
    }
    if tally.first_failure is not None:
        run["first_failure_request"] = tally.first_failure
    return run


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def watch(
    options: CertifyOptions,
    rules: Iterable[Rule],
    *,
    say: Callable[[str], None],
    sink: Callable[[Exchange], None] = lambda _: None,
) -> Certificate:
    """Listens, answers out of the reference server and judges what comes by the rules about the wire.

    `say` is told, a line each, what to point the client at.  Ends after `options.for_seconds`, with the process of
    `options.watched`, or when it is cancelled (Ctrl-C), whichever comes first.
    """
    clients = tuple(rule for rule in rules if rule.binds == "client" and rule.about != "ask")
    began = datetime.now(UTC)
    observer, judge, tally = Observer(Settings()), Judge(clients), _Tally(Report.empty(clients))

    def seen(exchange: Exchange) -> None:
        observer.add(exchange)
        sink(exchange)
        tally.requests += 1
        verdicts = [verdict for facts in observer.changed() if facts.closed for verdict in judge(facts)]
        tally.report = tally.report.with_verdicts(verdicts).with_exchanges(1)
        if tally.first_failure is None and any(verdict.outcome == "failed" for verdict in verdicts):
            tally.first_failure = tally.requests

    app = reference_app(clock=RealClock(), settle=_WATCHED_SETTLE)
    stage = Stage(app, RealClock(), app.tokens[_ACCOUNT])
    interrupted = False
    with tempfile.TemporaryDirectory(prefix="cronofy-conformance-") as folder:
        gateway = Gateway(stage.pass_on, tokens=app.tokens, folder=Path(folder), seen=seen, port=options.port)
        async with gateway:
            environment = gateway.environment() | {"CRONOFY_ACCESS_TOKEN": app.tokens[_ACCOUNT]}
            _invite(say, gateway, environment)
            try:
                await _until_it_ends(options, environment)
            except asyncio.CancelledError:
                interrupted = options.for_seconds is not None or bool(options.watched)
                _uncancel()
            await gateway.take()
            elsewhere = tuple(gateway.elsewhere)
    await stage.close()
    observer.close()
    closed = [verdict for facts in observer.changed() if facts.closed for verdict in judge(facts)]
    report = tally.report.with_verdicts(closed)
    name = " ".join(options.watched) or "what came to the gateway"
    subject = {"kind": "client", "name": name}
    run = _run(options, tally, report, began)
    return Certificate(report, clients, subject, run, elsewhere=elsewhere, interrupted=interrupted)


def _invite(say: Callable[[str], None], gateway: Gateway, environment: Mapping[str, str]) -> None:
    say(f"listening on {gateway.base_url} (plain), {gateway.tls_url} (TLS) and as a proxy for the API's six hosts")
    for name in ("CRONOFY_API_URL", "CRONOFY_ACCESS_TOKEN", "HTTPS_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
        say(f"export {name}={environment[name]}")


async def _until_it_ends(options: CertifyOptions, environment: Mapping[str, str]) -> None:
    process = None
    if options.watched:
        process = await asyncio.create_subprocess_exec(*options.watched, env=environment, start_new_session=True)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(options.for_seconds):
                await (process.wait() if process is not None else asyncio.Event().wait())
    finally:
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
