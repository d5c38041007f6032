"""HTTP on loopback: plain, over TLS, and as a forward proxy that answers for some hosts itself.

An answer is computed from a whole request and may stream.  What is addressed to any other host is refused and
reported, so nothing that a client sends here reaches a real service.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import h11

from conformance.errors import UsageError
from conformance.http.exchange import Request
from conformance.http.hosts import API_HOSTS
from conformance.http.server.connection import HEAD_LIMIT, Connection, NotServedError, Reply
from conformance.http.server.streams import close, pump

__all__ = ["HttpServer", "Reply"]


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


Answer = Callable[[Request], Awaitable[Reply]]


class HttpServer:
    """Listens on 127.0.0.1, or the address `listen`, while inside `async with`; every request goes to `answer`.

    It answers for `hosts` as well as for loopback; `tls` is the server side of the run's certificates; `on_blocked`
    gets a sentence for each request or connection that was refused, or that the client gave up.
    `option` is what chose the port.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        tls: ssl.SSLContext | None = None,
        hosts: tuple[str, ...] = API_HOSTS,
        on_blocked: Callable[[str], None] = lambda _: None,
        port: int = 0,
        listen: str = "127.0.0.1",
        option: str = "--port",
    ) -> None:
        self._answer = answer
        self._tls = tls
        self._hosts = frozenset(hosts)
        self._on_blocked = on_blocked
        self._port = port
        self._listen, self._option = listen, option
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._tunnels: dict[int, str] = {}  # local port of a tunnel's inner end -> the authority that was requested
        self._spoken: set[int] = set()  # tunnels in which a request was made
        self.open_requests = 0
        self.defect: Exception | None = None
        self.http_port = 0
        self.https_port = 0

    @property
    def origin(self) -> str:
        """The origin of the plain HTTP server; as a proxy it has the same address."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def tls_origin(self) -> str:
        """The origin of the HTTPS server."""
        return f"https://127.0.0.1:{self.https_port}"

    async def __aenter__(self) -> HttpServer:
        try:
            plain = await asyncio.start_server(self._connected("http"), self._listen, self._port, limit=HEAD_LIMIT)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise UsageError(
                f"{self._option} {self._port}: cannot listen there on {self._listen}: {why}; "
                "choose another, or 0 for a free one"
            ) from None
        self._servers.append(plain)
        self.http_port = plain.sockets[0].getsockname()[1]
        if self._tls is not None:
            secure = await asyncio.start_server(
                self._connected("https"), "127.0.0.1", 0, ssl=self._tls, limit=HEAD_LIMIT
            )
            self._servers.append(secure)
            self.https_port = secure.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    async def idle(self, timeout: float = 1.0) -> None:
        """Returns when no request is being answered, or after `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.open_requests:
                    await asyncio.sleep(0.001)

    def _connected(self, scheme: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            try:
                await Connection(self, reader, writer, scheme).serve()
            except (OSError, h11.ProtocolError, TimeoutError, asyncio.CancelledError):
                pass  # the client went away, or the server closes: nobody is left to answer
            finally:
                self._connections.discard(task)
                await close(writer)

        return connected

    def address(self, method: str, target: str, host: str | None, scheme: str, peer_port: int) -> str:
        """The absolute URL that a request was addressed to; raises for a host that is not served."""
        if not target.startswith("/"):
            parts = urlsplit(target)
            if parts.scheme not in ("http", "https") or not self._serves(parts.hostname, parts.port):
                self._on_blocked(f"{method} {parts.scheme}://{parts.netloc}{parts.path} was refused by the proxy")
                raise NotServedError(403, f"{parts.netloc} is not served here")
            return target
        tunnel = self._tunnels.get(peer_port) if scheme == "https" else None
        if tunnel is not None:
            self._spoken.add(peer_port)
        return f"{self._origin(scheme, host, tunnel)}{target}"

    def _origin(self, scheme: str, host: str | None, tunnel: str | None) -> str:
        own = self.http_port if scheme == "http" else self.https_port
        if tunnel is not None:
            return f"https://{tunnel.removesuffix(':443')}"
        name, _, port = (host or "").partition(":")
        if name in _LOOPBACK and port == str(own):
            return f"{scheme}://{host}"
        if scheme == "https" and name in self._hosts:
            return f"https://{host}"
        return f"{scheme}://127.0.0.1:{own}"

    def _serves(self, host: str | None, port: int | None) -> bool:
        if host in _LOOPBACK:
            return port in (self.http_port, self.https_port)
        return host in self._hosts

    async def tunnel(
        self, authority: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, early: bytes
    ) -> None:
        """Relays a CONNECT to this server's own port: TLS ends here, with the run's certificate."""
        parts = urlsplit(f"//{authority}")
        own = self.http_port if parts.port == self.http_port and parts.hostname in _LOOPBACK else self.https_port
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", own)
        local_port = inner_writer.get_extra_info("sockname")[1]
        self._tunnels[local_port] = authority
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            inner_writer.write(early)
            there = asyncio.create_task(pump(reader, inner_writer))
            back = asyncio.create_task(pump(inner_reader, writer))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        finally:
            del self._tunnels[local_port]
            await close(inner_writer)
            if local_port not in self._spoken and own == self.https_port:
                self._on_blocked(
                    f"a TLS connection to {authority} was given up before a request: "
                    "does the client trust the run's certificate authority (SSL_CERT_FILE and its kin)?"
                )
            self._spoken.discard(local_port)

    def may_connect(self, authority: str) -> None:
        """Raises for a CONNECT to a host that is not served."""
        try:
            parts = urlsplit(f"//{authority}")
            allowed = self._tls is not None and self._serves(parts.hostname, parts.port)
        except ValueError:
            allowed = False
        if not allowed:
            self._on_blocked(f"a connection to {authority} was refused by the proxy")
            raise NotServedError(403, f"{authority} is not served here")

    async def answer(self, request: Request) -> Reply:
        """The answer to a request; an exception of `answer` is kept in `defect` and answered with 500."""
        try:
            return await self._answer(request)
        except Exception as error:  # noqa: BLE001 - optional modules raise errors of their own
            self.defect = self.defect or error
            return Reply(500, (("Content-Type", "text/plain"),), b"the server failed")
