"""A recorded run as the subject: each request gets the recorded response, at the recorded time.

Only runs on a virtual clock can be replayed: there the same seed and the same responses lead to the same requests.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx

from conformance.clock import VirtualClock
from conformance.errors import ConfigurationError
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange
from conformance.http.webhooks import address
from conformance.recordings import RecordingMetadata, header, paths, read_all

__all__ = ["RecordedRun", "ReplayTransport", "recorded_run"]

#: Headers about codings that were undone in recorded bodies.
_CODING_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class _Key(NamedTuple):
    method: str
    url: str
    body: bytes
    account: str | None


class RecordedCourier:
    """Delivers recorded notifications after the exchanges that they came after."""

    def __init__(self) -> None:
        self.deliver: Callable[[str, Mapping[str, str], bytes], Awaitable[int]] | None = None
        self._after: dict[str, list[Exchange]] = defaultdict(list)

    def expect(self, last: Exchange | None, notification: Exchange) -> None:
        """A notification was recorded after `last`."""
        self._after[last.label if last is not None else ""].append(notification)

    async def follow(self, exchange: Exchange) -> None:
        """Deliver what was recorded after an exchange."""
        for notification in self._after.pop(exchange.label, ()):
            if self.deliver is not None:
                request = notification.request
                await self.deliver(request.url, dict(request.headers), request.body)


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers each request with its recorded responses, in order; ConfigurationError if nothing was recorded for it."""

    def __init__(
        self, exchanges: Iterable[Exchange], clock: VirtualClock, accounts: Mapping[str, str], seed: str
    ) -> None:
        self._clock = clock
        self._seed = seed
        self._accounts = {token: name for name, token in accounts.items()}
        self._answers: dict[_Key, deque[Exchange]] = defaultdict(deque)
        self._left = 0
        self._refused: ConfigurationError | None = None
        self.courier = RecordedCourier()
        last: Exchange | None = None
        for exchange in exchanges:
            request = exchange.request
            if address(request.url) is not None:
                self.courier.expect(last, exchange)
                continue
            last = exchange
            self._answers[_Key(request.method, request.url, request.body, request.account)].append(exchange)
            self._left += 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The next recorded response, after the clock was set to the time of that response."""
        key = _Key(request.method, str(request.url), await request.aread(), self._account(request))
        answers = self._answers.get(key)
        if not answers:
            if key.method == "DELETE" and not self._left and self._refused is None:
                # The requests that clean up after a run are not part of its recording.
                return httpx.Response(202, stream=httpx.ByteStream(b""))
            raise self._refusal(key)
        exchange = answers.popleft()
        self._left -= 1
        if exchange.answered_at is not None and exchange.answered_at > self._clock.now():
            await self._clock.sleep(exchange.answered_at - self._clock.now())
        if exchange.response is None:
            raise httpx.ReadError("no answer was recorded", request=request)
        await self.courier.follow(exchange)
        headers = [(name, value) for name, value in exchange.response.headers if name.lower() not in _CODING_HEADERS]
        return httpx.Response(
            exchange.response.status, headers=headers, stream=httpx.ByteStream(exchange.response.body)
        )

    def _account(self, request: httpx.Request) -> str | None:
        authorization = request.headers.get("authorization")
        if authorization is None:
            return None
        return self._accounts.get(authorization.removeprefix("Bearer "), UNKNOWN_TOKEN)

    def _refusal(self, key: _Key) -> ConfigurationError:
        """The error for a request that was not recorded, and for all requests after it."""
        if self._refused is None:
            self._refused = ConfigurationError(
                f"{key.method} {key.url} as account {key.account} was not recorded, or not as often: replay with the "
                f"options of the recorded run (--seed {self._seed}) and with the same version, or judge the recording "
                "as it is with `check`"
            )
        return self._refused


class RecordedRun(NamedTuple):
    """A run that can be replayed: its base URL, clock, accounts and declared default profiles, and the transport."""

    base_url: str
    clock: VirtualClock
    tokens: Mapping[str, str]
    default_profiles: Mapping[str, str]
    app: ReplayTransport


def recorded_run(path: Path, name: str) -> RecordedRun:
    """The run recorded at `path`, a cassette or a folder of them, ready to be replayed.

    Raises InvalidRecordingError, and ConfigurationError for anything but one whole run on a virtual clock.
    """
    run = _header(path, name)
    exchanges = tuple(read_all([path]))
    started = exchanges[0].sent_at if exchanges else None
    if started is None:
        raise ConfigurationError(f"{name} has no exchange with a time: record a run with --record")
    clock = VirtualClock(started)
    tokens = {account: f"recorded-{account}" for account in run.accounts}
    profiles = run.settings.get("default_profiles")
    return RecordedRun(
        exchanges[0].request.url.partition("/v1/")[0],
        clock,
        tokens,
        dict(profiles) if isinstance(profiles, Mapping) else {},
        ReplayTransport(exchanges, clock, tokens, run.run.removeprefix("seed-")),
    )


def _header(path: Path, name: str) -> RecordingMetadata:
    headers = [header(file) for file in paths([path])]
    runs = {(found.run, found.applies_to) if found else None for found in headers}
    first = headers[0]
    if first is None or len(runs) != 1 or first.applies_to != "server" or not first.run.startswith("seed-"):
        raise ConfigurationError(
            f"{name} is not one run that can be replayed; only a run on a virtual clock can, such as one of the "
            f"reference server with --record: judge it as it is with `cronofy-conformance check {path}`"
        )
    return first
