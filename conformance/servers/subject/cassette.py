"""A recorded run as the subject: each request is answered as it was when the run was recorded, at the same time.

Only runs on a virtual clock can be lived again: there the same seed and the same answers lead to the same requests.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx

from conformance.clock import VirtualClock
from conformance.errors import ConfigurationError
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange
from conformance.recordings import RecordingMetadata, header, paths, read_all

__all__ = ["Recorded", "ReplayTransport", "recorded"]

#: Headers that tell of codings which a recorded body no longer has.
_UNDONE = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class _Key(NamedTuple):
    method: str
    url: str
    body: bytes
    account: str | None


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers each request with its recorded answers, in their order; ConfigurationError for what was not recorded."""

    def __init__(
        self, exchanges: Iterable[Exchange], clock: VirtualClock, accounts: Mapping[str, str], seed: str
    ) -> None:
        self._clock = clock
        self._seed = seed
        self._accounts = {token: name for name, token in accounts.items()}
        self._answers: dict[_Key, deque[Exchange]] = defaultdict(deque)
        self._left = 0
        self._refused: ConfigurationError | None = None
        for exchange in exchanges:
            request = exchange.request
            self._answers[_Key(request.method, request.url, request.body, request.account)].append(exchange)
            self._left += 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The next recorded answer, the clock put to when it came."""
        key = _Key(request.method, str(request.url), await request.aread(), self._account(request))
        answers = self._answers.get(key)
        if not answers:
            if key.method == "DELETE" and not self._left and self._refused is None:
                return httpx.Response(
                    202, stream=httpx.ByteStream(b"")
                )  # what a run deletes after its end is no part of a recording
            raise self._refusal(key)
        exchange = answers.popleft()
        self._left -= 1
        if exchange.answered_at is not None and exchange.answered_at > self._clock.now():
            await self._clock.sleep(exchange.answered_at - self._clock.now())
        if exchange.response is None:
            raise httpx.ReadError("no answer was recorded", request=request)
        headers = [(name, value) for name, value in exchange.response.headers if name.lower() not in _UNDONE]
        return httpx.Response(
            exchange.response.status, headers=headers, stream=httpx.ByteStream(exchange.response.body)
        )

    def _account(self, request: httpx.Request) -> str | None:
        said = request.headers.get("authorization")
        return None if said is None else self._accounts.get(said.removeprefix("Bearer "), UNKNOWN_TOKEN)

    def _refusal(self, key: _Key) -> ConfigurationError:
        """The same for all that follows the first."""
        if self._refused is None:
            self._refused = ConfigurationError(
                f"{key.method} {key.url} as account {key.account} was not recorded, or not as often: replay with the "
                f"options of the recorded run (--seed {self._seed}) and with the same version, or judge the recording "
                "as it is with `check`"
            )
        return self._refused


def _answer(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


class Recorded(NamedTuple):
    """A run that can be lived again: where it went, its clock, accounts and declared defaults, and what answers."""

    base_url: str
    clock: VirtualClock
    tokens: Mapping[str, str]
    default_profiles: Mapping[str, str]
    app: ReplayTransport


def recorded(path: Path, name: str) -> Recorded:
    """The run recorded at `path`, a cassette or a folder of them, ready to be played back.

    Raises InvalidRecordingError, and ConfigurationError for what is no recording of one whole run on a virtual clock.
    """
    run = _header(path, name)
    exchanges = tuple(read_all([path]))
    started = exchanges[0].sent_at if exchanges else None
    if started is None:
        raise ConfigurationError(f"{name} holds nothing that was sent at a known time: record a run with --record")
    clock = VirtualClock(started)
    tokens = {account: f"recorded-{account}" for account in run.accounts}
    profiles = run.settings.get("default_profiles")
    return Recorded(
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
            f"{name} is no recording of one run that can be lived again, which only a run on a virtual clock can, such "
            f"as one of the reference server with --record: judge it as it is with `cronofy-conformance check {path}`"
        )
    return first
