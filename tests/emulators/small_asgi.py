"""A small emulator of conferencing on events as a plain ASGI app; `app` settles after SMALL_SETTLE seconds (0.1)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .asgi_decisions import JSON, OMITTED, Account, Calendar, Conference, Conferencing, Event, Write, instant, inventory
from .asgi_messages import Answer, Call, Receive, Refusal, Scope, Send, form, iso, lifespan, received, respond

Versions = list[tuple[float, Event]]


class Emulator(Conferencing):
    """The application: `tokens` and `default_profiles` say who may call it and what the accounts chose."""

    interface = "asgi"

    def __init__(self, settle: float = 0.1, now: Callable[[], float] | None = None, **choices: Any) -> None:
        super().__init__(settle, now, **choices)
        self.accounts = inventory()
        self.tokens = {account.name: account.token for account in self.accounts}
        self.default_profiles = {a.name: p.profile_id for a in self.accounts if (p := Conferencing.preferred(self, a))}
        self.events: dict[tuple[str, ...], Versions] = {}
        self.pages: dict[str, tuple[str, list[JSON]]] = {}
        self.reads = 0
        self.began = self.now()

    # HTTP

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        else:
            await respond(self.answer(await received(scope, receive)), send)

    def answer(self, call: Call) -> Answer:
        upset = self.choices.refuses and self.random.random() < self.choices.refuses
        wait = {"retry-after": self.choices.retry_after} if self.choices.retry_after else {}
        if upset and not self.choices.refuses_after:
            return Answer(self.choices.refuses_with, headers=wait)
        try:
            answer = self.route(self.authenticate(call), call)
        except Refusal as refusal:
            answer = refusal.answer
        return Answer(self.choices.refuses_with, headers=wait) if upset else answer

    def authenticate(self, call: Call) -> Account:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        account = next((one for one in self.accounts if one.token == token.strip()), None)
        if scheme.lower() != "bearer" or account is None:
            raise Refusal(401)
        return account

    def route(self, account: Account, call: Call) -> Answer:
        match call.method, call.path:
            case "GET", ("v1", "calendars"):
                return self.list_calendars(account)
            case "GET", ("v1", "userinfo"):
                return self.userinfo(account)
            case "GET", ("v1", "events"):
                return self.read(account, call)
            case "GET", ("v1", "events", "pages", page):
                return self.page(account, page, call)
            case "POST", ("v1", "calendars", calendar_id, "events"):
                return self.upsert(account, self.writable(account, calendar_id), self.body(call))
            case "DELETE", ("v1", "calendars", calendar_id, "events"):
                return self.delete(account, self.writable(account, calendar_id), self.body(call))
        raise Refusal(404)

    def body(self, call: Call) -> dict[str, JSON]:
        if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return form(call.body.decode())
        try:
            body = json.loads(call.body)
        except (ValueError, RecursionError):
            raise Refusal(400) from None
        if not isinstance(body, dict):
            raise Refusal(422, {"body": "must_be_object"})
        return body

    # accounts

    def writable(self, account: Account, calendar_id: str) -> Calendar:
        calendar = next((one for one in account.calendars if one.calendar_id == calendar_id), None)
        if calendar is None:
            known = any(one.calendar_id == calendar_id for other in self.accounts for one in other.calendars)
            raise Refusal(self.choices.foreign if known else 404)
        if calendar.deleted or calendar.readonly:
            status = self.choices.deleted if calendar.deleted else self.choices.readonly
            raise Refusal(status, {"calendar_id": "not_writable"} if status == 422 else None)
        return calendar

    def available(self, calendar: Calendar) -> JSON:
        return self.integrated(calendar) is not None

    def calendar_json(self, account: Account, calendar: Calendar) -> dict[str, JSON]:
        return {
            "provider_name": calendar.provider,
            "profile_id": f"pro_{account.name}_{calendar.provider}",
            "profile_name": f"{account.name}@example.com",
            "calendar_id": calendar.calendar_id,
            "calendar_name": calendar.calendar_id.title(),
            "calendar_readonly": calendar.readonly,
            "calendar_deleted": calendar.deleted,
            "calendar_primary": calendar is account.calendars[0],
            "calendar_integrated_conferencing_available": self.available(calendar),
            "permission_level": "sandbox",
            **({"calendar_attachments_available": False, "colour": None} if self.choices.extra else {}),
        }

    def list_calendars(self, account: Account) -> Answer:
        shown = [self.calendar_json(account, calendar) for calendar in account.calendars]
        return Answer(200, {"sub": f"acc_{account.name}", "calendars": shown})

    def conferencing_profiles(self, account: Account) -> list[JSON]:
        return [
            {
                "provider_name": profile.provider,
                "profile_id": profile.profile_id,
                "profile_name": f"{profile.provider} of {account.name}",
                "profile_connected": profile.connected,
                **({} if profile.connected else {"profile_relink_url": "https://relink.example.com/1"}),
            }
            for profile in account.profiles
        ]

    def userinfo(self, account: Account) -> Answer:
        names = dict.fromkeys(calendar.provider for calendar in account.calendars)
        data: dict[str, JSON] = {
            "authorization": {"scope": "read_events create_event delete_event", "status": "active"},
            "profiles": [
                {
                    "provider_name": name,
                    "provider_service": {"google": "gsuite", "exchange": "office365"}.get(name, name),
                    "profile_id": f"pro_{account.name}_{name}",
                    "profile_name": f"{account.name}@example.com",
                    "profile_connected": True,
                    "profile_initial_sync_required": False,
                    "profile_calendars": [
                        self.calendar_json(account, c) for c in account.calendars if c.provider == name
                    ],
                }
                for name in names
            ],
        }
        if account.profiles or self.choices.no_profiles == "empty":
            data["conferencing_profiles"] = self.conferencing_profiles(account)
        return Answer(200, {"sub": f"acc_{account.name}", "cronofy.type": "account", "cronofy.data": data})

    # writing

    def key(self, account: Account, calendar: Calendar, event_id: str) -> tuple[str, ...]:
        return (account.name, calendar.calendar_id, event_id)

    def newest(self, key: tuple[str, ...]) -> Event | None:
        versions = self.events.get(key)
        return versions[-1][1] if versions and not versions[-1][1].deleted else None

    def malformed(self, fields: Mapping[str, JSON]) -> dict[str, str]:
        """Fields of an event that make no sense: field -> error key."""
        problems = {}
        for name in ("event_id", "summary"):
            if not isinstance(fields.get(name), str) or not fields[name] or len(fields[name]) > 1024:
                problems[name] = "invalid" if fields.get(name) else "required"
        times = []
        for name in ("start", "end"):
            try:
                times.append(instant(fields.get(name), fields.get("tzid")))
            except (ValueError, TypeError):
                problems[name] = "invalid" if fields.get(name) else "required"
        if len(times) == 2 and times[1] < times[0]:
            problems["end"] = "invalid_time_pair"
        if not isinstance(fields.get("description", ""), str | None):
            problems["description"] = "invalid"
        if not isinstance(fields.get("location", {}), dict | None):
            problems["location"] = "invalid"
        return problems

    def requested(self, body: Mapping[str, JSON]) -> JSON:
        requested = body.get("conferencing", OMITTED)
        if requested is None and self.choices.null != "refuse":
            return OMITTED if self.choices.null == "absent" else {"profile_id": "none"}
        return requested

    def checked(self, write: Write) -> Write:
        """The write as it will be done; Refusal (422) when it will not."""
        problems = self.malformed(write.fields)
        if write.requested is not OMITTED and not problems:
            problems = self.senseless(write)
            if problems and self.choices.invalid == "ignore":
                return replace(write, requested=OMITTED)
            problems = problems or self.refused(write)
        if problems:
            raise Refusal(422, problems)
        return write

    def upsert(self, account: Account, calendar: Calendar, body: dict[str, JSON]) -> Answer:
        fields = {name: value for name, value in body.items() if name != "conferencing"}
        write = self.checked(Write(account, calendar, fields, self.requested(body), self.now()))
        self.store(self.key(account, calendar, fields["event_id"]), write)
        status, payload = self.choices.accepted
        return Answer(status, payload)

    def store(self, key: tuple[str, ...], write: Write) -> None:
        before = self.newest(key)
        fields = self.merged(before, write.fields)
        event = Event(
            write.account.name,
            write.calendar,
            fields,
            self.after(before, write),
            before.number if before else sum(map(len, self.events.values())),
            before.created if before else write.at,
            write.at,
        )
        self.events.setdefault(key, []).append((write.at, event))

    def merged(self, before: Event | None, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        return {**before.fields, **fields} if before and self.choices.omitted == "kept" else fields

    def delete(self, account: Account, calendar: Calendar, body: dict[str, JSON]) -> Answer:
        if not isinstance(body.get("event_id"), str):
            raise Refusal(422, {"event_id": "required"})
        key = self.key(account, calendar, body["event_id"])
        event = self.newest(key)
        if event is None:
            return Answer(self.choices.delete_unknown)
        self.events[key].append((self.now(), self.tombstone(event)))
        return Answer(202)

    def tombstone(self, event: Event) -> Event:
        return replace(event, deleted=True, conference=None, updated=self.now())

    # reading

    def version_at(self, versions: Versions, at: float) -> Event | None:
        """The newest version that a read at this moment shows."""
        if not versions or versions[0][1].created + self.choices.appears > at:
            return None
        return next((event for written, event in reversed(versions) if written <= at), None)

    def read(self, account: Account, call: Call) -> Answer:
        tzid = self.zone(call)
        known = {calendar.calendar_id for calendar in account.calendars}
        wanted = {value for name, value in call.query if name == "calendar_ids[]"}
        if wanted - known and self.choices.unknown_filter == "refuse":
            raise Refusal(422, {"calendar_ids": "invalid_calendar_ids"})
        self.reads += 1
        at = self.now() - (0 if self.choices.replicas and self.reads % 2 else self.choices.lag)
        found = [event for versions in self.events.values() if (event := self.version_at(versions, at))]
        own = [e for e in found if self.belongs(e, account) and self.wanted(e, call)] if self.managed(call) else []
        shown = [
            self.event_json(event, at, tzid if call.flag("localized_times") else None) for event in self.ordered(own)
        ]
        if not call.flag("only_managed"):
            shown += self.external(account, call)
        shown = [event for event in shown if not wanted or event["calendar_id"] in wanted]
        size = self.choices.page_size or max(1, len(shown))
        return self.paged(account, [shown[i : i + size] for i in range(0, len(shown), size)] or [[]], call)

    def zone(self, call: Call) -> str:
        tzid = call.one("tzid")
        try:
            if tzid is None and self.choices.tzid_required:
                raise Refusal(422, {"tzid": "required"})
            return ZoneInfo(tzid or "Etc/UTC").key
        except (ValueError, ZoneInfoNotFoundError, OSError):
            raise Refusal(422, {"tzid": "tzid_unrecognized"}) from None

    def managed(self, call: Call) -> bool:
        return call.flag("only_managed") or call.flag("include_managed")

    def belongs(self, event: Event, account: Account) -> bool:
        return event.account == account.name

    def wanted(self, event: Event, call: Call) -> bool:
        if event.deleted and not call.flag("include_deleted"):
            return False
        zone = event.fields.get("tzid")
        try:
            since, before, after = call.one("last_modified"), call.one("to"), call.one("from")
            return not (
                (since and event.updated < instant(since).timestamp())
                or (before and instant(event.fields["start"], zone) >= instant(before))
                or (after and instant(event.fields["end"], zone) < instant(after))
            )
        except ValueError:
            raise Refusal(422, {"from": "invalid"}) from None

    def ordered(self, events: list[Event]) -> list[Event]:
        by: dict[str, Callable[[Event], Any]] = {
            "oldest": lambda event: event.number,
            "newest": lambda event: -event.number,
            "start": lambda event: (instant(event.fields["start"], event.fields.get("tzid")), event.number),
            "id": lambda event: (event.fields["event_id"], event.number),
        }
        return sorted(events, key=by[self.choices.order])

    def time_json(self, event: Event, name: str, tzid: str | None) -> JSON:
        value = event.fields[name]
        text = value["time"] if isinstance(value, dict) else value
        if len(text) == len("2026-01-01"):
            return {"time": text, "tzid": tzid} if tzid else text
        moment = instant(value, event.fields.get("tzid"))
        local = moment.astimezone(ZoneInfo(tzid or "Etc/UTC")).isoformat(timespec="seconds")
        return {"time": local, "tzid": tzid} if tzid else iso(moment)

    def location(self, event: Event, conferencing: JSON) -> JSON:
        location = event.fields.get("location") or None
        url = conferencing.get("join_url") if isinstance(conferencing, dict) else None
        blank = not (location or {}).get("description")
        if url and blank and event.calendar.provider in self.choices.fill:
            return {**(location or {}), "description": self.choices.fill_text.format(url)}
        return location

    def event_json(self, event: Event, at: float, tzid: str | None) -> dict[str, JSON]:
        conferencing = self.shown(event.conference, at)
        return {
            "calendar_id": event.calendar.calendar_id,
            "event_uid": f"evt_external_{event.number}",
            "event_id": event.fields["event_id"],
            "summary": event.fields["summary"],
            "description": event.fields.get("description") or "",
            "start": self.time_json(event, "start", tzid),
            "end": self.time_json(event, "end", tzid),
            "deleted": event.deleted,
            "created": iso(datetime.fromtimestamp(event.created, UTC)),
            "updated": iso(datetime.fromtimestamp(event.updated, UTC)),
            "location": self.location(event, conferencing),
            "participation_status": "accepted",
            "attendees": [],
            "status": "confirmed",
            **({"categories": [], "meeting_url": None, "x-etag": event.number} if self.choices.extra else {}),
            **({} if conferencing is OMITTED else {"conferencing": conferencing}),
        }

    def external(self, account: Account, call: Call) -> list[JSON]:
        """An event that somebody else made: it has no event_id."""
        day = datetime.fromtimestamp(self.began, UTC).replace(hour=12, minute=0, second=0) + timedelta(days=3)
        fields = {"event_id": "", "summary": "Dentist", "start": iso(day), "end": iso(day + timedelta(hours=1))}
        skype = Conference("explicit", "skype", "https://skype.example.com/1", self.began)
        event = Event(account.name, account.calendars[0], fields, skype, -1, self.began, self.began)
        if not self.wanted(event, call):
            return []
        tzid = self.zone(call) if call.flag("localized_times") else None
        return [{k: v for k, v in self.event_json(event, self.began, tzid).items() if k != "event_id"}]

    def paged(self, account: Account, pages: list[list[JSON]], call: Call) -> Answer:
        name = f"{self.random.randrange(16**12):012x}"
        self.pages[name] = (account.name, pages)
        while len(self.pages) > 200:
            del self.pages[next(iter(self.pages))]
        return self.page(account, f"{name}-1", call)

    def page(self, account: Account, token: str, call: Call) -> Answer:
        name, _, text = token.partition("-")
        owner, pages = self.pages.get(name, ("", []))
        number = int(text) if text.isdecimal() else 0
        if owner != account.name or not 0 < number <= len(pages):
            raise Refusal(404)
        shown: dict[str, JSON] = {"current": number, "total": len(pages)}
        if number < len(pages):
            shown["next_page"] = f"{call.origin}/v1/events/pages/{name}-{number + 1}"
        elif self.choices.last_page == "null":
            shown["next_page"] = None
        return Answer(200, {"pages": shown, "events": pages[number - 1]})


def make_app(settle: float = 0.1, now: Callable[[], float] | None = None, **choices: Any) -> Emulator:
    """A fresh emulator: conferences settle after `settle` seconds of `now` (time.time)."""
    return Emulator(settle, now, **choices)


app = make_app(float(os.environ.get("SMALL_SETTLE", "0.1")))
