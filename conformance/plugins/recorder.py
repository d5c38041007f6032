"""Recording what HTTP clients do in a test: httpx and requests tell it by their own hooks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.http.exchange import Exchange, Request, Response

if TYPE_CHECKING:
    import httpx

__all__ = ["ConformanceRecorder", "Recorder"]

Client = TypeVar("Client")

#: Where a request of httpx keeps when it was sent.
_SENT_AT = "conformance_sent_at"


class Recorder:
    """What a test has at hand that knows its exchanges, and so judges it as it ends."""

    #: Which side is judged unless somebody says; None: both.
    side: str | None = None
    #: Whether it surely saw every write of its events.
    complete = False

    @property
    def exchanges(self) -> list[Exchange]:
        """The exchanges so far, in the order sent."""
        raise NotImplementedError


class ConformanceRecorder(Recorder):
    """Keeps the exchanges of the clients that it watches, in the order in which they were answered."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []

    @property
    def exchanges(self) -> list[Exchange]:
        """The exchanges so far, in the order in which they were answered."""
        return self._exchanges

    def watch(self, client: Client) -> Client:
        """Record what `client` does from here on; gives it back.

        A client of httpx (`Client`, `AsyncClient`, and what is made of them, such as Starlette's `TestClient`), or a
        `Session` of requests.  Raises TypeError for anything else.
        """
        hooks = getattr(client, "hooks", None)
        if isinstance(hooks, dict) and "response" in hooks:
            hooks["response"].append(self._of_requests)
            return client
        events = getattr(client, "event_hooks", None)
        if not isinstance(events, dict):
            raise TypeError(f"expected a client of httpx or a Session of requests, got {type(client).__name__}")
        import httpx

        asynchronous = isinstance(client, httpx.AsyncClient)
        before = _stamp_async if asynchronous else _stamp
        after = self._of_async_httpx if asynchronous else self._of_httpx
        client.event_hooks = {  # type: ignore[attr-defined]
            "request": [*events.get("request", []), before],
            "response": [*events.get("response", []), after],
        }
        return client

    def _of_httpx(self, response: httpx.Response) -> None:
        response.read()
        self._add_httpx(response)

    async def _of_async_httpx(self, response: httpx.Response) -> None:
        await response.aread()
        self._add_httpx(response)

    def _add_httpx(self, response: httpx.Response) -> None:
        request = response.request
        self._add(
            Request(request.method, str(request.url), tuple(request.headers.multi_items()), request.content),
            Response(response.status_code, tuple(response.headers.multi_items()), response.content),
            request.extensions.get(_SENT_AT, time.time()),
        )

    def _of_requests(self, response: Any, *_: Any, **__: Any) -> None:
        request = response.request
        body = request.body or b""
        self._add(
            Request(
                request.method.upper(),
                request.url,
                tuple(request.headers.items()),
                body.encode() if isinstance(body, str) else body,
            ),
            Response(response.status_code, tuple(response.headers.items()), response.content),
            time.time() - response.elapsed.total_seconds(),
        )

    def _add(self, request: Request, response: Response, sent_at: float) -> None:
        label = f"#{len(self._exchanges) + 1}"
        self._exchanges.append(Exchange(request, response, label, sent_at, time.time(), headers_complete=True))


def _stamp(request: httpx.Request) -> None:
    request.extensions[_SENT_AT] = time.time()


async def _stamp_async(request: httpx.Request) -> None:
    _stamp(request)
