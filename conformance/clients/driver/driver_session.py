"""A session: a driver at a gateway, called case by case, each on a fresh server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from conformance.clients.cases.case_steps import Fixture
from conformance.clients.cases.driver_call import Case
from conformance.clients.certificate import CertifyOptions
from conformance.clients.driver.process import Driver
from conformance.clients.driver.protocol import DriverError, report_of
from conformance.clients.facts.call import CallRecord
from conformance.clients.gateway.gateway import Gateway
from conformance.clients.gateway.stub import SETTLE, StubServer
from conformance.clients.held_exchanges import known_secrets
from conformance.clock import RealClock, VirtualClock
from conformance.http.exchange import Request
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.locations import mask_quotes
from conformance.http.server.http_server import Reply
from conformance.reference import INVENTORY, reference_app

__all__ = [
    "ACCOUNT",
    "CurrentStub",
    "DriverSession",
    "DriverStartError",
    "DriverTransport",
    "driver_at",
    "fixture",
    "fresh_stub",
    "gateway_with",
    "session",
]

#: The account whose token clients get: it has a conferencing profile and all kinds of calendars.
ACCOUNT = "profiles"

_DATA_CENTER = "us"


class DriverTransport(Protocol):
    """What answers the calls of the driver protocol."""

    async def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, ``{"result": …}`` or ``{"error": …}``."""


class DriverStartError(DriverError):
    """The driver answered start, and has no client to drive."""


class CurrentStub:
    """Answers a gateway's requests by the stub server of the case that is being played."""

    def __init__(self) -> None:
        self._stub: StubServer | None = None

    async def answer(self, request: Request) -> Reply:
        """The stub's answer; 503 while there is none."""
        return Reply(503) if self._stub is None else await self._stub.answer(request)

    async def change(self, stub: StubServer | None) -> None:
        """From now on `stub` answers; the one before is closed only then, for a client may send at any time."""
        before, self._stub = self._stub, stub
        if before is not None:
            await before.close()


class DriverSession:
    """A driver at a gateway: plays cases, each on a fresh server.  `client` is the result of start."""

    def __init__(
        self,
        driver: DriverTransport,
        gateway: Gateway,
        current: CurrentStub,
        client: Mapping[str, Any],
        secrets: SecretCollector,
    ) -> None:
        self._driver = driver
        self._gateway = gateway
        self._current = current
        self._secrets = secrets
        self.client = client
        self._clock = RealClock()
        self._plays = 0
        self._token = INVENTORY.by_name[ACCOUNT].token

    async def play(self, case: Case) -> AsyncGenerator[CallRecord, None]:
        """One record for each step, as it is played."""
        self._plays += 1
        stub = fresh_stub()
        await self._current.change(stub)
        await stub.seed(case)
        earlier: dict[tuple[str, str], Mapping[str, Any]] = {}
        for number, step in enumerate(case.steps, 1):
            await stub.begin(step.behavior)
            call = step.call
            sent_at = self._clock.now()
            answer = await self._driver.call(call.method, call.params)
            answered_at = self._clock.now()
            exchanges = await self._gateway.take()
            event = call.params.get("event", {})
            key = (str(call.params.get("calendar_id")), str(event.get("event_id")))
            yield CallRecord(
                f"{case.name} ({self._plays}.{number})",
                call,
                _without(answer, self._token, self._secrets),
                tuple(map(self._secrets.redacted, exchanges)),
                stub.readings(),
                earlier.get(key),
                step.valid,
                step.behavior.documented,
                sent_at,
                answered_at,
                ACCOUNT,
            )
            if event.get("conferencing") is not None:
                earlier[key] = event["conferencing"]


def _without(answer: dict[str, Any], token: str, secrets: SecretCollector) -> dict[str, Any]:
    """The answer without the token, and without other credentials: a client's error message may repeat them."""
    text = json.dumps(answer)
    clean = text.replace(token, f"<{ACCOUNT}>")
    named = answer if clean == text else dict(json.loads(clean))
    return secrets.redactor().value(named) if secrets.leaks_into(clean) else named


@contextlib.asynccontextmanager
async def gateway_with(current: CurrentStub, secrets: SecretCollector | None = None) -> AsyncIterator[Gateway]:
    """A gateway that answers by the current stub, for the account whose token clients get."""
    with TemporaryDirectory(prefix="cronofy-conformance-") as folder:
        tokens = {ACCOUNT: INVENTORY.by_name[ACCOUNT].token}
        async with Gateway(current.answer, tokens=tokens, folder=Path(folder), secrets=secrets) as gateway:
            try:
                yield gateway
            finally:
                await current.change(None)


async def session(
    driver: DriverTransport, gateway: Gateway, current: CurrentStub, secrets: SecretCollector | None = None
) -> DriverSession:
    """Starts the client; raises DriverStartError if that cannot be done.

    What the client sends meanwhile is answered but not judged, since no call led to it.
    """
    token = INVENTORY.by_name[ACCOUNT].token
    known = SecretCollector(known_secrets()) if secrets is None else secrets
    await current.change(fresh_stub())
    params = {"base_url": gateway.base_url, "access_token": token, "data_center": _DATA_CENTER}
    answer = await driver.call("start", params)
    await gateway.take()
    if "result" not in answer:
        raise DriverStartError(f"could not start its client: {_reason(_without(answer, token, known))}")
    return DriverSession(driver, gateway, current, _without(answer, token, known)["result"], known)


def driver_at(gateway: Gateway, options: CertifyOptions, secrets: SecretCollector | None = None) -> Driver:
    """The driver of `options`, not yet started, in the environment of the gateway; errors quote it redacted."""
    known = SecretCollector(known_secrets()) if secrets is None else secrets
    return Driver(
        options.command,
        gateway.environment(INVENTORY.by_name[ACCOUNT].token),
        timeout=options.driver_timeout,
        memory_limit=options.memory_limit,
        redact=lambda line: known.redactor().text(mask_quotes(line)),
    )


def fresh_stub() -> StubServer:
    """A stub with a fresh reference server behind it."""
    clock = VirtualClock(RealClock().now())
    return StubServer(reference_app(clock=clock, settle=SETTLE), clock, INVENTORY.by_name[ACCOUNT].token)


def _reason(answer: Mapping[str, Any]) -> str:
    report = report_of(answer)
    if "unsupported" in report:
        return f"it answers that start is unsupported: {report['unsupported']}"
    error = report["error"]
    status = [f"status {error['status']}"] if error.get("status") else []
    return ", ".join([*status, *([error["message"]] if error["message"] else [])]) or "its error has no message"


def fixture() -> Fixture:
    """What the cases use of the reference server."""
    account = INVENTORY.by_name[ACCOUNT]
    able = [calendar.calendar_id for calendar in account.calendars if calendar.writable and calendar.integrated]
    unable = [calendar.calendar_id for calendar in account.calendars if calendar.writable and not calendar.integrated]
    profile = account.default_profile
    year = datetime.now(UTC).year + 1
    return Fixture(able[0], unable[0], unable[-1], profile.profile_id if profile else None, year)
