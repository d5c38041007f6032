"""A request and an answer of the small ASGI emulator, and how they are received and sent."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from .asgi_decisions import JSON

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Call:
    """One request, taken apart."""

    method: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    origin: str

    def one(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    def flag(self, name: str) -> bool:
        return (self.one(name) or "").lower() in ("true", "1")


@dataclass(frozen=True)
class Answer:
    status: int
    payload: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error
    """Ends a call with an answer."""

    def __init__(self, status: int, errors: Mapping[str, str] | None = None) -> None:
        shape = {name: [{"key": f"errors.{key}", "description": key}] for name, key in (errors or {}).items()}
        self.answer = Answer(status, {"errors": shape} if errors else None)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def form(text: str) -> dict[str, JSON]:
    """A form-encoded body as the nested object that its bracketed names spell."""
    found: dict[str, JSON] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.findall(r"[^\[\]]+", name) or [name]
        place, key = found, first
        for step in rest:
            place = place.setdefault(key, {})
            key = step
        place[key] = value
    return found


async def lifespan(receive: Receive, send: Send) -> None:
    """Answers start-up and shut-down: there is nothing to do at either."""
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def received(scope: Scope, receive: Receive) -> Call:
    """The whole request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    path = (scope.get("raw_path") or scope["path"].encode()).decode().partition("?")[0]
    return Call(
        scope["method"],
        tuple(unquote(part) for part in path.strip("/").split("/")),
        tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        headers,
        body,
        f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}",
    )


async def respond(answer: Answer, send: Send) -> None:
    """Sends an answer: JSON when it has a payload, no body otherwise."""
    content = b"" if answer.payload is None else json.dumps(answer.payload).encode()
    shown = {**answer.headers, "content-length": str(len(content))}
    if content:
        shown["content-type"] = "application/json; charset=utf-8"
    raw = [(name.encode(), value.encode()) for name, value in shown.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
