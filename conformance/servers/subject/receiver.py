"""The receiver of a run: push notifications that come to it become exchanges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from conformance.errors import ConfigurationError
from conformance.http.exchange import Headers, Request
from conformance.http.server.http_server import HttpServer, Reply
from conformance.http.webhooks import IN_PROCESS, NOTIFICATIONS, address, with_checked_signature
from conformance.servers.run_options import NotificationOptions
from conformance.servers.subject.subject import Subject
from conformance.servers.subject.transport import Transport

__all__ = ["Receiver", "receiving"]

#: Notifications of a run that are taken, those at one address, and the bytes of one.
_IN_ALL, _AT_ONE, _BYTES = 10_000, 50, 1 << 20

#: Unknown paths that are named.
_NAMED = 10


@dataclass(slots=True)
class Receiver:
    """Takes what comes to the addresses of one run; `transport` is told of each notification.

    `base_url` is where the subject reaches it, `secrets` maps account names to their client secrets.  `unknown` are
    paths that are none of its addresses, `left` counts notifications beyond its limits.
    """

    base_url: str
    run: str
    accounts: tuple[str, ...]
    secrets: Mapping[str, str] = field(repr=False)
    transport: Transport
    count: int = 0
    left: int = 0
    unknown: list[str] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def take(self, url: str, headers: Headers, body: bytes) -> int:
        """The status for a notification: 204, 404 for an unknown path, 413 and 429 beyond the limits."""
        name = address(url)
        parts = (name or "").split("/")
        number = parts[1].partition("-")[0] if len(parts) > 1 else ""
        if name is None or parts[0] != self.run or not number.isdecimal() or int(number) >= len(self.accounts):
            if len(self.unknown) < _NAMED:
                self.unknown.append(url.partition("://")[2].partition("/")[2].partition("?")[0][:100])
            return 404
        if len(body) > _BYTES:
            self.left += 1
            return 413
        self._counts[name] = self._counts.get(name, 0) + 1
        if self.count >= _IN_ALL or self._counts[name] > _AT_ONE:
            self.left += 1
            return 429
        self.count += 1
        secret = self.secrets.get(self.accounts[int(number)])
        shown = headers if secret is None else with_checked_signature(headers, body, secret)
        self.transport.received(Request("POST", f"{self.base_url}{NOTIFICATIONS}{name}", shown, body), 204)
        return 204

    def notes(self) -> tuple[str, ...]:
        """What came and was not taken, in a sentence each."""
        notes = []
        if self.unknown:
            notes.append(f"the receiver answered 404 to unknown paths: {', '.join(sorted(set(self.unknown)))}")
        if self.left:
            notes.append(f"{self.left} notifications were left out: over {_AT_ONE} at one address, or too large")
        return tuple(notes)

    async def deliver(self, uri: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take a notification from a server in this process; 0 for an address elsewhere."""
        return self.take(uri, tuple(headers.items()), body) if uri.startswith(self.base_url) else 0

    async def answer(self, request: Request) -> Reply:
        """Take a notification that came over HTTP."""
        return Reply(self.take(request.url, request.headers, request.body) if request.method == "POST" else 404)


@asynccontextmanager
async def receiving(
    subject: Subject, transport: Transport, run: str, options: NotificationOptions
) -> AsyncIterator[Receiver | None]:
    """The receiver of a run, if there is one: in this process for the reference server, else on a socket."""
    accounts = tuple(subject.tokens)
    courier = getattr(subject.app, "courier", None) if subject.kind in ("reference", "cassette") else None
    if courier is not None:
        receiver = Receiver(IN_PROCESS, run, accounts, {**subject.client_secrets, **options.client_secrets}, transport)
        courier.deliver = receiver.deliver
        yield receiver
        return
    if not options.enabled:
        yield None
        return
    if not subject.loopback and options.url is None:
        raise ConfigurationError(
            f"{subject.name} is not on this machine and cannot reach a receiver here: give the public address of a "
            "tunnel with --notification-url, and where it leads to with --notification-listen"
        )
    receiver = Receiver(options.url or "", run, accounts, options.client_secrets, transport)
    host, port = options.listen
    async with HttpServer(receiver.answer, hosts=(), listen=host, port=port, option="--notification-listen") as server:
        receiver.base_url = options.url or server.origin
        yield receiver
