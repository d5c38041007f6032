"""The stub server: answers each request as a case has it, or out of the reference server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from conformance.clients.cases.driver_call import ABSENT, CannedResponse, Case, StubBehavior
from conformance.clock import Clock
from conformance.facts.routes import route
from conformance.http.exchange import Request, load_json
from conformance.http.server.http_server import Reply

__all__ = ["SETTLE", "StubPage", "StubServer"]

#: Seconds of the stub's clock until conferencing is assigned; a step that settles moves the clock by more.
SETTLE = 60.0

_PAGE_SIZE = 50
_ANSWERED = frozenset({"write", "delete", "read", "page", "calendars", "userinfo"})
_FUTURE = {"x_future": {"since": "2031-01-01", "values": [1, None, "two"]}}
#: Parameters of a reading by which it leaves out events of other times.
_LIMITS = frozenset({"from", "to", "last_modified"})
_PER_CONNECTION = frozenset({"content-length", "transfer-encoding", "content-encoding", "date", "connection"})


@dataclass
class StubPage:
    """One page of a reading: the events on it, and whether the client has fetched it."""

    events: list[dict[str, Any]]
    fetched: bool = False

    def as_json(self) -> dict[str, Any]:
        """Which events are on the page, and whether it was fetched."""
        return {"fetched": self.fetched, "event_ids": [str(event.get("event_id", "")) for event in self.events]}


@dataclass
class _Reading:
    pages: list[StubPage]
    authorization: str | None
    excluded: list[str]
    tokens: list[str] = field(default_factory=list)


class StubServer:
    """Answers requests out of `app`, an ASGI application, as the current `StubBehavior` has it.

    `token` is what the seeds are written with.
    """

    def __init__(self, app: Any, clock: Clock, token: str) -> None:
        self._clock = clock
        self._token = token
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), trust_env=False)
        self._script = StubBehavior()
        self._first: list[CannedResponse] = []
        self._first_page: list[CannedResponse] = []
        self._readings: list[_Reading] = []
        self._pages: dict[str, tuple[_Reading, int]] = {}

    async def close(self) -> None:
        """Closes the connection to the application."""
        await self._http.aclose()

    async def seed(self, case: Case) -> None:
        """Writes the events that are there before the first call."""
        for calendar_id, event in case.seeds:
            answer = await self._http.post(
                f"http://127.0.0.1/v1/calendars/{calendar_id}/events",
                json=dict(event),
                headers={"Authorization": f"Bearer {self._token}"},
            )
            if answer.status_code >= 300:
                raise RuntimeError(f"the seed {event!r} was answered {answer.status_code}: {answer.text}")

    async def calendars(self) -> list[dict[str, Any]]:
        """The calendars of the account whose token the stub has."""
        answer = await self._http.get(
            "http://127.0.0.1/v1/calendars", headers={"Authorization": f"Bearer {self._token}"}
        )
        entries: list[dict[str, Any]] = answer.raise_for_status().json()["calendars"]
        return entries

    async def begin(self, behavior: StubBehavior) -> None:
        """From now on answers follow `behavior`."""
        self._script = behavior
        self._first = list(behavior.first)
        self._first_page = list(behavior.first_page)
        self._readings = []
        if behavior.settle:
            await self._clock.sleep(2 * SETTLE)

    def readings(self) -> list[dict[str, Any]]:
        """The readings that were begun since `begin`: for each, its pages and what its limits in time excluded."""
        return [
            {"pages": [page.as_json() for page in reading.pages], "excluded": reading.excluded}
            for reading in self._readings
        ]

    async def answer(self, request: Request) -> Reply:
        """The answer to a request whose URL is as the client addressed it."""
        behavior = self._script
        name = route(request.method, request.url).name
        if self._first and name in _ANSWERED:
            return _canned(self._first.pop(0))
        if self._first_page and name == "page":
            return _canned(self._first_page.pop(0))
        if behavior.write_response is not None and name in ("write", "delete"):
            return _canned(behavior.write_response)
        if behavior.read_response is not None and name in ("read", "page"):
            return _canned(behavior.read_response)
        if behavior.list_response is not None and name in ("calendars", "userinfo"):
            return _canned(behavior.list_response)
        if name == "page" and urlsplit(request.url).path in self._pages:
            return self._next_page(request)
        answer = await self._forward(request, request.url)
        if name == "read" and answer.status_code == 200:
            return await self._read(request, answer)
        if name in ("write", "delete") and answer.is_success and behavior.accepted is not None:
            return _canned(CannedResponse(answer.status_code, behavior.accepted))
        if name == "calendars" and answer.status_code == 200 and behavior.extra:
            listed = answer.json()
            return _canned(
                CannedResponse(200, {**listed, "calendars": [c | _FUTURE for c in listed["calendars"]], **_FUTURE})
            )
        return _unaltered(answer)

    async def pass_on(self, request: Request) -> Reply:
        """The answer of the reference server, unaltered."""
        return _unaltered(await self._forward(request, request.url))

    async def _forward(self, request: Request, url: str) -> httpx.Response:
        headers = [(name, value) for name, value in request.headers if name.lower() not in ("host", *_PER_CONNECTION)]
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return await self._http.request(request.method, url, headers=raw, content=request.body)

    async def _read(self, request: Request, answer: httpx.Response) -> Reply:
        """The first page of a reading, cut anew from all that the reference server has."""
        shown = [self._overridden(event) for event in await self._all_events(request, answer)]
        shown.sort(key=lambda event: event.get("event_id") in self._script.last)
        size = self._script.page_size or _PAGE_SIZE
        pages = [StubPage(shown[start : start + size]) for start in range(0, len(shown), size)] or [StubPage([])]
        if self._script.empty_page:
            pages.insert(1, StubPage([]))
        reading = _Reading(pages, request.header("authorization"), await self._excluded(request, shown))
        self._readings.append(reading)
        for number in range(len(pages)):
            path = f"/v1/events/pages/{_opaque(len(self._pages), number)}"
            reading.tokens.append(path)
            self._pages[path] = (reading, number)
        return self._page(request, reading, 0)

    async def _all_events(self, request: Request, answer: httpx.Response) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        body = answer.json()
        while True:
            events += body["events"]
            link = body.get("pages", {}).get("next_page")
            if not link:
                return events
            body = load_json((await self._forward(request, link)).content)

    async def _excluded(self, request: Request, shown: list[dict[str, Any]]) -> list[str]:
        """The ids of the events that the reading would show without its limits in time."""
        without = [(name, value) for name, value in request.query if name not in _LIMITS]
        if len(without) == len(request.query):
            return []
        answer = await self._forward(request, f"{request.url.partition('?')[0]}?{urlencode(without)}")
        events = await self._all_events(request, answer) if answer.status_code == 200 else []
        there = {str(event.get("event_id", "")) for event in shown}
        return sorted({str(event.get("event_id", "")) for event in events} - there)

    def _next_page(self, request: Request) -> Reply:
        reading, number = self._pages[urlsplit(request.url).path]
        if request.header("authorization") != reading.authorization:
            return _canned(CannedResponse(401))
        return self._page(request, reading, number)

    def _page(self, request: Request, reading: _Reading, number: int) -> Reply:
        page = reading.pages[number]
        page.fetched = True
        pages: dict[str, Any] = {"current": number + 1, "total": len(reading.pages)}
        if number + 1 < len(reading.pages):
            parts = urlsplit(request.url)
            pages["next_page"] = f"{parts.scheme}://{parts.netloc}{reading.tokens[number + 1]}"
        future = _FUTURE if self._script.extra else {}
        there = {"pages": pages | future} if self._script.pages_key or len(reading.pages) > 1 else {}
        return _canned(CannedResponse(200, {**there, "events": page.events, **future}))

    def _overridden(self, event: Mapping[str, Any]) -> dict[str, Any]:
        shown = dict(event)
        for overlay in self._script.overrides:
            if overlay.event_id == event.get("event_id"):
                shown.pop("conferencing", None)
                if overlay.conferencing is not ABSENT:
                    shown["conferencing"] = overlay.conferencing
        if self._script.extra:
            shown |= _FUTURE
            if isinstance(shown.get("conferencing"), dict):
                shown["conferencing"] = {**shown["conferencing"], **_FUTURE}
        return shown


def _opaque(*names: int) -> str:
    return "pg_" + hashlib.sha256(repr(names).encode()).hexdigest()[:12].swapcase() + "Zq"


def _canned(answer: CannedResponse) -> Reply:
    if answer.body is None:
        return Reply(answer.status)
    if isinstance(answer.body, bytes):
        return Reply(answer.status, (("Content-Type", "text/html; charset=utf-8"),), answer.body)
    body = json.dumps(answer.body, ensure_ascii=False).encode("utf-8")
    return Reply(answer.status, (("Content-Type", "application/json; charset=utf-8"),), body)


def _unaltered(answer: httpx.Response) -> Reply:
    headers = tuple(pair for pair in _pairs(answer) if pair[0].lower() not in _PER_CONNECTION)
    return Reply(answer.status_code, headers, answer.content)


def _pairs(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw]
