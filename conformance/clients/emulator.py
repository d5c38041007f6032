"""The reference server in the place of the API, for the tests of an application: what it is sent becomes exchanges."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

from conformance.clients.held_exchanges import account_names
from conformance.http.exchange import Exchange, Headers, Request, Response
from conformance.http.ordering import OrderedDelivery
from conformance.http.redaction import scrub
from conformance.reference import ReferenceApp

__all__ = ["Emulator"]

Message = MutableMapping[str, Any]


class Emulator:
    """The reference server as an ASGI application that hands each exchange to `seen`, in the order of the requests.

    It answers `latency` seconds after a request came.  Its ``Date`` is the time of the server's clock, as are the times
    of exchanges.  Tokens are replaced by the names of their accounts, and `collect` is called with each other secret.
    """

    def __init__(
        self,
        app: ReferenceApp,
        seen: Callable[[Exchange], None],
        *,
        latency: float = 0.0,
        collect: Callable[[str], None] | None = None,
    ) -> None:
        self.app = app
        self._latency, self._collect = latency, collect
        self._account_of = account_names(app.tokens)
        self._order = OrderedDelivery(seen)
        self._open, self._ends = 0, asyncio.Event()

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one request; what is no request goes to the application as it is."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        clock = self.app.server.clock
        ticket = self._order.sent()
        exchange: Exchange | None = None
        label, sent_at = f"#{self._order.count}", clock.now()
        sent, answered = bytearray(), bytearray()
        status = 0
        headers: Headers = ()

        async def received() -> Message:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def answer(message: Message) -> None:
            nonlocal status, headers, exchange
            if message["type"] == "http.response.start":
                await self._wait()
                dated = [*message["headers"], (b"date", formatdate(clock.now(), usegmt=True).encode())]
                status, headers = message["status"], _texts(dated)
                message = {**message, "headers": dated}
            else:
                answered.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    # Before the client has it: whoever has the answer finds the exchange here.
                    request = Request(scope["method"], _url(scope), _texts(scope["headers"]), bytes(sent))
                    response = Response(status, headers, bytes(answered))
                    whole = Exchange(request, response, label, sent_at, clock.now(), headers_complete=True)
                    self._order.answered(ticket, exchange := scrub(whole, self._account_of, self._collect))
            await send(message)

        self._open += 1
        try:
            await self.app(scope, received, answer)
        finally:
            self._open -= 1
            if exchange is None:
                self._order.answered(ticket, None)

    async def _wait(self) -> None:
        if self._latency:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._latency):
                    await self._ends.wait()

    async def stop(self) -> None:
        """Give up notifications that are not delivered, and answer what still waits for its answer at once."""
        self._ends.set()
        await self.app.courier.stop()
        while self._open:
            await asyncio.sleep(0.001)

    def flush(self) -> None:
        """Hand over what waits for answers that will not come."""
        self._order.flush()


def _texts(headers: Any) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _url(scope: Message) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), None)
    if host is None:
        name, port = scope.get("server") or ("127.0.0.1", 80)
        host = f"{name}:{port}"
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    return f"{scope.get('scheme', 'http')}://{host}{path}" + (f"?{query}" if query else "")
