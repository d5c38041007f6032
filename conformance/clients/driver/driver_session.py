"""A session: a driver at a gateway, asked case by case, each on a fresh server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.standard_cases import Fixture
from conformance.clients.driver.process import DriverError
from conformance.clients.facts.call import CallRecord
from conformance.clients.gateway.gateway import Gateway
from conformance.clients.gateway.stub import SETTLE, StubServer
from conformance.clock import RealClock, VirtualClock
from conformance.http.exchange import Request
from conformance.http.server.http_server import Reply
from conformance.reference import INVENTORY, reference_app

__all__ = [
    "ACCOUNT",
    "CurrentStub",
    "DriverSession",
    "DriverStartError",
    "DriverTransport",
    "fixture",
    "gateway_with",
    "session",
]

#: The account whose token clients get: it has a conferencing profile and all kinds of calendars.
ACCOUNT = "profiles"

_DATA_CENTER = "us"


class DriverTransport(Protocol):
    """What answers the lines of the driver protocol."""

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request."""


class DriverStartError(DriverError):
    """The driver answered start, and has no client to drive."""


class CurrentStub:
    """Answers a gateway's requests by the stage of the day."""

    def __init__(self) -> None:
        self.current: StubServer | None = None

    async def answer(self, request: Request) -> Reply:
        """The current stage's answer; 503 while there is none."""
        return Reply(503) if self.current is None else await self.current.answer(request)

    async def change(self, stub: StubServer | None) -> None:
        """From now on `stub` answers; the one before is closed only then, for a client may ask at any time."""
        before, self.current = self.current, stub
        if before is not None:
            await before.close()


class DriverSession:
    """A driver at a gateway: plays cases, each on a fresh server."""

    def __init__(self, driver: DriverTransport, gateway: Gateway, stub: CurrentStub, client: Mapping[str, Any]) -> None:
        self._driver = driver
        self._gateway = gateway
        self._stages = stub
        self.client = client
        self._clock = RealClock()
        self._plays = 0
        self._token = INVENTORY.by_name[ACCOUNT].token

    async def play(self, case: Case) -> list[CallRecord]:
        """One record for each step."""
        self._plays += 1
        stub = _fresh_stub(self._token)
        await self._stages.change(stub)
        await stub.seed(case)
        earlier: dict[tuple[str, str], Mapping[str, Any]] = {}
        records = []
        for number, step in enumerate(case.steps, 1):
            await stub.begin(step.behavior)
            ask = step.ask.message()
            sent_at = self._clock.now()
            answer = await self._driver.ask(ask)
            answered_at = self._clock.now()
            event = ask.get("event", {})
            key = (str(ask.get("calendar_id")), str(event.get("event_id")))
            records.append(
                CallRecord(
                    f"{case.name} ({self._plays}.{number})",
                    ask,
                    _told(answer, self._token),
                    await self._gateway.take(),
                    stub.readings(),
                    earlier.get(key),
                    step.valid,
                    sent_at,
                    answered_at,
                    ACCOUNT,
                )
            )
            if event.get("conferencing") is not None:
                earlier[key] = event["conferencing"]
        return records


def _told(answer: Mapping[str, Any], token: str) -> dict[str, Any]:
    """The answer without its id, and without the token, which a client's error message may repeat."""
    told = {kind: value for kind, value in answer.items() if kind != "id"}
    text = json.dumps(told)
    return told if token not in text else dict(json.loads(text.replace(token, f"<{ACCOUNT}>")))


@contextlib.asynccontextmanager
async def gateway_with(stub: CurrentStub) -> AsyncIterator[Gateway]:
    """A gateway that answers by `stub`, for the account that clients get."""
    with TemporaryDirectory(prefix="cronofy-conformance-") as folder:
        async with Gateway(
            stub.answer, tokens={ACCOUNT: INVENTORY.by_name[ACCOUNT].token}, folder=Path(folder)
        ) as gateway:
            try:
                yield gateway
            finally:
                await stub.change(None)


async def session(driver: DriverTransport, gateway: Gateway, stub: CurrentStub) -> DriverSession:
    """Starts the client; raises DriverStartError if that cannot be done.

    What the client sends meanwhile is answered, and left aside: no ask is there to judge it by.
    """
    token = INVENTORY.by_name[ACCOUNT].token
    start = {"base_url": gateway.base_url, "access_token": token, "data_center": _DATA_CENTER}
    await stub.change(_fresh_stub(token))
    started = await driver.ask({"do": "start", **start})
    await gateway.take()
    if "ok" not in started:
        raise DriverStartError(f"could not start its client: {_reason(_told(started, token))}")
    return DriverSession(driver, gateway, stub, started["ok"])


def _fresh_stub(token: str) -> StubServer:
    """A stage with a fresh server behind it."""
    clock = VirtualClock(RealClock().now())
    return StubServer(reference_app(clock=clock, settle=SETTLE), clock, token)


def _reason(told: Mapping[str, Any]) -> str:
    if "unsupported" in told:
        return f"it calls start unsupported: {told['unsupported']}"
    error = told["error"]
    parts = [f"status {error['status']}"] if error.get("status") else []
    parts += [str(error["message"])] if error.get("message") else []
    return ", ".join(parts) or "it told an error without a message"


def fixture() -> Fixture:
    """What of the reference server's world clients are asked about."""
    account = INVENTORY.by_name[ACCOUNT]
    able = [calendar.calendar_id for calendar in account.calendars if calendar.writable and calendar.integrated]
    unable = [calendar.calendar_id for calendar in account.calendars if calendar.writable and not calendar.integrated]
    profile = account.default_profile
    year = datetime.now(UTC).year + 1
    return Fixture(able[0], unable[0], unable[-1], profile.profile_id if profile else None, year)
