"""Recordings as other tools write them, of a client that uses a small server: HAR 1.2 and VCR YAML. No time passes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal

import httpx
import yaml

from .inprocess import transport
from .variants import App

BASE_URL = "https://api.cronofy.com"
START = 1795341600.0  # 2026-11-22T10:00:00Z
Authorization = Literal["kept", "redacted", "absent"]
Event = dict[str, Any]
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Clock:
    """Seconds since 1970; `wait` advances them."""

    def __init__(self, start: float = START) -> None:
        self.at = start

    def __call__(self) -> float:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += seconds


@dataclass(frozen=True)
class Taken:
    """One exchange: `started` in seconds since 1970, `took` in seconds."""

    started: float
    took: float
    request: httpx.Request
    response: httpx.Response


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Client:
    """What a room-booking program does: it writes, and reads once a second until there is a conference."""

    def __init__(
        self, app: App, clock: Clock, account: str = "default", pause: float = 1.0, took: float = 0.08
    ) -> None:
        self.clock, self.pause, self.took = clock, pause, took
        self.taken: list[Taken] = []
        agent = {"User-Agent": "rooms/2.3 httpx", "Authorization": f"Bearer {app.tokens[account]}"}
        self.http = httpx.Client(transport=transport(app), base_url=BASE_URL, headers=agent, trust_env=False)

    def send(self, method: str, url: str, **more: Any) -> httpx.Response:
        request = self.http.build_request(method, url, **more)
        started = self.clock()
        self.clock.wait(self.took / 2)
        response = self.http.send(request)
        self.clock.wait(self.took / 2)
        response.headers["Date"] = formatdate(self.clock(), usegmt=True)
        self.taken.append(Taken(started, self.clock() - started, request, response))
        return response

    def calendars(self) -> list[dict[str, Any]]:
        self.send("GET", "/v1/userinfo")
        listed: list[dict[str, Any]] = self.send("GET", "/v1/calendars").json()["calendars"]
        return [one for one in listed if not one["calendar_readonly"] and not one["calendar_deleted"]]

    def upsert(self, calendar_id: str, event: Event) -> int:
        return self.send("POST", f"/v1/calendars/{calendar_id}/events", json=event).status_code

    def delete(self, calendar_id: str, event_id: str) -> int:
        return self.send("DELETE", f"/v1/calendars/{calendar_id}/events", json={"event_id": event_id}).status_code

    def events(self) -> list[dict[str, Any]]:
        """One complete reading of what the account manages."""
        params = {"tzid": "Etc/UTC", "only_managed": "true"}
        answer = self.send("GET", "/v1/events", params=params)
        found: list[dict[str, Any]] = []
        while answer.status_code == 200:
            found += answer.json()["events"]
            following = answer.json()["pages"].get("next_page")
            if not following or len(self.taken) > 5000:
                break
            answer = self.send("GET", following)
        return found

    def conferencing(self, calendar_id: str, event_id: str) -> Any:
        for event in self.events():
            if event.get("calendar_id") == calendar_id and event.get("event_id") == event_id:
                return event.get("conferencing")
        return None

    def poll(
        self, calendar_id: str, event_id: str, wanted: Callable[[Any], bool], most: int = 12, more: int = 0
    ) -> None:
        """Reads until the conferencing is as wanted (at most `most` times), and `more` times after that."""
        for _ in range(most):
            self.clock.wait(self.pause)
            if wanted(self.conferencing(calendar_id, event_id)):
                break
        self.watch(more)

    def watch(self, times: int) -> None:
        for _ in range(times):
            self.clock.wait(self.pause)
            self.events()


def assigned(conferencing: Any) -> bool:
    return isinstance(conferencing, dict) and bool(conferencing.get("join_url"))


def gone(conferencing: Any) -> bool:
    return not conferencing


def usual(client: Client, calendars: int = 99) -> None:
    """On each of some calendars: create, poll until assigned, update, replace, remove, delete; and what is past."""
    day = 86400.0
    client.watch(1)
    for number, calendar in enumerate(client.calendars()[:calendars]):
        calendar_id, event_id = calendar["calendar_id"], f"booking-{number}"
        start = client.clock() + 7 * day + number * 3600
        event = {
            "event_id": event_id,
            "summary": "Quarterly",
            "start": iso(start)[:19] + "Z",
            "end": iso(start + 3600)[:19] + "Z",
        }
        link = f"https://rooms.example.com/Room-{number}?pwd=a%2Bb&x=1"
        explicit = {"profile_id": "explicit", "provider_description": "Room", "join_url": link}
        client.upsert(calendar_id, {**event, "conferencing": {"profile_id": "default"}})
        client.poll(calendar_id, event_id, assigned, most=8, more=4)
        client.upsert(calendar_id, {**event, "summary": "Quarterly, moved to room 2"})
        client.watch(6)
        client.upsert(calendar_id, {**event, "conferencing": {"profile_id": "integrated"}})
        client.poll(calendar_id, event_id, assigned, most=8, more=4)
        client.upsert(calendar_id, {**event, "conferencing": explicit})
        client.poll(calendar_id, event_id, assigned, most=8, more=6)
        client.upsert(calendar_id, {**event, "description": "With an agenda"})
        client.upsert(calendar_id, {**event, "description": "With a longer agenda"})
        client.watch(6)
        client.upsert(calendar_id, {**event, "conferencing": {"profile_id": "none"}})
        client.poll(calendar_id, event_id, gone, more=8)
        past = {
            "event_id": f"past-{number}",
            "summary": "Last week",
            "start": iso(start - 14 * day),
            "end": iso(start - 13 * day),
        }
        client.upsert(calendar_id, {**past, "conferencing": {"profile_id": "default"}})
        client.upsert(calendar_id, {**event, "event_id": f"eight-{number}", "conferencing": {"profile_id": "8x8"}})
        client.watch(10)
        for done in (event_id, f"past-{number}", f"eight-{number}"):
            client.delete(calendar_id, done)
        client.watch(2)


def record(
    make: Callable[..., App], story: Callable[[Client], None] = usual, account: str = "default", settle: float = 2.4
) -> tuple[Taken, ...]:
    """The exchanges of a client that follows `story` with a fresh server on a clock of its own."""
    clock = Clock()
    client = Client(make(settle=settle, now=clock), clock, account)
    story(client)
    return tuple(client.taken)


def sent_headers(taken: Taken, authorization: Authorization) -> dict[str, str]:
    headers = {name.title(): value for name, value in taken.request.headers.items()}
    if authorization == "redacted":
        headers["Authorization"] = "Bearer REDACTED"
    elif authorization == "absent":
        del headers["Authorization"]
    return headers


def pairs(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def har_entry(taken: Taken, authorization: Authorization, in_base64: bool) -> dict[str, Any]:
    request, response = taken.request, taken.response
    kind = response.headers.get("content-type", "")
    content: dict[str, Any] = {"size": len(response.content), "mimeType": kind or "x-unknown"}
    if response.content and in_base64:
        content |= {"text": base64.b64encode(response.content).decode(), "encoding": "base64"}
    elif response.content:
        content["text"] = response.text
    entry: dict[str, Any] = {
        "startedDateTime": iso(taken.started),
        "time": round(taken.took * 1000, 3),
        "request": {
            "method": request.method,
            "url": str(request.url),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": pairs(sent_headers(taken, authorization)),
            "queryString": pairs(dict(request.url.params)),
            "headersSize": -1,
            "bodySize": len(request.content),
        },
        "response": {
            "status": response.status_code,
            "statusText": response.reason_phrase,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": pairs(dict(response.headers)),
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(response.content),
        },
        "cache": {},
        "timings": {"send": 1, "wait": round(taken.took * 1000) - 2, "receive": 1},
    }
    if request.content:
        kind = request.headers["content-type"]
        entry["request"]["postData"] = {"mimeType": kind, "text": request.content.decode()}
    return entry


def noise(at: float) -> dict[str, Any]:
    """What else a proxy sees: another host's answer."""
    request = httpx.Request("GET", "https://telemetry.example.com/v1/events?id=7", headers={"Authorization": "none"})
    answer = httpx.Response(200, headers={"content-type": "image/gif"}, content=b"GIF89a\x01\x00\x01\x00\xff")
    return har_entry(Taken(at, 0.01, request, answer), "absent", in_base64=True)


def har(taken: tuple[Taken, ...], authorization: Authorization = "kept", in_base64: bool = False) -> str:
    """A HAR 1.2 text, as a proxy writes it."""
    entries = [har_entry(one, authorization, in_base64) for one in taken]
    if taken:
        entries.insert(1, noise(taken[0].started + 0.02))
    creator = {"name": "a proxy", "version": "4.1"}
    return json.dumps(
        {"log": {"version": "1.2", "creator": creator, "browser": creator, "pages": [], "entries": entries}}
    )


def vcr(taken: tuple[Taken, ...], authorization: Authorization = "absent") -> str:
    """A cassette as vcrpy writes it: the times are in the responses' Date headers alone."""
    interactions = [
        {
            "request": {
                "body": one.request.content.decode() or None,
                "headers": {name: [value] for name, value in sent_headers(one, authorization).items()},
                "method": one.request.method,
                "uri": str(one.request.url),
            },
            "response": {
                "body": {"string": one.response.text},
                "headers": {name.title(): [value] for name, value in one.response.headers.items()},
                "status": {"code": one.response.status_code, "message": one.response.reason_phrase},
            },
        }
        for one in taken
    ]
    return yaml.dump({"interactions": interactions, "version": 1}, Dumper=DUMPER, allow_unicode=True)


def write_har(path: Path, make: Callable[..., App], **more: Any) -> Path:
    """Records `make` into a HAR file; `more` goes to `record`."""
    path.write_text(har(record(make, **more)), encoding="utf-8")
    return path


def write_vcr(path: Path, make: Callable[..., App], **more: Any) -> Path:
    """Records `make` into a VCR cassette; `more` goes to `record`."""
    path.write_text(vcr(record(make, **more)), encoding="utf-8")
    return path
