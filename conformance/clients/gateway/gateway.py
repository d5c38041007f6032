"""The gateway: what a client talks to, over every way that clients find the API, and the record of it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from conformance.clients.gateway.environment import environment
from conformance.clients.held_exchanges import account_names
from conformance.clock import Clock, RealClock
from conformance.http.exchange import Exchange, Headers, Request, Response
from conformance.http.ordering import OrderedDelivery
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.concealing import concealed
from conformance.http.redaction.scrubbing import scrub
from conformance.http.server.certificates import CertificateAuthority
from conformance.http.server.http_server import HttpServer, Reply

__all__ = ["Gateway"]


class Gateway:
    """Listens inside `async with`, answers by `answer`, and keeps what was exchanged or hands it to `seen`.

    `tokens` are the bearer tokens by account: they enter no exchange, their accounts' names do.  `secrets` learns the
    other credentials that are sent.  `folder` receives the certificate of the run's authority.
    """

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Reply]],
        *,
        tokens: Mapping[str, str],
        folder: Path,
        clock: Clock | None = None,
        seen: Callable[[Exchange], None] | None = None,
        secrets: SecretCollector | None = None,
        port: int = 0,
    ) -> None:
        self._answer = answer
        self._names = {token: f"<{account}>" for account, token in tokens.items()}
        self._clock = clock or RealClock()
        self._account_of = account_names(tokens)
        self._secrets = SecretCollector({}) if secrets is None else secrets
        self._order = OrderedDelivery(seen or self._keep)
        self._kept: list[Exchange] = []
        self._authority = CertificateAuthority(folder)
        self.exchanges = 0
        self.blocked_requests: list[str] = []
        self._server = HttpServer(self._exchange, tls=self._authority.server, on_blocked=self._blocked, port=port)

    async def __aenter__(self) -> Gateway:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()

    @property
    def base_url(self) -> str:
        """The origin of the plain HTTP server, which is also the proxy."""
        return self._server.origin

    @property
    def tls_url(self) -> str:
        """The origin of the HTTPS server."""
        return self._server.tls_origin

    @property
    def certificate(self) -> Path:
        """The certificate of the run's authority, PEM."""
        return self._authority.certificate

    def environment(self, token: str, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment in which a client finds the gateway, and `token` for it."""
        return environment(
            os.environ if inherited is None else inherited,
            base_url=self.base_url,
            proxy=self.base_url,
            token=token,
            authority=self._authority,
        )

    async def take(self) -> tuple[Exchange, ...]:
        """The exchanges since the last call, in the order in which they were sent, once none is under way."""
        await self._server.idle()
        if self._server.defect is not None:
            raise self._server.defect
        kept, self._kept = self._kept, []
        return tuple(kept)

    def _keep(self, exchange: Exchange) -> None:
        self._kept.append(exchange)

    def _blocked(self, what: str) -> None:
        if what not in self.blocked_requests:
            self.blocked_requests.append(what)

    async def _exchange(self, request: Request) -> Reply:
        sent_at, ticket = self._clock.now(), self._order.sent()
        self.exchanges += 1
        label = f"gateway#{self.exchanges}"
        exchange = None
        try:
            reply = await self._answer(request)
            assert isinstance(reply.body, bytes)
            response = Response(reply.status, reply.headers, reply.body)
            exchange = Exchange(request, response, label, sent_at, self._clock.now(), headers_complete=True)
            exchange = concealed(exchange, lambda one: self._named(scrub(one, self._account_of, self._secrets.collect)))
        finally:
            self._order.answered(ticket, exchange)
        return reply

    def _named(self, exchange: Exchange) -> Exchange:
        """The exchange with the names of accounts wherever their tokens were."""
        request, response = exchange.request, exchange.response
        assert response is not None
        return replace(
            exchange,
            request=Request(
                request.method, self._text(request.url), self._headers(request.headers), self._bytes(request.body)
            ),
            response=Response(response.status, self._headers(response.headers), self._bytes(response.body)),
        )

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self._text(value)) for name, value in headers)

    def _text(self, text: str) -> str:
        for token, name in self._names.items():
            text = text.replace(token, name)
        return text

    def _bytes(self, body: bytes) -> bytes:
        for token, name in self._names.items():
            body = body.replace(token.encode("utf-8"), name.encode("utf-8"))
        return body
