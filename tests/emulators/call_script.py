"""A script of calls that shows what is wrong with a small server; it is called directly, without HTTP or waiting."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .asgi_messages import Call
from .recordings import Clock
from .variants import App

Json = Any
DAY = 86400.0
LONG = "https://Rooms.example.com:8443/Join/" + "x" * 300 + "?q=a%2Fb+c&lt=1&Name=%C3%9C#Frag"
EXPLICIT = {"profile_id": "explicit", "provider_description": "Rooms", "join_url": LONG}
OTHER = {
    "profile_id": "explicit",
    "provider_description": "Rooms",
    "join_url": "http://rooms.example.com/b?c=%3Cd%3E&e=f",
}


class Caller:
    """Sends requests to a server on a clock of its own; repeats what is answered 429 or 5xx."""

    def __init__(self, app: App, clock: Clock, account: str = "default") -> None:
        self.app, self.clock, self.account = app, clock, account
        self.authorization: str | None = f"Bearer {app.tokens[account]}"

    def send(
        self, method: str, path: str, query: Sequence[tuple[str, str]] = (), body: Json = None
    ) -> tuple[int, Json]:
        while True:
            status, shown = self.once(method, path, query, body)
            if status != 429 and status < 500:
                return status, shown
            self.clock.wait(1)

    def once(self, method: str, path: str, query: Sequence[tuple[str, str]], body: Json) -> tuple[int, Json]:
        text = b"" if body is None else json.dumps(body).encode()
        if self.app.interface == "asgi":
            headers = {"content-type": "application/json"}
            headers |= {"authorization": self.authorization} if self.authorization else {}
            parts = tuple(path.strip("/").split("/"))
            answer = self.app.answer(Call(method, parts, tuple(query), headers, text, "http://small"))
            return answer.status, json.loads(json.dumps(answer.payload))
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": urlencode(query),
            "CONTENT_TYPE": "application/json",
            "wsgi.url_scheme": "http",
            "HTTP_HOST": "small",
            "wsgi.input": io.BytesIO(text),
        } | ({"HTTP_AUTHORIZATION": self.authorization} if self.authorization else {})
        status, shown, _ = self.app.reply(environ, text)
        return status, json.loads(json.dumps(shown))

    def read(self, *query: tuple[str, str]) -> list[Json]:
        """All pages of one reading, or the errors that it ends with."""
        requested: Sequence[tuple[str, str]] = [("tzid", "Etc/UTC"), *(query or [("only_managed", "true")])]
        status, shown = self.send("GET", "/v1/events", requested)
        events: list[Json] = []
        for _ in range(50):
            if status != 200:
                return [*events, status, shown]
            events += shown["events"]
            following = shown["pages"].get("next_page")
            if not following:
                return events
            if not following.startswith("http://small/"):
                return [*events, following]
            path, _, text = following.removeprefix("http://small").partition("?")
            status, shown = self.send("GET", path, parse_qsl(text))
        return [*events, "endless"]

    def shown(self, calendar: str, event_id: str) -> Json:
        """The conferencing of an event, None when it has none, "missing" when there is no such event."""
        for event in self.read():
            if isinstance(event, dict) and (event["calendar_id"], event.get("event_id")) == (calendar, event_id):
                return event.get("conferencing")
        return "missing"

    def write(self, calendar: str, event: Json, **changes: Json) -> tuple[int, Json]:
        return self.send("POST", f"/v1/calendars/{calendar}/events", body={**event, **changes})

    def delete(self, calendar: str, event_id: str) -> tuple[int, Json]:
        return self.send("DELETE", f"/v1/calendars/{calendar}/events", body={"event_id": event_id})

    def settle(self) -> None:
        self.clock.wait(20 * self.app.settle + 2)

    def calendars(self) -> list[Json]:
        listed: list[Json] = self.send("GET", "/v1/calendars")[1]["calendars"]
        return listed

    def writable(self) -> list[str]:
        return [c["calendar_id"] for c in self.calendars() if not c["calendar_readonly"] and not c["calendar_deleted"]]


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(clock: Clock, event_id: str, ahead: float = 7 * DAY, **more: Json) -> Json:
    start = clock() + ahead
    return {"event_id": event_id, "summary": "Café", "start": moment(start), "end": moment(start + 3600), **more}


def around(app: App, clock: Clock) -> Iterator[Json]:
    """Everything but conferencing: access, calendars, readings, updates, deletion."""
    callers = [Caller(app, clock, name) for name in app.tokens]
    one, other = callers[:2]
    home, second = one.writable()[:2]
    for caller in callers:
        yield caller.send("GET", "/v1/calendars")
        yield caller.send("GET", "/v1/userinfo")
    yield [one.write(name, event(clock, "locked")) for name in (c["calendar_id"] for c in one.calendars())]
    yield one.write("cal_unknown", event(clock, "x")), other.write(home, event(clock, "x")), one.read(), other.read()
    stranger = Caller(app, clock)
    for authorization in (None, "Bearer nobody"):
        stranger.authorization = authorization
        yield stranger.read(), stranger.write(home, event(clock, "x")), stranger.delete(home, "locked")
    for number in range(5):
        one.write(
            home, event(clock, f"e{number}", ahead=(5 * number + 3) * DAY, description="d" * 300), conferencing=EXPLICIT
        )
    other.write(other.writable()[0], event(clock, "e1"), conferencing=OTHER)
    one.write(second, event(clock, "e1", start="2030-01-01T10:00:00+05:00", end="2030-01-01T11:00:00+05:00"))
    one.settle()
    _, first = one.send("GET", "/v1/events", [("tzid", "Etc/UTC"), ("only_managed", "true")])
    if "next_page" in first["pages"]:
        path, _, text = first["pages"]["next_page"].removeprefix("http://small").partition("?")
        stranger.authorization = None
        yield stranger.send("GET", path, parse_qsl(text))
    span = [("from", moment(clock() + 9 * DAY)), ("to", moment(clock() + 16 * DAY))]
    managed = ("only_managed", "true")
    for query in (
        [("include_managed", "true")],
        [("localized_times", "true"), managed],
        [*span, managed],
        [("calendar_ids[]", second), managed],
        [("calendar_ids[]", home), ("calendar_ids[]", second), managed],
        [managed],
        [("include_managed", "false")],
    ):
        yield one.read(*query)
    yield other.read()
    one.write(home, event(clock, "e0", summary="Other", ahead=DAY * 99), conferencing={"profile_id": "none"})
    one.settle()
    yield one.read()
    yield one.write(home, {"event_id": "short"}), one.read()
    yield one.delete(home, "e1"), one.read(), one.write(home, event(clock, "e1")), one.read()


def conferences(app: App, clock: Clock, account: str) -> Iterator[Json]:
    """Conferencing on each calendar of an account: all kinds in turn, immediately and settled, past and malformed."""
    caller = Caller(app, clock, account)
    profiles = caller.send("GET", "/v1/userinfo")[1]["cronofy.data"].get("conferencing_profiles", [])
    foreign = [{"profile_id": name} for name in ("pro_Wn-1", "902", "unknown")]
    named = [{"profile_id": profile["profile_id"]} for profile in profiles if "profile_id" in profile]
    default, none, integrated, eight = ({"profile_id": name} for name in ("default", "none", "integrated", "8x8"))
    extra_fields = {"join_url": "https://extra.example.com/", "provider_description": "Extra"}
    for calendar in caller.writable():
        base = event(clock, "main")
        with_extra_fields = [one | extra_fields for one in (default, eight, none, *named)]
        odd = [EXPLICIT | {"join_url": "ftp://x.example.com"}, EXPLICIT | {"join_url": None}]
        odd += [{k: EXPLICIT[k] for k in EXPLICIT if k != missing} for missing in list(EXPLICIT)[1:]]
        requested: list[Json] = [
            none,
            None,
            EXPLICIT,
            None,
            default,
            integrated,
            none,
            None,
            OTHER,
            None,
            none,
            EXPLICIT,
        ]
        requested += [OTHER, EXPLICIT, integrated, None, OTHER, none, default, *named, integrated, eight, none, eight]
        requested += [*foreign, *with_extra_fields, *odd]
        for number, conferencing in enumerate(requested):
            more = {} if conferencing is None else {"conferencing": conferencing}
            yield caller.write(calendar, base, description=str(number), **more), caller.shown(calendar, "main")
            caller.settle()
            yield caller.read()
        kept = event(clock, "kept")
        later, past = ({name: event(clock, "", ahead)[name] for name in ("start", "end")} for ahead in (9 * DAY, -DAY))
        texts = [{"description": text} for text in "abc"]
        for conferencing in (EXPLICIT, default):
            caller.write(calendar, kept, conferencing=conferencing)
            caller.settle()
            for change in [*texts, {"summary": "d"}, {"end": later["end"]}, later, past]:
                yield caller.write(calendar, kept | change)
                caller.settle()
                yield caller.shown(calendar, "kept")
            yield caller.delete(calendar, "kept")
        kinds = (None, default, EXPLICIT, OTHER, none, integrated)
        for first in (default, EXPLICIT):
            for then in kinds:
                immediate = event(clock, "immediate")
                caller.write(calendar, immediate, conferencing=first)
                caller.write(calendar, immediate, **({} if then is None else {"conferencing": then}))
                caller.settle()
                yield (
                    caller.shown(calendar, "immediate"),
                    caller.delete(calendar, "immediate"),
                    caller.write(calendar, immediate),
                )
                yield caller.shown(calendar, "immediate"), caller.delete(calendar, "immediate")
        starts: list[tuple[Json, Json]] = [
            (moment(clock() - 1800), moment(clock() + 1800)),
            (moment(clock() - DAY * 2)[:19] + "+00:00", moment(clock() + DAY)),
            ({"time": moment(clock() - DAY * 2)[:19], "tzid": "Europe/Paris"}, moment(clock() + DAY)),
            (moment(clock() - 3 * DAY)[:10], moment(clock() - 2 * DAY)[:10]),
            (moment(clock() - 400 * DAY), moment(clock() - 400 * DAY)),
            (moment(clock() + 370 * DAY), moment(clock() + 370 * DAY)),
            (moment(clock() - 370 * DAY), moment(clock() + 370 * DAY)),
            (moment(clock() - 300 * DAY), moment(clock() + 370 * DAY)),
        ]
        for start, end in starts if calendar == caller.writable()[0] else ():
            for conferencing in (default, integrated, *named[:1]):
                for text in ("", "x"):
                    when = event(clock, "when", start=start, end=end, description=text, conferencing=conferencing)
                    caller.write(calendar, when)
                    caller.settle()
                    yield caller.shown(calendar, "when")
                caller.delete(calendar, "when")
        yield caller.delete(calendar, "main")
    for calendar in caller.writable()[:2]:
        caller.write(
            calendar, event(clock, "twin"), conferencing=EXPLICIT if calendar == caller.writable()[0] else OTHER
        )
    caller.settle()
    yield caller.read()


def call_script(app: App, clock: Clock) -> Iterator[Json]:
    """The answers of a server, step by step, to all of the above."""
    yield from around(app, clock)
    for account in reversed(app.tokens):
        yield from conferences(app, clock, account)
