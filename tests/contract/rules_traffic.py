"""Real traffic for the facts: short scenarios of many events on the reference server, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

import httpx

from conformance.clock import VirtualClock
from conformance.facts import Facts, Observer, Settings
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange, Request, Response, bearer
from conformance.http.webhooks import NOTIFICATIONS, with_checked_signature
from conformance.reference import ReferenceApp, reference_app

__all__ = ["traffic"]

_NOW = 1_790_000_000.0
_URL = "https://conf.example/{}"


@dataclass
class _Talk:
    """Requests to one server, each of which becomes an exchange that is observed."""

    app: ReferenceApp
    clock: VirtualClock
    client: httpx.AsyncClient
    observer: Observer
    facts: list[Facts] = field(default_factory=list)
    number: int = 0

    async def send(self, account: str | None, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        self.number += 1
        token = self.app.tokens.get(account or "", "nobody-has-this")
        headers = {} if account is None else {"authorization": f"Bearer {token}"}
        recorded = () if account is None else (("authorization", bearer(account)),)
        sent = self.clock.now()
        answer = await self.client.request(method, path, json=body, params=query or None, headers=headers)
        content = answer.request.content
        recorded = (*recorded, ("content-type", answer.request.headers["content-type"])) if content else recorded
        request = Request(method, str(answer.request.url), recorded, content)
        dated = (*answer.headers.items(), ("date", formatdate(self.clock.now(), usegmt=True)))
        response = Response(answer.status_code, dated, answer.content)
        self.observer.add(Exchange(request, response, f"#{self.number}", sent, self.clock.now(), headers_complete=True))
        return answer

    async def deliver(self, uri: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take a notification as the receiver of a run does."""
        self.number += 1
        checked = with_checked_signature(tuple(headers.items()), body, self.app.client_secrets["default"])
        now = self.clock.now()
        exchange = Exchange(Request("POST", uri, checked, body), Response(204), f"#{self.number}", now, now)
        self.observer.add(exchange)
        return 204

    async def read(self, account: str, **query: Any) -> None:
        answer = await self.send(account, "GET", "/v1/events", tzid="Etc/UTC", **query)
        for _ in range(20):
            after = _next(answer)
            if after is None:
                return
            answer = await self.send(account, "GET", after)

    async def watch(self, account: str) -> None:
        for pause in (0.0, 0.3, 3.0, 9.0, 9.0):
            await self.clock.sleep(pause)
            await self.read(account, only_managed="true")
            self.facts += self.observer.changed()


def _next(answer: httpx.Response) -> str | None:
    try:
        after = answer.json()["pages"]["next_page"]
    except (ValueError, KeyError, TypeError):
        return None
    return after if isinstance(after, str) and after.startswith("http://reference.example/") else None


def _event(name: str, days: float, summary: str, conferencing: Any = None, **more: Any) -> dict[str, Any]:
    start = datetime.fromtimestamp(_NOW, UTC) + timedelta(days=days)
    event = {"event_id": name, "summary": summary, "start": _text(start), "end": _text(start + timedelta(hours=1))}
    return {**event, **({} if conferencing is None else {"conferencing": conferencing}), **more}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _explicit(name: str) -> dict[str, str]:
    return {"profile_id": "explicit", "provider_description": "Custom", "join_url": _URL.format(name)}


def _scenarios(name: str, profile: str) -> Iterable[list[dict[str, Any]]]:
    """The writes of each scenario on one calendar."""
    stray = {"provider_description": "Stray", "join_url": _URL.format(f"{name}/stray")}
    profile_ids = ("none", "default", "integrated", "8x8", profile, "pro_unknown")
    kinds: list[Any] = [None, _explicit(name), *({"profile_id": profile_id} for profile_id in profile_ids)]
    for number, first in enumerate(kinds):
        second = kinds[(number * 3 + 1) % len(kinds)]
        yield [
            _event(f"{name}-{number}", 30, "First", first),
            _event(f"{name}-{number}", 30, "First", None, description="Changed"),
            _event(f"{name}-{number}", 31, "Third", second, location={"description": "Room 1"}),
        ]
    replaced = ({"profile_id": "default"}, _explicit(f"{name}/replaced"))
    yield [_event(f"{name}-replaced", 30, "Replaced", conferencing) for conferencing in replaced]
    yield [_event(f"{name}-past", -30, "Past", {"profile_id": "default"})]
    yield [_event(f"{name}-stray", 30, "Stray", {"profile_id": "default", **stray})]
    yield [_event(f"{name}-invalid", 30, "Invalid", {"profile_id": "explicit"})]
    yield [_event(f"{name}-undefined", 30, "Undefined", {})]
    yield [_event(f"{name}-subscribed", 30, "Subscribed", {"profile_id": "default"}, subscriptions=_webhook(name))]


def _webhook(name: str) -> list[dict[str, Any]]:
    uri = f"https://tunnel.example.io{NOTIFICATIONS}{name}"
    return [{"type": "webhook", "uri": uri, "interactions": [{"type": "conferencing_assigned"}]}]


async def traffic(faults: Iterable[str] = ()) -> list[Facts]:
    """All facts, revisions too, of a run that meets every kind of request, calendar and account."""
    clock = VirtualClock(_NOW)
    app = reference_app(clock=clock, faults=faults, page_size=20)
    observer = Observer(Settings(quiet=2.0, settle_timeout=15.0, default_profiles=app.default_profiles))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://reference.example") as client:
        talk = _Talk(app, clock, client, observer)
        app.courier.deliver = talk.deliver
        for account in app.tokens:
            await _account(talk, account)
        await _trespass(talk)
    observer.close()
    return talk.facts + observer.changed()


async def _account(talk: _Talk, account: str) -> None:
    userinfo = (await talk.send(account, "GET", "/v1/userinfo")).json()
    answer = (await talk.send(account, "GET", "/v1/calendars")).json()
    calendars = answer["calendars"] if isinstance(answer.get("calendars"), list) else []
    if calendars:
        await _unread(talk, account, calendars[0]["calendar_id"])
    await talk.read(account, only_managed="true")
    listed = userinfo.get("cronofy.data", {}).get("conferencing_profiles") or [{}]
    profile = listed[-1].get("profile_id", "pro_none")
    ids = [calendar["calendar_id"] for calendar in calendars]
    scenarios = [
        (home, scenario)
        for number, home in enumerate(ids[::2])
        for scenario in _scenarios(f"{account}{number}", profile)
    ]
    for step in range(3):
        for home, writes in scenarios:
            if step < len(writes):
                await talk.send(account, "POST", f"/v1/calendars/{home}/events", writes[step])
        await talk.watch(account)
    await _hasty(talk, account, ids[0])
    await _batch(talk, account, ids[0])
    await talk.read(account)
    await talk.read(account, include_managed="true", **{"calendar_ids[]": ids[:1]})
    await talk.read(account, include_managed="true", to=_text(datetime.fromtimestamp(_NOW, UTC)))
    for home, writes in scenarios[::2]:
        await talk.send(account, "DELETE", f"/v1/calendars/{home}/events", {"event_id": writes[0]["event_id"]})
    await talk.watch(account)


async def _unread(talk: _Talk, account: str, home: str) -> None:
    """Conferencing of events that nothing is known of before; one is written again once its conference is there."""
    event = _event(f"{account}-unread", 30, "Unread", _explicit(f"{account}/unread"))
    await talk.send(account, "POST", f"/v1/calendars/{home}/events", event)
    for number, conferencing in enumerate(({"profile_id": "default"}, None)):
        event = _event(f"{account}-soon", 30, f"Soon {number}", conferencing)
        await talk.send(account, "POST", f"/v1/calendars/{home}/events", event)
        await talk.clock.sleep(9.0)
        await talk.read(account, only_managed="true")


async def _hasty(talk: _Talk, account: str, home: str) -> None:
    """Explicit conferencing, and the next write before it can be there."""
    for number, conferencing in enumerate((_explicit(f"{account}/hasty"), None)):
        event = _event(f"{account}-hasty", 30, f"Hasty {number}", conferencing)
        await talk.send(account, "POST", f"/v1/calendars/{home}/events", event)
    await talk.watch(account)


async def _batch(talk: _Talk, account: str, home: str) -> None:
    """One batch with one entry."""
    event = _event(f"{account}-batch", 30, "Batch", _explicit(f"{account}/batch"))
    entry = {"method": "POST", "relative_url": f"/v1/calendars/{home}/events", "data": event}
    await talk.send(account, "POST", "/v1/batch", {"batch": [entry]})
    await talk.watch(account)


async def _trespass(talk: _Talk) -> None:
    event = json.loads(json.dumps(_event("trespass", 30, "Trespass")))
    for account in (None, UNKNOWN_TOKEN, "default"):
        await talk.send(account, "POST", "/v1/calendars/cal_unknown/events", event)
        await talk.send(account, "DELETE", "/v1/calendars/cal_unknown/events", {"event_id": "trespass"})
        await talk.send(account, "GET", "/v1/events", only_managed="true")
        await talk.send(account, "GET", "/v1/other")
