"""Talking to an application, ASGI or WSGI, without a socket."""

from __future__ import annotations

import asyncio

import httpx

from .variants import App


class AsgiTransport(httpx.BaseTransport):
    """A synchronous transport to an ASGI application."""

    def __init__(self, app: App) -> None:
        self.inner = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def answer() -> httpx.Response:
            response = await self.inner.handle_async_request(request)
            content = await response.aread()
            return httpx.Response(response.status_code, headers=response.headers, content=content)

        with asyncio.Runner() as runner:
            return runner.run(answer())


def transport(app: App) -> httpx.BaseTransport:
    """A transport for `httpx.Client` to an application that says by `interface` what it is."""
    return AsgiTransport(app) if app.interface == "asgi" else httpx.WSGITransport(app=app)
