"""One connection of an HTTP server: what a client requests over it, and what it is answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Protocol

import h11
import httpx

from conformance.http.exchange import Headers, Request

__all__ = ["HEAD_LIMIT", "Connection", "NotServedError", "Reply"]

#: The size in bytes of a request's head, and of its body.
HEAD_LIMIT, _BODY_LIMIT = 128 * 1024, 16 * 1024 * 1024

#: Seconds in which a next request may come.
_IDLE = 300.0


class Pieces(Protocol):
    """A body that comes in pieces; it is closed however the answer ends."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """No more pieces are taken."""


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers, and a body that is bytes or comes in pieces."""

    status: int
    headers: Headers = ()
    body: bytes | Pieces = b""


class NotServedError(Exception):
    """A request is refused with `status`; the message says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Server(Protocol):
    """What a connection asks of its server."""

    open_requests: int

    def address(self, method: str, target: str, host: str | None, scheme: str, peer_port: int) -> str:
        """The absolute URL that a request was addressed to; raises NotServedError."""

    def may_connect(self, authority: str) -> None:
        """Raises NotServedError for a CONNECT to a host that is not served."""

    async def answer(self, request: Request) -> Reply:
        """The answer to a request."""

    async def tunnel(
        self, authority: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, early: bytes
    ) -> None:
        """Relay a CONNECT."""


class Connection:
    """One connection to a server that is spoken to with `scheme`; `serve` answers what is requested over it."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scheme: str) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._scheme = scheme
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)

    async def serve(self) -> None:
        """Answer one request after the other, until the client goes away or is refused."""
        while True:
            try:
                async with asyncio.timeout(_IDLE):
                    head = await self._next()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint, str(error))
                return
            if not isinstance(head, h11.Request):
                return
            if head.method == b"CONNECT":
                await self._connect(head)
                return
            self._server.open_requests += 1
            try:
                goes_on = await self._one(head)
            finally:
                self._server.open_requests -= 1
            if not goes_on:
                return
            self._http.start_next_cycle()

    async def _one(self, head: h11.Request) -> bool:
        try:
            request = await self._request(head)
        except NotServedError as refusal:
            await self._refuse(refusal.status, str(refusal))
            return False
        except h11.RemoteProtocolError as error:
            await self._refuse(error.error_status_hint, str(error))
            return False
        await self._send(await self._server.answer(request), bodied=request.method != "HEAD")
        return bool(self._http.our_state is h11.DONE and self._http.their_state is h11.DONE)

    async def _request(self, head: h11.Request) -> Request:
        method = head.method.decode("ascii")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items())
        host = next((value for name, value in headers if name.lower() == "host"), None)
        peer_port = self._writer.get_extra_info("peername")[1]
        try:
            url = self._server.address(method, head.target.decode("latin-1"), host, self._scheme, peer_port)
            httpx.URL(url)
        except (ValueError, httpx.InvalidURL) as error:
            raise NotServedError(400, f"its target is no URL ({error})") from None
        body = bytearray()
        while True:
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                await self._write(self._http.send(go_on))
            event = await self._next()
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > _BODY_LIMIT:
                    raise NotServedError(413, f"a request body of more than {_BODY_LIMIT // 1024**2} MiB is not taken")
            elif isinstance(event, h11.EndOfMessage):
                return Request(method, url, headers, bytes(body))
            else:
                raise ConnectionError("the client went away in the middle of its request")

    async def _next(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._reader.read(65536))

    async def _send(self, reply: Reply, *, bodied: bool) -> None:
        bodied = bodied and reply.status not in (204, 304)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        names = {name.lower() for name, _ in headers}
        if b"date" not in names:
            headers.append((b"Date", formatdate(usegmt=True).encode("ascii")))
        if isinstance(reply.body, bytes) and not names & {b"content-length", b"transfer-encoding"}:
            headers.append((b"Content-Length", str(len(reply.body)).encode("ascii")))
        head = self._http.send(h11.Response(status_code=reply.status, headers=headers)) or b""
        if isinstance(reply.body, bytes):
            body = self._http.send(h11.Data(data=reply.body)) if reply.body and bodied else None
            await self._write(head + (body or b""))
        else:
            async with contextlib.aclosing(reply.body) as pieces:
                await self._write(head)
                async for piece in pieces:
                    if piece and bodied:
                        await self._write(self._http.send(h11.Data(data=piece)))
        await self._write(self._http.send(h11.EndOfMessage()))

    async def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _refuse(self, status: int, why: str) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = why.encode("utf-8")
            headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
            headers.append(("Connection", "close"))
            await self._write(self._http.send(h11.Response(status_code=status, headers=headers)))
            await self._write(self._http.send(h11.Data(data=body)))
            await self._write(self._http.send(h11.EndOfMessage()))

    async def _connect(self, head: h11.Request) -> None:
        authority = head.target.decode("latin-1")
        try:
            self._server.may_connect(authority)
        except NotServedError as refusal:
            await self._refuse(refusal.status, str(refusal))
            return
        early, _ = self._http.trailing_data
        await self._server.tunnel(authority, self._reader, self._writer, early)
