"""Applications in this process as subjects: WSGI behind httpx, and the ASGI lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx

from conformance.clock import Clock

__all__ = ["DateHeaderTransport", "WsgiTransport", "lifespan"]


class DateHeaderTransport(httpx.AsyncBaseTransport):
    """Adds a Date header to the responses of an application in this process, as servers do."""

    def __init__(self, inner: httpx.AsyncBaseTransport, clock: Clock) -> None:
        self._inner, self._clock = inner, clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        response.headers.setdefault("Date", format_datetime(now, usegmt=True))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class WsgiTransport(httpx.AsyncBaseTransport):
    """A WSGI application behind httpx: one call at a time, in a thread of its own."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.WSGITransport(app=app, raise_app_exceptions=False)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="wsgi-subject")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, request, body)

    def _call(self, request: httpx.Request, body: bytes) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        try:
            answer = self._transport.handle_request(copy)
            raw = b"".join(answer.iter_raw())
        except Exception:  # noqa: BLE001 - an application that raises is what a WSGI server answers with a 500
            return httpx.Response(500, stream=httpx.ByteStream(b""))
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(raw))

    async def aclose(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """The ASGI lifespan of `app` around the block; applications that do not support it run without."""
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[str] = asyncio.Queue()

    async def send(message: Mapping[str, Any]) -> None:
        await outbox.put(str(message["type"]))

    async def serve() -> None:
        with suppress(Exception):  # raising is the protocol's way to say that lifespan is not supported
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, inbox.get, send)
        await outbox.put("lifespan.ended")

    task = asyncio.create_task(serve())
    await inbox.put({"type": "lifespan.startup"})
    started = await outbox.get() == "lifespan.startup.complete"
    try:
        yield
    finally:
        if started:
            await inbox.put({"type": "lifespan.shutdown"})
            await outbox.get()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
