"""A server of conferencing on events, as a team might write one: a plain ASGI application with one account."""

import json
import os
import re
import time
from datetime import UTC, datetime
from urllib.parse import unquote

TOKEN = "booking-token"
CALENDARS = {"cal_booking": True, "cal_plain": False}
PROFILE = "pro_zoom"
HTTP_URL = re.compile(r"https?://[^\s/?#]+\S*\Z", re.IGNORECASE)


class Clock:
    """The time of day; tests give one of their own."""

    now = staticmethod(time.time)


class RefusedError(Exception):
    """An answer other than success: its status, and its errors by field."""

    def __init__(self, status, **errors):
        self.answer = status, {"errors": {name: [{"key": key, "description": key}] for name, key in errors.items()}}


class Booking:
    """The application; a conference is pending for two seconds of `clock`."""

    def __init__(self, clock=None, break_urls=False):
        self.clock = clock or Clock()
        self.break_urls = break_urls
        self.events = {}
        self.conferences = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        try:
            status, answer = self.answer(scope, body)
        except RefusedError as refused:
            status, answer = refused.answer
        content = b"" if answer is None else json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def answer(self, scope, body):
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {TOKEN}".encode():
            return 401, None
        method, path = scope["method"], scope["path"]
        if (method, path) == ("GET", "/v1/calendars"):
            return 200, {"calendars": [self.calendar(name) for name in CALENDARS]}
        if (method, path) == ("GET", "/v1/userinfo"):
            return 200, self.userinfo()
        if (method, path) == ("GET", "/v1/events"):
            if b"tzid=" not in scope["query_string"]:
                raise RefusedError(422, tzid="errors.required")
            managed = b"only_managed=true" in scope["query_string"]
            return 200, {"pages": {"current": 1, "total": 1}, "events": self.list() if managed else []}
        found = re.fullmatch(r"/v1/calendars/([^/]+)/events", path)
        if not found:
            return 404, None
        calendar = unquote(found[1])
        if calendar not in CALENDARS:
            return 404, None
        document = self.parse(body)
        if method == "DELETE":
            self.events.pop((calendar, document.get("event_id")), None)
        else:
            self.write(calendar, document)
        return 202, None

    def parse(self, body):
        try:
            document = json.loads(body)
        except ValueError:
            raise RefusedError(422, body="errors.invalid") from None
        if not isinstance(document, dict) or not isinstance(document.get("event_id"), str):
            raise RefusedError(422, event_id="errors.required")
        return document

    def write(self, calendar, document):
        for name in ("summary", "start", "end"):
            if not document.get(name):
                raise RefusedError(422, **{name: "errors.required"})
        if not isinstance(document["summary"], str):
            raise RefusedError(422, summary="errors.invalid")
        start, end = (self.moment(document[name], name) for name in ("start", "end"))
        if end < start:
            raise RefusedError(422, end="errors.invalid")
        key = calendar, document["event_id"]
        now = self.clock.now()
        before = self.events.get(key, {"created": now, "conferencing": None, "ready_at": 0.0})
        conferencing, ready_at = before["conferencing"], before["ready_at"]
        if "conferencing" in document:
            asked = self.conferencing(calendar, document["conferencing"])
            generated = asked is not None and asked["provider_name"] is not None
            too_late = (end if key in self.events else start) < now
            if not (generated and too_late):
                conferencing, ready_at = asked, now + 2.0 if generated else 0.0
        self.events[key] = {
            **before,
            **{
                name: document[name]
                for name in ("summary", "start", "end", "description", "location")
                if name in document
            },
            "conferencing": conferencing,
            "ready_at": ready_at,
        }

    def moment(self, value, name):
        text = value.get("time") if isinstance(value, dict) else value
        try:
            moment = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            raise RefusedError(422, **{name: "errors.invalid"}) from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def conferencing(self, calendar, asked):
        profile = asked.get("profile_id") if isinstance(asked, dict) else None
        self.conferences += 1
        number = 31415 + self.conferences
        if profile in ("none", "8x8"):
            return None
        if profile == "explicit":
            url, description = asked.get("join_url"), asked.get("provider_description")
            if not isinstance(description, str):
                raise RefusedError(422, **{"conferencing.provider_description": "errors.required"})
            if not isinstance(url, str) or not HTTP_URL.match(url):
                raise RefusedError(422, **{"conferencing.join_url": "errors.invalid"})
            return {"provider_name": None, "join_url": url.lower() if self.break_urls else url}
        if profile == "integrated":
            if not CALENDARS[calendar]:
                raise RefusedError(422, **{"conferencing.profile_id": "errors.integrated_conferencing_not_available"})
            return {"provider_name": "google_meet", "join_url": f"https://meet.example.com/{number}"}
        if profile in ("default", PROFILE):
            return {"provider_name": "zoom", "join_url": f"https://zoom.example.com/j/{number}"}
        raise RefusedError(422, **{"conferencing.profile_id": "errors.invalid"})

    def list(self):
        return [self.shown(*key, event) for key, event in self.events.items()]

    def shown(self, calendar, event_id, event):
        fields = {name: value for name, value in event.items() if name not in ("created", "ready_at", "conferencing")}
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event["created"]))
        shown = {
            "calendar_id": calendar,
            "event_id": event_id,
            "event_uid": f"evt_{event_id}",
            **fields,
            "created": created,
        }
        if event["conferencing"]:
            pending = self.clock.now() < event["ready_at"]
            shown["conferencing"] = {"pending": True} if pending else event["conferencing"]
        return shown

    def calendar(self, name):
        return {
            "provider_name": "google",
            "profile_id": "pro_google",
            "profile_name": "booking@example.com",
            "calendar_id": name,
            "calendar_name": name,
            "calendar_readonly": False,
            "calendar_deleted": False,
            "calendar_primary": name == "cal_booking",
            "calendar_integrated_conferencing_available": CALENDARS[name],
        }

    def userinfo(self):
        calendars = [self.calendar(name) for name in CALENDARS]
        google = {
            "provider_name": "google",
            "profile_id": "pro_google",
            "profile_name": "booking@example.com",
            "profile_connected": True,
            "profile_calendars": calendars,
        }
        zoom = {"provider_name": "zoom", "profile_id": PROFILE, "profile_name": "booking", "profile_connected": True}
        return {
            "sub": "acc_booking",
            "cronofy.type": "account",
            "cronofy.data": {"profiles": [google], "conferencing_profiles": [zoom]},
        }


def make_app(clock=None):
    """The application; with BOOKING_BROKEN in the environment it has a bug."""
    return Booking(clock, break_urls=bool(os.environ.get("BOOKING_BROKEN")))
