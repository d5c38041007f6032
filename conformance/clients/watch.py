"""Watching a client: a program that uses it runs against the gateway, and what it sends is judged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.clients.certificate import Certificate, CertifyOptions, nothing_reached, observed_facts
from conformance.clients.driver.driver_session import ACCOUNT
from conformance.clients.gateway.gateway import Gateway
from conformance.clients.gateway.stub import StubServer
from conformance.clients.held_exchanges import HeldExchanges, account_names, known_secrets
from conformance.clients.processes import end_processes, marked
from conformance.clock import RealClock
from conformance.contract.rules import Rule
from conformance.errors import UsageError
from conformance.facts import Settings
from conformance.http.exchange import Exchange
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.personal import PersonalData
from conformance.interrupts import absorb_cancellation
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.stream import LiveJudge
from conformance.reference import reference_app

__all__ = ["watch"]

_SETTLE = 1.0
_ECHOED = ("CRONOFY_API_URL", "CRONOFY_ACCESS_TOKEN", "HTTPS_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


async def watch(
    options: CertifyOptions,
    rules: Iterable[Rule],
    *,
    echo: Callable[[str], None],
    sink: Callable[[Exchange], None] = lambda _: None,
) -> Certificate:
    """Listens, answers out of the reference server, and judges what comes by the rules about exchanges.

    `echo` gets the lines that say what to point the client at.  Ends after `options.duration`, with the process of
    `options.watched`, or when it is cancelled (Ctrl-C under `asyncio.run`), whichever comes first.  Raises UsageError
    where it cannot listen, or `options.watched` cannot be started.
    """
    started = datetime.now(UTC)
    chosen = tuple(rule for rule in rules if rule.applies_to == "client" and rule.about != "call")
    live = LiveJudge(Settings(), Judge(chosen), keep=False, sink=sink)
    clock = RealClock()
    app = reference_app(clock=clock, settle=_SETTLE)
    secrets = SecretCollector(known_secrets())
    personal = PersonalData() if options.redact_personal else None
    held = HeldExchanges(live.add, secrets, account_names(app.tokens), personal)
    stub = StubServer(app, clock, app.tokens[ACCOUNT])
    interrupted = False
    with TemporaryDirectory(prefix="cronofy-conformance-") as folder:
        gateway = Gateway(
            stub.pass_on,
            tokens=app.tokens,
            folder=Path(folder),
            seen=held.add,
            secrets=secrets,
            port=options.port,
        )
        async with gateway:
            environment = gateway.environment(app.tokens[ACCOUNT])
            echo(f"listening on {gateway.base_url}, on {gateway.tls_url}, and as a proxy for the API's six hosts")
            for name in _ECHOED:
                echo(f"export {name}={environment[name]}")
            failure: str | None = None
            try:
                failure = await _until_it_ends(options, environment)
            except asyncio.CancelledError:
                absorb_cancellation()
                interrupted = options.duration is not None or bool(options.watched)
            await gateway.take()
            blocked_requests = tuple(gateway.blocked_requests)
    await stub.close()
    held.close()
    live.close()
    nothing = None if live.observer.exchanges or interrupted else nothing_reached(blocked_requests)
    if failure and nothing:
        failure, nothing = f"{failure}; {nothing}", None
    subject = {"kind": "client", "name": " ".join(options.watched) or "what came to the gateway"}
    return Certificate(
        Report.empty(chosen) + live.report,
        chosen,
        subject,
        observed_facts(started, live),
        blocked_requests=blocked_requests,
        interrupted=interrupted,
        unjudged=nothing,
        program_failure=failure,
        redactor=secrets.redactor(),
        conceal=secrets.redacted if held.learnt_late else None,
    )


async def _until_it_ends(options: CertifyOptions, environment: Mapping[str, str]) -> str | None:
    """Waits for the watched program, or for the end of `options.duration`; how the program failed, if it did."""
    if not options.watched:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), options.duration)
        return None
    command = " ".join(options.watched)
    try:
        environment = marked(environment)
        process = await asyncio.create_subprocess_exec(*options.watched, env=environment, start_new_session=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--watch: {command!r} could not be started: {reason}; name a program after --") from None
    code = 0
    try:
        with contextlib.suppress(TimeoutError):
            code = await asyncio.wait_for(process.wait(), options.duration)
    finally:
        end_processes(process.pid, environment)
        await process.wait()
    if code < 0:
        return f"{command!r} was killed by signal {-code}"
    return f"{command!r} failed with exit code {code}" if code else None
