"""Applications in this process as subjects: whatever one raises, however much it sends and however long it hangs."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from queue import SimpleQueue
from typing import Any

import httpx

from conformance.clock import Clock
from conformance.errors import ConfigurationError
from conformance.interrupts import is_of_signal
from conformance.servers.subject.blocking import BlockedError, unblocked
from conformance.servers.subject.reception import Limits

__all__ = ["AsgiTransport", "DateHeaderTransport", "WsgiTransport", "lifespan"]

_TEXT = "text/plain; charset=utf-8"

#: Seconds that an application has to shut down.
_SHUTDOWN = 5.0


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


class AsgiTransport(httpx.AsyncBaseTransport):
    """An ASGI application behind httpx: what it raises is told by a 500, and what is over a limit ends its answer."""

    def __init__(self, app: Any, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._transport = httpx.ASGITransport(self._contained, raise_app_exceptions=False)
        self._blocked: set[asyncio.Task[Any] | None] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        task = asyncio.current_task()
        if task in self._blocked:
            self._blocked.discard(task)
            raise httpx.ReadTimeout(f"the application blocked the event loop for {self._limits.seconds:g} s")
        return answer

    async def _contained(self, scope: Any, receive: Any, send: Any) -> None:
        size, started = 0, False

        async def bounded(message: Mapping[str, Any]) -> None:
            nonlocal size, started
            started = True
            if size > self._limits.body:
                raise ConnectionAbortedError(f"no more than {self._limits.body} bytes are taken")
            size += len(message.get("body") or b"")
            await send(message)

        try:
            await unblocked(self._app(scope, receive, bounded), self._limits.seconds)
        except BlockedError:
            self._blocked.add(asyncio.current_task())
            raise
        except Exception as error:
            if started:
                raise
            await send({"type": "http.response.start", "status": 500, "headers": [(b"content-type", _TEXT.encode())]})
            await send({"type": "http.response.body", "body": _raised(error)})
        except BaseException as error:
            task = asyncio.current_task()
            if is_of_signal(error):
                raise
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            raise RuntimeError("the application raised what ends a program") from error


class WsgiTransport(httpx.AsyncBaseTransport):
    """A WSGI application behind httpx: one call at a time, in a thread of its own, which keeps no program running."""

    def __init__(self, app: Any, limits: Limits) -> None:
        self._transport = httpx.WSGITransport(app=app, raise_app_exceptions=False)
        self._limits = limits
        self._jobs: SimpleQueue[tuple[asyncio.Future[httpx.Response], httpx.Request, bytes] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="wsgi-subject", daemon=True).start()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self._jobs.put((answer, request, await request.aread()))
        return await answer

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            answer, request, body = job
            if answer.cancelled():
                continue
            response = self._call(request, body)
            with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                answer.get_loop().call_soon_threadsafe(_answered, answer, response)

    def _call(self, request: httpx.Request, body: bytes) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        raw = bytearray()
        try:
            answer = self._transport.handle_request(copy)
            for chunk in answer.iter_raw():
                raw += chunk
                if len(raw) > self._limits.body:
                    break
        except BaseException as error:  # noqa: BLE001 - an application that raises is what a WSGI server answers with a 500
            return httpx.Response(500, headers={"Content-Type": _TEXT}, stream=httpx.ByteStream(_raised(error)))
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(bytes(raw)))

    async def aclose(self) -> None:
        self._jobs.put(None)


def _raised(error: BaseException) -> bytes:
    """The body of the 500 for what an application raised: its last line, as in a traceback, and where it was raised."""
    [*_, last] = traceback.format_exception_only(error)
    [*_, frame] = traceback.extract_tb(error.__traceback__) or [None]
    place = f" (in {frame.name}, {frame.filename}:{frame.lineno})" if frame else ""
    return f"The application raised {last.strip()[:1000]}{place}".encode("utf-8", "backslashreplace")


def _answered(answer: asyncio.Future[httpx.Response], response: httpx.Response) -> None:
    if not answer.done():
        answer.set_result(response)


@asynccontextmanager
async def lifespan(app: Any, limits: Limits) -> AsyncIterator[None]:
    """The ASGI lifespan of `app` around the block; applications that do not support it run without.

    Raises ConfigurationError for one that does not start in the time of an answer.
    """
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[str] = asyncio.Queue()

    async def send(message: Mapping[str, Any]) -> None:
        await outbox.put(str(message["type"]))

    async def serve() -> None:
        try:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, inbox.get, send)
        except asyncio.CancelledError:
            raise
        except BaseException:  # noqa: BLE001, S110 - raising is the protocol's way to say that lifespan is not supported
            pass
        await outbox.put("lifespan.ended")

    task = asyncio.create_task(serve())
    await inbox.put({"type": "lifespan.startup"})
    try:
        async with asyncio.timeout(limits.seconds):
            started = await outbox.get() == "lifespan.startup.complete"
    except TimeoutError:
        task.cancel()
        raise ConfigurationError(
            f"the application did not start within {limits.seconds:g} s: see what its ASGI lifespan waits for"
        ) from None
    try:
        yield
    finally:
        if started:
            await inbox.put({"type": "lifespan.shutdown"})
            with suppress(TimeoutError):
                async with asyncio.timeout(_SHUTDOWN):
                    await outbox.get()
        task.cancel()
        await asyncio.wait([task], timeout=_SHUTDOWN)
