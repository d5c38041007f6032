"""The reference server as an ASGI application."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from difflib import get_close_matches
from typing import Any

from conformance.reference.calls import Answer, Call
from conformance.reference.courier import Courier
from conformance.reference.notices import client_secret
from conformance.reference.server import ReferenceServer

__all__ = ["ReferenceApp", "named"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ReferenceApp:
    """The server as an ASGI application.

    `tokens` maps account names to the bearer tokens that are accepted.  `default_profiles` maps the accounts whose
    user chose a default profile to its profile_id, `client_secrets` account names to what signs their notifications.
    `courier` delivers notifications.
    """

    def __init__(self, server: ReferenceServer) -> None:
        self.server = server
        self.tokens: dict[str, str] = {account.name: account.token for account in server.inventory.accounts}
        self.client_secrets = {account.name: client_secret(account.name) for account in server.inventory.accounts}
        self.courier = Courier(server.notifications, server.clock)
        self.default_profiles: dict[str, str] = {
            account.name: account.chosen for account in server.inventory.accounts if account.chosen
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            await self.courier.stop()
            return
        if scope["type"] != "http":
            raise ValueError(f"scope type {scope['type']!r} is not served: expected http or lifespan")
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
        answer = self.server.answer(_call(scope, bytes(body)))
        await _send(answer, send)
        await self.courier.go()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _call(scope: Scope, body: bytes) -> Call:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, port = scope.get("server") or ("127.0.0.1", 80)
    origin = f"{scope.get('scheme', 'http')}://{headers.get('host') or f'{host}:{port}'}"
    raw = scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else scope["path"]
    query = scope.get("query_string", b"").decode("latin-1")
    return Call(scope["method"], path, query, headers, body, origin)


async def _send(answer: Answer, send: Send) -> None:
    content = b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False).encode()
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    if content:
        headers.append((b"content-type", b"application/json; charset=utf-8"))
    if answer.status != 204:
        headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def named(kind: str, names: Iterable[str], known: Mapping[str, Any]) -> list[Any]:
    """The values of these names.  Raises ValueError for an unknown one."""
    chosen = []
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"{len(known)} are known"
            raise ValueError(f"{kind} {name!r} is unknown: {hint}")
        chosen.append(known[name])
    return chosen
